"""Keeping the queue alive: jobs whose worker died are given to another one."""

from procrastinate.contrib.django import app

from parvis.core.jobs import labelled
from parvis.core.jobs.workers import SILENCE_SECONDS


@app.periodic(cron="* * * * *")
@app.task(name="jobs.rescue_stalled", queue="maintenance", queueing_lock="jobs.rescue_stalled", pass_context=False)
@labelled("Reprise des travaux interrompus")
async def rescue_stalled(timestamp: int = 0) -> None:
    """Put back to work the jobs held by a worker that has been silent; every job is idempotent."""
    for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS):
        await app.job_manager.retry_job(stalled)

"""Keeping the queue alive and short: jobs whose worker died are given to another one, those long done are forgotten."""

from typing import Final

from procrastinate.contrib.django import app

from parvis.core.jobs import labelled
from parvis.core.jobs.workers import SILENCE_SECONDS

KEPT_HOURS: Final = 7 * 24


@app.periodic(cron="* * * * *")
@app.task(name="jobs.rescue_stalled", queue="maintenance", queueing_lock="jobs.rescue_stalled", pass_context=False)
@labelled("Reprise des travaux interrompus")
async def rescue_stalled(timestamp: int = 0) -> None:
    """Put back to work the jobs held by a worker that has been silent; every job is idempotent."""
    for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS):
        await app.job_manager.retry_job(stalled)


@app.periodic(cron="50 3 * * *")
@app.task(name="jobs.forget_done", queue="maintenance", queueing_lock="jobs.forget_done", pass_context=False)
@labelled("Oubli des travaux terminés")
async def forget_done(timestamp: int = 0) -> None:
    """Delete the jobs that succeeded more than a week ago: what they did is in the journal."""
    await app.job_manager.delete_old_jobs(KEPT_HOURS)

"""What a worker does around every job: its number goes with it, into the logs and the jobs that it enqueues."""

from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import App, JobContext

from parvis.core.correlation import ARGUMENT, RunningJob, follow_job


def install(app: App) -> None:
    """Have every worker of ``app`` follow its jobs (``PROCRASTINATE_ON_APP_READY``)."""
    app.worker_defaults["worker_middleware"] = [follow]


async def follow(call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: object) -> Any:
    """Run a job under the number that it carries, or under one of its own."""
    arguments = context.job.task_kwargs
    follow_job(
        RunningJob(context.job.id, context.job.task_name, arguments.get("organisation_id")),  # type: ignore[arg-type]
        str(arguments.get(ARGUMENT) or ""),
    )
    return await call_next()

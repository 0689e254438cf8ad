"""What a worker does around every job: the job's number is put in the logs, the kind of its failure is kept."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import App, JobContext

from parvis.core.correlation import ARGUMENT, RunningJob, current_number, follow_job
from parvis.core.logs import class_of, places_of

logger = logging.getLogger(__name__)

# One statement, of failed attempts only, outside of the job's own transaction, which is undone.
KEEP = (
    "INSERT INTO jobs_failure (job_id, error, place, correlation_id, at)"
    " VALUES (%(job)s, %(error)s, %(place)s, %(number)s, now())"
    " ON CONFLICT (job_id) DO UPDATE SET error = excluded.error, place = excluded.place,"
    " correlation_id = excluded.correlation_id, at = excluded.at"
)


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
    try:
        return await call_next()
    except Exception as error:
        await _keep(context, error)
        raise


async def _keep(context: JobContext, error: Exception) -> None:
    """Keep the class of the error and its place in Parvis's code: its text may name people."""
    places = places_of(error)
    ours = [place for place in places if place.startswith("parvis/")] or places or [""]
    facts = {"job": context.job.id, "error": class_of(error)[:200], "place": ours[-1][:300], "number": current_number()}
    try:
        await context.app.connector.execute_query_async(KEEP, **facts)
    except Exception:  # the job's own error is what counts
        logger.exception("the failure of a job could not be kept")

"""Logs as JSON, one object a line, that follow a request or a job by its number and name nobody.

What people send may stand in the texts of exceptions, in addresses of pages and in the arguments of jobs: an exception
is told by its class and its places in the code, a page by its pattern, a job by its name. E-mail addresses are hidden
wherever they stand.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any, Final

from django.apps import apps

from parvis.core.correlation import ARGUMENT, current_job, current_number

MAIL: Final = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)*")
MOST_FRAMES: Final = 30


def class_of(error: BaseException) -> str:
    """Name of the class of an error, with its module."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def places_of(error: BaseException) -> list[str]:
    """``file:line function`` of every call that led to an error, the last one being where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(file: str) -> str:
    for mark in ("/site-packages/", "/src/"):
        _, found, after = file.rpartition(mark)
        if found:
            return after
    return file


class JsonLines(logging.Formatter):
    """One record as one line: ``time``, ``level``, ``logger``, ``message``, then what is known of the context."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **{key: value for key, value in _context(record).items() if value not in (None, "")},
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"error": class_of(error), "trace": places_of(error)}
            if cause := error.__cause__ or error.__context__:
                line["cause"] = class_of(cause)
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    text, request, job = record.getMessage(), getattr(record, "request", None), getattr(record, "job", None)
    if request is not None and hasattr(request, "path"):
        text = text.replace(request.path, _pattern(request))
    if isinstance(job, dict) and "call_string" in job:
        text = text.replace(job["call_string"], f"{job['task_name']}[{job['id']}]")
    return MAIL.sub("…@…", text)


def _pattern(request: Any) -> str:
    """The pattern of the address: the address itself may hold a token."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "(no such address)"


def _context(record: logging.LogRecord) -> dict[str, Any]:
    request, told, job = getattr(record, "request", None), getattr(record, "job", None), current_job()
    row: dict[str, Any] = told if isinstance(told, dict) else {}
    arguments = row.get("task_kwargs") or {}
    return {
        "correlation": current_number() or getattr(request, "request_id", "") or arguments.get(ARGUMENT),
        "organisation": _organisation(request)
        or arguments.get("organisation_id")
        or (job.organisation if job else None),
        "job": row.get("id") or (job.pk if job else None),
        "task": row.get("task_name") or (job.name if job else None),
    }


def _organisation(request: Any) -> int | None:
    """The only organisation acted for or shown here; a request keeps its own after its transaction."""
    if organisation := getattr(request, "organisation", None):
        return int(organisation.pk)
    if not apps.ready:
        return None
    from parvis.core.organisations.tenancy import current_scope  # the models are loaded by now

    scope = current_scope()
    return scope.organisations[0] if len(scope.organisations) == 1 else scope.public_organisation

"""Is this installation able to work? What a load balancer or a supervisor asks at ``/health``.

Everybody may ask whether each component works; why it does not, and its figures, are for platform administrators.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection

from parvis.core.jobs.workers import SILENCE_SECONDS, number_alive

STALLED_AFTER_SECONDS = 300
WITNESS = "health/witness"
WITNESS_CONTENT = b"parvis"


@dataclass(frozen=True)
class Probe:
    """Outcome of one check; ``detail`` is for the operator and holds no personal data."""

    name: str
    ok: bool
    detail: str
    milliseconds: int


def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return True, f"PostgreSQL {cursor.fetchone()[0]}"


def _storage() -> tuple[bool, str]:
    """Read back a small witness where documents are kept; it is written once, when it is not there yet."""
    storage = storages["documents"]
    if not storage.exists(WITNESS):
        storage.save(WITNESS, ContentFile(WITNESS_CONTENT))
    with storage.open(WITNESS) as file:
        same = file.read(2 * len(WITNESS_CONTENT)) == WITNESS_CONTENT
    return same, "relecture du témoin" if same else "le témoin relu diffère de celui qui a été écrit"


def _jobs() -> tuple[bool, str]:
    """No worker that lives, or jobs ready for more than five minutes, mean that nobody takes them."""
    workers = number_alive()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'todo'),"
            " count(*) FILTER (WHERE status = 'todo'"
            " AND coalesce(scheduled_at, event.at) < now() - %s * interval '1 second'),"
            " count(*) FILTER (WHERE status = 'failed')"
            " FROM procrastinate_jobs AS job LEFT JOIN LATERAL"
            " (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = job.id) AS event ON true"
            " WHERE status IN ('todo', 'failed')",
            [STALLED_AFTER_SECONDS],
        )
        waiting, stalled, failed = cursor.fetchone()
    served = "" if workers else f"aucun programme des travaux n’a donné signe de vie depuis {SILENCE_SECONDS} s ; "
    return bool(workers) and stalled == 0, (
        f"{served}{workers} en service, {waiting} en attente, {stalled} sans preneur, {failed} en échec"
    )


PROBES: dict[str, Callable[[], tuple[bool, str]]] = {
    "database": _database,
    "storage": _storage,
    "jobs": _jobs,
}


def examine() -> list[Probe]:
    """Run every probe; one that raises is reported as not ok with the kind of its error."""
    found = []
    for name, probe in PROBES.items():
        start = time.monotonic()
        try:
            ok, detail = probe()
        except Exception as error:  # a health page must answer whatever breaks
            ok, detail = False, type(error).__name__
        found.append(Probe(name, ok, detail, round(1000 * (time.monotonic() - start))))
    return found


def report(*, detailed: bool) -> tuple[bool, dict[str, object]]:
    """Whether all is well, and the JSON body of ``/health``: "ok" or "ko" by component, and why if ``detailed``."""
    probes = examine()
    well = all(probe.ok for probe in probes)
    body: dict[str, object] = {"status": "ok" if well else "ko"}
    if not detailed:
        return well, body | {p.name: "ok" if p.ok else "ko" for p in probes}
    return well, {
        **body,
        "version": settings.VERSION,
        **{p.name: {"ok": p.ok, "detail": p.detail, "milliseconds": p.milliseconds} for p in probes},
    }

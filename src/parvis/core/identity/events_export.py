"""The audit log as lines for other tools: JSON Lines, or syslog messages (RFC 5424), read as a stream."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from parvis.core import clock
from parvis.core.identity.audit import digest
from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.models import Organisation

LOG_AUDIT: Final = 13
NOTICE, WARNING = 5, 4
MSGID_LENGTH: Final = 32


def facts(event: SecurityEvent, organisations: dict[int, str]) -> dict[str, Any]:
    """What a line says; ``sha256`` is the digest that the journal of the métropole keeps of the event."""
    return {
        "id": str(event.pk),
        "time": _instant(event),
        "event": event.event,
        "outcome": event.outcome,
        "account": event.account_id,
        "actor": event.actor_id,
        "organisation": organisations.get(event.organisation_id) if event.organisation_id else None,
        "method": event.method,
        "client": event.client,
        "session": event.session,
        "address": event.address,
        "user_agent": event.user_agent,
        "data": event.data,
        "sha256": digest(event),
    }


def _instant(event: SecurityEvent) -> str:
    return event.at.astimezone(clock.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_line(event: SecurityEvent, organisations: dict[int, str]) -> str:
    return json.dumps(facts(event, organisations), ensure_ascii=False, separators=(",", ":"))


def syslog_line(event: SecurityEvent, organisations: dict[int, str]) -> str:
    """One message of RFC 5424, facility « log audit », whose text is the same JSON in ASCII.

    ``origin`` is a registered structured element (section 7.2): no enterprise number is borrowed.
    """
    severity = NOTICE if event.outcome == "success" else WARNING
    host = urlsplit(settings.BASE_URL).hostname or "-"
    text = json.dumps(facts(event, organisations), separators=(",", ":"))
    header = f"<{LOG_AUDIT * 8 + severity}>1 {_instant(event)} {host} parvis - {event.event[:MSGID_LENGTH]}"
    return f'{header} [origin software="Parvis"] {text}'


FORMATS: Final[dict[str, Callable[[SecurityEvent, dict[int, str]], str]]] = {
    "jsonl": json_line,
    "syslog": syslog_line,
}


def lines(rows: "QuerySet[SecurityEvent]", form: str) -> Iterator[str]:
    """The lines of ``rows``, oldest first; inside a transaction they are read as they are written."""
    organisations = dict(Organisation.objects.values_list("pk", "slug"))
    for event in rows.order_by("at", "pk").iterator(chunk_size=2000):
        yield FORMATS[form](event, organisations)

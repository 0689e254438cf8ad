"""``export_events [--since D] [--until D] [--organisation SLUG] [--format jsonl|syslog] [--output FILE]``."""

import sys
from contextlib import nullcontext
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from parvis.core import clock
from parvis.core.identity import events_export
from parvis.core.identity.audit import audit
from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.models import Organisation


def moment(text: str) -> datetime:
    """A day (from its midnight in Paris) or an instant with its offset. Raises ValueError."""
    if len(text) == len("2019-06-24"):
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=clock.PARIS)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


class Command(BaseCommand):
    help = "Write the audit log of identity as JSON Lines or syslog (RFC 5424), oldest first; the export is logged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=moment, metavar="DATE", help="à partir de ce jour ou de cet instant")
        parser.add_argument("--until", type=moment, metavar="DATE", help="avant ce jour ou cet instant")
        parser.add_argument("--organisation", metavar="ORGANISATION", help="ce qui est inscrit au nom de celle-ci")
        parser.add_argument("--format", choices=sorted(events_export.FORMATS), default="jsonl")
        parser.add_argument("--output", type=Path, metavar="FICHIER", help="sinon, la sortie standard")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check_role()
        rows = self._rows(options)
        output: Path | None = options["output"]
        written = 0
        try:
            target = output.open("w", encoding="utf-8", newline="\n") if output else nullcontext(sys.stdout)
        except OSError as error:
            raise CommandError(f"Impossible d’écrire {output} : {error.strerror}.") from None
        with transaction.atomic(), target as stream:
            for line in events_export.lines(rows, options["format"]):
                stream.write(line + "\n")
                written += 1
        audit("manager.export", data={"kind": "audit", "rows": written, "format": options["format"], "on_server": True})
        self.stderr.write(f"Événements exportés : {written}.")

    def _check_role(self) -> None:
        """Under row security the rows of nobody would be left out in silence."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT row_security_active('identity_securityevent')")
            if cursor.fetchone()[0]:
                raise CommandError("Lancez « bin/parvis export_events » : il se connecte avec le rôle propriétaire.")

    def _rows(self, options: dict[str, Any]) -> Any:
        rows = SecurityEvent.objects.all()
        if options["since"]:
            rows = rows.filter(at__gte=options["since"])
        if options["until"]:
            rows = rows.filter(at__lt=options["until"])
        if slug := options["organisation"]:
            organisation = Organisation.objects.filter(slug=slug).first()
            if organisation is None:
                raise CommandError(f"L’organisation « {slug} » n’existe pas.")
            rows = rows.filter(organisation=organisation)
        return rows

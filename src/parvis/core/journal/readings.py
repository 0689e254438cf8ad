"""Who reads the journal, or what happened to other people, is written in it: once a day for each reader and kind."""

from typing import Final

from parvis.core import clock
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.queries import entries_about
from parvis.core.journal.services import Actor, locked_head, record
from parvis.core.organisations.models import Organisation

JOURNAL: Final = "journal.consulte"
EVENTS: Final = "evenements.consultes"
SUBJECT: Final = "consultation"

register_action(JOURNAL, "Journal consulté")
register_action(EVENTS, "Événements de sécurité d’autres personnes consultés")
register_subject(SUBJECT, "Consultation")


def note_reading(organisation: Organisation, kind: str, reader: Actor) -> None:
    """Write that ``reader`` read (``JOURNAL`` or ``EVENTS``) today, unless it is written already.

    To be called last: the end of the journal is locked until the commit.
    """
    identifier = f"{clock.today():%Y-%m-%d}.{reader.id}.{kind}"
    written = entries_about(SUBJECT, identifier).filter(organisation=organisation)
    if written.exists():
        return
    locked_head(organisation)  # of two pages opened at once, the second one finds what the first wrote
    if not written.all().exists():
        record(organisation, kind, subject=(SUBJECT, identifier), actor=reader)

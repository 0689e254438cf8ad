"""Reads of the journal that pages need, with French labels."""

from datetime import datetime, timedelta

from parvis.core.journal.models import Entry, EntryQuerySet, Seal
from parvis.core.organisations.models import Organisation

DAILY, ALARM = timedelta(hours=24), timedelta(hours=20)


def entries_about(kind: str, identifier: object) -> EntryQuerySet:
    """Events about one object, newest first as everywhere in the journal, for ``<c-timeline>``."""
    return Entry.objects.about(kind, identifier).select_related("organisation").order_by("-seq")


def newest_entries(organisation: Organisation, *, before: int | None = None) -> EntryQuerySet:
    """Events of the organisation, newest first, from before the number ``before``."""
    entries = Entry.objects.filter(organisation=organisation).select_related("organisation").order_by("-seq")
    return entries if before is None else entries.filter(seq__lt=before)


def seal_overdue(organisation: Organisation, now: datetime) -> bool:
    """True when the journal should have been sealed the night before and still is not, long after."""
    seals = Seal.objects.filter(organisation=organisation).order_by("-number").values_list("sealed_at", flat=True)
    entries = Entry.objects.filter(organisation=organisation).order_by("seq").values_list("ts", flat=True)
    since = seals.first() or entries.first()
    return since is not None and now - since > DAILY + ALARM

"""Extract of the journal that goes to the archives with a dossier: all the entries about it, as chained."""

from typing import Any

from django.db.models import Q

from parvis.core.journal.models import Entry
from parvis.core.routing.models import Route

# Kinds that many dossiers share: their entries are taken one by one, by digest, never as a whole.
_SHARED = {"document", "route"}


def journal_extract(route: Route) -> dict[str, Any]:
    """Entries about the route, its meeting, and the objects that worked on its documents, in order.

    The objects are found among the entries written while the route ran: those that name one of its documents
    by digest, or the route itself.
    """
    entries = Entry.objects.filter(organisation=route.organisation)
    digests = set(route.documents.values_list("document__sha256", flat=True))
    opening = entries.about("route", route.pk).order_by("seq").values_list("seq", flat=True).first() or 1
    related = Q(sha256__in=digests) | Q(details__route=str(route.pk)) | Q(details__cheminement=str(route.pk))
    subjects = {
        (kind, identifier)
        for kind, identifier in entries.filter(related, seq__gte=opening).values_list("subject_kind", "subject_id")
        if kind not in _SHARED
    }
    subjects.add(("route", str(route.pk)))
    if seance := route.facts.get("seance", {}).get("id"):
        subjects.add(("seance", str(seance)))
    wanted = Q(pk__in=[])
    for kind, identifier in sorted(subjects):
        wanted |= Q(subject_kind=kind, subject_id=identifier)
    found = entries.filter(wanted).select_related("organisation").order_by("seq")
    return {
        "organisation": route.organisation.siren,
        "route": str(route.pk),
        "entries": [{"seq": e.seq, "leaf": bytes(e.leaf).hex(), "canonical": e.canonical().decode()} for e in found],
    }

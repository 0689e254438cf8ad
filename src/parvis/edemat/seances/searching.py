"""The meetings that a person may find: by their body, their date or an item of their agenda."""

from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse

from parvis.core.identity.access import readable_organisations
from parvis.core.web.searching import Found
from parvis.core.web.templatetags.parvis import MONTHS, heure
from parvis.edemat.seances.models import Point, Seance
from parvis.edemat.seances.views.page import STATE_CHIPS

NAMING = frozenset({"séance", "séances", "seance", "seances", "du"})
"""What people write around the name of a meeting and its day: it distinguishes none from another."""
CENTURIES = range(1900, 2100)


def find_seances(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Meetings whose body, day or agenda hold the words, newest first."""
    organisations = readable_organisations(request, "edemat", "seances.lire")
    if not organisations:
        return []
    wanted = Q(organisation__in=organisations)
    for word in terms.casefold().split():
        if word not in NAMING:
            items = Point.objects.filter(seance=OuterRef("pk"), title__icontains=word)
            wanted &= Q(organe__name__icontains=word) | Q(Exists(items)) | _on(word)
    rows = Seance.objects.filter(wanted).select_related("organe", "organisation").order_by("-starts_at", "-pk")
    return [
        Found(
            str(seance),
            reverse("seances:detail", args=[seance.organisation.slug, seance.pk]),
            f"{seance.organisation.short_name} · {heure(seance.starts_at)} · {seance.place}",
            seance.get_state_display(),
            STATE_CHIPS[Seance.State(seance.state)],
        )
        for seance in rows[:most]
    ]


def _on(word: str) -> Q:
    """The meetings of a day (01/07/2019), of a month (juillet), of a year or of a day of the month (1er)."""
    if word in MONTHS:
        return Q(starts_at__month=MONTHS.index(word) + 1)
    if word.count("/") == 2:
        day, month, year = word.split("/")
        return _on_day(f"{year}-{month:0>2}-{day:0>2}")
    if word.count("-") == 2:
        return _on_day(word)
    number = word.removesuffix("er")
    if number.isascii() and number.isdecimal() and len(number) <= 4:
        if int(number) in CENTURIES:
            return Q(starts_at__year=int(number))
        return Q(starts_at__day=int(number)) if 1 <= int(number) <= 31 else Q(pk__in=[])
    return Q(pk__in=[])


def _on_day(written: str) -> Q:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return Q(pk__in=[])
    return Q(starts_at__date=day) if day.year in CENTURIES else Q(pk__in=[])

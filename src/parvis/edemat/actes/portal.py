"""Published acts on the portal: the latest on the organisation's home, and all of them in the search."""

from django.http import HttpRequest
from django.urls import reverse

from parvis.core.identity.access import own_organisations
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import public_view_of
from parvis.core.web.searching import Found
from parvis.core.web.templatetags.parvis import date_moyenne
from parvis.edemat.actes import board
from parvis.edemat.actes.models import Publication

LATEST = 5


def _shown(publication: Publication, organisation: Organisation, *, named: bool = False) -> Found:
    place = {"organisation_slug": organisation.slug, "pk": publication.pk}
    facts = [
        publication.get_nature_display(),
        publication.numero,
        f"publié le {date_moyenne(publication.published_on)}",
    ]
    return Found(
        publication.objet,
        reverse("actes_public:detail", kwargs=place),
        " · ".join([organisation.short_name, *facts] if named else facts),
        f"exécutoire le {publication.executoire_on:%d/%m/%Y}" if publication.executoire_on else "",
        "ok",
    )


def latest_acts(organisation: Organisation) -> list[Found]:
    """The acts last put online, newest first."""
    rows = board.published(organisation, board.Filters()).defer("text", "search")
    return [_shown(row, organisation) for row in rows.order_by("-published_on", "-pk")[:LATEST]]


def find_public_acts(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Acts online of the organisations that the person acts for and of the commune they prefer, best first by date."""
    found: list[Found] = []
    for organisation in own_organisations(request):
        if len(found) >= most:
            break
        with public_view_of(organisation):
            rows = board.published(organisation, board.Filters(text=terms)).defer("text", "search")
            rows = rows.order_by("-published_on", "-pk")[: most - len(found)]
            found += [_shown(row, organisation, named=True) for row in rows]
    return found

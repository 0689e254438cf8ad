"""The datasets that a person may find: all those of the organisations whose data they read, elsewhere those online."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.identity.access import own_organisations, readable_organisations
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import public_view_of
from parvis.core.web.searching import Found, holding
from parvis.core.web.templatetags.parvis import date_moyenne
from parvis.opendata.models import Dataset


def find_datasets(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Datasets whose title or description hold the words, by title."""
    read = readable_organisations(request, "opendata", "opendata.lire")
    rows = _holding(terms).filter(organisation__in=read)[:most] if read else ()
    found = [_shown(row, row.organisation, "opendata:datasets") for row in rows]
    for organisation in _others(request, read):
        if len(found) >= most:
            break
        with public_view_of(organisation):
            found += [
                _shown(row, organisation, "opendata_public:datasets")
                for row in _holding(terms).filter(organisation=organisation)[: most - len(found)]
            ]
    return found


def _others(request: HttpRequest, read: list[Organisation]) -> list[Organisation]:
    """Where the person reads what is online only: those they act for otherwise, and the commune they prefer."""
    chosen = own_organisations(request)
    return [o for o in chosen if o not in read and o.has_subscribed_to("opendata", clock.today())]


def _holding(terms: str) -> QuerySet[Dataset]:
    rows = Dataset.objects.filter(holding(terms, "title", "description"))
    return rows.select_related("organisation").order_by("title", "pk")


def _shown(dataset: Dataset, organisation: Organisation, page: str) -> Found:
    return Found(
        dataset.title,
        reverse(page, args=[organisation.slug]),
        f"{organisation.short_name} · mis à jour le {date_moyenne(dataset.updated_at)}",
        "En ligne" if dataset.public else "Hors ligne",
        "ok" if dataset.public else "",
    )

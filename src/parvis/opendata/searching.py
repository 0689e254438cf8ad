"""The datasets that a person may find: all those of the organisations whose data they read, elsewhere those online."""

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.identity.access import readable_organisations, request_mandates
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import public_view_of
from parvis.core.web.searching import Found
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
    chosen = {m.organisation_id: m.organisation for m in request_mandates(request)}
    if isinstance(request.user, Account) and request.user.commune:
        chosen[request.user.commune.pk] = request.user.commune
    left = [o for o in chosen.values() if o not in read and o.has_subscribed_to("opendata", clock.today())]
    return sorted(left, key=lambda o: o.short_name)


def _holding(terms: str) -> QuerySet[Dataset]:
    wanted = Q()
    for word in terms.split():
        wanted &= Q(title__icontains=word) | Q(description__icontains=word)
    return Dataset.objects.filter(wanted).select_related("organisation").order_by("title", "pk")


def _shown(dataset: Dataset, organisation: Organisation, page: str) -> Found:
    return Found(
        dataset.title,
        reverse(page, args=[organisation.slug]),
        f"{organisation.short_name} · mis à jour le {date_moyenne(dataset.updated_at)}",
        "En ligne" if dataset.public else "Hors ligne",
        "ok" if dataset.public else "",
    )

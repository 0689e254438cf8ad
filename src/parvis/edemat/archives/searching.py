"""The transfers that a person may find: by their number or their title."""

from django.http import HttpRequest
from django.urls import reverse

from parvis.core.identity.access import readable_organisations
from parvis.core.web.searching import Found, holding
from parvis.core.web.templatetags.parvis import date_moyenne
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.models import Transfer
from parvis.edemat.archives.views import KINDS


def find_transfers(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Transfers whose number or title hold the words, newest first."""
    organisations = readable_organisations(request, "edemat", "archives.lire")
    if not organisations:
        return []
    rows = Transfer.objects.filter(holding(terms, "title", "identifier"), organisation__in=organisations)
    rows = rows.select_related("organisation", "package").order_by("-deposited_at", "-pk")
    return [
        Found(
            str(transfer),
            reverse("archives:transfer", args=[transfer.organisation.slug, transfer.pk]),
            f"{transfer.identifier or 'sans numéro'} · {transfer.organisation.short_name}"
            f" · déposé le {date_moyenne(transfer.deposited_at)}",
            transfer.get_state_display(),
            KINDS.get(State(transfer.state), "info"),
        )
        for transfer in rows[:most]
    ]

"""What a row of acts says of each: its nature in the singular, and its state as a chip."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from parvis.edemat.actes.enums import Nature, Status
from parvis.edemat.actes.models import Acte

register = template.Library()

SINGULAR: dict[str, str] = {
    Nature.DELIBERATION: "Délibération",
    Nature.REGLEMENTAIRE: "Arrêté",
    Nature.INDIVIDUEL: "Décision individuelle",
    Nature.CONTRAT: "Contrat",
    Nature.BUDGETAIRE: "Document budgétaire",
}


@register.filter
def au_singulier(nature: str) -> str:
    """« Délibération » for a nature of act of the ACTES schema."""
    return SINGULAR.get(nature, "Acte")


@register.filter
def puce_d_etat(acte: Acte) -> SafeString:
    """The chip of the state of ``acte``."""
    return _chip(acte.status, bool(acte.published_on), bool(acte.notified_on), bool(acte.received_on), acte.nature)


@lru_cache(maxsize=256)
def _chip(status: int, published: bool, notified: bool, received: bool, nature: str) -> SafeString:
    known = {"status": status, "published": published, "notified": notified, "received": received}
    return render_to_string("actes/status.html", {**known, "nature": nature, "label": Status(status).label})

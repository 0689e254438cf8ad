"""What a row of acts says of each: its nature in the singular, and its state as a chip."""

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from parvis.edemat.actes.board import situation_of
from parvis.edemat.actes.enums import Nature
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
    situation = situation_of(acte)
    return _chip(situation.label, situation.kind, situation.dot)


@lru_cache(maxsize=64)
def _chip(label: str, kind: str, dot: bool) -> SafeString:
    return render_to_string("actes/status.html", {"label": label, "kind": kind, "dot": dot})

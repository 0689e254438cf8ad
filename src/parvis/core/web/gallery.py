"""The gallery of components (``/composants/``): each in its states, in development and demo only.

The browser tests photograph it and look for accessibility faults in it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parvis.core import clock
from parvis.core.identity.access import open_view


class SampleForm(forms.Form):
    """One field of each kind, to show their labels, helps and errors."""

    objet = forms.CharField(label="Objet", max_length=500, help_text="Tel qu’il figurera sur l’acte, sans abréviation.")
    courriel = forms.EmailField(label="Adresse électronique", required=False)
    nature = forms.ChoiceField(label="Nature", choices=[("1", "Délibération"), ("2", "Arrêté réglementaire")])
    seance = forms.DateField(label="Date de la séance", widget=forms.DateInput(attrs={"type": "date"}))
    texte = forms.CharField(label="Texte", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    mode = forms.ChoiceField(
        label="Mode de scrutin",
        choices=[("public", "Public"), ("secret", "Secret")],
        widget=forms.RadioSelect,
        help_text="Le scrutin est secret si le tiers des présents le demande (CGCT, article L. 2121-21).",
    )
    accord = forms.BooleanField(label="J’ai relu le document", required=False)


@dataclass(frozen=True)
class SampleDocument:
    filename: str
    media_type: str
    format_name: str
    size: int
    pages: int | None
    puid: str = ""
    sha256: str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

    def __str__(self) -> str:
        return self.filename


def _samples() -> dict[str, Any]:
    now = clock.now()
    done = [
        {"label": "Votée", "state": "done", "lines": ["1er juillet", "26 pour, à l’unanimité"]},
        {"label": "Signée", "state": "done", "lines": ["2 juillet, 9 h 12", "par le maire"]},
        {"label": "Transmise", "state": "done", "lines": ["3 juillet, 10 h 04", "à la préfecture"]},
    ]
    bound = SampleForm({"objet": "", "courriel": "mairie", "nature": "1", "seance": "2019-07-01", "mode": ""})
    return {
        "route": [
            *done,
            {"label": "Acquittée", "state": "done", "lines": ["3 juillet, 10 h 31", "reçue par l’État"]},
            {"label": "À publier", "state": "now", "lines": ["exécutoire dès sa publication"]},
            {"label": "Archivée", "state": "waiting", "lines": ["après publication"]},
        ],
        "broken_route": [
            *done[:2],
            {
                "label": "Transmission",
                "state": "failed",
                "summary": "Le ministère n’a pas répondu ; l’envoi sera présenté de nouveau à 10 h 20.",
            },
            {"label": "Accusé de réception", "state": "waiting"},
        ],
        "ended_route": [
            *done[:2],
            {"label": "Non publiée", "state": "dropped", "summary": "Transmission annulée"},
            {"label": "Non archivée", "state": "dropped"},
        ],
        "deadlines": [
            now - timedelta(days=2),
            now,
            now + timedelta(days=1, hours=1),
            now + timedelta(days=15),
        ],
        "pdf": SampleDocument(
            "deliberation-19_07_01_05.pdf", "application/pdf", "Acrobat PDF/A", 184_320, 4, "fmt/479"
        ),
        "xml": SampleDocument("accuse.xml", "application/xml", "Extensible Markup Language", 2_048, None, "fmt/101"),
        "entries": [
            {
                "at": now - timedelta(hours=2),
                "what": "Accusé de réception reçu",
                "who": "Préfecture",
                "url": "#preuve-1",
            },
            {
                "at": now - timedelta(days=1),
                "what": "Signée au niveau PAdES B-LTA",
                "who": "Le maire",
                "url": "#preuve-2",
            },
        ],
        "checks": [
            {
                "ok": True,
                "severity": "bloquant",
                "sentence": "Le quorum était atteint à l’ouverture du point.",
            },
            {
                "ok": False,
                "severity": "avertissement",
                "sentence": "Le secrétaire de séance n’est pas nommé.",
            },
            {"ok": False, "severity": "bloquant", "sentence": "Deux membres ont donné pouvoir au même élu."},
        ],
        "columns": [
            {"label": "Numéro", "key": "numero"},
            {"label": "Objet", "key": "objet"},
            {"label": "Montant", "amount": True},
            {"label": "État"},
            {"label": "Action", "hidden": True},
        ],
        "rows": [
            (
                "19_07_01_05",
                "Convention de gestion de services numériques communs",
                "1234.56",
                "ok",
                "acquitté",
            ),
            (
                "19_07_01_06",
                "Subventions aux associations pour la saison",
                "48212.9",
                "warn",
                "à transmettre",
            ),
        ],
        "tabs": [
            {"label": "Tout", "url": "?", "active": True, "count": 7},
            {"label": "À signer", "url": "?verbe=signer", "count": 3},
        ],
        "natures": [("1", "Délibérations"), ("2", "Arrêtés réglementaires")],
        "crumbs": [{"label": "Actes", "url": "#"}, {"label": "Conseil municipal du 1er juillet 2019"}],
        "form_steps": ["Séance", "Ordre du jour", "Pièces", "Vérification"],
        "empty_form": SampleForm(),
        "bound_form": bound,
    }


@require_safe
@open_view
def gallery(request: HttpRequest) -> HttpResponse:
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "web/gallery.html", _samples())

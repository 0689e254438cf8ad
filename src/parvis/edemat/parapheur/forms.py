"""Forms of the parapheur: each carries the digest of the document that was shown."""

from typing import Any

from django import forms

from parvis.edemat.parapheur.services import MOTIVE_LENGTH


class DecisionForm(forms.Form):
    """Visa or signature of the document shown."""

    empreinte = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)


class RefusalForm(DecisionForm):
    """Refusal of the document shown, with its motive."""

    def clean(self) -> dict[str, Any]:
        """What a page without its digest lacks is said in a sentence: the person never saw that field."""
        if self.errors.pop("empreinte", None):
            self.add_error(None, "La demande est incomplète. Affichez à nouveau le document avant de vous prononcer.")
        return super().clean() or {}

    motif = forms.CharField(
        label="Motif du refus",
        widget=forms.Textarea(attrs={"rows": 4}),
        min_length=MOTIVE_LENGTH,
        max_length=500,
        help_text="Il sera transmis à la personne qui a préparé le document, et inscrit au dossier.",
        error_messages={
            "required": "Indiquez le motif du refus.",
            "min_length": "Le motif doit dire ce qui ne va pas, en quelques mots.",
        },
    )

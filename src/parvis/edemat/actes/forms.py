"""Shapes of what a person enters about an act; the rules themselves stand in the services."""

from typing import Any

from django import forms

from parvis.edemat.actes.models import Acte, ActePiece
from parvis.edemat.actes.publication import may_hold_personal_data, proposed_author


class Ticks(forms.CheckboxSelectMultiple):
    """Check boxes whose control class stays on the boxes, not on what surrounds them."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["class"] = "ticks"
        return context


class Pieces(forms.ModelMultipleChoiceField):
    """Annexes by the name they were given."""

    def label_from_instance(self, obj: Any) -> str:
        return obj.posted_filename


class PublishForm(forms.Form):
    """Who takes the act, which annexes go online with it, and the care taken of people."""

    author_name = forms.CharField(
        label="Prénom et nom de l’auteur",
        max_length=150,
        help_text="Obligatoires en ligne (article R2131-1).",
    )
    author_quality = forms.CharField(label="Qualité de l’auteur", max_length=150, help_text="« Maire », par exemple.")
    annexes = Pieces(
        label="Annexes mises en ligne avec l’acte",
        queryset=ActePiece.objects.none(),
        required=False,
        widget=Ticks,
    )
    personal_data_reviewed = forms.BooleanField(
        label="Les données personnelles ont été retirées de l’acte et de ses annexes", required=False
    )

    def __init__(self, acte: Acte, *args: Any, **kwargs: Any) -> None:
        pieces = acte.pieces.order_by("rank")
        author = proposed_author(acte.organisation)
        kwargs["initial"] = {
            "author_name": author.name if author else "",
            "author_quality": author.quality if author else "",
            "annexes": pieces,
        } | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        annexes = self.fields["annexes"]
        assert isinstance(annexes, forms.ModelMultipleChoiceField)
        annexes.queryset = pieces
        if not pieces.exists():
            del self.fields["annexes"]
        if not may_hold_personal_data(acte):
            del self.fields["personal_data_reviewed"]


class WithdrawForm(forms.Form):
    """Why a publication is taken down."""

    reason = forms.CharField(
        label="Motif du retrait",
        max_length=300,
        help_text="Conservé au journal. N’y mettez aucune donnée personnelle.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    despite_duty = forms.BooleanField(
        label="Le retrait avant deux mois protège des personnes ou exécute une décision de justice",
        required=False,
    )

"""Forms of the roles in entities: shapes only; the rules are in ``numbers`` and ``services``."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from parvis.core.entities.models import EntityRole
from parvis.core.entities.numbers import NumberRefused, number
from parvis.core.identity.values import ValueRefused, text

EARLIEST = date(1900, 1, 1)
NAME_LENGTH = 200


def _day(label: str, help_text: str) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=False, help_text=help_text, widget=widget)


class RoleForm(forms.Form):
    """What a person says of their role; the number is asked once, for it never changes."""

    number = forms.CharField(
        label="SIRET, ou numéro RNA de l’association",
        max_length=60,
        help_text="14 chiffres (732 829 320 00074), ou « W » et neuf chiffres pour une association (W751212517).",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Indiquez le SIRET de l’organisme, ou le numéro RNA de l’association."},
    )
    name = forms.CharField(
        label="Nom de l’organisme",
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": "Indiquez le nom de l’organisme, tel qu’il est déclaré."},
    )
    kind = forms.ChoiceField(
        label="Nature",
        choices=EntityRole.Kind.choices,
        error_messages={"invalid_choice": "Choisissez l’une des natures proposées."},
    )
    role = forms.ChoiceField(
        label="Votre rôle",
        choices=[("", "Choisissez"), *EntityRole.Role.choices],
        error_messages={"required": "Choisissez votre rôle.", "invalid_choice": "Choisissez l’un des rôles proposés."},
    )
    start = _day("Depuis le", "Aujourd’hui, si vous n’indiquez rien.")
    end = _day("Jusqu’au", "Si vous savez déjà quand ce rôle finira.")

    def __init__(self, *args: Any, of: EntityRole | None = None, **kwargs: Any) -> None:
        if of is not None:
            kwargs["initial"] = {n: getattr(of, n) for n in ("name", "kind", "role", "start", "end")}
        super().__init__(*args, **kwargs)
        if of is not None:
            del self.fields["number"]
            self.fields["start"].required = True
            self.fields["start"].help_text = ""
            if of.role_verified:
                del self.fields["role"]

    def clean_number(self) -> str:
        try:
            return number(self.cleaned_data["number"])
        except NumberRefused as refused:
            raise ValidationError(refused.sentence) from None

    def clean_name(self) -> str:
        try:
            return text(self.cleaned_data["name"], "Nom", NAME_LENGTH)
        except ValueRefused as refused:
            raise ValidationError(refused.sentence) from None

    def clean_start(self) -> date | None:
        return self._sound("start")

    def clean_end(self) -> date | None:
        return self._sound("end")

    def _sound(self, field: str) -> date | None:
        day: date | None = self.cleaned_data[field]
        if day is not None and not EARLIEST <= day <= date(2200, 1, 1):
            raise ValidationError("Vérifiez l’année : elle doit être comprise entre 1900 et 2200.")
        return day

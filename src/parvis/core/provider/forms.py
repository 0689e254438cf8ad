"""Forms of a site's registration: shapes only, the rules are in services."""

from __future__ import annotations

from typing import Any

from django import forms

from parvis.core.identity.models import Account
from parvis.core.provider.claims import SCOPES
from parvis.core.provider.models import Service


class LinesField(forms.CharField):
    """One address per line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), max_length=12_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().clean(value)
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class ServiceForm(forms.Form):
    name = forms.CharField(label="Nom du service", max_length=100, help_text="Celui que les personnes liront.")
    description = forms.CharField(
        label="À quoi il sert", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    home_url = forms.URLField(label="Page d’accueil", assume_scheme="https", max_length=200)
    contact = forms.EmailField(label="Adresse du contact technique")
    relation = forms.ChoiceField(
        label="Nature du service",
        choices=Service.Relation.choices,
        widget=forms.RadioSelect,
        initial=Service.Relation.OWN,
        help_text="Les sites de l’organisation connaissent une personne sous un même identifiant ; "
        "le service d’un tiers reçoit un identifiant à lui seul.",
    )
    type = forms.ChoiceField(
        label="Type d’application",
        choices=Service.Type.choices,
        widget=forms.RadioSelect,
        initial=Service.Type.CONFIDENTIAL,
    )
    redirect_uris = LinesField(
        label="Adresses de retour", help_text="Une par ligne, en https, à la lettre près : sans joker ni « # »."
    )
    post_logout_uris = LinesField(label="Adresses après déconnexion", required=False, help_text="Une par ligne.")
    backchannel_logout_url = forms.URLField(
        label="Adresse de déconnexion",
        required=False,
        assume_scheme="https",
        max_length=200,
        help_text="La plateforme y annonce les fins de session (back-channel logout).",
    )
    scopes = forms.MultipleChoiceField(
        label="Données demandées",
        widget=forms.CheckboxSelectMultiple,
        help_text="Le strict nécessaire : chaque personne en lira la liste.",
    )
    agreement = forms.ChoiceField(
        label="Accord des personnes",
        choices=Service.Agreement.choices,
        widget=forms.RadioSelect,
        initial=Service.Agreement.ASK,
    )
    acr = forms.ChoiceField(label="Niveau de connexion exigé", choices=Service.Level.choices, required=False)
    populations = forms.MultipleChoiceField(
        label="Qui peut se connecter", choices=Account.Population.choices, widget=forms.CheckboxSelectMultiple
    )
    members_only = forms.BooleanField(label="Seulement ceux qui ont un mandat dans l’organisation", required=False)
    access_lifetime = forms.IntegerField(label="Durée d’un jeton d’accès (secondes)", initial=300, min_value=1)
    id_lifetime = forms.IntegerField(label="Durée d’un jeton d’identité (secondes)", initial=300, min_value=1)
    refresh_lifetime = forms.IntegerField(
        label="Durée de l’accès prolongé (secondes)", initial=28800, min_value=1, max_value=30 * 86400
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(s.code, s.label) for s in SCOPES.values() if s.code != "openid"]
        scopes.required = False

    def clean_scopes(self) -> list[str]:
        return ["openid", *self.cleaned_data["scopes"]]


class RefusalForm(forms.Form):
    reason = forms.CharField(
        label="Motif du refus", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), required=True
    )

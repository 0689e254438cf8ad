"""Forms of a site's registration: shapes only, the rules are in services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from parvis.core.branding.images import MAX_LOGO
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.organisations.authority import roles_of
from parvis.core.organisations.models import Organisation
from parvis.core.provider.claims import OFFLINE, SCOPES
from parvis.core.provider.models import Service
from parvis.core.web.uploads import BoundedFileField


class LinesField(forms.CharField):
    """One address per line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), max_length=12_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().clean(value)
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class KeysField(forms.CharField):
    """A key set in JSON (RFC 7517, 5)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}), max_length=20_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, indent=2) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise forms.ValidationError("Ce texte n’est pas du JSON : copiez le jeu de clés entier.") from None


SECTIONS = (
    ("Le service", ("name", "description", "logo", "logo_removed", "logo_kept", "home_url", "contact", "relation")),
    ("Ses adresses", ("redirect_uris", "post_logout_uris", "backchannel_logout_url")),
    ("Son serveur", ("type", "authentication", "jwks", "jwks_uri")),
    ("Ce qu’il reçoit", ("claims", "offline", "agreement")),
    ("Qui peut se connecter", ("populations", "members_only", "roles", "acr")),
    ("Durées", ("access_lifetime", "id_lifetime", "refresh_lifetime")),
)
"""Parts of the form; « claims » stands for one field per scope."""


def _choices_of(code: str) -> str:
    """Name of the field where the claims of a scope are chosen."""
    return f"claims_{code}"


class ServiceForm(forms.Form):
    name = forms.CharField(label="Nom du service", max_length=100, help_text="Celui que les personnes liront.")
    description = forms.CharField(
        label="À quoi il sert", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    logo = BoundedFileField(
        label="Logo",
        limit=MAX_LOGO,
        required=False,
        widget=forms.FileInput(attrs={"accept": ".svg,.png,image/svg+xml,image/png"}),
        help_text="SVG de 200 ko au plus, ou PNG de 2 Mo au plus. La page d’accord le montre.",
    )
    logo_kept = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    logo_removed = forms.BooleanField(label="Ne plus montrer de logo", required=False)
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
    authentication = forms.ChoiceField(
        label="Ce que le serveur présente",
        choices=Service.Authentication.choices,
        widget=forms.RadioSelect,
        initial=Service.Authentication.SECRET,
    )
    jwks = KeysField(
        label="Clés publiques",
        required=False,
        help_text="Jeu de clés JWKS, si le serveur se prouve par une clé : RSA de 2048 bits au moins, ou P-256.",
    )
    jwks_uri = forms.URLField(
        label="Adresse des clés publiques",
        required=False,
        assume_scheme="https",
        max_length=200,
        help_text="À la place des clés, l’adresse où le service publie les siennes : elles y changent sans démarche.",
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
    offline = forms.BooleanField(label=SCOPES[OFFLINE].label, required=False)
    agreement = forms.ChoiceField(
        label="Accord des personnes",
        choices=Service.Agreement.choices,
        widget=forms.RadioSelect,
        initial=Service.Agreement.ASK,
        help_text="Un accord commun vaut pour les services en place ce jour-là, que la page d’accord nomme.",
    )
    acr = forms.ChoiceField(label="Niveau de connexion exigé", choices=Service.Level.choices, required=False)
    populations = forms.MultipleChoiceField(
        label="Populations admises", choices=Account.Population.choices, widget=forms.CheckboxSelectMultiple
    )
    members_only = forms.BooleanField(label="Seulement ceux qui ont un mandat dans l’organisation", required=False)
    roles = forms.MultipleChoiceField(
        label="Seulement ces rôles",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Sans rôle coché, tous ceux que les réglages précédents admettent.",
    )
    access_lifetime = forms.IntegerField(label="Durée d’un jeton d’accès (secondes)", initial=300, min_value=1)
    id_lifetime = forms.IntegerField(label="Durée d’un jeton d’identité (secondes)", initial=300, min_value=1)
    refresh_lifetime = forms.IntegerField(
        label="Durée de l’accès prolongé (secondes)", initial=28800, min_value=1, max_value=30 * 86400
    )

    def __init__(self, data: Any = None, *, organisation: Organisation, initial: Mapping[str, Any]) -> None:
        kept, scopes = initial.get("claims", []), initial.get("scopes", [])
        chosen = {_choices_of(code): [key for key in scope.choices if key in kept] for code, scope in SCOPES.items()}
        logo = initial.get("logo_id") or ""
        super().__init__(data, initial={**initial, **chosen, "offline": OFFLINE in scopes, "logo_kept": str(logo)})
        roles = self.fields["roles"]
        assert isinstance(roles, forms.MultipleChoiceField)
        roles.choices = [(role.code, role.label) for role in roles_of(organisation)]
        for code, scope in SCOPES.items():
            if scope.choices:
                self.fields[_choices_of(code)] = forms.MultipleChoiceField(
                    label=scope.label,
                    required=False,
                    choices=[(key, f"{claim.label} (« {claim.example} »)") for key, claim in scope.choices.items()],
                    widget=forms.CheckboxSelectMultiple,
                )

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by part of the form, with the title of each."""
        claims = [_choices_of(code) for code in SCOPES if _choices_of(code) in self.fields]
        shown = {"claims": claims, "logo_removed": ["logo_removed"] if self["logo_kept"].value() else []}
        return [(title, [self[f] for name in names for f in shown.get(name, [name])]) for title, names in SECTIONS]

    def clean(self) -> dict[str, Any]:
        """The scopes follow from what is chosen: a site never asks for one that gives it nothing."""
        values = super().clean() or self.cleaned_data
        chosen = {code: values.get(_choices_of(code), []) for code in SCOPES}
        asked = {"openid": True, OFFLINE: values.get("offline")}
        values["scopes"] = [code for code in SCOPES if chosen[code] or asked.get(code)]
        values["logo_id"] = None if values.get("logo_removed") else values.get("logo_kept") or None
        values["claims"] = [key for code in SCOPES for key in chosen[code]]
        return values

    def refuse(self, error: DomainError) -> None:
        """Say the rule that was broken, beside its field where it has one."""
        field = str(error.data.get("field", ""))
        self.add_error(field if field in self.fields else None, error.sentence)


class RefusalForm(forms.Form):
    reason = forms.CharField(
        label="Motif du refus", max_length=300, widget=forms.Textarea(attrs={"rows": 2}), required=True
    )

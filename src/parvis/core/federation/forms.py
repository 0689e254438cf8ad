"""Forms of the first login through a provider, of the administration's queue, and of its directory."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from parvis.core.federation import pivot
from parvis.core.federation.client import Identity
from parvis.core.federation.configuration import ALGORITHMS
from parvis.core.federation.models import ActivationRequest, Directory
from parvis.core.identity import addresses, values
from parvis.core.identity.models import Account
from parvis.core.provider.forms import LinesField


class NewAccountForm(forms.Form):
    """What a new account needs beyond what the provider gave: an address, a missing name, and agreement."""

    email = forms.CharField(
        label="Adresse électronique",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text="Pour vous prévenir de l’avancement de vos demandes. Un message vous demandera de la confirmer ;"
        " vous pouvez continuer sans attendre.",
    )
    given_name = forms.CharField(label="Prénom", max_length=80, widget=forms.TextInput({"autocomplete": "given-name"}))
    family_name = forms.CharField(label="Nom", max_length=80, widget=forms.TextInput({"autocomplete": "family-name"}))

    def __init__(self, identity: Identity, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.known = pivot.names(identity.claims)
        self.fields["email"].initial = identity.email
        for name, value in zip(("given_name", "family_name"), self.known, strict=True):
            if _readable(value):
                del self.fields[name]

    def clean_email(self) -> str:
        typed = str(self.cleaned_data["email"]).strip()
        try:
            return addresses.canonical(typed) if typed else ""
        except addresses.AddressRefused as refused:
            raise ValidationError(refused.sentence) from refused

    def clean(self) -> dict[str, Any]:
        for name, value in zip(("given_name", "family_name"), self.known, strict=True):
            given = self.cleaned_data.get(name, value)
            if name in self.fields and given and not _readable(given):
                self.add_error(name, "Des lettres, des espaces, des apostrophes et des traits d’union seulement.")
            self.cleaned_data[name] = given
        return self.cleaned_data


def _readable(value: str) -> bool:
    try:
        values.name(value)
    except values.ValueRefused:
        return False
    return True


class AgentChoice(forms.ModelChoiceField):
    def label_from_instance(self, account: Any) -> str:
        return f"{account.full_name} ({account.email})"


class DecisionForm(forms.Form):
    """Whose account a request is, among the agents of the organisation."""

    account = AgentChoice(label="Cet agent est", queryset=Account.objects.none(), empty_label="Choisir un agent")

    def __init__(self, agents: list[Account], activation: ActivationRequest, data: Any = None) -> None:
        super().__init__(data, auto_id=f"id_{activation.pk.hex[-8:]}_%s")
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in agents])
        field.initial = next((a.pk for a in agents if a.email.lower() == activation.email.lower()), None)


class DomainForm(forms.Form):
    """A domain of e-mail addresses given to agents only."""

    domain = forms.CharField(
        label="Domaine",
        max_length=190,
        help_text="La partie après l’arobase des adresses de vos agents, par exemple « mairie-exemple.fr ».",
    )


CLAIMS = {
    "id": ("Attribut de l’identifiant", "sub", "Celui qui ne change jamais : « sub », ou « oid » avec Entra ID."),
    "given_name": ("Attribut du prénom", "given_name", ""),
    "family_name": ("Attribut du nom", "family_name", ""),
    "email": (
        "Attribut de l’adresse électronique",
        "email",
        "L’adresse de travail, dans un domaine déclaré ci-dessus.",
    ),
}


class DirectoryForm(forms.Form):
    """What an organisation proposes of its directory; the rules are in ``directories``."""

    issuer = forms.CharField(
        label="Émetteur",
        max_length=200,
        widget=forms.URLInput(attrs={"spellcheck": "false"}),
        help_text="La valeur « issuer » de l’annuaire, au caractère près. Avec Entra ID :"
        " https://login.microsoftonline.com/(numéro de votre locataire)/v2.0 ; avec Keycloak :"
        " https://(serveur)/realms/(domaine).",
    )
    client_id = forms.CharField(
        label="Identifiant de la plateforme dans l’annuaire",
        max_length=200,
        help_text="Le « client_id » de l’application que votre administrateur d’annuaire a créée pour la plateforme.",
    )
    secret = forms.CharField(
        label="Secret de la plateforme",
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Le « client_secret ». Il est chiffré, et plus jamais affiché.",
    )
    algorithm = forms.ChoiceField(label="Algorithme de signature", choices=[(one, one) for one in ALGORITHMS[::-1]])
    domains = LinesField(
        label="Domaines de messagerie des agents",
        help_text="Un par ligne : la partie après l’arobase, par exemple « mairie-exemple.fr ».",
    )
    factor_claim = forms.ChoiceField(
        label="Attribut qui prouve un second facteur",
        required=False,
        choices=[("", "Aucun : la plateforme demande le sien"), *Directory.Factor.choices],
        help_text="Sans lui, chaque agent garde le second facteur de la plateforme.",
    )
    factor_value = forms.CharField(
        label="Valeur qui le prouve", max_length=120, required=False, help_text="Par exemple « mfa » pour amr."
    )

    def __init__(self, data: Any = None, *, directory: Directory | None) -> None:
        super().__init__(data, initial=self._known(directory))
        for name, (label, usual, help_text) in CLAIMS.items():
            self.fields[f"{name}_claim"] = forms.CharField(
                label=label, max_length=120, initial=usual, help_text=help_text
            )
        if directory is not None:
            self.fields["secret"].required = False
            self.fields["secret"].help_text = "Laissez vide pour garder celui d’aujourd’hui, qui n’est jamais affiché."
        last = ["factor_claim", "factor_value"]
        self.order_fields([*(name for name in self.fields if name not in last), *last])

    @staticmethod
    def _known(directory: Directory | None) -> dict[str, Any]:
        if directory is None:
            return {}
        told = {**directory.proposed, "secret": ""}
        return told | {f"{name}_claim": claim for name, claim in told["claims"].items()}

    def clean_domains(self) -> list[str]:
        typed = [one.lower().removeprefix("@") for one in self.cleaned_data["domains"]]
        return sorted(dict.fromkeys(typed))

    @property
    def values(self) -> dict[str, Any]:
        """What ``directories.propose`` takes."""
        given = self.cleaned_data
        kept = {name: given[name].strip() if isinstance(given[name], str) else given[name] for name in Directory.FIELDS
                if name != "claims"}  # fmt: skip
        return kept | {"claims": {name: given[f"{name}_claim"].strip() for name in CLAIMS}}

"""Forms of the first login through a provider, and of the administration's queue."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from parvis.core.federation import pivot
from parvis.core.federation.client import Identity
from parvis.core.federation.models import ActivationRequest
from parvis.core.identity import addresses, values
from parvis.core.identity.models import Account


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

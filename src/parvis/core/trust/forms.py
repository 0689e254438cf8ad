"""Forms of the certificate register: shapes only, the rules are in ``certificates`` and ``identities``."""

from typing import Any

from django import forms

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.models import Organisation
from parvis.core.trust.identities import MAX_PKCS12
from parvis.core.web.uploads import BoundedFileField


class HolderForm(forms.Form):
    """Whose certificate it is: somebody who holds a mandate today."""

    account = forms.ModelChoiceField(
        Account.objects.none(),
        label="Personne",
        help_text="Seules les personnes dont le mandat est en cours peuvent signer.",
        empty_label="Choisissez",
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mandated = Mandate.objects.filter(organisation=organisation).in_force(clock.today()).values("account")
        people = Account.objects.filter(pk__in=mandated, is_active=True).order_by("family_name", "given_name")
        self.fields["account"].queryset = people  # type: ignore[attr-defined]


class EnrolmentForm(HolderForm):
    file = BoundedFileField(
        limit=MAX_PKCS12,
        way_out="Un fichier PKCS#12 (.p12 ou .pfx) est bien plus petit.",
        label="Fichier du certificat et de sa clé",
        help_text="Fichier PKCS#12 (.p12 ou .pfx) remis par l’autorité de certification, de 256 Kio au plus.",
    )
    passphrase = forms.CharField(
        label="Phrase secrète du fichier",
        help_text="Elle est gardée chiffrée, hors de la base de données, et ne sera plus jamais affichée.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        strip=False,
        required=False,
        max_length=500,
    )

    field_order = ["account", "file", "passphrase"]

    def clean_file(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content


class RevocationForm(forms.Form):
    reason = forms.CharField(
        label="Motif",
        help_text="Par exemple : perte, doute sur la phrase secrète, départ de la personne.",
        max_length=300,
    )

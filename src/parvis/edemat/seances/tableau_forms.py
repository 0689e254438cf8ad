"""Shape of what is typed about a body and its members; the rules themselves are in the services."""

import base64
import binascii
from datetime import date
from typing import Any

from django import forms

from parvis.core.identity.models import Account
from parvis.core.web.uploads import BoundedFileField
from parvis.edemat.seances.formats.regimes import REGIMES, Regime
from parvis.edemat.seances.models import Channel, Elu, Organe
from parvis.edemat.seances.services.tableau import accounts_of

BY_POPULATION = [("", "Conseil municipal, selon la population")]
ORDINARY = [code for code in REGIMES if code != "seconde_convocation"]
MAX_FILE = 512 * 1024


def rule_of(regime: Regime) -> str:
    """What a regime asks for: "5 jours francs (CGCT L2121-12)"."""
    if not regime.minimum_days:
        return f"aucun délai légal ({regime.basis})"
    unit = "jours francs" if regime.franc else "jours"
    return f"{regime.minimum_days} {unit} ({regime.basis})"


REGIME_CHOICES = [(code, f"{REGIMES[code].label} : {rule_of(REGIMES[code])}") for code in ORDINARY]


def _date(label: str, **arguments: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **arguments)


class OrganeForm(forms.ModelForm):
    """What a body is called, where it meets, its size and its numbers."""

    class Meta:
        model = Organe
        fields = ["name", "chair_title", "place", "seats", "tribunal", "number_pattern", "reset_key"]
        help_texts = {
            "number_pattern": "#AA#, #MM#, #JJ# pour la date de la séance, #00# pour le rang : 19.07.01.05.",
            "reset_key": "Quand cette valeur change, les numéros repartent de 1.",
        }

    field_order = ["name", "regime", "population", "seats", "since", "chair_title", "place"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "seats"
        ].help_text = "Vide : calculé pour un conseil municipal (CGCT L2121-2). À saisir pour une autre assemblée."


class NewOrganeForm(OrganeForm):
    """A body to create, with its legal regime."""

    regime = forms.ChoiceField(label="Régime", choices=[*BY_POPULATION, *REGIME_CHOICES], required=False)
    population = forms.IntegerField(
        label="Population au dernier renouvellement",
        required=False,
        min_value=1,
        max_value=20_000_000,
        help_text="Elle fixe l’effectif du conseil et le délai de convocation : 3 500 habitants font cinq jours "
        "francs (CGCT L2121-2 et L2121-12).",
    )
    since = _date("Sous ce régime depuis le", help_text="En général, le jour du dernier renouvellement.")


class RegimeForm(forms.Form):
    """Another regime for a body, from a day on."""

    code = forms.ChoiceField(label="Nouveau régime", choices=REGIME_CHOICES)
    since = _date("À partir du")


class AccountField(forms.ModelChoiceField):
    """An account told by its name and address."""

    def label_from_instance(self, obj: Any) -> str:
        assert isinstance(obj, Account)
        return f"{obj.full_name} ({obj.email})"


class EluForm(forms.ModelForm):
    """A member of the tableau."""

    class Meta:
        model = Elu
        fields = [
            "civility",
            "given_name",
            "family_name",
            "function",
            "group",
            "rank",
            "channel",
            "email",
            "postal_address",
            "account",
            "term_start",
        ]
        field_classes = {"account": AccountField}
        labels = {"account": "Compte", "function": "Fonction"}
        help_texts = {
            "rank": "Vide : à la fin. Maire, adjoints, puis conseillers selon l’élection, les voix et l’âge "
            "(CGCT L2121-1).",
            "function": "Maire, premier adjoint, conseillère déléguée…",
            "postal_address": "Si le membre a demandé le papier : son domicile ou une autre adresse (CGCT L2121-10).",
            "account": "Celui qui lui fait voir ses convocations ; vide : celui de la même adresse, s’il existe.",
        }

    def __init__(self, *args: Any, organe: Organe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rank"].required = False
        self.fields["rank"].widget.attrs["min"] = 1
        account = self.fields["account"]
        assert isinstance(account, forms.ModelChoiceField)
        taken = organe.elus.lasting().filter(account__isnull=False).exclude(pk=self.instance.pk)
        free = accounts_of(organe.organisation).exclude(pk__in=taken.values("account"))
        account.queryset = free | Account.objects.filter(pk=self.instance.account_id)  # the present one, mandate or not
        account.empty_label = "Aucun"
        self.fields["term_start"] = _date("Début du mandat", initial=self.instance.term_start)

    def _post_clean(self) -> None:
        """The services write the member: the form does not touch its instance."""


class EndForm(forms.Form):
    """The end of a member's term, with the one who takes the seat when there is one."""

    on = _date("Dernier jour du mandat", help_text="Pour une démission, le jour où le maire l’a reçue (CGCT L2121-4).")
    civility = forms.ChoiceField(
        label="Civilité du remplaçant", required=False, choices=[("", "Aucun remplaçant"), *Elu.Civility.choices]
    )
    given_name = forms.CharField(label="Prénom du remplaçant", required=False, max_length=80)
    family_name = forms.CharField(
        label="Nom du remplaçant",
        required=False,
        max_length=80,
        help_text="Le suivant de la liste (code électoral L270) siège dès le lendemain, à la fin du tableau.",
    )
    group = forms.CharField(label="Groupe politique du remplaçant", required=False, max_length=255)
    channel = forms.ChoiceField(label="Convocation du remplaçant par", choices=Channel.choices, required=False)
    email = forms.EmailField(label="Adresse électronique du remplaçant", required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("civility") and data.get("family_name"):
            self.add_error("civility", "Indiquez la civilité du remplaçant.")
        if data.get("civility") and not data.get("family_name"):
            self.add_error("family_name", "Indiquez le nom du remplaçant, ou choisissez « Aucun remplaçant ».")
        return data

    @property
    def successor(self) -> dict[str, str] | None:
        """The arguments of the new member; None when nobody takes the seat."""
        data = self.cleaned_data
        if not data["civility"]:
            return None
        names = ("civility", "given_name", "family_name", "group", "channel", "email")
        return {name: data[name] for name in names} | {"channel": data["channel"] or Channel.DEMATERIALISE}


class TableauFileForm(forms.Form):
    """A file of members, or the content of the one just examined."""

    file = BoundedFileField(
        limit=MAX_FILE,
        way_out="Ce n’est pas le tableau d’une assemblée.",
        label="Fichier CSV",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="En UTF-8 ou Latin-1, avec « ; » ou « , » ; 500 lignes au plus.",
    )
    since = _date("Début du mandat, pour les lignes sans date")

    def clean_file(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content


class ExaminedForm(forms.Form):
    """What was examined, to be done as it was read."""

    content = forms.CharField(max_length=MAX_FILE * 2, widget=forms.HiddenInput)
    since = forms.DateField(widget=forms.HiddenInput)

    def clean_content(self) -> bytes:
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except binascii.Error as error:
            raise forms.ValidationError("Le fichier examiné s’est perdu : déposez-le de nouveau.") from error


def carried(content: bytes, since: date) -> dict[str, str]:
    """The hidden fields that carry an examined file to its confirmation."""
    return {"content": base64.b64encode(content).decode(), "since": since.isoformat()}

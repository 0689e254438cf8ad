"""Forms about API accounts: shapes only, the rules are in services."""

from datetime import date, timedelta

from django import forms

from parvis.core import clock
from parvis.core.api.registry import scopes
from parvis.core.api.services import givable
from parvis.core.organisations.models import Organisation

MAX_NETWORKS = 20
PROPOSED_LIFE = timedelta(days=365)


def _in_a_year() -> date:
    return clock.today() + PROPOSED_LIFE


class AccountForm(forms.Form):
    name = forms.CharField(label="Nom du logiciel", max_length=80, help_text="Par exemple « Gestion des assemblées ».")
    contact = forms.EmailField(
        label="Adresse à prévenir",
        help_text="Celle du service ou de l’éditeur qui l’exploite. Un message lui est envoyé 30 et 7 jours avant la "
        "fin du compte, de l’ancien secret ou du certificat.",
    )
    scopes = forms.MultipleChoiceField(
        label="Droits",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Le moins possible. Sans aucun droit, le logiciel sait seulement qu’il est connu.",
    )
    expires_on = forms.DateField(
        label="Dernier jour",
        required=False,
        initial=_in_a_year,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Dans deux ans au plus ; un an est proposé. Sans dernier jour, un secret volé ou un logiciel oublié "
        "garde son accès tant que personne ne révoque le compte.",
    )
    networks = forms.CharField(
        label="Réseaux admis",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Une adresse ou un réseau par ligne, par exemple 192.0.2.0/24. Vide : toutes les adresses.",
    )
    certificate = forms.CharField(
        label="Certificat TLS du logiciel",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="Au format PEM. Le compte se prouve alors par ce certificat, sans secret.",
    )

    def __init__(
        self, organisation: Organisation, permissions: frozenset[str], *args: object, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        today = clock.today()
        offered = [s for s in scopes() if not s.application or organisation.subscribes_to(s.application, today)]
        field = self.fields["scopes"]
        field.choices = [(s.code, s.label) for s in offered if givable(s, permissions)]  # type: ignore[attr-defined]
        absent = [f"« {s.label} »" for s in offered if not givable(s, permissions)]
        if absent:
            field.help_text += (
                f" {', '.join(absent)} : absent de la liste, car une personne ne donne à un logiciel que les droits "
                "d’écriture qu’elle détient elle-même."
            )

    def clean_networks(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["networks"].splitlines() if line.strip()]
        if len(lines) > MAX_NETWORKS:
            raise forms.ValidationError(f"{MAX_NETWORKS} lignes au plus : regroupez-les en réseaux.")
        return lines


_DELAYS = [(7, "sept jours"), (30, "trente jours"), (1, "un jour"), (0, "plus du tout")]


class RotationForm(forms.Form):
    overlap_days = forms.TypedChoiceField(
        label="L’ancien secret reste valable",
        coerce=int,
        choices=_DELAYS,
    )


class CertificateForm(forms.Form):
    certificate = forms.CharField(
        label="Nouveau certificat TLS du logiciel",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Au format PEM, sans la clé privée : elle reste chez qui exploite le logiciel.",
    )
    overlap_days = forms.TypedChoiceField(
        label="L’ancien certificat reste accepté",
        coerce=int,
        choices=_DELAYS,
        help_text="Le temps d’installer le nouveau, et jamais après sa propre fin.",
    )

"""Forms of the sites' administration: shapes only, the rules are in services and metadata."""

from typing import Any

from django import forms

from parvis.core.identity.models import Account
from parvis.core.provider.models import Service
from parvis.core.saml.attributes import ATTRIBUTES
from parvis.core.saml.metadata import MAX_SIZE
from parvis.core.saml.models import SamlSite
from parvis.core.web.uploads import BoundedFileField


class MetadataForm(forms.Form):
    file = BoundedFileField(
        limit=MAX_SIZE,
        way_out="Déposez les métadonnées d’un seul service.",
        label="Métadonnées du service",
        help_text="Le fichier XML que donne l’éditeur du service, de 256 Kio au plus.",
    )

    def clean_file(self) -> bytes:
        sent = self.cleaned_data["file"]
        content: bytes = sent.read()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise forms.ValidationError("Le fichier doit être un XML en UTF-8 : exportez-le de nouveau.") from None
        return content


class SiteForm(MetadataForm):
    name = forms.CharField(label="Nom du service", max_length=100)
    contact = forms.EmailField(label="Adresse du contact technique")
    relation = forms.ChoiceField(
        label="Nature du service",
        choices=Service.Relation.choices,
        widget=forms.RadioSelect,
        initial=Service.Relation.OWN,
        help_text="Les sites de l’organisation connaissent une personne sous un même identifiant ; "
        "le service d’un tiers reçoit un identifiant à lui seul. Ce choix ne change plus ensuite.",
    )
    name_id = forms.ChoiceField(label="Identifiant transmis", choices=SamlSite.NameId.choices)
    attributes = forms.MultipleChoiceField(
        label="Données transmises",
        choices=[(a.code, a.label) for a in ATTRIBUTES.values()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    populations = forms.MultipleChoiceField(
        label="Qui peut s’y connecter",
        choices=[(Account.Population.AGENT, "Agents et élus"), (Account.Population.USAGER, "Usagers")],
        widget=forms.CheckboxSelectMultiple,
    )
    members_only = forms.BooleanField(label="Seulement avec un mandat dans l’organisation", required=False)

    field_order = ["name", "file", "contact", "relation", "name_id", "attributes", "populations", "members_only"]

    @property
    def values(self) -> dict[str, Any]:
        """What ``register`` takes beside the metadata."""
        return {k: v for k, v in self.cleaned_data.items() if k != "file"}

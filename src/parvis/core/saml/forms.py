"""Forms of the sites' administration: shapes only, the rules are in services and metadata."""

from typing import Any

from django import forms

from parvis.core.identity.models import Account
from parvis.core.provider.models import Service
from parvis.core.saml.attributes import ATTRIBUTES
from parvis.core.saml.metadata import MAX_SIZE
from parvis.core.saml.models import SamlSite
from parvis.core.web.uploads import BoundedFileField


class SiteForm(forms.Form):
    name = forms.CharField(label="Nom du service", max_length=100)
    file = BoundedFileField(
        limit=MAX_SIZE,
        way_out="Déposez les métadonnées d’un seul service.",
        label="Métadonnées du service",
        help_text="Le fichier XML que donne l’éditeur du service, de 256 Kio au plus.",
    )
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

    def clean_file(self) -> bytes | None:
        sent = self.cleaned_data["file"]
        if sent is None:
            return None
        content: bytes = sent.read()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise forms.ValidationError("Le fichier doit être un XML en UTF-8 : exportez-le de nouveau.") from None
        return content

    def clean_attributes(self) -> list[str]:
        """In the order of the page, however they were sent: the same choice is no change."""
        return [code for code in ATTRIBUTES if code in self.cleaned_data["attributes"]]

    @property
    def values(self) -> dict[str, Any]:
        """What ``register`` and ``change`` take beside the metadata."""
        return {k: v for k, v in self.cleaned_data.items() if k != "file"}


class SiteChangeForm(SiteForm):
    """What is proposed today, to be changed; who was approved keeps its nature and how it names people."""

    def __init__(self, data: Any, files: Any, *, site: SamlSite) -> None:
        super().__init__(data, files, initial=site.proposed)
        file = self.fields["file"]
        file.required, file.label = False, "Nouvelles métadonnées"
        file.help_text = f"{file.help_text} Sans fichier, celles d’aujourd’hui sont gardées."
        if site.approved_at is not None:
            del self.fields["relation"], self.fields["name_id"]

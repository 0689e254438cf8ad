"""Forms of the portal: an announcement, a host name."""

from typing import Any

from django import forms

from parvis.core import clock
from parvis.core.organisations.models import Organisation
from parvis.core.portal.models import Announcement


class AnnouncementForm(forms.ModelForm):
    """What an organisation announces; only the métropole is offered the pages of all the organisations."""

    class Meta:
        model = Announcement
        fields = ("title", "text", "audience", "level", "since", "until", "everywhere")
        widgets = {
            "text": forms.Textarea(attrs={"rows": 4}),
            "audience": forms.RadioSelect,
            "level": forms.RadioSelect,
            "since": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }
        help_texts = {
            "text": "Texte simple, sans mise en forme. Une ligne vide sépare deux paragraphes.",
            "since": "Premier jour où l’annonce paraît.",
            "until": "Dernier jour. Sans date, l’annonce reste jusqu’à ce que vous la retiriez.",
        }

    def __init__(self, *arguments: Any, organisation: Organisation, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["since"].initial = clock.today()
        if organisation.kind != Organisation.Kind.METROPOLE:
            del self.fields["everywhere"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", "Le dernier jour vient avant le premier : corrigez l’une des deux dates.")
        return values


class HostForm(forms.Form):
    """A host name given to an organisation by whoever runs the platform."""

    organisation = forms.ModelChoiceField(
        Organisation.objects.order_by("short_name"), label="Organisation", empty_label="Choisissez…"
    )
    host = forms.CharField(
        label="Nom de domaine",
        max_length=253,
        help_text="Par exemple « services.juvignac.fr ». Il doit déjà mener à cette plateforme, certificat compris.",
    )
    primary = forms.BooleanField(
        label="Adresse principale",
        required=False,
        help_text="Celle que la plateforme donne pour cette organisation. Elle remplace la précédente.",
    )

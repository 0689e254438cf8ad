"""Forms of an organisation's administration: shapes only, the rules are in services."""

from django import forms

from parvis.core import clock
from parvis.core.identity.roles import ROLE_CHOICES
from parvis.core.organisations.models import Organisation


class PresentationForm(forms.ModelForm):
    class Meta:
        model = Organisation
        fields = ["short_name", "welcome_text", "website", "postal_code", "email_sender"]
        widgets = {"welcome_text": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "short_name": "Celui que l’on voit en haut des pages.",
            "welcome_text": "Une ou deux phrases, en tête des pages publiques.",
            "email_sender": "Les convocations et les avis partent de cette adresse ; elle doit être relevée.",
            "website": "Adresse complète, avec https://.",
        }

    def clean_postal_code(self) -> str:
        code = self.cleaned_data["postal_code"]
        if code and not (len(code) == 5 and code.isdigit()):
            raise forms.ValidationError("Un code postal compte cinq chiffres.")
        return code


class ColoursForm(forms.ModelForm):
    class Meta:
        model = Organisation
        fields = ["accent", "accent_2"]
        widgets = {name: forms.TextInput(attrs={"type": "color"}) for name in fields}
        help_texts = {
            "accent": "Boutons, liens et en-tête. Son contraste est vérifié : 4,5 pour 1 au moins.",
            "accent_2": "Touches de couleur, jamais sous un texte courant.",
        }


class MandateForm(forms.Form):
    given_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    email = forms.EmailField(
        label="Adresse électronique",
        help_text="Si un compte existe déjà à cette adresse, c’est lui qui reçoit le mandat.",
    )
    role = forms.ChoiceField(label="Rôle", choices=ROLE_CHOICES)
    title = forms.CharField(
        label="Qualité",
        max_length=120,
        required=False,
        help_text="Telle qu’elle figure sur les actes, par exemple « Maire ».",
    )
    start = forms.DateField(label="Début", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    end = forms.DateField(
        label="Fin", required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["start"].initial = clock.today

    def clean(self) -> dict[str, object]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("start"), values.get("end")
        if start and end and end < start:
            self.add_error("end", "La fin précède le début : corrigez l’une des deux dates.")
        return values

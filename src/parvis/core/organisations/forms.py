"""Forms of an organisation's administration: shapes only, the rules are in services."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from parvis.core import clock
from parvis.core.identity.forms import AddressField
from parvis.core.identity.models import Account
from parvis.core.identity.roles import PERMISSIONS, reserved
from parvis.core.organisations.authority import Authority, GivenRole
from parvis.core.organisations.models import (
    AGENT_PASSWORD_LENGTH,
    IDLE_MINUTES,
    PASSWORD_LENGTHS,
    Department,
    Organisation,
    PeopleImport,
    ReviewLine,
    Subscription,
)
from parvis.core.organisations.own_roles import MAX_FILE as MAX_ROLES_FILE
from parvis.core.organisations.people_csv import MAX_SIZE as MAX_PEOPLE_FILE
from parvis.core.organisations.reviews import SCOPES
from parvis.core.web.uploads import BoundedFileField


class PresentationForm(forms.ModelForm):
    class Meta:
        model = Organisation
        fields = ["short_name", "website", "postal_code", "email_sender"]
        help_texts = {
            "short_name": "Celui que l’on voit en haut des pages.",
            "email_sender": "Les convocations et les avis partent de cette adresse ; elle doit être relevée.",
            "website": "Adresse complète, avec https://.",
        }

    def clean_postal_code(self) -> str:
        code = self.cleaned_data["postal_code"]
        if code and not (len(code) == 5 and code.isdigit()):
            raise forms.ValidationError("Un code postal compte cinq chiffres.")
        return code


class LoginRulesForm(forms.ModelForm):
    """Stricter than the platform's rules, never laxer."""

    class Meta:
        model = Organisation
        fields = ["password_length", "idle_minutes"]
        labels = {
            "password_length": "Longueur minimale d’un mot de passe",
            "idle_minutes": "Déconnexion après, sans activité",
        }
        help_texts = {
            "password_length": "En caractères. La plateforme en demande {} au moins ; {} au plus ici.".format(
                *PASSWORD_LENGTHS
            ),
            "idle_minutes": "En minutes, de {} à {}, la règle de la plateforme. Pour qui administre, c’est 15 au "
            "plus.".format(*IDLE_MINUTES),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bounds = {
            "password_length": (PASSWORD_LENGTHS, "caractères"),
            "idle_minutes": (IDLE_MINUTES, "minutes"),
        }
        for name, ((least, most), unit) in bounds.items():
            field, said = self.fields[name], f"De {least} à {most} {unit}."
            field.validators += [MinValueValidator(least, said), MaxValueValidator(most, said)]
            field.widget.attrs |= {"min": least, "max": most}


def _date(label: str, **options: object) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), **options)  # type: ignore[arg-type]


class _InOrder(forms.Form):
    """A form whose end does not precede its start."""

    def clean(self) -> dict[str, object]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("start"), values.get("end")
        if start and end and end < start:
            self.add_error("end", "La fin précède le début : corrigez l’une des deux dates.")
        return values


class _Departments(forms.Form):
    """A form that places somebody in a service, among those that ``by`` administers."""

    def _offer_departments(self, by: Authority) -> None:
        self._open = {str(d.pk): d for d in by.open_departments()}
        field = self.fields["department"]
        assert isinstance(field, forms.ChoiceField)
        nothing = [("", "Aucun")] if by.whole else []
        field.choices = [*nothing, *((key, d.name) for key, d in self._open.items())]
        field.required = not by.whole

    def clean_department(self) -> Department | None:
        return self._open.get(self.cleaned_data["department"])


class InvitationForm(_InOrder, _Departments):
    given_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    email = AddressField(
        label="Adresse électronique professionnelle",
        widget=forms.EmailInput,
        help_text="La personne y reçoit un lien, qui lui sert à accepter.",
    )
    role = forms.ChoiceField(
        label="Rôle",
        error_messages={"required": "Choisissez le rôle que la personne recevra : aucun n’est donné d’office."},
    )
    title = forms.CharField(
        label="Qualité",
        max_length=120,
        required=False,
        help_text="Telle qu’elle figure sur les actes, par exemple « Maire ».",
    )
    department = forms.ChoiceField(label="Service", required=False)
    staff_number = forms.CharField(label="Matricule", max_length=40, required=False)
    start = _date("Début")
    end = _date("Fin", required=False)

    def __init__(self, *args: object, by: Authority, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._roles = {role.code: role for role in by.givable()}
        choices = [(code, role.label) for code, role in self._roles.items()]
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [("", "Choisissez un rôle"), *choices]
        self.fields["start"].initial = clock.today
        self._offer_departments(by)

    def clean_role(self) -> GivenRole:
        return self._roles[self.cleaned_data["role"]]


class MandateForm(_InOrder, _Departments):
    title = InvitationForm.base_fields["title"]
    department = forms.ChoiceField(label="Service", required=False)
    staff_number = forms.CharField(label="Matricule", max_length=40, required=False)
    start = _date("Début")
    end = _date("Fin", required=False, help_text="Sans date, le mandat court jusqu’à ce que vous y mettiez fin.")

    def __init__(self, *args: object, by: Authority, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._offer_departments(by)


class RoleForm(forms.Form):
    label = forms.CharField(label="Intitulé", max_length=120)
    description = forms.CharField(
        label="Description", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    permissions = forms.MultipleChoiceField(label="Droits", required=False)
    heads_may_give = forms.BooleanField(
        label="Les responsables de service peuvent le donner dans leur service",
        required=False,
    )

    def __init__(self, *args: object, by: Authority, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["permissions"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (group, [(code, name) for code, name in names.items() if not reserved(frozenset({code})) - by.permissions])
            for group, names in PERMISSIONS.items()
        ]

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """For the page: each group, with (code, name, ticked)."""
        ticked = set(self["permissions"].value() or [])
        choices = self.fields["permissions"].choices  # type: ignore[attr-defined]
        return [(g, [(code, name, code in ticked) for code, name in names]) for g, names in choices if names]


class RoleFileForm(forms.Form):
    file = BoundedFileField(
        label="Fichier de rôles",
        limit=MAX_ROLES_FILE,
        way_out="Un export de rôles est bien plus petit.",
        help_text="Export JSON d’un portail Publik : seuls les intitulés sont repris, sans aucun droit.",
    )


class DepartmentForm(forms.Form):
    name = forms.CharField(label="Nom du service", max_length=120)
    parent = forms.ChoiceField(label="Rattaché à", required=False)
    head = forms.ChoiceField(
        label="Responsable",
        required=False,
        help_text="Avec le rôle « Responsable de service », cette personne administre celles du service.",
    )

    def __init__(self, *args: object, departments: list[Department], people: list[Account], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._departments = {str(d.pk): d for d in departments}
        self._people = {str(a.pk): a for a in people}
        parent, head = self.fields["parent"], self.fields["head"]
        assert isinstance(parent, forms.ChoiceField)
        assert isinstance(head, forms.ChoiceField)
        parent.choices = [("", "Aucun"), *((key, d.name) for key, d in self._departments.items())]
        head.choices = [("", "Personne"), *((key, a.full_name) for key, a in self._people.items())]

    def clean_parent(self) -> Department | None:
        return self._departments.get(self.cleaned_data["parent"])

    def clean_head(self) -> Account | None:
        return self._people.get(self.cleaned_data["head"])


class ImportForm(forms.Form):
    file = BoundedFileField(
        label="Fichier CSV",
        limit=MAX_PEOPLE_FILE,
        way_out="Partagez-le en plusieurs.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        help_text="2 Mo et 20 000 lignes au plus, en UTF-8 ou Latin-1, avec « ; » ou « , ».",
    )
    key = forms.ChoiceField(
        label="Reconnaître une personne à",
        choices=PeopleImport.Key.choices,
        help_text="Ce qui ne change pas d’un import au suivant.",
    )


class ReviewForm(forms.Form):
    name = forms.CharField(label="Intitulé", max_length=120)
    application = forms.ChoiceField(
        label="Périmètre", required=False, choices=[(code, label) for code, (label, _) in SCOPES.items()]
    )
    deadline = _date("À terminer le")


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=ReviewLine.Decision.choices[:3])
    new_end = _date("Nouvelle date de fin", required=False)


class PasswordForm(forms.Form):
    """The password of a new agent's or operator's account; its strength is judged with the account in hand."""

    password = forms.CharField(
        label="Mot de passe",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Le même mot de passe",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, least: int = AGENT_PASSWORD_LENGTH, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = f"Une phrase que vous seul connaissez, de {least} caractères au moins."

    def clean_again(self) -> str:
        if self.cleaned_data.get("password") != self.cleaned_data["again"]:
            raise forms.ValidationError("Les deux saisies diffèrent.")
        return self.cleaned_data["again"]


class OrganisationForm(forms.ModelForm):
    class Meta:
        model = Organisation
        fields = [
            "slug", "name", "short_name", "kind", "parent", "siren", "nic", "insee", "postal_code", "population",
            "departement", "arrondissement", "nature_actes", "pref_id",
        ]  # fmt: skip
        help_texts = {"slug": "Il figure dans les adresses des pages, et ne change plus une fois l’organisation créée."}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if self.instance.pk:
            self.fields["slug"].disabled = True

    def clean(self) -> dict[str, object]:
        values = super().clean() or self.cleaned_data
        shapes = {"nic": 5, "departement": 3, "arrondissement": 1}
        for name, length in shapes.items():
            value = str(values.get(name, ""))
            if value and (len(value) != length or not value.replace("A", "0").replace("B", "0").isdigit()):
                self.add_error(name, f"{length} chiffres sont attendus.")
        parent = values.get("parent")
        if isinstance(parent, Organisation) and self.instance.pk and parent.pk == self.instance.pk:
            self.add_error("parent", "Une organisation ne se rattache pas à elle-même.")
        return values


class SubscriptionForm(_InOrder):
    application = forms.ChoiceField(label="Application", choices=Subscription.Application.choices)
    since = _date("Depuis le")
    until = _date("Jusqu’au", required=False)


class EndForm(forms.Form):
    until = _date("Jusqu’au", required=False, help_text="Sans date, l’adhésion court.")


class PersonForm(forms.Form):
    given_name = forms.CharField(label="Prénom", max_length=80)
    family_name = forms.CharField(label="Nom", max_length=80)
    email = AddressField(widget=forms.EmailInput)


class AdministrationForm(PersonForm):
    """Somebody to administer an organisation that lost its administration."""

    reason = forms.CharField(
        label="Motif",
        max_length=200,
        help_text="Ce qui est arrivé à l’ancienne administration, et qui en demande une nouvelle. Un second"
        " exploitant le lit avant d’approuver.",
    )

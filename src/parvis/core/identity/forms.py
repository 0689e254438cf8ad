"""Forms of the life of an account: shapes only; the rules are in ``values``, ``addresses`` and the services."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from parvis.core.errors import DomainError
from parvis.core.identity import addresses, values
from parvis.core.identity.models import Account
from parvis.core.identity.profile import Attribute
from parvis.core.referentials import cog

_LABEL = re.compile(r"^[^:]{3,25} : ")


def _checked(clean: Callable[[Any], Any], value: Any) -> Any:
    """What ``clean`` makes of ``value``, its refusal turned into the form's."""
    try:
        return clean(value)
    except DomainError as error:
        sentence = _LABEL.sub("", error.sentence)  # the form names the field already
        raise ValidationError(sentence[:1].upper() + sentence[1:]) from None


class AddressField(forms.CharField):
    """An e-mail address that an account has or will have, in the one way it is kept."""

    def __init__(self, *, label: str = "Adresse électronique", **options: Any) -> None:
        super().__init__(label=label, max_length=400, **options)

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        return _checked(addresses.canonical, typed) if typed else typed


class AddressForm(forms.Form):
    email = AddressField(widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}))


class CitizenSearchForm(forms.Form):
    """The whole address or the number of one account: nothing is searched by name."""

    who = forms.CharField(
        label="Adresse électronique ou numéro du compte",
        max_length=254,
        help_text="En entier. La recherche est consignée, et la personne la voit parmi les événements de son compte.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class SuspensionForm(forms.Form):
    """Why an account is suspended or reopened, and the file that proves it."""

    reason = forms.ChoiceField(label="Motif")
    reference = forms.CharField(
        label="Référence du dossier",
        max_length=80,
        help_text="Courrier ou ticket qui justifie la décision, sans nom ni détail : elle est gardée trois ans.",
    )

    def __init__(self, *args: Any, reasons: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ChoiceField)
        reason.choices = [("", "Choisissez"), *reasons.items()]


class RegistrationForm(forms.Form):
    civility = forms.ChoiceField(
        label="Civilité", required=False, choices=[("", "Non précisée"), *values.CIVILITIES.items()]
    )
    given_names = forms.CharField(
        label="Prénoms",
        max_length=600,
        help_text="Tous vos prénoms, dans l’ordre de l’état civil, séparés par des espaces ou des virgules.",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label="Nom de naissance", max_length=400, widget=forms.TextInput(attrs={"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label="Mot de passe",
        max_length=256,
        strip=False,
        help_text="Douze caractères au moins. Une phrase que vous seul connaissez convient très bien.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Mot de passe, une seconde fois",
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_given_names(self) -> list[str]:
        names: list[str] = _checked(values.first_names, self.cleaned_data["given_names"])
        return names

    def clean_family_name(self) -> str:
        return str(_checked(values.name, self.cleaned_data["family_name"]))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        password = given.get("password")
        if password:
            account = Account(
                email=self.email,
                given_name=(given.get("given_names") or [""])[0],
                family_name=given.get("family_name", ""),
                population=Account.Population.USAGER,
            )
            try:
                validate_password(password, account)
            except ValidationError as refused:
                self.add_error("password", refused)
            if given.get("again") and given["again"] != password:
                self.add_error("again", "Les deux mots de passe diffèrent.")
        return given


class ProfileForm(forms.Form):
    """The attributes that nobody verified; a verified one is not a field, whatever is sent."""

    nom_usage = forms.CharField(
        label="Nom d’usage", required=False, max_length=400, help_text="S’il diffère de votre nom de naissance."
    )
    nom_naissance = forms.CharField(label="Nom de naissance", required=False, max_length=400)
    prenoms = forms.CharField(
        label="Prénoms", required=False, max_length=600, help_text="Dans l’ordre de l’état civil."
    )
    civilite = forms.ChoiceField(
        label="Civilité", required=False, choices=[("", "Non précisée"), *values.CIVILITIES.items()]
    )
    sexe = forms.ChoiceField(
        label="Sexe à l’état civil", required=False, choices=[("", "Sans réponse"), *values.SEXES.items()]
    )
    naissance_date = forms.CharField(
        label="Date de naissance",
        required=False,
        max_length=10,
        help_text="Jour, mois et année : 24/08/1962. Écrivez 00 pour un jour ou un mois que l’état civil ignore.",
    )
    naissance_pays = forms.ChoiceField(label="Pays de naissance", required=False)
    naissance_commune = forms.CharField(
        label="Commune de naissance",
        required=False,
        max_length=400,
        help_text="Son nom, ou son code INSEE. Seulement si vous êtes né en France.",
    )
    telephone_mobile = forms.CharField(
        label="Téléphone mobile",
        required=False,
        max_length=40,
        help_text="Ce numéro n’est pas vérifié : la plateforme n’envoie pas de SMS.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    telephone_fixe = forms.CharField(
        label="Téléphone fixe", required=False, max_length=40, widget=forms.TextInput(attrs={"type": "tel"})
    )
    adresse_complement = forms.CharField(label="Bâtiment, étage", required=False, max_length=200)
    adresse_voie = forms.CharField(
        label="Numéro et voie",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    adresse_code_postal = forms.CharField(
        label="Code postal",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code"}),
    )
    adresse_commune = forms.CharField(
        label="Commune",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, attributes: Mapping[str, Attribute]) -> None:
        super().__init__(data, initial=_initial(attributes))
        countries = sorted(cog.countries().items(), key=lambda item: cog.folded(item[1]))
        known = attributes.get("naissance_pays")
        if known and known.value not in dict(countries):
            countries.append((known.value, cog.country_name(known.value) or f"{known.value} (code inconnu)"))
        if not cog.countries():
            self.fields["naissance_pays"] = forms.CharField(
                label="Pays de naissance",
                required=False,
                max_length=5,
                help_text="La liste des pays n’est pas installée : indiquez le code à cinq chiffres (99100, France).",
            )
            self.initial["naissance_pays"] = known.value if known else ""
        else:
            self.fields["naissance_pays"].choices = [("", "Sans réponse"), *countries]  # type: ignore[attr-defined]
        locked = {name for name, attribute in attributes.items() if attribute.verified}
        for field in list(self.fields):
            if field in locked or (field.startswith("adresse_") and "adresse" in locked):
                del self.fields[field]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in ("nom_usage", "nom_naissance", "prenoms", "telephone_mobile", "telephone_fixe", "naissance_pays"):
            self._keep(name, values.CLEANERS[name])
        self._keep("naissance_date", lambda typed: values.birth_date(_iso(typed)))
        self._keep("naissance_commune", values.commune_typed)
        if given.get("naissance_commune") and given.get("naissance_pays", "") not in ("", cog.FRANCE):
            self.add_error("naissance_commune", "Laissez la commune vide pour une naissance à l’étranger.")
        return given

    def _keep(self, name: str, clean: Callable[[Any], Any]) -> None:
        if self.cleaned_data.get(name):
            try:
                self.cleaned_data[name] = _checked(clean, self.cleaned_data[name])
            except ValidationError as refused:
                self.add_error(name, refused)

    def declared(self) -> dict[str, Any]:
        """What to give to ``profile.declare``. Raises ``ValueRefused`` for an incomplete postal address."""
        given = {k: v for k, v in self.cleaned_data.items() if not k.startswith("adresse_")}
        if "adresse_voie" in self.fields:
            lines = {k.removeprefix("adresse_"): v for k, v in self.cleaned_data.items() if k.startswith("adresse_")}
            given["adresse"] = values.postal_address(lines) if any(lines.values()) else None
        return given


def _iso(typed: str) -> str:
    """« 24/08/1962 » written 1962-08-24; anything else unchanged."""
    match = re.fullmatch(r"\s*(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})\s*", typed)
    return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" if match else typed.strip()


def _initial(attributes: Mapping[str, Attribute]) -> dict[str, Any]:
    shown = {name: shown_value(attribute) for name, attribute in attributes.items()}
    for name in ("civilite", "sexe", "naissance_pays"):
        if name in attributes:
            shown[name] = attributes[name].value
    if "prenoms" in attributes:
        shown["prenoms"] = ", ".join(attributes["prenoms"].value)
    if "adresse" in attributes:
        shown |= {f"adresse_{line}": text for line, text in attributes["adresse"].value.items()}
    return shown


def shown_value(attribute: Attribute) -> str:
    """The value in words, as pages show it."""
    value = attribute.value
    match attribute.name:
        case "civilite":
            return values.CIVILITIES.get(value, value)
        case "sexe":
            return values.SEXES.get(value, value)
        case "prenoms":
            return " ".join(value)
        case "naissance_date":
            return "/".join(reversed(value["text"].split("-")))
        case "naissance_pays":
            return cog.country_name(value) or f"{value} (code inconnu)"
        case "naissance_commune":
            return f"{cog.commune_name(value)} ({value})" if cog.commune_name(value) else f"{value} (code inconnu)"
        case "telephone_mobile" | "telephone_fixe" if value.startswith("+33"):
            digits = "0" + value.removeprefix("+33")
            return "\u00a0".join(digits[at : at + 2] for at in range(0, 10, 2))
        case "adresse":
            place = " ".join(filter(None, [value.get("code_postal"), value["commune"]]))
            return ", ".join(filter(None, [value.get("complement"), value["voie"], place]))
        case _:
            return str(value)

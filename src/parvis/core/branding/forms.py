"""The form of the editor: shapes only; pictures and colours are judged by the services."""

import re
import unicodedata
from typing import Any, Final
from urllib.parse import urlsplit

from django import forms
from django.core.validators import EmailValidator

from parvis.core.branding.images import MAX_HEADER, MAX_LOGO
from parvis.core.branding.models import BrandingVersion
from parvis.core.organisations.models import validate_colour
from parvis.core.web.uploads import BoundedFileField

MAX_LINKS: Final = 8
MAX_LABEL: Final = 40
MAX_URL: Final = 300
SENDER_REFUSED: Final = re.compile(r'[<>@",;:\\()\[\]/]')

LABELS: Final = {
    "logo_id": "Logo",
    "logo_alt": "Texte que porte le logo",
    "header_id": "Image d’en-tête",
    "accent": "Couleur principale",
    "accent_2": "Couleur secondaire",
    "welcome_text": "Mot d’accueil",
    "footer_text": "Texte de bas de page",
    "footer_links": "Liens de bas de page",
    "sender_name": "Nom d’expéditeur",
    "reply_to": "Adresse de réponse",
    "signature": "Signature",
}


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def links_as_text(links: list[dict[str, str]]) -> str:
    """One link a line, « label | address »."""
    return "\n".join(f"{link['label']} | {link['url']}" for link in links)


def _file(label: str, limit: int, accept: str, help_text: str) -> BoundedFileField:
    widget = forms.FileInput(attrs={"accept": accept})
    return BoundedFileField(label=label, limit=limit, required=False, widget=widget, help_text=help_text)


class BrandingForm(forms.Form):
    logo = _file(
        "Logo",
        MAX_LOGO,
        ".svg,.png,image/svg+xml,image/png",
        "SVG de 200 ko au plus, ou PNG de 2 Mo au plus. Il apparaît en haut de chaque page.",
    )
    logo_kept = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    logo_removed = forms.BooleanField(label="Ne plus montrer de logo", required=False)
    logo_alt = forms.CharField(
        label=LABELS["logo_alt"],
        required=False,
        max_length=120,
        help_text="Lu par les synthèses vocales. Laissez vide si le logo ne porte pas d’autre texte que le nom.",
    )
    header = _file(
        "Image d’en-tête",
        MAX_HEADER,
        "image/jpeg,image/png,image/webp",
        "JPEG, PNG ou WebP de 10 Mo et 600 × 200 pixels au moins. Le lieu et l’auteur qu’elle cite sont ôtés.",
    )
    header_kept = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    header_removed = forms.BooleanField(label="Ne plus montrer d’image d’en-tête", required=False)
    accent = forms.CharField(
        label=LABELS["accent"],
        widget=forms.TextInput(attrs={"type": "color"}),
        validators=[validate_colour],
        help_text="Boutons, liens et bandeau. Son contraste est vérifié : 4,5 pour 1 au moins.",
    )
    accent_2 = forms.CharField(
        label=LABELS["accent_2"],
        widget=forms.TextInput(attrs={"type": "color"}),
        validators=[validate_colour],
        help_text="Touches de couleur. Le blanc ou le noir doit s’y lire.",
    )
    welcome_text = forms.CharField(
        label=LABELS["welcome_text"],
        required=False,
        max_length=1200,
        widget=_area(4),
        help_text="En tête de votre page d’accueil. Une ligne vide sépare deux paragraphes.",
    )
    footer_text = forms.CharField(
        label=LABELS["footer_text"],
        required=False,
        max_length=400,
        widget=_area(3),
        help_text="Adresse et horaires de la mairie, par exemple.",
    )
    footer_links = forms.CharField(
        label=LABELS["footer_links"],
        required=False,
        max_length=4000,
        widget=_area(4),
        help_text="Un lien par ligne, huit au plus, sous la forme : Le site de la commune | https://www.exemple.fr",
    )
    sender_name = forms.CharField(
        label=LABELS["sender_name"],
        required=False,
        max_length=80,
        help_text="Sans lui, les messages portent le nom officiel de l’organisation.",
    )
    reply_to = forms.CharField(
        label=LABELS["reply_to"],
        required=False,
        max_length=254,
        widget=forms.EmailInput,
        validators=[EmailValidator("Cette adresse est incomplète : écrivez par exemple mairie@exemple.fr.")],
        help_text="Celle où arrivent les réponses aux messages de la plateforme.",
    )
    signature = forms.CharField(
        label=LABELS["signature"],
        required=False,
        max_length=500,
        widget=_area(3),
        help_text="Placée au bas de chaque message.",
    )
    base = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Line ends as one character, and no control character, which no page would show."""
        values = super().clean() or self.cleaned_data
        for name, value in values.items():
            if isinstance(value, str) and name != "base":
                kept = value.replace("\r\n", "\n").replace("\r", "\n")
                values[name] = "".join(c for c in kept if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))
        return values

    def clean_sender_name(self) -> str:
        name = self.cleaned_data["sender_name"]
        if SENDER_REFUSED.search(name):
            raise forms.ValidationError(
                'Un nom d’expéditeur ne contient ni adresse ni ponctuation d’adresse (@ < > " , ; : / ( )). '
                "Écrivez par exemple : Mairie de Juvignac."
            )
        return name

    def clean_footer_links(self) -> list[dict[str, str]]:
        lines = [line.strip() for line in self.cleaned_data["footer_links"].splitlines() if line.strip()]
        if len(lines) > MAX_LINKS:
            raise forms.ValidationError(f"Huit liens au plus ; il y en a {len(lines)}. Retirez les moins utiles.")
        return [_link(number, line) for number, line in enumerate(lines, start=1)]


def _link(number: int, line: str) -> dict[str, str]:
    label, bar, url = (part.strip() for part in line.rpartition("|"))
    if not bar or not label:
        raise forms.ValidationError(f"Ligne {number} : écrivez l’intitulé, une barre « | », puis l’adresse.")
    if len(label) > MAX_LABEL:
        raise forms.ValidationError(f"Ligne {number} : l’intitulé dépasse {MAX_LABEL} caractères. Raccourcissez-le.")
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and "." in (parts.hostname or "") and not parts.username and parts.port is None
    except ValueError:
        sound = False
    if not sound or len(url) > MAX_URL or any(c <= " " or c in '"<>\\`' for c in url):
        raise forms.ValidationError(
            f"Ligne {number} : « {url[:80]} » n’est pas une adresse sûre : il faut https:// et un site."
        )
    return {"label": label, "url": url}


def initial_of(version: BrandingVersion) -> dict[str, Any]:
    """What the form shows of ``version``, but its ``base``."""
    return initial_from(version.values())


def initial_from(values: dict[str, Any]) -> dict[str, Any]:
    """The same from the values of a version, by column."""
    shown = {name: value for name, value in values.items() if not name.endswith("_id")}
    shown["footer_links"] = links_as_text(values["footer_links"])
    return shown | {"logo_kept": values["logo_id"] or "", "header_kept": values["header_id"] or ""}

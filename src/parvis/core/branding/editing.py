"""What one sending of the editor's form holds, and what somebody else saved meanwhile.

The form carries, signed, the values that it was filled from. When what is stored differs from them, somebody saved
meanwhile: what they alone changed is taken in, what both changed keeps the later hand's entry, and everything is said
before anything is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from django.core import signing
from django.http import HttpRequest, QueryDict

from parvis.core.branding import images, services
from parvis.core.branding.errors import BrandingRefused
from parvis.core.branding.forms import LABELS, BrandingForm, links_as_text
from parvis.core.branding.models import VALUES
from parvis.core.errors import DomainError
from parvis.core.organisations.models import Organisation
from parvis.core.web.theming import ColourTooPale, SecondColourUnclear, check_accent, check_second
from parvis.core.web.uploads import TooHeavy

SALT: Final = "branding.editor"
PICTURES: Final = ("logo", "header")


def sealed(values: Mapping[str, Any]) -> str:
    """The values that a form is filled from, as it carries them."""
    return signing.dumps(dict(values), salt=SALT, compress=True)


def _base(text: str) -> dict[str, Any]:
    try:
        found = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass
class Sent:
    """A form as it came, its pictures kept already: nothing has to be sent again whatever else is wrong."""

    form: BrandingForm
    left_out: tuple[str, ...]
    """Names of the elements that were left out of a logo."""


def read(request: HttpRequest, organisation: Organisation) -> Sent:
    """The form of ``request``, with a refusal beside each picture that cannot be kept."""
    data = request.POST.copy()
    refusals: list[BrandingRefused] = []
    left_out: tuple[str, ...] = ()
    for field in PICTURES:
        upload = request.FILES.get(field)
        if isinstance(upload, TooHeavy):
            refusals.append(images.too_large(field))
            continue
        if upload is None or upload.file is None:
            continue
        try:
            received = services.receive(organisation, field, cast(BinaryIO, upload.file))
        except DomainError as error:  # of the picture itself, or of the storage (antivirus)
            refusals.append(BrandingRefused(field, error.sentence))
            continue
        left_out += received.removed
        data[f"{field}_kept"] = str(received.document.pk)
        data.pop(f"{field}_removed", None)
    form = BrandingForm(data)
    form.full_clean()
    for refusal in (*refusals, *_lost_pictures(organisation, data)):
        form.add_error(refusal.field, refusal.sentence)
    return Sent(form, left_out)


def _lost_pictures(organisation: Organisation, data: QueryDict) -> list[BrandingRefused]:
    """A picture that the form names must be one that this organisation sent for this very field."""
    return [
        BrandingRefused(field, f"{services.LABELS[field]} : l’image n’est plus disponible. Envoyez-la de nouveau.")
        for field in PICTURES
        if (kept := data.get(f"{field}_kept")) and services.kept_picture(organisation, field, kept) is None
    ]


def values_of(form: BrandingForm) -> dict[str, Any]:
    """The values, by column, of a valid form."""
    values = {name: form.cleaned_data[name] for name in VALUES if not name.endswith("_id")}
    for name in ("accent", "accent_2"):
        values[name] = values[name].lower()
    for field in PICTURES:
        removed = form.cleaned_data[f"{field}_removed"]
        values[f"{field}_id"] = None if removed else form.cleaned_data[f"{field}_kept"] or None
    return {name: values[name] for name in VALUES}


def refusals_of(colours: dict[str, str]) -> dict[str, ColourTooPale | SecondColourUnclear]:
    """Why each of these colours may not be saved, by field; nothing for those that pass."""
    refusals = {}
    for name, check in (("accent", check_accent), ("accent_2", check_second)):
        try:
            check(colours[name])
        except (ColourTooPale, SecondColourUnclear) as refusal:
            refusals[name] = refusal
        except KeyError:  # no colour at all: the form says so
            continue
    return refusals


def refused_colours(form: BrandingForm) -> dict[str, str]:
    """Say beside each colour why it is refused; returns the nearest colour that passes, by field."""
    refusals = refusals_of(form.cleaned_data)
    for name, refusal in refusals.items():
        form.add_error(name, refusal.sentence)
    return {name: refusal.nearest for name, refusal in refusals.items()}


@dataclass(frozen=True)
class Change:
    """One value that somebody else saved meanwhile; ``clashes`` when this form changes it too, otherwise."""

    label: str
    theirs: str
    clashes: bool


@dataclass(frozen=True)
class Meanwhile:
    """What became of the stored values since the form was opened."""

    changes: tuple[Change, ...]
    merged: dict[str, Any]


def meanwhile(form: BrandingForm, mine: Mapping[str, Any], stored: Mapping[str, Any]) -> Meanwhile:
    """Compare the values of a valid form with those it was filled from and those that are stored now."""
    base = _base(form.cleaned_data["base"])
    nothing = object()
    changed = [name for name in VALUES if base.get(name, nothing) != stored[name] and mine[name] != stored[name]]
    touched = {name for name in VALUES if base.get(name, nothing) != mine[name]}
    changes = tuple(Change(LABELS[n], _said(n, stored[n]), n in touched) for n in changed)
    merged = {name: stored[name] if name in changed and name not in touched else mine[name] for name in VALUES}
    return Meanwhile(changes, merged)


def _said(name: str, value: Any) -> str:
    if name.endswith("_id"):
        return "une autre image" if value else "aucune image"
    text = links_as_text(value) if name == "footer_links" else str(value)
    return text or "(vide)"

"""The look that an organisation has published, as every page, style sheet and message reads it.

It lies on the organisation's own row (``Organisation.look``, colours and welcome text beside it), which each request
has read anyway: showing it costs no query, and what a publication writes is seen at once by every process.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.urls import reverse

from parvis.core.organisations.models import Organisation
from parvis.core.web.theming import Theme


@dataclass(frozen=True)
class PictureAt:
    """A published picture: its address, which never changes content, and its dimensions in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class FooterLink:
    label: str
    url: str


@dataclass(frozen=True)
class Look:
    """What an organisation looks like. Without any publication everything is empty but the organisation's colours."""

    number: int = 0
    logo: PictureAt | None = None
    logo_alt: str = ""
    header: PictureAt | None = None
    footer_links: tuple[FooterLink, ...] = ()
    footer_text: str = ""
    sender_name: str = ""
    reply_to: str = ""
    signature: str = ""
    stylesheet: str = field(default="", compare=False)
    """Address of a style sheet to use instead of the published one: that of a draft, in its preview."""

    def stored(self) -> dict[str, Any]:
        """As ``Organisation.look`` keeps it; ``read`` gives it back."""
        return {name: value for name, value in asdict(self).items() if value}


def read(stored: Mapping[str, Any]) -> Look:
    """The look that ``Look.stored`` wrote."""
    values = dict(stored)
    for name in ("logo", "header"):
        if name in values:
            values[name] = PictureAt(**values[name])
    if "footer_links" in values:
        values["footer_links"] = tuple(FooterLink(**link) for link in values["footer_links"])
    return Look(**values)


def look_of(organisation: Organisation) -> Look:
    """The published look of ``organisation``; asks nothing of the database."""
    return read(organisation.look)


def theme_of(organisation: Organisation) -> Theme:
    """The colours and the header picture of ``organisation``, for its style sheet."""
    header = organisation.look.get("header")
    return Theme(organisation.accent, organisation.accent_2, header["url"] if header else "")


def stylesheet_url(organisation: Organisation) -> str:
    """Address of the organisation's style sheet; it changes at each publication that changes its content."""
    given = organisation.look.get("stylesheet", "")
    return given or reverse("web:theme", kwargs={"name": f"{organisation.slug}-{theme_of(organisation).version}"})

"""Which host shows whose pages, and the only addresses to which a login may take somebody back.

The table is small and read at each request that does not name the platform: every process keeps it for half a
minute, so a host that is added or removed takes effect everywhere within that time.
"""

import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.portal.models import HostName, validate_host

KEPT_FOR: Final = 30.0
KNOWN_COOKIE: Final = "parvis-connu"
"""Set on an organisation's own host once somebody came back from the platform's; it proves nothing."""


class HostRefused(DomainError):
    """The name cannot be given to an organisation."""


@dataclass(frozen=True)
class Site:
    """One host of an organisation."""

    host: str
    slug: str
    primary: bool = False

    @property
    def home(self) -> str:
        """Path of the organisation's public pages, which the host shows at « / »."""
        return f"/p/{self.slug}/"

    @property
    def netloc(self) -> str:
        """Host with the port of the platform, when it has one (a demo on its own machine)."""
        port = urlsplit(settings.BASE_URL).port
        return f"{self.host}:{port}" if port else self.host

    @property
    def base(self) -> str:
        """« https://services.juvignac.fr », without a final slash."""
        return f"{urlsplit(settings.BASE_URL).scheme}://{self.netloc}"


_kept: tuple[float, dict[str, Site]] | None = None


def known() -> dict[str, Site]:
    """The hosts of all the organisations, by name."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > KEPT_FOR:
        rows = HostName.objects.values_list("host", "organisation__slug", "primary")
        _kept = (time.monotonic(), {host: Site(host, slug, primary) for host, slug, primary in rows})
    return _kept[1]


def forget() -> None:
    """Read the table again at the next request."""
    global _kept
    _kept = None


def platform_address(path: str) -> str:
    """Absolute address of ``path`` (with its query) on the host of the platform, whatever host was asked."""
    return settings.BASE_URL.rstrip("/") + path


def main_address(slug: str) -> str:
    """Absolute address of an organisation's public home: its principal host if it has one, else the platform's."""
    own = next((site for site in known().values() if site.slug == slug and site.primary), None)
    return own.base + "/" if own else platform_address(f"/p/{slug}/")


def own_address(url: str) -> Site | None:
    """The site of an organisation that ``url`` is an address of; None for any other address, however disguised.

    Scheme and port are the platform's own, and neither a name nor a password comes before the host.
    """
    if any(character <= " " or character in "\\\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
        site = known().get(parts.hostname or "")
    except ValueError:
        return None
    return site if site and parts.netloc == site.netloc and f"{parts.scheme}://{parts.netloc}" == site.base else None


def login_address(site: Site, path: str) -> str:
    """Where somebody who reads ``path`` on a commune's host logs in, to come back to it afterwards."""
    back = f"{reverse('portal:back')}?{urlencode({'vers': site.base + path})}"
    return platform_address(f"{reverse('account_login')}?{urlencode({'next': back})}")


def _names_of_the_platform() -> set[str]:
    return {urlsplit(settings.BASE_URL).hostname or "", *(name.lstrip(".") for name in settings.ALLOWED_HOSTS)}


def as_sent(text: str) -> str:
    """The host as a browser sends it: lower case, accents in Punycode. Raises ``HostRefused``."""
    name = text.strip().rstrip(".").lower()
    try:
        name = name.encode("idna").decode()
        validate_host(name)
    except (UnicodeError, ValidationError):
        raise HostRefused(
            "Ce n’est pas un nom de domaine complet : écrivez par exemple « services.juvignac.fr », sans « https:// »."
        ) from None
    return name


def add_host(organisation: Organisation, text: str, *, primary: bool, actor: Actor) -> HostName:
    """Have ``text`` show the public pages of the organisation; a principal host replaces the former one.

    Raises ``HostRefused`` for a name that is malformed, the platform's own, or already given.
    """
    name = as_sent(text)
    if name in _names_of_the_platform():
        raise HostRefused("Ce nom est celui de la plateforme elle-même : il ne peut pas être donné.")
    with acting_for(organisation):
        if HostName.objects.filter(host=name).exists():
            raise HostRefused("Ce nom de domaine est déjà donné à une organisation.")
        if primary:
            HostName.objects.filter(organisation=organisation, primary=True).update(primary=False)
        added = HostName.objects.create(organisation=organisation, host=name, primary=primary)
        record(
            organisation,
            "hote.ajoute",
            subject=("hote", added.pk),
            actor=actor,
            details={"host": name, "primary": primary},
        )
    transaction.on_commit(forget)
    forget()
    return added


def remove_host(host: HostName, *, actor: Actor) -> None:
    """Stop answering on this host."""
    with acting_for(host.organisation):
        record(host.organisation, "hote.retire", subject=("hote", host.pk), actor=actor, details={"host": host.host})
        host.delete()
    transaction.on_commit(forget)
    forget()

"""What a citizen's space shows: requests and documents that packages register, and the communes dealt with.

A package registers from its ``AppConfig.ready``::

    space.register_requests("demandes", find)     # find(request) -> list[Item], newest first
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest

from parvis.core.organisations.models import Organisation

SHOWN: Final = 20


@dataclass(frozen=True)
class Item:
    """A request made, or a document received; ``state`` is its chip and ``kind`` the chip's colour."""

    title: str
    url: str
    organisation: Organisation
    at: datetime
    state: str = ""
    kind: str = ""


Find = Callable[[HttpRequest], list[Item]]

_requests: dict[str, Find] = {}
_documents: dict[str, Find] = {}


def register_requests(code: str, find: Find) -> None:
    """Show in « Mes demandes » what ``find(request)`` gives; it runs in the scope of ``account_view``."""
    _requests[code] = find


def register_documents(code: str, find: Find) -> None:
    """Show in « Mes documents » what ``find(request)`` gives; it runs in the scope of ``account_view``."""
    _documents[code] = find


def _newest(sources: dict[str, Find], request: HttpRequest) -> list[Item]:
    found = [item for find in sources.values() for item in find(request)]
    return sorted(found, key=lambda item: item.at, reverse=True)[:SHOWN]


def requests_of(request: HttpRequest) -> list[Item]:
    """The person's requests, in whatever commune, newest first."""
    return _newest(_requests, request)


def documents_of(request: HttpRequest) -> list[Item]:
    """The documents that communes put at the person's disposal, newest first."""
    return _newest(_documents, request)

"""What may be searched: each package registers how its own things are found, by whoever is allowed to see them.

A package registers from its ``AppConfig.ready``::

    searching.register("actes", "Actes publiés", find_public_acts, rank=40)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q
from django.http import HttpRequest

MOST_WORDS: Final = 6
MOST_CHARACTERS: Final = 100
IN_ALL: Final = 5
IN_ONE: Final = 50


@dataclass(frozen=True)
class Found:
    """One thing found; ``detail`` says what distinguishes it, ``state`` its chip and ``kind`` the chip's colour."""

    title: str
    url: str
    detail: str = ""
    state: str = ""
    kind: str = ""


Find = Callable[[HttpRequest, str, int], list[Found]]
"""``find(request, terms, most)``: at most ``most`` things that hold every word, the best first, and nothing that the
person of the request may not read; it runs in the scope of ``account_view``."""


@dataclass(frozen=True)
class Source:
    code: str
    label: str
    find: Find
    rank: int


@dataclass(frozen=True)
class Group:
    """What one source found; ``more`` when it was cut."""

    code: str
    label: str
    items: list[Found]
    more: bool


_sources: dict[str, Source] = {}


def register(code: str, label: str, find: Find, *, rank: int = 100) -> None:
    """Have the search look there too (its last registration wins)."""
    _sources[code] = Source(code, label, find, rank)


def sources() -> list[Source]:
    return sorted(_sources.values(), key=lambda source: (source.rank, source.label))


def cleaned(text: str) -> str:
    """What is searched for, from what was typed: no null character, one space between words, a bounded length."""
    return " ".join(text.replace("\x00", "").split()[:MOST_WORDS])[:MOST_CHARACTERS]


def holding(terms: str, *fields: str) -> Q:
    """The rows of which each word of ``terms`` stands in one of ``fields``; every row where there is no word."""
    wanted = Q()
    for word in terms.split():
        wanted &= reduce(or_, (Q((f"{field}__icontains", word)) for field in fields))
    return wanted


def search(request: HttpRequest, terms: str, only: str = "") -> list[Group]:
    """What every source finds, a few things each; with ``only``, many things of that source."""
    chosen = [source for source in sources() if source.code == only] or sources()
    most = IN_ONE if len(chosen) == 1 else IN_ALL
    groups = []
    for source in chosen:
        found = source.find(request, terms, most + 1)
        if found:
            groups.append(Group(source.code, source.label, found[:most], len(found) > most))
    return groups

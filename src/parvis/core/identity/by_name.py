"""Accounts in the order of their names, narrowed by words and paged by key: all pages cost the same."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan

from parvis.core.identity.models import Account
from parvis.core.web.keyset import PAGE_SIZE

ORDER: Final = ("family_name", "given_name", "pk")


@dataclass(frozen=True)
class NamePage:
    """One page of accounts, with the keys to ask for its neighbours (empty at an end)."""

    accounts: list[Account]
    previous: str = ""
    next: str = ""


def words_of(query: Mapping[str, str]) -> str:
    """What was typed in the filter « Nom ou adresse » (``q``)."""
    return query.get("q", "").replace("\x00", "").strip()[:100]


def named(rows: "QuerySet[Account]", words: str) -> "QuerySet[Account]":
    """Those whose name or address holds every word."""
    for word in words.split():
        rows = rows.filter(Q(given_name__icontains=word) | Q(family_name__icontains=word) | Q(email__icontains=word))
    return rows


def page_by_name(rows: "QuerySet[Account]", query: Mapping[str, str], *, size: int = PAGE_SIZE) -> NamePage:
    """The page of ``rows`` that ``query`` asks for (``apres`` or ``avant`` a key).

    One query, one row more than shown.
    """
    after, before = _parse(query.get("apres", "")), _parse(query.get("avant", ""))
    if before:
        backwards = rows.filter(TupleLessThan(ORDER, before)).order_by(*(f"-{name}" for name in ORDER))
        found = list(backwards[: size + 1])
        shown = found[:size][::-1]
        previous, following = len(found) > size, bool(shown)
    else:
        if after:
            rows = rows.filter(TupleGreaterThan(ORDER, after))
        found = list(rows.order_by(*ORDER)[: size + 1])
        shown = found[:size]
        previous, following = bool(after and shown), len(found) > size
    return NamePage(
        shown,
        _key(shown[0]) if previous and shown else "",
        _key(shown[-1]) if following and shown else "",
    )


def _key(account: Account) -> str:
    content = json.dumps([account.family_name, account.given_name, account.pk], ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _parse(text: str) -> tuple[str, str, int] | None:
    """The key written in an address; None for anything else (the list then begins at its start)."""
    try:
        family, given, pk = json.loads(base64.urlsafe_b64decode(text[:1000] + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None
    well = isinstance(family, str) and isinstance(given, str) and type(pk) is int and 0 <= pk < 2**63
    return (family, given, pk) if well and "\x00" not in family + given else None

"""Accounts in the order of their names, narrowed by words and paged by key: all pages cost the same."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Final

from django.db.models import QuerySet

from parvis.core.identity.models import Account
from parvis.core.web.keyset import PAGE_SIZE, Page, page_by
from parvis.core.web.searching import holding

ORDER: Final = ("family_name", "given_name", "pk")


def words_of(query: Mapping[str, str]) -> str:
    """What was typed in the filter « Nom ou adresse » (``q``)."""
    return query.get("q", "").replace("\x00", "").strip()[:100]


def named(rows: "QuerySet[Account]", words: str) -> "QuerySet[Account]":
    """Those whose name or address holds every word."""
    return rows.filter(holding(words, "given_name", "family_name", "email"))


def page_by_name(rows: "QuerySet[Account]", query: Mapping[str, str], *, size: int = PAGE_SIZE) -> Page[Account]:
    """The page of ``rows`` that ``query`` asks for (``apres`` or ``avant`` a key)."""
    return page_by(rows, ORDER, _parse(query.get("apres", "")), _parse(query.get("avant", "")), key=_key, size=size)


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

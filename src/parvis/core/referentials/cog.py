"""Countries and communes of INSEE's Code officiel géographique, read from the folder of the referentials.

A country is five digits (``99100`` is France), a commune five characters (``34172``, ``2A004``). Former countries and
associated, delegated or abolished communes are known too when the lists hold them: people were born there. Without
the files every list is empty, and callers keep a code whose name they cannot tell.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from parvis.core.referentials.schemas import path_of

FRANCE: Final = "99100"
COUNTRY: Final = re.compile(r"99\d{3}")
COMMUNE: Final = re.compile(r"(?:\d{2}|2[AB])\d{3}")
_PRESENT: Final = ("COM", "ARM")


def countries() -> dict[str, str]:
    """French name of each present country by its code, {} without the list."""
    path = path_of("identity/cog-country-iso2.csv")
    return _countries(path, path.stat().st_mtime_ns) if path else {}


def country_name(code: str) -> str:
    """Name of a country, former ones included; "" when nobody knows the code."""
    path = path_of("identity/cog-country.csv")
    former = _former(path, path.stat().st_mtime_ns) if path else {}
    return countries().get(code) or former.get(code, "")


def commune_name(code: str) -> str:
    """Name of a commune; "" when the list lacks the code (communes abolished long ago are not in it)."""
    return _communes()[0].get(code, "")


def communes_called(name: str) -> list[tuple[str, str]]:
    """(code, name) of the present communes called ``name``, accents, case and hyphens apart."""
    names, by_key = _communes()
    return [(code, names[code]) for code in by_key.get(folded(name), ())]


def installed() -> bool:
    """True when both lists are there."""
    return bool(countries()) and bool(_communes()[0])


def folded(name: str) -> str:
    """``name`` in plain capitals: no accent, every other sign a space; « St » and « Ste » are written out."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).upper()
    words = re.findall(r"[A-Z0-9]+", plain.replace("Œ", "OE"))
    return " ".join({"ST": "SAINT", "STE": "SAINTE"}.get(word, word) for word in words)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        yield from rows


@lru_cache(maxsize=2)
def _countries(path: Path, _version: int) -> dict[str, str]:
    return {row[0]: row[1] for row in _rows(path) if len(row) > 1}


@lru_cache(maxsize=2)
def _former(path: Path, _version: int) -> dict[str, str]:
    """Names of cog-country.csv by the code in its first column; the present name wins over an old one."""
    found: dict[str, str] = {}
    for row in _rows(path):
        name = ", ".join(cell for cell in row[3:] if cell)
        if len(row) > 3 and (row[0] not in found or (row[3] and not row[1])):
            found[row[0]] = name.title()
    return found


def _communes() -> tuple[dict[str, str], dict[str, list[str]]]:
    path = path_of("identity/cog-commune.csv")
    return _read_communes(path, path.stat().st_mtime_ns) if path else ({}, {})


@lru_cache(maxsize=2)
def _read_communes(path: Path, _version: int) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Names by code, and codes of the present communes by folded name."""
    names: dict[str, str] = {}
    by_key: dict[str, list[str]] = {}
    for row in _rows(path):
        kind, code, name = row[0], row[1], row[9]
        if kind in _PRESENT or code not in names:
            names[code] = name
        if kind in _PRESENT:
            by_key.setdefault(folded(name), []).append(code)
    return names, by_key

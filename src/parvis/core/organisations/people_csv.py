"""Reads a file of agents: UTF-8 or Windows-1252, semicolons or commas, one mandate per line (RFC 4180).

Nothing is looked up here: a line is well formed or says what is wrong with it and the way out.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from parvis.core.errors import DomainError
from parvis.core.identity import addresses

MAX_SIZE: Final = 2 * 1024 * 1024
MAX_ROWS: Final = 20_000
# Column, longest value, whether every line must fill it.
COLUMNS: Final[dict[str, tuple[int, bool]]] = {
    "matricule": (40, False),
    "prenom": (80, True),
    "nom": (80, True),
    "courriel": (254, True),
    "role": (120, True),
    "qualite": (120, False),
    "service": (120, False),
    "debut": (10, False),
    "fin": (10, False),
}
REQUIRED: Final = tuple(name for name, (_, required) in COLUMNS.items() if required)
ALIASES: Final = {
    "email": "courriel", "mail": "courriel", "e-mail": "courriel", "adresse electronique": "courriel",
    "date de debut": "debut", "date de fin": "fin",
}  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


class FileRefused(DomainError):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Line:
    """One line: its number in the file, the values by column, and what is wrong with it ("" when nothing is)."""

    number: int
    values: dict[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class People:
    """A file of agents as read: how it was encoded, its separator, its lines."""

    encoding: str
    delimiter: str
    lines: list[Line]


def read(content: bytes, key: str = "courriel") -> People:
    """The lines of a file; raises ``FileRefused``. ``key`` is the column that identifies a person.

    A line that names the same person and role as an earlier one is wrong.
    """
    table = read_table(content, ALIASES)
    check_header(table.header, dict.fromkeys((*REQUIRED, key)), COLUMNS)
    if len(table.rows) > MAX_ROWS:
        raise FileRefused(f"Le fichier compte plus de {MAX_ROWS} lignes : partagez-le en plusieurs.")
    return People(table.encoding, table.delimiter, list(_lines(table.rows, table.header, key)))


@dataclass(frozen=True)
class Table:
    """A file with its titles, made plain, and its rows: (number of the last line in the file, cells)."""

    encoding: str
    delimiter: str
    header: list[str]
    rows: list[tuple[int, list[str]]]


def read_table(content: bytes, aliases: Mapping[str, str]) -> Table:
    """The titles and rows of a file of people; raises ``FileRefused``. ``aliases`` are other names of columns."""
    text, encoding = _decoded(content)
    delimiter = ";" if text.partition("\n")[0].count(";") >= text.partition("\n")[0].count(",") else ","
    csv.field_size_limit(MAX_SIZE)
    try:
        rows = list(_rows(text, delimiter))
    except csv.Error as error:
        raise FileRefused(
            "Le fichier n’est pas un tableau CSV lisible : enregistrez-le de nouveau depuis votre tableur, au format "
            "« CSV UTF-8 ».",
            cause=str(error),
        ) from error
    if not rows:
        raise FileRefused("Le fichier est vide : sa première ligne doit porter le nom des colonnes.")
    if len(rows) == 1:
        raise FileRefused("Le fichier ne contient aucune personne : seule la ligne des titres est remplie.")
    return Table(encoding, delimiter, [_column(cell, aliases) for cell in rows[0][1]], rows[1:])


def _decoded(content: bytes) -> tuple[str, str]:
    if len(content) > MAX_SIZE:
        raise FileRefused("Le fichier dépasse 2 Mo : partagez-le en plusieurs.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        raise FileRefused(
            "Le fichier n’est ni en UTF-8 ni en Latin-1, ou ce n’est pas du texte : enregistrez-le depuis votre "
            "tableur au format « CSV UTF-8 »."
        )
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), "Latin-1"
    except UnicodeDecodeError as error:
        raise FileRefused(
            "L’encodage du fichier n’a pas été reconnu : enregistrez-le depuis votre tableur au format « CSV UTF-8 »."
        ) from error


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its last line in the file, cells) of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _column(cell: str, aliases: Mapping[str, str]) -> str:
    plain = unicodedata.normalize("NFKD", cell.strip().casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return aliases.get(plain, plain)


def check_header(header: list[str], required: Iterable[str], known: Container[str]) -> None:
    """Refuse a file that lacks a column it must have, or that has one of the ``known`` twice."""
    if missing := [name for name in required if name not in header]:
        raise FileRefused(
            f"Il manque la colonne « {' », « '.join(missing)} » : partez du modèle à télécharger, dont la première "
            "ligne donne le nom des colonnes."
        )
    used = [name for name in header if name in known]
    if len(used) != len(set(used)):
        raise FileRefused("Une colonne figure deux fois dans la première ligne : n’en gardez qu’une.")


def _lines(rows: list[tuple[int, list[str]]], header: list[str], key: str) -> Iterator[Line]:
    seen: dict[tuple[str, str], int] = {}
    for number, cells in rows:
        values = dict.fromkeys(COLUMNS, "")
        values |= {name: " ".join(cell.split()) for name, cell in zip(header, cells, strict=False) if name in COLUMNS}
        values["courriel"], misspelt = _address(values["courriel"])
        problem = "" if len(cells) <= len(header) else "La ligne a plus de cases que de colonnes : vérifiez les « ; »."
        problem = problem or _problem(values, key) or misspelt
        identity = (values[key].casefold(), values["role"].casefold())
        if not problem and identity in seen:
            problem = f"La même personne a déjà ce rôle à la ligne {seen[identity]} : gardez une seule des deux lignes."
        seen.setdefault(identity, number)
        yield Line(number, {name: CONTROL.sub("", value)[:254] for name, value in values.items()}, problem)


def _address(typed: str) -> tuple[str, str]:
    """The address as accounts know it, and what is wrong with it ("" when nothing is)."""
    try:
        return addresses.canonical(typed), ""
    except addresses.AddressRefused as refused:
        sentence = f"« {typed[:80]} » n’est pas une adresse électronique acceptée. {refused.sentence}"
        return typed.lower(), sentence


def _problem(values: dict[str, str], key: str) -> str:
    for name, (longest, required) in COLUMNS.items():
        value = values[name]
        if (required or name == key) and not value:
            return f"La colonne « {name} » est vide : remplissez-la."
        if len(value) > longest:
            return f"La colonne « {name} » dépasse {longest} caractères : raccourcissez-la."
        if CONTROL.search(value):
            return f"La colonne « {name} » contient un caractère invisible : saisissez-la de nouveau."
        if value.startswith(FORMULA):
            return f"La colonne « {name} » commence par « {value[0]} », comme une formule : retirez ce caractère."
    try:
        start, end = day(values["debut"]), day(values["fin"])
    except ValueError:
        return "Une date n’est pas lisible : écrivez-la 01/09/2019 ou 2019-09-01."
    if start and end and end < start:
        return "La fin précède le début : corrigez l’une des deux dates."
    return ""


def day(text: str) -> date | None:
    """The day written ``31/12/2019`` or ``2019-12-31``; None when empty; raises ValueError."""
    if not text:
        return None
    if "/" in text:
        text = "-".join(reversed(text.split("/")))
    found = date.fromisoformat(text)
    if not 1900 <= found.year <= 2200:
        raise ValueError(text)
    return found

"""Rows of the « Délibérations » table, national schema SCDL version 2.1.5 (OpenDataFrance, 28 August 2023).

The checks bear the code names of the Table Schema validators (``constraint-error``, ``sum-columns-value``…),
so that a refusal here and a refusal by Validata read alike. Two rules go further than Validata, which only
states them in words: the shape of ``PREF_ID`` and the existence of the matière in the ACTES nomenclature.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from parvis.core.referentials.sirene import siret_holds

SCHEMA_NAME = "scdl/deliberations"
SCHEMA_VERSION = "2.1.5"
SCHEMA_URL = "https://schema.data.gouv.fr/scdl/deliberations/2.1.5/"

REQUIRED = (
    "COLL_NOM",
    "COLL_SIRET",
    "DELIB_ID",
    "DELIB_DATE",
    "DELIB_MATIERE_CODE",
    "DELIB_MATIERE_NOM",
    "DELIB_OBJET",
)
VOTES = ("VOTE_EFFECTIF", "VOTE_REEL", "VOTE_POUR", "VOTE_CONTRE", "VOTE_ABSTENTION")
COLUMNS = (*REQUIRED, "BUDGET_ANNEE", "BUDGET_NOM", "PREF_ID", "PREF_DATE", *VOTES, "DELIB_URL")

# First level of the ACTES nomenclature, and how many second-level codes each has.
MATIERES = {
    1: ("commande publique", 7),
    2: ("urbanisme", 3),
    3: ("domaine et patrimoine", 6),
    4: ("fonction publique", 5),
    5: ("institutions et vie politique", 8),
    6: ("libertés publiques et pouvoirs de police", 5),
    7: ("finances locales", 10),
    8: ("domaines de compétences par thèmes", 9),
    9: ("autres domaines de compétences", 4),
}

_DEPARTEMENT = r"(0\d\d|02[AB]|97\d)"
_PREF_ID = re.compile(rf"(PREF{_DEPARTEMENT}|SPREF{_DEPARTEMENT}\d|SGAR{_DEPARTEMENT})")
_YEARS = re.compile(r"(\d{4})(?:/(\d{4}))?")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """One thing to correct: ``column`` and ``line`` (1 is the header) say where, ``sentence`` says what."""

    code: str
    column: str
    sentence: str
    line: int | None = None


@dataclass(frozen=True)
class Vote:
    """Counts of one ballot; ``blancs`` and ``nuls`` exist in a secret ballot only."""

    en_exercice: int
    votants: int
    pour: int
    contre: int
    abstention: int
    blancs: int = 0
    nuls: int = 0


@dataclass(frozen=True)
class Deliberation:
    """What one row says; ``matiere`` is an ACTES code of any depth, ``matiere_label`` its first labels."""

    collectivite: str
    siret: str
    numero: str
    seance: date
    matiere: str
    matiere_label: str
    objet: str
    budget_annee: str = ""
    budget_nom: str = ""
    prefecture: str = ""
    recue_le: date | None = None
    vote: Vote | None = None
    url: str = ""


def matiere_code(code: str) -> str:
    """The second-level ACTES code of ``code``: « 5.7.2 » gives « 5.7 »; a shorter code is left as it is."""
    return ".".join(code.strip().split(".")[:2])


def matiere_name(label: str) -> str:
    """``label`` (« Niveau 1/Niveau 2 ») in lower case, without comma, bracket nor space around the slash."""
    first, slash, second = re.sub(r"[,()]", " ", label).lower().partition("/")
    tidy = [" ".join(part.replace("/", " ").split()) for part in (first, second)]
    return tidy[0] + slash + tidy[1]


def row_of(deliberation: Deliberation) -> dict[str, str]:
    """The seventeen cells of ``deliberation``, by column name and in order.

    Without a vote (« prend acte ») the five counts stay empty. Blank and void ballots are counted among the
    abstentions, so that the sum that the schema checks holds.
    """
    vote = deliberation.vote
    counts = (
        (
            vote.en_exercice,
            vote.votants,
            vote.pour,
            vote.contre,
            vote.abstention + vote.blancs + vote.nuls,
        )
        if vote
        else ("",) * len(VOTES)
    )
    values = (
        deliberation.collectivite,
        deliberation.siret,
        deliberation.numero,
        deliberation.seance.isoformat(),
        matiere_code(deliberation.matiere),
        matiere_name(deliberation.matiere_label),
        " ".join(deliberation.objet.split()),
        deliberation.budget_annee,
        deliberation.budget_nom,
        deliberation.prefecture,
        deliberation.recue_le.isoformat() if deliberation.recue_le else "",
        *counts,
        deliberation.url,
    )
    return dict(zip(COLUMNS, map(str, values), strict=True))


# --- checks ------------------------------------------------------------------------------------
def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except ValueError:
        return None


def check_row(cells: Cells, line: int | None = None) -> list[Finding]:
    """Everything the schema does not allow in one row; ``cells`` are texts by column name, "" when empty."""
    return [Finding(code, column, sentence, line) for code, column, sentence in _findings(cells)]


def _findings(cells: Cells) -> Iterator[tuple[str, str, str]]:
    value = {column: cells.get(column) or "" for column in COLUMNS}
    for column in REQUIRED:
        if not value[column].strip():
            yield "constraint-error", column, f"La colonne {column} est vide alors qu’elle est obligatoire."
    yield from _check_identity(value)
    yield from _check_matiere(value)
    yield from _check_budget(value)
    yield from _check_prefecture(value)
    yield from _check_vote(value)
    if value["DELIB_URL"] and not _is_url(value["DELIB_URL"]):
        yield (
            "type-error",
            "DELIB_URL",
            f"« {value['DELIB_URL']} » n’est pas une adresse internet complète (« https://… »).",
        )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\s<>\"{}|\\^`]", text)


def _check_identity(value: Cells) -> Iterator[tuple[str, str, str]]:
    siret = value["COLL_SIRET"]
    if siret and not re.fullmatch(r"[0-9]{14}", siret):
        yield (
            "constraint-error",
            "COLL_SIRET",
            f"Le SIRET « {siret} » doit compter quatorze chiffres sans espace.",
        )
    elif siret and not siret_holds(siret):
        yield (
            "french-siret-value",
            "COLL_SIRET",
            f"Le SIRET {siret} est inexact : sa clé de contrôle ne correspond pas. "
            "Reprenez-le sur l’avis de situation de la collectivité.",
        )
    for column in ("DELIB_DATE", "PREF_DATE"):
        if value[column] and _as_date(value[column]) is None:
            yield (
                "type-error",
                column,
                f"La date « {value[column]} » de {column} doit s’écrire AAAA-MM-JJ, par exemple 2019-07-01.",
            )


def _check_matiere(value: Cells) -> Iterator[tuple[str, str, str]]:
    code, name = value["DELIB_MATIERE_CODE"], value["DELIB_MATIERE_NOM"]
    if code and not re.fullmatch(r"[0-9]\.[0-9]{1,2}", code):
        yield (
            "constraint-error",
            "DELIB_MATIERE_CODE",
            f"Le code de matière « {code} » doit être de niveau 2 exactement, par exemple 5.7 ou 7.10.",
        )
    elif code:
        first, second = map(int, code.split("."))
        if first not in MATIERES or not 1 <= second <= MATIERES[first][1]:
            yield (
                "nomenclature-actes-value",
                "DELIB_MATIERE_CODE",
                f"Le code de matière {code} n’existe pas dans la nomenclature ACTES.",
            )
    if not name:
        return
    first_label, slash, second_label = name.partition("/")
    if not slash or not second_label.strip():
        sentence = f"Le nom de matière « {name} » doit donner les deux niveaux de la nomenclature séparés par « / »."
    elif first_label != first_label.rstrip() or second_label != second_label.lstrip():
        sentence = f"Dans le nom de matière « {name} », aucune espace ne doit entourer la barre oblique."
    elif _folded(first_label) not in {_folded(label) for label, _ in MATIERES.values()}:
        sentence = f"« {first_label} » n’est pas une matière de premier niveau de la nomenclature ACTES."
    else:
        return
    yield "nomenclature-actes-value", "DELIB_MATIERE_NOM", sentence


def _check_budget(value: Cells) -> Iterator[tuple[str, str, str]]:
    years, name = value["BUDGET_ANNEE"], value["BUDGET_NOM"]
    if bool(years) != bool(name):
        yield (
            "cohesive-columns-value",
            "BUDGET_ANNEE",
            "BUDGET_ANNEE et BUDGET_NOM vont ensemble : remplissez les deux ou laissez les deux vides.",
        )
    if not years:
        return
    match = _YEARS.fullmatch(years)
    if not match:
        yield (
            "constraint-error",
            "BUDGET_ANNEE",
            f"L’année de budget « {years} » doit s’écrire AAAA, ou AAAA/AAAA pour une période.",
        )
    elif match[2] and match[1] >= match[2]:
        yield (
            "year-interval-value",
            "BUDGET_ANNEE",
            f"La période de budget « {years} » doit aller d’une année à une année postérieure.",
        )


def _check_prefecture(value: Cells) -> Iterator[tuple[str, str, str]]:
    prefecture = value["PREF_ID"]
    if prefecture and not _PREF_ID.fullmatch(prefecture):
        yield (
            "constraint-error",
            "PREF_ID",
            f"« {prefecture} » ne désigne pas une préfecture : écrivez PREF034, SPREF0342 ou SGAR034.",
        )
    adopted, received = _as_date(value["DELIB_DATE"]), _as_date(value["PREF_DATE"])
    if adopted and received and received < adopted:
        yield (
            "compare-columns-value",
            "PREF_DATE",
            "La date de réception en préfecture précède la date de la délibération.",
        )


def _check_vote(value: Cells) -> Iterator[tuple[str, str, str]]:
    filled = [column for column in VOTES if value[column]]
    if not filled:
        return
    if len(filled) < len(VOTES):
        missing = ", ".join(column for column in VOTES if column not in filled)
        yield (
            "cohesive-columns-value",
            "VOTE_EFFECTIF",
            f"Les cinq colonnes du vote vont ensemble : il manque {missing}.",
        )
        return
    for column in VOTES:
        if not re.fullmatch(r"[0-9]{1,6}", value[column]):
            yield "type-error", column, f"« {value[column]} » dans {column} n’est pas un nombre entier."
            return
    members, voters, pour, contre, abstention = (int(value[column]) for column in VOTES)
    if members < voters:
        yield (
            "compare-columns-value",
            "VOTE_EFFECTIF",
            f"Il y a plus de votants ({voters}) que de membres en exercice ({members}).",
        )
    for column, count in (("VOTE_POUR", pour), ("VOTE_CONTRE", contre), ("VOTE_ABSTENTION", abstention)):
        if count > voters:
            yield (
                "compare-columns-value",
                "VOTE_REEL",
                f"{column} compte {count} voix pour {voters} votants seulement.",
            )
    if pour + contre + abstention != voters:
        yield (
            "sum-columns-value",
            "VOTE_REEL",
            f"{pour} pour, {contre} contre et {abstention} abstentions font {pour + contre + abstention} "
            f"voix, et non {voters} votants.",
        )


def check_file(content: bytes) -> list[Finding]:
    """Check a whole CSV file: encoding, header, rows, and each DELIB_ID once.

    UTF-8 with or without byte-order mark; comma or semicolon. Extra columns are ignored, their order is free.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [
            Finding(
                "encoding-error",
                "",
                f"Le fichier n’est pas en UTF-8 (octet {error.start + 1}) : enregistrez-le en « CSV UTF-8 ».",
            )
        ]
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    header = reader.fieldnames or []
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        return [
            Finding(
                "missing-required-header",
                column,
                f"La colonne obligatoire {column} est absente. Son nom s’écrit en capitales.",
                1,
            )
            for column in missing
        ]
    findings: list[Finding] = []
    seen: Counter[str] = Counter()
    for cells in reader:
        line = reader.line_num
        findings += check_row(cells, line)
        identifier = cells.get("DELIB_ID") or ""
        seen[identifier] += 1
        if identifier and seen[identifier] == 2:
            sentence = f"La délibération « {identifier} » figure deux fois."
            findings.append(Finding("unique-error", "DELIB_ID", sentence, line))
    return findings


# --- writing -----------------------------------------------------------------------------------
def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV text, header first: comma, CRLF, quotes only where RFC 4180 needs them. Encode it in UTF-8.

    ``rows`` hold the seventeen values in the order of ``COLUMNS``; None is written as an empty cell.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(["" if value is None else value for value in row])
        if buffer.tell() > 32_768:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()

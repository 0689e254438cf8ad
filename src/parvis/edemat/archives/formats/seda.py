"""Vocabulary of the SEDA messages (NF Z44-022, versions 2.0 to 2.3) that the service writes and reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

NAMESPACE_STEM = "fr:gouv:culture:archivesdefrance:seda:v"
WRITTEN_VERSION = "2.2"
READ_VERSIONS = ("2.0", "2.1", "2.2", "2.3")

# Reply codes of the standard (list published with SEDA 0.2 and kept since), with our own wording.
REPLY_CODES = {
    "000": "Transfert accepté",
    "001": "Transfert accepté avec des remarques",
    "002": "Demande transmise aux autorités de contrôle",
    "101": "Message mal formé",
    "102": "Système momentanément indisponible",
    "200": "Service producteur inconnu",
    "201": "Service d’archives inconnu",
    "202": "Service versant inconnu",
    "203": "Versement non conforme au profil",
    "204": "Format de fichier non pris en charge",
    "205": "Format de fichier différent du format déclaré",
    "206": "Signature du message invalide",
    "207": "Empreinte invalide",
    "208": "Délai de communication non écoulé",
    "209": "Archive sortie du service",
    "210": "Archive inconnue",
    "211": "Pièce attachée absente",
    "212": "Dérogation refusée",
    "300": "Accord de versement invalide",
    "301": "Quota de versement dépassé",
    "302": "Service producteur hors de l’accord",
    "303": "Service versant hors de l’accord",
    "304": "Service d’archives hors de l’accord",
    "305": "Signature de document absente",
    "306": "Volume hors de l’accord",
    "307": "Format hors de l’accord",
    "308": "Empreinte non transmise",
    "309": "Message non signé",
    "310": "Signature de document non valide",
    "311": "Signature de document non vérifiée",
    "312": "Versement hors des dates de l’accord",
}


class Level(StrEnum):
    """Description levels of an archive unit used in what we produce."""

    GROUP = "RecordGrp"
    FILE = "File"
    ITEM = "Item"


class Category(StrEnum):
    """Families of management rules, in the order the schema wants them."""

    STORAGE = "StorageRule"
    APPRAISAL = "AppraisalRule"
    ACCESS = "AccessRule"
    DISSEMINATION = "DisseminationRule"
    REUSE = "ReuseRule"
    CLASSIFICATION = "ClassificationRule"
    HOLD = "HoldRule"


class Usage(StrEnum):
    """Usages of a technical version inside a group of objects."""

    MASTER = "BinaryMaster"
    DISSEMINATION = "Dissemination"
    THUMBNAIL = "Thumbnail"
    TEXT = "TextContent"
    PHYSICAL = "PhysicalMaster"


def namespace(version: str) -> str:
    """XML namespace of a SEDA 2.x version such as ``2.2``."""
    return NAMESPACE_STEM + version


@dataclass(frozen=True)
class Party:
    """An organisation named in a message: its identifier and, for readers, its name."""

    identifier: str
    name: str = ""


@dataclass(frozen=True)
class Rule:
    """One management rule and the day its delay starts from."""

    identifier: str
    start: date | None = None


@dataclass(frozen=True)
class RuleSet:
    """What one unit says about one family of rules."""

    category: Category
    rules: tuple[Rule, ...] = ()
    final_action: str = ""
    prevent_inheritance: bool | None = None
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Keyword:
    """Index term: ``kind`` is one of corpname, subject, genreform, geogname, persname, function…"""

    content: str
    reference: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happened to a unit or to a message."""

    code: str
    at: date | datetime
    detail: str = ""
    outcome: str = ""
    outcome_detail: str = ""
    message: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Binary:
    """A file of the package: ``sha512`` in hexadecimal, ``size`` in bytes, ``puid`` as in PRONOM."""

    id: str
    uri: str
    sha512: str
    size: int
    filename: str
    usage: Usage = Usage.MASTER
    puid: str = ""
    mime_type: str = ""
    format_name: str = ""


@dataclass(frozen=True)
class ObjectGroup:
    """The technical versions of one and the same content."""

    id: str
    binaries: tuple[Binary, ...]


@dataclass(frozen=True)
class Unit:
    """An archive unit: description, rules, sub-units and the group of objects it points to."""

    id: str
    title: str
    level: Level
    description: str = ""
    system_id: str = ""
    originating_system_id: str = ""
    originating_identifier: str = ""
    transferring_identifier: str = ""
    document_type: str = ""
    language: str = ""
    keywords: tuple[Keyword, ...] = ()
    originating_agency: Party | None = None
    created: date | None = None
    transacted: date | None = None
    sent: date | datetime | None = None
    received: date | datetime | None = None
    start: date | None = None
    end: date | None = None
    events: tuple[Event, ...] = ()
    rules: tuple[RuleSet, ...] = ()
    group: ObjectGroup | None = None
    children: tuple["Unit", ...] = ()

    def walk(self) -> Iterator["Unit"]:
        """This unit then all those under it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class ArchiveTransfer:
    """The message by which a service hands archives over (NF Z44-022, transfer transaction)."""

    identifier: str
    date: datetime
    comment: str
    agreement: str
    archival_agency: Party
    transferring_agency: Party
    originating_agency: str
    units: tuple[Unit, ...]
    profile: str = ""
    submission_agency: str = ""
    legal_status: str = "Public Archive"
    rules: tuple[RuleSet, ...] = ()

    def groups(self) -> Iterator[ObjectGroup]:
        """Every group of objects, in the order of the tree."""
        for root in self.units:
            for unit in root.walk():
                if unit.group:
                    yield unit.group


@dataclass(frozen=True)
class Acknowledgement:
    """Proof that a message was received; says nothing of its acceptance."""

    identifier: str
    date: datetime
    received_identifier: str
    sender: Party
    receiver: Party
    comment: str = ""


@dataclass(frozen=True)
class UnitIdentity:
    """What the reply says of a unit: its identifier in the message and the one the service gave it."""

    id: str
    system_id: str


@dataclass(frozen=True)
class ArchiveTransferReply:
    """The answer to a transfer: one code, and one event per control that failed or calls for attention."""

    identifier: str
    date: datetime
    request_identifier: str
    code: str
    archival_agency: Party
    transferring_agency: Party
    agreement: str = ""
    comment: str = ""
    granted: datetime | None = None
    events: tuple[Event, ...] = ()
    units: tuple[UnitIdentity, ...] = field(default=())

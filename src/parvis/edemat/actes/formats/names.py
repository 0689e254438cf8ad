"""Names of acts, messages, pieces, envelopes and archives, as the technical rules of ACTES fix them."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from parvis.core.errors import DomainError
from parvis.edemat.actes.formats.natures import BY_ABBREVIATION, NATURES

DEPARTEMENT = re.compile(r"[09][0-9][AB0-9]")
SIREN = re.compile(r"[0-9]{9}")
PIECE_CODE = re.compile(r"[A-Z0-9_]{5}")
EXTENSION = re.compile(r"[a-z0-9]{1,5}")
MAX_SERIAL = 9999

_ID = re.compile(
    r"(?P<departement>[09][0-9][AB0-9])-(?P<siren>[0-9]{9})-(?P<date>[0-9]{8})"
    r"-(?P<numero>[a-zA-Z0-9_]{1,15})-(?P<nature>[A-Z]{2})"
)
_PIECE = re.compile(
    r"(?:(?P<code>[A-Z0-9_]{5})-)?(?P<departement>[0-9AB|]{3})-(?P<siren>[0-9]{9})-(?P<date>[0-9]{8})?"
    r"-(?P<numero>[a-zA-Z0-9_]*)-(?P<nature>[A-Z]{2})?-(?P<message>[1-7]-[1-5])_(?P<rank>[0-9]+)\.(?P<extension>\w+)"
)
_ENVELOPE = re.compile(r"(?P<kind>[ET])ACT--(?P<siren>[0-9]{9})--(?P<day>[0-9]{8})-(?P<serial>[0-9]{1,4})\.xml")
_INBOUND_ENVELOPE = re.compile(r"[ET]ACT--(SGAR|PREF|SPREF)[0-9AB]{3,4}-(?P<siren>[0-9]{9})-[0-9]{8}-[0-9]+\.xml")
_ANOMALY = re.compile(r"ANO_(?P<envelope>[ET]ACT--[0-9]{9}--[0-9]{8}-[0-9]{1,4}\.xml)")


class InvalidName(DomainError):
    """A name does not follow the rules."""


class SerialExhausted(DomainError):
    """The authority has used its 9 999 envelopes of the day."""


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a legal day has no zone)
    except ValueError as error:
        raise InvalidName(f"« {text} » n’est pas une date au format AAAAMMJJ.") from error


@dataclass(frozen=True)
class IdActe:
    """Identifiant unique of an act: ``DDD-SIREN-AAAAMMJJ-NUMERO-XX``; ``nature`` is the two-letter form."""

    departement: str
    siren: str
    date: date
    numero: str
    nature: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(str(self)):
            raise InvalidName(f"« {self} » n’est pas un identifiant d’acte (DDD-SIREN-AAAAMMJJ-NUMERO-XX attendu).")

    def __str__(self) -> str:
        return f"{self.departement}-{self.siren}-{self.date:%Y%m%d}-{self.numero}-{self.nature}"

    @classmethod
    def parse(cls, text: str) -> "IdActe":
        """Read an identifier; InvalidName when it does not have the shape."""
        found = _ID.fullmatch(text.strip())
        if not found:
            raise InvalidName(f"« {text} » n’est pas un identifiant d’acte (DDD-SIREN-AAAAMMJJ-NUMERO-XX attendu).")
        return cls(found["departement"], found["siren"], _day(found["date"]), found["numero"], found["nature"])

    @property
    def nature_code(self) -> str:
        """The digit of the nature, "" when the two letters are not in the list."""
        nature = BY_ABBREVIATION.get(self.nature)
        return nature.code if nature else ""


@dataclass(frozen=True)
class PieceName:
    """Name of a file of an act: ``[CODEPJ-]DDD-SIREN-AAAAMMJJ-NUMERO-NAT-T-S_n.ext`` (n = 0 for the XML)."""

    code: str
    departement: str
    siren: str
    date: date | None
    numero: str
    nature: str
    message: str
    rank: int
    extension: str

    @classmethod
    def parse(cls, text: str) -> "PieceName":
        """Read a name leniently (empty fields of returns are allowed); InvalidName when it is something
        else."""
        found = _PIECE.fullmatch(text.strip())
        if not found:
            raise InvalidName(f"Le nom de fichier « {text} » ne suit pas les règles de nommage ACTES.")
        return cls(
            code=found["code"] or "",
            departement=found["departement"],
            siren=found["siren"],
            date=_day(found["date"]) if found["date"] else None,
            numero=found["numero"],
            nature=found["nature"] or "",
            message=found["message"],
            rank=int(found["rank"]),
            extension=found["extension"],
        )


def message_name(acte: IdActe, message: str = "1-1") -> str:
    """Name of the business XML of ``acte``: rank 0, no piece code."""
    return f"{acte}-{message}_0.xml"


def piece_name(acte: IdActe, code: str, rank: int, extension: str, message: str = "1-1") -> str:
    """Name of a file sent with ``acte``: rank 1 for the act, 2 and more for the annexes in order."""
    if not PIECE_CODE.fullmatch(code):
        raise InvalidName(
            f"Le type de pièce « {code} » doit compter 5 caractères (lettres majuscules, chiffres, « _ »)."
        )
    if rank < 1 or not EXTENSION.fullmatch(extension):
        raise InvalidName(f"La pièce n° {rank} ne peut pas porter l’extension « {extension} ».")
    return f"{code}-{acte}-{message}_{rank}.{extension}"


def classification_request_name(departement: str, siren: str) -> str:
    """Name of the business XML of a classification request (message 7-1)."""
    return f"{departement}-{siren}----7-1_0.xml"


@dataclass(frozen=True)
class EnvelopeName:
    """Name of an outgoing envelope: ``EACT--SIREN--AAAAMMJJ-n.xml``, ``TACT`` for a trial without legal
    value."""

    siren: str
    day: date
    serial: int
    test: bool = False

    def __post_init__(self) -> None:
        if self.serial > MAX_SERIAL:
            raise SerialExhausted(
                f"Les {MAX_SERIAL} enveloppes permises par jour sont épuisées pour le {self.day:%d/%m/%Y} : "
                "l’acte partira demain."
            )
        if self.serial < 1 or not SIREN.fullmatch(self.siren):
            raise InvalidName(f"« {self} » n’est pas un nom d’enveloppe.")

    def __str__(self) -> str:
        return f"{'T' if self.test else 'E'}ACT--{self.siren}--{self.day:%Y%m%d}-{self.serial}.xml"

    @classmethod
    def parse(cls, text: str) -> "EnvelopeName":
        found = _ENVELOPE.fullmatch(text.strip())
        if not found:
            raise InvalidName(f"« {text} » n’est pas un nom d’enveloppe.")
        return cls(found["siren"], _day(found["day"]), int(found["serial"]), found["kind"] == "T")

    def archive(self, trigramme: str) -> str:
        """Name of the archive that carries this envelope, prefixed with the operator's trigramme."""
        return f"{trigramme}-{str(self).removesuffix('.xml')}.tar.gz"


def is_inbound_envelope(name: str) -> bool:
    """True for the name of an envelope coming from a préfecture, a sous-préfecture or a SGAR."""
    return _INBOUND_ENVELOPE.fullmatch(name) is not None


def refused_envelope(name: str) -> str:
    """The envelope that an ``ANO_…`` file refuses, or "" when the name is not that of an envelope anomaly."""
    found = _ANOMALY.fullmatch(name)
    return found["envelope"] if found else ""


def siren_in(name: str) -> str:
    """The SIREN of the authority that a returned file concerns, read in its name only; "" when there is
    none."""
    inbound = _INBOUND_ENVELOPE.fullmatch(name)
    if inbound:
        return inbound["siren"]
    refused = refused_envelope(name)
    if refused:
        return EnvelopeName.parse(refused).siren
    try:
        return PieceName.parse(name).siren
    except InvalidName:
        return ""


def nature_letters(code: str) -> str:
    """The two letters of a nature given by its digit; InvalidName when there is no such nature."""
    if code not in NATURES:
        raise InvalidName(f"La nature d’acte « {code} » n’existe pas (1 à 6).")
    return NATURES[code].abbreviation

"""What the simulated ministry checks in an archive before it answers: form, envelope, messages, names,
contents."""

import io
import os
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

ACTES = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE = "http://xml.insee.fr/schema"
LETTERS = {"1": "DE", "2": "AR", "3": "AI", "4": "CC", "5": "BF", "6": "AU"}
MAX_ARCHIVE = 157_286_400

_ENVELOPE = re.compile(r"([ET])ACT--(\d{9})--(\d{8})-(\d{1,4})\.xml")
_ARCHIVE = re.compile(r"[A-Za-z0-9]{3,4}-([ET]ACT--\d{9}--\d{8}-\d{1,4})\.tar\.gz")
_MESSAGE = re.compile(r"[09]\d[AB\d]-\d{9}-(?:\d{8}-\w{1,15}-[A-Z]{2}-[1-6]-\d|---7-1)_0\.xml")


class Unreadable(Exception):
    """Not an archive at all: refused at the door."""


class EnvelopeRefused(Exception):
    """The whole envelope is refused: (nature, detail) of the AnomalieEnveloppe."""

    def __init__(self, nature: str, detail: str) -> None:
        super().__init__(detail)
        self.nature, self.detail = nature, detail


class ActeRefused(Exception):
    """One act is refused: (nature, detail) of the AnomalieActe."""

    def __init__(self, nature: str, detail: str) -> None:
        super().__init__(detail)
        self.nature, self.detail = nature, detail


@dataclass
class Received:
    """An archive whose envelope could be read."""

    archive: str
    files: dict[str, bytes]
    envelope: str
    root: etree._Element
    test: bool
    siren: str
    departement: str
    arrondissement: str
    addresses: list[str]
    forms: list[str] = field(default_factory=list)


def q(name: str, namespace: str = ACTES) -> str:
    return f"{{{namespace}}}{name}"


def parse(content: bytes) -> etree._Element:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def official_schema() -> etree.XMLSchema | None:
    """The ministry's schema when it lies in PARVIS_REFERENTIALS_DIR or beside the project; None otherwise."""
    beside = Path(__file__).resolve().parents[3].parent / "shared" / "schemas"
    folder = Path(os.environ.get("PARVIS_REFERENTIALS_DIR", beside))
    path = folder / "actes" / "xsd-current" / "actesv1_1.xsd"
    return etree.XMLSchema(etree.parse(str(path))) if path.is_file() else None


def first_error(schema: etree.XMLSchema) -> str:
    """Message of the first error of the last validation."""
    errors: Any = schema.error_log
    return str(errors[0].message)


def unpack(content: bytes) -> dict[str, bytes]:
    if len(content) > MAX_ARCHIVE:
        raise Unreadable("archive de plus de 150 Mio")
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            for entry in tar:
                stream = tar.extractfile(entry) if entry.isreg() else None
                if stream is None or "/" in entry.name:
                    raise Unreadable(f"« {entry.name} » n'est pas un fichier à plat")
                files[entry.name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Unreadable("ce n'est pas un tar.gz") from error
    return files


def open_envelope(archive: str, content: bytes) -> Received:
    """Read the archive up to its envelope. Raises Unreadable."""
    files = unpack(content)
    named = _ARCHIVE.fullmatch(archive)
    first = next(iter(files), "")
    found = _ENVELOPE.fullmatch(first)
    if not named or not found or f"{named[1]}.xml" != first:
        raise Unreadable("l'archive et sa première pièce, l'enveloppe, ne sont pas nommées comme il faut")
    try:
        root = parse(files[first])
    except etree.XMLSyntaxError as error:
        raise Unreadable("enveloppe illisible") from error
    identity = root.find(f"{q('Emetteur')}/{q('IDCL')}")
    if root.tag != q("EnveloppeCLMISILL") or identity is None:
        raise Unreadable("la première pièce n'est pas une enveloppe de collectivité")
    return Received(
        archive=archive,
        files=files,
        envelope=first,
        root=root,
        test=found[1] == "T",
        siren=identity.get(q("SIREN", INSEE), ""),
        departement=identity.get(q("Departement"), ""),
        arrondissement=identity.get(q("Arrondissement"), ""),
        addresses=[(e.text or "").strip() for e in root.iterfind(f"{q('AdressesRetour')}/{q('Email')}")],
        forms=[(e.text or "").strip() for e in root.iter(q("NomFichier"))],
    )


def check_envelope(received: Received, schema: etree.XMLSchema | None) -> None:
    """Raise EnvelopeRefused when the envelope or the make-up of the archive is wrong."""
    if schema is not None and not schema.validate(received.root):
        raise EnvelopeRefused("001", f"Enveloppe non conforme au schéma : {first_error(schema)}")
    if f"--{received.siren}--" not in received.envelope:
        raise EnvelopeRefused("002", "Le SIREN de l'enveloppe n'est pas celui de son nom")
    if not re.fullmatch(r"[09]\d[AB\d]", received.departement):
        raise EnvelopeRefused("002", "Département inconnu")
    expected = {received.envelope}
    for form in received.forms:
        if not _MESSAGE.fullmatch(form) or received.siren not in form:
            raise EnvelopeRefused("003", f"Le nom {form} n'est pas celui d'un message de cette collectivité")
        if form not in received.files:
            raise EnvelopeRefused("003", f"Le message {form} manque dans l'archive")
        try:
            message = parse(received.files[form])
        except etree.XMLSyntaxError as error:
            raise EnvelopeRefused("001", f"Le message {form} est illisible") from error
        if schema is not None and not schema.validate(message):
            raise EnvelopeRefused("001", f"{form} non conforme au schéma : {first_error(schema)}")
        expected |= {form, *((e.text or "").strip() for e in message.iter(q("NomFichier")))}
    if missing := sorted(expected - set(received.files)):
        raise EnvelopeRefused("004", f"Fichier annoncé mais absent : {missing[0]}")
    if added := sorted(set(received.files) - expected):
        raise EnvelopeRefused("005", f"Fichier présent mais non annoncé : {added[0]}")


def identifier(received: Received, acte: etree._Element) -> str:
    """Identifiant unique of an act of this authority."""
    day = acte.get(q("Date"), "").replace("-", "")
    letters = LETTERS.get(acte.get(q("CodeNatureActe"), ""), "??")
    return f"{received.departement}-{received.siren}-{day}-{acte.get(q('NumeroInterne'))}-{letters}"


def check_acte(
    received: Received,
    form: str,
    acte: etree._Element,
    *,
    classification: str,
    matieres: set[str],
    already: bool,
) -> None:
    """Raise ActeRefused when the act cannot be taken."""
    number, nature = acte.get(q("NumeroInterne"), ""), acte.get(q("CodeNatureActe"), "")
    if not re.fullmatch(r"([A-Z0-9][A-Z0-9_]{0,13})?[A-Z0-9]", number) or nature not in LETTERS:
        raise ActeRefused("001", "Numéro ou nature de l'acte inexacts")
    if acte.findtext(q("ClassificationDateVersion")) != classification:
        raise ActeRefused("002", "ODT-VERIF-01 (simulation) : la date de classification de l'acte n'est plus à jour")
    levels = [acte.find(q(f"CodeMatiere{n}")) for n in range(1, 6)]
    codes = [level.get(q("CodeMatiere"), "") for level in levels if level is not None]
    if ".".join(codes[:2]) not in matieres or [e is None for e in levels] != sorted(e is None for e in levels):
        raise ActeRefused("003", "Matière absente de la classification")
    prefix = identifier(received, acte)
    names = [(e.text or "").strip() for e in acte.iter(q("NomFichier"))]
    wanted = [rf"[A-Z0-9_]{{5}}-{prefix}-1-1_{rank}\.\w+" for rank in range(1, len(names) + 1)]
    if form != f"{prefix}-1-1_0.xml" or any(re.fullmatch(w, n) is None for w, n in zip(wanted, names, strict=True)):
        raise ActeRefused("004", "Le nom d'une pièce ne correspond pas à l'acte")
    if any(not received.files[name] for name in names):
        raise ActeRefused("005", "Une pièce est vide")
    if already:
        raise ActeRefused("006", "Cet acte a déjà été reçu")

"""Reading what the State sends back: recognise each message of the ACTES schema, tolerate its known
deviations.

The real flow holds messages of the 2004 schema, codes outside the enumerations, declared encodings that
are not those of the bytes. A deviation is noted in ``remarks``; what cannot be understood raises
``InvalidMessage``.
"""

import re
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from lxml import etree

from parvis.core.errors import DomainError
from parvis.edemat.actes.formats.matieres import sort_key
from parvis.edemat.actes.formats.names import IdActe, InvalidName
from parvis.edemat.actes.formats.outbound import ACTES, INSEE

Day = date  # the messages have a field of that name
MAX_XML = 20 * 1024 * 1024
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>")
_DECLARED_ENCODING = re.compile(rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._\-]+)[\"']")


class InvalidMessage(DomainError):
    """The XML cannot be understood: ill-formed, unsafe, or without what identifies its subject."""


class UnknownMessage(InvalidMessage):
    """The root element is not one that the State sends to an authority."""


@dataclass(frozen=True)
class ActeRecu:
    """The act as the ministry echoes it."""

    date: Day
    numero: str
    nature: str
    matieres: tuple[str, ...]
    objet: str
    classification_date: Day | None
    document: str
    annexes: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """Base of every message: ``root`` element name, and the deviations that were tolerated."""

    root: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class ArActe(Message):
    """1-2: the act is received; ``reception`` is the date that counts for the exécutoire character."""

    id_acte: IdActe
    reception: Day
    acte: ActeRecu
    classification_en_cours: Day | None


@dataclass(frozen=True)
class AnomalieActe(Message):
    """1-3: the act is refused; it carries no identifier, only the echo of the act."""

    date: Day
    nature: str
    detail: str
    acte: ActeRecu
    classification_en_cours: Day | None


@dataclass(frozen=True)
class AnomalieEnveloppe(Message):
    """A whole envelope is refused."""

    date: Day
    nature: str
    detail: str
    siren: str
    formulaires: tuple[str, ...]


@dataclass(frozen=True)
class EnveloppeRetour(Message):
    """EnveloppeMISILLCL: for which authority, and which business files come with it."""

    siren: str
    formulaires: tuple[str, ...]


@dataclass(frozen=True)
class Courrier(Message):
    """2-1, 3-1, 4-1 or 5-1: a letter of the préfecture about an act."""

    code: str
    id_acte: IdActe
    date: Day | None
    text: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class ArReponse(Message):
    """3-5 or 4-5: our answer to a letter is received; ``written`` is the date of that letter."""

    code: str
    id_acte: IdActe
    reception: Day
    written: Day | None


@dataclass(frozen=True)
class ArAnnulation(Message):
    """6-2: the transmission is cancelled."""

    id_acte: IdActe
    reception: Day


@dataclass(frozen=True)
class PieceType:
    """Type of piece allowed for a nature."""

    code: str
    label: str


@dataclass(frozen=True)
class NatureActe:
    """A nature in a classification, with the piece types it admits (none before 2018)."""

    code: str
    label: str
    abbreviation: str
    pieces: tuple[PieceType, ...]


@dataclass(frozen=True)
class MatiereLibelle:
    """A matière, its dotted code and the label as received."""

    code: str
    label: str


@dataclass(frozen=True)
class RetourClassification(Message):
    """7-2: the nomenclature of one authority, matières in numeric order."""

    date: Day
    natures: tuple[NatureActe, ...]
    matieres: tuple[MatiereLibelle, ...]


@dataclass(frozen=True)
class ClassificationInchangee(Message):
    """7-3: our classification is up to date."""

    date: Day


LETTERS = {
    "CourrierSimple": "2-1",
    "DemandePieceComplementaire": "3-1",
    "LettreObservations": "4-1",
    "DefereTA": "5-1",
}
ANSWER_RECEIPTS = {"ARPieceComplementaire": "3-5", "ARReponseRejetLettreObservations": "4-5"}


def decode(xml: bytes) -> tuple[str, tuple[str, ...]]:
    """Text of an XML file whose declared encoding may be false, and the remarks about it.

    UTF-8 is recognised by its multi-byte sequences; everything else is read as Windows-1252, of which
    ISO-8859-1 is a part.
    """
    found = _DECLARED_ENCODING.match(xml)
    declared = found[1].decode("ascii").lower() if found else "utf-8"
    try:
        text = xml.decode("utf-8")
        real = "ascii" if text.isascii() else "utf-8"
    except UnicodeDecodeError:
        text, real = xml.decode("cp1252", errors="replace"), "iso-8859-1"
    if real == "ascii" or (real == "utf-8") == (declared in ("utf-8", "utf8")):
        return text, ()
    return text, (f"encodage déclaré {declared.upper()}, contenu en {real.upper()}",)


def parse_safely(xml: bytes) -> tuple[etree._Element, tuple[str, ...]]:
    """Root of a well-formed XML without DTD nor entities, and remarks on its encoding; InvalidMessage
    otherwise."""
    if len(xml) > MAX_XML:
        raise InvalidMessage("Le message reçu est démesuré (plus de 20 Mio de XML).")
    text, remarks = decode(xml)
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text):
        raise InvalidMessage("Le message reçu contient une DTD ou des entités, interdites dans les échanges ACTES.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_DECLARATION.sub("", text).lstrip("\ufeff").encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise InvalidMessage(
            f"Le message reçu n’est pas un XML lisible (ligne {error.lineno}).", cause=str(error)
        ) from error
    return root, remarks


def _q(name: str) -> str:
    return f"{{{ACTES}}}{name}"


class _Reader:
    """Reads one message and gathers the deviations that it tolerates."""

    def __init__(self, root: etree._Element, remarks: tuple[str, ...]) -> None:
        self.root = root
        self.name = etree.QName(root).localname
        self.remarks = list(remarks)

    def note(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)

    def text(self, parent: etree._Element, name: str) -> str:
        """First non-empty text among the children called ``name``."""
        return next(
            (value.strip() for value in (e.text or "" for e in parent.iterfind(_q(name))) if value.strip()),
            "",
        )

    def attribute(self, element: etree._Element, name: str) -> str:
        return (element.get(_q(name)) or element.get(name) or "").strip()

    def day(self, text: str, what: str) -> Day:
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise InvalidMessage(f"Le message {self.name} ne porte pas de {what} lisible (« {text} »).") from error

    def optional_day(self, text: str) -> Day | None:
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None

    def id_acte(self) -> IdActe:
        text = self.attribute(self.root, "IDActe")
        try:
            return IdActe.parse(text)
        except InvalidName as error:
            raise InvalidMessage(
                f"Le message {self.name} porte un identifiant d’acte mal formé (« {text} »)."
            ) from error

    def files(self, parent: etree._Element, container: str) -> tuple[str, ...]:
        return tuple(
            name.text.strip()
            for element in parent.iterfind(_q(container))
            for name in element.iterfind(_q("NomFichier"))
            if name.text and name.text.strip()
        )

    def acte_recu(self) -> ActeRecu:
        echoes = self.root.findall(_q("ActeRecu"))
        if not echoes:
            raise InvalidMessage(f"Le message {self.name} ne rappelle pas l’acte qu’il concerne.")
        if len(echoes) > 1 or self.root.find(_q("Acte")) is not None:
            self.note("l’acte est rappelé plusieurs fois")
        echo = echoes[0]
        levels = [echo.find(_q(f"CodeMatiere{level}")) for level in range(1, 6)]
        matieres = tuple(self.attribute(level, "CodeMatiere") for level in levels if level is not None)
        if any(a is None and b is not None for a, b in pairwise(levels)):
            self.note("niveaux de matière non contigus")
        annexes = echo.find(_q("Annexes"))
        names = self.files(annexes, "Annexe") if annexes is not None else ()
        if annexes is not None and self.attribute(annexes, "Nombre") != str(len(names)):
            self.note("nombre d’annexes inexact")
        if echo.find(_q("DocumentPapier")) is None:
            self.note("DocumentPapier absent (schéma de 2004)")
        elif self.text(echo, "DocumentPapier") not in ("O", "N"):
            self.note("DocumentPapier hors de O ou N")
        numero = self.attribute(echo, "NumeroInterne")
        if not numero:
            raise InvalidMessage(f"Le message {self.name} rappelle un acte sans numéro.")
        return ActeRecu(
            date=self.day(self.attribute(echo, "Date"), "date d’acte"),
            numero=numero,
            nature=self.attribute(echo, "CodeNatureActe"),
            matieres=matieres,
            objet=self.text(echo, "Objet"),
            classification_date=self.optional_day(self.text(echo, "ClassificationDateVersion")),
            document=next(iter(self.files(echo, "Document")), ""),
            annexes=names,
        )

    def classification_en_cours(self) -> Day | None:
        found = self.optional_day(self.text(self.root, "ClassificationDateVersionEnCours"))
        if found is None:
            self.note("date de classification en cours absente")
        return found


def _ar_acte(reader: _Reader) -> ArActe:
    id_acte = reader.id_acte()
    reception = reader.day(reader.attribute(reader.root, "DateReception"), "date de réception")
    acte, current = reader.acte_recu(), reader.classification_en_cours()
    return ArActe(reader.name, tuple(reader.remarks), id_acte, reception, acte, current)


def _anomalie_acte(reader: _Reader) -> AnomalieActe:
    root = reader.root
    acte, current = reader.acte_recu(), reader.classification_en_cours()
    day = reader.day(reader.text(root, "Date"), "date")
    nature, detail = reader.text(root, "Nature"), reader.text(root, "Detail")
    return AnomalieActe(reader.name, tuple(reader.remarks), day, nature, detail, acte, current)


ENVELOPE_ANOMALIES = {"001", "002", "003", "004", "005", "100"}


def _anomalie_enveloppe(reader: _Reader) -> AnomalieEnveloppe:
    root = reader.root
    nature = reader.text(root, "Nature")
    if nature not in ENVELOPE_ANOMALIES:
        reader.note(f"nature d’anomalie {nature or 'vide'} hors de la liste")
    identity = root.find(f"{_q('EnveloppeRecue')}/{_q('Emetteur')}/{_q('IDCL')}")
    forms = root.find(f"{_q('EnveloppeRecue')}/{_q('FormulairesEnvoyes')}")
    day = reader.day(reader.text(root, "Date"), "date")
    return AnomalieEnveloppe(
        reader.name,
        tuple(reader.remarks),
        day,
        nature,
        reader.text(root, "Detail"),
        "" if identity is None else (identity.get(f"{{{INSEE}}}SIREN") or "").strip(),
        () if forms is None else reader.files(forms, "Formulaire"),
    )


def _enveloppe_retour(reader: _Reader) -> EnveloppeRetour:
    recipient = reader.root.find(_q("Destinataire"))
    siren = "" if recipient is None else (recipient.get(f"{{{INSEE}}}SIREN") or "").strip()
    if not siren:
        raise InvalidMessage("L’enveloppe reçue ne dit pas à quelle collectivité elle s’adresse.")
    forms = reader.root.find(_q("FormulairesEnvoyes"))
    names = () if forms is None else reader.files(forms, "Formulaire")
    return EnveloppeRetour(reader.name, tuple(reader.remarks), siren, names)


def _letter(reader: _Reader) -> Courrier:
    root = reader.root
    if reader.name == "DefereTA":
        pieces = root.find(_q("PiecesJointes"))
        files = () if pieces is None else reader.files(pieces, "PieceJointe")
        day = reader.optional_day(reader.text(root, "DateDepot"))
    else:
        files = reader.files(root, "Document")
        day = reader.optional_day(reader.attribute(root, "DateCourrierPref"))
    text = next(
        (t for t in (reader.text(root, n) for n in ("DescriptionPieces", "Motif", "NatureIllegalite")) if t),
        "",
    )
    return Courrier(reader.name, tuple(reader.remarks), LETTERS[reader.name], reader.id_acte(), day, text, files)


def _answer_receipt(reader: _Reader) -> ArReponse:
    infos = reader.root.find(_q("InfosCourrierPref"))
    holder = _Reader(reader.root if infos is None else infos, ())
    holder.name = reader.name
    reception = reader.day(reader.attribute(reader.root, "DateReception"), "date de réception")
    written = holder.optional_day(holder.attribute(holder.root, "DateCourrierPref"))
    if written is None:
        reader.note("date du courrier répondu absente")
    code = ANSWER_RECEIPTS[reader.name]
    return ArReponse(reader.name, tuple(reader.remarks), code, holder.id_acte(), reception, written)


def _ar_annulation(reader: _Reader) -> ArAnnulation:
    reception = reader.day(reader.attribute(reader.root, "DateReception"), "date de réception")
    return ArAnnulation(reader.name, tuple(reader.remarks), reader.id_acte(), reception)


def _matieres(reader: _Reader, parent: etree._Element, level: int, prefix: str) -> list[MatiereLibelle]:
    found = []
    for element in parent.iterfind(_q(f"Matiere{level}")):
        code = prefix + reader.attribute(element, "CodeMatiere")
        found.append(MatiereLibelle(code, element.get("Libelle") or reader.attribute(element, "Libelle")))
        found += _matieres(reader, element, level + 1, code + ".")
    return found


def _classification(reader: _Reader) -> RetourClassification:
    root = reader.root
    day = reader.day(reader.text(root, "DateClassification"), "date de classification")
    natures = tuple(
        NatureActe(
            code=reader.attribute(nature, "CodeNatureActe"),
            label=reader.attribute(nature, "Libelle"),
            abbreviation=reader.attribute(nature, "TypeAbrege"),
            pieces=tuple(
                PieceType(reader.attribute(piece, "CodeTypePJ"), reader.attribute(piece, "Libelle"))
                for piece in nature.iterfind(_q("TypePJNatureActe"))
            ),
        )
        for nature in root.iterfind(f"{_q('NaturesActes')}/{_q('NatureActe')}")
    )
    tree = root.find(_q("Matieres"))
    matieres = [] if tree is None else _matieres(reader, tree, 1, "")
    if not natures or not matieres:
        raise InvalidMessage("La classification reçue ne contient pas de nature ou pas de matière.")
    try:
        matieres.sort(key=lambda m: sort_key(m.code))
    except ValueError as error:
        raise InvalidMessage("La classification reçue contient un code de matière qui n’est pas un nombre.") from error
    if not any(nature.pieces for nature in natures):
        reader.note("classification sans types de pièces (schéma de 2004)")
    return RetourClassification(reader.name, tuple(reader.remarks), day, natures, tuple(matieres))


def _unchanged(reader: _Reader) -> ClassificationInchangee:
    day = reader.day(reader.text(reader.root, "DateClassification"), "date de classification")
    return ClassificationInchangee(reader.name, tuple(reader.remarks), day)


READERS = {
    "ARActe": _ar_acte,
    "AnomalieActe": _anomalie_acte,
    "AnomalieEnveloppe": _anomalie_enveloppe,
    "EnveloppeMISILLCL": _enveloppe_retour,
    "RetourClassification": _classification,
    "ReponseClassificationSansChangement": _unchanged,
    "ARAnnulation": _ar_annulation,
    **dict.fromkeys(LETTERS, _letter),
    **dict.fromkeys(ANSWER_RECEIPTS, _answer_receipt),
}


def parse_message(xml: bytes) -> Message:
    """Recognise one XML sent by the State. Raises ``UnknownMessage`` for another root element,
    ``InvalidMessage`` when it is unsafe, ill-formed or does not identify its subject."""
    root, remarks = parse_safely(xml)
    name = etree.QName(root)
    if name.namespace != ACTES or name.localname not in READERS:
        raise UnknownMessage(
            f"Le message reçu (« {name.localname} ») n’est pas de ceux que l’État adresse aux collectivités."
        )
    return READERS[name.localname](_Reader(root, remarks))

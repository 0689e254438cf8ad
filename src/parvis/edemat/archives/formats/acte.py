"""The transfer of an acte soumis au contrôle de légalité: its tree of units, its keywords, its rules."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from parvis.edemat.archives.formats.rules import rules_of_acte
from parvis.edemat.archives.formats.seda import (
    ArchiveTransfer,
    Binary,
    Event,
    Keyword,
    Level,
    ObjectGroup,
    Party,
    Unit,
    Usage,
)

FLOW = "ACTES"
PROFILE = "ACTES_v1"
LANGUAGE = "fr"
NATURES = {
    "1": "Délibérations",
    "2": "Arrêtés réglementaires",
    "3": "Arrêtés individuels",
    "4": "Contrats, conventions et avenants",
    "5": "Documents budgétaires et financiers",
    "6": "Autres",
}


@dataclass(frozen=True)
class Piece:
    """A file of the dossier and the part it plays in it (``role`` as on the route); sizes in bytes.

    ``source_sha256`` is the digest of the file it was made from, empty for an original.
    """

    role: str
    label: str
    filename: str
    sha256: str
    sha512: str
    size: int
    puid: str = ""
    format_name: str = ""
    media_type: str = ""
    source_sha256: str = ""


@dataclass(frozen=True)
class ActeDossier:
    """Everything that one acte left behind it on its way. ``executory`` is the day its delays count from."""

    siren: str
    collectivite: str
    originating_agency: Party
    numero: str
    nature: str
    objet: str
    decided: date
    matiere: str
    matiere_label: str
    executory: date
    identifier: str = ""
    sent: datetime | None = None
    received: date | None = None
    published: date | None = None
    notified: date | None = None
    route_id: str = ""
    pieces: Sequence[Piece] = field(default=())


@dataclass(frozen=True)
class _Shelf:
    """A unit of the tree that gathers roles: each file is an item, in a sub-unit when several."""

    title: str
    roles: tuple[str, ...]
    always_group: bool = False


# The act itself comes first: its stamped version is another technical version of the same content.
_MASTER, _STAMPED = "signe", "tamponne"
_STAMPED_ANNEX = "annexe_tamponnee"
_SHELVES = (
    _Shelf("Document présenté à la signature", ("original",)),
    _Shelf("Annexes", ("annexe",), always_group=True),
    _Shelf("Télétransmission au contrôle de légalité", ("enveloppe", "acte_xml")),
    _Shelf("Accusé de réception de la préfecture", ("ar",)),
    _Shelf("Bordereau d’acquittement", ("bordereau",)),
    _Shelf("Certificat de caractère exécutoire", ("certificat_executoire",)),
    _Shelf("Convocation", ("convocation", "convocation_ics", "convocation_preuve", "convocation_jeton")),
    _Shelf("Validation de la signature", ("rapport_validation",)),
    _Shelf("Extrait du journal", ("journal",)),
)
_OTHER_TITLE = "Autres pièces"
_EXTENSIONS = {
    "application/pdf": "pdf",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/calendar": "ics",
    "application/json": "json",
    "application/gzip": "gz",
}


def content_uri(piece: Piece) -> str:
    """Path of a piece in the package: its SHA-256 and an extension, always plain ASCII."""
    tail = piece.filename.rsplit(".", 1)[-1].lower() if "." in piece.filename else ""
    if not (tail.isascii() and tail.isalnum() and len(tail) <= 8):
        tail = _EXTENSIONS.get(piece.media_type, "bin")
    return f"content/{piece.sha256}.{tail}"


def message_identifier(siren: str, key: str) -> str:
    """Identifier of the transfer, the same each time the same dossier is transferred."""
    return f"{siren}_{FLOW}_{key}"


def agreement_identifier(siren: str) -> str:
    return f"{siren}_ACCORD_{FLOW}"


def build_transfer(dossier: ActeDossier, *, identifier: str, at: datetime, agency: Party) -> ArchiveTransfer:
    """The transfer message of an acte. ``agency`` is the archival service, the commune transfers to it."""
    return ArchiveTransfer(
        identifier=identifier,
        date=at,
        comment=f"Acte n° {dossier.numero} : {dossier.objet}",
        agreement=agreement_identifier(dossier.siren),
        profile=PROFILE,
        archival_agency=agency,
        transferring_agency=Party(dossier.siren, dossier.collectivite),
        originating_agency=dossier.originating_agency.identifier,
        submission_agency=dossier.siren,
        units=(_root(dossier),),
    )


def _root(dossier: ActeDossier) -> Unit:
    nature = NATURES.get(dossier.nature, "Acte")
    return Unit(
        id="U1",
        title=dossier.objet,
        level=Level.GROUP,
        description=f"{nature} — matière {dossier.matiere} {dossier.matiere_label}".strip(),
        originating_system_id=dossier.route_id,
        originating_identifier=dossier.identifier,
        transferring_identifier=dossier.numero,
        document_type=nature,
        language=LANGUAGE,
        keywords=(
            Keyword(nature, dossier.nature, "genreform"),
            Keyword(dossier.matiere_label or dossier.matiere, dossier.matiere, "subject"),
            Keyword(dossier.collectivite, dossier.siren, "corpname"),
            Keyword(dossier.numero),
        ),
        originating_agency=dossier.originating_agency,
        transacted=dossier.decided,
        sent=dossier.sent,
        received=dossier.received,
        start=dossier.decided,
        end=max(d for d in (dossier.decided, dossier.received, dossier.published, dossier.notified) if d),
        events=tuple(_events(dossier)),
        rules=rules_of_acte(dossier.nature, dossier.matiere, dossier.executory),
        children=tuple(_children(dossier)),
    )


def _events(dossier: ActeDossier) -> Iterator[Event]:
    if dossier.sent:
        yield Event("TELETRANSMISSION", dossier.sent, "Télétransmission au représentant de l’État")
    if dossier.received:
        yield Event("ACCUSE_RECEPTION", dossier.received, "Réception par le représentant de l’État")
    if dossier.published:
        yield Event("PUBLICATION", dossier.published, "Publication de l’acte")
    if dossier.notified:
        yield Event("NOTIFICATION", dossier.notified, "Notification de l’acte aux intéressés")


def _children(dossier: ActeDossier) -> Iterator[Unit]:
    numbers = _Numbers()
    by_role: dict[str, list[Piece]] = defaultdict(list)
    for piece in dossier.pieces:
        by_role[piece.role].append(piece)
    masters, stamped = by_role.pop(_MASTER, []), by_role.pop(_STAMPED, [])
    if masters or stamped:
        yield _item(
            numbers,
            "Acte",
            [*((Usage.MASTER, p) for p in masters), *((Usage.DISSEMINATION, p) for p in stamped)],
        )
    copies = {p.source_sha256: p for p in by_role.pop(_STAMPED_ANNEX, [])}
    for shelf in _SHELVES:
        pieces = [piece for role in shelf.roles for piece in by_role.pop(role, [])]
        yield from _shelve(numbers, shelf, pieces, copies)
    others = [*copies.values(), *(p for pieces in by_role.values() for p in pieces)]
    yield from _shelve(numbers, _Shelf(_OTHER_TITLE, (), always_group=True), others, {})


def _shelve(numbers: "_Numbers", shelf: _Shelf, pieces: Sequence[Piece], copies: dict[str, Piece]) -> Iterator[Unit]:
    """The unit of a shelf. A stamped copy joins the piece it was made from and leaves ``copies``."""
    if not pieces:
        return
    if len(pieces) == 1 and not shelf.always_group:
        yield _item(numbers, shelf.title, [(Usage.MASTER, pieces[0])])
        return
    identifier = numbers.next("U")
    items = []
    for piece in pieces:
        stamped = copies.pop(piece.sha256, None)
        versions = [(Usage.MASTER, piece)] + ([(Usage.DISSEMINATION, stamped)] if stamped else [])
        items.append(_item(numbers, piece.label or piece.filename, versions))
    yield Unit(id=identifier, title=shelf.title, level=Level.GROUP, children=tuple(items))


def _item(numbers: "_Numbers", title: str, versions: Sequence[tuple[Usage, Piece]]) -> Unit:
    identifier = numbers.next("U")
    binaries = tuple(
        Binary(
            id=numbers.next("B"),
            uri=numbers.uri(piece),
            sha512=piece.sha512,
            size=piece.size,
            filename=piece.filename,
            usage=usage,
            puid=piece.puid,
            mime_type=piece.media_type,
            format_name=piece.format_name,
        )
        for usage, piece in versions
    )
    group = ObjectGroup(numbers.next("G"), binaries)
    description = ", ".join(dict.fromkeys(piece.label for _, piece in versions if piece.label and piece.label != title))
    return Unit(id=identifier, title=title, level=Level.ITEM, description=description, group=group)


class _Numbers:
    """Identifiers of one message, unique by construction, and one path per object."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {"U": 1}
        self._uris: dict[str, int] = {}

    def next(self, letter: str) -> str:
        self._last[letter] = self._last.get(letter, 0) + 1
        return f"{letter}{self._last[letter]}"

    def uri(self, piece: Piece) -> str:
        """The same content under two roles gets two paths: some services refuse one path named twice."""
        uri = content_uri(piece)
        self._uris[uri] = count = self._uris.get(uri, 0) + 1
        if count == 1:
            return uri
        stem, extension = uri.rsplit(".", 1)
        return f"{stem}-{count}.{extension}"

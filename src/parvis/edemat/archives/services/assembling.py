"""Assembling the transfer of a route: its documents, its facts and the extract of the journal, in one SIP."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import IO, Any

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import open_document, store
from parvis.core.journal.services import Actor, record
from parvis.core.routing.models import Route, RouteDocument, RouteStep
from parvis.core.routing.services import attach
from parvis.edemat.archives.enums import Origin
from parvis.edemat.archives.errors import DossierIncomplete
from parvis.edemat.archives.formats.acte import ActeDossier, Piece, build_transfer, message_identifier
from parvis.edemat.archives.formats.rules import access_code_of_acte
from parvis.edemat.archives.formats.seda import ArchiveTransfer
from parvis.edemat.archives.formats.seda_writer import write_archive_transfer
from parvis.edemat.archives.models import Transfer
from parvis.edemat.archives.services.extract import journal_extract
from parvis.edemat.archives.services.parties import archival_agency, ensure_parties, originating_agency

BLOCK = 1024 * 1024
JOB = Actor("job", "archives.versement")
JOURNAL_ROLE = "journal"
# Roles that the archiving step itself gives: they are not part of what is transferred.
OWN_ROLES = ("transfer", "sip", "atr")


def assemble(step: RouteStep) -> Transfer:
    """Make the SIP of the step's route and deposit it; the same step gives the same transfer.

    Raises DossierIncomplete when the route lacks what a transfer must hold.
    """
    existing = Transfer.objects.alive().filter(route_step=step).first()
    if existing:
        return existing
    route, organisation = step.route, step.organisation
    accord = ensure_parties(organisation)
    _attach_journal(route)
    documents = list(_documents(route))
    dossier = dossier_of(route, [piece_of(holder) for holder in documents])
    message = build_transfer(
        dossier,
        identifier=_free_identifier(step),
        at=clock.now(),
        agency=archival_agency(organisation),
    )
    content = write_archive_transfer(message)
    with tempfile.TemporaryFile(prefix="parvis-sip-") as package:
        _write_package(package, message, content, [holder.document for holder in documents])
        package.seek(0)
        sip = store(organisation, package, f"{message.identifier}.zip", label="Paquet versé (SIP)")
    manifest = store(organisation, content, f"{message.identifier}.xml", label="Bordereau de transfert")
    attach(route, "sip", sip, "Paquet versé (SIP)")
    attach(route, "transfer", manifest, "Bordereau de transfert SEDA")
    transfer = Transfer.objects.create(
        organisation=organisation,
        origin=Origin.ROUTE,
        accord=accord,
        identifier=message.identifier,
        title=dossier.objet,
        transferring_agency=message.transferring_agency.identifier,
        originating_agency=message.originating_agency,
        package=sip,
        message=manifest,
        route_step=step,
        deposited_at=clock.now(),
        todo_bytes=sip.size,
    )
    record(
        organisation,
        "archives.depose",
        subject=("versement", transfer.pk),
        actor=JOB,
        sha256=sip.sha256,
        details={"route": str(route.pk)},
    )
    return transfer


def _free_identifier(step: RouteStep) -> str:
    """One identifier per dossier; after a refusal the next attempt is numbered: the old one stays known."""
    refused = Transfer.objects.filter(route_step=step).count()
    key = str(step.route_id) if not refused else f"{step.route_id}-{refused + 1}"
    return message_identifier(step.organisation.siren, key)


def _documents(route: Route) -> Iterator[RouteDocument]:
    """Documents of the route, those of single roles in their latest version only."""
    latest: dict[str, RouteDocument] = {}
    for holder in route.documents.select_related("document__organisation", "document__source").order_by("id"):
        if holder.role not in OWN_ROLES:
            latest[_place(holder)] = holder
    yield from latest.values()


def _place(holder: RouteDocument) -> str:
    """What makes two documents two pieces rather than two versions of the same."""
    match holder.role:
        case "annexe":
            return f"annexe {holder.document.sha256}"
        case "annexe_tamponnee":
            return f"annexe_tamponnee {holder.document.source_id}"
        case role:
            return role


def _attach_journal(route: Route) -> None:
    content = json.dumps(journal_extract(route), ensure_ascii=False, indent=1, sort_keys=True).encode()
    document = store(route.organisation, content, "journal.json", label="Extrait du journal")
    attach(route, JOURNAL_ROLE, document, "Extrait du journal")


def piece_of(holder: RouteDocument) -> Piece:
    """A document of the route as a piece of the transfer; its content is read once, to hash it."""
    document = holder.document
    digest = hashlib.sha512()
    with open_document(document) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return Piece(
        role=holder.role,
        label=holder.label,
        filename=document.filename,
        sha256=document.sha256,
        sha512=digest.hexdigest(),
        size=document.size,
        puid=document.puid,
        format_name=document.format_name,
        media_type=document.media_type,
        source_sha256=document.source.sha256 if document.source else "",
    )


def dossier_of(route: Route, pieces: list[Piece]) -> ActeDossier:
    """The dossier of an acte from the facts of its route. Raises DossierIncomplete."""
    facts = route.facts
    acte: dict[str, Any] = facts.get("acte", {})
    missing = [name for name in ("numero", "nature", "objet", "date", "matiere") if not acte.get(name)]
    if missing or not any(p.role in ("signe", "tamponne") for p in pieces):
        what = ", ".join(missing) or "document signé"
        raise DossierIncomplete(
            f"Le dossier ne peut pas être archivé : il manque {what}. "
            "Complétez les étapes précédentes, puis relancez l’archivage.",
            missing=missing,
        )
    organisation = route.organisation
    decided = date.fromisoformat(acte["date"])
    received = _day(facts.get("ar", {}).get("date_reception"))
    published = _day(facts.get("publication", {}).get("date"))
    notified = _day(facts.get("notification", {}).get("date"))
    known = (facts.get(key, {}).get("executoire") for key in ("publication", "notification"))
    executory = next((day for day in map(_day, known) if day), None) or received or decided
    transmission = facts.get("transmission", {})
    access = access_code_of_acte(acte["nature"], acte["matiere"])
    return ActeDossier(
        siren=organisation.siren,
        collectivite=organisation.name,
        originating_agency=originating_agency(organisation, access),
        numero=acte["numero"],
        nature=acte["nature"],
        objet=acte["objet"],
        decided=decided,
        matiere=acte["matiere"],
        matiere_label=acte.get("matiere_label", ""),
        executory=executory,
        identifier=transmission.get("id_acte") or facts.get("ar", {}).get("id_acte", ""),
        sent=_instant(transmission.get("sent_at")),
        received=received,
        published=published,
        notified=notified,
        route_id=str(route.pk),
        pieces=pieces,
    )


def _day(text: str | None) -> date | None:
    # Some systems write an instant where a day is meant.
    return date.fromisoformat(text[:10]) if text else None


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=clock.PARIS)


def _write_package(target: IO[bytes], message: ArchiveTransfer, content: bytes, documents: list[Document]) -> None:
    """The ZIP: the message, then each file under its Uri, streamed. Dates are those of the message."""
    by_digest = {document.sha256: document for document in documents}
    stamp = clock.paris(message.date).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_entry("manifest.xml", stamp), content)
        for group in message.groups():
            for binary in group.binaries:
                sha256 = binary.uri.removeprefix("content/")[:64]
                with (
                    open_document(by_digest[sha256]) as source,
                    archive.open(_entry(binary.uri, stamp), "w", force_zip64=binary.size > 2**31) as output,
                ):
                    while block := source.read(BLOCK):
                        output.write(block)


def _entry(name: str, stamp: tuple[int, ...]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=stamp)  # type: ignore[arg-type]
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info

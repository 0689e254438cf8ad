"""Taking a transfer in charge: write the archive on every root, read it back, register it, then reply.

The reply is issued in the transaction that records the copies, itself opened only to write what was read back
from the storage: there is no acceptance without every copy whole.
"""

import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import Max

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import open_document, read_bytes
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.services import attach, complete_step
from parvis.edemat.archives import tasks
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.formats.container import Container, Limits, open_container
from parvis.edemat.archives.formats.findings import Outcome
from parvis.edemat.archives.formats.inventory import VersionNote
from parvis.edemat.archives.formats.premis import PreservationAct, PreservedFile, Software, write_premis
from parvis.edemat.archives.formats.rules import RuleBook
from parvis.edemat.archives.formats.seda import Category, UnitIdentity
from parvis.edemat.archives.formats.seda_reader import Manifest, as_day, read_manifest
from parvis.edemat.archives.models import (
    ArchiveFile,
    ArchiveObject,
    ArchiveUnit,
    CopyWriting,
    PreservationEvent,
    RegisterLine,
    Transfer,
)
from parvis.edemat.archives.services.controlling import issue_acceptance
from parvis.edemat.archives.services.tools import vault
from parvis.edemat.archives.storage import Copy, Incoming

JOB = Actor("job", "archives.stockage")
AGENT = ("Parvis, service d’archivage", "urn:parvis:agent:archives")
TAKEN = "archives.pris_en_charge"

# PREMIS event types (vocabulary of the Library of Congress) of the controls that say something of the files.
_EVENT_KINDS = {
    "CTRL_ANTIVIRUS": "virus check",
    "CTRL_SCHEMA": "validation",
    "CTRL_PIECES": "ingestion start",
    "CTRL_EMPREINTE": "message digest calculation",
    "CTRL_FORMAT": "format identification",
    "CTRL_STRUCTURE": "validation",
}
_EVENT_OUTCOMES = {
    Outcome.OK: "success",
    Outcome.WARNING: "warning",
    Outcome.NOT_MADE: "warning",
    Outcome.KO: "fail",
}


@dataclass(frozen=True)
class _Kept:
    """A file of the archive: what the message declares, what was observed, where it goes."""

    xml_id: str
    unit: str
    usage: str
    filename: str
    source: str
    path: str
    size: int
    sha256: str
    sha512: str
    puid: str
    declared_puid: str
    format_name: str


def begin(transfer: Transfer) -> bool:
    """Mark a locked transfer as being stored; False when there is nothing to store."""
    if transfer.state == State.EN_STOCKAGE:
        return True
    if transfer.state not in (State.ACCEPTE, State.ERREUR_TECHNIQUE) or not transfer.accepted_at:
        return False
    transfer.begin_storage()
    transfer.save()
    return True


def take_in_charge(transfer: Transfer) -> None:
    """Write, read back, register and reply, for a locked transfer in storage. Raises StorageFault."""
    assert transfer.observations is not None
    assert transfer.accepted_at is not None
    with _package(transfer) as container:
        observed = json.loads(read_bytes(transfer.observations))
        with container.open(observed["message"]) as stream:
            manifest = read_manifest(stream)
        kept = list(_kept_files(transfer, manifest, observed))
        acts = _acts_before_storage(transfer)
        files = _first_version(transfer, container, manifest, observed, kept, acts)
        copies = vault().create(transfer.ocfl_id, files, _note(transfer.accepted_at, "Prise en charge du versement"))
    archive = _register(transfer, manifest, kept, copies)
    now = clock.now()
    transfer.archived_at = now
    _write_events(archive, [*acts, *_acts_of_storage(transfer, copies, now)])
    reply = issue_acceptance(transfer, _identities(transfer, manifest), now)
    transfer.archive()
    transfer.save()
    record(
        transfer.organisation,
        TAKEN,
        subject=("versement", transfer.pk),
        actor=JOB,
        sha256=transfer.package.sha256,
        details={
            "aip": str(transfer.aip),
            "inventory_sha512": copies[0].inventory_sha512,
            "copies": len(copies),
            "reply_sha256": reply.sha256,
        },
    )
    _go_on(transfer, reply)
    tasks.keep_reply.enqueue(transfer.organisation, transfer_id=str(transfer.pk))


def keep_reply(transfer: Transfer) -> None:
    """Second version of the archive: the reply, the full PREMIS record and the journal's entries about it."""
    archive, reply = transfer.archive_object, transfer.reply
    if reply is None or archive.writings.filter(version="v2").exists():
        return
    taken = Entry.objects.filter(organisation=transfer.organisation, action=TAKEN).about("versement", transfer.pk)
    entries = Entry.objects.filter(organisation=transfer.organisation, seq__lte=taken.get().seq)
    lines = [
        {"seq": e.seq, "leaf": bytes(e.leaf).hex(), "canonical": e.canonical().decode()}
        for e in entries.about("versement", transfer.pk).select_related("organisation").order_by("seq")
    ]
    acts = [
        PreservationAct(_event_id(transfer, e.rank), e.kind, e.at, e.outcome, e.detail, e.note)
        for e in archive.events.all()
    ]
    preserved = [
        PreservedFile(
            f"{transfer.ocfl_id}#{f.xml_id}",
            f.path,
            f.sha256,
            f.sha512,
            f.size,
            f.puid,
            f.format_name,
            f.filename,
        )
        for f in archive.files.all()
    ]
    content = {
        "sip/atr.xml": read_bytes(reply),
        "metadata/premis.xml": write_premis(transfer.ocfl_id, preserved, acts, _software()),
        "proof/journal.json": _json({"organisation": transfer.organisation.siren, "entries": lines}),
    }
    files = [_in_memory(path, value) for path, value in content.items()]
    copies = vault().add_version(
        transfer.ocfl_id, files, _note(transfer.archived_at, "Réponse au transfert et preuves"), "v2"
    )
    _write_copies(archive, copies)
    record(
        transfer.organisation,
        "archives.reponse_conservee",
        subject=("versement", transfer.pk),
        actor=JOB,
        sha256=reply.sha256,
        details={"inventory_sha512": copies[0].inventory_sha512},
    )


# -- what the archive holds --------------------


@contextmanager
def _package(transfer: Transfer) -> Iterator[Container]:
    # The limits were checked at intake, on the same immutable document.
    with open_document(transfer.package) as stream, open_container(stream, Limits(ratio=10**9)) as container:
        yield container


def _kept_files(transfer: Transfer, manifest: Manifest, observed: dict[str, Any]) -> Iterator[_Kept]:
    found = {f["path"]: f for f in observed["files"]}
    holders: dict[str, str] = {}
    for unit in manifest.described_units():
        for target in unit.objects:
            holders.setdefault(target, unit.id)
    for declared in manifest.objects:
        source = observed["bindings"].get(declared.id)
        if source is None:
            continue
        file = found[source]
        suffix = "." + source.rsplit(".", 1)[-1].lower() if "." in source.rsplit("/", 1)[-1] else ""
        if not (suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= 9):
            suffix = ""
        yield _Kept(
            xml_id=declared.id,
            unit=holders.get(declared.group) or holders.get(declared.id) or "",
            usage=declared.usage,
            filename=declared.filename or source,
            source=source,
            path=f"data/{uuid.uuid5(transfer.aip, declared.id)}{suffix}",
            size=file["size"],
            sha256=file["sha256"],
            sha512=file["sha512"],
            puid=file["puid"],
            declared_puid=declared.puid,
            format_name=file["format"] or declared.format_name,
        )


def _first_version(
    transfer: Transfer,
    container: Container,
    manifest: Manifest,
    observed: dict[str, Any],
    kept: list[_Kept],
    acts: list[PreservationAct],
) -> list[Incoming]:
    preserved = [
        PreservedFile(
            f"{transfer.ocfl_id}#{k.xml_id}",
            k.path,
            k.sha256,
            k.sha512,
            k.size,
            k.puid,
            k.format_name,
            k.filename,
        )
        for k in kept
    ]

    def source(path: str) -> Any:
        return lambda: container.open(path)

    def document(path: str, held: Document | None) -> Incoming:
        assert held is not None
        return Incoming(path, lambda: open_document(held), held.sha256)

    return [
        Incoming("sip/bordereau.xml", source(observed["message"])),
        document("sip/ack.xml", transfer.acknowledgement),
        *(Incoming(k.path, source(k.source), k.sha256) for k in kept),
        _in_memory("metadata/premis.xml", write_premis(transfer.ocfl_id, preserved, acts, _software())),
        _in_memory("metadata/units.json", _json([_described(u, manifest) for u in manifest.described_units()])),
        document("metadata/identification.json", transfer.observations),
    ]


def _described(unit: Any, manifest: Manifest) -> dict[str, Any]:
    return {
        "id": unit.id,
        "level": unit.level,
        "titles": unit.titles,
        "description": unit.description,
        "identifiers": unit.identifiers,
        "start": unit.start,
        "end": unit.end,
        "rules": _stated_rules(unit.rules),
        "children": [manifest.resolve(child) for child in unit.children],
        "objects": unit.objects,
    }


def _stated_rules(rule_sets: Any) -> list[dict[str, Any]]:
    """Rules as stated, with the end date each one leads to."""
    book = RuleBook()
    stated = []
    for rule_set in rule_sets:
        for rule in rule_set.rules:
            end = book.end_date(rule_set.category, rule.identifier, rule.start)
            stated.append(
                {
                    "category": str(rule_set.category),
                    "rule": rule.identifier,
                    "start": rule.start_text,
                    "end": end.isoformat() if end else "",
                    "final_action": rule_set.final_action,
                }
            )
    return stated


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _in_memory(path: str, content: bytes) -> Incoming:
    def stream() -> BinaryIO:
        return io.BytesIO(content)

    return Incoming(path, stream)


def _note(at: Any, message: str) -> VersionNote:
    return VersionNote(at, message, *AGENT)


def _software() -> Software:
    return Software("Parvis", settings.VERSION)


# -- what happened to it --------------------


def _event_id(transfer: Transfer, rank: int) -> str:
    return f"{transfer.ocfl_id}:evenement:{rank}"


def _acts_before_storage(transfer: Transfer) -> list[PreservationAct]:
    """Events known before writing: the same at each attempt, so that writing again gives the same archive."""
    controls = transfer.last_controls().filter(control__in=_EVENT_KINDS)
    worst: dict[str, Any] = {}
    for line in controls:
        seen = worst.get(line.control)
        if seen is None or seen.outcome == Outcome.OK:
            worst[line.control] = line
    acts = [PreservationAct(_event_id(transfer, 1), "capture", transfer.deposited_at, "success", "Dépôt du paquet")]
    for rank, line in enumerate(worst.values(), start=2):
        outcome = _EVENT_OUTCOMES[Outcome(line.outcome)]
        kind = _EVENT_KINDS[line.control]
        acts.append(PreservationAct(_event_id(transfer, rank), kind, line.made_at, outcome, line.label, line.sentence))
    return acts


def _acts_of_storage(transfer: Transfer, copies: list[Copy], at: Any) -> list[PreservationAct]:
    known = 1 + len(_acts_before_storage(transfer))
    acts = []
    for copy in copies:
        read = f"{copy.files} fichiers relus, {copy.size} octets"
        acts.append(PreservationAct("", "replication", at, "success", f"Copie sur {copy.root.name}"))
        acts.append(PreservationAct("", "fixity check", at, "success", f"Relecture sur {copy.root.name}", read))
    acts.append(PreservationAct("", "accession", at, "success", "Inscription au registre des entrées"))
    acts.append(PreservationAct("", "ingestion end", at, "success", "Prise en charge"))
    return [
        PreservationAct(_event_id(transfer, rank), a.kind, a.at, a.outcome, a.detail, a.note)
        for rank, a in enumerate(acts, start=known)
    ]


def _write_events(archive: ArchiveObject, acts: list[PreservationAct]) -> None:
    PreservationEvent.objects.bulk_create(
        [
            PreservationEvent(
                organisation=archive.organisation,
                archive=archive,
                rank=rank,
                kind=act.kind,
                at=act.at,
                outcome=act.outcome,
                detail=act.detail[:300],
                note=act.note[:1000],
            )
            for rank, act in enumerate(acts, start=1)
        ]
    )


# -- what the database keeps of it --------------------


def _register(transfer: Transfer, manifest: Manifest, kept: list[_Kept], copies: list[Copy]) -> ArchiveObject:
    organisation = transfer.organisation
    root = manifest.units[manifest.resolve(manifest.roots[0])]
    rules = {r["category"]: r for r in _stated_rules([*manifest.rules, *root.rules])}
    appraisal, access = rules.get(Category.APPRAISAL, {}), rules.get(Category.ACCESS, {})
    archive = ArchiveObject.objects.create(
        organisation=organisation,
        transfer=transfer,
        ocfl_id=transfer.ocfl_id,
        path=copies[0].object_path,
        title=root.title[:1000],
        originating_agency=transfer.originating_agency,
        start=as_day(root.start) if root.start else None,
        end=as_day(root.end) if root.end else None,
        appraisal=str(appraisal.get("rule", ""))[:60],
        final_action=str(appraisal.get("final_action") or "Keep"),
        appraisal_end=as_day(appraisal["end"]) if appraisal.get("end") else None,
        access=str(access.get("rule", ""))[:60],
        access_end=as_day(access["end"]) if access.get("end") else None,
        units=transfer.units,
        files_count=len(kept),
        size=sum(k.size for k in kept),
        archived_at=clock.now(),
    )
    units = _write_tree(archive, manifest)
    ArchiveFile.objects.bulk_create(
        [
            ArchiveFile(
                organisation=organisation,
                archive=archive,
                unit=units.get(k.unit),
                rank=rank,
                xml_id=k.xml_id[:200],
                usage=k.usage[:40],
                filename=k.filename[:1000],
                path=k.path,
                size=k.size,
                sha256=k.sha256,
                sha512=k.sha512,
                puid=k.puid[:20],
                declared_puid=k.declared_puid[:60],
                format_name=k.format_name[:200],
            )
            for rank, k in enumerate(kept, start=1)
        ],
        batch_size=1000,
    )
    _write_copies(archive, copies)
    _write_register_line(archive)
    return archive


def _write_tree(archive: ArchiveObject, manifest: Manifest) -> dict[str, ArchiveUnit]:
    """One row per described unit, parents before children, each unit once (under its first parent)."""
    rows: dict[str, ArchiveUnit] = {}
    waiting: list[tuple[str, ArchiveUnit | None, int]] = [(r, None, 0) for r in reversed(manifest.roots)]
    nested = {manifest.resolve(c) for u in manifest.described_units() for c in u.children}
    waiting = [w for w in waiting if manifest.resolve(w[0]) not in nested]
    while waiting:
        identifier, parent, depth = waiting.pop()
        unit = manifest.units[manifest.resolve(identifier)]
        if unit.id in rows:
            continue
        row = ArchiveUnit(
            organisation=archive.organisation,
            archive=archive,
            parent=parent,
            rank=len(rows) + 1,
            depth=depth,
            xml_id=unit.id[:200],
            title=unit.title,
            level=unit.level,
            description=unit.description,
            identifiers=list(unit.identifiers),
            start=unit.start[:40],
            end=unit.end[:40],
            rules=_stated_rules(unit.rules),
        )
        rows[unit.id] = row
        waiting += [(child, row, depth + 1) for child in reversed(unit.children)]
    ArchiveUnit.objects.bulk_create(rows.values(), batch_size=1000)
    return rows


def _write_copies(archive: ArchiveObject, copies: list[Copy]) -> None:
    now = clock.now()
    CopyWriting.objects.bulk_create(
        [
            CopyWriting(
                organisation=archive.organisation,
                archive=archive,
                root=str(copy.root),
                path=copy.object_path,
                version=copy.version,
                inventory_sha512=copy.inventory_sha512,
                size=copy.size,
                files=copy.files,
                verified_at=now,
            )
            for copy in copies
        ]
    )


def _write_register_line(archive: ArchiveObject) -> None:
    # The organisation's row gives out the numbers one at a time, without gap.
    Organisation.objects.select_for_update(no_key=True).get(pk=archive.organisation_id)
    lines = RegisterLine.objects.filter(organisation=archive.organisation)
    last = lines.aggregate(last=Max("number"))["last"] or 0
    RegisterLine.objects.create(
        organisation=archive.organisation,
        number=last + 1,
        archive=archive,
        entered_at=archive.archived_at,
        transferring_agency=archive.transfer.transferring_agency,
        originating_agency=archive.originating_agency,
        units=archive.units,
        files=archive.files_count,
        size=archive.size,
    )


def _identities(transfer: Transfer, manifest: Manifest) -> list[UnitIdentity]:
    roots = [manifest.resolve(root) for root in manifest.roots]
    if len(roots) == 1:
        return [UnitIdentity(roots[0], transfer.ocfl_id)]
    return [UnitIdentity(root, f"{transfer.ocfl_id}#{root}") for root in dict.fromkeys(roots)]


def _go_on(transfer: Transfer, reply: Document) -> None:
    step = transfer.route_step
    if step is None:
        return
    archive = transfer.archive_object
    copies = archive.writings.count()
    attach(step.route, "atr", reply, "Réponse au transfert")
    complete_step(
        step,
        summary=f"entrée n° {archive.register_line.number} au registre, {copies} copies relues",
        actor=JOB,
        facts={"archive": {"transfer_id": str(transfer.pk), "aip_id": transfer.ocfl_id}},
    )

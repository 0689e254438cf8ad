"""Controlling a transfer: every control, the acknowledgement, then acceptance or motivated refusal."""

import io
import json
import time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import open_document, store
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.services import attach, fail_step, lock_route, open_task
from parvis.edemat.archives import intake, tasks
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.formats.container import Limits, open_container
from parvis.edemat.archives.formats.findings import CONTROL_LABELS, Finding, Outcome
from parvis.edemat.archives.formats.seda import (
    REPLY_CODES,
    Acknowledgement,
    ArchiveTransferReply,
    Event,
    Party,
    UnitIdentity,
)
from parvis.edemat.archives.formats.seda_writer import write_acknowledgement, write_archive_transfer_reply
from parvis.edemat.archives.models import Accord, ControlResult, Transfer
from parvis.edemat.archives.services.parties import archival_agency, terms_for
from parvis.edemat.archives.services.tools import identification_tool, intake_tools

JOB = Actor("job", "archives.controle")
SECONDS_BETWEEN_PROGRESS = 0.5
_OUTCOMES = {Outcome.OK: "OK", Outcome.WARNING: "WARNING", Outcome.KO: "KO", Outcome.NOT_MADE: "NOT_MADE"}


def control(organisation_id: int, transfer_id: str) -> Transfer | None:
    """Control a transfer in its own transactions; a transfer that is already decided is left alone.

    Returns the transfer, or None when there was nothing to do.
    """
    with acting_for(organisation_id):
        transfer = locked(transfer_id)
        if transfer.state not in (State.DEPOSE, State.EN_CONTROLE, State.ERREUR_TECHNIQUE):
            return None
        if transfer.accepted_at:
            return None
        transfer.begin_controls()
        transfer.save()
    report = _examine(transfer)
    with acting_for(organisation_id):
        transfer = locked(transfer_id)
        if transfer.state != State.EN_CONTROLE:
            return None
        _write_report(transfer, report)
        _decide(transfer, report)
        transfer.save()
    return transfer


def _examine(transfer: Transfer) -> intake.Intake:
    organisation = transfer.organisation
    told = 0.0

    def progress(done: int, todo: int) -> None:
        nonlocal told
        if time.monotonic() - told >= SECONDS_BETWEEN_PROGRESS:
            told = time.monotonic()
            with acting_for(organisation):
                Transfer.objects.filter(pk=transfer.pk).update(done_bytes=done, todo_bytes=todo)

    def terms(manifest: Any) -> Any:
        with acting_for(organisation):
            return terms_for(transfer, manifest)

    with open_document(transfer.package) as stream:
        return intake.examine(
            stream,
            terms,
            intake_tools(),
            referentials=settings.PARVIS_REFERENTIALS_DIR,
            limits=Limits(ratio=settings.PARVIS_ARCHIVE_MAX_RATIO),
            progress=progress,
        )


def _write_report(transfer: Transfer, report: intake.Intake) -> None:
    """Keep the findings, the message, what was observed of each file, and acknowledge the message."""
    organisation, now = transfer.organisation, clock.now()
    ControlResult.objects.bulk_create(
        [
            ControlResult(
                organisation=organisation,
                transfer=transfer,
                rank=rank,
                control=finding.control,
                outcome=finding.outcome,
                code=finding.code,
                sentence=finding.sentence[:1000],
                where=finding.where[:1000],
                made_at=now,
            )
            for rank, finding in enumerate(report.findings, start=1)
        ],
        batch_size=1000,
    )
    transfer.controlled_at = now
    transfer.reply_code = report.code
    transfer.done_bytes = transfer.todo_bytes = max(report.total_bytes, 1)
    manifest = report.manifest
    if manifest is None:
        return
    transfer.seda_version = manifest.version
    transfer.originating_agency = manifest.originating_agency[:100]
    transfer.transferring_agency = manifest.transferring_agency.identifier[:100]
    root = manifest.units.get(manifest.resolve(manifest.roots[0])) if manifest.roots else None
    transfer.title = ((root and root.title) or transfer.title)[:1000]
    transfer.units = sum(1 for _ in manifest.described_units())
    transfer.objects_count = len(report.files)
    transfer.size = report.total_bytes
    transfer.accord = Accord.objects.filter(organisation=organisation, identifier=manifest.agreement).first()
    # A duplicate is refused under its own row: the identifier stays with the transfer that has it.
    duplicate = any(f.control == "CTRL_DOUBLON" and not f.ok for f in report.findings)
    if not duplicate:
        transfer.identifier = manifest.identifier[:300]
    if transfer.message is None:
        transfer.message = _keep_message(transfer, report)
    transfer.observations = store(
        organisation, observations(report), f"{transfer.pk}-identification.json", label="Formats reconnus"
    )
    transfer.acknowledgement = _acknowledge(transfer, manifest.identifier, manifest.transferring_agency)


def _keep_message(transfer: Transfer, report: intake.Intake) -> Any:
    with open_document(transfer.package) as stream, open_container(stream, Limits(ratio=10**9)) as container:
        content = container.open(report.manifest_path).read()
    return store(
        transfer.organisation,
        io.BytesIO(content),
        f"{transfer.pk}-bordereau.xml",
        label="Bordereau de transfert",
    )


def observations(report: intake.Intake) -> bytes:
    """What was found of each file, in canonical JSON: it goes to the archive with the files."""
    files = [
        {
            "path": f.path,
            "size": f.size,
            "sha256": f.digests.get("sha256", ""),
            "sha512": f.digests.get("sha512", ""),
            "puid": f.puid,
            "format": f.format_name,
            "media_type": f.media_type,
        }
        for f in report.files.values()
    ]
    content = {
        "tool": identification_tool(),
        "message": report.manifest_path,
        "bindings": report.bindings,
        "files": files,
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _acknowledge(transfer: Transfer, received: str, sender: Party) -> Any:
    keeper = archival_agency(transfer.organisation)
    message = Acknowledgement(
        identifier=f"ACK_{transfer.pk}",
        date=clock.now(),
        received_identifier=received or str(transfer.pk),
        sender=keeper,
        receiver=Party(sender.identifier or "inconnu", sender.name),
        comment="Versement reçu",
    )
    return store(
        transfer.organisation,
        write_acknowledgement(message),
        f"{message.identifier}.xml",
        label="Accusé de réception du versement",
    )


def _decide(transfer: Transfer, report: intake.Intake) -> None:
    organisation = transfer.organisation
    subject = ("versement", transfer.pk)
    record(
        organisation,
        "archives.controle",
        subject=subject,
        actor=JOB,
        sha256=transfer.package.sha256,
        details={"code": report.code, "findings": len(report.findings)},
    )
    if report.must_wait:
        waiting = next(f.sentence for f in report.findings if not f.ok)
        meet_incident(transfer, waiting)
        return
    if not report.accepted:
        transfer.reject()
        issue_refusal(transfer, report.code, "", report.findings)
        record(organisation, "archives.refuse", subject=subject, actor=JOB, details={"code": report.code})
        return
    transfer.pass_controls()
    if transfer.accord and transfer.accord.auto_accept:
        transfer.accept()
        transfer.accepted_at = clock.now()
        record(organisation, "archives.accepte", subject=subject, actor=JOB)
        tasks.store_transfer.enqueue(organisation, transfer_id=str(transfer.pk))
    else:
        transfer.await_decision()
        open_task(
            organisation,
            service="archives",
            verb="Accepter le versement",
            title=str(transfer),
            permission="archives.verser",
            path=page_of(organisation, transfer.pk),
            subject=subject,
        )


def issue_refusal(transfer: Transfer, code: str, reason: str, findings: list[Finding] | None = None) -> None:
    """Write the reply that refuses, one event per failed control, and stop the route if there is one."""
    transfer.reply_code = code
    now = clock.now()
    failed = [f for f in findings or () if not f.ok]
    reply = ArchiveTransferReply(
        identifier=f"ATR_{transfer.pk}",
        date=now,
        request_identifier=transfer.identifier or str(transfer.pk),
        code=code,
        archival_agency=archival_agency(transfer.organisation),
        transferring_agency=Party(transfer.transferring_agency or "inconnu"),
        agreement=transfer.accord.identifier if transfer.accord else "",
        comment=reason or REPLY_CODES[code],
        events=tuple(event_of(f, now) for f in failed),
    )
    transfer.reply = store(
        transfer.organisation,
        write_archive_transfer_reply(reply),
        f"{reply.identifier}.xml",
        label="Réponse au transfert (refus)",
    )
    if transfer.route_step:
        sentence = reason or (failed[0].sentence if failed else REPLY_CODES[code])
        attach(transfer.route_step.route, "atr", transfer.reply, "Réponse au transfert (refus)")
        fail_step(transfer.route_step, reason=f"Archivage refusé : {sentence}", actor=JOB)


def event_of(finding: Finding | ControlResult, at: Any) -> Event:
    """A finding as an event of the reply, in the words of the standard."""
    return Event(
        code=str(finding.control),
        at=at,
        detail=finding.where,
        outcome=_OUTCOMES[Outcome(finding.outcome)],
        outcome_detail=finding.code,
        message=finding.sentence,
        kind=next(label for control, label in CONTROL_LABELS.items() if control == finding.control),
    )


def issue_acceptance(transfer: Transfer, units: list[UnitIdentity], at: Any) -> Document:
    """Write the reply that accepts: to be called only once every copy was read back."""
    remarks = transfer.last_controls().exclude(outcome=Outcome.OK)
    reply = ArchiveTransferReply(
        identifier=f"ATR_{transfer.pk}",
        date=at,
        request_identifier=transfer.identifier,
        code=transfer.reply_code,
        archival_agency=archival_agency(transfer.organisation),
        transferring_agency=Party(transfer.transferring_agency),
        agreement=transfer.accord.identifier if transfer.accord else "",
        comment=REPLY_CODES[transfer.reply_code],
        granted=at,
        events=tuple(event_of(c, c.made_at) for c in remarks),
        units=tuple(units),
    )
    transfer.reply = store(
        transfer.organisation,
        write_archive_transfer_reply(reply),
        f"{reply.identifier}.xml",
        label="Réponse au transfert (acceptation)",
    )
    return transfer.reply


def meet_incident(transfer: Transfer, sentence: str) -> None:
    """Stop on a fault that is not the depositor's: the transfer can be put back to work."""
    if transfer.state != State.ERREUR_TECHNIQUE:
        transfer.report_incident(sentence)
    record(transfer.organisation, "archives.incident", subject=("versement", transfer.pk), actor=JOB)
    open_task(
        transfer.organisation,
        service="archives",
        verb="Relancer le versement",
        title=str(transfer),
        summary=sentence,
        permission="archives.verser",
        path=page_of(transfer.organisation, transfer.pk),
        subject=("versement", transfer.pk),
    )


def give_up(organisation_id: int, transfer_id: str, work: str, error: Exception) -> None:
    """Stop a transfer whose job failed for the last time on an error that no rule foresaw."""
    with acting_for(organisation_id):
        transfer = locked(transfer_id)
        if transfer.working:
            meet_incident(
                transfer,
                f"{work} s’est arrêté sur une erreur imprévue ({type(error).__name__}), malgré plusieurs essais. "
                "Relancez le versement ; si l’incident se répète, prévenez l’administration de la plateforme.",
            )
            transfer.save()


def page_of(organisation: Organisation, transfer_id: UUID) -> str:
    """Address of the page of a transfer."""
    return reverse("archives:transfer", args=[organisation.slug, transfer_id])


def locked(transfer_id: str) -> Transfer:
    """The transfer, its row locked until the end of the transaction."""
    found = Transfer.objects.select_for_update(of=("self",), no_key=True).select_related(
        "organisation", "package__organisation", "accord", "route_step__route"
    )
    transfer = found.get(pk=transfer_id)
    if transfer.route_step:
        lock_route(transfer.route_step.route_id)  # before the journal
    return transfer

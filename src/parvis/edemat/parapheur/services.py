"""Use cases of the parapheur: create a dossier, endorse, sign, refuse, put back in the circuit.

Each function is one transaction with its journal entry; the dossier's row is locked first, so that two people
acting at the same time get one result and one clear refusal. Signing takes seconds and talks to the outside:
`ask_signature` records the decision, a job carries it out (`carry_out_signature`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes, store
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import SYSTEM, Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.naming import with_article
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import RouteStep
from parvis.core.routing.registry import Remedy
from parvis.core.routing.services import (
    attach,
    close_tasks,
    complete_step,
    fail_step,
    lock_route,
    open_task,
    retry_step,
)
from parvis.core.trust import certificates, identities, pades, validation
from parvis.core.trust.models import Certificate
from parvis.edemat.parapheur.models import PERMISSIONS, VERBS, Action, Circuit, Dossier, Etape
from parvis.edemat.parapheur.placement import find_place

for _code, _label in {
    "parapheur.dossier_cree": "Mise au parapheur",
    "parapheur.vise": "Visée",
    "parapheur.signature_demandee": "Signature demandée par le signataire",
    "parapheur.signe": "Signée électroniquement",
    "parapheur.signature_echouee": "Signature non aboutie",
    "parapheur.refuse": "Refusée au parapheur",
    "parapheur.repris": "Remise au parapheur",
}.items():
    register_action(_code, _label)
register_subject("dossier", "Dossier du parapheur", "parapheur:dossier")

MAX_SIGNED = pades.MAX_PDF
INCIDENT = "La signature n’a pas abouti à cause d’un incident technique. Rien n’est signé ; vous pouvez réessayer."
MOTIVE_LENGTH = 4  # a motive says something: more than three characters


class AlreadyHandled(DomainError):
    """Somebody acted before."""


class DocumentChanged(DomainError):
    """What would be signed is not what was shown."""


class NotEntitled(DomainError):
    """No mandate in force allows the action."""


class SamePerson(DomainError):
    """Visa and signature of one document are given by two people."""


class MotiveRequired(DomainError):
    """A refusal says why."""


class SignatureInvalid(DomainError):
    """The signature just made does not verify: it is not kept."""


# -- opening -------------------------------------------------------------------------------------------------


def create_dossier(step: RouteStep) -> Dossier:
    """Open the dossier of a route's signature step on its original document, and the first task.

    Called again for the same step it gives the dossier already there; after a refusal it takes over from the
    dossier refused, whose task is closed. Raises DomainError when the route has no document to sign.
    """
    live = Dossier.objects.filter(route_step=step).exclude(state=Dossier.State.REFUSED).first()
    if live is not None:
        return live
    route, organisation = step.route, step.organisation
    document = route.document("original")
    if document is None:
        raise DomainError("Aucun document à signer n’accompagne ce cheminement. Joignez-le avant la signature.")
    circuit, _ = Circuit.objects.get_or_create(
        organisation=organisation, kind=route.kind, defaults={"name": "Un visa, une signature"}
    )
    now = clock.now()
    dossier = Dossier.objects.create(
        organisation=organisation,
        route_step=step,
        circuit=circuit,
        title=route.title,
        reference=route.reference,
        document=document,
        created_at=now,
    )
    Etape.objects.bulk_create(
        Etape(organisation=organisation, dossier=dossier, rank=rank, action=action)
        for rank, action in enumerate(Action, start=1)
    )
    record(
        organisation,
        "parapheur.dossier_cree",
        subject=("dossier", dossier.pk),
        actor=SYSTEM,
        sha256=document.sha256,
        details={"route": str(route.pk), "circuit": str(circuit.pk)},
    )
    for refused in Dossier.objects.filter(route_step=step, state=Dossier.State.REFUSED):
        close_tasks(organisation, subject=("dossier", refused.pk))
    _open_etape(dossier, Action.VISA, now)
    return dossier


def _open_etape(dossier: Dossier, action: str, now: datetime) -> None:
    etape = dossier.etapes.get(action=action)
    days = dossier.circuit.days(action)
    etape.state, etape.started_at, etape.deadline = Etape.State.CURRENT, now, now + timedelta(days=days)
    etape.save(update_fields=["state", "started_at", "deadline"])
    _open_task(dossier, action, etape.deadline)


def _open_task(dossier: Dossier, action: str, deadline: datetime | None) -> None:
    days = dossier.circuit.days(action)
    open_task(
        dossier.organisation,
        service="parapheur",
        verb=VERBS[Action(action)],
        title=dossier.title,
        summary=f"N° {dossier.reference}" if dossier.reference else "",
        permission=PERMISSIONS[Action(action)],
        barred=barred_from(dossier, action),
        path=path_of(dossier),
        subject=("dossier", dossier.pk),
        deadline=deadline,
        deadline_rule=f"délai de {days} jour{'s' if days > 1 else ''} du circuit « {dossier.circuit} »",
    )


def barred_from(dossier: Dossier, action: str) -> Account | None:
    """Whom the separation of visa and signature keeps from ``action``: whoever gave the visa does not sign, and
    the only person who may sign leaves the visa to somebody else."""
    if action == Action.SIGNATURE:
        return dossier.etapes.select_related("account").get(action=Action.VISA).account
    in_force = Mandate.objects.filter(organisation=dossier.organisation).in_force(clock.today())
    signers = {m.account for m in in_force.select_related("account") if PERMISSIONS[Action.SIGNATURE] in m.permissions}
    return signers.pop() if len(signers) == 1 else None


def _two_people(dossier: Dossier, action: str, account: Account) -> None:
    if barred_from(dossier, action) != account:
        return
    if action == Action.SIGNATURE:
        raise SamePerson(
            "Vous avez donné votre visa à ce document : une autre personne habilitée doit le signer.", action=action
        )
    raise SamePerson(
        "Vous êtes la seule personne habilitée à signer ce document : une autre personne doit le viser avant vous.",
        action=action,
    )


def path_of(dossier: Dossier) -> str:
    """Address of the dossier's page."""
    return reverse("parapheur:dossier", args=[dossier.organisation.slug, dossier.pk])


# -- deciding ------------------------------------------------------------------------------------------------


@transaction.atomic
def endorse(dossier_id: UUID, *, account: Account, sha256: str, actor: Actor) -> Dossier:
    """Give the visa on the document that was shown (`sha256`); the dossier goes to signature."""
    dossier = _locked(dossier_id)
    mandate = _mandate(dossier.organisation, account, PERMISSIONS[Action.VISA])
    _require(dossier, Dossier.State.VISA)
    _two_people(dossier, Action.VISA, account)
    _same_document(dossier, sha256)
    now = clock.now()
    _end_etape(dossier, Action.VISA, Etape.State.DONE, account, quality_of(mandate), now)
    dossier.endorse()
    dossier.save(update_fields=["state"])
    close_tasks(dossier.organisation, subject=("dossier", dossier.pk))
    record(
        dossier.organisation,
        "parapheur.vise",
        subject=("dossier", dossier.pk),
        actor=actor,
        sha256=dossier.document.sha256,
    )
    _open_etape(dossier, Action.SIGNATURE, now)
    return dossier


@transaction.atomic
def refuse(dossier_id: UUID, *, account: Account, motive: str, sha256: str, actor: Actor) -> Dossier:
    """Refuse the document with a motive; the route stops and its preparer gets the task to correct it."""
    motive = " ".join(motive.split())
    if len(motive) < MOTIVE_LENGTH:
        raise MotiveRequired("Indiquez le motif du refus : il sera transmis à la personne qui a préparé le document.")
    dossier = _locked(dossier_id)
    if dossier.state not in (Dossier.State.VISA, Dossier.State.SIGNATURE):
        raise _already(dossier)
    action = Action.VISA if dossier.state == Dossier.State.VISA else Action.SIGNATURE
    mandate = _mandate(dossier.organisation, account, PERMISSIONS[action])
    _same_document(dossier, sha256)
    _end_etape(dossier, action, Etape.State.REFUSED, account, quality_of(mandate), clock.now(), motive[:500])
    dossier.refuse()
    dossier.save(update_fields=["state"])
    close_tasks(dossier.organisation, subject=("dossier", dossier.pk))
    fail_step(dossier.route_step, reason=f"Refusée au parapheur : {motive}", actor=actor)
    record(
        dossier.organisation,
        "parapheur.refuse",
        subject=("dossier", dossier.pk),
        actor=actor,
        sha256=dossier.document.sha256,
        details={"etape": str(action)},
    )
    return dossier


def to_correct(step: RouteStep) -> Remedy | None:
    """What a refused dossier asks of who prepared it; None when ``step`` stopped before any dossier."""
    refused = Dossier.objects.filter(route_step=step, state=Dossier.State.REFUSED).select_related("organisation")
    dossier = refused.order_by("-id").first()
    if dossier is None:
        return None
    return Remedy(
        service="parapheur",
        verb="Corriger",
        title=dossier.title,
        permission="parapheur.preparer",
        path=path_of(dossier),
        subject=("dossier", dossier.pk),
    )


def renewal_of(dossier: Dossier) -> Dossier | None:
    """The dossier that took over from a refused one."""
    if dossier.state != Dossier.State.REFUSED:
        return None
    return Dossier.objects.filter(route_step=dossier.route_step).exclude(state=Dossier.State.REFUSED).first()


@transaction.atomic
def put_back(dossier_id: UUID, *, actor: Actor) -> Dossier:
    """After a refusal, open a new dossier on the route's present document."""
    dossier = _locked(dossier_id)
    if dossier.state != Dossier.State.REFUSED:
        raise _already(dossier)
    retry_step(dossier.route_step, actor=actor)
    renewed = Dossier.objects.exclude(state=Dossier.State.REFUSED).get(route_step=dossier.route_step)
    record(
        dossier.organisation,
        "parapheur.repris",
        subject=("dossier", renewed.pk),
        actor=actor,
        details={"refuse": str(dossier.pk)},
    )
    return renewed


@transaction.atomic
def ask_signature(dossier_id: UUID, *, account: Account, sha256: str, actor: Actor) -> Dossier:
    """Record the signatory's decision on the document shown (`sha256`) and enqueue the job that signs.

    Everything that can be refused is refused now: another's action, a changed document, a mandate that ended,
    no certificate.
    """
    from parvis.edemat.parapheur.tasks import sign_dossier

    dossier = _locked(dossier_id)
    _mandate(dossier.organisation, account, PERMISSIONS[Action.SIGNATURE])
    _require(dossier, Dossier.State.SIGNATURE)
    _two_people(dossier, Action.SIGNATURE, account)
    _same_document(dossier, sha256)
    certificate = certificates.signing_certificate_of(dossier.organisation, account)
    dossier.signer, dossier.stage, dossier.failure = account, Dossier.Stage.QUEUED, ""
    dossier.begin_signing()
    dossier.save(update_fields=["signer", "stage", "failure", "state"])
    record(
        dossier.organisation,
        "parapheur.signature_demandee",
        subject=("dossier", dossier.pk),
        actor=actor,
        sha256=sha256,
        details={"certificat": certificate.sha256},
    )
    sign_dossier.enqueue(dossier.organisation, dossier_id=str(dossier.pk))
    return dossier


# -- signing (job) -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Order:
    """What the job needs, read in one transaction before the slow work."""

    pdf: bytes
    identity: identities.SigningIdentity
    certificate: Certificate
    account: Account
    quality: str
    organisation: Organisation


def carry_out_signature(organisation_id: int, dossier_id: UUID) -> None:
    """Sign, validate, store. Idempotent: a dossier that no longer waits for its signature is left alone.

    Whatever stops it gives the dossier back to its signatory with a sentence; an error that no rule foresaw
    is also raised, for the administrators' page of jobs.
    """
    try:
        order = _take_order(organisation_id, dossier_id)
        if order is None:
            return
        _advance(organisation_id, dossier_id, Dossier.Stage.SIGNING)
        signed_at = clock.now()
        signed = pades.sign(
            order.pdf,
            order.identity,
            level=pades.Level.LTA,
            reason=order.quality,
            location=order.organisation.short_name,
            name=order.account.full_name,
            visible=_visible(order, signed_at),
            at=signed_at,
        )
        _advance(organisation_id, dossier_id, Dossier.Stage.VALIDATING)
        report = validation.validate_pdf(signed)
        if not report.valid:
            raise SignatureInvalid(
                f"La signature obtenue ne se vérifie pas, elle n’est pas conservée. {report.sentence}",
                verdict=report.verdict,
                sub_indication=report.sub_indication,
            )
        _advance(organisation_id, dossier_id, Dossier.Stage.STORING)
        _finish(organisation_id, dossier_id, order, signed, report, signed_at)
    except DomainError as error:
        _give_back(organisation_id, dossier_id, error)
    except Exception:
        _give_back(organisation_id, dossier_id, DomainError(INCIDENT))
        raise


def _take_order(organisation_id: int, dossier_id: UUID) -> _Order | None:
    with acting_for(organisation_id):
        dossier = _locked(dossier_id)
        if dossier.state != Dossier.State.SIGNING:
            return None
        account = dossier.signer
        assert account is not None  # the database says so of this state
        mandate = _mandate(dossier.organisation, account, PERMISSIONS[Action.SIGNATURE])
        certificate = certificates.signing_certificate_of(dossier.organisation, account)
        identity = identities.load(certificate)
        pdf = read_bytes(dossier.document, limit=MAX_SIGNED)
        dossier.stage = Dossier.Stage.CHECKING
        dossier.save(update_fields=["stage"])
        return _Order(pdf, identity, certificate, account, quality_of(mandate), dossier.organisation)


def _advance(organisation_id: int, dossier_id: UUID, stage: str) -> None:
    """Tell the page where the work stands, in a transaction of its own."""
    with acting_for(organisation_id):
        Dossier.objects.filter(pk=dossier_id).update(stage=stage)


def _visible(order: _Order, signed_at: datetime) -> pades.VisibleBlock | None:
    place = find_place(order.pdf, order.account.full_name, f"Le {order.quality}", order.quality)
    if place is None:
        return None
    page, box = place
    local = clock.paris(signed_at)
    when = f"le {local:%d/%m/%Y} à {local.hour} h {local:%M}"
    who = f" par {order.account.full_name}" if pades.can_draw(order.account.full_name) else ""
    lines = (f"Signé électroniquement{who}", f"{order.quality}, {when}")
    mention = ("Certificat de bac à sable, sans valeur légale",) if order.certificate.without_legal_value else ()
    return pades.VisibleBlock(lines + mention, box, page)


def _give_back(organisation_id: int, dossier_id: UUID, error: DomainError) -> None:
    with acting_for(organisation_id):
        dossier = _locked(dossier_id)
        if dossier.state != Dossier.State.SIGNING:
            return
        dossier.give_back()
        dossier.stage, dossier.failure = "", error.sentence[:500]
        dossier.save(update_fields=["state", "stage", "failure"])
        record(
            dossier.organisation,
            "parapheur.signature_echouee",
            subject=("dossier", dossier.pk),
            actor=Actor("job", "parapheur.signature"),
            sha256=dossier.document.sha256,
            details={"cause": type(error).__name__},
        )


def _finish(
    organisation_id: int,
    dossier_id: UUID,
    order: _Order,
    signed: bytes,
    report: validation.Report,
    signed_at: datetime,
) -> None:
    with acting_for(organisation_id):
        dossier = _locked(dossier_id)
        if dossier.state != Dossier.State.SIGNING:
            return
        organisation, route = dossier.organisation, dossier.route_step.route
        actor = Actor("account", str(order.account.pk))
        stem = dossier.document.filename.rpartition(".")[0] or "document"
        document = store(
            organisation,
            signed,
            f"{stem}-signe.pdf",
            source=dossier.document,
            derivation="signature",
            label=f"{dossier.document.label or 'Document'} (signé)"[:200],
        )
        report_document = _store_report(organisation, document, stem, report)
        dossier.signed_document, dossier.report = document, report_document
        dossier.verdict, dossier.verdict_sentence = report.verdict, report.sentence[:300]
        dossier.stage = ""
        dossier.finish()
        dossier.save()
        _end_etape(dossier, Action.SIGNATURE, Etape.State.DONE, order.account, order.quality, signed_at)
        Certificate.objects.filter(pk=order.certificate.pk).update(last_used_at=signed_at)
        attach(route, "signe", document, "Document signé")
        attach(route, "rapport_validation", report_document, "Rapport de validation de la signature")
        close_tasks(organisation, subject=("dossier", dossier.pk))
        record(
            organisation,
            "parapheur.signe",
            subject=("dossier", dossier.pk),
            actor=actor,
            sha256=document.sha256,
            details={
                "original": dossier.document.sha256,
                "certificat": order.certificate.sha256,
                "verdict": str(report.verdict),
                "niveau": report.signatures[0].level,
            },
        )
        complete_step(
            dossier.route_step,
            summary=f"par {order.account.full_name}, {order.quality}"[:300],
            facts={
                "signature": {
                    "signed_at": signed_at.isoformat(),
                    "signatory": f"{order.account.full_name}, {order.quality}",
                    "verdict": str(report.verdict),
                }
            },
            actor=actor,
        )


def _store_report(organisation: Organisation, document: Document, stem: str, report: validation.Report) -> Document:
    content = json.dumps(report.to_dict(), ensure_ascii=False, indent=2).encode()
    return store(
        organisation,
        content,
        f"{stem}-validation.json",
        source=document,
        derivation="validation",
        label="Rapport de validation de la signature",
    )


# -- common --------------------------------------------------------------------------------------------------


def quality_of(mandate: Mandate) -> str:
    """The title under which the person signs."""
    return mandate.title or mandate.get_role_display()


def _locked(dossier_id: UUID) -> Dossier:
    dossiers = Dossier.objects.select_for_update(of=("self",), no_key=True).select_related(
        "organisation", "document", "circuit", "route_step__route", "signer"
    )
    dossier = dossiers.get(pk=dossier_id)
    lock_route(dossier.route_step.route_id)  # before the journal
    return dossier


def _mandate(organisation: Organisation, account: Account, permission: str) -> Mandate:
    """The mandate in force today that gives `permission`. Raises NotEntitled."""
    for mandate in Mandate.objects.filter(organisation=organisation, account=account).in_force(clock.today()):
        if permission in mandate.permissions:
            return mandate
    raise NotEntitled(
        f"Aucun mandat en cours ne vous permet d’agir sur ce document pour {with_article(organisation.name)}. "
        "Si votre mandat vient de changer, prévenez l’administration de votre organisation."
    )


def _require(dossier: Dossier, state: str) -> None:
    if dossier.state != state:
        raise _already(dossier)


def _already(dossier: Dossier) -> AlreadyHandled:
    last = dossier.etapes.filter(ended_at__isnull=False).select_related("account").order_by("-ended_at").first()
    if last is None or last.account is None or last.ended_at is None:
        return AlreadyHandled("Ce dossier n’attend pas cette action. Actualisez la page pour voir où il en est.")
    when = clock.paris(last.ended_at)
    return AlreadyHandled(
        f"Ce dossier a déjà été traité par {last.account} le {when:%d/%m/%Y} à {when.hour} h {when:%M} "
        f"({last.label.lower()})."
    )


def _same_document(dossier: Dossier, sha256: str) -> None:
    """Sign what you see: the digest that the page carried is still the document's."""
    if sha256 != dossier.document.sha256:
        raise DocumentChanged(
            "Le document a changé depuis que vous l’avez affiché. Relisez-le avant de vous prononcer.",
            shown=sha256,
            stored=dossier.document.sha256,
        )
    current = dossier.route_step.route.document("original")
    if current is None or current.pk != dossier.document_id:
        raise DocumentChanged(
            "Une nouvelle version du document a été déposée depuis sa mise au parapheur. "
            "Refusez ce dossier pour que la bonne version vous soit présentée.",
            stored=dossier.document.sha256,
        )


def _end_etape(
    dossier: Dossier,
    action: str,
    state: str,
    account: Account,
    quality: str,
    now: datetime,
    motive: str = "",
) -> None:
    etape = dossier.etapes.get(action=action)
    etape.state, etape.account, etape.quality = state, account, quality
    etape.ended_at, etape.motive, etape.document_sha256 = now, motive, dossier.document.sha256
    etape.save()

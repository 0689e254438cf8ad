"""The classification of each organisation: asked for, kept byte for byte, replaced for this organisation
only."""

from dataclasses import asdict
from datetime import date, timedelta

from django.db import transaction

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, locked_head, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.enums import Delivery, Status, TransactionKind
from parvis.edemat.actes.formats.emitters import InvalidEmitter
from parvis.edemat.actes.formats.inbound import RetourClassification
from parvis.edemat.actes.lifecycle import begin
from parvis.edemat.actes.models import Classification, Transaction
from parvis.edemat.actes.services.preparation import (
    classification_date,
    current_classification,
    emitter_of,
    settings_of,
)

register_action("actes.classification_recue", "Classification de la préfecture reçue")
register_action("actes.classification_confirmee", "Classification confirmée par la préfecture")


RETRY = timedelta(days=1)


class RequestTooSoon(DomainError):
    """A request has already been sent today."""


class RequestSuspended(DomainError):
    """The préfet has suspended the télétransmission: nothing is asked for."""


def last_request(organisation: Organisation) -> Transaction | None:
    """The latest request for the classification, whatever became of it."""
    asked = Transaction.objects.filter(organisation=organisation, kind=TransactionKind.DEMANDE_CLASSIFICATION)
    return asked.order_by("-id").first()


def asked_today(organisation: Organisation) -> bool:
    """True when a request has been made today, in Paris, and is not in error."""
    last = (
        Transaction.objects.filter(organisation=organisation, kind=TransactionKind.DEMANDE_CLASSIFICATION)
        .exclude(status=Status.ERREUR)
        .order_by("-id")
        .first()
    )
    return last is not None and clock.paris(last.created_at).date() == clock.today()


def request_classification(organisation: Organisation, *, actor: Actor) -> Transaction:
    """Send a 7-1 to the préfecture, at most once a day.

    Raises ``RequestTooSoon``, ``RequestSuspended``, and ``InvalidEmitter`` when the préfecture would not know whom
    to answer.
    """
    from parvis.edemat.actes import tasks

    with transaction.atomic():
        chosen = settings_of(organisation)
        if chosen.suspended:
            raise RequestSuspended(
                "La télétransmission est suspendue : la classification se demandera quand elle reprendra."
            )
        emitter_of(organisation, chosen)
        if asked_today(organisation):
            raise RequestTooSoon(
                "La classification a déjà été demandée aujourd’hui : la préfecture n’accepte qu’une demande par jour."
            )
        asked = Transaction.objects.create(
            organisation=organisation,
            kind=TransactionKind.DEMANDE_CLASSIFICATION,
            status=Status.POSTE,
            delivery=Delivery.A_CONSTRUIRE,
            test=chosen.test,
            created_at=clock.now(),
        )
        begin(asked, "Classification demandée.", actor=actor)
        tasks.build_archive.enqueue(organisation, transaction_id=str(asked.pk))
        return asked


def install(
    organisation: Organisation, xml: bytes, filename: str, message: RetourClassification, *, actor: Actor
) -> Classification:
    """Make the classification just received the current one of this organisation, and keep its exact
    bytes."""
    locked_head(organisation)  # a mail may bring a classification after what was written about an act
    document = store(organisation, xml, filename, label=f"Classification du {message.date:%d/%m/%Y}")
    Classification.objects.filter(organisation=organisation, current=True).update(current=False)
    installed = Classification.objects.create(
        organisation=organisation,
        date=message.date,
        document=document,
        natures=[
            {
                "code": nature.code,
                "label": nature.label,
                "abbreviation": nature.abbreviation,
                "pieces": [asdict(piece) for piece in nature.pieces],
            }
            for nature in message.natures
        ],
        matieres=[asdict(matiere) for matiere in message.matieres],
        received_at=clock.now(),
        verified_on=clock.today(),
    )
    record(
        organisation,
        "actes.classification_recue",
        subject=("classification", installed.pk),
        actor=actor,
        sha256=document.sha256,
        details={"date": message.date.isoformat(), "matieres": len(message.matieres)},
    )
    return installed


def confirm(organisation: Organisation, day: date, *, actor: Actor) -> bool:
    """The préfecture says that the classification of ``day`` is in force; False when ours is another one."""
    locked_head(organisation)
    ours = current_classification(organisation)
    if ours is None or ours.date != day:
        return False
    ours.verified_on = clock.today()
    ours.save(update_fields=["verified_on"])
    record(
        organisation, "actes.classification_confirmee", subject=("classification", ours.pk), actor=actor,
        details={"date": day.isoformat()},
    )  # fmt: skip
    return True


def request_if_newer(organisation: Organisation, in_force: date | None, *, actor: Actor) -> bool:
    """Ask at once for the classification when a return says that a newer one is in force; True when asked."""
    ours = current_classification(organisation)
    if in_force is None or (ours and ours.date >= in_force) or asked_today(organisation):
        return False
    return _request_if_ready(organisation, actor=actor)


def request_if_none(organisation: Organisation, *, actor: Actor) -> bool:
    """Ask when no classification is in force and none was asked for within a day; True when asked."""
    if classification_date(organisation) is not None:
        return False
    last = last_request(organisation)
    if last and clock.now() - last.created_at < RETRY:
        return False
    return _request_if_ready(organisation, actor=actor)


def request_again_if_none(organisation: Organisation, *, actor: Actor) -> bool:
    """``request_if_none`` after a request that brought nothing; the first is left to who needs it.

    Nothing while the sending is suspended, or once the subscription is over.
    """
    if last_request(organisation) is None or not organisation.subscribes_to("edemat", clock.today()):
        return False
    return request_if_none(organisation, actor=actor)


def _request_if_ready(organisation: Organisation, *, actor: Actor) -> bool:
    try:
        request_classification(organisation, actor=actor)
    except (
        InvalidEmitter,
        RequestSuspended,
        RequestTooSoon,
    ):  # nobody waits for the answer: the settings say what is missing
        return False
    return True

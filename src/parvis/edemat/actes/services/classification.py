"""The classification of each organisation: asked for, kept byte for byte, replaced for this organisation
only."""

from dataclasses import asdict
from datetime import date

from django.db import transaction

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.enums import Delivery, Status, TransactionKind
from parvis.edemat.actes.formats.inbound import RetourClassification
from parvis.edemat.actes.lifecycle import begin
from parvis.edemat.actes.models import Classification, Transaction
from parvis.edemat.actes.services.preparation import current_classification, settings_of

register_action("actes.classification_recue", "Classification de la préfecture reçue")
register_action("actes.classification_confirmee", "Classification confirmée par la préfecture")


class RequestTooSoon(DomainError):
    """A request has already been sent today."""


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
    """Send a 7-1 to the préfecture, at most once a day. Raises ``RequestTooSoon``."""
    from parvis.edemat.actes import tasks

    with transaction.atomic():
        chosen = settings_of(organisation)
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
    request_classification(organisation, actor=actor)
    return True

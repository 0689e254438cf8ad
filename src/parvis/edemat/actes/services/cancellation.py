"""Cancelling the transmission of an act (6-1): asked for here, in effect when the State says so (6-2).

It cancels the transmission and not the act; its number is spent at the ministry.
"""

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor
from parvis.core.routing.models import RouteStep
from parvis.core.routing.services import close_tasks, end_route
from parvis.edemat.actes.enums import Delivery, Status, TransactionKind
from parvis.edemat.actes.lifecycle import begin, move
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, Publication, Transaction
from parvis.edemat.actes.services.letters import QUESTIONS
from parvis.edemat.actes.services.preparation import emitter_of, settings_of

DONE = "Transmission annulée"
"""What the cheminement says where it ended."""


class CancellationRefused(DomainError):
    """The transmission cannot be cancelled."""


def cancellation_of(acte: Acte) -> Transaction | None:
    """The cancellation under way or done, if any; one in error no longer counts."""
    asked = Transaction.objects.filter(acte=acte, kind=TransactionKind.ANNULATION).exclude(status=Status.ERREUR)
    return asked.order_by("-id").first()


def why_not(acte: Acte) -> str:
    """The sentence that forbids the cancellation, "" when it may be asked for."""
    if acte.status not in (Status.ACQUITTE, Status.VALIDE):
        return "Seule une transmission acquittée par la préfecture s’annule."
    if cancellation_of(acte):
        return "L’annulation de cette transmission est déjà demandée."
    if acte.route and acte.route.steps.filter(code="archives.versement", state=RouteStep.State.DONE).exists():
        return "L’acte est archivé : sa transmission ne s’annule plus."
    if settings_of(acte.organisation).suspended:
        return "La télétransmission est suspendue : adressez-vous à la préfecture."
    return ""


def ask_to_cancel(acte: Acte, *, actor: Actor) -> Transaction:
    """Ask the State to cancel the transmission of ``acte``. Raises ``CancellationRefused``."""
    from parvis.edemat.actes import tasks

    with transaction.atomic():
        acte = lock_acte(acte)
        if refusal := why_not(acte):
            raise CancellationRefused(refusal)
        chosen = settings_of(acte.organisation)
        emitter_of(acte.organisation, chosen)
        asked = Transaction.objects.create(
            organisation=acte.organisation,
            acte=acte,
            kind=TransactionKind.ANNULATION,
            related=acte.transaction,
            status=Status.POSTE,
            delivery=Delivery.A_CONSTRUIRE,
            test=chosen.test,
            created_at=clock.now(),
        )
        begin(asked, "Annulation de la transmission demandée.", actor=actor)
        tasks.build_archive.enqueue(acte.organisation, transaction_id=str(asked.pk))
        return asked


def take_effect(asked: Transaction, *, actor: Actor) -> None:
    """The State has cancelled: the act is no longer transmitted, hence no longer binding. (L2131-1)

    Its route ends there, unless the act was brought to everybody's knowledge: what is online stays, and is archived.
    """
    acte = asked.acte
    assert acte is not None
    assert asked.related_id is not None
    locking = Transaction.objects.select_for_update(of=("self",), no_key=True).select_related("organisation")
    original, said = locking.get(pk=asked.related_id), "Transmission annulée à la demande de la collectivité."
    move(original, Status.ANNULE, said, actor=actor, document=asked.ar)
    Acte.objects.filter(pk=acte.pk).update(executoire_on=None)
    Publication.objects.online().filter(acte=acte).update(executoire_on=None)
    close_tasks(acte.organisation, subject=("acte", acte.pk))
    for letter in Transaction.objects.filter(acte=acte, kind__in=QUESTIONS).values_list("pk", flat=True):
        close_tasks(acte.organisation, subject=("transaction_actes", letter))
    _end_its_route(acte, actor)


def _end_its_route(acte: Acte, actor: Actor) -> None:
    if acte.route is None or acte.publications.online().exists():
        return
    if acte.route.steps.filter(code="actes.publication").exclude(state=RouteStep.State.DONE).exists():
        end_route(acte.route, reason=DONE, actor=actor)

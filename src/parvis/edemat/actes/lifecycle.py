"""Life of a transaction: which status may follow which, and the one function that moves it and writes it
down."""

from collections.abc import Iterable

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action, register_precision
from parvis.core.journal.services import Actor, record
from parvis.edemat.actes.enums import Status, TransactionKind
from parvis.edemat.actes.locking import lock_numbers
from parvis.edemat.actes.models import Acte, StatusEvent, Transaction

# An AR may arrive before our own answer is recorded (2 → 4) or after a closing in error (−1 → 4).
FOLLOWERS: dict[int, frozenset[int]] = {
    Status.A_SIGNER: frozenset({Status.A_POSTER, Status.POSTE, Status.ERREUR}),
    Status.A_POSTER: frozenset({Status.POSTE, Status.ERREUR}),
    Status.POSTE: frozenset({Status.EN_ATTENTE, Status.ERREUR}),
    Status.EN_ATTENTE: frozenset({Status.TRANSMIS, Status.ACQUITTE, Status.ERREUR}),
    Status.TRANSMIS: frozenset({Status.ACQUITTE, Status.ERREUR}),
    Status.ERREUR: frozenset({Status.ACQUITTE}),
    Status.ACQUITTE: frozenset({Status.VALIDE, Status.ANNULE, Status.A_VERSER, Status.ENVOYE_SAE}),
    Status.VALIDE: frozenset({Status.ANNULE, Status.A_VERSER, Status.ENVOYE_SAE}),
    Status.A_VERSER: frozenset({Status.ENVOYE_SAE, Status.ERREUR_VERSEMENT, Status.VERSEMENT_IMPOSSIBLE}),
    Status.ENVOYE_SAE: frozenset({Status.RECU_SAE, Status.ARCHIVE, Status.ERREUR_ARCHIVAGE}),
    Status.RECU_SAE: frozenset({Status.ARCHIVE, Status.ERREUR_ARCHIVAGE}),
    Status.ERREUR_VERSEMENT: frozenset({Status.A_VERSER}),
    Status.ERREUR_ARCHIVAGE: frozenset({Status.A_VERSER}),
    Status.ARCHIVE: frozenset({Status.DETRUIT}),
    Status.DOCUMENT_RECU: frozenset({Status.ACQUITTEMENT_ENVOYE}),
    Status.ANNULE: frozenset(),
    Status.DETRUIT: frozenset(),
}

ACTIONS = {
    Status.POSTE: ("actes.transmission_demandee", "Transmission demandée"),
    Status.EN_ATTENTE: ("actes.enveloppe_prete", "Enveloppe contrôlée et prête à partir"),
    Status.TRANSMIS: ("actes.transmis", "Transmis à la préfecture"),
    Status.ACQUITTE: ("actes.acquitte", "Accusé de réception reçu"),
    Status.ERREUR: ("actes.erreur", "Transmission en erreur"),
    Status.DOCUMENT_RECU: ("actes.courrier_recu", "Courrier de la préfecture reçu"),
    Status.DOCUMENT_SANS_AR: (
        "actes.courrier_sans_ar_recu",
        "Courrier de la préfecture reçu, sans accusé à rendre",
    ),
    Status.ACQUITTEMENT_ENVOYE: ("actes.courrier_accuse", "Courrier de la préfecture accusé"),
    Status.ANNULE: ("actes.annule", "Transmission annulée"),
}


def _which(details: dict[str, object]) -> str:
    """The exchange that an event is about, when it is not the act's own transmission."""
    kind = str(details.get("kind", TransactionKind.ACTE))
    return TransactionKind(kind).label if kind != TransactionKind.ACTE and kind in TransactionKind.values else ""


for _code, _label in (*ACTIONS.values(), ("actes.etat", "Changement d’état de la transmission")):
    register_action(_code, _label)
    register_precision(_code, _which)


class TransitionRefused(DomainError):
    """The transaction cannot go from its status to the one asked for."""


def write_event(
    transaction: Transaction, message: str, *, actor: Actor, document: Document | None = None
) -> StatusEvent:
    """Add a line to the history at the present status."""
    return StatusEvent.objects.create(
        organisation=transaction.organisation,
        transaction=transaction,
        acte_id=transaction.acte_id,
        status=transaction.status,
        at=clock.now(),
        message=message[:512],
        actor_kind=actor.kind,
        actor_id=actor.id,
        document=document,
    )


def move(
    transaction: Transaction,
    status: Status,
    message: str,
    *,
    actor: Actor,
    document: Document | None = None,
    of_the_act: Iterable[str] = (),
) -> None:
    """Give ``transaction`` (locked by the caller) its next status, with its line of history and its
    journal entry.

    The whole transaction is saved, and the act follows the status of its own transmission; ``of_the_act`` names
    the other fields of the act to save with it. Raises ``TransitionRefused``.
    """
    if status not in FOLLOWERS.get(transaction.status, frozenset()):
        raise TransitionRefused(
            f"La transmission est à l’état « {transaction.get_status_display()} » : "
            f"elle ne peut pas passer à « {status.label} ».",
            transaction=str(transaction.pk),
        )
    if transaction.status == Status.ERREUR:
        lock_numbers(transaction.organisation)
    transaction.status = status
    transaction.save()
    if transaction.acte_id and transaction.kind == TransactionKind.ACTE:
        changed = {name: getattr(transaction.acte, name) for name in of_the_act}
        Acte.objects.filter(pk=transaction.acte_id).update(status=status, **changed)
    begin(transaction, message, actor=actor, document=document)


def begin(transaction: Transaction, message: str, *, actor: Actor, document: Document | None = None) -> None:
    """Write the history line and the journal entry of a transaction at its present status."""
    write_event(transaction, message, actor=actor, document=document)
    code, _ = ACTIONS.get(Status(transaction.status), ("actes.etat", ""))
    record(
        transaction.organisation,
        code,
        subject=("acte", transaction.acte_id) if transaction.acte_id else ("transaction_actes", transaction.pk),
        actor=actor,
        sha256=document.sha256 if document else "",
        details={
            "transaction": str(transaction.pk),
            "kind": transaction.kind,
            "status": int(transaction.status),
            "envelope": transaction.envelope_name,
        },
    )

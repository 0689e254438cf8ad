"""What a person does with a message that could not be attached: attach it by hand, or set it aside with a reason.

By hand, a message is only kept with an act as a letter. What changes an act (receipts, anomalies) is never attached
so: its cause is mended, then the message is read again.
"""

from django.db import transaction
from django.db.models import Q

from parvis.core import clock
from parvis.core.documents.services import read_bytes, store
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.services import close_tasks
from parvis.edemat.actes.enums import InboundOutcome, InboundState, TransactionKind
from parvis.edemat.actes.formats import inbound
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, InboundMessage
from parvis.edemat.actes.services import letters
from parvis.edemat.actes.services.reception import files_of, parse_mail, sender_is_proven, verify_sender

register_action("actes.message_ecarte", "Message de l’État écarté")
register_action("actes.message_rattache", "Message de l’État rattaché à la main")

BY_HAND = "rattaché à la main"
LONGEST_SUBJECT = 300


class NotAttached(DomainError):
    """The message cannot be attached by hand, or set aside."""


def find_acte(organisation: Organisation, text: str) -> Acte:
    """The transmitted act with this number or identifier. Raises ``NotAttached``."""
    text = text.strip()
    named = Q(numero__iexact=text) | Q(numero_actes__iexact=text) | Q(unique_id__iexact=text)
    sent = Acte.objects.filter(named, organisation=organisation, sent_at__isnull=False).order_by("-decision_date")[:2]
    found = list(sent)
    if not found:
        raise NotAttached(f"Aucun acte transmis ne porte « {text} » : donnez son numéro ou son identifiant unique.")
    if len(found) > 1:
        raise NotAttached(f"Plusieurs actes portent « {text} » : donnez l’identifiant unique de celui-ci.")
    return found[0]


def _waiting(message: InboundMessage) -> InboundMessage:
    locking = InboundMessage.objects.select_for_update(of=("self",), no_key=True)
    message = locking.select_related("organisation", "raw__organisation").get(pk=message.pk)
    if message.state != InboundState.BANETTE:
        raise NotAttached("Ce message n’est plus dans la banette : rechargez la page.")
    return message


def set_aside(message: InboundMessage, reason: str, *, actor: Actor) -> None:
    """Nothing is to be done with the message; it stays kept with the reason."""
    with transaction.atomic():
        message = _waiting(message)
        if not reason.strip():
            raise NotAttached("Indiquez pourquoi le message est écarté : le motif est conservé avec lui.")
        message.state, message.set_aside_reason = InboundState.ECARTE, reason.strip()
        message.processed_at = clock.now()
        message.save(update_fields=["state", "set_aside_reason", "processed_at"])
        _settled(message, "actes.message_ecarte", actor)


def attach_by_hand(message: InboundMessage, acte: Acte, *, actor: Actor, despite_sender: bool = False) -> None:
    """Keep the message with ``acte`` as a letter; the act does not change. Raises ``NotAttached``.

    A message whose sender is not proven is refused, unless the person accepts it (``despite_sender``).
    """
    with transaction.atomic():
        message = _waiting(message)
        acte = lock_acte(acte)
        original = acte.transaction
        if original is None:
            raise NotAttached("Cet acte n’a pas été transmis : aucun message ne peut le concerner.")
        raw = read_bytes(message.raw)
        accepted = despite_sender and not sender_is_proven(raw)
        if not accepted:
            verify_sender(raw)
        files = files_of(raw)
        letter = _letter_in(files)
        subject = str(parse_mail(raw).get("Subject", "") or "")[:LONGEST_SUBJECT]
        given = {name: content for name, content in files.items() if content and not name.lower().endswith(".xml")}
        kept = letters.keep_letter(
            original,
            letter.code if letter else TransactionKind.COURRIER_SIMPLE,
            actor=actor,
            day=letter.date if letter else None,
            text=(letter.text if letter else "") or subject,
            files=[store(message.organisation, content, name) for name, content in given.items()],
        )
        message.state, message.outcome, message.transaction = InboundState.TRAITE, InboundOutcome.COURRIER, kept
        message.remarks, message.error = [*message.remarks, BY_HAND], ""
        message.processed_at = clock.now()
        message.save()
        if accepted:
            _trace(message, "actes.message_accepte", actor)
        _settled(message, "actes.message_rattache", actor, acte=str(acte.pk))


def _letter_in(files: dict[str, bytes]) -> inbound.Courrier | None:
    """The letter that the files hold, if any. Raises ``NotAttached`` for what would change an act."""
    found = None
    for name, content in files.items():
        if not name.lower().endswith(".xml"):
            continue
        try:
            message = inbound.parse_message(content)
        except (inbound.InvalidMessage, inbound.UnknownMessage):
            continue  # unreadable: it changes nothing, and stays in the raw message
        if isinstance(message, inbound.Courrier):
            found = message
        elif not isinstance(message, inbound.EnveloppeRetour):
            raise NotAttached(
                f"Ce message (« {message.root} ») change l’état d’un acte ou la classification : il ne se rattache pas "
                "à la main. Corrigez la cause indiquée, puis relisez-le."
            )
    return found


def _settled(message: InboundMessage, action: str, actor: Actor, **details: str) -> None:
    close_tasks(message.organisation, subject=("message_actes", message.pk))
    _trace(message, action, actor, **details)


def _trace(message: InboundMessage, action: str, actor: Actor, **details: str) -> None:
    subject = ("message_actes", message.pk)
    record(message.organisation, action, subject=subject, actor=actor, sha256=message.sha256, details=details)

"""Background jobs of the télétransmission: thin and idempotent, they call the services."""

import logging
from hashlib import sha256

from django.conf import settings
from django.db import close_old_connections, connection
from imapclient.exceptions import IMAPClientError
from procrastinate.contrib.django import app

from parvis.core.documents.services import read_bytes
from parvis.core.jobs import job, labelled
from parvis.core.notifications.services import send
from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.models import Acte, ActeSettings
from parvis.edemat.actes.services import reception, transmission

log = logging.getLogger(__name__)
POLL_SECONDS = getattr(settings, "PARVIS_ACTES_POLL_SECONDS", 2 if settings.DEMO else 30)


@job(queue="actes", label="Préparation de l’envoi à la préfecture")
def build_archive(organisation_id: int, transaction_id: str) -> None:
    """Build and check the archive of a requested transmission."""
    transmission.build_archive(transaction_id)


@job(queue="actes", in_transaction=False, label="Envoi à la préfecture")
def send_archive(organisation_id: int, transaction_id: str) -> None:
    """Send a ready archive once; what fails is taken up again by ``resume_transmissions``."""
    transmission.send_archive(organisation_id, transaction_id)


@job(queue="actes", label="Annonce de l’accusé de réception")
def notify_acknowledgement(organisation_id: int, acte_id: str) -> None:
    """Have each address chosen by the organisation told that the State has received the act.

    One job per address: what fails for one is tried again without repeating the others.
    """
    chosen = ActeSettings.objects.filter(organisation_id=organisation_id).first()
    for address in chosen.notified_addresses if chosen else ():
        send_acknowledgement.enqueue(organisation_id, acte_id=acte_id, recipient=_mark(address))


@job(queue="actes", label="Envoi de l’accusé de réception à un service")
def send_acknowledgement(organisation_id: int, acte_id: str, recipient: str) -> None:
    """Send the AR to one address, known by the mark of it; nothing when it is no longer among the chosen."""
    acte = Acte.objects.select_related("organisation").get(pk=acte_id)
    chosen = ActeSettings.objects.filter(organisation_id=organisation_id).first()
    address = next((a for a in chosen.notified_addresses if _mark(a) == recipient), None) if chosen else None
    sent = acte.transaction
    if address is None or sent is None or sent.ar is None or acte.received_on is None:
        return
    text = (
        f"La préfecture a reçu le {acte.received_on:%d/%m/%Y} l’acte n° {acte.numero} "
        f"« {acte.objet} ».\n\nIdentifiant unique : {acte.unique_id}\n"
    )
    if sent.test:
        text += "\nCette transmission est un essai : elle n’a pas de valeur légale.\n"
    receipt = (f"{acte.numero_actes}-ar-actes.xml", read_bytes(sent.ar), "application/xml")
    subject = f"[{acte.organisation.short_name}] Notification concernant l’acte {acte.numero}"
    send(acte.organisation, address, subject, text, attachments=[receipt])


def _mark(address: str) -> str:
    """What a job keeps of an address: its digest, so that the queue holds no personal data."""
    return sha256(address.encode()).hexdigest()[:16]


@app.periodic(cron=f"* * * * * */{POLL_SECONDS}")
@app.task(name="actes.poll_returns", queue="actes", queueing_lock="actes.poll_returns", pass_context=False)
@labelled("Relève des retours de l’État")
def poll_returns(timestamp: int = 0) -> None:
    """Collect and read the State's returns; a mailbox out of reach is tried again at the next pass."""
    _fresh_connection()
    try:
        if settings.PARVIS_ACTES_MAILBOX["user"]:
            reception.collect_from_settings()
    except (OSError, IMAPClientError) as error:
        log.warning("the mailbox of the State's returns is out of reach: %r", error)
    reception.process_waiting()


@app.periodic(cron="* * * * *")
@app.task(name="actes.resume", queue="actes", queueing_lock="actes.resume", pass_context=False)
@labelled("Reprise des télétransmissions")
def resume_transmissions(timestamp: int = 0) -> None:
    """Take up what waits for the ministry or was interrupted, for every organisation."""
    _fresh_connection()
    for organisation in Organisation.objects.order_by("pk"):
        try:
            transmission.resume(organisation)
        except Exception:  # an organisation in trouble must not hold back its neighbours
            log.exception("the transmissions of organisation %s could not be taken up", organisation.pk)


def _fresh_connection() -> None:
    if not connection.in_atomic_block:
        close_old_connections()  # a worker lives for days

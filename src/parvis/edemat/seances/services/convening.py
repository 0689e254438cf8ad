"""Sending of the convocations: frozen list, evidence, one message per member, receipt (CGCT L2121-10 to -12)."""

from collections import Counter
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.services import read_bytes, store
from parvis.core.documents.typesetting import typeset
from parvis.core.journal.services import Actor, record
from parvis.core.notifications.services import MessageNotSent, send
from parvis.core.routing.services import close_tasks, open_task
from parvis.edemat.seances.documents import convocation_data, invitation_for, message_for
from parvis.edemat.seances.errors import ConvocationTardive, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.calendrier import build_invitation
from parvis.edemat.seances.formats.delais import Delay, delay_between, paris_date
from parvis.edemat.seances.formats.lettres import date_longue, heure
from parvis.edemat.seances.models import Channel, Convocation, Elu, Preuve, Seance
from parvis.edemat.seances.services.agenda import CONVOKE, lock_seance, seance_path, sending_limit
from parvis.edemat.seances.services.evidence import ask_token, sent_document, state_evidence
from parvis.edemat.seances.tasks import send_convocation

OPEN = "Ouvrir la séance"
REACH = "Joindre autrement"
CARRY = "Remettre sur papier"
MAX_ATTACHMENT = 20 * 1024 * 1024
MAX_ATTEMPTS = 12
"""After that many refusals by the relay the member must be reached by another channel."""


def delay_today(seance: Seance) -> Delay:
    """The delay that a sending today would leave before the meeting."""
    return delay_between(seance.regime, clock.today(), seance.day, urgency=seance.urgency)


def convoke(seance: Seance, *, actor: Actor) -> Seance:
    """Freeze the list of members and the agenda, establish the evidence, and queue one message per member.

    Raises SeanceIncomplete without agenda, place, chair or members; ConvocationTardive after the last
    regular day,
    unless the meeting is convened in urgency with its motive and one jour franc at least is left.
    """
    seance = lock_seance(seance, Seance.State.EN_PREPARATION)
    members = list(seance.organe.elus.in_office(seance.day).order_by("rank"))
    _check_complete(seance, members)
    delay = delay_today(seance)
    if not delay.regular:
        raise ConvocationTardive(delay.sentence)

    now = clock.now()
    seance.revision += 1
    seance.convoked_at = now
    seance.convocation_document = store(
        seance.organisation,
        typeset("edemat/seances/convocation", convocation_data(seance, now)),
        f"convocation-{seance.day:%Y%m%d}.pdf",
        label="Convocation",
    )
    convocations = Convocation.objects.bulk_create(_freeze(seance, members))
    chair = next(one for one in convocations if one.elu_id == seance.president_id)
    seance.invitation_document = store(
        seance.organisation,
        build_invitation(invitation_for(chair, seance, now)),
        "convocation.ics",
        label="Invitation d’agenda",
    )
    seance.convoke()
    seance.save()
    preuve = state_evidence(
        seance,
        Preuve.Kind.ENVOI,
        recipients=convocations,
        documents=[
            sent_document(seance.convocation_pdf, "convocation"),
            *(
                sent_document(annexe.document, f"annexe {point.rank}.{annexe.rank}")
                for point in seance.points.prefetch_related("annexes__document")
                for annexe in point.annexes.all()
            ),
        ],
        actor=actor,
        reason=seance.urgency_motive if seance.urgency else "",
    )
    ask_token(preuve)
    for convocation in convocations:
        _queue(convocation)
    record(
        seance.organisation,
        "seances.convoquee",
        subject=("seance", seance.pk),
        actor=actor,
        sha256=preuve.statement.sha256,
        details={"members": len(convocations), "jours_francs": delay.francs, "minimum": delay.minimum},
    )
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=CONVOKE)
    remind_to_open(seance)
    return seance


def remind_to_open(seance: Seance) -> None:
    """Put the opening of a convened meeting in the inbox, at its hour."""
    open_task(
        seance.organisation,
        service="seances",
        verb=OPEN,
        title=str(seance),
        summary="Présences, pouvoirs et votes",
        permission="seances.gerer",
        deadline=seance.starts_at,
        deadline_rule="heure de la convocation",
        path=seance_path(seance),
        subject=("seance", seance.pk),
    )


def _check_complete(seance: Seance, members: list[Elu]) -> None:
    missing = []
    if not seance.points.exists():
        missing.append("l’ordre du jour")
    if not seance.place.strip():
        missing.append("le lieu")
    if seance.president_id is None:
        missing.append("la présidence")
    if not members:
        missing.append("les membres en exercice")
    if missing:
        raise SeanceIncomplete(f"La convocation ne peut pas partir : il manque {', '.join(missing)}.")
    if seance.president_id not in {elu.pk for elu in members}:
        raise SeanceIncomplete("La présidence est confiée à une personne qui n’est pas en exercice ce jour-là.")


def _freeze(seance: Seance, members: list[Elu]) -> list[Convocation]:
    """The members as they stand today; namesakes are told apart by their given names."""
    names = Counter(elu.short_name for elu in members)
    return [
        Convocation(
            organisation=seance.organisation,
            seance=seance,
            elu=elu,
            rank=rank,
            name=elu.short_name if names[elu.short_name] == 1 else elu.long_name,
            channel=elu.channel,
            address=elu.email if elu.channel == Channel.DEMATERIALISE else "",
            state=Convocation.State.EN_FILE if elu.channel == Channel.DEMATERIALISE else Convocation.State.A_PORTER,
        )
        for rank, elu in enumerate(members, start=1)
    ]


def _queue(convocation: Convocation) -> None:
    if convocation.channel == Channel.DEMATERIALISE:
        send_convocation.enqueue(convocation.organisation, convocation_id=str(convocation.pk))
        return
    _alert(convocation, CARRY, f"{convocation.name} a demandé une convocation sur papier")


def _alert(convocation: Convocation, verb: str, summary: str) -> None:
    seance = convocation.seance
    open_task(
        convocation.organisation,
        service="seances",
        verb=verb,
        title=str(seance),
        summary=summary,
        permission="seances.gerer",
        deadline=sending_limit(seance),
        deadline_rule="dernier jour d’envoi régulier",
        path=seance_path(seance),
        subject=("convocation", convocation.pk),
    )


def member_address(seance: Seance) -> str:
    """The full address of the member's own page, as the message carries it."""
    path = reverse("seances:my_convocation", kwargs={"organisation_slug": seance.organisation.slug, "pk": seance.pk})
    return settings.BASE_URL.rstrip("/") + path


def hand_to_relay(convocation_id: UUID | str) -> str:
    """Hand one member's message to the mail relay; returns a reason to try again, empty when there is
    nothing more.

    The row is locked and its state read again, so that two workers never send twice. A final refusal of the
    address
    becomes a bounce that alerts the agent at once; the other members' messages are other jobs.
    """
    convocation = (
        Convocation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("seance__organe", "seance__president", "seance__convocation_document", "elu")
        .get(pk=convocation_id)
    )
    seance = convocation.seance
    if convocation.state != Convocation.State.EN_FILE or seance.state in Seance.CALLED_OFF:
        return ""
    convocation.attempts += 1
    invitation = build_invitation(invitation_for(convocation, seance, clock.now()))
    message = message_for(convocation, seance, member_address(seance))
    try:
        convocation.message_id = send(
            convocation.organisation,
            convocation.address,
            message.subject,
            message.text,
            attachments=[
                (
                    "convocation.pdf",
                    read_bytes(seance.convocation_pdf, limit=MAX_ATTACHMENT),
                    "application/pdf",
                ),
                ("convocation.ics", invitation, "text/calendar"),
            ],
            headers={"X-Parvis-Seance": str(seance.pk)},
        )
    except MessageNotSent as refusal:
        return _refused(convocation, refusal)
    convocation.state = Convocation.State.REMIS_AU_RELAIS
    convocation.sent_at, convocation.last_error = clock.now(), ""
    convocation.save()
    record(
        convocation.organisation,
        "seances.convocation_remise",
        subject=("convocation", convocation.pk),
        actor=Actor("job", "convocation"),
    )
    return ""


def _refused(convocation: Convocation, refusal: MessageNotSent) -> str:
    final = refusal.is_final or convocation.attempts >= MAX_ATTEMPTS
    convocation.last_error = refusal.sentence[:500]
    if final:
        convocation.state = Convocation.State.REBOND
        convocation.last_error = "L’adresse est refusée par la messagerie : joignez ce membre autrement."
        _alert(convocation, REACH, f"La convocation de {convocation.name} n’a pas pu être distribuée")
        record(
            convocation.organisation,
            "seances.convocation_refusee",
            subject=("convocation", convocation.pk),
            actor=Actor("job", "convocation"),
        )
    convocation.save()
    return "" if final else refusal.sentence


def _locked(convocation: Convocation) -> Convocation:
    return Convocation.objects.select_for_update(of=("self",), no_key=True).get(pk=convocation.pk)


def resend(
    convocation: Convocation, *, actor: Actor, address: str = "", channel: str = "", motive: str = ""
) -> Convocation:
    """Send again to a member whom the first message did not reach; after the limit a motive is required."""
    seance = lock_seance(convocation.seance, Seance.State.CONVOQUEE)
    convocation = _locked(convocation)
    if convocation.state != Convocation.State.REBOND:
        raise WrongMoment(f"La convocation de {convocation.name} n’est pas à renvoyer.")
    delay = delay_today(seance)
    if not delay.regular and not motive.strip():
        raise ConvocationTardive(f"Convocation tardive de {convocation.name}. {delay.sentence} Indiquez le motif.")
    convocation.channel = channel or convocation.channel
    convocation.address = address or convocation.address
    paper = convocation.channel == Channel.PAPIER
    convocation.state = Convocation.State.A_PORTER if paper else Convocation.State.EN_FILE
    convocation.attempts, convocation.last_error = 0, ""
    convocation.save()
    close_tasks(seance.organisation, subject=("convocation", convocation.pk), verb=REACH)
    preuve = state_evidence(
        seance,
        Preuve.Kind.RENVOI,
        recipients=[convocation],
        documents=[sent_document(seance.convocation_pdf, "convocation")],
        actor=actor,
        convocation=convocation,
        reason=motive,
    )
    ask_token(preuve)
    convocation.seance = seance
    _queue(convocation)
    return convocation


def record_handed_on_paper(convocation: Convocation, *, handed_at: datetime, actor: Actor) -> Convocation:
    """Record that a paper convocation was sent or handed on a given day, once the meeting was convened."""
    seance = lock_seance(convocation.seance, Seance.State.CONVOQUEE)
    convocation = _locked(convocation)
    if convocation.state != Convocation.State.A_PORTER:
        raise WrongMoment(f"La convocation de {convocation.name} n’est pas à remettre sur papier.")
    if handed_at > clock.now():
        raise WrongMoment("La date de remise est à venir.")
    assert seance.convoked_at is not None
    if handed_at < seance.convoked_at.replace(second=0, microsecond=0):  # what is typed has no seconds
        convened = clock.paris(seance.convoked_at)
        raise WrongMoment(
            f"La séance a été convoquée le {date_longue(convened.date())} à {heure(convened)} : la remise ne peut pas "
            "être antérieure."
        )
    convocation.state, convocation.sent_at = Convocation.State.PORTEE, handed_at
    convocation.save(update_fields=["state", "sent_at"])
    close_tasks(convocation.organisation, subject=("convocation", convocation.pk), verb=CARRY)
    record(
        convocation.organisation,
        "seances.convocation_portee",
        subject=("convocation", convocation.pk),
        actor=actor,
        details={"day": paris_date(handed_at).isoformat()},
    )
    return convocation


def acknowledge_receipt(convocation: Convocation, *, actor: Actor) -> Convocation:
    """The member declares having received the convocation; a second declaration changes nothing."""
    seance = lock_seance(convocation.seance)
    convocation = _locked(convocation)
    if convocation.read_at:
        return convocation
    convocation.read_at = clock.now()
    if convocation.sent_at:
        convocation.state = Convocation.State.LU
    convocation.save(update_fields=["read_at", "state"])
    envoi = seance.preuves.filter(kind=Preuve.Kind.ENVOI).select_related("statement").first()
    documents = [sent_document(seance.convocation_pdf, "convocation")]
    if envoi:
        documents.append(sent_document(envoi.statement, "bordereau d’envoi"))
    preuve = state_evidence(
        seance,
        Preuve.Kind.LECTURE,
        recipients=[convocation],
        documents=documents,
        actor=actor,
        convocation=convocation,
    )
    ask_token(preuve)
    return convocation

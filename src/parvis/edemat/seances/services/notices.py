"""What members are told after the convocation: a correction, a cancellation, a report (CGCT L2121-10 to -12).

Each is a new evidenced sending, with a calendar message of the same UID and a higher sequence (RFC 5546).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes, store
from parvis.core.documents.typesetting import typeset
from parvis.core.journal.services import Actor, record
from parvis.core.notifications.services import MessageNotSent, send
from parvis.core.routing.services import close_tasks, open_task
from parvis.edemat.seances.documents import Change, Notice, invitation_for, notice_data, notice_message
from parvis.edemat.seances.errors import SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.calendrier import build_invitation
from parvis.edemat.seances.formats.lettres import date_longue, heure
from parvis.edemat.seances.models import Avis, Channel, Convocation, Preuve, Seance
from parvis.edemat.seances.services.agenda import at_its_hour, carry_over, lock_seance, plan_seance, seance_path
from parvis.edemat.seances.services.convening import (
    CARRY,
    MAX_ATTACHMENT,
    MAX_ATTEMPTS,
    OPEN,
    REACH,
    delay_today,
    member_address,
    remind_to_open,
)
from parvis.edemat.seances.services.evidence import ask_token, sent_document, state_evidence
from parvis.edemat.seances.tasks import send_notice


def rectify(seance: Seance, *, motive: str, actor: Actor, place: str = "", starts_at: datetime | None = None) -> Seance:
    """Correct the place or the hour of a convened meeting, and tell every member what changes.

    Raises WrongMoment when nothing changes, for another day (that is a report) or once the hour has passed, and
    HourTaken.
    """
    seance = _still_to_come(seance)
    starts_at, place = starts_at or seance.starts_at, place.strip() or seance.place
    if clock.paris(starts_at).date() != seance.day:
        raise WrongMoment("Changer de jour, c’est reporter la séance : une nouvelle convocation est due.")
    if starts_at <= clock.now():
        raise WrongMoment("La nouvelle heure est déjà passée.")
    changes = []
    if place != seance.place:
        changes.append(Change("Lieu", seance.place, place))
    if starts_at != seance.starts_at:
        changes.append(Change("Heure", heure(seance.starts_in_paris), heure(clock.paris(starts_at))))
    if not changes:
        raise WrongMoment("Rien ne change : indiquez le lieu ou l’heure à corriger.")
    seance.place, seance.starts_at = place, starts_at
    with at_its_hour(seance):
        seance.save(update_fields=["place", "starts_at"])
    delay = delay_today(seance)
    _tell(seance, Notice(Avis.Kind.RECTIFICATIF, motive, tuple(changes)), Preuve.Kind.RECTIFICATIF, actor)
    record(
        seance.organisation,
        "seances.rectifiee",
        subject=("seance", seance.pk),
        actor=actor,
        details={"champs": [one.label for one in changes], "delai_regulier": delay.regular},
    )
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=OPEN)
    remind_to_open(seance)
    return seance


def call_off(seance: Seance, *, motive: str, actor: Actor) -> Seance:
    """Cancel a convened meeting until its hour, and tell every member; calendars take it off."""
    seance = _still_to_come(seance)
    seance.call_off()
    _tell(seance, Notice(Avis.Kind.ANNULATION, motive), Preuve.Kind.ANNULATION, actor)
    record(seance.organisation, "seances.annulee", subject=("seance", seance.pk), actor=actor)
    _forget(seance)
    return seance


def put_off(seance: Seance, *, starts_at: datetime, motive: str, actor: Actor, place: str = "") -> Seance:
    """Report a convened meeting: cancel it and prepare another on the same items, to be convened anew."""
    seance = _still_to_come(seance)
    if clock.paris(starts_at).date() == seance.day:
        raise WrongMoment("Le jour ne change pas : envoyez plutôt un avis rectificatif.")
    seance.put_off()
    change = Change("Date", date_longue(seance.day), date_longue(clock.paris(starts_at).date()))
    _tell(seance, Notice(Avis.Kind.REPORT, motive, (change,)), Preuve.Kind.ANNULATION, actor)
    record(seance.organisation, "seances.reportee", subject=("seance", seance.pk), actor=actor)
    _forget(seance)
    new = plan_seance(
        seance.organe,
        starts_at=starts_at,
        place=place or seance.place,
        session=seance.session,
        duration_minutes=seance.duration_minutes,
        president=seance.president,
        second_of=None,
        report_of=seance,
        actor=actor,
    )
    carry_over(list(seance.points.order_by("rank")), new)
    return new


def _still_to_come(seance: Seance) -> Seance:
    seance = lock_seance(seance, Seance.State.CONVOQUEE)
    if clock.now() >= seance.starts_at:
        raise WrongMoment("L’heure de la séance est passée : relevez les présences, ou constatez l’absence de quorum.")
    return seance


def _forget(seance: Seance) -> None:
    """Close what the meeting was still asking for."""
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=OPEN)
    for pk in seance.convocations.values_list("pk", flat=True):
        for verb in (REACH, CARRY):
            close_tasks(seance.organisation, subject=("convocation", pk), verb=verb)


def _give_up(seance: Seance) -> None:
    """Give up the notices that members have not had yet: the one to come says where the meeting stands."""
    waiting = Avis.objects.filter(convocation__seance=seance, state__in=Avis.WAITING)
    for avis in list(waiting.select_for_update(of=("self",), no_key=True).order_by("pk")):
        avis.state = Avis.State.DEPASSE
        avis.save(update_fields=["state"])
        close_tasks(seance.organisation, subject=("avis", avis.pk))


def _tell(seance: Seance, notice: Notice, kind: Preuve.Kind, actor: Actor) -> None:
    """Typeset the notice, establish its evidence, and queue one message per member."""
    now = clock.now()
    _give_up(seance)  # before the first entry of the journal: a job may hold these rows
    seance.revision += 1
    convocations = list(seance.convocations.select_related("elu", "seance").order_by("rank"))
    document = store(
        seance.organisation,
        typeset("edemat/seances/avis", notice_data(seance, notice, now)),
        f"avis-{seance.day:%Y%m%d}-{seance.revision}.pdf",
        label=Avis.Kind(notice.kind).label,
    )
    if notice.kind == Avis.Kind.RECTIFICATIF:
        chair = next((one for one in convocations if one.elu_id == seance.president_id), None)
        if chair is None:
            raise SeanceIncomplete("La présidence n’est pas convoquée à cette séance : désignez un membre convoqué.")
        content = build_invitation(invitation_for(chair, seance, now))
        seance.invitation_document = store(seance.organisation, content, "convocation.ics", label="Invitation d’agenda")
    seance.save()
    preuve = state_evidence(
        seance,
        kind,
        recipients=convocations,
        documents=[sent_document(document, "avis")],
        actor=actor,
        reason=notice.motive,
    )
    ask_token(preuve)
    _queue(seance, notice, document, convocations)


def _queue(seance: Seance, notice: Notice, document: Document, convocations: Sequence[Convocation]) -> None:
    for convocation in convocations:
        paper = convocation.channel == Channel.PAPIER
        avis = Avis.objects.create(
            organisation=seance.organisation,
            convocation=convocation,
            kind=notice.kind,
            document=document,
            sequence=seance.revision,
            changes=[[one.label, one.before, one.after] for one in notice.changes],
            state=Avis.State.A_PORTER if paper else Avis.State.EN_FILE,
        )
        if paper:
            _alert(avis, seance, CARRY, f"{avis} : à remettre sur papier")
        else:
            send_notice.enqueue(seance.organisation, avis_id=str(avis.pk))


def _alert(avis: Avis, seance: Seance, verb: str, summary: str) -> None:
    open_task(
        avis.organisation,
        service="seances",
        verb=verb,
        title=str(seance),
        summary=summary,
        permission="seances.gerer",
        deadline=seance.starts_at,
        deadline_rule="heure de la séance",
        path=seance_path(seance),
        subject=("avis", avis.pk),
    )


def hand_notice_to_relay(avis_id: UUID | str) -> str:
    """Hand one member's notice to the mail relay; a reason to try again, empty when there is nothing more.

    A notice overtaken by another is no longer in the queue: sent late, it would put its meeting back in calendars.
    """
    avis = (
        Avis.objects.select_for_update(of=("self",), no_key=True)
        .select_related("convocation__elu", "convocation__seance__organe", "document")
        .get(pk=avis_id)
    )
    if avis.state != Avis.State.EN_FILE:
        return ""
    convocation = avis.convocation
    seance = convocation.seance
    method = "REQUEST" if avis.kind == Avis.Kind.RECTIFICATIF else "CANCEL"
    message = notice_message(avis, seance, member_address(seance))
    avis.attempts += 1
    try:
        send(
            avis.organisation,
            convocation.address,
            message.subject,
            message.text,
            attachments=[
                ("avis.pdf", read_bytes(avis.document, limit=MAX_ATTACHMENT), "application/pdf"),
                (
                    "seance.ics",
                    build_invitation(invitation_for(convocation, seance, clock.now(), revision=avis.sequence), method),
                    "text/calendar",
                ),
            ],
            headers={"X-Parvis-Seance": str(seance.pk)},
        )
    except MessageNotSent as refusal:
        final = refusal.is_final or avis.attempts >= MAX_ATTEMPTS
        if final:
            avis.state = Avis.State.REBOND
            _alert(avis, seance, REACH, f"{avis} : l’adresse est refusée par la messagerie")
        avis.save(update_fields=["state", "attempts"])
        return "" if final else refusal.sentence
    avis.state, avis.sent_at = Avis.State.ENVOYE, clock.now()
    avis.save(update_fields=["state", "attempts", "sent_at"])
    record(
        avis.organisation,
        "seances.avis_remis",
        subject=("convocation", convocation.pk),
        actor=Actor("job", "avis"),
    )
    return ""


def record_notice_handed(avis: Avis, *, actor: Actor) -> Avis:
    """Record that a member was told otherwise than by e-mail: on paper, in person."""
    avis = (
        Avis.objects.select_for_update(of=("self",), no_key=True)
        .select_related("convocation", "organisation")
        .get(pk=avis.pk)
    )
    if avis.state not in (Avis.State.A_PORTER, Avis.State.REBOND):
        raise WrongMoment(f"{avis} n’est pas à remettre.")
    avis.state, avis.sent_at = Avis.State.PORTE, clock.now()
    avis.save(update_fields=["state", "sent_at"])
    close_tasks(avis.organisation, subject=("avis", avis.pk))
    record(
        avis.organisation,
        "seances.avis_porte",
        subject=("convocation", avis.convocation_id),
        actor=actor,
        details={"avis": avis.kind},
    )
    return avis

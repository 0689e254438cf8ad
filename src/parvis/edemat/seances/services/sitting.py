"""The meeting as it is held: presences, powers, quorum, ballots, end (CGCT L2121-15 to L2121-21)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from parvis.core import clock
from parvis.core.journal.services import Actor, record
from parvis.core.routing.services import close_tasks, open_task
from parvis.edemat.seances.errors import BallotRefused, ConvocationTardive, QuorumMissing, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.delais import earliest_meeting_day
from parvis.edemat.seances.formats.lettres import date_longue, plural, voices
from parvis.edemat.seances.formats.pouvoirs import Power, PowerRefused, check_power
from parvis.edemat.seances.formats.presences import Composition, Event, Kind, composition_at
from parvis.edemat.seances.formats.quorum import Quorum, quorum
from parvis.edemat.seances.formats.regimes import REGIMES
from parvis.edemat.seances.formats.scrutin import Ballot, Mode, Voice
from parvis.edemat.seances.models import Convocation, Elu, Mouvement, Point, Pouvoir, Scrutin, Seance
from parvis.edemat.seances.services.agenda import carry_over, lock_seance, plan_seance, seance_path
from parvis.edemat.seances.services.convening import OPEN
from parvis.edemat.seances.services.lists import remind_to_publish_list
from parvis.edemat.seances.services.numbering import number_deliberations

SITTING = (Seance.State.CONVOQUEE, Seance.State.EN_COURS)
ESTABLISH = "Établir les délibérations"


def composition(seance: Seance, item: int = 0) -> Composition:
    """The body at the opening of `item` (0: at the opening of the meeting), folded from the journal of
    presences."""
    names = [one.name for one in seance.convocations.order_by("rank")]
    events = [
        Event(row.convocation.name, Kind(row.kind), row.from_item, row.holder.name if row.holder else "")
        for row in seance.mouvements.select_related("convocation", "holder").order_by("rank")
    ]
    return composition_at(names, events, item)


def quorum_at(seance: Seance, item: int = 0) -> Quorum:
    """The quorum when `item` is put to discussion; powers never count (L2121-17)."""
    found = composition(seance, item)
    return quorum(
        found.en_exercice,
        len(found.presents),
        withdrawn=len(found.withdrawn),
        required=seance.regime.quorum_required,
    )


def record_presence_sheet(
    seance: Seance,
    *,
    presents: Iterable[Convocation],
    powers: Iterable[tuple[Convocation, Convocation]] = (),
    actor: Actor,
    from_item: int = 0,
) -> Composition:
    """Bring the journal of presences to this sheet from `from_item` on: who is in the room, who gave power
    to whom.

    `powers` are (giver, holder) pairs. Only differences are written, as dated movements. Raises PowerRefused,
    WrongMoment when an item already voted would be touched.
    """
    seance = _lock_for_movement(seance, from_item)
    wanted = {one.name: one for one in presents}
    pairs = {giver.name: (giver, holder) for giver, holder in powers}
    before = composition(seance, from_item)
    members = {one.name: one for one in seance.convocations.order_by("rank")}
    for pouvoir in seance.pouvoirs.standing().select_related("giver", "holder"):
        kept = pairs.get(pouvoir.giver.name)
        if kept is None or kept[1].pk != pouvoir.holder_id or pouvoir.giver.name in wanted:
            _revoke(pouvoir, seance, from_item)
    for name, member in members.items():
        if name in wanted and name not in before.presents:
            _move(seance, member, Kind.ARRIVEE, from_item)
        elif name not in wanted and name in before.presents:
            _move(seance, member, Kind.DEPART, from_item)
    standing = set(seance.pouvoirs.standing().values_list("giver_id", "holder_id"))
    absent = [name for name in members if name not in wanted]
    for giver, holder in pairs.values():
        if (giver.pk, holder.pk) not in standing:
            _give(seance, giver, holder, from_item, present=wanted, absent=absent)
    record(
        seance.organisation,
        "seances.presences_relevees",
        subject=("seance", seance.pk),
        actor=actor,
        details={"from_item": from_item, "presents": len(wanted), "pouvoirs": len(pairs)},
    )
    return composition(seance, from_item)


def record_withdrawal(point: Point, member: Convocation, *, actor: Actor) -> Composition:
    """An interested member takes no part in an item (L2131-11). Raises WrongMoment for one who is not in the room."""
    seance = _lock_for_movement(point.seance, point.rank)
    found = composition(seance, point.rank)
    if member.name in found.withdrawn:
        raise WrongMoment(f"{member.name} se déporte déjà sur ce point.")
    if member.name not in found.presents:
        raise WrongMoment(f"{member.name} n’est pas en séance : le déport ne concerne que les membres présents.")
    _move(seance, member, Kind.DEPORT, point.rank)
    return _moved(seance, "seances.deport", member, actor, point.rank)


def undo_withdrawal(point: Point, member: Convocation, *, actor: Actor) -> Composition:
    """A member takes part in an item after all, before it is voted."""
    seance = _lock_for_movement(point.seance, point.rank)
    if member.name not in composition(seance, point.rank).withdrawn:
        raise WrongMoment(f"{member.name} ne s’est pas déporté sur ce point.")
    _move(seance, member, Kind.REPRISE, point.rank)
    return _moved(seance, "seances.deport_annule", member, actor, point.rank)


def withdrawals(seance: Seance) -> dict[int, list[Convocation]]:
    """The members who take no part in each item, by its rank."""
    rows = seance.mouvements.filter(kind__in=[Kind.DEPORT, Kind.REPRISE]).select_related("convocation")
    found: dict[int, list[Convocation]] = {}
    for row in rows.order_by("rank"):
        out = found.setdefault(row.from_item, [])
        if row.kind == Kind.DEPORT:
            out.append(row.convocation)
        else:
            out.remove(row.convocation)
    return found


def _give(
    seance: Seance,
    giver: Convocation,
    holder: Convocation,
    from_item: int,
    *,
    present: Iterable[str],
    absent: Iterable[str],
) -> Pouvoir:
    members = set(seance.convocations.values_list("name", flat=True))
    standing = [
        Power(one.giver.name, one.holder.name) for one in seance.pouvoirs.standing().select_related("giver", "holder")
    ]
    power = Power(giver.name, holder.name)
    check_power(power, members=members, standing=standing, present=set(present), absent=set(absent))
    try:
        with transaction.atomic():
            pouvoir = Pouvoir.objects.create(
                organisation=seance.organisation,
                seance=seance,
                giver=giver,
                holder=holder,
                received_at=clock.now(),
            )
    except IntegrityError as error:
        raise PowerRefused(
            f"{holder.name} porte déjà un pouvoir, ou {giver.name} en a déjà donné un.", cause=str(error)
        ) from error
    _move(seance, giver, Kind.POUVOIR_DONNE, from_item, holder=holder)
    return pouvoir


def _revoke(pouvoir: Pouvoir, seance: Seance, from_item: int) -> None:
    pouvoir.revoked_at = clock.now()
    pouvoir.save(update_fields=["revoked_at"])
    _move(seance, pouvoir.giver, Kind.POUVOIR_RETIRE, from_item)


def _lock_for_movement(seance: Seance, from_item: int) -> Seance:
    seance = lock_seance(seance, *SITTING)
    voted = seance.points.filter(outcome=Point.Outcome.VOTE, rank__gte=max(from_item, 1)).aggregate(last=Max("rank"))[
        "last"
    ]
    if voted:
        raise WrongMoment(
            f"Le point {voted} est déjà voté : ce mouvement ne peut valoir qu’à partir du point {voted + 1}."
        )
    return seance


def _move(seance: Seance, member: Convocation, kind: Kind, from_item: int, holder: Convocation | None = None) -> None:
    last = seance.mouvements.aggregate(last=Max("rank"))["last"] or 0
    Mouvement.objects.create(
        organisation=seance.organisation,
        seance=seance,
        convocation=member,
        rank=last + 1,
        kind=kind.value,
        from_item=from_item,
        holder=holder,
        at=clock.now(),
    )


def _moved(seance: Seance, action: str, member: Convocation, actor: Actor, from_item: int) -> Composition:
    record(
        seance.organisation,
        action,
        subject=("convocation", member.pk),
        actor=actor,
        details={"from_item": from_item},
    )
    return composition(seance, from_item)


def open_meeting(seance: Seance, *, actor: Actor, secretary: Elu | None = None) -> Seance:
    """Open the meeting once its presences are recorded. Raises QuorumMissing, SeanceIncomplete without the
    chair."""
    seance = lock_seance(seance, Seance.State.CONVOQUEE)
    if clock.today() < seance.day:
        raise WrongMoment(f"La séance se tiendra le {date_longue(seance.day)} : elle ne s’ouvre pas avant.")
    found = quorum_at(seance)
    if not found.reached:
        raise QuorumMissing(_quorum_sentence(found))
    present = set(composition(seance).presents)
    chair = seance.convocations.filter(elu=seance.president_id).first()
    if chair is None or chair.name not in present:
        raise SeanceIncomplete("Le président de séance ne figure pas parmi les présents.")
    seance.open()
    seance.opened_at = clock.now()
    if secretary:
        seance.secretary = secretary
    seance.save()
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=OPEN)
    record(
        seance.organisation,
        "seances.ouverte",
        subject=("seance", seance.pk),
        actor=actor,
        details={"quorum": found.needed, "presents": found.counted},
    )
    return seance


def _quorum_sentence(found: Quorum) -> str:
    return (
        f"Le quorum n’est pas atteint : {plural(found.counted, 'membre')} en séance pour {found.needed} "
        "(CGCT L2121-17). Les pouvoirs ne comptent pas. Convoquez à nouveau, à trois jours francs "
        "au moins : aucun "
        "quorum ne sera exigé pour les mêmes points."
    )


def change_officers(
    seance: Seance, *, actor: Actor, president: Elu | None = None, secretary: Elu | None = None
) -> Seance:
    """Name who chairs and who keeps the minutes of a meeting that is not over, among those convened to it."""
    seance = lock_seance(seance, *SITTING)
    convened = set(seance.convocations.values_list("elu", flat=True))
    if stranger := next((one for one in (president, secretary) if one and one.pk not in convened), None):
        raise SeanceIncomplete(
            f"{stranger.long_name} n’est pas convoqué à cette séance : désignez l’un des membres convoqués."
        )
    seance.president = president or seance.president
    seance.secretary = secretary
    seance.save(update_fields=["president", "secretary"])
    record(seance.organisation, "seances.bureau_designe", subject=("seance", seance.pk), actor=actor)
    return seance


def vote_urgency(seance: Seance, *, admitted: bool, actor: Actor) -> Seance:
    """Record what the body decided on the urgency, before any other ballot (L2121-11, L2121-12)."""
    seance = lock_seance(seance, Seance.State.EN_COURS)
    if not seance.urgency:
        raise WrongMoment("Cette séance n’a pas été convoquée en urgence.")
    seance.urgency_voted = admitted
    seance.save(update_fields=["urgency_voted"])
    record(
        seance.organisation,
        "seances.urgence_votee",
        subject=("seance", seance.pk),
        actor=actor,
        details={"admise": admitted},
    )
    return seance


def record_vote(
    point: Point,
    *,
    mode: Mode | str,
    actor: Actor,
    pour: int = 0,
    contre: int = 0,
    abstention: int = 0,
    blancs: int = 0,
    nuls: int = 0,
    nppv: int = 0,
    chair_voice: Voice | str = Voice.INCONNUE,
) -> Scrutin:
    """Record the ballot on an item. Until the meeting rises it may be recorded again, which the journal
    keeps.

    Raises QuorumMissing, BallotRefused when the counts do not make the voters or no counts are due.
    """
    seance, found = _ready_to_vote(point)
    votants = found.votants(nppv)
    ballot = Ballot(
        Mode(mode),
        pour=pour,
        contre=contre,
        abstention=abstention,
        blancs=blancs,
        nuls=nuls,
        nppv=nppv,
        chair=Voice(chair_voice),
        casting_vote=seance.regime.casting_vote,
    )
    if ballot.mode is Mode.SANS_VOTE and ballot.total:
        raise BallotRefused("Un point dont il est seulement pris acte ne porte pas de voix.")
    if ballot.mode is not Mode.SANS_VOTE and ballot.total != votants:
        raise BallotRefused(
            f"{voices(ballot.total)} pour {plural(votants, 'votant')} : "
            "pour + contre + abstentions + blancs + nuls doivent faire le nombre de votants."
        )
    if ballot.blancs + ballot.nuls and ballot.mode is not Mode.SECRET:
        raise BallotRefused("Les bulletins blancs ou nuls n’existent qu’au scrutin secret.")
    return _write_ballot(point, seance, found, ballot, votants, actor)


def record_unanimity(point: Point, *, actor: Actor, mode: Mode | str = Mode.MAIN_LEVEE) -> Scrutin:
    """Record that everyone, present or represented, voted for the item."""
    _, found = _ready_to_vote(point)
    return record_vote(point, mode=mode, pour=found.votants(), chair_voice=Voice.POUR, actor=actor)


def _ready_to_vote(point: Point) -> tuple[Seance, Composition]:
    seance = lock_seance(point.seance, Seance.State.EN_COURS)
    if seance.urgency and seance.urgency_voted is not True:
        raise WrongMoment("L’assemblée n’a pas admis l’urgence : elle doit d’abord se prononcer, ou renvoyer le point.")
    found = quorum_at(seance, point.rank)
    if not found.reached:
        raise QuorumMissing(_quorum_sentence(found))
    return seance, composition(seance, point.rank)


def _write_ballot(
    point: Point, seance: Seance, found: Composition, ballot: Ballot, votants: int, actor: Actor
) -> Scrutin:
    scrutin, _ = Scrutin.objects.update_or_create(
        point=point,
        defaults={
            "organisation": seance.organisation,
            "mode": ballot.mode.value,
            "en_exercice": found.en_exercice,
            "presents": len(found.presents),
            "pouvoirs": len(found.powers),
            "hors_vote": found.voices_withdrawn,
            "nppv": ballot.nppv,
            "votants": votants,
            "pour": ballot.pour,
            "contre": ballot.contre,
            "abstention": ballot.abstention,
            "blancs": ballot.blancs,
            "nuls": ballot.nuls,
            "chair_voice": ballot.chair.value,
            "result": ballot.result.value,
            "mention": ballot.mention,
            "composition": {
                "presents": list(found.presents),
                "pouvoirs": [{"mandant": one.giver, "mandataire": one.holder} for one in found.powers],
                "absents": list(found.absents),
                "retires": list(found.withdrawn),
            },
            "taken_at": clock.now(),
        },
    )
    point.outcome = Point.Outcome.VOTE
    point.save(update_fields=["outcome"])
    record(
        seance.organisation,
        "seances.vote",
        subject=("point", point.pk),
        actor=actor,
        details={
            "mode": scrutin.mode,
            "votants": votants,
            "pour": scrutin.pour,
            "contre": scrutin.contre,
            "abstention": scrutin.abstention,
            "resultat": scrutin.result,
        },
    )
    return scrutin


def postpone(point: Point, *, outcome: str = Point.Outcome.RENVOYE, actor: Actor) -> Point:
    """Put an item off to another meeting, or withdraw it: it is not voted and takes no number."""
    lock_seance(point.seance, Seance.State.EN_COURS)
    if outcome not in (Point.Outcome.RENVOYE, Point.Outcome.RETIRE):
        raise ValueError(f"an item cannot be put off as {outcome}")
    if point.outcome == Point.Outcome.VOTE:
        raise WrongMoment("Ce point est déjà voté.")
    point.outcome = outcome
    point.save(update_fields=["outcome"])
    record(point.organisation, f"seances.point_{outcome}", subject=("point", point.pk), actor=actor)
    return point


def reconvene(seance: Seance, *, starts_at: datetime, actor: Actor, place: str = "") -> Seance:
    """Without quorum, end this meeting and plan the second one on the same items, which needs none (L2121-17).

    Before the opening every item is carried over; during the meeting, those not yet voted. Raises WrongMoment when
    the quorum is reached, ConvocationTardive when a convocation sent today would leave too little time.
    """
    seance = lock_seance(seance, *SITTING)
    if seance.state == Seance.State.CONVOQUEE and clock.now() < seance.starts_at:
        raise WrongMoment(f"La séance s’ouvre le {date_longue(seance.day)} : l’absence de quorum se constate alors.")
    waiting = list(seance.points.filter(outcome=Point.Outcome.INSCRIT).order_by("rank"))
    if not waiting:
        raise WrongMoment("Tous les points ont leur suite : il n’y a rien à soumettre à une seconde séance.")
    found = quorum_at(seance, waiting[0].rank if seance.state == Seance.State.EN_COURS else 0)
    if found.reached:
        raise WrongMoment(f"Le quorum est atteint : {plural(found.counted, 'membre')} en séance pour {found.needed}.")
    second = REGIMES["seconde_convocation"]
    earliest = earliest_meeting_day(second, clock.today())
    if clock.paris(starts_at).date() < earliest:
        raise ConvocationTardive(
            f"Trois jours francs au moins séparent la nouvelle convocation de la séance ({second.basis}) : "
            f"convoquée aujourd’hui, elle se tient au plus tôt le {date_longue(earliest)}."
        )
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=OPEN)
    record(
        seance.organisation,
        "seances.sans_quorum",
        subject=("seance", seance.pk),
        actor=actor,
        details={"quorum": found.needed, "presents": found.counted, "points": len(waiting)},
    )
    if seance.state == Seance.State.EN_COURS:
        for point in waiting:
            postpone(point, actor=actor)
        seance = rise(seance, actor=actor)
    else:
        seance.disperse()
        seance.ended_at = clock.now()
        seance.save()
    new = plan_seance(
        seance.organe,
        starts_at=starts_at,
        place=place or seance.place,
        session=seance.session,
        duration_minutes=seance.duration_minutes,
        president=seance.president,
        second_of=seance,
        actor=actor,
    )
    carry_over(waiting, new)
    return new


def rise(seance: Seance, *, actor: Actor) -> Seance:
    """End the debates: number the deliberations in the order of the agenda. Every item must have met its
    outcome."""
    seance = lock_seance(seance, Seance.State.EN_COURS)
    waiting: Sequence[Point] = list(seance.points.filter(outcome=Point.Outcome.INSCRIT).order_by("rank"))
    if waiting:
        ranks = ", ".join(str(point.rank) for point in waiting)
        raise WrongMoment(f"Ces points ne sont ni votés, ni renvoyés, ni retirés : {ranks}.")
    seance.rise()
    seance.ended_at = clock.now()
    seance.save()
    number_deliberations(seance, actor=actor)
    record(seance.organisation, "seances.levee", subject=("seance", seance.pk), actor=actor)
    remind_to_publish_list(seance)
    open_task(
        seance.organisation,
        service="seances",
        verb=ESTABLISH,
        title=str(seance),
        summary="Documents, contrôles et mise à la signature",
        permission="seances.gerer",
        path=seance_path(seance),
        subject=("seance", seance.pk),
    )
    return seance

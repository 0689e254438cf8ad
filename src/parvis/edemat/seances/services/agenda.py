"""Preparation of a meeting: its date, its agenda, the drafts and their annexes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Sum
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import store
from parvis.core.journal.services import Actor, record
from parvis.core.referentials.legality import EXTENSIONS, MAX_ANNEXES, MAX_ARCHIVE
from parvis.core.routing.services import close_tasks, open_task
from parvis.edemat.seances.errors import AnnexeRefused, HourTaken, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.delais import last_sending_day, minimum_days
from parvis.edemat.seances.formats.lettres import date_longue, heure
from parvis.edemat.seances.models import Annexe, Elu, Organe, Point, Seance

CONVOKE = "Convoquer"
CARRIED = (
    "title",
    "rapporteur",
    "expose",
    "visas",
    "considerants",
    "dispositif",
    "closing_mention",
    "nature",
    "matiere",
    "matiere_label",
    "quoted_amounts",
    "annexed_amounts",
)
"""What follows an item that is put to another meeting."""


def lock_seance(seance: Seance, *states: str) -> Seance:
    """Return the meeting read again under a row lock; raise WrongMoment unless it is in one of `states`."""
    fresh = Seance.objects.select_for_update(of=("self",), no_key=True).select_related("organe").get(pk=seance.pk)
    if states and fresh.state not in states:
        wanted = " ou ".join(f"« {Seance.State(state).label.lower()} »" for state in states)
        raise WrongMoment(
            f"La séance est « {fresh.get_state_display().lower()} » : cette action demande qu’elle soit {wanted}."
        )
    return fresh


def seance_path(seance: Seance) -> str:
    """The address of the meeting's page."""
    return reverse("seances:detail", kwargs={"organisation_slug": seance.organisation.slug, "pk": seance.pk})


def sending_limit(seance: Seance) -> datetime:
    """The last instant at which the convocation may leave regularly (23:59:59 in Paris)."""
    day = last_sending_day(seance.regime, seance.day, urgency=seance.urgency)
    return datetime.combine(day, time(23, 59, 59), tzinfo=clock.PARIS)


@contextmanager
def at_its_hour(seance: Seance) -> Iterator[None]:
    """Around what saves the hour of a meeting: raises HourTaken when its body already meets at that instant."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "seance_once" not in str(error):
            raise
        raise HourTaken(
            f"« {seance.organe.name} » se réunit déjà le {date_longue(seance.day)} à {heure(seance.starts_in_paris)} : "
            "choisissez une autre heure, ou modifiez la séance déjà prévue."
        ) from error


def plan_seance(
    organe: Organe,
    *,
    starts_at: datetime,
    actor: Actor,
    place: str = "",
    session: str = "ordinaire",
    duration_minutes: int = 120,
    president: Elu | None = None,
    urgency: bool = False,
    urgency_motive: str = "",
    second_of: Seance | None = None,
    report_of: Seance | None = None,
) -> Seance:
    """Create a meeting in preparation and put its convocation in the inbox, with its legal limit.

    The chair is by default the first member of the tableau in office that day. Raises HourTaken, and SeanceIncomplete
    before the first regime of the body.
    """
    day = clock.paris(starts_at).date()
    seance = Seance(
        organisation=organe.organisation,
        organe=organe,
        starts_at=starts_at,
        place=place or organe.place,
        session=session,
        duration_minutes=duration_minutes,
        president=president or organe.elus.in_office(day).order_by("rank").first(),
        urgency=urgency,
        urgency_motive=urgency_motive,
        second_of=second_of,
        report_of=report_of,
    )
    _check_regime(seance)
    with at_its_hour(seance):
        seance.save(force_insert=True)
    record(organe.organisation, "seances.prevue", subject=("seance", seance.pk), actor=actor)
    _remind_to_convoke(seance)
    return seance


def change_seance(seance: Seance, *, actor: Actor, **changes: Any) -> Seance:
    """Change date, place, session, chair, secretary or urgency of a meeting in preparation.

    Raises HourTaken, and SeanceIncomplete before the first regime of the body.
    """
    seance = lock_seance(seance, Seance.State.EN_PREPARATION)
    allowed = {
        "starts_at",
        "place",
        "session",
        "duration_minutes",
        "president",
        "secretary",
        "urgency",
        "urgency_motive",
    }
    if unknown := set(changes) - allowed:
        raise TypeError(f"cannot change {sorted(unknown)}")
    for name, value in changes.items():
        setattr(seance, name, value)
    _check_regime(seance)
    with at_its_hour(seance):
        seance.save(update_fields=list(changes))
    record(
        seance.organisation,
        "seances.modifiee",
        subject=("seance", seance.pk),
        actor=actor,
        details={"fields": sorted(changes)},
    )
    close_tasks(seance.organisation, subject=("seance", seance.pk), verb=CONVOKE)
    _remind_to_convoke(seance)
    return seance


def _check_regime(seance: Seance) -> None:
    """No delay can be counted for a meeting on a day when its body is under no regime."""
    try:
        seance.regime  # noqa: B018  read for its refusal
    except LookupError as error:
        first = seance.organe.regimes.earliest("since").since
        raise SeanceIncomplete(
            f"Le régime de « {seance.organe.name} » commence le {date_longue(first)} : choisissez une date à partir "
            "de ce jour."
        ) from error


def _remind_to_convoke(seance: Seance) -> None:
    regime = seance.regime
    days = minimum_days(regime, urgency=seance.urgency)
    unit = "jours francs" if regime.franc else "jours"
    open_task(
        seance.organisation,
        service="seances",
        verb=CONVOKE,
        title=str(seance),
        summary="Convocation des membres",
        permission="seances.gerer",
        deadline=sending_limit(seance),
        deadline_rule=f"dernier jour d’envoi régulier : {days} {unit} ({regime.basis})" if days else "",
        path=seance_path(seance),
        subject=("seance", seance.pk),
    )


def add_point(seance: Seance, *, title: str, actor: Actor, **fields: Any) -> Point:
    """Add an item at the end of the agenda; `fields` are those of Point (rapporteur, expose, dispositif…)."""
    seance = lock_seance(seance, Seance.State.EN_PREPARATION)
    if seance.second_of_id:
        raise WrongMoment(
            "Une seconde convocation ne porte que les points restés sans quorum (CGCT L2121-17) : inscrivez celui-ci "
            "à une autre séance."
        )
    last = seance.points.aggregate(last=Max("rank"))["last"] or 0
    point = Point.objects.create(organisation=seance.organisation, seance=seance, rank=last + 1, title=title, **fields)
    record(seance.organisation, "seances.point_inscrit", subject=("point", point.pk), actor=actor)
    return point


def carry_over(points: Sequence[Point], seance: Seance) -> None:
    """Copy items with their drafts and annexes to a new meeting, in their order."""
    for rank, point in enumerate(points, start=1):
        copy = Point.objects.create(
            organisation=seance.organisation,
            seance=seance,
            rank=rank,
            **{name: getattr(point, name) for name in CARRIED},
        )
        Annexe.objects.bulk_create(
            Annexe(
                organisation=seance.organisation,
                point=copy,
                rank=one.rank,
                title=one.title,
                document_id=one.document_id,
                to_prefecture=one.to_prefecture,
            )
            for one in point.annexes.order_by("rank")
        )


def change_point(point: Point, *, actor: Actor, **changes: Any) -> Point:
    """Change the draft of an item while the agenda is not frozen by the convocation."""
    lock_seance(point.seance, Seance.State.EN_PREPARATION)
    for name, value in changes.items():
        setattr(point, name, value)
    point.save(update_fields=list(changes))
    record(
        point.organisation,
        "seances.point_modifie",
        subject=("point", point.pk),
        actor=actor,
        details={"fields": sorted(changes)},
    )
    return point


def reorder_points(seance: Seance, points: Sequence[Point], *, actor: Actor) -> None:
    """Give the items the order of `points`, which must hold each of them once."""
    seance = lock_seance(seance, Seance.State.EN_PREPARATION)
    known = set(seance.points.values_list("pk", flat=True))
    if known != {point.pk for point in points} or len(known) != len(points):
        raise WrongMoment("L’ordre du jour a changé entre-temps : rechargez la page.")
    for rank, point in enumerate(points, start=1):
        Point.objects.filter(pk=point.pk).update(rank=rank)
    record(seance.organisation, "seances.ordre_du_jour_change", subject=("seance", seance.pk), actor=actor)


def move_point(point: Point, *, up: bool, actor: Actor) -> None:
    """Move an item one place up or down the agenda; at an end nothing changes."""
    points = list(point.seance.points.order_by("rank"))
    here = next((n for n, one in enumerate(points) if one.pk == point.pk), None)
    if here is None:
        raise WrongMoment("L’ordre du jour a changé entre-temps : rechargez la page.")
    there = here - 1 if up else here + 1
    if 0 <= there < len(points):
        points[here], points[there] = points[there], points[here]
        reorder_points(point.seance, points, actor=actor)


def remove_point(point: Point, *, actor: Actor) -> None:
    """Take an item off the agenda with its annexes, before the convocation; the items behind move up."""
    seance = lock_seance(point.seance, Seance.State.EN_PREPARATION)
    point = Point.objects.select_related("organisation").get(pk=point.pk)
    record(
        seance.organisation,
        "seances.point_supprime",
        subject=("seance", seance.pk),
        actor=actor,
        details={"rang": point.rank, "point": str(point.pk)},
    )
    point.annexes.all().delete()
    point.delete()
    for rank, one in enumerate(seance.points.order_by("rank"), start=1):
        Point.objects.filter(pk=one.pk).update(rank=rank)


def remove_annexe(annexe: Annexe, *, actor: Actor) -> None:
    """Take an annex off an item, before the convocation. Its document stays where documents are kept."""
    lock_seance(annexe.point.seance, Seance.State.EN_PREPARATION)
    record(
        annexe.organisation,
        "seances.annexe_retiree",
        subject=("point", annexe.point_id),
        actor=actor,
        sha256=annexe.document.sha256,
    )
    annexe.delete()


def add_annexe(
    point: Point,
    *,
    title: str,
    actor: Actor,
    document: Document | None = None,
    content: bytes | BinaryIO | None = None,
    filename: str = "",
    to_prefecture: bool = True,
) -> Annexe:
    """Annex a document to an item: one already stored, or a content to store under `filename`.

    One that goes to the préfecture with the deliberation must be what the préfecture takes: raises AnnexeRefused.
    """
    lock_seance(point.seance, Seance.State.EN_PREPARATION)
    if document is None:
        if content is None:
            raise TypeError("an annex is a document or a content")
        document = store(point.organisation, content, filename, label=title, must_be_sound=True)
    if to_prefecture:
        _check_for_prefecture(point, document)
    last = point.annexes.aggregate(last=Max("rank"))["last"] or 0
    annexe = Annexe.objects.create(
        organisation=point.organisation,
        point=point,
        rank=last + 1,
        title=title,
        document=document,
        to_prefecture=to_prefecture,
    )
    record(
        point.organisation,
        "seances.annexe_jointe",
        subject=("point", point.pk),
        actor=actor,
        sha256=document.sha256,
    )
    return annexe


ELSE = "décochez « Joindre au contrôle de légalité » si elle n’a pas à y aller."


def _check_for_prefecture(point: Point, document: Document) -> None:
    """Refuse at once what the préfecture would refuse after the vote: a locked file, another type, too much."""
    name, health = f"« {document.filename} »", document.health or {}
    if health.get("restricted") or health.get("encrypted"):
        forbidden = ", ".join(health.get("restrictions", ())) or "ouverture"
        raise AnnexeRefused(
            f"{name} porte une protection du propriétaire ({forbidden}) : la préfecture refuse un fichier verrouillé. "
            f"Enregistrez-en une copie sans restriction, ou {ELSE}"
        )
    if document.media_type not in EXTENSIONS:
        raise AnnexeRefused(
            f"{name} n’est pas d’un type que la préfecture admet : fournissez un PDF, un JPEG ou un PNG, ou {ELSE}"
        )
    others = point.annexes.filter(to_prefecture=True).aggregate(count=Count("pk"), size=Sum("document__size"))
    if others["count"] >= MAX_ANNEXES:
        raise AnnexeRefused(
            f"Le point a déjà {MAX_ANNEXES} annexes pour la préfecture, qui n’en admet pas plus : regroupez-les, "
            f"ou {ELSE}"
        )
    left = MAX_ARCHIVE - (others["size"] or 0)
    if document.size > left:
        raise AnnexeRefused(
            f"{name} ({_mebibytes(document.size)}) ne tient pas dans l’envoi à la préfecture : il reste "
            f"{_mebibytes(max(left, 0))} sur {_mebibytes(MAX_ARCHIVE)} pour la délibération et ses annexes. "
            f"Allégez-la, ou {ELSE}"
        )


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}".replace(".", ",") + "\u00a0Mio"

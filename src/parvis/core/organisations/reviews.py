"""The review of the mandates: every six months, each is confirmed, given an end or revoked by somebody else than
its holder; what was decided is kept as a document.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.documents.typesetting import organisation_facts, typeset
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import record
from parvis.core.notifications.services import send
from parvis.core.organisations.authority import WHOLE, Authority
from parvis.core.organisations.mandates import change_mandate, close_mandate
from parvis.core.organisations.models import Department, Organisation, Review, ReviewLine
from parvis.core.routing.services import close_tasks, open_task
from parvis.core.web.templatetags.parvis import date_courte, date_longue

HALF_A_YEAR: Final = timedelta(days=182)
WARNED_BEFORE: Final = timedelta(days=7)
REPEATED_EVERY: Final = timedelta(days=7)
NAMESPACE: Final = UUID("0197c0de-0000-7000-8000-00000000a001")
Decision = ReviewLine.Decision

# Which permissions belong to which application of the convention.
SCOPES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "": ("Tous les mandats", ("",)),
    "edemat": ("Administration électronique", ("seances.", "parapheur.", "actes.", "archives.")),
    "eservices": ("Services en ligne", ("eservices.",)),
    "marches": ("Marchés publics", ("marches.",)),
    "opendata": ("Données ouvertes", ("opendata.",)),
    "administration": ("Administration", ("administration.",)),
}


class ReviewRefused(DomainError):
    """The review cannot be opened, decided or closed as asked."""


@transaction.atomic
def open_review(name: str, application: str, deadline: date, *, by: Authority) -> Review:
    """Put the mandates in force to review; raises ``ReviewRefused`` when there is none, or a review is open."""
    today = clock.today()
    if deadline <= today:
        raise ReviewRefused("La date limite doit être à venir.")
    if Review.objects.filter(organisation=by.organisation, application=application, closed_at__isnull=True).exists():
        raise ReviewRefused("Une revue de ce périmètre est déjà ouverte : terminez-la d’abord.")
    prefixes = SCOPES[application][1]
    rows = Mandate.objects.filter(organisation=by.organisation).not_over(today).filter(start__lte=today)
    rows = rows.select_related("own_role", "account", "department")
    mandates = [m for m in rows if any(p.startswith(prefixes) for p in m.permissions) or not application]
    if not mandates:
        raise ReviewRefused("Aucun mandat en cours n’est à revoir dans ce périmètre.")
    review = Review.objects.create(
        organisation=by.organisation,
        name=name,
        application=application,
        opened_by=by.account,
        opened_at=clock.now(),
        deadline=deadline,
    )
    reviewer_of = _reviewers(by, mandates)
    ReviewLine.objects.bulk_create(
        ReviewLine(
            organisation=by.organisation,
            review=review,
            mandate=m,
            reviewer_id=reviewer_of(m),
            role_code=m.role_code,
            role_label=m.role_label,
            end_before=m.end,
        )
        for m in mandates
    )
    close_tasks(by.organisation, subject=("revue_semestrielle", _due_key(by.organisation)))
    _trace(review, "revue.ouverte", "manager.review.opened", by, lines=len(mandates))
    for account in Account.objects.filter(pk__in={reviewer_of(m) for m in mandates} - {None}):
        _ask(review, account)
    return review


def _reviewers(by: Authority, mandates: list[Mandate]) -> Any:
    """Who reviews a mandate: the nearest head above it who may, else who opened the review, else another
    administrator; never its holder; None when nobody is left.
    """
    today = clock.today()
    administering = [m for m in mandates if WHOLE in m.permissions]
    administrators = sorted({m.account_id for m in administering} | {by.account.pk}, key=lambda pk: pk != by.account.pk)
    in_force = Mandate.objects.filter(organisation=by.organisation).in_force(today).select_related("own_role")
    able = {m.account_id for m in in_force if "administration.personnes" in m.permissions}
    departments = {d.pk: d for d in Department.objects.filter(organisation=by.organisation)}

    def reviewer(mandate: Mandate) -> int | None:
        here = departments.get(mandate.department_id) if mandate.department_id else None
        if not any(p.startswith("administration.") for p in mandate.permissions):
            while here is not None:
                if here.head_id in able and here.head_id != mandate.account_id:
                    return here.head_id
                here = departments.get(here.parent_id) if here.parent_id else None
        return next((pk for pk in administrators if pk != mandate.account_id), None)

    return reviewer


def _subject(review: Review, account: Account) -> tuple[str, UUID]:
    return ("revue_relecteur", uuid5(review.pk, str(account.pk)))


def _path(review: Review) -> str:
    return reverse("organisations:review", kwargs={"organisation_slug": review.organisation.slug, "pk": review.pk})


def _ask(review: Review, account: Account) -> None:
    open_task(
        review.organisation,
        service="administration",
        verb="Revoir",
        title=f"Revoir les habilitations : {review.name}",
        permission="administration.personnes",
        path=_path(review),
        subject=_subject(review, account),
        assignee=account,
        deadline=datetime.combine(review.deadline, time(23, 59), clock.PARIS),
        deadline_rule=f"Revue à terminer le {date_longue(review.deadline)}",
    )


def lines_for(review: Review, by: Authority, *, role: str = "", mine: bool = False, open_only: bool = False) -> Any:
    """Lines that ``by`` sees: all for an administrator, those given to them for a head."""
    rows = review.lines.select_related(
        "mandate__account", "mandate__own_role", "mandate__department", "mandate__organisation", "reviewer",
        "decided_by",
    )  # fmt: skip
    if mine or not by.whole:
        rows = rows.filter(reviewer=by.account)
    if role:
        rows = rows.filter(role_code=role)
    if open_only:
        rows = rows.filter(decision="")
    return rows.order_by("mandate__account__family_name", "mandate__account__given_name", "pk")


def _decidable(review: Review, by: Authority) -> Review:
    fresh = Review.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=review.pk)
    if fresh.closed_at is not None:
        raise ReviewRefused("Cette revue est close : ouvrez-en une autre.")
    return fresh


@transaction.atomic
def decide(line: ReviewLine, decision: str, *, new_end: date | None = None, by: Authority) -> str:
    """Confirm, change the end of, or revoke the mandate of ``line``; returns what was written.

    Raises ``ReviewRefused`` or ``MandateRefused``: one's own mandate, a mandate above one's rights, the last
    administration mandate.
    """
    review = _decidable(line.review, by)
    line = lines_for(review, by).select_for_update(of=("self",)).get(pk=line.pk)
    mandate, today = line.mandate, clock.today()
    if not by.may_manage(mandate):
        raise ReviewRefused(
            "Vous ne pouvez pas revoir ce mandat : il est à vous, ou donne des droits que vous n’avez pas."
        )
    if mandate.is_over(today) and decision != Decision.MOOT:
        decision = Decision.MOOT if line.decision == "" else line.decision
    elif decision == Decision.REVOKED:
        close_mandate(mandate, actor=by.actor, by=by)
    elif decision == Decision.CHANGED:
        if new_end is None or new_end < today:
            raise ReviewRefused("Indiquez une date de fin à venir ; pour finir aujourd’hui, retirez le mandat.")
        change_mandate(mandate, {"end": new_end}, by=by)
    elif decision != Decision.CONFIRMED:
        raise ReviewRefused("Cette décision n’existe pas.")
    line.decision, line.decided_by, line.decided_at = decision, by.account, clock.now()
    line.save(update_fields=["decision", "decided_by", "decided_at"])
    _trace(review, "revue.decidee", "manager.review.decision", by, mandate=str(mandate.pk), decision=str(decision))
    _close_task_if_done(review, line)
    return str(decision)


def _close_task_if_done(review: Review, line: ReviewLine) -> None:
    if line.reviewer and not review.lines.filter(reviewer=line.reviewer, decision="").exists():
        close_tasks(review.organisation, subject=_subject(review, line.reviewer), verb="Revoir")


@transaction.atomic
def confirm_many(review: Review, role: str, chosen: Iterable[str], *, by: Authority) -> int:
    """Confirm the mandates of one role whose lines were ticked one by one; returns how many."""
    review = _decidable(review, by)
    rows = lines_for(review, by, role=role, open_only=True).filter(pk__in=list(chosen))
    number = 0
    for line in rows:
        if by.may_manage(line.mandate):
            decide(line, Decision.CONFIRMED, by=by)
            number += 1
    return number


@dataclass(frozen=True)
class Progress:
    total: int
    decided: int
    by_decision: dict[str, int]

    @property
    def left(self) -> int:
        return self.total - self.decided


def progress(review: Review) -> Progress:
    rows = review.lines.values("decision").annotate(number=Count("pk"))
    found = {row["decision"]: row["number"] for row in rows}
    left = found.pop("", 0)
    return Progress(sum(found.values()) + left, sum(found.values()), found)


@transaction.atomic
def close_review(review: Review, *, by: Authority) -> Review:
    """Close a review and keep its report; what is left undecided prevents it until the deadline has passed."""
    review = _decidable(review, by)
    state, today = progress(review), clock.today()
    if state.left and today <= review.deadline:
        raise ReviewRefused(
            f"{state.left} mandats restent à revoir : la revue se clôt quand tous le sont, ou après sa date limite."
        )
    review.closed_at = clock.now()
    content = typeset("core/organisations/revue", report_data(review, by), created=review.closed_at)
    review.document = store(
        review.organisation, content, f"revue-des-habilitations-{today.isoformat()}.pdf", label=review.name
    )
    review.save(update_fields=["closed_at", "document"])
    for account in Account.objects.filter(pk__in=review.lines.values("reviewer")):
        close_tasks(review.organisation, subject=_subject(review, account))
    _trace(
        review, "revue.close", "manager.review.closed", by,
        sha256=review.document.sha256, lines=state.total, undecided=state.left,
    )  # fmt: skip
    return review


def report_data(review: Review, by: Authority) -> dict[str, Any]:
    """What the report's template reads."""
    rows = lines_for(review, by)
    state = progress(review)
    assert review.closed_at is not None
    return {
        "organisation": organisation_facts(review.organisation),
        "title": review.name,
        "facts": [
            ["Périmètre", SCOPES[review.application][0]],
            ["Ouverte le", date_longue(review.opened_at)],
            ["À terminer le", date_longue(review.deadline)],
            ["Close le", date_longue(review.closed_at)],
            ["Close par", by.account.full_name],
            ["Mandats revus", f"{state.decided} sur {state.total}"],
            *[[label, str(state.by_decision.get(code, 0))] for code, label in Decision.choices],
        ],
        "rows": [
            [
                line.mandate.account.full_name,
                line.role_label,
                line.get_decision_display() or "Non revu",
                date_courte(line.mandate.end) if line.mandate.end else "sans terme",
                line.decided_by.full_name if line.decided_by else "–",
            ]
            for line in rows
        ],
    }


def _trace(review: Review, action: str, event: str, by: Authority, *, sha256: str = "", **details: Any) -> None:
    record(review.organisation, action, subject=("revue", review.pk), actor=by.actor, sha256=sha256, details=details)
    audit(event, request=by.request, actor=by.account, organisation=review.organisation, data=details)


# --- reminders --------------------------------------------------------------------------------------------


def _due_key(organisation: Organisation) -> UUID:
    return uuid5(NAMESPACE, str(organisation.pk))


def remind(organisation: Organisation, today: date) -> None:
    """Write to the reviewers a week before the deadline, that day, then every week; ask for a review when six
    months have gone by without one.
    """
    for review in Review.objects.filter(organisation=organisation, closed_at__isnull=True).select_related(
        "organisation"
    ):
        if _reminder_due(review, today):
            _remind(review, today)
    if _review_due(organisation, today):
        open_task(
            organisation,
            service="administration",
            verb="Ouvrir",
            title="Ouvrir la revue semestrielle des habilitations",
            summary="Aucune revue n’a été ouverte depuis six mois.",
            permission=WHOLE,
            path=reverse("organisations:reviews", kwargs={"organisation_slug": organisation.slug}),
            subject=("revue_semestrielle", _due_key(organisation)),
        )


def _reminder_due(review: Review, today: date) -> bool:
    if today < review.deadline - WARNED_BEFORE:
        return False
    last = review.reminded_on
    if last is None:
        return True
    return (last < review.deadline <= today) or today - last >= REPEATED_EVERY


def _remind(review: Review, today: date) -> None:
    waiting = review.lines.filter(decision="", reviewer__isnull=False).values("reviewer").annotate(number=Count("pk"))
    numbers = {row["reviewer"]: row["number"] for row in waiting}
    late = review.overdue(today)
    review.reminded_on = today
    review.save(update_fields=["reminded_on"])
    for account in Account.objects.filter(pk__in=numbers, is_active=True):
        number = numbers[account.pk]
        send(
            review.organisation,
            account.email,
            f"{'En retard' if late else 'Rappel'} : {review.name}",
            f"Bonjour {account.full_name},\n\n"
            f"{number} mandat{'s' if number > 1 else ''} {'attendent' if number > 1 else 'attend'} votre avis dans "
            f"« {review.name} », "
            + (f"qui devait être terminée le {date_longue(review.deadline)}" if late else "")
            + ("" if late else f"à terminer le {date_longue(review.deadline)}")
            + f".\n\n{settings.BASE_URL.rstrip('/')}{_path(review)}\n",
            headers={"Auto-Submitted": "auto-generated"},
        )


def _review_due(organisation: Organisation, today: date) -> bool:
    since = today - HALF_A_YEAR
    if Review.objects.filter(organisation=organisation).filter(
        Q(closed_at__isnull=True) | Q(opened_at__date__gt=since)
    ).exists():  # fmt: skip
        return False
    return Mandate.objects.filter(organisation=organisation, start__lte=since).in_force(today).exists()

"""How a document moves along its route: each call is part of the caller's transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.models import Route, RouteDocument, RouteStep, Task
from parvis.core.routing.registry import Remedy, application_of, listeners, plugin, remedy_of, service_of


class StepNotCurrent(DomainError):
    """The step asked for is not the one the route stands at."""


def open_route(
    organisation: Organisation,
    *,
    kind: str,
    title: str,
    reference: str,
    step_codes: Iterable[str],
    facts: Mapping[str, Any],
    actor: Actor,
) -> Route:
    """Create a route with its steps, in order, and start the first one.

    A step of an application that the organisation does not subscribe to today is left out.
    """
    now = clock.now()
    kept = [c for c in step_codes if not (a := application_of(c)) or organisation.subscribes_to(a, clock.today())]
    route = Route.objects.create(
        organisation=organisation,
        kind=kind,
        title=title,
        reference=reference,
        facts=dict(facts),
        created_at=now,
    )
    steps = [
        RouteStep(organisation=organisation, route=route, rank=rank, code=plugin(code).code)
        for rank, code in enumerate(kept, start=1)
    ]
    RouteStep.objects.bulk_create(steps)
    record(organisation, "cheminement.ouvert", subject=("route", route.pk), actor=actor, details={"kind": kind})
    _start(steps[0])
    return route


def _start(step: RouteStep) -> None:
    step.state = RouteStep.State.CURRENT
    step.started_at = clock.now()
    step.save(update_fields=["state", "started_at"])
    plugin(step.code).start(step)


def lock_route(pk: UUID) -> Route:
    """The route, locked until the transaction ends; its steps change under this lock only.

    To be taken before the first ``record``: see « Locks » in docs/architecture.md. A row that only refers to the
    route, such as one of its documents, is written without waiting for it.
    """
    return Route.objects.select_for_update(no_key=True).get(pk=pk)


def _locked(step: RouteStep) -> tuple[Route, RouteStep]:
    return lock_route(step.route_id), RouteStep.objects.get(pk=step.pk)


def complete_step(
    step: RouteStep, *, summary: str, actor: Actor, facts: Mapping[str, Any] | None = None
) -> RouteStep | None:
    """Close ``step``, add ``facts`` to the route and start the next step; returns it, or None at the end.

    Completing a step that is already done changes nothing, so that a repeated job is harmless.
    """
    route, step = _locked(step)
    if step.state == RouteStep.State.DONE:
        return None
    if step.state == RouteStep.State.DROPPED:
        raise StepNotCurrent("Cette étape est sans suite : le cheminement a été interrompu.")
    if step.state not in (RouteStep.State.CURRENT, RouteStep.State.FAILED):
        raise StepNotCurrent("Cette étape ne peut pas être close : une étape précédente est encore en attente.")
    step.state = RouteStep.State.DONE
    step.ended_at = clock.now()
    step.summary = summary
    step.save(update_fields=["state", "ended_at", "summary"])
    following = route.steps.filter(rank__gt=step.rank).order_by("rank").first()
    route.facts |= dict(facts or {})
    route.state = Route.State.RUNNING if following else Route.State.DONE
    route.save(update_fields=["facts", "state"])
    close_tasks(step.organisation, subject=("etape", step.pk))
    step.route = route
    done = {} if step.label == plugin(step.code).done_label else {"done": step.label}
    record(
        step.organisation,
        "cheminement.etape_faite",
        subject=("route", route.pk),
        actor=actor,
        details={"step": step.code} | done,
    )
    if following:
        _start(following)
    return following


def fail_step(step: RouteStep, *, reason: str, actor: Actor) -> None:
    """Mark ``step`` as failed and leave a task to who may take it up again.

    ``reason`` is the French sentence that says why and what to do.
    """
    route, step = _locked(step)
    if step.state in (RouteStep.State.DONE, RouteStep.State.DROPPED):
        return
    step.state = RouteStep.State.FAILED
    step.summary = reason[:300]
    step.save(update_fields=["state", "summary"])
    route.state = Route.State.FAILED
    route.save(update_fields=["state"])
    record(
        step.organisation,
        "cheminement.etape_echouee",
        subject=("route", route.pk),
        actor=actor,
        details={"step": step.code},
    )
    asked = remedy_of(step) or Remedy(
        service=service_of(step.code),
        verb="Relancer",
        title=route.title,
        permission=plugin(step.code).permission,
        path=step.failure_page,
        subject=("etape", step.pk),
    )
    close_tasks(step.organisation, subject=asked.subject, verb=asked.verb)  # an earlier failure gave another reason
    open_task(step.organisation, summary=reason, **vars(asked))


def retry_step(step: RouteStep, *, actor: Actor) -> None:
    """Put a failed step back to work: its plug-in starts again."""
    route, step = _locked(step)
    if step.state != RouteStep.State.FAILED:
        raise StepNotCurrent("Cette étape n’est pas en échec : il n’y a rien à relancer.")
    route.state = Route.State.RUNNING
    route.save(update_fields=["state"])
    step.summary = ""
    step.save(update_fields=["summary"])
    close_tasks(step.organisation, subject=("etape", step.pk))
    record(
        step.organisation,
        "cheminement.etape_relancee",
        subject=("route", route.pk),
        actor=actor,
        details={"step": step.code},
    )
    _start(step)


def end_route(route: Route, *, reason: str, actor: Actor) -> None:
    """Stop ``route`` for good: the steps that are left will not be done and ask nothing of anybody.

    ``reason`` is said at the step where the route stood. Ending a route that is done or has ended changes nothing.
    """
    route = lock_route(route.pk)
    left = list(route.steps.exclude(state=RouteStep.State.DONE).order_by("rank"))
    if not left or route.state == Route.State.ENDED:
        return
    for step in left:
        step.state, step.summary = RouteStep.State.DROPPED, ""
        close_tasks(route.organisation, subject=("etape", step.pk))
    left[0].summary, left[0].ended_at = reason[:300], clock.now()
    RouteStep.objects.bulk_update(left, ["state", "summary", "ended_at"])
    route.state = Route.State.ENDED
    route.save(update_fields=["state"])
    record(
        route.organisation,
        "cheminement.interrompu",
        subject=("route", route.pk),
        actor=actor,
        details={"step": left[0].code},
    )


def may_take_up(step: RouteStep) -> str:
    """Permission that lets its holder take up the failed ``step``."""
    remedy = remedy_of(step)
    return remedy.permission if remedy else plugin(step.code).permission


def announce(route: Route, event: str, *, actor: Actor, facts: Mapping[str, Any] | None = None) -> Route:
    """Tell the services that listen that ``event`` ("publication.retiree") befell the object of ``route``.

    For what happens after a step is done and undoes or renews it. ``facts`` join those of the route, which is
    returned; the listeners run in the caller's transaction.
    """
    route = lock_route(route.pk)
    if facts:
        route.facts |= dict(facts)
        route.save(update_fields=["facts"])
    record(
        route.organisation,
        "cheminement.evenement",
        subject=("route", route.pk),
        actor=actor,
        details={"event": event},
    )
    for listener in listeners(event):
        listener(route, actor)
    return route


def step_of(route: Route, code: str) -> RouteStep:
    """The step of ``route`` that has this code."""
    return route.steps.select_related("route").get(code=code)


def attach(route: Route, role: str, document: Document, label: str) -> RouteDocument:
    """Give ``document`` a role on the route; attaching it twice changes nothing."""
    holder, _ = RouteDocument.objects.get_or_create(
        route=route,
        role=role,
        document=document,
        defaults={"organisation": route.organisation, "label": label},
    )
    return holder


def detach(route: Route, role: str, document: Document) -> None:
    """Take from ``document`` its role on the route; the document itself stays where it is kept."""
    RouteDocument.objects.filter(route=route, role=role, document=document).delete()


def open_task(
    organisation: Organisation,
    *,
    service: str,
    verb: str,
    title: str,
    permission: str,
    path: str,
    subject: tuple[str, UUID],
    summary: str = "",
    assignee: Account | None = None,
    barred: Account | None = None,
    deadline: datetime | None = None,
    deadline_rule: str = "",
) -> Task:
    """Put one task in the inbox; the same open task (subject and verb) is never doubled.

    ``barred`` is somebody who holds the permission but may not do this very task, having done another.
    """
    kind, identifier = subject
    task, _ = Task.objects.get_or_create(
        organisation=organisation,
        subject_kind=kind,
        subject_id=identifier,
        verb=verb,
        state=Task.State.OPEN,
        defaults={
            "service": service,
            "title": title[:300],
            "summary": summary[:300],
            "permission": permission,
            "assignee": assignee,
            "barred": barred,
            "deadline": deadline,
            "deadline_rule": deadline_rule,
            "path": path,
            "created_at": clock.now(),
        },
    )
    return task


def close_tasks(organisation: Organisation, *, subject: tuple[str, UUID], verb: str = "") -> int:
    """Close the open tasks about ``subject`` (only those with ``verb`` when given); returns how many."""
    kind, identifier = subject
    tasks = Task.objects.filter(
        organisation=organisation, subject_kind=kind, subject_id=identifier, state=Task.State.OPEN
    )
    if verb:
        tasks = tasks.filter(verb=verb)
    return tasks.update(state=Task.State.DONE, closed_at=clock.now())

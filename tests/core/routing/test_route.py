"""A route moves one step at a time, once, in the transaction of the service that finishes the step."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.routing import registry
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.core.routing.queries import inbox
from parvis.core.routing.services import (
    StepNotCurrent,
    close_tasks,
    complete_step,
    end_route,
    fail_step,
    open_route,
    open_task,
    retry_step,
    step_of,
)

SYSTEM = Actor("system", "essai")
started: list[str] = []


@pytest.fixture
def steps(monkeypatch):
    monkeypatch.setattr(registry, "_plugins", {})
    started.clear()
    for name in ("un", "deux", "trois"):
        plugin = type(
            name, (), {"code": f"essai.{name}", "label": f"À {name}", "done_label": name.title(),
                       "permission": "actes.transmettre",
                       "start": lambda self, step: started.append(step.code)},
        )  # fmt: skip
        registry.register_step(plugin)
    return ["essai.un", "essai.deux", "essai.trois"]


@pytest.fixture
def route(steps, acting_for_juvignac):
    return open_route(
        acting_for_juvignac, kind="essai", title="Objet", reference="1", step_codes=steps, facts={"a": 1}, actor=SYSTEM
    )


def states(route: Route) -> list[str]:
    return list(route.steps.order_by("rank").values_list("state", flat=True))


def test_opening_a_route_starts_its_first_step_only(route):
    assert states(route) == ["current", "waiting", "waiting"]
    assert started == ["essai.un"]


def test_completing_a_step_adds_its_facts_and_starts_the_next(route):
    complete_step(step_of(route, "essai.un"), summary="fait", facts={"b": 2}, actor=SYSTEM)
    route.refresh_from_db()
    assert states(route) == ["done", "current", "waiting"]
    assert route.facts == {"a": 1, "b": 2}
    assert started == ["essai.un", "essai.deux"]
    assert step_of(route, "essai.un").label == "Un"
    assert step_of(route, "essai.deux").label == "À deux"


def test_completing_twice_changes_nothing(route):
    step = step_of(route, "essai.un")
    complete_step(step, summary="fait", actor=SYSTEM)
    complete_step(step, summary="encore", actor=SYSTEM)
    assert started == ["essai.un", "essai.deux"]
    assert step_of(route, "essai.un").summary == "fait"


def test_a_step_that_waits_cannot_be_completed(route):
    with pytest.raises(StepNotCurrent):
        complete_step(step_of(route, "essai.trois"), summary="trop tôt", actor=SYSTEM)


def test_the_route_is_done_after_its_last_step(route, steps):
    for code in steps:
        complete_step(step_of(route, code), summary="fait", actor=SYSTEM)
    route.refresh_from_db()
    assert route.state == Route.State.DONE


def test_a_failed_step_says_why_and_starts_again_on_retry(route):
    step = step_of(route, "essai.un")
    fail_step(step, reason="Le service est fermé ; relancez demain.", actor=SYSTEM)
    route.refresh_from_db()
    assert (route.state, step_of(route, "essai.un").summary) == ("failed", "Le service est fermé ; relancez demain.")
    retry_step(step, actor=SYSTEM)
    assert started == ["essai.un", "essai.un"]
    assert step_of(route, "essai.un").state == RouteStep.State.CURRENT


def test_an_ended_route_drops_what_was_left_and_says_why(route):
    complete_step(step_of(route, "essai.un"), summary="fait", actor=SYSTEM)
    end_route(route, reason="Annulé", actor=SYSTEM)
    route.refresh_from_db()
    assert (route.state, states(route)) == ("ended", ["done", "dropped", "dropped"])
    assert [(step.label, step.summary) for step in route.steps.all()] == [
        ("Un", "fait"), ("Non deux", "Annulé"), ("Non trois", ""),
    ]  # fmt: skip


def test_an_ended_route_leaves_no_task_of_a_failed_step(route):
    fail_step(step_of(route, "essai.un"), reason="Panne", actor=SYSTEM)
    end_route(route, reason="Annulé", actor=SYSTEM)
    assert not Task.objects.filter(state="open").exists()


def test_what_comes_late_to_an_ended_route_changes_nothing(route):
    step = step_of(route, "essai.un")
    end_route(route, reason="Annulé", actor=SYSTEM)
    end_route(route, reason="Encore", actor=SYSTEM)
    fail_step(step, reason="Panne", actor=SYSTEM)
    with pytest.raises(StepNotCurrent, match="interrompu"):
        complete_step(step, summary="trop tard", actor=SYSTEM)
    assert (states(route)[0], step_of(route, "essai.un").summary) == ("dropped", "Annulé")


def test_a_route_that_is_done_does_not_end_otherwise(route, steps):
    for code in steps:
        complete_step(step_of(route, code), summary="fait", actor=SYSTEM)
    end_route(route, reason="Annulé", actor=SYSTEM)
    route.refresh_from_db()
    assert route.state == Route.State.DONE


def test_the_inbox_shows_open_tasks_by_deadline_to_those_who_may_do_them(route, juvignac, account_for):
    from datetime import timedelta

    from parvis.core import clock
    from parvis.core.identity.access import mandates_of
    from parvis.core.organisations.tenancy import acting_for

    maire, secretaire = account_for(juvignac, "maire"), account_for(juvignac, "secretaire")
    with acting_for(juvignac):
        for verb, days in (("Signer", 3), ("Viser", 1)):
            open_task(
                juvignac, service="parapheur", verb=verb, title=f"{verb} la délibération",
                permission="parapheur.signer", path="/o/juvignac/parapheur/", subject=("route", route.pk),
                deadline=clock.now() + timedelta(days=days),
            )  # fmt: skip
        open_task(
            juvignac, service="parapheur", verb="Signer", title="double", permission="parapheur.signer",
            path="/", subject=("route", route.pk),
        )  # fmt: skip
        assert [t.verb for t in inbox(maire, mandates_of(maire))] == ["Viser", "Signer"]
        assert list(inbox(secretaire, mandates_of(secretaire))) == []
        assert close_tasks(juvignac, subject=("route", route.pk), verb="Viser") == 1
        assert [t.verb for t in inbox(maire, mandates_of(maire))] == ["Signer"]
        assert Task.objects.count() == 2


def test_journal_says_which_step(route):
    from parvis.core.journal.queries import entries_about

    complete_step(step_of(route, "essai.un"), summary="", actor=SYSTEM)
    fail_step(step_of(route, "essai.deux"), reason="Panne", actor=SYSTEM)
    labels = {entry.label for entry in entries_about("route", route.pk)}
    assert {"Étape franchie : un", "Étape en échec : à deux"} <= labels

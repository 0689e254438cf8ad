"""A step that failed never waits for nobody: it leaves a task, and one page takes up the steps of all services."""

import pytest
from django.urls import reverse

from parvis.core.errors import DomainError
from parvis.core.identity.roles import ROLES
from parvis.core.journal.queries import entries_about
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Subscription
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing import registry
from parvis.core.routing.models import RouteStep, Task
from parvis.core.routing.registry import Remedy
from parvis.core.routing.services import complete_step, fail_step, open_route, retry_step

SYSTEM = Actor("system", "essai")
REASON = "Le numéro 19.07.01.05 est déjà pris : libérez-le, puis relancez."


class Stubborn:
    """A step of « actes » that does what the test says each time it starts."""

    code, label, done_label, permission = "actes.essai", "À essayer", "Essayée", "actes.transmettre"
    outcomes: list = []
    given: Remedy | None = None

    def start(self, step: RouteStep) -> None:
        outcome = self.outcomes.pop(0) if self.outcomes else "wait"
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == "done":
            complete_step(step, summary="fait", actor=SYSTEM)
        elif outcome != "wait":
            fail_step(step, reason=outcome, actor=SYSTEM)

    def remedy(self, step: RouteStep) -> Remedy | None:
        return self.given


@pytest.fixture
def stubborn(monkeypatch):
    monkeypatch.setattr(registry, "_plugins", {})
    Stubborn.outcomes, Stubborn.given = [REASON], None
    registry.register_step(Stubborn)
    return Stubborn


@pytest.fixture
def step(stubborn, juvignac):
    with acting_for(juvignac):
        route = open_route(
            juvignac, kind="essai", title="Convention", reference="19.07.01.05", step_codes=["actes.essai"], facts={},
            actor=SYSTEM,
        )  # fmt: skip
        return route.steps.get()


def page_of(step: RouteStep) -> str:
    return reverse("route_steps:failed", args=[step.organisation.slug, step.pk])


def open_tasks(organisation) -> list[tuple[str, str, str]]:
    with acting_for(organisation):
        return list(Task.objects.filter(state="open").values_list("verb", "permission", "summary"))


def test_a_failure_leaves_a_task_with_its_reason_to_who_may_act(step, juvignac):
    assert open_tasks(juvignac) == [("Relancer", "actes.transmettre", REASON)]
    with acting_for(juvignac):
        assert Task.objects.get().path == page_of(step)


def test_a_second_failure_replaces_the_reason(step, juvignac, stubborn):
    stubborn.outcomes = ["Une autre raison."]
    with acting_for(juvignac):
        retry_step(step, actor=SYSTEM)
    assert open_tasks(juvignac) == [("Relancer", "actes.transmettre", "Une autre raison.")]


def test_the_task_is_closed_once_the_step_is_taken_up(step, juvignac):
    with acting_for(juvignac):
        retry_step(step, actor=SYSTEM)
    assert open_tasks(juvignac) == []


def test_the_task_is_closed_when_a_failed_step_is_completed_all_the_same(step, juvignac):
    with acting_for(juvignac):
        complete_step(step, summary="réglée autrement", actor=SYSTEM)
    assert open_tasks(juvignac) == []


def test_the_service_may_give_a_better_task(stubborn, juvignac):
    subject = ("acte", "0197c0de-0000-7000-8000-000000000000")
    stubborn.given = Remedy("actes", "Corriger", "Convention", "actes.preparer", "/o/juvignac/actes/x/", subject)
    with acting_for(juvignac):
        open_route(
            juvignac, kind="essai", title="Convention", reference="1", step_codes=["actes.essai"], facts={},
            actor=SYSTEM,
        )  # fmt: skip
    assert open_tasks(juvignac) == [("Corriger", "actes.preparer", REASON)]


def test_every_step_of_the_product_names_a_permission_that_a_role_gives():
    held = frozenset().union(*(permissions for _, permissions in ROLES.values()))
    without = [code for code in registry.registered_codes() if registry.plugin(code).permission not in held]
    assert registry.registered_codes()
    assert not without


# -- the page --------------------------------------------------------------------------------------------


def test_the_page_says_why_and_who_may_act(step, juvignac, agent_client):
    text = agent_client(juvignac, "lecteur").get(page_of(step)).content.decode()
    assert REASON in text
    assert "transmettre à la préfecture" in text
    assert "Étape en échec : à essayer" in text
    assert "Relancer l’étape" not in text


def test_who_may_act_takes_up_the_step_and_the_journal_keeps_it(step, juvignac, agent_client, stubborn):
    stubborn.outcomes = ["done"]
    client = agent_client(juvignac, "secretaire")
    assert "Relancer l’étape" in client.get(page_of(step)).content.decode()
    text = client.post(page_of(step), follow=True).content.decode()
    assert "L’étape est faite" in text
    with acting_for(juvignac):
        entry = next(e for e in entries_about("route", step.route_id) if e.action == "cheminement.etape_relancee")
        assert entry.actor_id == str(client.account.pk)
        assert RouteStep.objects.get().state == "done"


def test_a_step_that_fails_again_says_so(step, juvignac, agent_client, stubborn):
    stubborn.outcomes = ["Toujours pris."]
    text = agent_client(juvignac, "secretaire").post(page_of(step), follow=True).content.decode()
    assert "L’étape est de nouveau en échec. Toujours pris." in text


def test_a_refusal_of_the_domain_leaves_the_step_failed_with_its_task(step, juvignac, agent_client, stubborn):
    stubborn.outcomes = [DomainError("Le service est fermé.")]
    text = agent_client(juvignac, "secretaire").post(page_of(step), follow=True).content.decode()
    assert "Le service est fermé." in text
    assert open_tasks(juvignac) == [("Relancer", "actes.transmettre", REASON)]
    with acting_for(juvignac):
        assert RouteStep.objects.get().state == "failed"


def test_who_only_reads_may_not_take_up(step, juvignac, agent_client):
    assert agent_client(juvignac, "lecteur").post(page_of(step)).status_code == 403
    with acting_for(juvignac):
        assert RouteStep.objects.get().state == "failed"


def test_who_reads_nothing_of_the_service_does_not_see_the_step(step, juvignac, agent_client):
    assert agent_client(juvignac, "elu").get(page_of(step)).status_code == 403


def test_another_organisation_finds_no_step(step, fabregues, agent_client):
    url = reverse("route_steps:failed", args=["fabregues", step.pk])
    assert agent_client(fabregues, "secretaire").post(url).status_code == 404


def test_nothing_is_taken_up_once_the_subscription_is_over(step, juvignac, agent_client):
    Subscription.objects.filter(organisation=juvignac, application="edemat").delete()
    client = agent_client(juvignac, "secretaire")
    assert client.get(page_of(step)).status_code == 200
    assert client.post(page_of(step)).status_code == 403


def test_a_step_with_a_better_task_is_not_started_again_from_here(step, juvignac, agent_client, stubborn):
    subject = ("acte", "0197c0de-0000-7000-8000-000000000000")
    stubborn.given = Remedy("actes", "Corriger", "Convention", "actes.transmettre", "/o/juvignac/actes/x/", subject)
    client = agent_client(juvignac, "secretaire")
    text = client.get(page_of(step)).content.decode()
    assert 'href="/o/juvignac/actes/x/"' in text
    assert "Relancer l’étape" not in text
    client.post(page_of(step))
    with acting_for(juvignac):
        assert RouteStep.objects.get().state == "failed"


def test_the_page_of_a_step_that_goes_on_offers_nothing(step, juvignac, agent_client):
    with acting_for(juvignac):
        retry_step(step, actor=SYSTEM)
    text = agent_client(juvignac, "secretaire").get(page_of(step)).content.decode()
    assert "n’est pas en échec" in text
    assert "Relancer l’étape" not in text

"""A route that cannot become an act says why, to somebody, and starts again from the page of its failed step."""

from django.urls import reverse

from parvis.core.documents.services import store
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import RouteStep, Task
from parvis.core.routing.services import attach, fail_step, open_route, step_of
from parvis.edemat.actes.models import Acte
from tests.edemat.actes.conftest import a_pdf
from tests.edemat.actes.making import make_acte

SYSTEM = Actor("system", "essai")
FACTS = {
    "acte": {
        "numero": "19.07.01.05",
        "nature": "1",
        "objet": "Convention de gestion de services numériques communs",
        "date": "2019-07-01",
        "matiere": "5.7",
        "matiere_label": "Institutions et vie politique/Intercommunalité",
        "type_piece": "99_DE",
    }
}


def route_at_transmission(organisation):
    return open_route(
        organisation, kind="deliberation", title="Convention", reference="19.07.01.05",
        step_codes=["actes.transmission", "actes.acquittement"], facts=FACTS, actor=SYSTEM,
    )  # fmt: skip


def the_task() -> Task:
    return Task.objects.get(state="open")


def test_a_route_without_document_asks_to_take_the_step_up_and_goes_on_once_it_has_one(commune, agent_client):
    with acting_for(commune):
        route = route_at_transmission(commune)
        step = step_of(route, "actes.transmission")
        assert (step.state, the_task().verb, the_task().path) == ("failed", "Relancer", step.failure_page)
        attach(route, "signe", store(commune, a_pdf(), "deliberation.pdf"), "Délibération signée")
    text = agent_client(commune, "secretaire").post(step.failure_page, follow=True).content.decode()
    assert "L’étape est relancée" in text
    with acting_for(commune):
        acte = Acte.objects.get()
        assert (the_task().verb, the_task().subject_id) == ("Transmettre", acte.pk)


def test_a_number_already_taken_is_said_in_the_task(commune):
    with acting_for(commune):
        make_acte(commune, numero="19.07.01.05")
        route_at_transmission_with_document(commune)
        assert "19_07_01_05" in the_task().summary
        assert "déjà" in the_task().summary


def test_the_page_of_a_number_already_taken_leads_to_the_act_that_has_it(commune, agent_client):
    with acting_for(commune):
        holder = make_acte(commune, numero="19.07.01.05")
        failed = step_of(route_at_transmission_with_document(commune), "actes.transmission").failure_page
    page = agent_client(commune, "secretaire").get(failed).content.decode()
    assert f'href="{reverse("actes:detail", args=[commune.slug, holder.pk])}"' in page


def route_at_transmission_with_document(organisation):
    route = route_at_transmission(organisation)
    attach(route, "signe", store(organisation, a_pdf(), "deliberation.pdf"), "Délibération signée")
    from parvis.core.routing.services import retry_step

    retry_step(step_of(route, "actes.transmission"), actor=SYSTEM)
    return route


def test_an_act_that_exists_is_corrected_on_its_own_page_which_leads_to_the_failure(commune, agent_client):
    with acting_for(commune):
        route = route_at_transmission_with_document(commune)
        fail_step(step_of(route, "actes.transmission"), reason="Matière inconnue.", actor=SYSTEM)
        acte = Acte.objects.get()
        step = RouteStep.objects.select_related("organisation").get(route=route, state="failed")
        assert Task.objects.get(state="open", verb="Corriger").subject_id == acte.pk
    page = reverse("actes:detail", args=[commune.slug, acte.pk])
    client = agent_client(commune, "secretaire")
    assert f'href="{step.failure_page}"' in client.get(page).content.decode()
    failure = client.get(step.failure_page).content.decode()
    assert f'href="{page}"' in failure
    assert "Relancer l’étape" not in failure

"""The search across services leads from the route of a deliberation to its act."""

import pytest

from parvis.core import clock
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep
from tests.edemat.actes.making import make_acte


@pytest.mark.django_db
def test_search_leads_to_the_act_once_the_route_has_reached_it(juvignac, agent_client):
    with acting_for(juvignac):
        reached, coming = (
            Route.objects.create(
                organisation=juvignac, kind="deliberation", title=title, reference="1", created_at=clock.now()
            )
            for title in ("Pont de Fontcaude", "Pont de la Mosson")
        )
        for route in (reached, coming):
            RouteStep.objects.create(organisation=juvignac, route=route, rank=1, code="actes.transmission")
        acte = make_acte(juvignac, "A_1")
        acte.route = reached
        acte.save(update_fields=["route"])
    page = agent_client(juvignac, "secretaire").get("/bureau/recherche/?q=pont").content.decode()
    assert f'href="/o/juvignac/actes/{acte.pk}/"' in page
    assert coming.title in page
    assert page.count('class="item-title" href=') == 1

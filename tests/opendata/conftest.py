"""Routes that stand just before open data, as the earlier steps leave them."""

from copy import deepcopy

import pytest

from parvis.core import clock

FACTS = {
    "acte": {
        "numero": "19.07.01.05",
        "nature": "1",
        "objet": "Convention de gestion de services numériques communs - autorisation de signature",
        "date": "2019-07-01",
        "matiere": "5.7",
        "matiere_label": "Institutions et vie politique/Intercommunalité",
        "type_piece": "99_DE",
    },
    "vote": {
        "en_exercice": 29, "presents": 18, "pouvoirs": 8, "votants": 26,
        "pour": 26, "contre": 0, "abstention": 0, "mode": "main_levee", "mention": "à l’unanimité",
    },
    "ar": {"id_acte": "034-213401235-20190701-19_07_01_05-DE", "date_reception": "2019-07-03"},
    "publication": {"date": "2019-07-11", "url": "/p/juvignac/actes/un-acte/", "executoire": "2019-07-11"},
}  # fmt: skip


@pytest.fixture
def facts():
    return deepcopy(FACTS)


@pytest.fixture
def route_at_opendata():
    """``route_at_opendata(organisation, facts)`` -> the step, current and not yet started."""
    from parvis.core.routing.models import Route, RouteStep

    def make(organisation, facts):
        route = Route.objects.create(
            organisation=organisation,
            kind="deliberation",
            title=facts["acte"]["objet"],
            reference=facts["acte"]["numero"],
            facts=facts,
            created_at=clock.now(),
        )
        return RouteStep.objects.create(
            organisation=organisation,
            route=route,
            rank=7,
            code="opendata.deliberations",
            state=RouteStep.State.CURRENT,
            started_at=clock.now(),
        )

    return make


@pytest.fixture
def open_row(route_at_opendata, facts):
    """``open_row(organisation, numero=…, date=…)`` runs the step for one deliberation and returns it."""
    from parvis.core.routing.registry import plugin

    def make(organisation, **acte):
        changed = deepcopy(facts)
        changed["acte"] |= acte
        changed["ar"]["date_reception"] = changed["acte"]["date"]
        step = route_at_opendata(organisation, changed)
        plugin(step.code).start(step)
        step.refresh_from_db()
        return step

    return make

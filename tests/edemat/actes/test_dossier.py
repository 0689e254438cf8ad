"""The page of an act says each date and each remark once."""

from datetime import date

import pytest

from parvis.core.routing.models import Route, RouteStep
from parvis.edemat.actes.dossier import Dossier
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.publication import Author, publish
from tests.edemat.actes.conftest import AGENT
from tests.edemat.actes.making import make_acte

STEPS = {
    "actes.transmission": ("2019-07-03T10:04+02:00", "Transmise le 03/07/2019 à 10 h 04"),
    "actes.acquittement": ("2019-07-03T10:06+02:00", "Reçue en préfecture le 03/07/2019"),
    "actes.publication": ("2019-07-11T09:01+02:00", "exécutoire le 11/07/2019"),
}


@pytest.fixture
def acte(acting_for_juvignac, frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")
    route = Route.objects.create(
        organisation=acting_for_juvignac, kind="deliberation", title="x", reference="1", created_at="2019-07-01T20:00Z"
    )
    for rank, (code, (ended, summary)) in enumerate(STEPS.items(), start=1):
        RouteStep.objects.create(
            organisation=acting_for_juvignac, route=route, rank=rank, code=code, state=RouteStep.State.DONE,
            ended_at=ended, summary=summary,
        )  # fmt: skip
    acte = make_acte(acting_for_juvignac, route=route)
    publish(acte, author=Author("Jean-Luc SAVY", "Maire"), actor=AGENT)
    acte.refresh_from_db()
    return acte


def plain(lines: list[str]) -> list[str]:
    return [line.replace("\u00a0", " ").replace("\u202f", " ") for line in lines]


def test_each_step_says_its_date_once_with_its_time(acte):
    steps = Dossier(acte, frozenset()).steps
    assert [plain(step["lines"]) for step in steps] == [
        ["3 juil. 10 h 04"],
        ["3 juil. 10 h 06"],
        ["11 juil. 9 h", "exécutoire le 11/07/2019"],
    ]


def test_a_receipt_read_another_day_shows_the_day_that_counts(acte):
    acte.received_on = date(2019, 7, 2)
    assert plain(Dossier(acte, frozenset()).steps[1]["lines"]) == ["2 juillet 2019"]


def test_what_is_awaited_is_named(acting_for_juvignac):
    sent = make_acte(acting_for_juvignac, status=Status.TRANSMIS)
    action = Dossier(sent, frozenset()).action
    assert action.text.endswith("L’accusé vient en général en quelques minutes.")


def test_the_same_remark_is_shown_once(acte):
    said = {"code": "schema", "severity": "avertissement", "ok": False, "sentence": "Non contrôlé."}
    acte.checks = [said, {"code": "objet", "ok": True, "sentence": "Objet présent."}, dict(said)]
    dossier = Dossier(acte, frozenset())
    assert [check["code"] for check in dossier.checks] == ["schema", "objet"]
    assert dossier.remarks == 1


# --- what is under way ---
def test_an_act_online_whose_documents_are_being_made_is_shown_published(acte):
    acte.route.steps.filter(code="actes.publication").update(state=RouteStep.State.CURRENT, ended_at=None)
    step = Dossier(acte, frozenset()).steps[-1]
    assert (step["label"], step["state"]) == ("Publiée", "done")


def test_an_act_acknowledged_that_nobody_has_published_is_still_to_publish(acting_for_juvignac, frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")
    route = Route.objects.create(
        organisation=acting_for_juvignac, kind="deliberation", title="x", reference="1", created_at="2019-07-01T20:00Z"
    )
    RouteStep.objects.create(
        organisation=acting_for_juvignac, route=route, rank=1, code="actes.publication", state=RouteStep.State.CURRENT
    )
    step = Dossier(make_acte(acting_for_juvignac, route=route), frozenset()).steps[0]
    assert (step["label"], step["state"]) == ("À publier", "current")


@pytest.mark.parametrize(
    ("status", "awaits"),
    [(Status.A_POSTER, False), (Status.POSTE, True), (Status.TRANSMIS, True), (Status.ERREUR, False), (4, False)],
)
def test_the_page_asks_for_itself_again_while_the_state_has_to_answer(acting_for_juvignac, status, awaits):
    assert Dossier(make_acte(acting_for_juvignac, status=status), frozenset()).awaits is awaits

"""The reference case from the convocation to the parapheur: Juvignac, deliberation N° 19.07.01.05."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from parvis.core import clock
from parvis.core.documents.services import read_bytes
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.seances import services
from parvis.edemat.seances.models import Deliberation
from parvis.edemat.seances.services.deliberations import text_of_pdf

from .council import ACTOR
from .test_deliberations import steps  # noqa: F401  the steps of the other services

pytestmark = pytest.mark.reference


@pytest.fixture
def case(shared_dir: Path) -> dict[str, Any]:
    path = shared_dir / "samples/seances/juvignac-19.07.01.05.json"
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def seed(shared_dir: Path) -> str:
    text = (shared_dir / "seeds/000_juvignac_deliberation_et_convention.txt").read_text(encoding="utf-8")
    return text.partition("## CONVENTION DE GESTION")[0]


def _amounts(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"libelle": row["libelle"], "valeur": row["valeur"]} for row in rows]


@pytest.fixture
def meeting(sandbox, juvignac, case, seed, frozen_clock, run_jobs):
    """The meeting held as the seed tells it, with the sandbox's relay and time-stamping authority."""
    with acting_for(juvignac):
        frozen_clock("2019-06-20T09:00+02:00")
        organe = services.create_organe(
            juvignac, name="Conseil municipal", since=date(2014, 3, 30), place="Hôtel de ville", actor=ACTOR
        )
        givers = [pair["mandant"] for pair in case["procurations"]]
        elus = {}
        for n, name in enumerate([*case["presents"], *givers, *case["absents"]], start=1):
            civility, family = name.split(" ", 1)
            elus[name] = services.add_elu(
                organe,
                civility=civility,
                family_name=family,
                email=f"elu{n:02d}@juvignac.test",
                term_start=date(2014, 3, 30),
                actor=ACTOR,
            )
        seance = services.plan_seance(organe, starts_at=datetime(2019, 7, 1, 18, 30, tzinfo=clock.PARIS), actor=ACTOR)
        for n in range(1, 5):
            services.add_point(seance, title=f"Affaire courante {n}", matiere="5.2", actor=ACTOR)
        told = case["deliberation"]
        services.add_point(
            seance,
            title=told["titre"],
            rapporteur=elus[told["rapporteur"]],
            expose=seed.partition("rapporteur**, ")[2].partition("#### **IL EST")[0].replace("**", ""),
            visas="Vu le code général des collectivités territoriales et notamment son article L.2121-22 ;",
            dispositif="\n".join(told["dispositif"]),
            closing_mention="Acte exécutoire après dépôt en préfecture et publication le ... 11 juillet 2019",
            matiere="5.7",
            matiere_label="Institutions et vie politique/Intercommunalité",
            quoted_amounts=_amounts(told["montants_exposes"]),
            annexed_amounts=_amounts(told["montants_annexe2"]),
            actor=ACTOR,
        )
        frozen_clock("2019-06-24T18:00+02:00")
        seance = services.convoke(seance, actor=ACTOR)
        run_jobs(queue="seances")
        frozen_clock("2019-07-01T18:30+02:00")
        members = {one.name: one for one in seance.convocations.all()}
        services.record_presence_sheet(
            seance,
            presents=[members[name] for name in case["presents"]],
            powers=[(members[p["mandant"]], members[p["mandataire"]]) for p in case["procurations"]],
            actor=ACTOR,
        )
        seance = services.open_meeting(seance, actor=ACTOR)
        for point in seance.points.order_by("rank"):
            mode = "non_precise" if point.rank == 5 else "main_levee"
            services.record_unanimity(point, mode=mode, actor=ACTOR)
        yield services.rise(seance, actor=ACTOR)


@pytest.fixture
def deliberation(meeting) -> Deliberation:
    return services.establish(Deliberation.objects.get(point__seance=meeting, point__rank=5), actor=ACTOR)


def test_the_number_is_that_of_the_register(case, deliberation):
    assert deliberation.number == case["deliberation"]["numero"]
    assert deliberation.actes_number == case["attendus"]["numero_actes"]


def test_the_verdicts_are_exactly_those_expected(case, deliberation):
    assert deliberation.faults == []
    met = {check["mark"] for check in deliberation.checks if check["severity"] == "bloquant" and check["ok"]}
    assert set(case["attendus"]["controles_bloquants_ok"]) <= met
    shown = {check["mark"] for check in deliberation.checks if not check["ok"]}
    assert shown == set(case["attendus"]["avertissements"])


def test_the_lists_of_the_document_are_those_of_the_seed(case, deliberation):
    text = " ".join(text_of_pdf(read_bytes(deliberation.document)).split())
    for pair in case["procurations"]:
        assert f"{pair['mandant']} en faveur de {pair['mandataire']}" in text
    for name in (*case["presents"], *case["absents"]):
        assert name in text


def test_the_route_carries_the_proof_of_the_convocation(steps, deliberation):  # noqa: F811
    route = services.send_to_signature(deliberation, actor=ACTOR)
    vote = {key: route.facts["vote"][key] for key in ("en_exercice", "presents", "pouvoirs", "votants", "pour")}
    assert vote == {"en_exercice": 29, "presents": 18, "pouvoirs": 8, "votants": 26, "pour": 26}
    roles = {one.role for one in route.documents.all()}
    assert roles == {"original", "convocation", "convocation_ics", "convocation_preuve", "convocation_jeton"}
    found, broken = services.read_evidence(deliberation.point.seance)
    assert broken is None
    assert found[0].report.valid
    assert clock.paris(found[0].report.gen_time).tzinfo is not None

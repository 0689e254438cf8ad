"""Deliberations: document, checks and departure for signature."""

import subprocess
from pathlib import Path

import pytest

from parvis.core.documents.services import read_bytes
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.routing.models import Route, Task
from parvis.edemat.seances import queries, services
from parvis.edemat.seances.errors import DeliberationBlocked
from parvis.edemat.seances.models import Convocation, Deliberation, Seance
from parvis.edemat.seances.services.deliberations import establish_asked, text_of_pdf

from .council import ACTOR


@pytest.fixture
def steps(monkeypatch):
    """The steps after the vote do nothing here: they belong to other services, which have their own tests."""
    from parvis.core.routing import registry

    plugins = dict(registry._plugins)
    for code in services.STEP_CODES[1:]:
        quiet = type("Quiet", (), {"code": code, "label": code, "done_label": code, "start": lambda s, step: None})
        plugins[code] = quiet()
    monkeypatch.setattr(registry, "_plugins", plugins)


@pytest.fixture
def risen(council):
    council.convoke()
    council.deliver()
    council.open()
    council.rise()
    return council


def _first(council) -> Deliberation:
    return Deliberation.objects.get(point__seance=council.seance, point__rank=1)


def test_the_document_is_tagged_pdf_a_and_says_what_the_meeting_did(risen, tmp_path: Path):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    content = read_bytes(deliberation.document)
    text = " ".join(text_of_pdf(content).split())
    for expected in (
        "Commune de Juvignac",
        "N° 19.07.01.01",
        "En exercice : 29",
        "Présents : 18",
        "Votants : 26",
        "L’an deux mille dix-neuf et le premier jour du mois de juillet, à dix-huit heures trente",
        "au moins cinq jours francs",
        "en faveur de",
        "à main levée, à l’unanimité",
        "D’APPROUVER",
        "La maire, Camille MEMBRE01",
        "tribunal administratif de Montpellier",
    ):
        assert expected in text, expected
    path = tmp_path / "deliberation.pdf"
    path.write_bytes(content)
    assert subprocess.run(["qpdf", "--check", path], capture_output=True).returncode == 0
    information = subprocess.run(["pdfinfo", path], capture_output=True, text=True).stdout
    assert "Tagged:          yes" in information
    assert b"pdfaid" in content


def test_a_regular_meeting_passes_every_blocking_check(risen):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    assert deliberation.faults == []
    assert [check["code"] for check in deliberation.remarks] == ["W1"]
    assert len(deliberation.checks) == 21


def test_a_secretary_named_at_the_opening_cures_the_warning(risen):
    Seance.objects.filter(pk=risen.seance.pk).update(secretary=risen.elus[3])
    deliberation = services.establish(_first(risen), actor=ACTOR)
    assert deliberation.remarks == []
    assert risen.elus[3].signature_name in text_of_pdf(read_bytes(deliberation.document))


def test_a_member_never_reached_blocks_the_signature(risen, steps):
    late = risen.members[28]
    Convocation.objects.filter(pk=late.pk).update(state="rebond", sent_at=None)
    deliberation = services.establish(_first(risen), actor=ACTOR)
    [fault] = deliberation.faults
    assert fault["code"] == "B5"
    assert late.name in fault["sentence"]
    with pytest.raises(DeliberationBlocked, match="Aucun envoi"):
        services.send_to_signature(deliberation, actor=ACTOR)
    assert not Route.objects.exists()


def test_a_late_sending_blocks(risen):
    Convocation.objects.filter(pk=risen.members[4].pk).update(sent_at="2019-06-26T08:00+02:00")
    deliberation = services.establish(_first(risen), actor=ACTOR)
    assert [fault["code"] for fault in deliberation.faults] == ["B5"]


def test_a_missing_subject_blocks(risen):
    point = _first(risen).point
    point.matiere = "5"
    point.save()
    assert [fault["code"] for fault in services.establish(_first(risen), actor=ACTOR).faults] == ["B12"]


def test_a_deliberation_stands_at_the_last_step_that_it_has_passed(risen, steps):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    route = services.send_to_signature(deliberation, actor=ACTOR)
    seance = deliberation.point.seance

    def said(code="", state="done"):
        route.steps.filter(code=code).update(state=state)
        found = queries.standings(seance)[route.pk]
        return found.label, found.kind

    assert said() == ("Mise à la signature", "info")
    signed = route.steps.get(code="parapheur.signature")
    assert said(signed.code) == (type(signed).objects.get(pk=signed.pk).label, "ok")
    assert said("actes.transmission", "failed")[1] == "danger"


def test_the_meeting_leads_to_the_act_of_a_deliberation(risen, steps, monkeypatch):
    route = services.send_to_signature(services.establish(_first(risen), actor=ACTOR), actor=ACTOR)
    monkeypatch.setattr(queries, "pages_of", lambda routes: {one.pk: "/o/juvignac/actes/x/" for one in routes})
    assert queries.standings(_first(risen).point.seance)[route.pk].url == "/o/juvignac/actes/x/"


def test_sending_to_signature_opens_the_route_with_facts_and_documents(risen, steps):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    route = services.send_to_signature(deliberation, actor=ACTOR)
    assert (route.kind, route.reference, route.title) == ("deliberation", "19.07.01.01", "Affaire 1")
    assert [step.code for step in route.steps.all()] == list(services.STEP_CODES)
    vote, signature = route.steps.all()[:2]
    assert (vote.state, signature.state) == ("done", "current")
    assert vote.summary == "1er\u00a0juillet, 26 pour, à l’unanimité"
    facts = route.facts
    assert facts["acte"] == {
        "numero": "19.07.01.01",
        "nature": "1",
        "objet": "Affaire 1",
        "date": "2019-07-01",
        "matiere": "5.7",
        "matiere_label": "Institutions et vie politique/Intercommunalité",
        "type_piece": "99_DE",
    }
    assert facts["seance"]["convocation_date"] == "2019-06-24"
    assert facts["vote"]["votants"] == facts["vote"]["pour"] == 26
    roles = {one.role for one in route.documents.all()}
    assert roles == {"original", "convocation", "convocation_ics", "convocation_preuve"}
    assert route.document("original").sha256 == deliberation.document.sha256


def test_a_job_establishes_each_deliberation_once_for_the_person_who_asked(risen, account_for, run_jobs):
    person = Actor("account", str(account_for(risen.organisation, "secretaire").pk))
    assert services.ask_establishment(risen.seance, actor=person) == 2
    assert services.ask_establishment(risen.seance, actor=person) == 0
    assert not Entry.objects.filter(action="seances.deliberation_etablie").exists()
    run_jobs(queue="seances", may_fail=True)
    assert [one.work for one in Deliberation.objects.exclude(document=None)] == ["", ""]
    done = Entry.objects.filter(action="seances.deliberation_etablie")
    assert [(entry.actor_kind, entry.actor_id) for entry in done] == [("account", person.id)] * 2


def test_a_job_run_again_establishes_nothing(risen, run_jobs):
    services.ask_establishment(risen.seance, actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    before = _first(risen).document
    establish_asked(_first(risen).pk, actor=ACTOR)
    assert _first(risen).document == before


def test_a_deliberation_being_established_does_not_leave(risen, steps):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    services.ask_establishment(risen.seance, actor=ACTOR)
    with pytest.raises(DeliberationBlocked, match="attendez la fin"):
        services.send_to_signature(deliberation, actor=ACTOR)


def test_sending_twice_opens_one_route(risen, steps):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    first = services.send_to_signature(deliberation, actor=ACTOR)
    assert services.send_to_signature(deliberation, actor=ACTOR).pk == first.pk
    assert Route.objects.count() == 1


def test_a_deliberation_at_signature_no_longer_changes(risen, steps):
    deliberation = services.establish(_first(risen), actor=ACTOR)
    services.send_to_signature(deliberation, actor=ACTOR)
    with pytest.raises(DeliberationBlocked, match="ne change plus"):
        services.establish(deliberation, actor=ACTOR)


def test_a_rejected_deliberation_is_numbered_and_not_transmitted(council, steps):
    council.convoke()
    council.deliver()
    council.open()
    first, second = council.seance.points.order_by("rank")
    services.record_vote(first, mode="main_levee", pour=10, contre=16, actor=ACTOR)
    services.record_unanimity(second, actor=ACTOR)
    services.rise(council.seance, actor=ACTOR)
    rejected, adopted = Deliberation.objects.order_by("number")
    services.establish(rejected, actor=ACTOR)
    with pytest.raises(DeliberationBlocked, match="pas été adoptée"):
        services.send_to_signature(rejected, actor=ACTOR)
    services.send_to_signature(services.establish(adopted, actor=ACTOR), actor=ACTOR)
    assert Seance.objects.get(pk=council.seance.pk).state == Seance.State.CLOSE


def test_the_meeting_closes_with_its_last_deliberation(risen, steps):
    first, second = Deliberation.objects.order_by("number")
    services.send_to_signature(services.establish(first, actor=ACTOR), actor=ACTOR)
    assert Task.objects.filter(verb="Établir les délibérations", state="open").exists()
    services.send_to_signature(services.establish(second, actor=ACTOR), actor=ACTOR)
    assert Seance.objects.get(pk=risen.seance.pk).state == Seance.State.CLOSE
    assert not Task.objects.filter(verb="Établir les délibérations", state="open").exists()


def test_an_item_only_taken_note_of_has_no_counts(council, steps):
    council.convoke()
    council.deliver()
    council.open()
    first, second = council.seance.points.order_by("rank")
    services.record_vote(first, mode="sans_vote", actor=ACTOR)
    services.record_unanimity(second, actor=ACTOR)
    services.rise(council.seance, actor=ACTOR)
    deliberation = services.establish(_first(council), actor=ACTOR)
    text = text_of_pdf(read_bytes(deliberation.document))
    assert "prend acte" in text
    assert "Pour :" not in text
    route = services.send_to_signature(deliberation, actor=ACTOR)
    assert route.steps.first().summary == "1er\u00a0juillet, sans vote"


def test_what_the_checks_read_is_what_is_printed(risen, monkeypatch):
    """A document whose counts drift from the lists is blocked: the counts are read back from the PDF."""
    from parvis.edemat.seances.services import deliberations

    real = deliberations.deliberation_data

    def drifting(deliberation):
        data = real(deliberation)
        data["effectifs"][1]["value"] = "19"
        return data

    monkeypatch.setattr(deliberations, "deliberation_data", drifting)
    deliberation = services.establish(_first(risen), actor=ACTOR)
    assert [fault["code"] for fault in deliberation.faults] == ["B2"]

"""An act that has not left, or that the State refused, is corrected: description, annexes, route, journal."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.documents.models import Document
from parvis.core.documents.services import store
from parvis.core.journal.actions import label_of
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.core.routing.registry import plugin
from parvis.core.routing.services import attach, open_route
from parvis.core.web.uploads import exceeds
from parvis.edemat.actes import forms as actes_forms
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.formats.checks import refusals
from parvis.edemat.actes.formats.numbers import InvalidActeNumber
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.publication import Author, publish
from parvis.edemat.actes.services.correction import Correction, CorrectionRefused, PieceChange, correct_acte
from parvis.edemat.actes.services.preparation import Annexe, NumberTaken
from tests.edemat.actes.conftest import AGENT, FACTS, a_pdf

LIST = "/o/juvignac/actes/"


def correct(acte, **changes):
    with acting_for(acte.organisation):
        return correct_acte(acte, Correction(**changes), actor=AGENT)


@pytest.fixture
def on_a_route(commune):
    """A deliberation with one annexe, waiting to be transmitted along its route."""
    with acting_for(commune):
        route = open_route(
            commune, kind="deliberation", title=FACTS["objet"], reference=FACTS["numero"],
            step_codes=["seances.vote", "actes.transmission", "actes.acquittement"],
            facts={"acte": FACTS}, actor=AGENT,
        )  # fmt: skip
        attach(route, "signe", store(commune, a_pdf(), "délibération.pdf"), "Délibération signée")
        attach(route, "annexe", store(commune, a_pdf("convention"), "convention.pdf"), "Convention")
        route.steps.filter(rank=1).update(state=RouteStep.State.DONE)
        route.steps.filter(rank=2).update(state=RouteStep.State.CURRENT)
        plugin("actes.transmission").start(route.steps.select_related("route", "organisation").get(rank=2))
        return Acte.objects.select_related("organisation", "route").get(route=route)


# --- what changes -----------------------------------------------------------------------------------------
def test_the_description_changes_and_the_signed_file_does_not(commune, prepare, state):
    acte = prepare(commune, matiere="5.99")
    findings = correct(
        acte, objet="Subventions aux associations", matiere="7.5", numero_actes="DEL_2019_05", type_piece="70_DE",
        numero="DEL 2019-05", decision_date=date(2019, 6, 28),
    )  # fmt: skip
    again = state.again(acte)
    assert refusals(findings) == []
    assert again.objet == "Subventions aux associations"
    assert (again.matiere, again.matiere_label) == ("7.5", "Finances locales/Subventions")
    assert (again.numero, again.numero_actes) == ("DEL 2019-05", "DEL_2019_05")
    assert (again.type_piece, again.decision_date) == ("70_DE", date(2019, 6, 28))
    assert again.document_id == acte.document_id


def test_the_checks_of_the_act_are_made_again(commune, prepare, state):
    acte = prepare(commune, matiere="5.99")
    correct(acte, matiere="7.5")
    assert all(check["ok"] for check in state.again(acte).checks if check["code"] == "matiere")


def test_annexes_are_dropped_replaced_retyped_and_added_in_order(commune, prepare):
    acte = prepare(commune, annexes=3)
    with acting_for(commune):
        first, second, third = acte.pieces.order_by("rank")
        replacement = store(commune, a_pdf("nouvelle"), "nouvelle.pdf")
        more = store(commune, a_pdf("de plus"), "de-plus.pdf")
    correct(
        acte,
        annexes=(
            PieceChange(first.pk, drop=True),
            PieceChange(second.pk, replacement=replacement),
            PieceChange(third.pk, code_pj="21_RP"),
        ),
        added=(Annexe(more, code_pj="99_DE"),),
    )
    with acting_for(commune):
        kept = [(p.rank, p.posted_filename, p.code_pj) for p in acte.pieces.order_by("rank")]
    assert kept == [(2, "nouvelle.pdf", "70_DE"), (3, "annexe.pdf", "21_RP"), (4, "de-plus.pdf", "99_DE")]


def test_the_journal_says_what_changed_without_the_object(commune, prepare):
    acte = prepare(commune)
    correct(acte, objet="Secours à Mme Exemple", matiere="8.2")
    with acting_for(commune):
        entry = Entry.objects.get(action="actes.corrige")
    assert entry.details == {"changed": ["objet", "matiere"], "values": {"matiere": "8.2"}}
    assert label_of(entry.action, entry.details) == "Acte corrigé : objet, matière"


def test_what_changes_nothing_leaves_no_trace(commune, prepare):
    acte = prepare(commune)
    correct(acte, objet=acte.objet, matiere=acte.matiere)
    with acting_for(commune):
        assert not Entry.objects.filter(action="actes.corrige").exists()


def test_the_route_follows(commune, on_a_route):
    with acting_for(commune):
        piece = on_a_route.pieces.get()
        other = store(commune, a_pdf("autre"), "autre.pdf")
    correct(
        on_a_route, objet="Convention numérique", matiere="7.5", annexes=(PieceChange(piece.pk, replacement=other),)
    )
    with acting_for(commune):
        route = Route.objects.get(pk=on_a_route.route_id)
        told = route.facts["acte"]
        assert (route.title, told["objet"]) == ("Convention numérique", "Convention numérique")
        assert (told["matiere"], told["matiere_label"]) == ("7.5", "Finances locales/Subventions")
        assert told["numero"] == FACTS["numero"]
        assert [d.document.filename for d in route.documents.filter(role="annexe")] == ["autre.pdf"]


def test_an_act_online_shows_its_corrected_matiere(commune, prepare):
    acte = prepare(commune)
    with acting_for(commune):
        online = publish(acte, author=Author("Camille ESSAI", "Maire"), actor=AGENT)
    correct(acte, matiere="7.5")
    with acting_for(commune):
        online.refresh_from_db()
    assert online.matiere == "7.5"


def test_the_task_says_what_remains(commune, on_a_route):
    correct(on_a_route, type_piece="00_XX")
    with acting_for(commune):
        task = Task.objects.get(subject_id=on_a_route.pk, state="open")
        assert task.verb == "Corriger"
        assert "00_XX" in task.summary
    correct(on_a_route, type_piece="99_DE")
    with acting_for(commune):
        assert Task.objects.get(subject_id=on_a_route.pk, state="open").verb == "Transmettre"


def test_a_refused_act_leaves_again_once_corrected(commune, prepare, state):
    state.scenario("anomalie_002", count=1)
    acte = state.transmit(prepare(commune))
    state.poll()
    assert state.again(acte).status == Status.ERREUR
    correct(acte, objet="Convention, objet corrigé")
    state.transmit(state.again(acte))
    state.poll()
    again = state.again(acte)
    assert again.status == Status.ACQUITTE
    with acting_for(commune):
        assert not Task.objects.filter(subject_id=acte.pk, verb="Corriger", state="open").exists()


# --- what is refused --------------------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{"numero": "19.07.01.99"}, {"decision_date": date(2019, 6, 28)}])
def test_what_the_meeting_printed_on_the_act_stays(on_a_route, changes):
    with pytest.raises(CorrectionRefused, match="portés sur l’acte ne changent plus") as refusal:
        correct(on_a_route, **changes)
    assert refusal.value.field in changes


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"objet": "Deux\nlignes"}, "objet", "retour à la ligne"),
        ({"matiere": "5.99"}, "matiere", "n’existe pas dans la classification"),
        ({"decision_date": date(2030, 1, 1)}, "decision_date", "est à venir"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(commune, prepare, changes, field, sentence):
    with pytest.raises(CorrectionRefused, match=sentence) as refusal:
        correct(prepare(commune), **changes)
    assert refusal.value.field == field


def test_a_number_out_of_rule_is_refused_with_a_proposal(commune, prepare):
    with pytest.raises(InvalidActeNumber, match="DEL_5"):
        correct(prepare(commune), numero_actes="del-5")


def test_a_number_taken_is_refused(commune, prepare):
    prepare(commune, numero="19.07.01.06", objet="Tarifs")
    with pytest.raises(NumberTaken, match="Tarifs"):
        correct(prepare(commune), numero_actes="19_07_01_06")


def test_an_act_that_left_is_not_corrected(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with pytest.raises(CorrectionRefused, match="il ne se corrige plus"):
        correct(acte, objet="Trop tard")


def test_an_annexe_of_another_act_is_not_touched(commune, prepare):
    other = prepare(commune, numero="19.07.01.06", annexes=1)
    with acting_for(commune):
        piece = other.pieces.get()
    with pytest.raises(CorrectionRefused, match="rechargez la page"):
        correct(prepare(commune), annexes=(PieceChange(piece.pk, drop=True),))


# --- the page ---------------------------------------------------------------------------------------------
@pytest.fixture
def secretary(agent_client, commune):
    return agent_client(commune, "secretaire")


def sent(form, **changes):
    """What a browser sends back of a page's form."""
    kept = {name: value for name, value in form.initial.items() if name in form.fields}
    return {name: value for name, value in (kept | changes).items() if value is not None}


def test_each_finding_stands_next_to_its_field(secretary, commune, prepare, state):
    acte = prepare(commune, matiere="5.99", type_piece="00_XX")
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    assert "n’existe pas dans la classification" in form.errors["matiere"][0]
    assert "n’est pas admis" in form.errors["type_piece"][0]
    assert set(form.errors) == {"matiere", "type_piece"}


def test_a_number_refused_leads_to_the_act_that_has_it(secretary, commune, prepare):
    holder, acte = prepare(commune, numero="19.07.01.06"), prepare(commune)
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    page = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, numero_actes="19_07_01_06"))
    assert f'href="{LIST}{holder.pk}/"' in page.content.decode()


def test_a_number_taken_meanwhile_leads_to_the_act_that_has_it(secretary, commune, prepare):
    acte = prepare(commune)
    with acting_for(commune):
        Acte.objects.filter(pk=acte.pk).update(status=Status.ERREUR)
    holder = prepare(commune)
    page = secretary.get(f"{LIST}{acte.pk}/corriger/")
    assert f'href="{LIST}{holder.pk}/"' in page.content.decode()


def test_what_is_the_organisation_s_is_said_apart(secretary, commune, prepare):
    from parvis.edemat.actes.models import ActeSettings

    acte = prepare(commune)
    with acting_for(commune):
        ActeSettings.objects.update(return_address="")
    page = secretary.get(f"{LIST}{acte.pk}/corriger/")
    assert "Aucune adresse de retour" in page.context["elsewhere"][0].sentence
    assert not page.context["form"].errors


def test_a_correction_that_settles_everything_leads_to_the_sending(secretary, commune, prepare, state):
    acte = prepare(commune, matiere="5.99", annexes=1)
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    files = [SimpleUploadedFile("plan.pdf", a_pdf("plan")), SimpleUploadedFile("devis.pdf", a_pdf("devis"))]
    answer = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, matiere="7.5", added=files))
    assert answer["Location"].endswith(f"{acte.pk}/transmettre/")
    with acting_for(commune):
        names = list(acte.pieces.order_by("rank").values_list("posted_filename", flat=True))
    assert names == ["annexe.pdf", "plan.pdf", "devis.pdf"]
    assert state.again(acte).matiere == "7.5"


def test_a_correction_that_leaves_something_stays_on_the_page(secretary, commune, prepare, state):
    acte = prepare(commune, matiere="5.7", annexes=1)
    with acting_for(commune):
        acte.pieces.update(code_pj="00_XX")
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    piece = form.pieces[0]
    refused = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, objet="Objet relu"))
    assert refused.status_code == 422, "the type that fell must be chosen"
    answer = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, **{f"type_{piece.pk}": "70_DE"}))
    assert answer.status_code == 302


def test_files_too_heavy_together_are_refused_before_any_is_kept(secretary, commune, prepare, monkeypatch):
    acte = prepare(commune, annexes=1)
    with acting_for(commune):
        present = acte.document.size + acte.pieces.get().document.size
        kept = Document.objects.count()
    monkeypatch.setattr(actes_forms, "MAX_ARCHIVE", present + 10)
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    added = SimpleUploadedFile("plan.pdf", a_pdf("plan"))
    page = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, added=[added]))
    total = present + added.size
    assert (
        page.context["form"].non_field_errors()[0].startswith(f"L’ensemble des fichiers {exceeds(total, present + 10)}")
    )
    with acting_for(commune):
        assert Document.objects.count() == kept


def test_a_refused_file_is_named_at_its_field_and_changes_nothing(secretary, commune, prepare, state):
    acte = prepare(commune)
    form = secretary.get(f"{LIST}{acte.pk}/corriger/").context["form"]
    wrong = SimpleUploadedFile("plan.pdf", b"MZ\x90\x00 not a pdf")
    answer = secretary.post(f"{LIST}{acte.pk}/corriger/", sent(form, objet="Autre", added=wrong))
    assert answer.status_code == 422
    assert "plan.pdf" in answer.context["form"].errors["added"][0]
    assert state.again(acte).objet == FACTS["objet"]


def test_a_sent_act_has_no_page_of_correction(secretary, commune, prepare, state):
    acte = state.transmit(prepare(commune))
    assert secretary.get(f"{LIST}{acte.pk}/corriger/").status_code == 302


def test_only_those_who_prepare_correct(agent_client, commune, prepare):
    acte = prepare(commune)
    for role in ("lecteur", "maire", "administrateur"):
        assert agent_client(commune, role).get(f"{LIST}{acte.pk}/corriger/").status_code == 403


def test_the_neighbour_s_act_is_missing(secretary, neighbour, prepare):
    acte = prepare(neighbour)
    assert secretary.get(f"{LIST}{acte.pk}/corriger/").status_code == 404
    assert secretary.post(f"{LIST}{acte.pk}/corriger/", {"objet": "x"}).status_code == 404


@pytest.mark.parametrize("address", ["", "transmettre/"])
def test_a_blocked_act_leads_to_its_correction(secretary, commune, prepare, address):
    acte = prepare(commune, matiere="5.99")
    secretary.get(f"{LIST}{acte.pk}/transmettre/")
    assert f"{acte.pk}/corriger/" in secretary.get(f"{LIST}{acte.pk}/{address}").content.decode()

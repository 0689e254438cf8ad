"""Letters of the préfecture: kept, shown, receipted, answered; the préfet's delay follows."""

from datetime import date
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.documents.services import read_bytes, store
from parvis.core.journal.actions import label_of
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes import forms as actes_forms
from parvis.edemat.actes.enums import InboundState, Status
from parvis.edemat.actes.formats.archives import read_archive
from parvis.edemat.actes.formats.outbound import build_letter_answer
from parvis.edemat.actes.legal_dates import Question, defere_delay
from parvis.edemat.actes.models import ActeSettings, InboundMessage, Transaction
from parvis.edemat.actes.schemas import schema_errors, schema_path
from parvis.edemat.actes.services import letters
from parvis.edemat.actes.services.letters import AnswerRefused
from parvis.edemat.actes.services.preparation import Annexe
from parvis.edemat.actes.services.transmission import refuse
from tests.edemat.actes.conftest import AGENT, a_pdf

LIST = "/o/juvignac/actes/"
IDENTIFIER = "034-213401235-20190701-19_07_01_05-DE"


@pytest.fixture
def receive(commune, prepare, state, run_jobs):
    """``receive("demande_pieces")`` -> the letter of the préfecture about an acknowledged act."""

    def make(scenario):
        state.scenario(scenario, count=1)
        acte = state.transmit(prepare(commune))
        state.poll()
        run_jobs(queue="actes")
        with acting_for(commune):
            return letters.letters_of(acte)[0]

    return make


def pieces(organisation, *names):
    return [Annexe(store(organisation, a_pdf(name), name), code_pj="99_DE") for name in names]


def fresh(letter) -> Transaction:
    with acting_for(letter.organisation_id):
        return Transaction.objects.select_related("organisation", "acte").get(pk=letter.pk)


def open_tasks(letter) -> list[str]:
    with acting_for(letter.organisation_id):
        return list(Task.objects.filter(subject_id=letter.pk, state="open").values_list("verb", flat=True))


# --- receiving --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scenario", "kind", "status", "verb", "text"),
    [
        ("courrier_simple", "2-1", Status.DOCUMENT_SANS_AR, "Lire", ""),
        ("demande_pieces", "3-1", Status.ACQUITTEMENT_ENVOYE, "Répondre", "rapport de présentation"),
        ("lettre_observations", "4-1", Status.ACQUITTEMENT_ENVOYE, "Répondre", "base légale"),
        ("defere", "5-1", Status.DOCUMENT_SANS_AR, "Lire", "incompétence"),
    ],
)
def test_a_letter_is_kept_with_its_files_and_receipted_when_it_must(receive, scenario, kind, status, verb, text):
    letter = receive(scenario)
    assert (letter.kind, letter.status, letter.letter_date) == (kind, status, date(2019, 7, 3))
    assert text in letter.letter_text
    (piece,) = letter.pieces.all()
    with acting_for(letter.organisation):
        assert read_bytes(piece.document).startswith(b"%PDF")
    assert open_tasks(letter) == [verb]


def test_the_history_says_what_came_whatever_its_gender(receive, commune):
    letter = receive("lettre_observations")
    with acting_for(commune):
        assert letter.events.order_by("id")[0].message == "Reçu de la préfecture : lettre d’observations."


def test_the_receipt_of_a_letter_leaves_alone_with_the_letter_s_date(receive, state):
    letter = receive("demande_pieces")
    assert len(state.sent) == 2
    content = (state.ministry.folder / "received" / state.sent[1]).read_bytes()
    with acting_for(letter.organisation):
        receipt = Transaction.objects.get(kind="3-2")
        assert (receipt.related_id, receipt.status) == (letter.pk, Status.TRANSMIS)
        assert content == read_bytes(receipt.archive)
    message = read_archive(BytesIO(content))[f"{IDENTIFIER}-3-2_0.xml"]
    assert b'actes:DateCourrierPref="2019-07-03"' in message


@pytest.fixture
def unreceipted(commune, prepare, state, run_jobs):
    """A request for pieces that came during a suspension: nobody told the préfecture that it is there."""
    state.scenario("demande_pieces", count=1)
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        ActeSettings.objects.update(suspended_since=date(2019, 7, 3))
    state.poll()
    run_jobs(queue="actes")
    with acting_for(commune):
        return letters.letters_of(acte)[0]


def test_no_receipt_leaves_during_a_suspension(commune, unreceipted, state):
    letter = unreceipted
    with acting_for(commune):
        assert (letter.status, letter.answers.count()) == (Status.DOCUMENT_RECU, 0)
    assert len(state.sent) == 1


def test_a_receipt_that_did_not_leave_is_given_by_a_person_once(unreceipted, agent_client, commune, state, run_jobs):
    client, here = agent_client(commune, "secretaire"), f"{LIST}courriers/{unreceipted.pk}/accuser/"
    assert "sur papier" in client.post(here, follow=True).content.decode()
    with acting_for(commune):
        ActeSettings.objects.update(suspended_since=None)
    page = client.get(f"{LIST}{unreceipted.acte_id}/").content.decode()
    assert here in page
    assert agent_client(commune, "lecteur").post(here).status_code == 403
    client.post(here)
    assert "déjà rendu, ou en route" in client.post(here, follow=True).content.decode()
    run_jobs(queue="actes")
    assert len(state.sent) == 2
    assert fresh(unreceipted).status == Status.ACQUITTEMENT_ENVOYE
    assert here not in client.get(f"{LIST}{unreceipted.acte_id}/").content.decode()


def test_a_refused_receipt_may_be_given_again(unreceipted, commune, state, run_jobs):
    with acting_for(commune):
        ActeSettings.objects.update(suspended_since=None)
        letters.give_receipt(unreceipted, actor=AGENT)
        first = Transaction.objects.get(kind="3-2")
        refuse(first, "Enveloppe invalide.", actor=AGENT)
        letters.give_receipt(unreceipted, actor=AGENT)
    run_jobs(queue="actes")
    assert fresh(unreceipted).status == Status.ACQUITTEMENT_ENVOYE


def test_a_letter_without_its_file_goes_to_the_basket(commune, prepare, state):
    from tests.edemat.actes.test_reception import attachments, with_attachments

    state.scenario("defere", count=1)
    state.transmit(prepare(commune))
    receipt, letter = state.mails()
    kept = {n: c for n, c in attachments(letter).items() if not n.endswith(".pdf")}
    state.poll([receipt, with_attachments(kept)])
    with acting_for(commune):
        assert InboundMessage.objects.filter(state=InboundState.BANETTE).count() == 1
        assert not Transaction.objects.filter(kind="5-1").exists()


# --- reading ----------------------------------------------------------------------------------------------
def test_reading_closes_the_task_to_read_and_leaves_that_to_answer(receive, commune):
    letter = receive("courrier_simple")
    with acting_for(commune):
        letters.mark_read(letter, actor=AGENT)
        letters.mark_read(letter, actor=AGENT)
        assert Entry.objects.filter(action="actes.courrier_lu").count() == 1
    assert open_tasks(letter) == []
    assert fresh(letter).read_at is not None


def test_a_question_keeps_its_task_until_it_is_answered_or_closed(receive, commune):
    letter = receive("lettre_observations")
    with acting_for(commune):
        letters.mark_read(letter, actor=AGENT)
    assert open_tasks(letter) == ["Répondre"]
    with acting_for(commune):
        letters.close_letter(letter, actor=AGENT)
    assert open_tasks(letter) == []


# --- answering --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scenario", "kind", "files", "received"),
    [
        ("demande_pieces", "3-4", ("rapport.pdf", "plan.pdf", "note.pdf"), True),
        ("demande_pieces", "3-3", ("refus.pdf",), True),
        ("lettre_observations", "4-4", ("réponse.pdf",), True),
        ("lettre_observations", "4-3", ("rejet.pdf",), True),
        ("courrier_simple", "2-2", ("réponse.pdf",), False),
    ],
)
def test_an_answer_leaves_and_its_receipt_comes(receive, commune, state, run_jobs, scenario, kind, files, received):
    letter = receive(scenario)
    with acting_for(commune):
        answer = letters.prepare_answer(letter, kind, pieces(commune, *files), actor=AGENT)
    run_jobs(queue="actes")
    before = len(state.sent)
    with acting_for(commune):
        letters.send_answer(answer, actor=AGENT)
        letters.send_answer(fresh(answer), actor=AGENT)
    run_jobs(queue="actes")
    assert len(state.sent) == before + 1
    assert open_tasks(letter) == []
    state.poll()
    answer = fresh(answer)
    assert answer.status == (Status.ACQUITTE if received else Status.TRANSMIS)
    assert answer.received_on == (date(2019, 7, 3) if received else None)


def test_the_answer_s_archive_names_its_pieces_by_type_and_rank(receive, commune, state, run_jobs):
    letter = receive("demande_pieces")
    with acting_for(commune):
        answer = letters.prepare_answer(letter, "3-4", pieces(commune, "a.pdf", "b.pdf"), actor=AGENT)
        letters.send_answer(answer, actor=AGENT)
    run_jobs(queue="actes")
    names = list(read_archive(BytesIO((state.ministry.folder / "received" / state.sent[-1]).read_bytes())))
    assert names[1:] == [
        f"{IDENTIFIER}-3-4_0.xml",
        f"99_DE-{IDENTIFIER}-3-4_1.pdf",
        f"99_DE-{IDENTIFIER}-3-4_2.pdf",
    ]


def test_the_act_itself_is_untouched_by_its_letters(receive, commune, state, run_jobs):
    letter = receive("demande_pieces")
    with acting_for(commune):
        answer = letters.prepare_answer(letter, "3-4", pieces(commune, "a.pdf"), actor=AGENT)
        letters.send_answer(answer, actor=AGENT)
    acte = fresh(letter).acte
    run_jobs(queue="actes")
    state.poll()
    again = state.again(acte)
    assert (again.status, again.sent_at) == (Status.ACQUITTE, acte.sent_at)


def test_the_receipt_twice_is_known_and_one_never_asked_goes_to_the_basket(receive, commune, state, run_jobs):
    letter = receive("demande_pieces")
    with acting_for(commune):
        answer = letters.prepare_answer(letter, "3-3", pieces(commune, "a.pdf"), actor=AGENT)
        letters.send_answer(answer, actor=AGENT)
    run_jobs(queue="actes")
    (raw,) = state.mails()
    assert state.poll([raw]).processed == 1
    assert state.poll([raw.replace(b"[SIMULATION]", b"[REPETITION]")]).basket == 0
    with acting_for(commune):
        Transaction.objects.filter(pk=answer.pk).update(attempts=0)
    assert state.poll([raw.replace(b"[SIMULATION]", b"[ENCORE]")]).basket == 1


@pytest.fixture
def two_answers(receive, commune, run_jobs):
    """``two_answers(day)`` -> the answers, both sent, to a letter of 3 July and to a second one of ``day``."""

    def make(day):
        first = receive("demande_pieces")
        answers = []
        with acting_for(commune):
            asked = {"actor": AGENT, "text": "encore", "files": [], "message": first.message}
            second = letters.keep_letter(first.related, "3-1", day=day, **asked)
            for letter in (first, second):
                answers.append(letters.prepare_answer(letter, "3-3", pieces(commune, "a.pdf"), actor=AGENT))
                letters.send_answer(answers[-1], actor=AGENT)
        run_jobs(queue="actes")
        return answers

    return make


def test_a_receipt_goes_to_the_answer_to_the_letter_that_it_dates(two_answers, state):
    first, second = two_answers(date(2019, 7, 2))
    of_the_first, of_the_second = state.mails()
    state.poll([of_the_first])
    assert (fresh(first).status, fresh(second).status) == (Status.ACQUITTE, Status.TRANSMIS)
    state.poll([of_the_second])
    assert fresh(second).status == Status.ACQUITTE


def test_a_receipt_that_fits_two_answers_goes_to_the_basket(two_answers, commune, state):
    answers = two_answers(date(2019, 7, 3))
    state.poll([state.mails()[0]])
    assert [fresh(answer).status for answer in answers] == [Status.TRANSMIS, Status.TRANSMIS]
    with acting_for(commune):
        assert "laquelle il concerne" in InboundMessage.objects.get(state=InboundState.BANETTE).error


def test_the_journal_says_which_exchange_it_is_about(receive, commune, run_jobs):
    receive("demande_pieces")
    with acting_for(commune):
        entry = Entry.objects.filter(action="actes.transmis").order_by("-seq").first()
    assert label_of(entry.action, entry.details) == "Transmis à la préfecture : Accusé de la demande de pièces"


@pytest.mark.parametrize(
    ("scenario", "kind", "names", "sentence"),
    [
        ("defere", "2-2", ("a.pdf",), "On ne répond pas ainsi"),
        ("demande_pieces", "4-4", ("a.pdf",), "On ne répond pas ainsi"),
        ("demande_pieces", "3-4", (), "Joignez au moins un fichier"),
        ("demande_pieces", "3-3", ("a.pdf", "b.pdf"), "qu’un fichier"),
    ],
)
def test_a_wrong_answer_is_refused(receive, commune, scenario, kind, names, sentence):
    letter = receive(scenario)
    with acting_for(commune), pytest.raises(AnswerRefused, match=sentence):
        letters.prepare_answer(letter, kind, pieces(commune, *names), actor=AGENT)


def test_an_unfit_file_is_named(receive, commune):
    letter = receive("lettre_observations")
    with acting_for(commune):
        wrong = [Annexe(store(commune, b"\x89PNG\r\n\x1a\n" + b"0" * 64, "scan.png"), code_pj="99_DE")]
        with pytest.raises(AnswerRefused, match=r"scan\.png"):
            letters.prepare_answer(letter, "4-4", wrong, actor=AGENT)


def test_one_answer_at_a_time_and_another_once_it_is_given_up(receive, commune):
    letter = receive("demande_pieces")
    with acting_for(commune):
        first = letters.prepare_answer(letter, "3-3", pieces(commune, "a.pdf"), actor=AGENT)
        with pytest.raises(AnswerRefused, match="déjà préparée"):
            letters.prepare_answer(fresh(letter), "3-4", pieces(commune, "b.pdf"), actor=AGENT)
        letters.drop_answer(first, actor=AGENT)
        letters.prepare_answer(fresh(letter), "3-4", pieces(commune, "b.pdf"), actor=AGENT)


def test_a_suspended_authority_answers_on_paper(receive, commune):
    letter = receive("demande_pieces")
    with acting_for(commune):
        answer = letters.prepare_answer(letter, "3-3", pieces(commune, "a.pdf"), actor=AGENT)
        ActeSettings.objects.update(suspended_since=date(2019, 7, 1))
        with pytest.raises(AnswerRefused, match="sur papier"):
            letters.send_answer(answer, actor=AGENT)


@pytest.mark.reference
@pytest.mark.parametrize("code", ["2-2", "3-2", "3-3", "3-4", "4-2", "4-3", "4-4"])
def test_answers_are_valid_against_the_official_schema(code, settings, shared_dir):
    settings.PARVIS_REFERENTIALS_DIR = shared_dir / "schemas"
    assert schema_path() is not None
    count = 0 if code in ("3-2", "4-2") else 2 if code == "3-4" else 1
    files = tuple(f"99_DE-{IDENTIFIER}-{code}_{n}.pdf" for n in range(1, count + 1))
    xml = build_letter_answer(code, IDENTIFIER, date(2019, 7, 3), files)
    assert schema_errors(xml) == []


# --- the préfet's delay -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("questions", "until", "restarts"),
    [
        ([], date(2019, 9, 4), False),
        ([Question(date(2019, 8, 1))], date(2019, 9, 4), True),
        ([Question(date(2019, 8, 1), date(2019, 8, 20))], date(2019, 10, 21), False),
        ([Question(date(2019, 9, 5), date(2019, 9, 20))], date(2019, 9, 4), False),
        ([Question(date(2019, 10, 1)), Question(date(2019, 8, 1), date(2019, 8, 20))], date(2019, 10, 21), True),
    ],
    ids=["no letter", "unanswered", "answered", "too late to matter", "a second one"],
)
def test_the_delay_of_the_defere_follows_the_answers(questions, until, restarts):
    delay = defere_delay(date(2019, 7, 3), questions)
    assert (delay.until, delay.restarts) == (until, restarts)


# --- the pages --------------------------------------------------------------------------------------------
def test_the_act_shows_its_letters_and_what_may_be_done(receive, agent_client, commune):
    letter = receive("demande_pieces")
    page = agent_client(commune, "secretaire").get(f"{LIST}{letter.acte_id}/").content.decode()
    assert "Courriers de la préfecture" in page
    assert "rapport de présentation" in page
    assert "deux mois après la réception de votre réponse" in page
    assert f"courriers/{letter.pk}/repondre/" in page
    reader = agent_client(commune, "lecteur").get(f"{LIST}{letter.acte_id}/").content.decode()
    assert "rapport de présentation" in reader
    assert "repondre/" not in reader


def test_an_answer_is_prepared_looked_at_and_sent(receive, agent_client, commune, state, run_jobs):
    letter = receive("demande_pieces")
    client = agent_client(commune, "secretaire")
    files = {"file_1": SimpleUploadedFile("rapport.pdf", a_pdf("rapport")), "type_1": "21_RP"}
    files |= {"file_2": SimpleUploadedFile("plan.pdf", a_pdf("plan")), "type_2": "99_DE"}
    answer = client.post(f"{LIST}courriers/{letter.pk}/repondre/", {"kind": "3-4"} | files)
    confirm = answer["Location"]
    page = client.get(confirm).content.decode()
    assert "rapport.pdf" in page
    assert "21_RP" in page
    before = len(state.sent)
    client.post(confirm)
    run_jobs(queue="actes")
    assert len(state.sent) == before + 1
    assert "ne peut plus être envoyée" in client.get(confirm).content.decode()


def test_a_refused_answer_keeps_the_form(receive, agent_client, commune):
    letter = receive("lettre_observations")
    client = agent_client(commune, "secretaire")
    wrong = SimpleUploadedFile("lettre.pdf", b"MZ\x90")
    answer = client.post(f"{LIST}courriers/{letter.pk}/repondre/", {"kind": "4-4", "file_1": wrong, "type_1": ""})
    assert answer.status_code == 422
    assert "lettre.pdf" in answer.content.decode()


def test_files_of_an_answer_too_heavy_together_are_refused(receive, agent_client, commune, monkeypatch):
    letter = receive("demande_pieces")
    files = {f"file_{n}": SimpleUploadedFile("plan.pdf", a_pdf("plan")) for n in (1, 2)}
    monkeypatch.setattr(actes_forms, "MAX_ARCHIVE", files["file_1"].size + 10)
    client = agent_client(commune, "secretaire")
    answer = client.post(f"{LIST}courriers/{letter.pk}/repondre/", {"kind": "3-4"} | files)
    assert "L’ensemble des fichiers" in answer.context["form"].non_field_errors()[0]


def test_the_neighbour_s_letter_is_missing(receive, agent_client, commune, neighbour):
    letter = receive("demande_pieces")
    client = agent_client(neighbour, "secretaire")
    for end in ("repondre/", "clore/"):
        assert client.get(f"/o/fabregues/actes/courriers/{letter.pk}/{end}").status_code == 404
    for end in ("lu/", "accuser/"):
        assert client.post(f"/o/fabregues/actes/courriers/{letter.pk}/{end}").status_code == 404

"""From the prepared act to the archive accepted by the State: built right, sent once, never lost."""

import io
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from lxml import etree

from parvis.core import clock
from parvis.core.documents.services import read_bytes, store
from parvis.core.errors import DomainError
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes.enums import Delivery, Status
from parvis.edemat.actes.formats.archives import read_archive
from parvis.edemat.actes.formats.checks import audit_archive
from parvis.edemat.actes.lifecycle import FOLLOWERS, TransitionRefused, move
from parvis.edemat.actes.models import Acte, ActeSettings, DailySerial, StatusEvent, Transaction
from parvis.edemat.actes.services import classification, transmission
from parvis.edemat.actes.services.preparation import (
    NotPrepared,
    NumberTaken,
    check_acte,
    emitter_of,
    prepare_acte,
    settings_of,
)
from parvis.edemat.actes.services.transmission import NotTransmissible, transmettre
from tests.edemat.actes.conftest import AGENT, FACTS, a_pdf

PREFIX = "034-213401235-20190701-19_07_01_05-DE-1-1"


def history(acte) -> list[int]:
    with acting_for(acte.organisation):
        return list(acte.transaction.events.values_list("status", flat=True))


def test_an_act_with_two_annexes_leaves_as_the_rules_say(commune, prepare, state, shared_dir):
    acte = state.transmit(prepare(commune, annexes=2))
    assert acte.status == Status.TRANSMIS
    assert acte.unique_id == "034-213401235-20190701-19_07_01_05-DE"
    assert acte.sent_at == clock.now()
    with acting_for(commune):
        sent = acte.transaction
        assert sent.envelope_name == "EACT--213401235--20190703-1.xml"
        assert sent.archive_name == "PAR-EACT--213401235--20190703-1.tar.gz"
        assert sent.archive.filename == sent.archive_name
        files = read_archive(io.BytesIO(read_bytes(sent.archive)))
        assert list(files) == [
            "EACT--213401235--20190703-1.xml",
            f"{PREFIX}_0.xml",
            f"99_DE-{PREFIX}_1.pdf",
            f"70_DE-{PREFIX}_2.pdf",
            f"70_DE-{PREFIX}_3.pdf",
        ]
        assert read_bytes(acte.document) == files[f"99_DE-{PREFIX}_1.pdf"]
        assert acte.posted_filename == "délibération n°5 (été).pdf"
        assert [p.regulatory_name for p in acte.pieces.all()] == [
            f"70_DE-{PREFIX}_2.pdf",
            f"70_DE-{PREFIX}_3.pdf",
        ]
        assert audit_archive(files, emitter_of(commune, settings_of(commune))) == []
    schema = etree.XMLSchema(etree.parse(str(shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd")))
    for name, xml in files.items():
        if name.endswith(".xml"):
            schema.assertValid(etree.fromstring(xml))
    assert history(acte) == [Status.POSTE, Status.EN_ATTENTE, Status.TRANSMIS]
    assert state.sent == ["PAR-EACT--213401235--20190703-1.tar.gz"]


def test_what_happened_is_in_the_journal(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        actions = list(
            Entry.objects.filter(subject_kind="acte", subject_id=str(acte.pk))
            .order_by("seq")
            .values_list("action", flat=True)
        )
    assert actions == [
        "actes.prepare",
        "actes.transmission_demandee",
        "actes.enveloppe_prete",
        "actes.envoi_commence",
        "actes.transmis",
    ]


def test_asking_twice_sends_once(commune, prepare, state, run_jobs):
    acte = prepare(commune)
    with acting_for(commune):
        first = transmettre(acte, actor=AGENT)
        assert transmettre(acte, actor=AGENT) == first
    run_jobs(queue="actes")
    with acting_for(commune):
        assert transmettre(acte, actor=AGENT) == first
        transmission.build_archive(first.pk)
    transmission.send_archive(commune, first.pk)
    assert len(state.sent) == 1


def test_serials_follow_each_other_and_start_again_each_day(commune, neighbour, prepare, state, later):
    state.transmit(prepare(commune, numero="A1"))
    state.transmit(prepare(commune, numero="A2"))
    state.transmit(prepare(neighbour, numero="A1"))
    later(days=1)
    state.transmit(prepare(commune, numero="A3"))
    assert [name.split("EACT--")[1] for name in state.sent] == [
        "213401235--20190703-1.tar.gz",
        "213401235--20190703-2.tar.gz",
        "213400955--20190703-1.tar.gz",
        "213401235--20190704-1.tar.gz",
    ]


def test_the_ten_thousandth_envelope_waits_for_tomorrow(commune, prepare, state, later):
    with acting_for(commune):
        DailySerial.objects.create(organisation=commune, day=date(2019, 7, 3), last=9999)
    acte = state.transmit(prepare(commune))
    assert (acte.status, state.sent) == (Status.POSTE, [])
    with acting_for(commune):
        assert "9999 enveloppes" in acte.transaction.delivery_message
        assert "9999 enveloppes" in Task.objects.get(subject_id=acte.pk, state="open").summary
    later(minutes=5)
    transmission.resume(commune)
    assert state.sent == []
    later(days=1)
    transmission.resume(commune)
    transmission.resume(commune)
    assert state.sent == ["PAR-EACT--213401235--20190704-1.tar.gz"]
    assert state.again(acte).status == Status.TRANSMIS


def test_a_trial_authority_sends_a_trial_envelope(commune, prepare, state):
    with acting_for(commune):
        chosen = settings_of(commune)
        chosen.test = True
        chosen.save()
    state.transmit(prepare(commune))
    assert state.sent == ["PAR-TACT--213401235--20190703-1.tar.gz"]


# --- refusals -------------------------------------------------------------------------------------
def test_an_act_that_fails_a_check_is_not_posted(commune, prepare, state):
    acte = prepare(commune, matiere="5.99")
    with acting_for(commune):
        with pytest.raises(NotTransmissible, match=r"5\.99 n’existe pas"):
            transmettre(acte, actor=AGENT)
        assert acte.transaction is None
        assert Acte.objects.get(pk=acte.pk).status == Status.A_POSTER


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"numero": "°°°"}, "1 à 15 caractères"),
        ({"objet": ""}, "vide"),
        ({"objet": "a\nb"}, "« a b »"),
        ({"nature": "8"}, "de 1 à 6"),
        ({"date": "hier"}, "date de décision"),
    ],
)
def test_what_describes_no_act_is_not_kept(commune, prepare, changes, error):
    with pytest.raises(DomainError, match=error):
        prepare(commune, **changes)
    with acting_for(commune):
        assert Acte.objects.count() == 0


def test_missing_facts_are_told(commune):
    with acting_for(commune):
        document = store(commune, a_pdf(), "a.pdf")
        with pytest.raises(NotPrepared):
            prepare_acte(commune, {"objet": "x"}, document, actor=AGENT)


def test_a_number_taken_is_refused_with_the_act_that_has_it(commune, neighbour, prepare):
    first = prepare(commune)
    with pytest.raises(NumberTaken) as refusal:
        prepare(commune, numero="19-07-01-05", objet="Une autre")
    assert refusal.value.holder == first
    prepare(neighbour)  # the same number next door is another act


def test_the_database_refuses_a_second_active_act_with_the_number(commune, prepare):
    first, second = prepare(commune, numero="A1"), prepare(commune, numero="A2")
    with acting_for(commune), pytest.raises(IntegrityError), transaction.atomic():
        Acte.objects.filter(pk=second.pk).update(numero_actes=first.numero_actes)


@pytest.mark.parametrize(
    "name",
    [
        "protege-proprietaire-sans-mot-de-passe",
        "chiffre-mot-de-passe-utilisateur",
        "renomme-pas-un-pdf",
        "tronque",
    ],
)
def test_an_unfit_pdf_is_refused_naming_the_file(commune, shared_dir, name):
    with acting_for(commune):
        content = (shared_dir / f"samples/seances/pdf/{name}.pdf").read_bytes()
        document = store(commune, content, f"{name}.pdf")
        acte = prepare_acte(commune, FACTS, document, actor=AGENT)
        with pytest.raises(NotTransmissible, match=name):
            transmettre(acte, actor=AGENT)


@pytest.mark.parametrize("name", ["ok-5p", "avec-signets-et-rotation", "octets-apres-eof", "avec-javascript"])
def test_a_readable_pdf_passes(commune, shared_dir, name):
    with acting_for(commune):
        document = store(commune, (shared_dir / f"samples/seances/pdf/{name}.pdf").read_bytes(), f"{name}.pdf")
        acte = prepare_acte(commune, FACTS, document, actor=AGENT)
        assert [f.sentence for f in check_acte(acte) if not f.ok] == []


def test_without_the_official_schema_nothing_leaves_outside_the_sandbox(commune, prepare, state, settings):
    acte = prepare(commune)
    settings.PARVIS_REFERENTIALS_DIR = None
    settings.DEMO = False
    acte = state.transmit(acte)
    assert (acte.status, state.sent) == (Status.ERREUR, [])
    with acting_for(commune):
        assert "schéma officiel ACTES n’est pas installé" in acte.transaction.events.last().message


def test_the_act_says_whether_the_official_schema_was_used(commune, prepare, state, settings, shared_dir):
    with_schema = state.transmit(prepare(commune, numero="A1"))
    settings.PARVIS_REFERENTIALS_DIR = None
    without = state.transmit(prepare(commune, numero="A2"))
    assert {c["ok"] for c in with_schema.checks if c["code"] == "schema"} == {True}
    told = [c for c in without.checks if c["code"] == "schema"]
    assert {(c["ok"], c["severity"]) for c in told} == {(False, "avertissement")}


def test_suspension_means_paper(commune, prepare):
    acte = prepare(commune)
    with acting_for(commune):
        chosen = settings_of(commune)
        chosen.suspended_since = clock.today()
        chosen.save()
        with pytest.raises(NotTransmissible, match="sur papier"):
            transmettre(acte, actor=AGENT)


def suspend(organisation, since: date | None) -> None:
    with acting_for(organisation):
        ActeSettings.objects.update(suspended_since=since)


def test_a_suspension_holds_back_what_was_asked_for_before_it(commune, prepare, state, run_jobs, later):
    acte = prepare(commune)
    with acting_for(commune):
        transmettre(acte, actor=AGENT)
    suspend(commune, clock.today())
    run_jobs(queue="actes")
    later(minutes=2)
    transmission.resume(commune)
    assert state.sent == []
    with acting_for(commune):
        waiting = acte.transaction
        assert (waiting.delivery, waiting.attempts) == (Delivery.PRETE, 0)
        assert "suspendue" in waiting.delivery_message
        assert Entry.objects.filter(action="actes.envoi_suspendu").count() == 1
        assert Task.objects.filter(subject_id=acte.pk, state="open", verb="Suivre").count() == 1
    suspend(commune, None)
    transmission.resume(commune)
    assert state.again(acte).status == Status.TRANSMIS


def test_no_classification_is_asked_for_during_a_suspension(commune):
    suspend(commune, clock.today())
    with acting_for(commune):
        with pytest.raises(classification.RequestSuspended, match="suspendue"):
            classification.request_classification(commune, actor=AGENT)
        assert not classification.request_if_newer(commune, date(2030, 1, 1), actor=AGENT)


# --- the line -------------------------------------------------------------------------------------
@pytest.mark.parametrize("scenario", ["http_500", "http_404"])
def test_a_closed_or_failing_line_is_tried_again_later_and_sends_once(commune, prepare, state, later, scenario):
    state.scenario(scenario, count=1)
    acte = state.transmit(prepare(commune))
    assert acte.status == Status.EN_ATTENTE
    with acting_for(commune):
        assert acte.transaction.delivery == Delivery.PRETE
    transmission.resume(commune)
    assert len(state.sent) == 1  # too early
    later(minutes=1)
    transmission.resume(commune)
    assert state.again(acte).status == Status.TRANSMIS
    later(hours=1)
    transmission.resume(commune)
    assert len(state.sent) == 2
    assert [r["outcome"] for r in state.ministry.register] == ["ar"]


def test_a_transmission_that_breaks_does_not_hold_back_the_others(commune, prepare, state, later, monkeypatch):
    state.scenario("http_500", count=2)
    first, second = state.transmit(prepare(commune, numero="A1")), state.transmit(prepare(commune, numero="A2"))
    with acting_for(commune):
        broken = first.transaction.pk
    send = transmission.send_archive

    def breaking(organisation, transaction_id):
        if transaction_id == broken:
            raise RuntimeError("unforeseen")
        send(organisation, transaction_id)

    monkeypatch.setattr(transmission, "send_archive", breaking)
    later(minutes=1)
    transmission.resume(commune)
    assert state.again(second).status == Status.TRANSMIS
    assert state.again(first).status == Status.EN_ATTENTE


def test_waits_grow_and_stay_under_half_an_hour():
    waits = [transmission.wait_after(n) for n in range(1, 12)]
    assert waits[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=30)


def test_a_lost_answer_is_uncertain_and_is_not_repeated(commune, prepare, state, later):
    state.scenario("coupure_sans_ar")
    acte = state.transmit(prepare(commune))
    assert acte.status == Status.EN_ATTENTE
    later(hours=10)
    for _ in range(3):
        transmission.resume(commune)
    assert len(state.sent) == 1
    with acting_for(commune):
        assert acte.transaction.delivery == Delivery.INCERTAINE
        assert Task.objects.get(subject_id=acte.pk, state="open", verb="Vérifier l’envoi")
        assert Transaction.objects.uncertain().count() == 1


def test_a_person_may_say_that_the_state_has_it(commune, prepare, state):
    state.scenario("coupure_sans_ar")
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        transmission.resolve_uncertain(acte.transaction, received=True, actor=AGENT)
        assert not Task.objects.filter(subject_id=acte.pk, state="open", verb="Vérifier l’envoi").exists()
        with pytest.raises(DomainError, match="n’est plus incertain"):
            transmission.resolve_uncertain(acte.transaction, received=False, actor=AGENT)
    assert state.again(acte).status == Status.TRANSMIS
    assert len(state.sent) == 1


def test_a_person_may_have_it_sent_again(commune, prepare, state, run_jobs):
    state.scenario("coupure_sans_ar", count=1)
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        transmission.resolve_uncertain(acte.transaction, received=False, actor=AGENT)
    run_jobs(queue="actes")
    assert len(state.sent) == 2
    assert state.again(acte).status == Status.TRANSMIS


def test_a_long_silence_asks_somebody_to_look(commune, prepare, state, later):
    state.scenario("silence")
    acte = state.transmit(prepare(commune))
    later(hours=3)
    transmission.resume(commune)
    with acting_for(commune):
        assert not Task.objects.filter(subject_id=acte.pk, state="open", verb="Suivre").exists()
    later(hours=2)
    transmission.resume(commune)
    transmission.resume(commune)
    with acting_for(commune):
        assert Task.objects.filter(subject_id=acte.pk, state="open", verb="Suivre").count() == 1
    assert state.again(acte).status == Status.TRANSMIS


# --- invariants -----------------------------------------------------------------------------------
def test_the_history_cannot_be_rewritten(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        event = StatusEvent.objects.filter(acte=acte).first()
        for rewrite in (
            lambda: event.delete(),
            lambda: StatusEvent.objects.filter(pk=event.pk).update(message="x"),
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                rewrite()


def test_no_status_goes_backwards():
    assert FOLLOWERS[Status.ANNULE] == FOLLOWERS[Status.DETRUIT] == frozenset()
    for status in (Status.ACQUITTE, Status.VALIDE, Status.ARCHIVE):
        assert not FOLLOWERS[status] & {Status.ERREUR, Status.TRANSMIS, Status.EN_ATTENTE, Status.POSTE}


def test_a_refused_transition_says_why(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with acting_for(commune), pytest.raises(TransitionRefused, match="« Transmis »"):
        move(acte.transaction, Status.VALIDE, "", actor=AGENT)


def test_a_neighbour_sees_nothing(commune, neighbour, prepare, state):
    acte = state.transmit(prepare(commune, annexes=1))
    with acting_for(neighbour):
        assert not Acte.objects.filter(pk=acte.pk).exists()
        assert not Transaction.objects.exists()
        assert not StatusEvent.objects.exists()


# --- classification -------------------------------------------------------------------------------
def test_without_classification_the_check_proposes_to_ask_for_it(juvignac, sent_at_ten, prepare):
    acte = prepare(juvignac)
    with acting_for(juvignac):
        check_acte(acte)
        refused = {c["code"]: c["sentence"] for c in Acte.objects.get(pk=acte.pk).checks if not c["ok"]}
    assert "demandez-la" in refused["classification"]
    assert "adresse de retour" in refused["emetteur"]


def test_the_classification_is_asked_for_once_a_day(commune, state, run_jobs, later):
    with acting_for(commune):
        classification.request_classification(commune, actor=AGENT)
        with pytest.raises(classification.RequestTooSoon, match="une demande par jour"):
            classification.request_classification(commune, actor=AGENT)
    run_jobs(queue="actes")
    assert state.sent == ["PAR-EACT--213401235--20190703-1.tar.gz"]
    later(days=1)
    with acting_for(commune):
        classification.request_classification(commune, actor=AGENT)

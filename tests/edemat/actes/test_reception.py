"""What each return of the State changes, and what it must never change."""

import io
import json
from datetime import date
from email import message_from_bytes, policy
from email.policy import default

import pytest

from parvis.core import clock
from parvis.core.documents.errors import DocumentInfected
from parvis.core.documents.services import read_bytes, store
from parvis.core.errors import DomainError
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.notifications.services import MessageNotSent
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.core.routing.registry import register_step
from parvis.core.routing.services import attach, complete_step, open_route, step_of
from parvis.edemat.actes.enums import Delivery, InboundOutcome, InboundState, Status
from parvis.edemat.actes.formats.archives import Member, write_archive
from parvis.edemat.actes.formats.inbound import parse_message
from parvis.edemat.actes.locking import lock_transaction
from parvis.edemat.actes.models import Acte, Classification, InboundMessage, Transaction
from parvis.edemat.actes.services import classification, reception, transmission
from parvis.edemat.actes.services.preparation import settings_of
from parvis_sandbox.ministry import returns
from tests.edemat.actes.conftest import AGENT, FACTS, Mails, a_pdf


def messages(organisation) -> list[InboundMessage]:
    with acting_for(organisation):
        return list(InboundMessage.objects.filter(organisation=organisation).order_by("id"))


def attachments(raw: bytes) -> dict[str, bytes]:
    mail = message_from_bytes(raw, policy=default)
    return {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}


def with_attachments(files: dict[str, bytes]) -> bytes:
    return returns.mail(
        ["a@parvis.test"],
        "retour",
        [returns.File(name, content) for name, content in files.items()],
        clock.now(),
    ).as_bytes()


# --- the receipt ----------------------------------------------------------------------------------
def test_a_receipt_acknowledges_the_act_and_is_kept_verbatim(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    report = state.poll([raw])
    assert (report.stored, report.processed, report.basket) == (1, 1, 0)
    acte = state.again(acte)
    assert acte.status == Status.ACQUITTE
    assert acte.received_on == date(2019, 7, 3)
    assert acte.unique_id == "034-213401235-20190701-19_07_01_05-DE"
    xml = next(content for name, content in attachments(raw).items() if "-1-2_" in name)
    with acting_for(commune):
        assert read_bytes(acte.transaction.ar) == xml
        (message,) = messages(commune)
        assert (message.state, message.outcome, message.root) == (
            InboundState.TRAITE,
            "acquittement",
            "ARActe",
        )
        assert read_bytes(message.raw) == raw
        assert message.remarks == []
        entry = Entry.objects.get(action="actes.acquitte")
        assert entry.sha256 == acte.transaction.ar.sha256


def test_the_same_mail_twice_changes_nothing_more(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    state.poll([raw])
    report = state.poll([raw])
    assert (report.stored, report.duplicates) == (0, 1)
    assert len(messages(commune)) == 1
    with acting_for(commune):
        assert acte.transaction.events.filter(status=Status.ACQUITTE).count() == 1


def test_a_second_receipt_of_the_act_is_filed_as_known(commune, prepare, state):
    state.scenario("ar_double")
    acte = state.transmit(prepare(commune))
    report = state.poll()
    assert (report.stored, report.processed, report.basket) == (2, 2, 0)
    assert [m.outcome for m in messages(commune)] == [InboundOutcome.ACQUITTEMENT, InboundOutcome.DOUBLON]
    with acting_for(commune):
        assert acte.transaction.events.filter(status=Status.ACQUITTE).count() == 1
        assert Entry.objects.filter(action="actes.message_doublon").count() == 1


def test_a_receipt_before_our_own_answer_is_recorded_counts(commune, prepare, state, monkeypatch, run_jobs):
    """The AR is read while the POST is still waiting for its HTTP answer."""
    from tests.edemat.actes.conftest import InProcess

    plain = InProcess.send

    def send_then_read(self, name, archive, size):
        answer = plain(self, name, archive, size)
        state.poll()
        return answer

    monkeypatch.setattr(InProcess, "send", send_then_read)
    acte = state.transmit(prepare(commune))
    assert acte.status == Status.ACQUITTE
    assert acte.sent_at is not None
    with acting_for(commune):
        sent = acte.transaction
        assert sent.delivery == Delivery.ACCEPTEE
        assert list(sent.events.values_list("status", flat=True)) == [1, 2, 4]
    assert len(state.sent) == 1


def test_a_receipt_lifts_the_uncertainty(commune, prepare, state):
    state.scenario("coupure")
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        assert acte.transaction.delivery == Delivery.INCERTAINE
    state.poll()
    acte = state.again(acte)
    assert acte.status == Status.ACQUITTE
    with acting_for(commune):
        assert acte.transaction.delivery == Delivery.ACCEPTEE
        assert acte.sent_at == acte.transaction.attempt_started_at
        assert not Task.objects.filter(subject_id=acte.pk, state="open").exists()


def test_a_receipt_after_a_closing_in_error_counts(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    with acting_for(commune):
        transmission.refuse(lock_transaction(acte.transaction.pk), "Fermée après trente jours.", actor=AGENT)
    assert state.again(acte).status == Status.ERREUR
    state.poll()
    assert state.again(acte).status == Status.ACQUITTE


@pytest.mark.parametrize(
    ("scenario", "remark"),
    [
        ("utf8_declare_latin1", "encodage déclaré ISO-8859-1, contenu en UTF-8"),
        ("schema_2004", "DocumentPapier absent (schéma de 2004)"),
    ],
)
def test_a_deviating_receipt_is_read_and_flagged(commune, prepare, state, scenario, remark):
    state.scenario(scenario)
    acte = state.transmit(prepare(commune, objet="Été à Juvignac"))
    state.poll()
    assert state.again(acte).status == Status.ACQUITTE
    assert remark in messages(commune)[0].remarks


def test_a_receipt_without_envelope_is_accepted_and_flagged(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    state.poll([with_attachments({n: c for n, c in attachments(raw).items() if "-1-2_" in n})])
    assert state.again(acte).status == Status.ACQUITTE
    assert messages(commune)[0].remarks == ["message reçu sans enveloppe"]


def test_a_return_packed_as_an_archive_is_opened(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    packed = io.BytesIO()
    write_archive(packed, [Member.of(n, c) for n, c in attachments(raw).items()], mtime=0)
    mail = with_attachments({"retour.tar.gz": packed.getvalue()})
    with acting_for(commune):
        reception.store_raw(commune, mail)
    reception.process_waiting()
    assert state.again(acte).status == Status.ACQUITTE


# --- the basket -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [("acte_inconnu", "Aucun acte transmis ne porte le numéro INCONNU1"), ("autre_siren", "SIREN 213499999")],
)
def test_a_return_for_somebody_else_goes_to_the_basket_and_moves_nothing(commune, prepare, state, scenario, sentence):
    state.scenario(scenario)
    acte = state.transmit(prepare(commune))
    report = state.poll()
    assert (report.processed, report.basket) == (0, 1)
    (message,) = messages(commune)
    assert sentence in message.error
    assert state.again(acte).status == Status.TRANSMIS
    with acting_for(commune):
        task = Task.objects.get(subject_id=message.pk)
        assert (task.permission, task.state) == ("actes.banette", "open")
        assert sentence in task.summary


def test_a_receipt_never_touches_the_neighbour(commune, neighbour, prepare, state):
    ours, theirs = state.transmit(prepare(commune)), state.transmit(prepare(neighbour))
    first, second = state.mails()
    state.poll([first])
    assert state.again(ours).status == Status.ACQUITTE
    assert state.again(theirs).status == Status.TRANSMIS
    state.poll([second])
    assert state.again(theirs).status == Status.ACQUITTE
    assert state.again(theirs).unique_id.startswith("034-213400955-")


def test_a_receipt_for_an_act_never_sent_goes_to_the_basket(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    with acting_for(commune):
        Transaction.objects.filter(acte=acte).update(attempts=0)
    state.poll([raw])
    assert messages(commune)[0].state == InboundState.BANETTE


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda name, xml: xml[:-30], "n’est pas un XML lisible"),
        (lambda name, xml: xml.replace(b"?>", b'?><!DOCTYPE a [<!ENTITY b "c">]>', 1), "DTD"),
        (lambda name, xml: xml.replace(b"ARActe", b"Surprise"), "n’est pas de ceux"),
        (lambda name, xml: xml.replace(b'IDActe="034', b'IDActe="34'), "identifiant d’acte mal formé"),
        (lambda name, xml: None, "manque dans le message"),
    ],
)
def test_an_unreadable_return_goes_to_the_basket(commune, prepare, state, break_it, sentence):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    files = {n: break_it(n, c) if "-1-2_" in n else c for n, c in attachments(raw).items()}
    state.poll([with_attachments({n: c for n, c in files.items() if c is not None})])
    (message,) = messages(commune)
    assert (message.state, message.outcome) == (InboundState.BANETTE, "")
    assert sentence in message.error
    assert state.again(acte).status == Status.TRANSMIS


def test_a_mail_of_the_basket_can_be_read_again_once_its_cause_is_mended(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    with acting_for(commune):
        Acte.objects.filter(pk=acte.pk).update(numero_actes="OTHER")
    state.poll([raw])
    (message,) = messages(commune)
    assert message.state == InboundState.BANETTE
    with acting_for(commune):
        Acte.objects.filter(pk=acte.pk).update(numero_actes="19_07_01_05")
        reception.replay(message, actor=AGENT)
        with pytest.raises(DomainError, match="n’est plus dans la banette"):
            reception.replay(message, actor=AGENT)
        assert not Task.objects.filter(subject_id=message.pk, state="open").exists()
    assert state.again(acte).status == Status.ACQUITTE


def test_an_unexpected_failure_is_tried_again_then_shown(commune, prepare, state, monkeypatch):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    monkeypatch.setattr(reception, "_read", lambda message: 1 / 0)
    with acting_for(commune):
        kept = reception.store_raw(commune, raw)
    with pytest.raises(ZeroDivisionError):
        reception.process(commune, kept.pk)
    for _ in range(2):
        assert reception.process_waiting() == []  # the pass itself goes on
    assert reception.process(commune, kept.pk) == InboundState.BANETTE
    assert "erreur imprévue" in messages(commune)[0].error
    assert state.again(acte).status == Status.TRANSMIS


def test_a_mail_for_nobody_known_goes_to_the_metropole_or_is_set_aside(commune, state, settings):
    spam = returns.mail(["a@parvis.test"], "publicité", [], clock.now()).as_bytes()
    box = Mails([spam])
    assert reception.poll(box).unsorted == 1
    assert box.aside == [spam]
    metropole = Organisation.objects.create(
        slug="metropole", name="Métropole", short_name="Métropole", siren="243400017", kind="metropole",
        departement="034", arrondissement="3", nature_actes="45", pref_id="PREF034",
    )  # fmt: skip
    assert reception.poll(Mails([spam])).stored == 1
    assert [m.outcome for m in messages(metropole)] == [InboundOutcome.INFORMATION]


def test_a_mail_without_xml_is_information(commune, prepare, state):
    state.scenario("sans_xml")
    acte = state.transmit(prepare(commune))
    information, receipt = state.mails()
    with acting_for(commune):
        reception.store_raw(commune, information)
    reception.process_waiting()
    assert [(m.state, m.outcome) for m in messages(commune)] == [(InboundState.TRAITE, InboundOutcome.INFORMATION)]
    state.poll([receipt])
    assert state.again(acte).status == Status.ACQUITTE


# --- anomalies ------------------------------------------------------------------------------------
def test_an_anomaly_puts_the_act_in_error_and_it_may_be_sent_again_with_its_number(commune, prepare, state):
    state.scenario("anomalie_002", count=1)
    acte = state.transmit(prepare(commune))
    state.poll()
    acte = state.again(acte)
    assert acte.status == Status.ERREUR
    with acting_for(commune):
        refused = acte.transaction
        assert refused.anomaly_code == "002"
        assert "ODT-VERIF-01" in refused.anomaly_detail
        assert Task.objects.get(subject_id=acte.pk, state="open", verb="Corriger")
    acte = state.transmit(acte)
    state.poll()
    assert state.again(acte).status == Status.ACQUITTE
    with acting_for(commune):
        assert acte.transactions.count() == 2
        assert not Task.objects.filter(subject_id=acte.pk, state="open", verb="Corriger").exists()
    assert len(set(state.sent)) == 2


def test_an_anomaly_on_an_acknowledged_act_goes_to_the_basket(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    (receipt,) = state.mails()
    state.scenario("anomalie_002")
    with acting_for(commune):
        archive = read_bytes(acte.transaction.archive)
        name = acte.transaction.archive_name
    state.ministry.receive(name, archive)
    (anomaly,) = state.mails()
    state.poll([receipt])
    state.poll([anomaly])
    assert state.again(acte).status == Status.ACQUITTE
    assert "rien n’a été modifié" in messages(commune)[1].error


@pytest.mark.parametrize(("scenario", "code"), [("anomalie_enveloppe", "003"), ("anomalie_enveloppe_999", "999")])
def test_an_envelope_anomaly_puts_its_transmission_in_error(commune, prepare, state, scenario, code):
    other = state.transmit(prepare(commune, numero="AUTRE"))
    state.mails()
    state.scenario(scenario)
    acte = state.transmit(prepare(commune))
    state.poll()
    assert state.again(acte).status == Status.ERREUR
    assert state.again(other).status == Status.TRANSMIS
    with acting_for(commune):
        assert acte.transaction.anomaly_code == code


def test_an_anomaly_after_a_lost_answer_counts(commune, prepare, state):
    state.scenario("coupure")
    acte = state.transmit(prepare(commune))
    state.mails()
    state.scenario("anomalie_002")
    with acting_for(commune):
        archive, name = read_bytes(acte.transaction.archive), acte.transaction.archive_name
    state.ministry.receive(name, archive)
    state.poll()
    assert state.again(acte).status == Status.ERREUR


# --- letters and classification -------------------------------------------------------------------
def test_a_letter_is_attached_to_its_act_once(commune, prepare, state):
    state.scenario("courrier_simple")
    acte = state.transmit(prepare(commune))
    receipt, letter = state.mails()
    state.poll([receipt])
    state.poll([letter])
    again = with_attachments(attachments(letter))
    state.poll([again])
    with acting_for(commune):
        (kept,) = Transaction.objects.filter(acte=acte, kind="2-1")
        assert (kept.status, kept.related) == (Status.DOCUMENT_SANS_AR, acte.transactions.get(kind="1-1"))
        assert Task.objects.filter(subject_id=kept.pk, verb="Lire").count() == 1
    assert [m.outcome for m in messages(commune)][1:] == [InboundOutcome.COURRIER, InboundOutcome.DOUBLON]
    assert state.again(acte).status == Status.ACQUITTE


def test_a_new_classification_replaces_ours_and_leaves_the_neighbour_s(commune, neighbour, state, run_jobs):
    state.ministry.control({"classification_date": "2019-06-30"})
    with acting_for(commune):
        asked = classification.request_classification(commune, actor=AGENT)
    run_jobs(queue="actes")
    (raw,) = state.mails()
    state.poll([raw])
    with acting_for(commune):
        assert Classification.objects.get(current=True).date == date(2019, 6, 30)
        assert Classification.objects.count() == 2
        xml = next(content for name, content in attachments(raw).items() if "7-2" in name)
        assert read_bytes(Classification.objects.get(current=True).document) == xml
        assert Transaction.objects.get(pk=asked.pk).status == Status.ACQUITTE
    with acting_for(neighbour):
        assert Classification.objects.get(current=True).date == date(2019, 4, 18)


def test_an_unchanged_classification_is_only_verified(commune, state, run_jobs, later):
    later(days=2)
    with acting_for(commune):
        classification.request_classification(commune, actor=AGENT)
    run_jobs(queue="actes")
    state.poll()
    with acting_for(commune):
        (ours,) = Classification.objects.all()
        assert ours.verified_on == date(2019, 7, 5)


def test_a_receipt_that_tells_a_newer_classification_asks_for_it(commune, prepare, state, run_jobs):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    newer = {n: c.replace(b"EnCours>2019-04-18", b"EnCours>2019-07-02") for n, c in attachments(raw).items()}
    state.poll([with_attachments(newer)])
    assert state.again(acte).status == Status.ACQUITTE
    with acting_for(commune):
        assert Transaction.objects.filter(kind="7-1").count() == 1


def test_real_samples_reach_the_verdict_they_must(commune, state, shared_dir):
    """Messages for authorities unknown here: each is understood, none changes anything."""
    samples = shared_dir / "samples/actes"
    files = sorted([*samples.glob("messages/*.xml"), *samples.glob("invalid/*.xml")])
    assert len(files) > 8
    for path in files:
        with acting_for(commune):
            kept = reception.store_raw(commune, with_attachments({path.name: path.read_bytes()}))
        state_reached = reception.process(commune, kept.pk)
        expected = InboundState.TRAITE if path.name.startswith("classification") else InboundState.BANETTE
        assert state_reached == expected, path.name


# --- the route ------------------------------------------------------------------------------------
@pytest.fixture
def route(commune):
    """A deliberation's route standing at « À transmettre », its next steps being those of a test."""
    from parvis.core.routing import registry

    if "essai.suite" not in registry.registered_codes():

        @register_step
        class Following:
            code, label, done_label = "essai.suite", "Suite", "Suivie"

            def start(self, step):
                return

    with acting_for(commune):
        opened = open_route(
            commune,
            kind="deliberation",
            title=FACTS["objet"],
            reference=FACTS["numero"],
            step_codes=["essai.suite", "actes.transmission", "actes.acquittement"],
            facts={"acte": FACTS},
            actor=AGENT,
        )
        document = store(commune, a_pdf(), "délibération.pdf")
        attach(opened, "signe", document, "Délibération signée")
        attach(opened, "annexe", store(commune, a_pdf("annexe"), "convention.pdf"), "Convention")
        complete_step(step_of(opened, "essai.suite"), summary="", actor=AGENT)
        return opened


def states(route) -> dict[str, str]:
    with acting_for(route.organisation):
        return dict(RouteStep.objects.filter(route=route).values_list("code", "state"))


def test_the_route_prepares_the_act_and_asks_for_its_transmission(commune, route):
    with acting_for(commune):
        acte = Acte.objects.get(route=route)
        assert (acte.numero_actes, acte.matiere, acte.type_piece) == ("19_07_01_05", "5.7", "99_DE")
        assert acte.pieces.get().posted_filename == "convention.pdf"
        task = Task.objects.get(subject_id=acte.pk, state="open")
        assert (task.verb, task.permission, task.path) == (
            "Transmettre",
            "actes.transmettre",
            f"/o/juvignac/actes/{acte.pk}/",
        )


def test_the_route_goes_on_with_the_archive_then_with_the_receipt(commune, route, state):
    with acting_for(commune):
        acte = Acte.objects.get(route=route)
    state.transmit(acte)
    assert (states(route)["actes.transmission"], states(route)["actes.acquittement"]) == ("done", "current")
    state.poll()
    assert states(route)["actes.acquittement"] == "done"
    with acting_for(commune):
        told = Route.objects.get(pk=route.pk)
        assert told.facts["transmission"] == {
            "enveloppe": "EACT--213401235--20190703-1.xml",
            "sent_at": "2019-07-03T10:04:00+02:00",
            "id_acte": "034-213401235-20190701-19_07_01_05-DE",
        }
        assert told.facts["ar"] == {
            "id_acte": "034-213401235-20190701-19_07_01_05-DE",
            "date_reception": "2019-07-03",
        }
        assert json.dumps(told.facts)
        acte = Acte.objects.get(route=route)
        assert told.document("enveloppe") == acte.transaction.archive
        assert told.document("ar") == acte.transaction.ar
        assert parse_message(read_bytes(told.document("ar"))).root == "ARActe"
        assert told.document("acte_xml") == acte.transaction.message
        assert not Task.objects.filter(subject_id=acte.pk, state="open").exists()


def test_an_anomaly_stops_the_route_and_a_new_sending_takes_it_up(commune, route, state):
    state.scenario("anomalie_002", count=1)
    with acting_for(commune):
        acte = Acte.objects.get(route=route)
    state.transmit(acte)
    state.poll()
    assert states(route)["actes.acquittement"] == "failed"
    state.transmit(state.again(acte))
    assert states(route)["actes.acquittement"] == "current"
    state.poll()
    assert states(route)["actes.acquittement"] == "done"


def test_a_failed_building_stops_the_route_and_a_new_sending_takes_it_up(commune, route, state, monkeypatch):
    with acting_for(commune):
        acte = Acte.objects.get(route=route)

    def broken(*_):
        raise DomainError("essai de panne.")

    with monkeypatch.context() as broken_building:
        broken_building.setattr(transmission, "_judge", broken)
        state.transmit(acte)
    assert states(route)["actes.transmission"] == "failed"
    assert state.again(acte).status == Status.ERREUR
    state.transmit(state.again(acte))
    assert states(route)["actes.transmission"] == "done"
    with acting_for(commune):
        assert Acte.objects.filter(route=route).count() == 1


def test_a_route_without_document_fails_with_the_reason(commune, route):
    with acting_for(commune):
        bare = open_route(
            commune, kind="deliberation", title="x", reference="1", step_codes=["actes.transmission"],
            facts={"acte": FACTS}, actor=Actor("system"),
        )  # fmt: skip
        step = step_of(bare, "actes.transmission")
        assert step.state == RouteStep.State.FAILED
        assert "aucun document" in step.summary


def test_the_addresses_to_warn_receive_the_receipt(commune, prepare, state, run_jobs, mailoutbox):
    with acting_for(commune):
        chosen = settings_of(commune)
        chosen.notified_addresses = ["dgs@juvignac.test"]
        chosen.save()
    acte = state.transmit(prepare(commune))
    state.poll()
    run_jobs(queue="actes")
    (mail,) = mailoutbox
    assert mail.to == ["dgs@juvignac.test"]
    assert "acte 19.07.01.05" in mail.subject
    with acting_for(commune):
        assert mail.attachments == [("19_07_01_05-ar-actes.xml", read_bytes(acte.transaction.ar), "application/xml")]


def test_an_address_that_fails_is_tried_again_alone(commune, prepare, state, monkeypatch):
    from parvis.edemat.actes import tasks

    asked: list[dict] = []
    monkeypatch.setattr(tasks.send_acknowledgement, "enqueue", lambda organisation, **spec: asked.append(spec))
    with acting_for(commune):
        chosen = settings_of(commune)
        chosen.notified_addresses = ["dgs@juvignac.test", "maire@juvignac.test"]
        chosen.save()
    acte = state.transmit(prepare(commune))
    state.poll()
    tasks.notify_acknowledgement(commune.pk, acte_id=str(acte.pk))
    assert len({spec["recipient"] for spec in asked}) == 2
    assert "juvignac.test" not in str(asked), "the queue holds no address"
    reached: list[str] = []

    def send(organisation, address, *_, **__):
        if address == "dgs@juvignac.test" and not reached:
            raise MessageNotSent("Relais injoignable.")
        reached.append(address)

    monkeypatch.setattr(tasks, "send", send)
    first, second = asked
    with pytest.raises(MessageNotSent):
        tasks.send_acknowledgement(commune.pk, **first)
    tasks.send_acknowledgement(commune.pk, **second)
    tasks.send_acknowledgement(commune.pk, **first)
    assert reached == ["maire@juvignac.test", "dgs@juvignac.test"]
    with acting_for(commune):
        chosen.notified_addresses = []
        chosen.save()
    tasks.send_acknowledgement(commune.pk, **first)
    assert len(reached) == 2, "an address no longer chosen receives nothing"


def test_many_returns_are_read_in_one_pass(commune, prepare, state):
    actes = [state.transmit(prepare(commune, numero=f"A{n}")) for n in range(25)]
    report = state.poll()
    assert (report.stored, report.processed, report.basket) == (25, 25, 0)
    assert {state.again(acte).status for acte in actes} == {Status.ACQUITTE}


# --- what must not stop the others ----------------------------------------------------------------
def test_a_mail_that_the_antivirus_refuses_is_set_aside_and_the_next_is_read(commune, prepare, state, monkeypatch):
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    infected = with_attachments({"virus.exe": b"EICAR"})
    plain = reception.store

    def scanned(organisation, content, *arguments, **options):
        if content == infected:
            raise DocumentInfected("Un programme malveillant a été reconnu.")
        return plain(organisation, content, *arguments, **options)

    monkeypatch.setattr(reception, "store", scanned)
    report = state.poll([infected, raw])
    assert (report.unsorted, report.stored) == (1, 1)
    assert state.again(acte).status == Status.ACQUITTE


def test_an_infected_mail_is_kept_aside_and_the_administration_told(commune, prepare, clamd, state):
    state.transmit(prepare(commune))
    mail = message_from_bytes(state.mails()[0], policy=policy.SMTP)
    mail.add_attachment("un virus", filename="virus.exe")
    report = state.poll([mail.as_bytes()])
    assert (report.unsorted, report.stored) == (1, 0)
    with acting_for(commune):
        task = Task.objects.get(subject_kind="fichier_infecte")
        assert "Message brut de l’État" in task.title
        assert Entry.objects.filter(action="documents.virus").count() == 1


def test_archives_of_one_mail_share_the_bound_of_what_is_opened(monkeypatch):
    monkeypatch.setattr(reception, "MAX_EXPANDED", 1500)
    packed = []
    for name in ("a.xml", "b.xml"):
        target = io.BytesIO()
        write_archive(target, [Member.of(name, b"0" * 1000)], mtime=0)
        packed.append(target.getvalue())
    assert list(reception.files_of(with_attachments({"1.tar.gz": packed[0]}))) == ["a.xml"]
    with pytest.raises(reception.ToBasket, match="démesuré"):
        reception.files_of(with_attachments({"1.tar.gz": packed[0], "2.tar.gz": packed[1]}))

"""The simulated ministry through its real protocols: what it accepts, refuses, and answers by e-mail."""

import io
import json
import time
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from urllib.request import Request, urlopen

import pytest
import requests
from lxml import etree

from parvis.edemat.actes.formats import inbound
from parvis.edemat.actes.formats.archives import Member, write_archive
from parvis.edemat.actes.formats.emitters import Emitter
from parvis.edemat.actes.formats.inbound import parse_message
from parvis.edemat.actes.formats.matieres import Matiere
from parvis.edemat.actes.formats.names import EnvelopeName, IdActe, message_name, piece_name
from parvis.edemat.actes.formats.numbers import ActeNumber
from parvis.edemat.actes.formats.outbound import (
    ActeMessage,
    build_acte,
    build_classification_request,
    build_envelope,
)
from parvis_sandbox import mail, ministry, pki

MAILBOX = "retours-actes@parvis.test"
EMITTER = Emitter("213401235", "034", "3", "31", (MAILBOX,))


class Clock:
    def __init__(self):
        self.instant = datetime(2019, 7, 3, 22, 30, tzinfo=UTC)  # 4 July in Paris

    def __call__(self):
        return self.instant


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("sandbox"), Clock()
    trust = pki.start(folder, clock)
    post = mail.start(folder, clock)
    state = ministry.start(folder, clock, pki=trust, smtp=("127.0.0.1", post.smtp_port))
    yield trust, post, state, clock, trust.issue_tls_client("Parvis (essai)")
    for service in (state, post, trust):
        service.stop()


def archive(
    number="A1", serial=1, objet="Convention", classification=date(2019, 4, 18), **changes
) -> tuple[str, bytes]:
    envelope = EnvelopeName("213401235", date(2019, 7, 4), serial)
    acte = IdActe("034", "213401235", date(2019, 7, 1), number, "DE")
    document = piece_name(acte, "99_DE", 1, "pdf")
    message = ActeMessage(
        ActeNumber(number), "1", objet, date(2019, 7, 1), Matiere.parse("5.7"), classification, document
    )
    files = {
        str(envelope): build_envelope(EMITTER, (message_name(acte),)),
        message_name(acte): build_acte(message),
        document: b"%PDF-1.7 deliberation",
    } | changes
    target = io.BytesIO()
    write_archive(target, [Member.of(n, c) for n, c in files.items() if c is not None], mtime=0)
    return envelope.archive("PAR"), target.getvalue()


def post_archive(world, name: str, content: bytes, **options):
    trust, _, state, _, client = world
    options.setdefault("cert", (client.certificate, client.key))
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            state.url, files={"enveloppe": (name, content)}, verify=str(trust.ca_bundle), timeout=5, **options
        )


def order(world, **what):
    body = json.dumps(what).encode()
    return json.loads(urlopen(Request(f"{world[2].control_url}/__scenario", body)).read())


def returned(world, count: int, seconds: float = 5) -> list[dict[str, bytes]]:
    """Attachments of the ``count`` next mails, by name."""
    post, deadline = world[1], time.monotonic() + seconds
    while len(post.messages(MAILBOX)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    mails = [message_from_bytes(raw, policy=default) for raw in post.messages(MAILBOX)]
    folder = post.store.folder(MAILBOX)
    with post.store.lock:
        for message in list(folder.messages):
            folder.remove(message)
    assert len(mails) == count
    return [{p.get_filename(): p.get_payload(decode=True) for p in m.iter_attachments()} for m in mails]


def business(files: dict[str, bytes]):
    """The business message of a mail, once its envelope has been found to list it."""
    envelopes = [parse_message(c) for n, c in files.items() if "ACT--SPREF" in n]
    assert len(envelopes) == 1
    assert envelopes[0].formulaires[0] in files
    return parse_message(files[envelopes[0].formulaires[0]])


def test_without_a_client_certificate_the_door_stays_shut(world):
    with pytest.raises(requests.exceptions.ConnectionError):
        post_archive(world, *archive(), cert=None)


def test_an_act_is_acknowledged_by_mail_on_the_day_in_paris(world, shared_dir):
    assert post_archive(world, *archive("A1", 1)).status_code == 200
    (files,) = returned(world, 1)
    assert any(name.startswith("EACT--SPREF0343-213401235-") for name in files)
    ar = business(files)
    assert isinstance(ar, inbound.ArActe)
    assert str(ar.id_acte) == "034-213401235-20190701-A1-DE"
    assert ar.reception == date(2019, 7, 4)
    assert ar.remarks == ()
    schema = etree.XMLSchema(etree.parse(str(shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd")))
    for content in files.values():
        schema.assertValid(etree.fromstring(content))


def test_the_same_act_is_not_taken_twice(world):
    post_archive(world, *archive("TWICE", 2))
    post_archive(world, *archive("TWICE", 3))
    first, second = returned(world, 2)
    assert isinstance(business(first), inbound.ArActe)
    assert isinstance(business(second), inbound.AnomalieActe)


def test_an_outdated_classification_is_refused(world):
    post_archive(world, *archive("OLD", 4, classification=date(2017, 1, 1)))
    (files,) = returned(world, 1)
    anomaly = business(files)
    assert (anomaly.nature, anomaly.acte.numero) == ("002", "OLD")
    assert anomaly.classification_en_cours == date(2019, 4, 18)


DOCUMENT = "99_DE-034-213401235-20190701-A1-DE-1-1_1.pdf"


@pytest.mark.parametrize(("changes", "nature"), [({DOCUMENT: None}, "004"), ({"surprise.pdf": b"%PDF"}, "005")])
def test_an_incomplete_or_padded_archive_refuses_the_envelope(world, changes, nature):
    post_archive(world, *archive("A1", 5, **changes))
    (files,) = returned(world, 1)
    anomaly = parse_message(files["ANO_EACT--213401235--20190704-5.xml"])
    assert (anomaly.nature, anomaly.siren) == (nature, "213401235")
    assert anomaly.formulaires == ("034-213401235-20190701-A1-DE-1-1_0.xml",)


def test_what_is_not_an_archive_is_refused_at_the_door(world):
    assert post_archive(world, "PAR-EACT--213401235--20190704-6.tar.gz", b"no archive").status_code == 400
    assert post_archive(world, "wrong-name.tar.gz", archive()[1]).status_code == 400
    assert returned(world, 0) == []


@pytest.mark.parametrize(("scenario", "status"), [("http_500", 500), ("http_404", 404)])
def test_a_failing_door_takes_nothing(world, scenario, status):
    order(world, scenario=scenario, count=1)
    name, content = archive(scenario.upper(), 7)
    assert post_archive(world, name, content).status_code == status
    assert post_archive(world, name, content).status_code == 200
    assert isinstance(business(returned(world, 1)[0]), inbound.ArActe)


def test_an_answer_may_be_lost_after_acceptance(world):
    with pytest.raises(requests.exceptions.ConnectionError):
        post_archive(world, *archive("LOST", 8, objet="Essai [scenario:coupure]"))
    assert isinstance(business(returned(world, 1)[0]), inbound.ArActe)


def test_a_receipt_may_be_held_back_and_released(world):
    with pytest.raises(requests.exceptions.ConnectionError):
        post_archive(world, *archive("HELD", 9, objet="[scenario:coupure_sans_ar]"))
    assert returned(world, 0) == []
    assert order(world, release=True)["mails_held"] == 0
    assert isinstance(business(returned(world, 1)[0]), inbound.ArActe)


def test_the_receipt_may_come_before_the_answer(world):
    order(world, hold_seconds=0.2)
    started = time.monotonic()
    post_archive(world, *archive("EARLY", 10, objet="[scenario:ar_avant_reponse]"))
    assert time.monotonic() - started >= 0.2
    assert len(returned(world, 1, seconds=0)) == 1  # it was there when the answer came


def test_a_late_receipt_waits_for_the_clock(world):
    post_archive(world, *archive("LATE", 11, objet="[scenario:ar_tardif]"))
    assert world[2].platform.state()["mails_waiting"] == 1
    world[3].instant += timedelta(hours=5)
    assert len(returned(world, 1)) == 1
    world[3].instant -= timedelta(hours=5)


def test_two_receipts_carry_the_same_act(world):
    post_archive(world, *archive("DOUBLE", 12, objet="[scenario:ar_double]"))
    first, second = (business(files) for files in returned(world, 2))
    assert first.id_acte == second.id_acte


def test_other_scenarios_send_what_they_say(world):
    post_archive(world, *archive("UTF", 13, objet="été [scenario:utf8_declare_latin1]"))
    ar = business(returned(world, 1)[0])
    assert (ar.acte.objet[:3], ar.remarks) == ("été", ("encodage déclaré ISO-8859-1, contenu en UTF-8",))
    post_archive(world, *archive("OLDXSD", 14, objet="[scenario:schema_2004]"))
    assert business(returned(world, 1)[0]).remarks == ("DocumentPapier absent (schéma de 2004)",)
    post_archive(world, *archive("WHO", 15, objet="[scenario:acte_inconnu]"))
    assert business(returned(world, 1)[0]).id_acte.numero == "INCONNU1"
    post_archive(world, *archive("OTHER", 16, objet="[scenario:autre_siren]"))
    assert business(returned(world, 1)[0]).id_acte.siren == "213499999"
    post_archive(world, *archive("NOXML", 17, objet="[scenario:sans_xml]"))
    assert [len(files) for files in returned(world, 2)] == [0, 2]
    post_archive(world, *archive("LETTER", 18, objet="[scenario:courrier_simple]"))
    assert business(returned(world, 2)[1]).code == "2-1"
    post_archive(world, *archive("REFUSED", 19, objet="[scenario:anomalie_enveloppe_999]"))
    (name,) = returned(world, 1)[0]
    assert name == "ANO_EACT--213401235--20190704-19.xml"


def test_the_classification_is_given_and_confirmed(world, shared_dir):
    def ask(serial: int, ours: date | None) -> dict[str, bytes]:
        envelope = EnvelopeName("213401235", date(2019, 7, 4), serial)
        form = "034-213401235----7-1_0.xml"
        target = io.BytesIO()
        members = [
            Member.of(str(envelope), build_envelope(EMITTER, (form,))),
            Member.of(form, build_classification_request(ours)),
        ]
        write_archive(target, members, mtime=0)
        assert post_archive(world, envelope.archive("PAR"), target.getvalue()).status_code == 200
        return returned(world, 1)[0]

    files = ask(20, None)
    schema = etree.XMLSchema(etree.parse(str(shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd")))
    for content in files.values():
        schema.assertValid(etree.fromstring(content))
    given = business(files)
    assert isinstance(given, inbound.RetourClassification)
    assert (given.date, len(given.matieres), len(given.natures)) == (date(2019, 4, 18), 66, 6)
    assert {m.code: m.label for m in given.matieres}["5.7"] == "Intercommunalité"
    assert isinstance(business(ask(21, given.date)), inbound.ClassificationInchangee)


def test_the_desk_shows_the_register_and_refuses_an_unknown_scenario(world):
    state = json.loads(urlopen(f"{world[2].control_url}/__state").read())
    assert {"posts", "received"} <= set(state)
    assert "Bac à sable" in urlopen(world[2].control_url).read().decode()
    with pytest.raises(Exception, match="400"):
        order(world, scenario="inventé")

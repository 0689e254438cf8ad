"""Returns are read only from the senders that the operator allows and, when asked, that its relay verified."""

from email import message_from_bytes

import pytest

from parvis.core.errors import DomainError
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes.checks import senders_of_returns
from parvis.edemat.actes.enums import InboundState, Status
from parvis.edemat.actes.models import InboundMessage
from parvis.edemat.actes.services import reception
from tests.edemat.actes.conftest import AGENT

OURS, DOMAIN = "mx.parvis.test", "interieur.test"


@pytest.fixture
def answered(commune, prepare, state):
    """An act that the State acknowledges, and the acknowledgement."""
    acte = state.transmit(prepare(commune))
    (raw,) = state.mails()
    return acte, raw


def with_header(raw: bytes, name: str, value: str) -> bytes:
    return f"{name}: {value}\n".encode() + raw


def from_another(raw: bytes, sender: str) -> bytes:
    mail = message_from_bytes(raw)
    mail.replace_header("From", sender)
    return mail.as_bytes()


def only_message(organisation) -> InboundMessage:
    with acting_for(organisation):
        return InboundMessage.objects.get()


@pytest.mark.parametrize(
    "sender",
    [
        "voleur@ailleurs.test",
        '"actes-bac-a-sable@interieur.test" <voleur@ailleurs.test>',
        "actes-bac-a-sable@interieur.test.ailleurs.test",
    ],
)
def test_the_receipt_of_another_sender_waits_and_touches_nothing(commune, answered, state, sender):
    acte, raw = answered
    report = state.poll([from_another(raw, sender)])
    assert (report.processed, report.basket) == (0, 1)
    assert state.again(acte).status == Status.TRANSMIS
    message = only_message(commune)
    assert "L’expéditeur de ce message n’est pas" in message.error
    with acting_for(commune):
        task = Task.objects.get(subject_id=message.pk)
        assert (task.permission, task.state) == ("actes.banette", "open")
        assert not Entry.objects.filter(action="actes.acquitte").exists()


def test_without_any_allowed_sender_nothing_is_read(commune, answered, state, settings):
    settings.PARVIS_ACTES_SENDERS = []
    acte, raw = answered
    state.poll([raw])
    assert state.again(acte).status == Status.TRANSMIS


def test_a_whole_domain_may_be_allowed(commune, answered, state, settings):
    settings.PARVIS_ACTES_SENDERS = [f"@{DOMAIN}"]
    acte, raw = answered
    state.poll([raw])
    assert state.again(acte).status == Status.ACQUITTE


@pytest.mark.parametrize(
    "results",
    [
        None,
        f"mx.ailleurs.test; dkim=pass header.d={DOMAIN}",
        f"{OURS}; dkim=fail header.d={DOMAIN}",
        "mx.parvis.test; dkim=pass header.d=ailleurs.test; spf=pass smtp.mailfrom=voleur@ailleurs.test",
    ],
)
def test_a_sender_that_our_relay_did_not_verify_waits(commune, answered, state, settings, results):
    settings.PARVIS_ACTES_AUTHSERV_ID = OURS
    acte, raw = answered
    state.poll([with_header(raw, "Authentication-Results", results) if results else raw])
    assert state.again(acte).status == Status.TRANSMIS
    assert "DKIM et SPF" in only_message(commune).error


def test_results_forged_below_those_of_our_relay_count_for_nothing(commune, answered, state, settings):
    settings.PARVIS_ACTES_AUTHSERV_ID = OURS
    acte, raw = answered
    forged = with_header(raw, "Authentication-Results", f"{OURS}; dkim=pass header.d={DOMAIN}")
    state.poll([with_header(forged, "Authentication-Results", f"{OURS}; dkim=none; spf=softfail")])
    assert state.again(acte).status == Status.TRANSMIS


@pytest.mark.parametrize("proof", [f"dkim=pass header.d={DOMAIN}", f"spf=pass smtp.mailfrom=rebonds@{DOMAIN}"])
def test_a_verified_receipt_is_read(commune, answered, state, settings, proof):
    settings.PARVIS_ACTES_AUTHSERV_ID = OURS
    acte, raw = answered
    state.poll([with_header(raw, "Authentication-Results", f"{OURS}; {proof}")])
    assert state.again(acte).status == Status.ACQUITTE


def test_a_person_may_accept_it_and_the_journal_says_so(commune, answered, state):
    acte, raw = answered
    state.poll([from_another(raw, "prefecture@ailleurs.test")])
    message = only_message(commune)
    with acting_for(commune):
        reception.replay(message, actor=AGENT)
    assert only_message(commune).state == InboundState.BANETTE, "reading again is not accepting"
    with acting_for(commune):
        reception.replay(message, actor=AGENT, despite_sender=True)
        entry = Entry.objects.get(action="actes.message_accepte")
        assert (entry.actor_kind, entry.sha256) == ("account", message.sha256)
        with pytest.raises(DomainError):
            reception.replay(message, actor=AGENT, despite_sender=True)
    assert state.again(acte).status == Status.ACQUITTE


def test_the_page_offers_to_accept_it(agent_client, commune, answered, state):
    acte, raw = answered
    state.poll([from_another(raw, "prefecture@ailleurs.test")])
    message = only_message(commune)
    address = f"/o/juvignac/actes/banette/{message.pk}/"
    client = agent_client(commune, "administrateur")
    assert "malgré son expéditeur" in client.get(address).content.decode()
    client.post(f"{address}relire/")
    assert state.again(acte).status == Status.TRANSMIS
    client.post(f"{address}relire/", {"accepter": "oui"})
    assert state.again(acte).status == Status.ACQUITTE


@pytest.mark.parametrize(
    ("demo", "senders", "relay", "expected"),
    [
        (False, [], "", ["actes.E001", "actes.W001"]),
        (False, ["@interieur.gouv.fr"], "", ["actes.W001"]),
        (False, ["@interieur.gouv.fr"], "mx.exemple.fr", []),
        (False, ["interieur.gouv.fr"], "mx.exemple.fr", ["actes.E002"]),
        (True, [], "", []),
    ],
)
def test_the_system_check_refuses_production_without_senders(settings, demo, senders, relay, expected):
    settings.DEMO, settings.PARVIS_ACTES_SENDERS, settings.PARVIS_ACTES_AUTHSERV_ID = demo, senders, relay
    assert [message.id for message in senders_of_returns(None)] == expected

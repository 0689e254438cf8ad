"""Messages that could not be attached: set aside with a reason, or kept with their act by hand."""

import pytest

from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes.enums import InboundState, Status
from parvis.edemat.actes.models import InboundMessage, Transaction
from parvis.edemat.actes.services import letters
from parvis.edemat.actes.services.basket import NotAttached, attach_by_hand, find_acte, set_aside
from parvis.edemat.actes.services.reception import SenderNotProven
from tests.edemat.actes.conftest import AGENT
from tests.edemat.actes.test_reception import attachments, with_attachments

LIST = "/o/juvignac/actes/"


@pytest.fixture
def lost_letter(commune, prepare, state):
    """An acknowledged act, and in the basket a letter about it that names another one."""
    state.scenario("demande_pieces", count=1)
    acte = state.transmit(prepare(commune))
    receipt, letter = state.mails()
    files = {n: c.replace(b"-19_07_01_05-", b"-19_07_01_50-") for n, c in attachments(letter).items()}
    state.poll([receipt, with_attachments(files)])
    with acting_for(commune):
        message = InboundMessage.objects.get(state=InboundState.BANETTE)
        return state.again(acte), message


def in_basket(commune, state, raw):
    state.poll([raw])
    with acting_for(commune):
        return InboundMessage.objects.get(state=InboundState.BANETTE)


def open_tasks(message):
    with acting_for(message.organisation_id):
        return Task.objects.filter(subject_id=message.pk, state="open").count()


def test_a_message_is_set_aside_with_its_reason(commune, lost_letter):
    _, message = lost_letter
    assert open_tasks(message) == 1
    with acting_for(commune):
        set_aside(message, "Doublon d’un courrier reçu par la poste", actor=AGENT)
        message.refresh_from_db()
        assert Entry.objects.filter(action="actes.message_ecarte").count() == 1
    assert (message.state, message.set_aside_reason) == ("ecarte", "Doublon d’un courrier reçu par la poste")
    assert open_tasks(message) == 0


def test_without_reason_nothing_is_set_aside(commune, lost_letter):
    _, message = lost_letter
    with acting_for(commune), pytest.raises(NotAttached, match="Indiquez pourquoi"):
        set_aside(message, "  ", actor=AGENT)


def test_a_letter_is_attached_by_hand_and_its_act_does_not_change(commune, lost_letter, state, run_jobs):
    acte, message = lost_letter
    before = len(state.sent)
    with acting_for(commune):
        attach_by_hand(message, acte, actor=AGENT)
        (letter,) = letters.letters_of(acte)
        message.refresh_from_db()
    run_jobs(queue="actes")
    assert (letter.kind, letter.status) == ("3-1", Status.DOCUMENT_SANS_AR)
    assert "rapport de présentation" in letter.letter_text
    assert [piece.posted_filename[-8:] for piece in letter.pieces.all()] == ["-1_1.pdf"]
    assert (message.state, message.transaction_id, message.remarks[-1]) == ("traite", letter.pk, "rattaché à la main")
    assert state.again(acte).status == Status.ACQUITTE
    assert len(state.sent) == before, "no receipt leaves for a letter that names another act"
    assert not letters.may_be_answered(letter)
    assert open_tasks(message) == 0


def test_what_would_change_an_act_is_never_attached_by_hand(commune, prepare, state):
    first = state.transmit(prepare(commune))
    state.poll()
    state.transmit(prepare(commune, numero="19.07.01.06"))
    (raw,) = state.mails()
    files = {n: c.replace(b"19_07_01_06", b"19_07_01_60") for n, c in attachments(raw).items()}
    message = in_basket(commune, state, with_attachments(files))
    with acting_for(commune), pytest.raises(NotAttached, match="change l’état d’un acte"):
        attach_by_hand(message, first, actor=AGENT)


def test_a_message_in_no_format_is_kept_with_the_act_it_is_said_to_be_about(commune, prepare, state):
    acte = state.transmit(prepare(commune))
    state.poll()
    message = in_basket(commune, state, with_attachments({"034-213401235----2-1_1.xml": b"<rien/>", "a.txt": b"mot"}))
    with acting_for(commune):
        attach_by_hand(message, acte, actor=AGENT)
        (letter,) = letters.letters_of(acte)
        assert (letter.kind, letter.message_id) == ("2-1", None)
        assert [piece.posted_filename for piece in letter.pieces.all()] == ["a.txt"]


def test_an_act_is_found_by_number_or_identifier_when_it_was_sent(commune, neighbour, prepare, state, lost_letter):
    acte, _ = lost_letter
    prepare(commune, numero="19.07.01.99")
    with acting_for(commune):
        for text in ("19.07.01.05", " 19_07_01_05 ", acte.unique_id.lower()):
            assert find_acte(commune, text) == acte
        with pytest.raises(NotAttached, match="Aucun acte transmis"):
            find_acte(commune, "19.07.01.99")


def test_what_has_left_the_basket_is_not_decided_twice(commune, lost_letter):
    acte, message = lost_letter
    with acting_for(commune):
        attach_by_hand(message, acte, actor=AGENT)
        for decide in (
            lambda: attach_by_hand(message, acte, actor=AGENT),
            lambda: set_aside(message, "x", actor=AGENT),
        ):
            with pytest.raises(NotAttached, match="n’est plus dans la banette"):
                decide()
        assert Transaction.objects.filter(kind="3-1").count() == 1


def test_a_letter_whose_sender_is_not_proven_is_attached_only_once_accepted(commune, lost_letter, settings):
    acte, message = lost_letter
    settings.PARVIS_ACTES_SENDERS = ["@ailleurs.test"]
    with acting_for(commune):
        with pytest.raises(SenderNotProven):
            attach_by_hand(message, acte, actor=AGENT)
        assert letters.letters_of(acte) == []
        attach_by_hand(message, acte, actor=AGENT, despite_sender=True)
        entry = Entry.objects.get(action="actes.message_accepte")
        assert (entry.actor_id, entry.sha256) == (AGENT.id, message.sha256)
        assert len(letters.letters_of(acte)) == 1


# --- pages ------------------------------------------------------------------------------------------------
def test_the_pages_attach_and_set_aside(agent_client, commune, lost_letter):
    acte, message = lost_letter
    client = agent_client(commune, "administrateur")
    here = f"{LIST}banette/{message.pk}/"
    page = client.get(here).content.decode()
    assert f"{here}rattacher/" in page
    assert f"{here}ecarter/" in page
    unknown = client.post(f"{here}rattacher/", {"acte": "ZZZ"})
    assert unknown.status_code == 422
    assert "Aucun acte transmis" in unknown.content.decode()
    answer = client.post(f"{here}rattacher/", {"acte": acte.numero})
    assert f"{acte.pk}/#courriers" in answer["Location"]
    refused = client.post(f"{here}ecarter/", {"reason": "trop tard"})
    assert "n’est plus dans la banette" in refused.content.decode()


def test_the_page_asks_to_vouch_for_a_sender_that_nothing_proves(agent_client, commune, lost_letter, settings):
    acte, message = lost_letter
    client, here = agent_client(commune, "administrateur"), f"{LIST}banette/{message.pk}/rattacher/"
    assert "vient d’elle" not in client.get(here).content.decode()
    settings.PARVIS_ACTES_SENDERS = ["@ailleurs.test"]
    refused = client.post(here, {"acte": acte.numero})
    assert refused.status_code == 422
    assert "rien ne prouve l’expéditeur" in refused.content.decode()
    assert client.post(here, {"acte": acte.numero, "accepter": "on"}).status_code == 302


def test_what_is_set_aside_stays_readable(agent_client, commune, lost_letter):
    _, message = lost_letter
    client = agent_client(commune, "administrateur")
    client.post(f"{LIST}banette/{message.pk}/ecarter/", {"reason": "Publicité"})
    assert "Publicité" in client.get(f"{LIST}banette/?vue=ecartes").content.decode()
    assert "Rattacher à un acte" not in client.get(f"{LIST}banette/{message.pk}/").content.decode()


def test_the_neighbour_s_message_is_missing(agent_client, commune, neighbour, lost_letter):
    _, message = lost_letter
    client = agent_client(neighbour, "administrateur")
    for end in ("rattacher/", "ecarter/"):
        assert client.get(f"/o/fabregues/actes/banette/{message.pk}/{end}").status_code == 404

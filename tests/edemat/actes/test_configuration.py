"""Settings of the télétransmission and the classification asked for by hand, or again each day."""

from datetime import date

import pytest

from parvis.core.journal.actions import label_of
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.models import ActeSettings, Classification, Transaction
from parvis.edemat.actes.services import classification, transmission
from parvis.edemat.actes.services.configuration import SettingRefused, configure
from parvis.edemat.actes.services.preparation import settings_of
from tests.edemat.actes.conftest import AGENT, MAILBOX

PAGE = "/o/juvignac/administration/teletransmission/"
REQUEST = PAGE + "classification/"
GIVEN = {
    "return_address": "retours@juvignac.test",
    "referent_name": "Secrétariat général",
    "referent_phone": "04 00 00 00 00",
    "referent_email": "secretariat@juvignac.test",
    "notified_addresses": "dgs@juvignac.test\nfinances@juvignac.test; dgs@juvignac.test",
    "suspended_since": "",
    "suspension_reason": "",
    "stamp_pages": "first",
    "stamp_x_percent": "60",
    "stamp_y_percent": "2.5",
}


@pytest.fixture
def administrator(agent_client, juvignac, sent_at_ten):
    return agent_client(juvignac, "administrateur")


def kept(organisation) -> ActeSettings:
    with acting_for(organisation):
        return settings_of(organisation)


def requests(organisation) -> list[Transaction]:
    with acting_for(organisation):
        return list(Transaction.objects.filter(kind="7-1").order_by("id"))


# --- settings ---------------------------------------------------------------------------------------------
def test_the_settings_are_kept(administrator, juvignac):
    answer = administrator.post(PAGE, GIVEN)
    assert answer.status_code == 302
    chosen = kept(juvignac)
    assert chosen.return_address == "retours@juvignac.test"
    assert chosen.notified_addresses == ["dgs@juvignac.test", "finances@juvignac.test"]
    assert (chosen.stamp_pages, chosen.stamp_x_percent, chosen.stamp_y_percent) == ("first", 60, 2.5)


def test_the_journal_names_what_changed_and_no_address(juvignac):
    with acting_for(juvignac):
        configure(juvignac, {"return_address": "a@b.test", "test": True}, actor=AGENT)
        entry = Entry.objects.get(action="actes.reglages")
    assert entry.details == {"changed": ["return_address", "test"], "suspended": False, "test": True}
    assert label_of(entry.action, entry.details).endswith("adresse de retour, transmission d’essai")


def test_settings_left_as_they_are_leave_no_trace(juvignac):
    with acting_for(juvignac):
        assert configure(juvignac, {"test": False}, actor=AGENT) == []
        assert not Entry.objects.filter(action="actes.reglages").exists()


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"return_address": "mairie@ville.montpellier"}, "return_address", "de 2 à 6"),
        ({"referent_email": "mairie@ville.montpellier"}, "referent_email", "de 2 à 6"),
        ({"notified_addresses": "dgs"}, "notified_addresses", "« dgs » n’est pas une adresse"),
        ({"suspended_since": "2019-07-01"}, "suspension_reason", "Indiquez le motif"),
        ({"suspended_since": "2019-08-01", "suspension_reason": "x"}, "suspended_since", "ne peut pas être à venir"),
        ({"stamp_x_percent": "140"}, "stamp_x_percent", "De 0 à 100"),
    ],
)
def test_a_wrong_setting_is_said_next_to_its_field(administrator, juvignac, changes, field, sentence):
    answer = administrator.post(PAGE, GIVEN | changes)
    assert answer.status_code == 422
    assert sentence in answer.context["form"].errors[field][0]
    assert kept(juvignac).return_address == ""


def test_too_many_addresses_are_refused(juvignac):
    with acting_for(juvignac), pytest.raises(SettingRefused, match="20 adresses"):
        configure(juvignac, {"notified_addresses": [f"a{n}@b.test" for n in range(21)]}, actor=AGENT)


def test_a_suspension_sends_acts_on_paper_with_its_reason(agent_client, administrator, juvignac, commune, prepare):
    acte = prepare(commune)
    suspended = GIVEN | {"suspended_since": "2019-07-01", "suspension_reason": "Arrêté du préfet"}
    assert administrator.post(PAGE, suspended).status_code == 302
    page = agent_client(commune, "secretaire").get(f"/o/juvignac/actes/{acte.pk}/transmettre/").content.decode()
    assert "Arrêté du préfet" in page
    assert "Déposez cet acte sur papier" in page
    assert "Confirmer la transmission" not in page
    administrator.post(PAGE, suspended | {"suspended_since": ""})
    assert (kept(juvignac).suspended, kept(juvignac).suspension_reason) == (False, "")


def test_only_the_administration_sets(agent_client, juvignac, sent_at_ten):
    for role in ("secretaire", "maire", "lecteur"):
        client = agent_client(juvignac, role)
        assert client.get(PAGE).status_code == 403
        assert client.post(REQUEST).status_code == 403


def test_the_page_is_among_those_of_the_administration(administrator, juvignac):
    assert PAGE in administrator.get("/o/juvignac/administration/").content.decode()
    with acting_for(juvignac):
        juvignac.subscriptions.update(until=date(2019, 1, 1))
    assert PAGE not in administrator.get("/o/juvignac/administration/").content.decode()


# --- the classification -----------------------------------------------------------------------------------
def test_the_page_says_what_is_in_force_and_asks_once_a_day(agent_client, commune, state, run_jobs):
    client = agent_client(commune, "administrateur")
    assert client.get(PAGE).context["classification"].date == date(2019, 4, 18)
    client.post(REQUEST)
    page = client.get(PAGE).content.decode()
    assert "une demande par jour" in page
    assert "Demander la classification</button>" not in page
    client.post(REQUEST)
    assert len(requests(commune)) == 1


def test_without_return_address_the_page_says_what_is_missing(administrator, juvignac):
    assert "Aucune adresse de retour" in administrator.get(PAGE).content.decode()
    answer = administrator.post(REQUEST, follow=True)
    assert "Aucune adresse de retour" in answer.content.decode()
    assert requests(juvignac) == []


def test_it_is_asked_for_from_the_act_that_lacks_it(agent_client, commune, prepare, state, run_jobs):
    acte = prepare(commune)
    with acting_for(commune):
        Classification.objects.update(current=False)
    client = agent_client(commune, "secretaire")
    here = f"/o/juvignac/actes/{acte.pk}/"
    assert "Demander la classification" in client.get(f"{here}transmettre/").content.decode()
    client.post(f"{here}demander-la-classification/")
    assert "Elle a été demandée aujourd’hui" in client.get(f"{here}transmettre/").content.decode()
    run_jobs(queue="actes")
    state.poll()
    assert "La classification de la préfecture manque" not in client.get(f"{here}transmettre/").content.decode()


def test_a_request_that_brought_nothing_is_made_again_the_next_day(commune, state, run_jobs, later):
    with acting_for(commune):
        Classification.objects.update(current=False)
        asked = classification.request_classification(commune, actor=AGENT)
        Transaction.objects.filter(pk=asked.pk).update(status=Status.ERREUR, delivery="abandonnee")
    later(hours=23)
    transmission.resume(commune)
    assert len(requests(commune)) == 1
    later(hours=2)
    transmission.resume(commune)
    transmission.resume(commune)
    assert len(requests(commune)) == 2


@pytest.mark.parametrize("case", ["in force", "never asked", "suspended", "no address"])
def test_nothing_is_asked_for_again_when(commune, state, later, case):
    with acting_for(commune):
        if case != "never asked":
            classification.request_classification(commune, actor=AGENT)
        if case != "in force":
            Classification.objects.update(current=False)
        if case == "suspended":
            configure(commune, {"suspended_since": date(2019, 7, 1), "suspension_reason": "x"}, actor=AGENT)
        if case == "no address":
            ActeSettings.objects.filter(return_address=MAILBOX).update(return_address="")
    before = len(requests(commune))
    later(days=2)
    with acting_for(commune):
        assert not classification.request_again_if_none(commune, actor=AGENT)
    assert len(requests(commune)) == before

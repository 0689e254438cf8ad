"""An organisation's administration: what may change, what is refused and why, and the trace it leaves."""

from datetime import date

import pytest

from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for

pytestmark = pytest.mark.django_db
BASE = "/o/juvignac/administration/"


@pytest.fixture
def administrator(juvignac, agent_client):
    return agent_client(juvignac, "administrateur")


def actions(organisation):
    with acting_for(organisation):
        return list(Entry.objects.values_list("action", flat=True))


def test_presentation_is_changed_and_journalled_without_its_content(administrator, juvignac):
    fields = {
        "short_name": "Juvignac",
        "welcome_text": "Bonjour",
        "website": "",
        "postal_code": "34990",
        "email_sender": "",
    }
    administrator.post(BASE + "identite/", fields)
    juvignac.refresh_from_db()
    assert juvignac.welcome_text == "Bonjour"
    with acting_for(juvignac):
        entry = Entry.objects.get(action="organisation.presentee")
    assert entry.details == {"fields": ["email_sender", "welcome_text"]}


def test_nothing_changed_leaves_no_trace(administrator, juvignac):
    fields = {
        name: getattr(juvignac, name)
        for name in ("short_name", "welcome_text", "website", "postal_code", "email_sender")
    }
    page = administrator.post(BASE + "identite/", fields, follow=True).content.decode()
    assert "Rien n’a changé." in page
    assert actions(juvignac) == []


def test_wrong_postal_code_keeps_what_was_typed(administrator, juvignac):
    page = administrator.post(BASE + "identite/", {"short_name": "J", "postal_code": "34"}).content.decode()
    assert "Un code postal compte cinq chiffres." in page
    assert 'value="34"' in page
    juvignac.refresh_from_db()
    assert juvignac.short_name == "Juvignac"


def test_pale_colour_is_refused_and_nothing_is_saved(administrator, juvignac):
    response = administrator.post(BASE + "couleurs/", {"accent": "#ffcc00", "accent_2": "#000000"})
    assert response.status_code == 422
    assert "trop pâle" in response.content.decode()
    juvignac.refresh_from_db()
    assert (juvignac.accent, juvignac.accent_2) == ("#7a2e5d", "#d9a441")


def test_readable_colour_is_saved(administrator, juvignac):
    administrator.post(BASE + "couleurs/", {"accent": "#0B5C63", "accent_2": "#e07a3f"})
    juvignac.refresh_from_db()
    assert juvignac.accent == "#0b5c63"
    assert actions(juvignac) == ["organisation.couleurs"]


def new_mandate(**changes):
    return {
        "given_name": "Dominique", "family_name": "Exemple", "email": "d@juvignac.test", "role": "secretaire",
        "title": "", "start": "2019-01-01", "end": "", **changes,
    }  # fmt: skip


def test_mandate_makes_an_account_that_cannot_log_in_yet(administrator, juvignac):
    administrator.post(BASE + "personnes/nouvelle/", new_mandate())
    account = Account.objects.get(email="d@juvignac.test")
    assert not account.has_usable_password()
    with acting_for(juvignac):
        assert Mandate.objects.get(account=account).role == "secretaire"
    assert actions(juvignac) == ["mandat.ouvert"]


def test_existing_account_receives_the_mandate(administrator, juvignac, fabregues, account_for):
    other = account_for(fabregues, "maire", email="d@juvignac.test", given_name="Alix")
    administrator.post(BASE + "personnes/nouvelle/", new_mandate(email="D@Juvignac.test"))
    with acting_for(juvignac):
        assert Mandate.objects.filter(account=other, role="secretaire").exists()
    other.refresh_from_db()
    assert other.given_name == "Alix"


def test_same_role_twice_is_refused(administrator):
    administrator.post(BASE + "personnes/nouvelle/", new_mandate())
    page = administrator.post(BASE + "personnes/nouvelle/", new_mandate()).content.decode()
    assert "tient déjà ce rôle" in page


def test_mandate_cannot_end_before_it_starts(administrator):
    page = administrator.post(BASE + "personnes/nouvelle/", new_mandate(end="2018-01-01")).content.decode()
    assert "La fin précède le début" in page


def test_ended_mandate_opens_nothing_any_more(administrator, juvignac, agent_client):
    reader = agent_client(juvignac, "lecteur")
    with acting_for(juvignac):
        mandate = Mandate.objects.get(account=reader.account)
    assert reader.get("/o/juvignac/").status_code == 302
    assert "Dès maintenant" in administrator.get(f"{BASE}personnes/{mandate.pk}/fin/").content.decode()
    administrator.post(f"{BASE}personnes/{mandate.pk}/fin/")
    assert reader.get("/o/juvignac/").status_code == 404


def test_mandate_begun_today_ends_too(administrator, juvignac, agent_client):
    from parvis.core import clock

    reader = agent_client(juvignac, "lecteur")
    with acting_for(juvignac):
        mandate = Mandate.objects.get(account=reader.account)
        mandate.start = clock.today()
        mandate.save()
    administrator.post(f"{BASE}personnes/{mandate.pk}/fin/")
    assert reader.get("/o/juvignac/").status_code == 404


def test_last_administration_mandate_cannot_be_ended(administrator, juvignac):
    with acting_for(juvignac):
        mandate = Mandate.objects.get(account=administrator.account)
    page = administrator.post(f"{BASE}personnes/{mandate.pk}/fin/", follow=True).content.decode()
    assert "dernier mandat d’administration" in page
    with acting_for(juvignac):
        assert Mandate.objects.get(pk=mandate.pk).end is None


def test_mandate_of_a_neighbour_is_missing(administrator, fabregues, account_for):
    account = account_for(fabregues, "maire")
    with acting_for(fabregues):
        mandate = Mandate.objects.get(account=account)
    assert administrator.get(f"{BASE}personnes/{mandate.pk}/fin/").status_code == 404


def test_future_mandate_is_told_apart(administrator, juvignac):
    administrator.post(BASE + "personnes/nouvelle/", new_mandate(start=date(2099, 1, 1).isoformat()))
    assert "à venir" in administrator.get(BASE + "personnes/").content.decode()

"""An organisation's administration: what may change, what is refused and why, and the trace it leaves."""

import pytest
from django.db import IntegrityError, transaction

from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Organisation
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
        "website": "https://www.exemple.test/",
        "postal_code": "34990",
        "email_sender": "",
    }
    administrator.post(BASE + "identite/", fields)
    juvignac.refresh_from_db()
    assert juvignac.website == "https://www.exemple.test/"
    with acting_for(juvignac):
        entry = Entry.objects.get(action="organisation.presentee")
    assert entry.details == {"fields": ["email_sender", "website"]}


def test_nothing_changed_leaves_no_trace(administrator, juvignac):
    fields = {name: getattr(juvignac, name) for name in ("short_name", "website", "postal_code", "email_sender")}
    page = administrator.post(BASE + "identite/", fields, follow=True).content.decode()
    assert "Rien n’a changé." in page
    assert actions(juvignac) == []


def test_wrong_postal_code_keeps_what_was_typed(administrator, juvignac):
    page = administrator.post(BASE + "identite/", {"short_name": "J", "postal_code": "34"}).content.decode()
    assert "Un code postal compte cinq chiffres." in page
    assert 'value="34"' in page
    juvignac.refresh_from_db()
    assert juvignac.short_name == "Juvignac"


# --- rules of login -------------------------------------------------------------------------------------------
def test_rules_of_login_are_made_stricter_and_journalled(administrator, juvignac):
    administrator.post(BASE + "connexion/", {"password_length": "16", "idle_minutes": "60"})
    juvignac.refresh_from_db()
    assert (juvignac.password_length, juvignac.idle_minutes) == (16, 60)
    with acting_for(juvignac):
        entry = Entry.objects.get(action="organisation.connexion")
    assert entry.details == {"fields": ["password_length"], "password_length": 16}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("password_length", "13", "De 14 à 64 caractères."),
        ("password_length", "65", "De 14 à 64 caractères."),
        ("idle_minutes", "61", "De 5 à 60 minutes."),
        ("idle_minutes", "4", "De 5 à 60 minutes."),
        ("idle_minutes", "", "obligatoire"),
    ],
)
def test_rules_of_login_are_never_laxer_than_the_platform_s(administrator, juvignac, field, value, said):
    page = administrator.post(BASE + "connexion/", {"password_length": "14", "idle_minutes": "60"} | {field: value})
    assert said in page.context["form"].errors[field][0]
    assert actions(juvignac) == []


@pytest.mark.parametrize("wrong", [{"password_length": 13}, {"idle_minutes": 61}])
def test_the_database_holds_the_platform_s_rules(juvignac, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.filter(pk=juvignac.pk).update(**wrong)


def test_the_page_says_how_many_people_the_rules_concern(administrator, account_for, juvignac):
    account_for(juvignac, "secretaire")
    account_for(juvignac, "elu", email="secretaire@juvignac.test")
    assert administrator.get(BASE + "connexion/").context["people"] == 2

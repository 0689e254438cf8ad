"""An organisation's administration: what may change, what is refused and why, and the trace it leaves."""

import pytest

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

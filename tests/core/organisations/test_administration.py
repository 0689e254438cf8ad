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

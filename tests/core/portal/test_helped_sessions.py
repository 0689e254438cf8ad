"""A session in which a helper of Aidants Connect acts: the pages say so, and so does the log."""

import pytest

from parvis.core.identity.audit import audit

pytestmark = pytest.mark.django_db
HELPED = "Démarche effectuée par un aidant (Aidants Connect)"


@pytest.fixture
def helped_client(citizen_client):
    session = citizen_client.session
    session["federation.rep_scope"] = ["argent"]
    session.save()
    return citizen_client


@pytest.mark.parametrize("address", ["/espace/", "/mon-compte/", "/mon-compte/profil/"])
def test_the_pages_of_the_person_say_that_a_helper_acts(helped_client, address):
    assert HELPED in helped_client.get(address).content.decode()


def test_no_helper_is_told_of_when_the_person_acts_alone(citizen_client):
    assert HELPED not in citizen_client.get("/espace/").content.decode()


@pytest.mark.parametrize(("scopes", "data"), [(["argent"], {"count": 1, "aidant": True}), ([], {"count": 1})])
def test_the_log_marks_what_a_helper_did(citizen, citizen_client, rf, scopes, data):
    request = rf.get("/")
    request.user, request.session = citizen, citizen_client.session
    request.session["federation.rep_scope"] = scopes
    assert audit("user.login", account=citizen, request=request, data={"count": 1}).data == data

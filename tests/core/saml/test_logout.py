"""Logout at the request of a site."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from saml2 import BINDING_HTTP_REDIRECT, saml

from parvis.core.authentication import departures
from parvis.core.provider.subjects import subject_of
from tests.core.saml.conftest import expire

pytestmark = pytest.mark.django_db
SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def request_of(known, *, sign=True, subject="quelqu’un", destination="http://testserver/saml/deconnexion/"):
    _, message = known.client.create_logout_request(
        destination, "http://testserver/saml/metadata/",
        name_id=saml.NameID(text=subject, format=saml.NAMEID_FORMAT_PERSISTENT),
    )  # fmt: skip
    sent = known.client.apply_binding(
        BINDING_HTTP_REDIRECT, str(message), "http://testserver/saml/deconnexion/", relay_state="la suite",
        sign=sign, sigalg=SHA256 if sign else None,
    )  # fmt: skip
    return {k: v[0] for k, v in parse_qs(urlsplit(dict(sent["headers"])["Location"]).query).items()}


def test_a_signed_request_ends_the_session_and_goes_back_with_a_signed_answer(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    subject = subject_of(client.account, juvignac.pk, known.site.sector)
    response = client.get("/saml/deconnexion/", request_of(known, subject=subject))
    assert response.status_code == 302
    assert "_auth_user_id" not in client.session
    address = urlsplit(response["Location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"https://{known.host}/saml/fin"
    fields = {k: v[0] for k, v in parse_qs(address.query).items()}
    assert fields["RelayState"] == "la suite"
    assert fields["SigAlg"] == SHA256
    read = known.client.parse_logout_request_response(fields["SAMLResponse"], BINDING_HTTP_REDIRECT)
    assert read.status_ok()


def test_the_providers_that_answered_for_the_person_are_left_before_going_back(
    party, agent_client, juvignac, monkeypatch
):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    step = departures.Departure("essai", "Un fournisseur", "browser", "https://fournisseur.exemple/fin")
    monkeypatch.setitem(departures._leaving, "essai", lambda request: [step])
    subject = subject_of(client.account, juvignac.pk, known.site.sector)
    response = client.get("/saml/deconnexion/", request_of(known, subject=subject))
    assert response["Location"] == reverse(departures.PAGE)
    assert "_auth_user_id" not in client.session
    assert client.session[departures.BACK]["address"].startswith(f"https://{known.host}/saml/fin")


def test_a_fault_in_what_must_be_left_keeps_nobody_logged_in(agent_client, juvignac, monkeypatch):
    client = agent_client(juvignac, "secretaire")
    monkeypatch.setitem(departures._leaving, "essai", lambda request: [][0])
    assert client.post("/compte/logout/")["Location"] == reverse(departures.PAGE)
    assert "_auth_user_id" not in client.session
    page = client.get(reverse(departures.PAGE)).content.decode()
    assert "Vous pourriez être encore connecté à un autre service" in page


def test_a_site_ends_the_session_of_nobody_else(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    page = client.get("/saml/deconnexion/", request_of(known, subject="une autre personne"))
    assert page.status_code == 400
    assert "_auth_user_id" in client.session


def test_anybody_could_write_an_unsigned_request(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    assert client.get("/saml/deconnexion/", request_of(known, sign=False)).status_code == 400
    assert "_auth_user_id" in client.session


def test_a_logout_serves_once(party, juvignac):
    fields = request_of(party(juvignac))
    assert Client().get("/saml/deconnexion/", fields).status_code == 302
    assert Client().get("/saml/deconnexion/", fields).status_code == 400


@pytest.mark.parametrize("destination", ["", "http://ailleurs.exemple.fr/saml/deconnexion/"])
def test_a_request_meant_for_another_provider_ends_nothing(party, agent_client, juvignac, destination):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    subject = subject_of(client.account, juvignac.pk, known.site.sector)
    page = client.get("/saml/deconnexion/", request_of(known, subject=subject, destination=destination))
    assert page.status_code == 400
    assert "_auth_user_id" in client.session


def test_a_site_whose_description_expired_reads_why_it_is_not_obeyed(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    fields = request_of(known, subject=subject_of(client.account, juvignac.pk, known.site.sector))
    expire(known.site)
    page = client.get("/saml/deconnexion/", fields)
    assert page.status_code == 400
    assert "plus valables" in page.content.decode()

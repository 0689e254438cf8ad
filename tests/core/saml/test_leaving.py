"""What a person leaves behind: the sessions of the sites at a logout, the agreements, the account."""

import base64
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from saml2 import BINDING_HTTP_REDIRECT, samlp

from parvis.core.authentication import departures
from parvis.core.identity import closing
from parvis.core.identity.contributions import contributions
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.saml import services
from parvis.core.saml.models import SamlConsent, SamlSite
from tests.core.saml.conftest import expire
from tests.core.saml.test_login import LOGIN, log_in

pytestmark = pytest.mark.django_db
END = "/saml/deconnexion/"


@pytest.fixture
def visited(party, agent_client, juvignac):
    """Somebody who logged in to one site: the site, and their browser."""
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    log_in(client, known.request()[0])
    return known, client


def asked_of(client):
    """The steps of the logout just made by ``client``."""
    request = type("Browser", (), {"session": client.session})()
    return departures.kept(request)


def answer_of(known, step, *, status=samlp.STATUS_SUCCESS, issuer=None, to=None):
    """What the site answers to the request of logout that the browser brought."""
    asked = parse_qs(urlsplit(step.address).query)["SAMLRequest"][0]
    request_id = zlib.decompress(base64.b64decode(asked), -15).decode().split(' ID="')[1].split('"')[0]
    xml = (
        f'<p:LogoutResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0"'
        f' IssueInstant="2026-01-01T00:00:00Z" InResponseTo="{to or request_id}">'
        f'<a:Issuer xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">{issuer or known.site.entity_id}</a:Issuer>'
        f'<p:Status><p:StatusCode Value="{status}"/></p:Status></p:LogoutResponse>'
    )
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return {"SAMLResponse": base64.b64encode(squeezing.compress(xml.encode()) + squeezing.flush()).decode()}


def test_a_logout_asks_each_site_by_a_signed_request_and_shows_that_it_is_over(visited):
    known, client = visited
    assert client.post("/compte/logout/")["Location"] == reverse(departures.PAGE)
    [step] = asked_of(client)
    assert (step.label, step.state) == ("Courrier ancien", "browser")
    fields = {k: v[0] for k, v in parse_qs(urlsplit(step.address).query).items()}
    assert step.address.startswith(f"https://{known.host}/saml/fin?")
    read = known.client.parse_logout_request(
        fields["SAMLRequest"], BINDING_HTTP_REDIRECT, sigalg=fields["SigAlg"], signature=fields["Signature"],
        relay_state=fields.get("RelayState"),
    )  # fmt: skip
    with identity_of(client.account.pk):
        from parvis.core.provider.models import Subject

        assert read.message.name_id.text == Subject.objects.get().sub
    client.get(END, answer_of(known, step))
    page = client.get(reverse(departures.PAGE)).content.decode()
    assert "Courrier ancien : vous êtes déconnecté." in page


@pytest.mark.parametrize("lie", ["refusal", "another_site", "another_request"])
def test_a_site_that_does_not_confirm_is_named(visited, lie):
    known, client = visited
    client.post("/compte/logout/")
    [step] = asked_of(client)
    sent = {
        "refusal": {"status": samlp.STATUS_RESPONDER},
        "another_site": {"issuer": "https://autre.exemple.fr/saml/metadata"},
        "another_request": {"to": "id-forge"},
    }[lie]
    client.get(END, answer_of(known, step, **sent))
    assert asked_of(client)[0].state == ("failed" if lie == "refusal" else "browser")
    if lie == "refusal":
        page = client.get(reverse(departures.PAGE)).content.decode()
        assert "Vous pourriez être encore connecté à Courrier ancien" in page


def test_a_site_that_cannot_be_asked_is_named_at_once(visited):
    known, client = visited
    with acting_for(known.site.organisation_id):
        site = SamlSite.objects.get()
        start, end = site.metadata.find("<ns0:SingleLogoutService"), site.metadata.find("<ns0:AssertionConsumerService")
        assert 0 < start < end, "the description has changed its form"
        site.metadata = site.metadata[:start] + site.metadata[end:]
        site.save()
    client.post("/compte/logout/")
    page = client.get(reverse(departures.PAGE)).content.decode()
    assert "Vous pourriez être encore connecté à Courrier ancien" in page


def test_a_site_whose_description_expired_keeps_nobody_logged_in(visited):
    known, client = visited
    expire(known.site)
    assert client.post("/compte/logout/")["Location"] == reverse(departures.PAGE)
    assert "_auth_user_id" not in client.session
    assert [(step.label, step.state) for step in asked_of(client)] == [("Courrier ancien", "failed")]


def test_a_site_that_never_sends_back_stops_no_other_step(party, agent_client, juvignac):
    client = agent_client(juvignac, "secretaire")
    for host, name in (("a.exemple.fr", "Courrier"), ("b.exemple.fr", "Parc automobile")):
        log_in(client, party(juvignac, host, name=name).request()[0])
    client.post("/compte/logout/")
    for host in ("a.exemple.fr", "b.exemple.fr"):
        assert client.get(reverse(departures.PAGE))["Refresh"].startswith(f"0; url=https://{host}/saml/fin?")
    page = client.get(reverse(departures.PAGE))
    assert "Refresh" not in page
    assert "Vous pourriez être encore connecté à Courrier" in page.content.decode()


def test_a_site_that_sends_back_late_is_left_all_the_same(visited):
    known, client = visited
    client.post("/compte/logout/")
    [step] = asked_of(client)
    client.get(reverse(departures.PAGE))
    client.get(reverse(departures.PAGE))
    client.get(END, answer_of(known, step))
    assert asked_of(client)[0].state == "done"


def test_the_providers_that_must_be_left_come_before_the_sites(visited, monkeypatch):
    _, client = visited
    step = departures.Departure("franceconnect", "FranceConnect", "browser", "https://fournisseur.exemple/fin")
    monkeypatch.setitem(departures._leaving, "federation", lambda request: [step])
    client.post("/compte/logout/")
    assert [one.label for one in asked_of(client)] == ["FranceConnect", "Courrier ancien"]


def test_the_site_that_asks_is_not_asked_in_return_but_the_others_are(party, agent_client, juvignac):
    from parvis.core.provider.subjects import subject_of
    from tests.core.saml.test_logout import request_of

    asking, other = party(juvignac), party(juvignac, "autre.exemple.fr", name="Parc automobile")
    client = agent_client(juvignac, "secretaire")
    for known in (asking, other):
        log_in(client, known.request()[0])
    subject = subject_of(client.account, juvignac.pk, asking.site.sector)
    assert client.get(END, request_of(asking, subject=subject))["Location"] == reverse(departures.PAGE)
    assert [step.label for step in asked_of(client)] == ["Parc automobile"]
    assert client.session[departures.BACK]["address"].startswith(f"https://{asking.host}/saml/fin")


def test_an_answer_that_nobody_waits_for_changes_nothing(client):
    xml = '<p:LogoutResponse xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" InResponseTo="x"><a:Issuer xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">y</a:Issuer></p:LogoutResponse>'  # noqa: E501
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -15)
    sent = base64.b64encode(squeezing.compress(xml.encode()) + squeezing.flush()).decode()
    assert client.get(END, {"SAMLResponse": sent}).status_code == 302
    assert departures.KEY not in client.session
    assert client.get(END, {"SAMLResponse": "illisible"}).status_code == 400


# --- agreements ---------------------------------------------------------------------------------------------------
def test_the_holder_sees_an_agreement_and_takes_it_back(visited, party, juvignac):
    known, client = visited
    page = client.get(reverse("provider:my_services")).content.decode()
    assert "Courrier ancien" in page
    assert "Adresse électronique, Nom" in page
    address = reverse("saml:withdraw", args=[known.site.pk])
    assert address in page
    assert "ne pourra plus lire vos données" in client.get(address).content.decode()
    assert client.post(address)["Location"] == reverse("provider:my_services")
    assert "Courrier ancien</h2>" not in client.get(reverse("provider:my_services")).content.decode()
    again = client.get(LOGIN, known.request()[0], follow=True)
    assert "souhaite vous connaître" in again.content.decode()


def test_an_agreement_to_a_site_out_of_service_can_still_be_taken_back(visited):
    known, client = visited
    services.suspend(known.site, actor=None)
    assert "Service qui n’est plus en service" in client.get(reverse("provider:my_services")).content.decode()
    assert client.post(reverse("saml:withdraw", args=[known.site.pk])).status_code == 302
    with identity_of(client.account.pk):
        assert not SamlConsent.objects.exists()


def test_the_agreement_of_somebody_else_is_missing(visited, agent_client, juvignac):
    known, _ = visited
    other = agent_client(juvignac, "archiviste")
    assert other.post(reverse("saml:withdraw", args=[known.site.pk])).status_code == 404
    with acting_for(juvignac), identity_of(visited[1].account.pk):
        assert SamlConsent.objects.count() == 1


def test_an_agreement_goes_in_the_export_and_with_the_account(visited):
    _, client = visited
    [part] = [c for c in contributions() if c.code == "services_saml"]
    with identity_of(client.account.pk):
        [row] = list(part.records(client.account))
        assert (row["service"], row["organisation"]) == ("Courrier ancien", "Juvignac")
        assert closing.erasers()["accords donnés à des services SAML"](client.account) == 1
        assert not SamlConsent.objects.exists()

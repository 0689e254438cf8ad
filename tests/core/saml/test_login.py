"""Login through SAML: what a site learns, and every request that must not be answered."""

import base64
import re
import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from lxml import etree
from saml2 import samlp

from parvis.core.authentication.jumps import DOUBT
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider.models import Subject
from parvis.core.provider.subjects import subject_of
from parvis.core.saml import messages, services
from parvis.core.saml.models import SamlConsent, SamlSite
from tests.core.authentication.test_jumps import PAGE, WINDOWS, stolen
from tests.core.saml.conftest import expire

pytestmark = pytest.mark.django_db
LOGIN = "/saml/connexion/"


def answered(response) -> str:
    """The answer that a page posts to the site."""
    assert response.status_code == 200, response.content[:500]
    return re.search(r'name="SAMLResponse" value="([^"]+)"', response.content.decode())[1]


def log_in(client, fields):
    """From the request to the answer, accepting what the site asks for."""
    page = client.get(LOGIN, fields, follow=True)
    if b"souhaite vous conna" in page.content:
        page = client.post(page.request["PATH_INFO"], {"accord": "oui"})
    return page


def inflated(fields) -> str:
    return zlib.decompress(base64.b64decode(fields["SAMLRequest"]), -15).decode()


def deflated(xml: str) -> str:
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(squeezing.compress(xml.encode()) + squeezing.flush()).decode()


def test_a_site_learns_what_was_agreed_and_a_subject_of_its_own(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    fields, request_id = known.request()
    page = client.get(LOGIN, fields, follow=True)
    assert "Courrier ancien souhaite vous connaître" in page.content.decode()
    assert "secretaire@juvignac.test" in page.content.decode()
    page = client.post(page.request["PATH_INFO"], {"accord": "oui"})
    assert f"form-action 'self' https://{known.host}" in page["Content-Security-Policy"]
    assert 'name="RelayState" value="la page demandée"' in page.content.decode()
    read = known.read(answered(page), request_id)
    assert read.ava == {"mail": ["secretaire@juvignac.test"], "sn": ["Essai"]}
    subject = read.name_id.text
    with identity_of(client.account.pk):
        assert Subject.objects.get().sub == subject
    assert subject not in (str(client.account.pk), client.account.email)
    assert read.assertion.authn_statement[0].authn_context.authn_context_class_ref.text == messages.TWO_FACTORS

    again, request_id = known.request()
    silent = client.get(LOGIN, again, follow=True)  # agreed once, never asked again
    assert known.read(answered(silent), request_id).name_id.text == subject
    with acting_for(juvignac):
        assert SamlSite.objects.get().last_used_at is not None


UNPROVED = {"never_proved": {"email_verified_at": None}, "none": {"email": "0f@sans-adresse.invalid"}}


def unprove(client, how):
    """The account of ``client`` has no address that it proved."""
    for name, value in UNPROVED[how].items():
        setattr(client.account, name, value)
    client.account.save()


@pytest.mark.parametrize("how", UNPROVED)
def test_an_address_that_nobody_proved_is_not_told(party, agent_client, juvignac, how):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    unprove(client, how)
    fields, request_id = known.request()
    page = client.get(LOGIN, fields, follow=True)
    assert "transmise qu’une fois prouvée" in page.content.decode()
    assert "avec l’adresse 0f@" not in page.content.decode()
    page = client.post(page.request["PATH_INFO"], {"accord": "oui"})
    assert known.read(answered(page), request_id).ava == {"sn": ["Essai"]}


@pytest.mark.parametrize("how", UNPROVED)
def test_a_site_that_knows_people_by_address_waits_for_a_proved_one(party, agent_client, juvignac, how):
    known, client = party(juvignac, name_id="email"), agent_client(juvignac, "secretaire")
    unprove(client, how)
    page = client.get(LOGIN, known.request()[0], follow=True)
    assert page.status_code == 403
    assert "la vôtre n’est pas prouvée" in page.content.decode()
    silent = client.get(LOGIN, known.request(is_passive="true")[0], follow=True)
    assert samlp.STATUS_NO_PASSIVE in base64.b64decode(answered(silent)).decode()


def test_a_site_that_knows_people_by_address_is_told_the_proved_one(party, agent_client, juvignac):
    known, client = party(juvignac, name_id="email"), agent_client(juvignac, "secretaire")
    fields, request_id = known.request()
    read = known.read(answered(log_in(client, fields)), request_id)
    assert read.name_id.text == "secretaire@juvignac.test"


def test_two_organisations_cannot_join_their_users(party, agent_client, juvignac, fabregues):
    client = agent_client(juvignac, "secretaire")
    subjects = []
    for organisation, host in ((juvignac, "a.exemple.fr"), (fabregues, "b.exemple.fr")):
        known = party(organisation, host)
        fields, request_id = known.request()
        subjects.append(known.read(answered(log_in(client, fields)), request_id).name_id.text)
    assert subjects[0] != subjects[1]


@pytest.mark.parametrize(("relation", "joined"), [("propre", True), ("tiers", False)])
def test_a_third_party_cannot_join_its_users_with_the_sites_of_the_organisation(
    party, agent_client, juvignac, relation, joined
):
    known, client = party(juvignac, relation=relation), agent_client(juvignac, "secretaire")
    own = subject_of(client.account, juvignac.pk, f"organisation:{juvignac.pk}")
    fields, request_id = known.request()
    read = known.read(answered(log_in(client, fields)), request_id)
    assert (read.name_id.text == own) is joined


def test_what_the_platform_reads_before_it_puts_a_site_in_service_covers_its_relation(party, juvignac):
    site = party(juvignac, live=False).site
    seen = site.fingerprint
    site.relation = "tiers"
    assert site.fingerprint != seen


def test_nobody_is_asked_to_log_in_first_and_the_request_survives(party, juvignac, account_for):
    fields, _ = party(juvignac).request()
    client = Client()
    page = client.get(LOGIN, fields, follow=True)
    assert page.redirect_chain[-1][0].startswith("/compte/login/?next=/saml/suite/")


def test_a_passive_request_of_nobody_is_answered_without_any_page(party, juvignac):
    known = party(juvignac)
    fields, _ = known.request(is_passive="true")
    text = base64.b64decode(answered(Client().get(LOGIN, fields))).decode()
    assert samlp.STATUS_NO_PASSIVE in text
    assert "Assertion" not in text


def test_a_passive_request_shows_no_page_to_somebody_logged_in(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    fields, _ = known.request(is_passive="true")
    text = base64.b64decode(answered(client.get(LOGIN, fields, follow=True))).decode()
    assert samlp.STATUS_NO_PASSIVE in text  # agreement would be asked
    fields, request_id = known.request()
    answered(log_in(client, fields))
    fields, request_id = known.request(is_passive="true")
    assert known.read(answered(client.get(LOGIN, fields, follow=True)), request_id).ava
    fields, _ = known.request(is_passive="true", force_authn="true")
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 60
    session.save()
    text = base64.b64decode(answered(client.get(LOGIN, fields, follow=True))).decode()
    assert samlp.STATUS_NO_PASSIVE in text


def test_a_session_in_doubt_proves_itself_before_the_site_is_answered(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    assert client.get(PAGE, HTTP_USER_AGENT=WINDOWS).status_code == 200
    other = stolen(client)
    silent = other.get(LOGIN, known.request(is_passive="true")[0], follow=True)
    assert samlp.STATUS_NO_PASSIVE in base64.b64decode(answered(silent)).decode()
    assert other.session[DOUBT]["told"] == [], "nothing was shown"
    page = other.get(LOGIN, known.request()[0], follow=True)
    assert page.request["PATH_INFO"] == "/mon-compte/securite/confirmer/"


def test_a_description_that_expired_is_refused_with_its_reason(party, juvignac):
    known = party(juvignac, signed=False)
    fields, _ = known.request()
    expire(known.site)
    refused(Client(), fields, "plus valables")


def test_refusing_tells_the_site_nothing_but_the_refusal(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    fields, _ = known.request()
    page = client.get(LOGIN, fields, follow=True)
    page = client.post(page.request["PATH_INFO"], {"accord": "non"})
    text = base64.b64decode(answered(page)).decode()
    assert samlp.STATUS_REQUEST_DENIED in text
    assert "juvignac.test" not in text
    with identity_of(client.account.pk):
        assert not SamlConsent.objects.exists()


@pytest.mark.parametrize("values", [{"populations": ["usager"]}, {"members_only": True}])
def test_who_is_not_admitted_is_refused(party, agent_client, juvignac, fabregues, values):
    known, client = party(juvignac, **values), agent_client(fabregues, "secretaire")
    fields, _ = known.request()
    text = base64.b64decode(answered(client.get(LOGIN, fields, follow=True))).decode()
    assert samlp.STATUS_REQUEST_DENIED in text
    assert "fabregues.test" not in text


def test_a_login_may_be_demanded_anew(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 60  # a minute ago is recent, and yet before the request
    session.save()
    fields, _ = known.request(force_authn="true")
    page = client.get(LOGIN, fields, follow=True)
    assert page.status_code == 200
    assert page.request["PATH_INFO"] == "/mon-compte/securite/confirmer/"
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time()
    session.save()
    page = client.get(page.redirect_chain[-1][0], follow=True)
    assert "souhaite vous connaître" in page.content.decode()


def refused(client, fields, sentence):
    page = client.get(LOGIN, fields)
    assert page.status_code == 400
    assert sentence in page.content.decode()
    assert "SAMLResponse" not in page.content.decode()


def test_an_unsigned_request_is_refused_when_the_site_announces_signatures(party, juvignac):
    fields, _ = party(juvignac).request()
    for name in ("Signature", "SigAlg"):
        del fields[name]
    refused(Client(), fields, "mal signée")


def test_a_signature_that_does_not_hold_is_refused_even_when_none_is_demanded(party, juvignac):
    known = party(juvignac, signed=False)
    fields, _ = known.request(sign=True, sigalg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")
    assert "Signature" in fields
    refused(Client(), {**fields, "RelayState": "une autre page"}, "mal signée")


def test_another_address_of_return_is_refused(party, juvignac):
    known = party(juvignac, signed=False)
    fields, _ = known.request()
    forged = inflated(fields).replace("https://ancien.exemple.fr/saml/retour", "https://voleur.exemple/saml")
    assert "voleur" in forged
    refused(Client(), {"SAMLRequest": deflated(forged)}, "n’est pas la sienne")


def test_a_request_for_another_provider_is_refused(party, juvignac):
    known = party(juvignac, signed=False)
    fields, _ = known.request()
    forged = inflated(fields).replace("http://testserver/saml/connexion/", "https://autre.exemple/sso")
    refused(Client(), {"SAMLRequest": deflated(forged)}, "mal formée")


@pytest.mark.parametrize("shift", [timedelta(minutes=-6), timedelta(minutes=5), timedelta(days=-2)])
def test_a_request_out_of_its_time_is_refused(party, juvignac, shift):
    known = party(juvignac, signed=False)
    fields, _ = known.request()
    at = (datetime.now(UTC) + shift).strftime("%Y-%m-%dT%H:%M:%SZ")
    forged = re.sub(r'IssueInstant="[^"]+"', f'IssueInstant="{at}"', inflated(fields))
    page = Client().get(LOGIN, {"SAMLRequest": deflated(forged)})
    assert page.status_code == 400


def test_a_request_serves_once(party, juvignac):
    fields, _ = party(juvignac).request()
    assert Client().get(LOGIN, fields).status_code == 302
    refused(Client(), fields, "déjà servi")


def test_an_answer_is_given_once(party, agent_client, juvignac):
    known, client = party(juvignac), agent_client(juvignac, "secretaire")
    fields, _ = known.request()
    page = client.get(LOGIN, fields, follow=True)
    address = page.request["PATH_INFO"]
    answered(client.post(address, {"accord": "oui"}))
    assert client.post(address, {"accord": "oui"}).status_code == 404
    other = agent_client(juvignac, "dgs")
    fields, _ = known.request()
    token_of_another = client.get(LOGIN, fields)["Location"]
    assert other.get(token_of_another).status_code == 404


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        '<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><r>&b;</r>',
        "<r/>",
        "pas du XML",
        "",
    ],
)
def test_what_is_not_a_request_is_refused(secrets_dir, xml):
    page = Client().get(LOGIN, {"SAMLRequest": deflated(xml)})
    assert page.status_code == 400
    assert "root:" not in page.content.decode()


def test_a_bomb_is_not_inflated(secrets_dir):
    bomb = deflated("<r>" + "a" * 50_000_000 + "</r>")
    refused(Client(), {"SAMLRequest": bomb}, "volumineuse")
    refused(Client(), {"SAMLRequest": "QUJD" * 20_000}, "volumineuse")
    refused(Client(), {}, "vide")


def test_an_unknown_or_suspended_site_is_refused(party, agent_client, juvignac):
    known = party(juvignac, live=False)
    fields, _ = known.request()
    refused(Client(), fields, "n’est pas connu")
    services.approve(known.site, seen=known.site.fingerprint, by=None, actor=None)
    fields, _ = known.request()
    client = agent_client(juvignac, "secretaire")
    page = client.get(LOGIN, fields)
    services.suspend(known.site, actor=None)
    assert client.get(page["Location"]).status_code == 400
    fields, _ = known.request()
    refused(Client(), fields, "n’est pas connu")


ELEMENT = r"<((?:\w+:)?{name})[ >].*?</\1>"


def element(xml, name):
    """The first element of this local name, with all that it holds."""
    return re.search(ELEMENT.format(name=name), xml, re.S)[0]


def wrapped(genuine, how):
    """A forged request that carries the ``genuine`` one, whose signature still holds, where ``how`` says."""
    head = re.match(r"<(?:\w+:)?AuthnRequest[^>]+>", genuine)[0]
    end = re.search(r"</(?:\w+:)?AuthnRequest>$", genuine)[0]
    forged_head = re.sub(r' ID="[^"]+"', ' ID="id-forge"', head).replace("/saml/retour", "/saml/ailleurs")
    issuer, signature = element(genuine, "Issuer"), element(genuine, "Signature")
    unsigned = genuine.replace(signature, "")
    opening, closing = re.match(r"<[^>]+>", signature)[0], re.search(r"</[^>]+>$", signature)[0]
    prefix = opening[1:].split("Signature")[0]
    if how == "inside_the_signature":
        inside = f"<{prefix}Object>{unsigned}</{prefix}Object>"
        return forged_head + issuer + signature.removesuffix(closing) + inside + closing + end
    extensions = re.sub("AuthnRequest.*", "Extensions>", head.split()[0])
    kept = unsigned if how == "beside_the_signature" else genuine
    beside = signature if how == "beside_the_signature" else ""
    return forged_head + issuer + beside + extensions + kept + extensions.replace("<", "</") + end


@pytest.mark.parametrize("how", ["inside_the_signature", "beside_the_signature", "whole_in_the_extensions"])
def test_a_wrapped_signature_is_refused(party, juvignac, how):
    """A signed request hidden inside a forged one, sent by POST: what is read must be what is signed."""
    known = party(juvignac)
    signed = known.client.create_authn_request(
        "http://testserver/saml/connexion/", sign=True,
        sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
    )[1]  # fmt: skip
    genuine = re.sub(r"<\?xml[^>]+\?>\s*", "", str(signed)).strip()
    posted = lambda xml: Client().post(LOGIN, {"SAMLRequest": base64.b64encode(xml.encode()).decode()})  # noqa: E731
    forged = wrapped(genuine, how)
    assert len(etree.fromstring(forged).findall(".//{*}AuthnRequest")) == 1, "the genuine request is inside"
    assert posted(forged).status_code == 400
    assert posted(genuine.replace("/saml/retour", "/saml/autre")).status_code == 400
    assert posted(genuine).status_code == 302


def test_without_the_program_that_signs_the_portal_says_so(secrets_dir, monkeypatch):
    monkeypatch.setattr(messages.shutil, "which", lambda name: None)
    for path in ("metadata", "connexion", "deconnexion"):
        page = Client().get(f"/saml/{path}/")
        assert page.status_code == 503
        assert "xmlsec1" in page.content.decode()


def test_an_answer_never_leaves_for_an_address_that_the_site_gave_up(party, agent_client, juvignac):
    """Metadata approved between the request and the answer."""
    known = party(juvignac, signed=False)
    fields, _ = known.request()
    client = agent_client(juvignac, "secretaire")
    page = client.get(LOGIN, fields)
    moved = known.site.metadata.replace("/saml/retour", "/saml/ailleurs")
    services.change(known.site, {}, moved.encode(), actor=None)
    with acting_for(juvignac):
        waiting = SamlSite.objects.get()
    assert client.get(page["Location"]).status_code == 200, "what is in force stays until the approval"
    services.approve(waiting, seen=waiting.fingerprint, by=None, actor=None)
    answer = client.get(page["Location"])
    assert answer.status_code == 400
    assert "vient de changer d’adresse" in answer.content.decode()

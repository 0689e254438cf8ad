"""What a site learns of the company that a person acts for: the one chosen in the session, and no other."""

import pytest

from parvis.core.entities import services as entities
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider.claims import choices, readable
from parvis.core.provider.models import Grant
from parvis.core.provider.sites import Site
from tests.core.provider.party import answered, login

pytestmark = pytest.mark.django_db
SIRET, RNA = "73282932000074", "W341000123"
CONSENT = "/identite/o/consentement"


@pytest.fixture
def company(citizen):
    return entities.told_by_proconnect(citizen, SIRET, name="Négoce d’Oc", checked=True, issuer="https://pc.test")


@pytest.fixture
def association(citizen):
    return entities.declare(citizen, RNA, kind="association", name="Les Amis de l’étang", role="benevole")


@pytest.fixture
def site(make_site, juvignac):
    return make_site(juvignac, scopes=["openid", "entreprise"])


def choose(site, browser, page, pour):
    answer = browser.post(CONSENT, {"demande": page.context["signed"], "decision": "accepter", "pour": pour})
    return site.exchange(answered(answer)["code"]).json()["access_token"]


def told(site, token):
    return site.userinfo(token).json().get("entreprise")


def test_the_page_shows_what_would_be_sent_of_each_and_sends_the_one_chosen(site, browser, company, association):
    page = site.ask(browser)
    text = page.content.decode()
    assert company.described in text
    assert "SIRET\u00a0732\u00a0829\u00a0320\u00a000074, rôle non précisé (vérifié par ProConnect)" in text
    assert "RNA\u00a0W341\u00a0000\u00a0123, bénévole habilité (déclaré)" in text
    token = choose(site, browser, page, str(association.pk))
    assert told(site, token) == {"rna": RNA, "role": "benevole", "verified": False, "role_verified": False}


def test_a_verified_company_is_told_as_such(site, browser, company):
    token = choose(site, browser, site.ask(browser), str(company.pk))
    assert told(site, token) == {"siret": SIRET, "role": "non_precise", "verified": True, "role_verified": False}


def test_for_oneself_nothing_is_told(site, browser, company):
    assert told(site, choose(site, browser, site.ask(browser), "")) is None


def test_without_entity_nothing_is_asked(site, browser):
    assert told(site, site.tokens(browser)["access_token"]) is None


def test_the_choice_holds_for_the_session_and_follows_the_switch(site, browser, citizen, company, association):
    choose(site, browser, site.ask(browser), str(company.pk))
    assert told(site, site.tokens(browser)["access_token"])["siret"] == SIRET
    browser.post("/mon-compte/entreprises/agir/", {"role": str(association.pk)})
    assert told(site, site.tokens(browser)["access_token"])["rna"] == RNA
    assert site.ask(login(citizen)).status_code == 200, "another session is asked again"


def test_a_silent_request_says_that_a_choice_is_needed(site, browser, company):
    assert answered(site.ask(browser, prompt="none"))["error"] == "interaction_required"


@pytest.mark.parametrize("pour", [None, "0197c0de-0000-7000-8000-000000000000", "x"])
def test_a_yes_without_a_sound_choice_is_asked_again(site, browser, company, pour):
    page = site.ask(browser)
    sent = {"demande": page.context["signed"], "decision": "accepter", **({"pour": pour} if pour else {})}
    answer = browser.post(CONSENT, sent)
    assert answer.status_code == 422
    assert "Choisissez pour qui" in answer.content.decode()


def test_nobody_logs_in_for_the_company_of_somebody_else(site, browser, company):
    from parvis.core.identity.models import Account

    other = Account.objects.create_user("b@exemple.test", given_name="B", family_name="B", population="usager")
    theirs = entities.declare(other, SIRET, kind="entreprise", name="Négoce", role="representant")
    page = site.ask(browser)
    answer = browser.post(CONSENT, {"demande": page.context["signed"], "decision": "accepter", "pour": str(theirs.pk)})
    assert answer.status_code == 422


def test_a_role_that_ended_is_told_no_more(site, browser, company):
    token = choose(site, browser, site.ask(browser), str(company.pk))
    entities.end(company)
    assert told(site, token) is None


def test_a_site_that_does_not_ask_is_told_nothing(make_site, juvignac, browser, citizen, company):
    site = make_site(juvignac, scopes=["openid", "profile"])
    browser.post("/mon-compte/entreprises/agir/", {"role": str(company.pk)})
    assert told(site, site.tokens(browser)["access_token"]) is None
    with identity_of(citizen.pk):
        assert Grant.objects.get().entity is None


def test_administrators_read_the_claim_with_an_invented_company(site):
    claim = choices(["entreprise"])["entreprise.entreprise"]
    assert claim.example == "SIRET 732\u00a0829\u00a0320\u00a000074, salarié habilité"
    assert readable(None, Site.of(site.service.client), ["entreprise.entreprise"]) == []

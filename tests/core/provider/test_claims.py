"""What sites learn of a person: the values of the scopes granted, with their marks, and nothing else."""

import pytest

from parvis.core.identity import profile
from parvis.core.identity.contributions import contributions
from parvis.core.identity.models import ProfileAttribute
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider import leaving, services
from parvis.core.provider.claims import SCOPES, choices, claims_for, example, readable
from parvis.core.provider.models import Consent, Grant, Subject
from parvis.core.provider.sites import Site
from tests.core.provider.party import ACTOR, answered, registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def known(citizen):
    """A person whose civil identity was verified and who declared the rest."""
    for name, value in {
        "nom_naissance": "Dupré-Santoro",
        "prenoms": ["Camille", "Andrée"],
        "naissance_date": "1962-08-00",
        "sexe": "feminin",
        "naissance_pays": "99100",
        "naissance_commune": "34172",
    }.items():
        profile.set_verified(citizen, name, value, "franceconnect")
    address = {"voie": "1 place de l’Hôtel de ville", "code_postal": "34990", "commune": "Juvignac"}
    profile.declare(citizen, {"nom_usage": "Santoro", "telephone_mobile": "06 12 34 56 78", "adresse": address})
    return citizen


def test_each_scope_gives_its_claims_and_no_other(make_site, juvignac, known, browser):
    site = make_site(juvignac, scopes=list(SCOPES))
    expected = {
        "profile": {"given_name": "Camille", "family_name": "Dupré-Santoro", "preferred_username": "Santoro",
                    "birthdate": "1962-08-00", "gender": "female", "locale": "fr-FR"},
        "email": {"email": "camille@exemple.test", "email_verified": False},
        "phone": {"phone_number": "+33612345678", "phone_number_verified": False},
        "birth": {"birthplace": "34172", "birthcountry": "99100"},
        "agent": {},
    }  # fmt: skip
    for scope, claims in expected.items():
        tokens = site.tokens(browser, scope=f"openid {scope}")
        learned = site.userinfo(tokens["access_token"]).json()
        assert ("updated_at" in learned) == (scope == "profile")
        assert {k: v for k, v in learned.items() if k not in ("sub", "updated_at")} == claims
        assert not set(claims) & set(site.claims(tokens["id_token"])), "the ID token names nobody"
    tokens = site.tokens(browser, scope="openid address identite_verifiee")
    learned = site.userinfo(tokens["access_token"]).json()
    assert learned["address"]["locality"] == "Juvignac"
    assert learned["address"]["postal_code"] == "34990"
    assert learned["identite_verifiee"] is True
    assert learned["identite_sources"]["nom_naissance"] == "franceconnect"


def test_the_profile_says_when_it_last_changed(make_site, juvignac, known, browser):
    site = make_site(juvignac, scopes=["openid", "profile"])
    told = site.userinfo(site.tokens(browser)["access_token"]).json()["updated_at"]
    with identity_of(known.pk):
        assert told == int(max(a.updated_at for a in ProfileAttribute.objects.all()).timestamp())
        ProfileAttribute.objects.all().delete()
    known.refresh_from_db()
    assert site.userinfo(site.tokens(browser)["access_token"]).json()["updated_at"] == int(known.created_at.timestamp())


def test_the_commune_is_the_one_that_the_person_chose(make_site, juvignac, fabregues, citizen, browser):
    site = make_site(fabregues, scopes=["openid", "commune"])
    assert "commune" not in site.userinfo(site.tokens(browser)["access_token"]).json()
    juvignac.insee = "34123"
    juvignac.save()
    citizen.commune = juvignac
    citizen.save()
    assert site.userinfo(site.tokens(browser)["access_token"]).json()["commune"] == "34123"
    lines = readable(citizen, Site.of(site.service.client), ["commune.commune"])
    assert lines == [("Commune choisie", "Commune de Juvignac (34123)")]


def test_a_claim_left_out_is_neither_shown_nor_sent(make_site, juvignac, known, browser):
    kept = ["profile.given_name", "email.email"]
    site = make_site(juvignac, relation="tiers", agreement="demander", claims=kept)
    page = site.ask(browser)
    assert "1962" not in page.content.decode()
    answer = browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})
    tokens = site.exchange(answered(answer)["code"]).json()
    learned = site.userinfo(tokens["access_token"]).json()
    assert set(learned) == {"sub", "given_name", "locale", "email", "email_verified"}


def test_a_claim_taken_later_is_asked_first_and_never_sent_to_an_older_login(
    make_site, juvignac, known, browser, platform_admin
):
    facts = {"relation": "tiers", "agreement": "demander", "scopes": ["openid", "profile"]}
    site = make_site(juvignac, claims=["profile.given_name"], **facts)
    services.allow(known, services.covered(known, site.service.client, site.service.scopes))
    older = site.tokens(browser)["access_token"]
    with acting_for(juvignac):
        services.change(site.service, registration(**facts), actor=ACTOR)
        wider = services.service_for(juvignac.pk, site.service.pk)
        services.approve(wider, seen=services.fingerprint(wider), by=platform_admin, actor=ACTOR)
    assert "birthdate" not in site.userinfo(older).json()
    page = site.ask(browser)
    assert page.status_code == 200
    assert "1962-08-00" in page.content.decode()


def test_a_claim_given_up_is_sent_no_more(make_site, juvignac, known, browser, platform_admin):
    site = make_site(juvignac, scopes=["openid", "profile"])
    older = site.tokens(browser)["access_token"]
    with acting_for(juvignac):
        narrower = registration(scopes=["openid", "profile"], claims=["profile.given_name"])
        services.change(site.service, narrower, actor=ACTOR)
        service = services.service_for(juvignac.pk, site.service.pk)
        services.approve(service, seen=services.fingerprint(service), by=platform_admin, actor=ACTOR)
    assert set(site.userinfo(older).json()) == {"sub", "given_name", "locale"}


def test_declared_names_are_not_a_verified_identity(site, citizen):
    registered = Site.of(site.service.client)
    profile.declare(citizen, {"nom_naissance": "Usager"})
    assert claims_for(citizen, registered, ["identite_verifiee"], list(choices(SCOPES)))["identite_verifiee"] is False


def test_the_consent_page_says_values_in_french(site, known):
    lines = dict(readable(known, Site.of(site.service.client), list(choices(SCOPES))))
    assert lines["Sexe"] == "féminin"
    assert lines["Identité vérifiée"] == "oui"
    assert "34990 Juvignac" in lines["Adresse postale"]
    assert not any(name in "".join(lines) for name in ("given_name", "birthdate"))


def test_the_preview_shows_every_claim_that_would_be_sent(site, known):
    names = set(claims_for(known, Site.of(site.service.client), list(SCOPES), list(choices(SCOPES))))
    assert names <= set(example(list(SCOPES), list(choices(SCOPES))))
    assert known.email not in str(example(list(SCOPES), list(choices(SCOPES))))


def test_the_export_of_an_account_lists_its_sites_and_its_end_forgets_them(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, agreement="demander", name="Médiathèque")
    services.allow(citizen, services.covered(citizen, site.service.client, site.service.scopes))
    tokens = site.tokens(browser)
    part = next(c for c in contributions() if c.code == "services_relies")
    with identity_of(citizen.pk):
        assert [r["service"] for r in part.records(citizen)] == ["Médiathèque"]
    leaving.tell_sites(citizen)
    assert site.userinfo(tokens["access_token"]).status_code == 401
    with identity_of(citizen.pk):
        assert leaving.erase(citizen) == 3
        assert not any(m.objects.exists() for m in (Grant, Consent, Subject))

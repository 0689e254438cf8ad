"""What sites learn of a person: the values of the scopes granted, with their marks, and nothing else."""

import pytest

from parvis.core.identity import profile
from parvis.core.identity.contributions import contributions
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import leaving, services
from parvis.core.provider.claims import SCOPES, claims_for, example, readable
from parvis.core.provider.models import Consent, Grant, Subject
from parvis.core.provider.sites import Site

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
        assert {k: v for k, v in learned.items() if k != "sub"} == claims
        assert not set(claims) & set(site.claims(tokens["id_token"])), "the ID token names nobody"
    tokens = site.tokens(browser, scope="openid address identite_verifiee")
    learned = site.userinfo(tokens["access_token"]).json()
    assert learned["address"]["locality"] == "Juvignac"
    assert learned["address"]["postal_code"] == "34990"
    assert learned["identite_verifiee"] is True
    assert learned["identite_sources"]["nom_naissance"] == "franceconnect"


def test_declared_names_are_not_a_verified_identity(site, citizen):
    registered = Site.of(site.service.client)
    profile.declare(citizen, {"nom_naissance": "Usager"})
    assert claims_for(citizen, registered, ["identite_verifiee"])["identite_verifiee"] is False


def test_the_consent_page_says_values_in_french(site, known):
    lines = dict(readable(known, Site.of(site.service.client), list(SCOPES)))
    assert lines["Sexe"] == "féminin"
    assert lines["Identité vérifiée"] == "oui"
    assert "34990 Juvignac" in lines["Adresse postale"]
    assert not any(name in "".join(lines) for name in ("given_name", "birthdate"))


def test_the_preview_shows_every_claim_that_would_be_sent(site, known):
    names = set(claims_for(known, Site.of(site.service.client), list(SCOPES)))
    assert names <= set(example(list(SCOPES)))
    assert known.email not in str(example(list(SCOPES)))


def test_the_export_of_an_account_lists_its_sites_and_its_end_forgets_them(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, agreement="demander", name="Médiathèque")
    services.allow(citizen, site.service.client, site.service.scopes)
    tokens = site.tokens(browser)
    part = next(c for c in contributions() if c.code == "services_relies")
    with identity_of(citizen.pk):
        assert [r["service"] for r in part.records(citizen)] == ["Médiathèque"]
    leaving.tell_sites(citizen)
    assert site.userinfo(tokens["access_token"]).status_code == 401
    with identity_of(citizen.pk):
        assert leaving.erase(citizen) == 3
        assert not any(m.objects.exists() for m in (Grant, Consent, Subject))

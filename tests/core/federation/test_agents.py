"""Agents through ProConnect: the SIRET names the collectivity, its administration lets them in, no role comes along."""

import time

import pytest
from django.test import Client

from parvis.core import clock
from parvis.core.entities import services as entities
from parvis.core.federation import agents, companies, links
from parvis.core.federation.models import ActivationRequest
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.models import Invitation
from parvis.core.organisations.tenancy import acting_for
from tests.core.federation.conftest import parameters

pytestmark = pytest.mark.django_db
PAULE = "paule.durable@juvignac.test"
ASSURANCE = "https://proconnect.gouv.fr/assurance/"
CHECKED = f"{ASSURANCE}consistency-checked"


@pytest.fixture(autouse=True)
def _communes(juvignac, fabregues):
    return juvignac, fabregues


@pytest.fixture
def administrator(agent_client, juvignac):
    return agent_client(juvignac, "administrateur")


def invited(organisation, email=PAULE, **fields):
    with acting_for(organisation):
        now = clock.now()
        values = {
            "given_name": "Paule", "family_name": "Durable", "role": "lecteur", "start": clock.today(),
            "created_at": now, "sent_at": now, "digest": "d" * 64,
        }  # fmt: skip
        return Invitation.objects.create(organisation=organisation, email=email, **{**values, **fields})


def declared(administrator, domain="juvignac.test"):
    return administrator.post("/o/juvignac/administration/activations/domaines/", {"domain": domain})


def prepared(account: Account) -> None:
    """The account waits for its holder: nobody has chosen a password for it."""
    account.set_unusable_password()
    account.save(update_fields=["password"])


def requests_of(organisation) -> list[ActivationRequest]:
    with acting_for(organisation):
        return list(ActivationRequest.objects.filter(organisation=organisation))


def who(client):
    key = client.session.get("_auth_user_id")
    return Account.objects.get(pk=key) if key else None


# --- what is asked ------------------------------------------------------------------------------------------
def test_request_has_no_parameter_that_proconnect_refuses(proconnect, browser):
    asked = parameters(proconnect.leave(browser))
    allowed = {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "claims",
        "acr_values",
        "prompt",
    }
    assert set(asked) <= allowed
    assert set(asked["scope"].split()) >= {"openid", "given_name", "usual_name", "email", "uid", "siret", "idp_id"}
    assert asked["redirect_uri"].endswith("/federation/proconnect/retour/")


def test_pkce_is_left_out_even_where_proconnect_announces_it(proconnect, browser):
    proconnect.fault(announces_pkce=True)
    assert not {name for name in parameters(proconnect.leave(browser)) if name.startswith("code_challenge")}


# --- (c) unknown agent --------------------------------------------------------------------------------------
def test_unknown_agent_waits_for_the_administration_and_gets_nothing(proconnect, browser, juvignac, fabregues):
    answer = proconnect.log_in(browser, "p.durable")
    assert answer["Location"] == "/federation/agent/"
    page = browser.get("/federation/agent/").content.decode()
    assert "Votre compte doit être activé par l’administrateur de la commune de Juvignac" in page
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    assert (asked.uid, asked.siret, asked.email) == ("p.durable", "21340123500014", PAULE)
    assert requests_of(fabregues) == []
    assert who(browser) is None
    assert not Account.objects.filter(email=PAULE).exists()
    assert browser.post("/federation/agent/").status_code == 200, "nothing to confirm"
    assert browser.post("/federation/nouveau-compte/", {"email": ""})["Location"] == "/federation/agent/"


def test_same_address_as_an_agent_is_not_enough(proconnect, browser, juvignac, account_for):
    account = account_for(juvignac, "secretaire", email=PAULE)
    proconnect.log_in(browser, "p.durable")
    browser.post("/federation/agent/")
    assert who(browser) is None
    assert links.identities_of(account) == []
    assert len(requests_of(juvignac)) == 1


# --- (a) and (b) invitations --------------------------------------------------------------------------------
def test_b_address_counts_only_with_an_invitation_and_a_declared_domain(proconnect, administrator, juvignac):
    invited(juvignac)
    client = Client()
    proconnect.log_in(client, "p.durable")
    assert "doit être activé" in client.get("/federation/agent/").content.decode()
    assert declared(administrator).status_code == 302
    assert "vous invite" in client.get("/federation/agent/").content.decode().replace("\n", " ")
    answer = client.post("/federation/agent/")
    assert answer.status_code == 302
    account = who(client)
    assert account.email == PAULE
    assert account.population == "agent"
    with acting_for(juvignac):
        assert [m.role for m in Mandate.objects.filter(account=account)] == ["lecteur"], (
            "the invitation's, not ProConnect's"
        )
        assert Invitation.objects.get(email=PAULE).accepted_by == account
    assert [row.provider for row in links.identities_of(account)] == ["proconnect"]


def test_b_a_declared_domain_without_invitation_opens_nothing(proconnect, administrator, browser):
    declared(administrator)
    proconnect.log_in(browser, "p.durable")
    browser.post("/federation/agent/")
    assert who(browser) is None


def test_a_same_identifier_as_the_invitation(proconnect, browser, juvignac):
    invited(juvignac, email="autre.adresse@ailleurs.test", staff_number="p.durable", family_name="DURABLÉ")
    proconnect.fault(lower_acr=CHECKED)
    proconnect.log_in(browser, "p.durable")
    browser.post("/federation/agent/")
    account = who(browser)
    assert account.email == "autre.adresse@ailleurs.test"
    assert account.email_verified_at is None, "ProConnect gave another address"


@pytest.mark.parametrize(
    ("name", "acr"),
    [("Passager", CHECKED), ("Durable", f"{ASSURANCE}self-asserted"), ("Durable", f"{ASSURANCE}self-asserted-2fa")],
)
def test_a_number_opens_nothing_to_another_name_nor_at_a_self_asserted_level(proconnect, browser, juvignac, name, acr):
    invited(juvignac, email="autre.adresse@ailleurs.test", staff_number="p.durable", family_name=name)
    proconnect.fault(lower_acr=acr)
    proconnect.log_in(browser, "p.durable")
    browser.post("/federation/agent/")
    assert who(browser) is None


@pytest.mark.parametrize("state", ["revoked", "expired", "elsewhere"])
def test_invitations_that_no_longer_hold_open_nothing(proconnect, administrator, browser, juvignac, fabregues, state):
    declared(administrator)
    from datetime import timedelta

    if state == "elsewhere":
        invited(fabregues)
    else:
        past = clock.now() - timedelta(days=8)
        invited(juvignac, **({"revoked_at": clock.now()} if state == "revoked" else {"sent_at": past}))
    proconnect.log_in(browser, "p.durable")
    browser.post("/federation/agent/")
    assert who(browser) is None


def test_an_account_of_several_organisations_is_opened_by_none_of_them(
    proconnect, administrator, browser, juvignac, fabregues, account_for
):
    account = account_for(fabregues, "maire", email=PAULE)
    declared(administrator)
    invited(juvignac)
    proconnect.log_in(browser, "p.durable")
    page = browser.get("/federation/agent/").content.decode()
    assert "Connectez-vous d’abord" in page
    answer = browser.post("/federation/agent/")
    assert answer.status_code == 409
    assert "Votre compte sert déjà" in answer.content.decode()
    assert who(browser) is None
    assert links.identities_of(account) == []


def test_public_domains_are_not_declared(administrator):
    for domain in ("gmail.com", "@orange.fr", "pas un domaine", "juvignac"):
        answer = declared(administrator, domain)
        assert answer.status_code == 422, domain


# --- the queue ----------------------------------------------------------------------------------------------
def test_administration_says_whose_account_it_is_and_the_agent_confirms(
    proconnect, administrator, browser, juvignac, account_for
):
    account = account_for(juvignac, "secretaire")
    prepared(account)
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    page = administrator.get("/o/juvignac/administration/activations/").content.decode()
    assert "Maël Simple" in page
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/accepter/", {"account": account.pk})
    assert links.identities_of(account) == [], "the agent confirms first"
    assert "donné accès à votre compte" in browser.get("/federation/agent/").content.decode()
    browser.post("/federation/agent/")
    assert len(links.identities_of(account)) == 1
    assert requests_of(juvignac)[0].state == "linked"


def test_an_administration_does_not_open_an_account_that_has_a_holder(
    proconnect, administrator, browser, juvignac, account_for
):
    """Else an administrator would give their own ProConnect identity the account of the maire, who signs."""
    maire = account_for(juvignac, "maire")
    proconnect.log_in(browser, "p.durable")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/accepter/", {"account": maire.pk})
    assert "Connectez-vous d’abord" in browser.get("/federation/agent/").content.decode()
    answer = browser.post("/federation/agent/")
    assert answer.status_code == 409
    assert "Votre compte sert déjà" in answer.content.decode()
    assert who(browser) is None
    assert links.identities_of(maire) == []


def test_administration_may_refuse(proconnect, administrator, browser, juvignac):
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/refuser/")
    assert "pas donné suite" in browser.get("/federation/agent/").content.decode()
    again = administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/refuser/", follow=True)
    assert "déjà été traitée" in again.content.decode()


def test_nobody_decides_for_their_own_account(proconnect, administrator, browser, juvignac):
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    address = f"/o/juvignac/administration/activations/{asked.pk}/accepter/"
    administrator.post(address, {"account": administrator.account.pk})
    assert requests_of(juvignac)[0].state == "waiting"


def test_another_organisations_queue_is_out_of_reach(
    proconnect, agent_client, browser, juvignac, fabregues, account_for
):
    account = account_for(fabregues, "secretaire")
    foreign = agent_client(fabregues, "administrateur")
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    for slug in ("juvignac", "fabregues"):
        address = f"/o/{slug}/administration/activations/{asked.pk}/accepter/"
        assert foreign.post(address, {"account": account.pk}).status_code == 404
    assert requests_of(juvignac)[0].state == "waiting"


def test_an_account_of_another_organisation_cannot_be_named(
    proconnect, administrator, browser, juvignac, fabregues, account_for
):
    stranger = account_for(fabregues, "maire")
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/accepter/", {"account": stranger.pk})
    assert requests_of(juvignac)[0].state == "waiting"


# --- (d) second factor --------------------------------------------------------------------------------------
def linked(proconnect, client, login):
    proconnect.log_in(client, login)
    answer = client.post("/federation/relier/")
    assert answer.status_code == 302
    return client.account


def test_d_second_factor_proved_by_proconnect_is_not_asked_again(proconnect, agent_client, juvignac, browser):
    account = linked(proconnect, agent_client(juvignac, "secretaire"), "p.durable")
    answer = proconnect.log_in(browser, "p.durable")
    assert "mfa" not in answer["Location"]
    assert who(browser) == account
    record = browser.session["account_authentication_methods"][-1]
    assert record["method"] == "proconnect"
    assert "mfa" in record["amr"]


def test_d_agent_without_a_factor_here_works_with_the_one_proved_by_proconnect(
    proconnect, browser, administrator, juvignac, account_for
):
    account = account_for(juvignac, "lecteur")
    prepared(account)
    proconnect.log_in(browser, "p.durable")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/accepter/", {"account": account.pk})
    browser.post("/federation/agent/")
    Account.objects.filter(pk=account.pk).update(created_at="2019-01-01T00:00Z")
    assert who(browser) == account
    assert browser.get("/o/juvignac/seances/").status_code == 200


def test_d_second_factor_not_proved_is_asked_here(proconnect, agent_client, juvignac, browser):
    linked(proconnect, agent_client(juvignac, "secretaire"), "m.simple")
    answer = proconnect.log_in(browser, "m.simple")
    assert answer["Location"].startswith("/compte/2fa/") or "mfa" in answer["Location"]
    assert who(browser) is None


def test_d_second_factor_may_be_demanded_of_proconnect(proconnect, browser, settings):
    settings.PARVIS_PROCONNECT_TWO_FACTORS = True
    address = proconnect.leave(browser)
    assert '"acr":{"essential":true' in parameters(address)["claims"]
    answer = proconnect.come_back(browser, proconnect.choose(address, "m.simple"))
    assert "n’avez pas continué" in answer.content.decode()
    assert proconnect.log_in(Client(), "p.durable")["Location"] == "/federation/agent/"


def test_d_a_lower_level_than_demanded_is_refused(proconnect, browser, settings, refusals):
    settings.PARVIS_PROCONNECT_TWO_FACTORS = True
    proconnect.fault(lower_acr="eidas1")
    assert proconnect.log_in(browser, "p.durable").status_code == 400
    assert refusals() == [("id_token.acr", {"reason": "id_token.acr", "acr": "eidas1"})]


# --- (e) the SIRET decides ----------------------------------------------------------------------------------
def test_e_logged_in_agent_links_the_siret_of_their_own_organisation_only(
    proconnect, agent_client, fabregues, juvignac
):
    stranger = agent_client(fabregues, "secretaire")
    proconnect.log_in(stranger, "p.durable")
    answer = stranger.post("/federation/relier/")
    assert answer.status_code == 409
    assert "n’est celui d’aucune organisation" in answer.content.decode()
    assert links.identities_of(stranger.account) == []
    assert len(links.identities_of(linked(proconnect, agent_client(juvignac, "secretaire"), "p.durable"))) == 1


def test_e_agent_whose_siret_changes_asks_the_new_organisation(proconnect, agent_client, juvignac, fabregues, browser):
    person = {"login": "i.mobile", "claims": {"given_name": "Ida", "usual_name": "Mobile", "siret": "21340123500014"},
              "second_factor": True}  # fmt: skip
    proconnect.tell(people=[person])
    account = linked(proconnect, agent_client(juvignac, "secretaire"), "i.mobile")
    person["claims"]["siret"] = "21340095500014"
    proconnect.tell(people=[person])
    proconnect.log_in(browser, "i.mobile")
    assert who(browser) == account
    assert len(requests_of(fabregues)) == 1
    assert not agents.has_mandate_in(account, fabregues), "a SIRET gives no right"


def test_e_agent_with_two_mandates_acts_for_both(proconnect, agent_client, juvignac, fabregues, account_for, browser):
    account = linked(proconnect, agent_client(juvignac, "secretaire"), "p.durable")
    account_for(fabregues, "secretaire", email=account.email)
    proconnect.log_in(browser, "p.durable")
    for slug in ("juvignac", "fabregues"):
        assert browser.get(f"/o/{slug}/seances/").status_code == 200


# --- professionals who are no agents ------------------------------------------------------------------------
def test_company_user_gets_an_account_of_usager(proconnect, browser):
    assert proconnect.log_in(browser, "g.negoce")["Location"] == "/federation/choix/"
    assert browser.post("/federation/nouveau-compte/", {"email": ""}).status_code == 302
    account = who(browser)
    assert account.population == "usager"
    assert account.full_name == "Gaël Négoce"
    (role,) = entities.roles_of(account)
    assert (role.number, role.source) == ("73282932000074", "proconnect")
    assert (role.role, role.role_verified) == ("non_precise", False), "ProConnect tells an employer, not a post"


def company_user(proconnect, browser, siret="73282932000074", acr=CHECKED, **claims):
    """Log in as Gaël, whom ProConnect says to be of the establishment ``siret`` at the level ``acr``."""
    told = {"given_name": "Gaël", "usual_name": "Négoce", "siret": siret, **claims}
    proconnect.tell(people=[{"login": "g.autre", "claims": told, "second_factor": False}])
    proconnect.fault(lower_acr=acr)
    if proconnect.log_in(browser, "g.autre")["Location"] == "/federation/choix/":
        browser.post("/federation/nouveau-compte/", {"email": ""})
    return who(browser)


def test_another_siret_adds_a_company_and_moves_none(proconnect, browser):
    account = company_user(proconnect, browser)
    assert company_user(proconnect, Client(), siret="55210055400013") == account
    assert {(r.number, r.verified) for r in entities.roles_of(account)} == {
        ("73282932000074", True),
        ("55210055400013", True),
    }
    company_user(proconnect, Client(), siret="55210055400013")
    assert len(entities.roles_of(account)) == 2, "nothing is added twice"


def test_a_self_asserted_siret_is_kept_as_told_and_not_as_verified(proconnect, browser):
    account = company_user(proconnect, browser, acr=f"{ASSURANCE}self-asserted")
    (role,) = entities.roles_of(account)
    assert (role.source, role.verified) == ("proconnect", False)
    assert role.mark == "transmis par ProConnect"


def test_only_the_certified_head_is_a_verified_representative(proconnect, browser):
    account = company_user(proconnect, browser, acr=f"{ASSURANCE}certification-dirigeant")
    (role,) = entities.roles_of(account)
    assert (role.role, role.role_verified) == ("representant", True)


@pytest.mark.parametrize("siret", ["", "73282932000075", "21340123500014"])
def test_a_siret_that_is_absent_wrong_or_ours_names_no_company(proconnect, citizen, logged_in, siret):
    account = citizen()
    client = logged_in(account)
    company_user(proconnect, client)
    client.post("/federation/relier/")
    (linked_one,) = entities.roles_of(account)
    company_user(proconnect, Client(), siret=siret)
    assert entities.roles_of(account) == [linked_one]


def test_unlinking_proconnect_leaves_a_declared_company(proconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    company_user(proconnect, client)
    client.post("/federation/relier/")
    assert [r.verified for r in entities.roles_of(account)] == [True]
    client.post("/federation/proconnect/delier/")
    (role,) = entities.roles_of(account)
    assert (role.source, role.verified, role.number) == ("declare", False, "73282932000074")


def test_usagers_account_takes_no_agents_proconnect(proconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    proconnect.log_in(client, "p.durable")
    answer = client.post("/federation/relier/")
    assert answer.status_code == 409
    assert "agent de la commune de Juvignac" in answer.content.decode()
    assert links.identities_of(account) == []


@pytest.mark.parametrize("siret", ["", "2134012350001", "99999999900014", "<script>", "21340123600014"])
def test_odd_siret_names_nobody(siret):
    from tests.core.federation.test_reconciliation import identity

    assert companies.organisation_of(identity(siret=siret)) is None


def test_old_session_does_not_let_an_administrator_decide(proconnect, administrator, browser, juvignac, account_for):
    account = account_for(juvignac, "secretaire")
    proconnect.log_in(browser, "m.simple")
    browser.get("/federation/agent/")
    (asked,) = requests_of(juvignac)
    session = administrator.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 600
    session.save()
    administrator.post(f"/o/juvignac/administration/activations/{asked.pk}/accepter/", {"account": account.pk})
    assert requests_of(juvignac)[0].state == "waiting"

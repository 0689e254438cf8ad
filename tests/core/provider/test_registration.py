"""Registration of sites: proposed by an organisation, approved by the platform, written down at each step."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider import services
from parvis.core.provider.models import Service
from parvis.core.provider.services import RegistrationRefused
from tests.core.provider.party import ACTOR, Site, answered, login, registration

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Site de Juvignac",
    "description": "Le site",
    "home_url": "https://site.juvignac.test/",
    "contact": "webmestre@juvignac.test",
    "relation": "propre",
    "type": "confidential",
    "authentication": "secret",
    "redirect_uris": "https://site.juvignac.test/retour\nhttps://site.juvignac.test/retour",
    "post_logout_uris": "",
    "backchannel_logout_url": "",
    "claims_profile": ["profile.given_name", "profile.family_name"],
    "agreement": "demander",
    "acr": "",
    "populations": ["usager"],
    "access_lifetime": "300",
    "id_lifetime": "300",
    "refresh_lifetime": "28800",
}


def address(name, organisation, **kwargs):
    return reverse(f"clients:{name}", kwargs={"organisation_slug": organisation.slug, **kwargs})


def test_a_site_is_proposed_approved_and_used(juvignac, agent_client, platform_admin, browser, make_site, run_jobs):
    administrator = agent_client(juvignac, "administrateur")
    answer = administrator.post(address("new", juvignac), FORM)
    assert answer.status_code == 302, answer.context and answer.context["form"].errors
    with acting_for(juvignac):
        service = Service.objects.get()
    assert service.state == "propose"
    assert service.redirect_uris == ["https://site.juvignac.test/retour"]
    detail = administrator.get(address("detail", juvignac, pk=service.pk)).content.decode()
    assert "En attente de la plateforme" in detail
    assert administrator.post(address("secret", juvignac, pk=service.pk)).status_code == 302, "no secret yet"

    platform = login(platform_admin, methods=(("mfa", "webauthn"),))
    assert "Site de Juvignac" in platform.get(reverse("provider:approvals")).content.decode()
    approval = reverse("provider:approval", kwargs={"organisation": juvignac.pk, "pk": service.pk})
    seen = platform.get(approval).context["seen"]
    assert platform.post(approval, {"decision": "refuser", "reason": ""}).status_code == 422
    assert platform.post(approval, {"decision": "approuver", "vu": seen}).status_code == 302

    page = administrator.post(address("secret", juvignac, pk=service.pk))
    secret = page.context["made"]
    assert secret in page.content.decode()
    assert secret not in administrator.get(address("detail", juvignac, pk=service.pk)).content.decode()
    assert secret not in administrator.get(address("secret", juvignac, pk=service.pk)).content.decode()
    assert "no-store" in page["Cache-Control"]

    with acting_for(juvignac):
        site = Site(services.service_for(juvignac.pk, service.pk), secret)
        actions = set(Entry.objects.values_list("action", flat=True))
    consent = site.ask(browser)
    answer = browser.post("/identite/o/consentement", {"demande": consent.context["signed"], "decision": "accepter"})
    assert site.exchange(answered(answer)["code"]).status_code == 200
    with acting_for(juvignac):
        assert services.service_for(juvignac.pk, service.pk).last_used_at is not None
    assert {"service_relie.propose", "service_relie.approuve", "service_relie.secret_cree"} <= actions
    mine = browser.get(reverse("provider:my_services")).content.decode()
    assert "Site de Juvignac" in mine
    assert browser.post(reverse("provider:withdraw", kwargs={"client_id": site.client_id})).status_code == 302
    assert browser.get(reverse("provider:withdraw", kwargs={"client_id": site.client_id})).status_code == 404


def test_a_change_waits_for_the_platform_and_what_is_in_force_stays(make_site, juvignac, browser, platform_admin):
    site = make_site(juvignac)
    new = "https://site.juvignac.test/nouvelle"
    with acting_for(juvignac):
        changed = services.change(site.service, registration(redirect_uris=[new]), actor=ACTOR)
        assert changed == ["redirect_uris"]
    assert site.ask(browser, redirect_uri=new).status_code == 400
    assert "code" in answered(site.ask(browser))
    with acting_for(juvignac):
        changed = services.service_for(juvignac.pk, site.service.pk)
        services.approve(changed, seen=services.fingerprint(changed), by=platform_admin, actor=ACTOR)
    assert "code" in answered(site.ask(browser, redirect_uri=new))
    assert site.ask(browser).status_code == 400


def test_what_is_approved_is_what_was_read(make_site, juvignac, agent_client, platform_admin, browser):
    site = make_site(juvignac, approved=False)
    platform = login(platform_admin, methods=(("mfa", "webauthn"),))
    page = reverse("provider:approval", kwargs={"organisation": juvignac.pk, "pk": site.service.pk})
    read = platform.get(page).content.decode()
    seen = re.search('name="vu" value="([0-9a-f]{64})"', read).group(1)
    with acting_for(juvignac):
        services.change(site.service, registration(home_url="https://autre.test/"), actor=ACTOR)
    for digest in (seen, "", "0" * 64):
        answer = platform.post(page, {"decision": "approuver", "vu": digest})
        assert answer.status_code == 409
        assert "relisez-la" in answer.content.decode()
        assert "https://autre.test/" in answer.content.decode()
    with acting_for(juvignac):
        assert services.service_for(juvignac.pk, site.service.pk).state == "propose"
    assert platform.post(page, {"decision": "approuver", "vu": answer.context["seen"]}).status_code == 302


def test_two_administrators_who_switch_a_site_at_once_do_it_once(make_site, juvignac, agent_client):
    """The page of the second one is older than what the first one did: it does what it said, and not the contrary."""
    site, administrator = make_site(juvignac), agent_client(juvignac, "administrateur")
    page = address("switch", juvignac, pk=site.service.pk)
    for gesture, state, refusal in (
        ("suspendre", "suspendu", "déjà suspendu"),
        ("remettre", "en_service", "pas suspendu"),
    ):
        assert f'name="geste" value="{gesture}"' in administrator.get(page).content.decode()
        for said in ("", refusal):
            assert said in administrator.post(page, {"geste": gesture}, follow=True).content.decode()
        with acting_for(juvignac):
            assert services.service_for(juvignac.pk, site.service.pk).state == state


def test_after_a_proof_the_page_says_what_was_asked_even_where_somebody_did_it_meanwhile(
    make_site, juvignac, agent_client
):
    site, administrator = make_site(juvignac), agent_client(juvignac, "administrateur")
    session = administrator.session
    session["account_authentication_methods"] = [
        {**record, "at": record["at"] - 3600} for record in session["account_authentication_methods"]
    ]
    session.save()
    asked = administrator.post(address("switch", juvignac, pk=site.service.pk), {"geste": "suspendre"})
    with acting_for(juvignac):
        services.suspend(site.service, actor=ACTOR, request=None)
    token = asked["Location"].partition("suite=")[2]
    shown = administrator.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()
    assert "Suspendre" in shown
    assert "Remettre en service" not in shown


def test_an_address_that_names_no_organisation_is_missing(make_site, juvignac, platform_admin):
    site, platform = make_site(juvignac), login(platform_admin, methods=(("mfa", "webauthn"),))
    for number in (10**20, juvignac.pk + 1000):
        page = reverse("provider:approval", kwargs={"organisation": number, "pk": site.service.pk})
        assert platform.get(page).status_code == 404


def test_what_stays_in_force_after_a_refused_change_can_still_be_suspended(make_site, juvignac, agent_client, browser):
    site = make_site(juvignac)
    with acting_for(juvignac):
        services.change(site.service, registration(acr="parvis:2"), actor=ACTOR)
        services.refuse(services.service_for(juvignac.pk, site.service.pk), "Trop exigeant", actor=ACTOR)
    client = agent_client(juvignac, "administrateur")
    place = {"organisation_slug": "juvignac", "pk": site.service.pk}
    switch = reverse("clients:switch", kwargs=place)
    assert f'href="{switch}"' in client.get(reverse("clients:detail", kwargs=place)).content.decode()
    client.post(switch, {"geste": "suspendre"})
    assert site.ask(browser).status_code == 400


def test_a_service_whose_change_was_refused_is_said_to_be_in_service(make_site, juvignac, agent_client, platform_admin):
    site, administrator = make_site(juvignac), agent_client(juvignac, "administrateur")
    platform = login(platform_admin, methods=(("mfa", "webauthn"),))
    approval = reverse("provider:approval", kwargs={"organisation": juvignac.pk, "pk": site.service.pk})
    with acting_for(juvignac):
        services.change(site.service, registration(acr="parvis:2"), actor=ACTOR)
    platform.post(approval, {"decision": "refuser", "reason": "Trop exigeant"})
    table = administrator.get(address("list", juvignac)).content.decode()
    assert "en service" in table
    assert "dernière modification refusée" in table
    assert "Trop exigeant" in table
    assert ">refusé<" not in table
    page = administrator.get(address("detail", juvignac, pk=site.service.pk)).content.decode()
    assert "Le service est en service. La plateforme a refusé la dernière modification." in page
    assert "Modification refusée" in page
    assert "Dernière modification refusée : Trop exigeant" in platform.get(approval).content.decode()
    assert ">en service<" in platform.get(reverse("provider:approvals")).content.decode()


def test_a_refused_change_is_not_asked_again_when_the_service_is_put_back(make_site, juvignac):
    site = make_site(juvignac)
    with acting_for(juvignac):
        services.change(site.service, registration(acr="parvis:2"), actor=ACTOR)
        services.refuse(site.service, "Trop exigeant", actor=ACTOR)
        services.suspend(site.service, actor=ACTOR)
        services.reactivate(site.service, actor=ACTOR)
        found = services.service_for(juvignac.pk, site.service.pk)
        assert (found.state, found.refusal) == ("en_service", "Trop exigeant")
        services.change(found, registration(acr="eidas1"), actor=ACTOR)
        found = services.service_for(juvignac.pk, site.service.pk)
        assert (found.state, found.refusal) == ("modifie", "")


def test_an_approval_does_not_revive_what_the_organisation_suspended(make_site, juvignac, browser, platform_admin):
    site = make_site(juvignac)
    with acting_for(juvignac):
        services.suspend(site.service, actor=ACTOR)
        assert services.change(site.service, registration(acr="parvis:2"), actor=ACTOR) == ["acr"]
        changed = services.service_for(juvignac.pk, site.service.pk)
        assert changed.state == "suspendu"
        with pytest.raises(RegistrationRefused, match="Rien n’attend"):
            services.approve(changed, seen=services.fingerprint(changed), by=platform_admin, actor=ACTOR)
    assert site.ask(browser).status_code == 400
    with acting_for(juvignac):
        services.reactivate(site.service, actor=ACTOR)
        assert services.service_for(juvignac.pk, site.service.pk).state == "modifie", "and now the platform is asked"
    assert "code" in answered(site.ask(browser)), "meanwhile what had been approved is in force"


def test_a_refused_change_leaves_what_is_in_force(make_site, juvignac, browser):
    site = make_site(juvignac)
    with acting_for(juvignac):
        services.change(site.service, registration(scopes=["openid"]), actor=ACTOR)
        services.refuse(site.service, "Inutile", actor=ACTOR)
        assert services.service_for(juvignac.pk, site.service.pk).refusal == "Inutile"
    assert "code" in answered(site.ask(browser, scope="openid profile"))


def test_the_sector_of_an_approved_site_never_changes(make_site, juvignac):
    site = make_site(juvignac)
    with acting_for(juvignac), pytest.raises(RegistrationRefused, match="identifiant"):
        services.change(site.service, registration(relation="tiers", agreement="demander"), actor=ACTOR)


def test_secrets_overlap_while_they_rotate(make_site, juvignac, browser, monkeypatch):
    site = make_site(juvignac)
    old = site.secret
    with acting_for(juvignac):
        new = services.rotate_secret(site.service, actor=ACTOR)
    for secret in (old, new):
        site.secret = secret
        assert site.exchange(site.code(browser)).status_code == 200
    import time as real

    later = real.time() + 8 * 86400
    monkeypatch.setattr("parvis.core.provider.sites.time.time", lambda: later)
    registered = services.Site.of(site.service.client.__class__.objects.get(pk=site.client_id))
    assert not registered.accepts(old)
    assert registered.accepts(new)
    monkeypatch.undo()
    with acting_for(juvignac):
        assert services.drop_old_secrets(site.service, actor=ACTOR) == 1
    site.secret = old
    assert site.exchange(site.code(browser)).status_code == 401


@pytest.mark.parametrize(
    "bad",
    [
        "http://site.juvignac.test/retour",
        "https://*.juvignac.test/retour",
        "https://site.juvignac.test/retour#a",
        "https://moi@site.juvignac.test/retour",
        "https://SITE.juvignac.test/retour",
        "https://site.juvignac.test\\@ailleurs.test/",
        "https:///retour",
        "javascript:alert(1)",
        "https://site.juvignac.test:99999/",
        "https://[::1",
        "https://site.juvignac.test/é",
        "retour",
        "https://a.test;script-src/",
        "https://a.test,b.test/",
        "https://a.test'unsafe-inline'/",
        "https://a_b.test/",
        "https://a.test:/",
        "https://a.test:0443/",
        "https://192.168.1.1/",
        "https://site.juvignac.test/" + "a" * 600,
    ],
)
def test_addresses_that_could_lead_elsewhere_are_not_registered(juvignac, bad):
    for field in ("redirect_uris", "post_logout_uris"):
        with acting_for(juvignac), pytest.raises(RegistrationRefused):
            services.propose(juvignac, registration(**{field: [bad]}), actor=ACTOR)
    with acting_for(juvignac), pytest.raises(RegistrationRefused):
        services.propose(juvignac, registration(backchannel_logout_url=bad), actor=ACTOR)


def test_localhost_in_clear_is_for_demos(juvignac, settings):
    with acting_for(juvignac):
        services.propose(juvignac, registration(redirect_uris=["http://localhost:8080/r"]), actor=ACTOR)
        settings.DEMO = False
        with pytest.raises(RegistrationRefused):
            services.propose(juvignac, registration(redirect_uris=["http://localhost:8080/r"]), actor=ACTOR)


@pytest.mark.parametrize(
    "changes",
    [
        {"relation": "tiers", "agreement": "dispense"},
        {"type": "public", "scopes": ["openid", "offline_access"]},
        {"scopes": ["openid", "nir"]},
        {"scopes": ["profile"]},
        {"claims": ["email.email"]},
        {"claims": ["profile.given_name", "email.email", "phone.phone_number"]},
        {"roles": ["secretaire"], "populations": ["usager"]},
        {"roles": ["inconnu"]},
        {"populations": []},
        {"populations": ["robots"]},
        {"redirect_uris": []},
        {"redirect_uris": [f"https://site.juvignac.test/{n}" for n in range(21)]},
        {"access_lifetime": 10**6},
        {"refresh_lifetime": 10**8},
    ],
)
def test_rules_of_registration(juvignac, changes):
    with acting_for(juvignac), pytest.raises(RegistrationRefused):
        services.propose(juvignac, registration(**changes), actor=ACTOR)


@pytest.mark.parametrize("name", ["detail", "edit", "secret", "switch"])
def test_another_organisations_administrator_finds_nothing(make_site, juvignac, fabregues, agent_client, name):
    site = make_site(juvignac)
    stranger = agent_client(fabregues, "administrateur")
    for organisation in (fabregues, juvignac):
        page = address(name, organisation, pk=site.service.pk)
        assert stranger.get(page).status_code == 404
        assert stranger.post(page, FORM).status_code == (405 if name == "detail" else 404)
    with acting_for(juvignac):
        assert services.service_for(juvignac.pk, site.service.pk).state == "en_service"
    with acting_for(fabregues):
        assert services.service_for(fabregues.pk, site.service.pk) is None


def test_only_the_platform_approves(make_site, juvignac, agent_client, browser):
    site = make_site(juvignac, approved=False)
    page = reverse("provider:approval", kwargs={"organisation": juvignac.pk, "pk": site.service.pk})
    for client in (agent_client(juvignac, "administrateur"), browser):
        assert client.get(page).status_code == 404
        assert client.post(page, {"decision": "approuver"}).status_code == 404
    forged = agent_client(juvignac, "administrateur")
    forged.post(address("edit", juvignac, pk=site.service.pk), {**FORM, "state": "en_service", "approved_by": "1"})
    with acting_for(juvignac):
        assert services.service_for(juvignac.pk, site.service.pk).state == "propose"


def test_a_wrong_form_is_shown_again_with_its_errors(juvignac, agent_client):
    administrator = agent_client(juvignac, "administrateur")
    answer = administrator.post(address("new", juvignac), {**FORM, "redirect_uris": "http://ailleurs.test/"})
    assert answer.status_code == 422
    assert "https://" in str(answer.context["form"].errors["redirect_uris"])
    assert administrator.post(address("new", juvignac), {}).status_code == 422


def test_consent_for_the_whole_organisation_is_asked_once(make_site, juvignac, fabregues, browser):
    first = make_site(juvignac, agreement="organisation")
    second = make_site(juvignac, agreement="organisation", name="Médiathèque")
    other = make_site(fabregues, agreement="organisation", name="Site de Fabrègues")
    page = first.ask(browser)
    assert "Médiathèque" in page.content.decode()
    assert "Site de Fabrègues" not in page.content.decode()
    accept(browser, page)
    assert "code" in answered(second.ask(browser))
    assert other.ask(browser).status_code == 200


def accept(browser, page):
    return browser.post("/identite/o/consentement", {"demande": page.context["signed"], "decision": "accepter"})


def test_a_yes_to_a_third_party_says_nothing_to_the_organisations_own_sites(make_site, juvignac, browser):
    """Nor the other way round, nor to a site that asks for itself."""
    facts = {
        "Site propre": {"agreement": "organisation"},
        "Site propre qui demande": {"agreement": "demander"},
        "Tiers qui demande": {"relation": "tiers", "agreement": "demander"},
        "Tiers commun": {"relation": "tiers", "agreement": "organisation"},
    }
    for name in facts:
        sites = {n: make_site(juvignac, name=n, **values) for n, values in facts.items()}
        page = sites[name].ask(browser)
        assert "Votre accord vaudra aussi" not in page.content.decode()
        accept(browser, page)
        for other, site in sites.items():
            assert (site.ask(browser).status_code == 302) == (other == name), (name, other)
        with acting_for(juvignac):
            for site in sites.values():
                services.suspend(site.service, actor=ACTOR)


def test_what_is_said_of_the_identifier_is_true_of_the_organisations_own_sites_too(make_site, juvignac, browser):
    said = {"propre": "tous sous un même identifiant", "tiers": "un identifiant qui lui est propre"}
    for relation, sentence in said.items():
        page = make_site(juvignac, name=relation, relation=relation, agreement="demander").ask(browser)
        assert [s for s in said.values() if s in page.content.decode()] == [sentence]


def test_who_has_no_address_is_called_by_name(make_site, juvignac, citizen, browser):
    citizen.email = "1234@sans-adresse.invalid"
    citizen.save()
    asking = make_site(juvignac, scopes=["openid", "profile"], agreement="demander").ask(browser)
    assert "au nom de Camille Usager" in asking.content.decode()
    for page in (asking, browser.get("/espace/"), browser.get("/mon-compte/")):
        assert page.status_code == 200
        assert "sans-adresse" not in page.content.decode()


def test_third_parties_are_agreed_to_together_where_the_page_names_them_all(make_site, juvignac, browser, citizen):
    common = {"relation": "tiers", "agreement": "organisation"}
    canteen = make_site(juvignac, name="Cantine", scopes=["openid", "email"], **common)
    library = make_site(juvignac, name="Bibliothèque", scopes=["openid", "email", "profile"], **common)
    make_site(juvignac, name="Pour les agents", populations=["agent"], **common)
    page = canteen.ask(browser)
    assert page.context["others"] == ["Bibliothèque"]
    accept(browser, page)
    assert "code" in answered(library.ask(browser, scope="openid email"))
    assert library.ask(browser).status_code == 200, "its other data were not shown"
    later = make_site(juvignac, name="Arrivé ensuite", scopes=["openid", "email"], **common)
    assert later.ask(browser).status_code == 200, "nobody had read its name"
    assert services.withdraw(citizen, canteen.client_id)
    assert canteen.ask(browser).status_code == 200
    assert "code" in answered(library.ask(browser, scope="openid email"))


def test_what_is_agreed_to_is_what_was_read(make_site, juvignac, browser, platform_admin):
    facts = {"relation": "tiers", "agreement": "demander", "scopes": ["openid", "profile"]}
    site = make_site(juvignac, claims=["profile.given_name"], **facts)
    page = site.ask(browser)
    with acting_for(juvignac):
        services.change(site.service, registration(**facts), actor=ACTOR)
        wider = services.service_for(juvignac.pk, site.service.pk)
        services.approve(wider, seen=services.fingerprint(wider), by=platform_admin, actor=ACTOR)
    again = accept(browser, page)
    assert again.status_code == 200, "the page comes back with what it did not show"
    assert "code" in answered(accept(browser, again))


def test_only_the_roles_chosen_log_in(make_site, juvignac, fabregues, agent_client, account_for):
    site = make_site(juvignac, populations=["agent"], roles=["secretaire"])
    assert "code" in answered(site.ask(agent_client(juvignac, "secretaire")))
    assert answered(site.ask(agent_client(juvignac, "lecteur")))["error"] == "access_denied"
    assert answered(site.ask(agent_client(fabregues, "secretaire", email="voisin@x.test")))["error"] == "access_denied"


def test_the_form_offers_each_claim_with_an_invented_value_and_the_roles_of_the_organisation(juvignac, agent_client):
    administrator = agent_client(juvignac, "administrateur")
    page = administrator.get(address("new", juvignac)).content.decode()
    assert "Date de naissance (« 24 août 1962 »)" in page
    assert "Secrétariat général" in page
    answer = administrator.post(
        address("new", juvignac),
        {**FORM, "populations": ["agent"], "roles": ["secretaire"], "claims_commune": ["commune.commune"]},
    )
    assert answer.status_code == 302
    with acting_for(juvignac):
        service = Service.objects.get()
    assert service.scopes == ["openid", "profile", "commune"]
    assert service.claims == ["profile.given_name", "profile.family_name", "commune.commune"]
    detail = administrator.get(address("detail", juvignac, pk=service.pk)).content.decode()
    assert "Secrétariat général" in detail
    assert "Exemple" in detail
    assert "1962" not in detail
    shown = administrator.get(address("edit", juvignac, pk=service.pk)).context["form"]
    assert shown["claims_profile"].value() == ["profile.given_name", "profile.family_name"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"roles": ["secretaire"]}, "populations"),
        ({"roles": ["inconnu"], "populations": ["agent"]}, "roles"),
        ({"claims_profile": ["profile.nir"]}, "claims_profile"),
        ({"relation": "tiers", "agreement": "dispense"}, "agreement"),
        ({"type": "public", "offline": "on"}, "offline"),
        ({"redirect_uris": ""}, "redirect_uris"),
        ({"contact": "personne"}, "contact"),
        ({"populations": []}, "populations"),
        ({"access_lifetime": "0"}, "access_lifetime"),
    ],
)
def test_each_wrong_field_says_so_in_french(juvignac, agent_client, changes, field):
    answer = agent_client(juvignac, "administrateur").post(address("new", juvignac), {**FORM, **changes})
    assert answer.status_code == 422
    sentence = str(answer.context["form"].errors[field][0])
    assert sentence.endswith(".")
    assert not re.search(r"\b(is|the|not|choice)\b", sentence)


# --- logo -----------------------------------------------------------------------------------------------------------
DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><metadata>x</metadata>'
    b'<rect width="9" height="9"/></svg>'
)


def logo(content=DRAWING, name="logo.svg"):
    return SimpleUploadedFile(name, content, "image/svg+xml")


def test_a_logo_is_cleaned_approved_and_then_shown_where_people_agree(
    juvignac, agent_client, platform_admin, browser, make_site
):
    administrator = agent_client(juvignac, "administrateur")
    answer = administrator.post(address("new", juvignac), {**FORM, "logo": logo()})
    assert answer.status_code == 302, answer.context and answer.context["form"].errors
    detail = administrator.get(answer["Location"])
    proposed = administrator.get(detail.context["logo"])
    assert proposed["Content-Type"] == "image/svg+xml"
    assert b"<rect" in proposed.content
    assert b"metadata" not in proposed.content

    service = detail.context["service"]
    shown = reverse("provider:logo", args=[service.client_id, service.logo.sha256, "svg"])
    assert browser.get(shown).status_code == 404, "not before it is approved"
    platform = login(platform_admin, methods=(("mfa", "webauthn"),))
    approval = reverse("provider:approval", kwargs={"organisation": juvignac.pk, "pk": service.pk})
    page = platform.get(approval)
    assert "data:image/svg+xml;base64," in page.content.decode()
    platform.post(approval, {"decision": "approuver", "vu": page.context["seen"]})

    with acting_for(juvignac):
        site = Site(services.service_for(juvignac.pk, service.pk), None)
    consent = site.ask(browser)
    assert consent.context["logo"] == shown
    picture = Client().get(shown)
    assert b"<rect" in picture.content
    assert picture["Content-Security-Policy"].startswith("sandbox")
    assert Client().get(shown.replace("svg", "png")).status_code == 404
    assert Client().get(shown.replace(service.client_id, make_site(juvignac).client_id)).status_code == 404

    edit = address("edit", juvignac, pk=service.pk)
    kept = {**FORM, "logo_kept": str(service.logo_id)}
    assert administrator.post(edit, kept).status_code == 302
    with acting_for(juvignac):
        assert services.service_for(juvignac.pk, service.pk).state == "en_service", "nothing changed"
    administrator.post(edit, {**kept, "logo_removed": "on"})
    assert "celui d’avant" in administrator.get(answer["Location"]).content.decode()
    assert site.ask(browser).context["logo"] == shown, "until the platform approves it"
    page = platform.get(approval)
    platform.post(approval, {"decision": "approuver", "vu": page.context["seen"]})
    assert site.ask(browser).context["logo"] == ""
    assert Client().get(shown).status_code == 404


def test_a_logo_that_cannot_be_kept_says_why_and_one_that_can_is_not_sent_again(juvignac, fabregues, agent_client):
    administrator = agent_client(juvignac, "administrateur")
    wrong = {
        "SVG ou PNG": logo(b"%PDF"),
        "un script": logo(DRAWING.replace(b"metadata", b"script")),
        "2 Mo": logo(b"<svg" + b" " * 2_100_000),
    }
    for said, file in wrong.items():
        answer = administrator.post(address("new", juvignac), {**FORM, "logo": file})
        assert answer.status_code == 422
        assert said in str(answer.context["form"].errors["logo"])
        assert answer.context["form"]["name"].value() == FORM["name"]
    answer = administrator.post(address("new", juvignac), {**FORM, "logo": logo(), "contact": "personne"})
    assert answer.status_code == 422
    kept = answer.context["form"]["logo_kept"].value()
    assert kept in answer.content.decode()
    assert administrator.post(address("new", juvignac), {**FORM, "logo_kept": kept}).status_code == 302
    stranger = agent_client(fabregues, "administrateur", email="voisin@x.test")
    for made_up in (kept, "x"):
        answer = stranger.post(address("new", fabregues), {**FORM, "logo_kept": made_up})
        assert answer.status_code == 422
        assert "plus disponible" in str(answer.context["form"].errors["logo"])


def test_the_form_is_taken_with_its_token_only(juvignac, agent_client):
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = agent_client(juvignac, "administrateur").cookies
    assert careful.post(address("new", juvignac), FORM).status_code == 403

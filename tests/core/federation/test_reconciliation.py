"""Whose account an identity is: the ten rules of reconciliation, on the fictional identities."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from parvis.core import clock
from parvis.core.federation import links, pivot
from parvis.core.federation.client import Identity
from parvis.core.federation.models import FederatedIdentity
from parvis.core.identity.models import Account, Link, ProfileAttribute, SecurityEvent
from parvis.core.identity.profile import PIVOT, AttributeVerified, attributes_of, declare, set_verified
from parvis.core.organisations.tenancy import identity_of
from tests.conftest import PASSWORD, needs_shared

pytestmark = pytest.mark.django_db


def account_in(client) -> Account:
    return Account.objects.get(pk=client.session["_auth_user_id"])


def new_account(franceconnect, login, **form) -> Client:
    client = Client()
    franceconnect.log_in(client, login)
    answer = client.post("/federation/nouveau-compte/", {"email": "", **form})
    assert answer.status_code == 302, answer.content.decode()
    return client


def identity(subject="un-sujet", **claims) -> Identity:
    told = {
        "given_name": "Lou Camille",
        "family_name": "ESSAI",
        "gender": "female",
        "birthdate": "1984-05-17",
        "birthplace": "34172",
        "birthcountry": "99100",
        **claims,
    }
    return Identity("franceconnect", "https://fc.test/api/v2", subject, "eidas1", (), told)


def events(account) -> list[str]:
    with identity_of(account.pk):
        return list(SecurityEvent.objects.filter(account=account).order_by("at").values_list("event", flat=True))


# --- 1: known identity --------------------------------------------------------------------------------------
def test_rule_1_known_identity_logs_in_and_its_attributes_are_verified(franceconnect):
    account = account_in(new_account(franceconnect, "test"))
    known = attributes_of(account)
    assert known["nom_naissance"].value == "DUBOIS"
    assert known["prenoms"].value == ["Angela", "Claire", "Louise"]
    assert known["naissance_commune"].value == "75107"
    for name in PIVOT:
        assert known[name].source == "franceconnect"
        assert known[name].verified
        assert known[name].verified_by == franceconnect.issuer
    assert "user.franceconnect.link" in events(account)


# --- 2: linking while logged in -----------------------------------------------------------------------------
def test_rule_2_linking_asks_for_a_confirmation(franceconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    assert franceconnect.log_in(client, "test")["Location"] == "/federation/relier/"
    assert links.identities_of(account) == []
    page = client.get("/federation/relier/").content.decode()
    assert "Angela DUBOIS" in page
    assert "Relier à mon compte" in page
    assert client.post("/federation/relier/").status_code == 302
    assert [row.provider for row in links.identities_of(account)] == ["franceconnect"]


def test_linking_is_refused_without_the_token_of_our_form(franceconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    franceconnect.log_in(client, "test")
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = client.cookies
    for address in ("/federation/relier/", "/federation/nouveau-compte/", "/federation/agent/"):
        assert forged.post(address).status_code == 403
    assert links.identities_of(account) == []


def test_identity_awaiting_a_confirmation_may_be_left_there(franceconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    franceconnect.log_in(client, "test")
    client.post("/federation/relier/abandon/")
    client.post("/federation/relier/")
    assert links.identities_of(account) == []


def test_an_old_proof_is_not_enough_to_link(franceconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    franceconnect.log_in(client, "test")
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    answer = client.post("/federation/relier/")
    assert "federation" not in answer["Location"]
    assert links.identities_of(account) == []


def test_rule_2_identity_of_another_account_is_never_moved(franceconnect, citizen, logged_in):
    owner = account_in(new_account(franceconnect, "test"))
    other = citizen()
    client = logged_in(other)
    answer = franceconnect.log_in(client, "test")
    assert answer.status_code == 409
    assert "déjà reliée à un autre compte" in answer.content.decode()
    assert links.identities_of(other) == []
    assert len(links.identities_of(owner)) == 1


def test_rule_2_an_account_has_one_identity_only(franceconnect):
    client = new_account(franceconnect, "test")
    answer = franceconnect.log_in(client, "nom_composé")
    assert answer.status_code == 409
    assert "déjà relié à une autre identité" in answer.content.decode()


def test_rule_2_is_held_by_the_database(citizen):
    one, two = citizen(), citizen("autre@courriel.test")
    links.link(one, identity(), request=None)
    values = {
        "provider": "franceconnect",
        "issuer": "https://fc.test/api/v2",
        "linked_at": clock.now(),
        "used_at": clock.now(),
    }
    for account, subject in ((two, "un-sujet"), (one, "un-autre")):
        with pytest.raises(IntegrityError), transaction.atomic(), identity_of(account.pk):
            FederatedIdentity.objects.create(account=account, subject=subject, **values)


def test_an_agents_account_takes_no_franceconnect(franceconnect, agent_client, juvignac):
    client = agent_client(juvignac, "secretaire")
    answer = franceconnect.log_in(client, "test")
    assert answer.status_code == 409
    assert "compte d’usager" in answer.content.decode()


# --- 3 and 4: unknown identity ------------------------------------------------------------------------------
def test_rule_3_i_have_an_account_logs_in_then_links(franceconnect, browser, citizen):
    account = citizen()
    franceconnect.log_in(browser, "test")
    answer = browser.post(
        "/compte/login/?next=/federation/relier/",
        {"login": account.email, "password": PASSWORD, "next": "/federation/relier/"},
    )
    assert answer["Location"] == "/federation/relier/"
    assert links.identities_of(account) == [], "not before the confirmation"
    browser.post("/federation/relier/")
    assert len(links.identities_of(account)) == 1


@needs_shared
def test_rule_4_same_address_is_never_a_match_and_is_not_told(franceconnect, citizen, run_jobs, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    taken = citizen("wossewodda-3728@yopmail.com")
    client, free = Client(), Client()
    assert franceconnect.log_in(client, "test")["Location"] == "/federation/choix/"
    assert franceconnect.log_in(free, "nom_composé")["Location"] == "/federation/choix/"
    one = client.post("/federation/nouveau-compte/", {"email": "wossewodda-3728@yopmail.com"}, follow=True)
    two = free.post("/federation/nouveau-compte/", {"email": "libre@courriel.test"}, follow=True)
    assert one.status_code == two.status_code == 200
    told = [next(str(m) for m in answer.context["messages"]) for answer in (one, two)]
    assert told[0] == told[1]
    assert "Votre compte est créé" in told[0]
    created = account_in(client)
    assert created.pk != taken.pk
    assert not created.has_address
    assert links.identities_of(taken) == []
    run_jobs()
    sent = {message.to[0]: message.subject for message in mailoutbox}
    assert sent["wossewodda-3728@yopmail.com"] != sent["libre@courriel.test"], "only the mailbox learns"


# --- 5 and 10: six values -----------------------------------------------------------------------------------
def six_verified(account, source="agent", **changed):
    values = {**pivot.attributes("franceconnect", identity().claims), **changed}
    for name in PIVOT:
        set_verified(account, name, values[name], source)


def test_rule_5_is_off_by_default(citizen, settings):
    six_verified(citizen())
    assert settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT is False
    assert links.by_six_values(identity()) is None


def test_rule_5_finds_the_only_account_with_six_equal_verified_values(citizen, settings):
    settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT = True
    account = citizen()
    six_verified(account, nom_naissance="Éssai", prenoms=["Lou", "Camille"])
    assert links.by_six_values(identity()) == account
    assert links.by_six_values(identity(family_name="Essai")) == account, "case and accents apart"
    assert links.by_six_values(identity(birthdate="1984-05-18")) is None
    assert links.by_six_values(identity(given_name="Lou")) is None
    assert links.by_six_values(identity(gender="")) is None, "five values are not six"


@needs_shared
def test_rule_5_links_and_says_so(franceconnect, browser, citizen, settings):
    settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT = True
    account = citizen()
    values = {
        "nom_naissance": "Dubois",
        "prenoms": ["Angéla", "Claire", "Louise"],
        "naissance_date": "1962-08-24",
        "sexe": "feminin",
        "naissance_pays": "99100",
        "naissance_commune": "75107",
    }
    for name, value in values.items():
        set_verified(account, name, value, "agent")
    answer = franceconnect.log_in(browser, "test")
    assert account_in(browser) == account
    assert len(links.identities_of(account)) == 1
    told = browser.get(answer["Location"], follow=True).content.decode()
    assert "dont l’identité vérifiée est la même" in told


def test_rule_5_declared_values_never_count(citizen, settings):
    settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT = True
    account = citizen()
    declare(account, pivot.attributes("franceconnect", identity().claims))
    links.index(account)
    assert links.by_six_values(identity()) is None


def test_rule_5_two_namesakes_are_nobody(citizen, settings):
    settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT = True
    six_verified(citizen())
    six_verified(citizen("jumeau@courriel.test"))
    assert links.by_six_values(identity()) is None


def test_rule_5_does_not_trust_a_stale_index(citizen, settings):
    settings.PARVIS_FRANCECONNECT_LINK_BY_PIVOT = True
    account = citizen()
    six_verified(account)
    with identity_of(account.pk):  # behind the back of whoever keeps the index
        ProfileAttribute.objects.filter(account=account, name="nom_naissance").update(value="AUTRE")
    assert links.by_six_values(identity()) is None


def test_rule_10_new_subject_of_the_same_person_is_never_silent(citizen):
    account = citizen()
    links.link(account, identity("avant"), request=None)
    assert links.account_of(identity("après")) is None
    assert links.refusal_for(account, identity("après")) == "", "the person may confirm it once logged in"
    assert links.refusal_for(account, identity("après", birthdate="1990-01-01")) != ""
    links.link(account, identity("après"), request=None)
    assert [row.subject for row in links.identities_of(account)] == ["après"]


# --- 6: new account -----------------------------------------------------------------------------------------
def test_rule_6_address_stays_unproved_until_the_message_is_answered(franceconnect):
    client = new_account(franceconnect, "test", email="Lou.Essai@Courriel.test")
    account = account_in(client)
    assert account.email_verified_at is None
    link = Link.objects.get(account=account)
    assert link.purpose == Link.Purpose.EMAIL
    assert link.email == "lou.essai@courriel.test"


def test_rule_6_answering_the_message_gives_the_account_its_address(franceconnect):
    from django.urls import reverse

    from parvis.core.identity.links import token_of

    client = new_account(franceconnect, "test", email="lou@courriel.test")
    account = account_in(client)
    link = Link.objects.get(account=account)
    client.post(reverse("identity:email_confirm", kwargs={"token": token_of(link)}))
    account.refresh_from_db()
    assert account.email == "lou@courriel.test"
    assert account.email_verified_at is not None


def test_rule_6_deceptive_addresses_are_refused(franceconnect, browser):
    franceconnect.log_in(browser, "test")
    answer = browser.post("/federation/nouveau-compte/", {"email": "lоu@courriel.test"})  # Cyrillic о
    assert answer.status_code == 200
    assert "autre alphabet" in answer.content.decode()
    assert not Account.objects.exists()


def test_forged_fields_change_nothing_of_the_account(franceconnect):
    forged = {"population": "agent", "is_platform_administrator": "1", "given_name": "Pirate", "account": "1"}
    account = account_in(new_account(franceconnect, "test", **forged))
    assert account.population == "usager"
    assert not account.is_platform_administrator
    assert account.given_name == "Angela"


# --- 7: locked values ---------------------------------------------------------------------------------------
def test_rule_7_values_are_locked_and_the_name_used_is_free_when_not_given(franceconnect):
    without = account_in(new_account(franceconnect, "sans_nom_dusage"))
    with pytest.raises(AttributeVerified):
        declare(without, {"nom_naissance": "Autre"})
    declare(without, {"nom_usage": "Choisi"})
    assert attributes_of(without)["nom_usage"].value == "Choisi"
    given = account_in(new_account(franceconnect, "avec_nom_dusage"))
    with pytest.raises(AttributeVerified):
        declare(given, {"nom_usage": "Autre"})
    assert given.family_name == "DUBOIS", "people are called by the name they use"


def test_name_used_that_was_declared_survives_the_next_login(franceconnect):
    account = account_in(new_account(franceconnect, "sans_nom_dusage"))
    declare(account, {"nom_usage": "Choisi"})
    franceconnect.log_in(Client(), "sans_nom_dusage")
    assert attributes_of(account)["nom_usage"].value == "Choisi"


# --- 8: unlinking -------------------------------------------------------------------------------------------
def test_rule_8_unlinking_needs_another_way_first(franceconnect):
    client = new_account(franceconnect, "test")
    account = account_in(client)
    page = client.get("/federation/franceconnect/delier/").content.decode()
    assert "seul moyen" in page
    client.post("/federation/franceconnect/delier/")
    assert len(links.identities_of(account)) == 1


def test_rule_8_unlinking_drops_the_marks_keeps_the_values_and_leaves_franceconnect(franceconnect, citizen, logged_in):
    account = citizen()
    client = logged_in(account)
    franceconnect.log_in(client, "test")
    client.post("/federation/relier/")
    answer = client.post("/federation/franceconnect/delier/")
    assert answer["Location"] == "/federation/deconnexion/"
    assert client.get("/federation/deconnexion/")["Refresh"].startswith(f"0; url={franceconnect.issuer}/session/end?")
    known = attributes_of(account)
    assert known["nom_naissance"].value == "DUBOIS"
    for name in PIVOT:
        assert known[name].source == "declare"
        assert not known[name].verified
    assert links.identities_of(account) == []
    assert "user.franceconnect.unlink" in events(account)
    assert "_auth_user_id" in client.session, "the person stays logged in here"


# --- 9: corrected identity ----------------------------------------------------------------------------------
def test_rule_9_corrected_identity_is_updated_kept_in_history_and_told(citizen, run_jobs, mailoutbox, rf):
    account = citizen()
    links.link(account, identity(), request=None)
    request = rf.get("/")
    assert links.refresh(account, identity(), request=request) == []
    assert links.changes_of(account) == []
    changed = links.refresh(account, identity(family_name="NOUVEAU", birthplace="34123"), request=request)
    assert changed == ["nom_naissance", "naissance_commune"]
    assert attributes_of(account)["nom_naissance"].value == "NOUVEAU"
    (history,) = links.changes_of(account)
    assert history.changes["nom_naissance"] == ["ESSAI", "NOUVEAU"]
    assert "user.franceconnect.identity_changed" in events(account)
    run_jobs()
    assert any("mise à jour" in message.subject for message in mailoutbox)


def test_rule_9_is_told_on_screen(franceconnect, browser):
    person = {"login": "mariee", "claims": {"given_name": "Noa", "family_name": "AVANT", "birthcountry": "99350"}}
    franceconnect.tell(people=[person])
    account = account_in(new_account(franceconnect, "mariee"))
    person["claims"]["family_name"] = "APRES"
    franceconnect.tell(people=[person])
    franceconnect.log_in(browser, "mariee")
    account.refresh_from_db()
    assert account.family_name == "APRES"
    page = browser.get("/federation/mes-identites/").content.decode()
    assert "AVANT → APRES" in page


def test_value_no_longer_given_loses_its_mark(citizen, rf):
    account = citizen()
    links.link(account, identity(preferred_username="USAGE"), request=None)
    assert links.refresh(account, identity(), request=rf.get("/")) == ["nom_usage"]
    assert attributes_of(account)["nom_usage"].source == "declare"


# --- the 38 fictional identities ----------------------------------------------------------------------------
@needs_shared
def test_every_fictional_identity_opens_an_account(franceconnect):
    logins = [login for login in franceconnect.people() if login not in ("mariee", "aidee")]  # of other tests
    assert len(logins) == 38
    surprises = []
    for login in logins:
        client = Client()
        franceconnect.log_in(client, login)
        page = client.get("/federation/nouveau-compte/")
        fields = page.context["form"].fields
        form = {"email": "", **{name: "Saisi" for name in ("given_name", "family_name") if name in fields}}
        answer = client.post("/federation/nouveau-compte/", form)
        if answer.status_code != 302 or "_auth_user_id" not in client.session:
            surprises.append((login, answer.status_code))
            continue
        account = account_in(client)
        if not account.given_name or not account.family_name:
            surprises.append((login, account.full_name))
        if client.get("/federation/mes-identites/").status_code != 200:
            surprises.append((login, "page"))
    assert surprises == []


@needs_shared
@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("étranger_présumé_né_jour", {"naissance_date": {"text": "1992-11-00", "precision": "mois"}}),
        ("étranger_présumé_né_jour_et_mois", {"naissance_date": {"text": "1992-00-00", "precision": "annee"}}),
        ("mois_00", {"naissance_date": {"text": "1977-00-03", "precision": "annee"}}),
        ("naissance_Algérie", {"naissance_pays": "99352", "naissance_commune": None}),
        ("naissance_etranger_birthplace_cog", {"naissance_pays": "99352", "naissance_commune": None}),
        ("naissance_etranger_birthplace_texte", {"naissance_pays": "99352", "naissance_commune": None}),
        ("test_CORSE_2A", {"naissance_commune": "2A004"}),
        ("naissance_polynesie_française", {"naissance_commune": "98729"}),
        ("sans_prenom", {"nom_naissance": "MARTIN"}),
        ("genre_indéfini", {"sexe": "non_precise"}),
        ("carac_speciaux", {"nom_naissance": "DURANTéàèùòœæŒÆ"}),
        ("nom_composé", {"nom_naissance": "TROIS-DUPRE"}),
        ("plusieurs_prénoms_3", {"prenoms": ["Jean", "Philippe", "Arnaud"]}),
    ],
)
def test_odd_identities_are_kept_as_they_are(franceconnect, login, expected):
    form = {"given_name": "Saisi"} if login == "sans_prenom" else {}
    known = attributes_of(account_in(new_account(franceconnect, login, **form)))
    for name, value in expected.items():
        if value is None:
            assert name not in known
        else:
            assert known[name].value == value
            assert known[name].source == "franceconnect"


def test_dates_and_codes_are_shown_with_what_is_unknown(settings):
    assert pivot.shown("naissance_date", {"text": "1992-11-00", "precision": "mois"}) == "novembre 1992 (jour inconnu)"
    assert pivot.shown("naissance_date", {"text": "1992-00-00", "precision": "annee"}) == "1992 (jour et mois inconnus)"
    assert pivot.shown("naissance_date", {"text": "1984-05-01", "precision": "jour"}) == "1er mai 1984"
    assert pivot.shown("naissance_commune", "99999") == "code inconnu (99999)"
    settings.PARVIS_REFERENTIALS_DIR = None
    assert pivot.shown("naissance_pays", "99100") == "code inconnu (99100)"


@needs_shared
def test_codes_of_the_lists_have_their_names():
    assert pivot.shown("naissance_commune", "34123") == "Juvignac"
    assert pivot.shown("naissance_pays", "99100") == "France"


# --- life of the account ------------------------------------------------------------------------------------
def test_deletion_and_export_cover_what_is_held(citizen):
    account = citizen()
    links.link(account, identity(), request=None)
    (exported,) = links.exported(account)
    assert exported["identifiant"] == "un-sujet"
    assert links.forget(account) == 1
    assert links.identities_of(account) == []


def test_helper_of_aidants_connect_is_noted_in_the_session(franceconnect, browser, rf, settings):
    from parvis.core.identity.aidants import helper_scopes

    settings.PARVIS_FRANCECONNECT_SCOPES = [*settings.PARVIS_FRANCECONNECT_SCOPES, "rep_scope"]
    claims = {"given_name": "Aidée", "family_name": "ESSAI", "rep_scope": ["argent", "logement"]}
    franceconnect.tell(people=[{"login": "aidee", "claims": claims}])
    request = rf.get("/")
    for client, login, scopes in ((browser, "aidee", ["argent", "logement"]), (Client(), "test", [])):
        franceconnect.log_in(client, login)
        client.post("/federation/nouveau-compte/", {"email": ""})
        request.session = client.session
        assert helper_scopes(request) == scopes


def test_the_log_names_the_provider_that_answered(franceconnect):
    account = account_in(new_account(franceconnect, "test"))
    with identity_of(account.pk):
        assert SecurityEvent.objects.get(account=account, event="user.login").method == "franceconnect"


def test_franceconnect_is_a_fresh_proof_for_whoever_has_nothing_else(franceconnect):
    client = new_account(franceconnect, "test")
    session = client.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    asked = client.post("/federation/franceconnect/delier/")["Location"]
    page = client.get(asked).content.decode()
    assert "Confirmer avec FranceConnect" in page
    assert franceconnect.log_in(client, "test", next=asked)["Location"] == asked
    page = client.get(asked, follow=True).content.decode()
    assert "Confirmer avec FranceConnect" not in page, "what was being sent is found again"


def test_assurance_after_franceconnect_is_eidas1(franceconnect):
    client = new_account(franceconnect, "test")
    records = client.session["account_authentication_methods"]
    assert records[-1]["method"] == "franceconnect"
    assert records[-1]["acr"] == "eidas1"

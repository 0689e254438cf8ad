"""Two factors: which sessions must prove them, before which acts, and how one goes on afterwards."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.signals import authenticator_added
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import resolve

from parvis.core.authentication import stepup
from parvis.core.authentication.assurance import assurance_of
from parvis.core.identity.models import Account
from parvis.core.identity.roles import ROLES
from tests.conftest import PASSWORD, give_passkey, prove_by_passkey
from tests.core.authentication.test_assurance import code_of
from tests.core.authentication.test_login import log_in
from tests.core.identity.matrix import pages

SECURITY = "/mon-compte/securite/"


def enrol(client):
    """Choose an application on the page made for it, as its holder does."""
    client.get("/compte/mfa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    assert client.post("/compte/mfa/totp/activate/", {"code": code}).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["secretaire", "administrateur"])
def test_a_factor_chosen_on_one_device_closes_the_session_of_the_other(account_for, juvignac, role):
    account = account_for(juvignac, role)
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        log_in(client, account.email)
        assert client.get(SECURITY).status_code == 200
    enrol(here)
    assert elsewhere.get(SECURITY)["Location"].startswith("/compte/login/")
    assert here.get("/bureau/").status_code == 200


@pytest.mark.parametrize("role", ["secretaire", "administrateur"])
def test_a_session_that_proved_a_password_alone_proves_the_factor_that_the_account_got_since(
    account_for, juvignac, role
):
    account = account_for(juvignac, role)
    client = Client()
    log_in(client, account.email)
    client.get("/bureau/")
    TOTP.activate(account, generate_totp_secret())
    RecoveryCodes.activate(account)
    asked = client.get("/bureau/")["Location"]
    assert asked == "/mon-compte/securite/confirmer/?next=%2Fbureau%2F"
    assert "que cette session n’a pas encore prouvé" in client.get(asked).content.decode()
    sent = client.post("/o/juvignac/journal/", {"x": "gardé"})
    assert sent["Location"].startswith("/mon-compte/securite/confirmer/?suite=")
    assert client.get(SECURITY).status_code == 200, "the page where one looks after the account stays open"
    proof = {"password": PASSWORD, "code": code_of(account), "next": "/bureau/"}
    assert client.post("/mon-compte/securite/confirmer/", proof)["Location"] == "/bureau/"
    assert client.get("/bureau/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_page_that_a_missing_factor_interrupted_is_gone_back_to(account_for, juvignac):
    client = Client()
    log_in(client, account_for(juvignac, "administrateur").email)
    assert client.get("/o/juvignac/administration/personnes/")["Location"] == SECURITY
    assert "Reprendre" not in client.get(SECURITY).content.decode()
    enrol(client)
    for page in (SECURITY, "/compte/mfa/recovery-codes/"):
        assert "Reprendre ce que je faisais" in client.get(page).content.decode()
    resumed = client.get("/mon-compte/securite/reprendre/")
    assert resumed["Location"] == "/o/juvignac/administration/personnes/"
    assert client.get(resumed["Location"]).status_code == 200
    assert "Reprendre" not in client.get(SECURITY).content.decode(), "it waits no longer"


# --- who runs the platform proves a passkey --------------------------------------------------------------------
PLATFORM = "/plateforme/"


@pytest.fixture
def operator(db):
    """An operator as the command line or an invitation makes one: a password and nothing else."""
    return Account.objects.create_user(
        "exploitation@metropole.test",
        PASSWORD,
        given_name="Opé",
        family_name="Rateur",
        population="exploitation",
        is_platform_administrator=True,
    )


@pytest.fixture
def operator_client(operator):
    client = Client()
    log_in(client, operator.email)
    return client


def test_an_operator_is_led_to_add_a_passkey_before_anything_else(operator_client):
    assert operator_client.get(PLATFORM)["Location"] == SECURITY
    page = operator_client.get(SECURITY).content.decode()
    assert "Ajoutez votre clé d’accès" in page
    assert "/compte/mfa/totp/activate/" not in page, "an application would not be enough"
    assert operator_client.get("/compte/mfa/webauthn/add/").status_code == 200


def test_the_code_of_an_application_opens_nothing_of_the_platform_but_the_first_passkey(operator):
    TOTP.activate(operator, generate_totp_secret())
    client = Client()
    log_in(client, operator.email)
    client.post("/compte/mfa/authenticate/", {"code": code_of(operator)})
    assert client.get(PLATFORM)["Location"] == SECURITY
    assert "qu’à ajouter votre première clé" in client.get(SECURITY).content.decode()
    assert client.get("/compte/mfa/webauthn/add/").status_code == 200


def test_a_session_of_an_operator_that_no_passkey_proved_is_asked_for_it_and_for_nothing_else(
    operator, operator_client
):
    give_passkey(operator)
    asked = operator_client.get(PLATFORM)["Location"]
    assert asked == "/mon-compte/securite/confirmer/?next=%2Fplateforme%2F"
    page = operator_client.get(asked).content.decode()
    assert "Confirmer avec ma clé d’accès" in page
    assert 'name="password"' not in page


def test_a_lost_passkey_is_replaced_with_the_password_and_a_recovery_code(operator, operator_client):
    give_passkey(operator)
    code, another = operator.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()[:2]
    assert operator_client.get("/compte/mfa/webauthn/add/")["Location"] == (
        "/compte/reauthenticate/?next=%2Fcompte%2Fmfa%2Fwebauthn%2Fadd%2F"
    )
    proof = {"password": PASSWORD, "code": code, "next": "/compte/mfa/webauthn/add/"}
    assert operator_client.post("/compte/reauthenticate/", proof)["Location"] == "/compte/mfa/webauthn/add/"
    assert operator_client.get(PLATFORM)["Location"].startswith("/mon-compte/securite/confirmer/")
    elsewhere = {"password": PASSWORD, "code": another, "next": PLATFORM}
    refused = operator_client.post("/mon-compte/securite/confirmer/", elsewhere)
    assert refused.status_code == 200
    assert "ni mot de passe ni code ne la remplacent" in refused.content.decode()


def test_a_passkey_opens_the_platform_and_retires_the_application(operator, operator_client, rf):
    TOTP.activate(operator, generate_totp_secret())
    give_passkey(operator)
    request = rf.post("/compte/mfa/webauthn/add/")
    request.user, request.session = operator, operator_client.session
    key = operator.authenticator_set.get(type="webauthn")
    authenticator_added.send(sender=Authenticator, request=request, user=operator, authenticator=key)
    request.session.save()
    operator_client.cookies["sessionid"] = request.session.session_key
    assert operator_client.get(PLATFORM).status_code == 200
    assert not operator.authenticator_set.filter(type="totp").exists()


def test_an_operator_keeps_a_way_in_besides_one_passkey(operator, operator_client):
    operator_client.account = operator
    prove_by_passkey(operator_client)
    operator.authenticator_set.filter(type="recovery_codes").delete()
    assert operator_client.get(PLATFORM)["Location"] == "/compte/mfa/recovery-codes/generate/"
    assert "Ajoutez une seconde clé" in operator_client.get(SECURITY).content.decode()
    give_passkey(operator)
    operator.authenticator_set.filter(type="recovery_codes").delete()
    assert operator_client.get(PLATFORM).status_code == 200


# --- irreversible acts ask for two factors, even in the days that an agent has to choose a second one ----------
IRREVERSIBLE = [page for page in pages() if page.access.kind in ("agent", "platform") and page.access.recent]


@pytest.mark.parametrize("page", IRREVERSIBLE, ids=[page.address for page in IRREVERSIBLE])
def test_what_cannot_be_undone_wants_two_factors_in_the_days_of_grace(page, account_for, juvignac, rf):
    access, url = page.access, page.url()
    role = next((role for role, (_, held) in ROLES.items() if access.lets_in(held)), "lecteur")
    account = account_for(juvignac, role)
    account.is_platform_administrator = access.kind == "platform"
    request = rf.get(url) if access.recent == "always" else rf.post(url, {"motif": "saisi"})
    request.user, request.session, request.htmx = account, SessionStore(), False
    prove(request, account, {"method": "password"})
    assert assurance_of(request).recent
    found = resolve(url)
    answer = found.func(request, *found.args, **found.kwargs)
    assert answer["Location"] == SECURITY
    assert stepup.awaited(request)
    prove(request, account, {"method": "password"}, {"method": "mfa", "type": "totp"})
    assert stepup.ask(request, two_factors=True) is None


def prove(request, account, *records):
    request.session["account_authentication_methods_user"] = str(account.pk)
    request.session["account_authentication_methods"] = [{**record, "at": time.time()} for record in records]


def test_the_acts_that_engage_the_commune_are_among_them():
    """The list above is read from the declarations: an empty one would prove nothing."""
    assert {"actes.transmettre", "parapheur.signer"} <= {page.access.permission for page in IRREVERSIBLE}


@pytest.mark.django_db(transaction=True)
def test_an_agent_in_the_days_of_grace_chooses_a_factor_then_goes_on_with_what_was_sent(account_for, juvignac):
    account = account_for(juvignac, "maire")
    client = Client()
    log_in(client, account.email)
    address = next(page.url() for page in IRREVERSIBLE if page.access.permission == "parapheur.signer")
    assert client.post(address, {"motif": "saisi"})["Location"] == SECURITY
    page = client.get(SECURITY).content.decode()
    assert "Ce que vous alliez faire engage votre organisation" in page
    enrol(client)
    back = client.get("/mon-compte/securite/reprendre/")["Location"]
    shown = client.get(back).content.decode()
    assert f'action="{address}"' in shown
    assert 'name="motif" value="saisi"' in shown

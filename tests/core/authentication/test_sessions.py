"""Sessions: limits by population, ends, devices; who must hold a second factor; what is kept when a session ends."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from parvis.core import clock
from parvis.core.authentication import sessions
from parvis.core.authentication.devices import describe
from parvis.core.authentication.factors import GRACE
from parvis.core.authentication.sessions import ADMINISTRATOR, AGENT, USAGER, limits_of
from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account, Mandate
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import PASSWORD
from tests.core.authentication.test_login import events_of, log_in

SECURITY = "/mon-compte/securite/"
DESK = "/o/juvignac/actes/"


@pytest.fixture
def usager(db):
    return Account.objects.create_user(
        "ines@exemple.test", PASSWORD, given_name="Inès", family_name="R", population="usager"
    )


@pytest.fixture
def at(monkeypatch):
    """``at(seconds)`` moves the clock of sessions that far from now."""
    real = time.time

    def move(seconds):
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return move


# --- limits --------------------------------------------------------------------------------------------------
def test_limits_are_those_of_the_population(usager, account_for, juvignac):
    assert limits_of(usager, []) == USAGER == sessions.Limits(1800, 43200, 10)
    agent = account_for(juvignac, "secretaire")
    assert limits_of(agent, mandates_of(agent)) == AGENT == sessions.Limits(3600, 36000, 5)
    admin = account_for(juvignac, "administrateur")
    assert limits_of(admin, mandates_of(admin)) == ADMINISTRATOR == sessions.Limits(900, 14400, 2)
    assert limits_of(Account(population="exploitation"), []) == ADMINISTRATOR


@pytest.mark.parametrize(
    ("role", "minutes", "idle"),
    [("secretaire", 20, 1200), ("administrateur", 20, 900), ("administrateur", 10, 600)],
)
def test_an_organisation_may_shorten_the_idle_time(account_for, juvignac, fabregues, role, minutes, idle):
    agent = account_for(fabregues, role, email="partagee@mairies.test")
    account_for(juvignac, "lecteur", email="partagee@mairies.test")
    Organisation.objects.filter(pk=juvignac.pk).update(idle_minutes=minutes)
    assert limits_of(agent, mandates_of(agent)).idle == idle


def test_what_a_page_left_open_asks_by_itself_keeps_no_session_open(agent_client, juvignac, at):
    client = agent_client(juvignac, "secretaire")
    for seconds in range(600, 3600, 600):
        at(seconds)
        assert client.get(DESK, headers={"X-Parvis-By-Itself": "1", "HX-Request": "true"}).status_code == 200
    at(3700)
    closed = client.get(DESK, headers={"X-Parvis-By-Itself": "1", "HX-Request": "true"})
    assert closed["HX-Redirect"].startswith("/compte/login/")
    again = client.get(DESK, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/o/juvignac/actes/x/"})
    assert again["HX-Redirect"] == "/compte/login/?next=/o/juvignac/actes/x/"


@pytest.mark.parametrize(("role", "idle"), [("secretaire", 3600), ("administrateur", 900)])
def test_an_idle_session_ends_and_says_why(agent_client, juvignac, at, role, idle):
    client = agent_client(juvignac, role)
    assert client.get(SECURITY).status_code == 200
    at(idle - 5)
    assert client.get(SECURITY).status_code == 200
    at(2 * idle + 60)
    answer = client.get(SECURITY)
    assert answer["Location"] == f"/compte/login/?next={SECURITY}"
    assert "sans activité" in client.get(answer["Location"]).content.decode()
    assert events_of(client.account)[-1] == "user.logout"


def test_a_busy_session_ends_at_its_absolute_limit(agent_client, juvignac, at):
    client = agent_client(juvignac, "secretaire")
    for minute in range(0, 600, 50):
        at(minute * 60)
        assert client.get(SECURITY).status_code == 200, minute
    at(601 * 60)
    assert client.get(SECURITY).status_code == 302


def test_one_action_keeps_the_session_open(agent_client, juvignac, at):
    client = agent_client(juvignac, "administrateur")
    page = client.get("/bureau/").content.decode()
    assert 'data-idle="900"' in page
    at(14 * 60)
    assert client.get("/mon-compte/securite/prolonger/").status_code == 204
    at(28 * 60)
    assert client.get(SECURITY).status_code == 200


def test_what_was_being_sent_when_the_session_ended_waits_for_the_same_person(agent_client, juvignac, at):
    client = agent_client(juvignac, "administrateur")
    client.get(SECURITY)
    at(3600)
    answer = client.post("/o/juvignac/administration/second-facteur/1/", {"reason": "un long texte"})
    assert answer["Location"].startswith("/compte/login/?next=/mon-compte/securite/reprendre/%3Fsuite%3D")
    token = answer["Location"].rpartition("%3D")[2]
    assert client.session["authentication.pending"][token]["account"] == client.account.pk
    waiting = client.session["authentication.pending"]
    other = agent_client(juvignac, "lecteur")
    session = other.session
    session["authentication.pending"] = waiting
    session.save()
    assert other.get(f"/mon-compte/securite/reprendre/?suite={token}").status_code == 302
    again = agent_client(juvignac, "administrateur")
    session = again.session
    session["authentication.pending"] = waiting
    session.save()
    assert "un long texte" in again.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()


def test_staying_connected_is_for_usagers_and_falls_to_level_one(client, usager, at, rf):
    from parvis.core.authentication.assurance import assurance_of

    log_in(client, usager.email, remember="on")
    assert client.cookies["sessionid"]["max-age"] == 30 * 24 * 3600
    at(2 * 24 * 3600)
    assert client.get(SECURITY).status_code == 200
    request = rf.get("/")
    request.user, request.session = usager, client.session
    assert assurance_of(request).acr == "parvis:1"
    assert not assurance_of(request).recent
    at(31 * 24 * 3600)
    assert client.get(SECURITY).status_code == 302


def test_an_agent_does_not_stay_connected(account_for, juvignac, at):
    account = account_for(juvignac, "secretaire")
    client = Client()
    log_in(client, account.email, remember="on")
    assert not client.cookies["sessionid"]["max-age"]
    at(3700)
    assert client.get(SECURITY).status_code == 302


@pytest.mark.parametrize(("population", "most"), [("usager", 10), ("exploitation", 2)])
def test_sessions_in_excess_end_with_the_oldest(db, population, most):
    account = Account.objects.create_user("n@exemple.test", PASSWORD, population=population)
    clients = [Client() for _ in range(most + 1)]
    for client in clients:
        log_in(client, account.email)
    open_ones = [client.get(SECURITY).status_code == 200 for client in clients]
    assert open_ones == [False] + [True] * most
    assert UserSession.objects.filter(user=account).count() == most


# --- ends ----------------------------------------------------------------------------------------------------
def test_suspension_ends_every_session_at_once(client, usager):
    log_in(client, usager.email)
    assert client.get(SECURITY).status_code == 200
    Account.objects.filter(pk=usager.pk).update(suspended_at=clock.now())
    assert client.get(SECURITY).status_code == 302


def test_losing_a_mandate_ends_the_session(account_for, juvignac):
    account = account_for(juvignac, "secretaire")
    client = Client()
    log_in(client, account.email)
    assert client.get(SECURITY).status_code == 200
    with acting_for(juvignac):
        Mandate.objects.filter(account=account).update(end="2014-04-01")
    answer = client.get(SECURITY)
    assert answer.status_code == 302
    assert "mandats a pris fin" in client.get(answer["Location"]).content.decode()


def test_devices_are_listed_in_plain_french_and_closed_one_by_one_or_together(usager):
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
    here, phone, third = Client(), Client(headers={"user-agent": firefox}), Client()
    for client in (here, phone, third):
        log_in(client, usager.email)
    page = here.get("/mon-compte/securite/appareils/").content.decode()
    assert "Firefox sur Windows" in page
    assert "cet appareil" in page
    line = UserSession.objects.get(user_agent=firefox)
    here.post("/mon-compte/securite/appareils/fermer/", {"session": line.pk})
    assert phone.get(SECURITY).status_code == 302
    assert third.get(SECURITY).status_code == 200
    here.post("/mon-compte/securite/appareils/fermer/")
    assert third.get(SECURITY).status_code == 302
    assert here.get(SECURITY).status_code == 200
    assert events_of(usager).count("user.session.revoked") == 2


@pytest.mark.parametrize("number", ["0", "x", "9" * 40, "-1"])
def test_nobody_closes_the_session_of_another(usager, agent_client, juvignac, number):
    theirs, mine = Client(), agent_client(juvignac, "lecteur")
    log_in(theirs, usager.email)
    session = UserSession.objects.get(user=usager).pk
    for value in (session, number):
        assert mine.post("/mon-compte/securite/appareils/fermer/", {"session": value}).status_code == 302
    assert theirs.get(SECURITY).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("", "Appareil inconnu"),
        ("curl/8.0", "Appareil inconnu"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit Version/17 Safari/604.1",
            "Safari sur iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/126 Safari/537.36 Edg/126", "Edge sur Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/126 Mobile Safari/537.36", "Chrome sur Android"),
    ],
)
def test_browsers_have_names(user_agent, words):
    assert describe(user_agent) == words


def test_cookies_of_a_production_site_are_bound_to_its_host():
    import json
    import os
    import subprocess
    import sys

    program = (
        "import json; from parvis.config import settings as s; from parvis.core.authentication import throttle as t;"
        "print(json.dumps([s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        "s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN]))"
    ).replace("from parvis.core.authentication import throttle as t;", "")
    environment = {**os.environ, "PARVIS_DEMO": "0", "PARVIS_SECRET_KEY": "k" * 50, "PYTHONPATH": "src"}
    out = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True)
    assert json.loads(out.stdout) == ["__Host-parvis", "__Host-csrf", True, True, True, "Lax", False]


# --- second factor by role ------------------------------------------------------------------------------------
def test_an_administrator_has_no_grace(account_for, juvignac):
    account = account_for(juvignac, "administrateur")
    client = Client()
    log_in(client, account.email)
    assert client.get("/bureau/")["Location"] == SECURITY
    page = client.get(SECURITY).content.decode()
    assert "Choisissez un second facteur" in page
    assert client.get("/compte/mfa/totp/activate/").status_code == 200, "the password was just given: not asked again"


def test_another_agent_has_seven_days(account_for, juvignac):
    account = account_for(juvignac, "secretaire")
    client = Client()
    log_in(client, account.email)
    assert client.get("/bureau/").status_code == 200
    assert "avant le" in client.get(SECURITY).content.decode()
    Account.objects.filter(pk=account.pk).update(created_at=timezone.now() - GRACE)
    assert client.get("/bureau/")["Location"] == SECURITY


def test_a_usager_is_free(client, usager):
    log_in(client, usager.email)
    assert client.get("/bureau/", follow=True).status_code == 200


def test_an_administrator_without_a_spare_factor_makes_recovery_codes_first(agent_client, juvignac):
    client = agent_client(juvignac, "administrateur")
    account = client.account
    account.authenticator_set.filter(type="recovery_codes").delete()
    session = client.session
    del session["identity.second_factor"]
    session.save()
    assert client.get("/bureau/")["Location"] == "/compte/mfa/recovery-codes/generate/"
    Authenticator.objects.create(user=account, type="webauthn", data={"name": "x", "credential": {}})
    assert client.get("/bureau/").status_code == 200


def test_whoever_removes_the_last_factor_is_asked_for_one_at_once(agent_client, juvignac):
    client = agent_client(juvignac, "administrateur")
    assert client.get("/bureau/").status_code == 200
    assert client.post("/compte/mfa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=client.account, type="totp").exists()
    assert "identity.second_factor" not in client.session
    assert client.get("/bureau/")["Location"] == SECURITY


@pytest.mark.django_db(transaction=True)
def test_the_first_enrolment_asks_the_password_once_and_proves_level_two(account_for, juvignac, run_jobs, rf):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
    from django.core import mail

    from parvis.core.authentication.assurance import assurance_of

    account = account_for(juvignac, "administrateur")
    client = Client()
    log_in(client, account.email)
    client.get("/compte/mfa/totp/activate/")
    secret, key = client.session["mfa.totp.secret"], client.session.session_key
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    answer = client.post("/compte/mfa/totp/activate/", {"code": code})
    assert answer["Location"] == "/compte/mfa/recovery-codes/"
    codes = client.get("/compte/mfa/recovery-codes/")
    assert codes.content.decode().count("<li><code>") == 10
    assert client.get("/bureau/").status_code == 200
    assert client.session.session_key != key, "a new identifier once the factor is proved"
    request = rf.get("/")
    request.user, request.session = account, client.session
    assert assurance_of(request).acr == "parvis:2"
    run_jobs()
    assert "Second facteur ajouté" in [m.subject for m in mail.outbox]
    again = Client()
    log_in(again, account.email)
    assert again.post("/compte/mfa/authenticate/", {"code": code}).status_code == 200, "the enrolling code served once"


def test_own_events_are_shown_in_words(client, usager):
    log_in(client, usager.email, "faux")
    log_in(client, usager.email)
    page = client.get(SECURITY).content.decode()
    assert "Échec de connexion" in page
    assert "user.login" not in page

"""Login under attack: guessing, enumeration by words and by time, fixation, forged requests and addresses."""

import statistics
import time

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core import mail
from django.test import Client

from parvis.core import clock
from parvis.core.authentication import throttle
from parvis.core.authentication.models import Throttle
from parvis.core.identity.models import Account, SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from tests.conftest import PASSWORD
from tests.core.authentication.test_assurance import code_of

LOGIN = "/compte/login/"
WRONG = "Identifiants incorrects ou compte indisponible."


@pytest.fixture
def usager(db):
    return Account.objects.create_user(
        "ines@exemple.test", PASSWORD, given_name="Inès", family_name="R", population="usager"
    )


def log_in(client, email, password=PASSWORD, **fields):
    return client.post(LOGIN, {"login": email, "password": password, **fields})


def events_of(account):
    with identity_of(account.pk):
        return list(SecurityEvent.objects.filter(account=account).order_by("at").values_list("event", flat=True))


def later(monkeypatch, seconds):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + seconds)


# --- coming in -----------------------------------------------------------------------------------------------
def test_a_usager_comes_in_with_a_password_and_the_log_says_so(client, usager, run_jobs):
    answer = log_in(client, usager.email)
    assert answer.status_code == 302
    assert events_of(usager) == ["user.login"]
    run_jobs()
    assert [m.subject for m in mail.outbox] == ["Nouvelle connexion à votre compte"]
    client.post("/compte/logout/")
    log_in(client, usager.email)
    run_jobs()
    assert len(mail.outbox) == 1, "the browser is known now"
    assert events_of(usager) == ["user.login", "user.logout", "user.login"]


def test_an_agent_gives_a_code_too_and_the_session_has_a_new_identifier_each_time(agent_client, juvignac):
    account = agent_client(juvignac, "lecteur").account
    client = Client()
    client.get(LOGIN)
    assert log_in(client, account.email)["Location"] == "/compte/mfa/authenticate/"
    assert client.get("/bureau/").status_code == 302, "half a login opens nothing"
    before = client.session.session_key
    client.post("/compte/mfa/authenticate/", {"code": code_of(account)})
    assert client.session.session_key != before
    assert client.get("/bureau/").status_code == 200
    assert events_of(account) == ["user.mfa.use", "user.login"]


def test_a_session_planted_beforehand_is_not_the_one_that_is_logged_in(client, usager):
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    log_in(client, usager.email)
    assert client.session.session_key != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/mon-compte/securite/").status_code == 302


def test_logging_in_needs_the_token_of_the_form(usager):
    strict = Client(enforce_csrf_checks=True)
    assert log_in(strict, usager.email).status_code == 403
    assert strict.get("/mon-compte/securite/").status_code == 302


@pytest.mark.parametrize(
    "wanted",
    ["https://ailleurs.test/", "//ailleurs.test/", "/\\ailleurs.test", "javascript:alert(1)", "http:ailleurs.test"],
)
def test_a_forged_next_does_not_lead_elsewhere(client, usager, wanted):
    assert log_in(client, usager.email, next=wanted)["Location"] == "/bureau/"


def test_a_local_next_is_followed(client, usager):
    assert log_in(client, usager.email, next="/mon-compte/securite/")["Location"] == "/mon-compte/securite/"


def test_a_forged_host_is_refused_and_never_written_in_a_message(client, usager, run_jobs, settings):
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    assert client.get(LOGIN, headers={"host": "ailleurs.test"}).status_code == 400
    client.post("/compte/password/reset/", {"email": usager.email}, headers={"x-forwarded-host": "ailleurs.test"})
    run_jobs()
    assert settings.BASE_URL in mail.outbox[-1].body
    assert "ailleurs" not in mail.outbox[-1].body


# --- enumeration ---------------------------------------------------------------------------------------------
def test_words_are_the_same_for_a_wrong_password_an_unknown_address_and_a_suspended_account(usager, run_jobs):
    suspended = Account.objects.create_user("ferme@exemple.test", PASSWORD, population="usager")
    suspended.suspended_at = clock.now()
    suspended.save()
    closed = Account.objects.create_user("clos@exemple.test", PASSWORD, population="usager", is_active=False)
    pages = []
    for email, password in [
        (usager.email, "faux"),
        ("inconnue@exemple.test", "faux"),
        (suspended.email, PASSWORD),
        (suspended.email, "faux"),
        (closed.email, PASSWORD),
    ]:
        answer = log_in(Client(), email, password)
        page = answer.content.decode().replace(email, "x")
        assert WRONG in page
        pages.append((answer.status_code, page.partition('name="csrfmiddlewaretoken"')[0], page.count(WRONG)))
    assert len(set(pages)) == 1
    run_jobs()
    assert {m.to[0]: m.subject for m in mail.outbox} == {
        suspended.email: "Votre compte est indisponible",
        closed.email: "Votre compte est indisponible",
    }


@pytest.mark.parametrize("email", ["ines@exemple.test", "inconnue@exemple.test", "ferme@exemple.test"])
def test_every_failure_hashes_once(client, usager, email, monkeypatch, settings):
    settings.PASSWORD_HASHERS = ["parvis.core.authentication.hashers.NormalisingArgon2Hasher"]
    for address in (usager.email, "ferme@exemple.test"):
        account = Account.objects.filter(email=address).first() or Account(email=address)
        account.set_password(PASSWORD)
        account.is_active = address == usager.email
        account.save()
    hashed = []
    hasher = type(get_hasher("default"))
    for name in ("encode", "verify"):
        real = getattr(hasher, name)
        monkeypatch.setattr(hasher, name, lambda self, *a, _real=real, **k: hashed.append(1) or _real(self, *a, **k))
    log_in(client, email, "faux")
    assert len(hashed) == 1


@pytest.mark.slow
def test_time_is_the_same_for_an_unknown_address(usager, settings):
    settings.PASSWORD_HASHERS = ["parvis.core.authentication.hashers.NormalisingArgon2Hasher"]
    usager.set_password(PASSWORD)
    usager.save()
    spent = {usager.email: [], "inconnue@exemple.test": []}
    for _ in range(6):
        for email, times in spent.items():
            Throttle.objects.all().delete()
            begun = time.process_time()
            log_in(Client(), email, "faux")
            times.append(time.process_time() - begun)
    known, unknown = (statistics.median(times) for times in spent.values())
    assert unknown == pytest.approx(known, rel=0.35)


def test_a_reset_answers_alike_and_does_the_same_work_for_an_unknown_address(
    usager, run_jobs, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    said, queries = [], []
    for email in (usager.email, "inconnue@exemple.test"):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = Client().post("/compte/password/reset/", {"email": email})
        said.append((answer.status_code, answer["Location"]))
        queries.append(len(captured))
    assert said[0] == said[1]
    assert queries[0] == queries[1]
    run_jobs()
    assert [m.to for m in mail.outbox] == [[usager.email]]


def test_asking_for_links_in_the_name_of_somebody_floods_nobody_and_keeps_nobody_from_the_form(usager, run_jobs):
    answers = [
        Client(REMOTE_ADDR=f"192.0.2.{n}").post("/compte/password/reset/", {"email": usager.email}) for n in range(7)
    ]
    assert {(a.status_code, a["Location"]) for a in answers} == {(302, "/compte/password/reset/done/")}
    run_jobs()
    assert len(mail.outbox) == 5


def test_the_reset_link_serves_once_ends_every_session_and_leaves_the_second_factor(agent_client, juvignac, run_jobs):
    import re

    open_elsewhere = agent_client(juvignac, "lecteur")
    account = open_elsewhere.account
    client = Client()
    client.post("/compte/password/reset/", {"email": account.email})
    run_jobs()
    link = re.search(r"/compte/password/reset/key/\S+", mail.outbox[-1].body).group()
    form = client.get(link)["Location"]
    new = "vélo cuivre nuage tambour ravin hibou lanterne"
    assert client.post(form, {"password1": "court", "password2": "court"}).status_code == 200
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    assert open_elsewhere.get("/mon-compte/securite/").status_code == 302
    assert "plus valable" in Client().get(link, follow=True).content.decode()
    assert log_in(client, account.email, new)["Location"] == "/compte/mfa/authenticate/"


@pytest.mark.parametrize(("holder", "logged"), [(True, ["user.password.reset.failure"]), (False, [])])
def test_a_wrong_reset_link_is_logged_for_its_holder_and_within_bounds(usager, monkeypatch, holder, logged):
    from allauth.account.utils import user_pk_to_url_str

    from parvis.core.authentication.forms import ResetLinkForm

    monkeypatch.setattr(ResetLinkForm, "MOST_PER_HOUR", 1)
    whose = user_pk_to_url_str(usager) if holder else "zzzzz"
    for _ in range(3):
        assert "plus valable" in Client().get(f"/compte/password/reset/key/{whose}-faux/").content.decode()
    assert events_of(usager) == logged


# --- guessing ------------------------------------------------------------------------------------------------
def test_delays_grow_by_the_factor_from_ten_seconds_to_an_hour():
    waits = [throttle.delay(n) for n in range(1, 16)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] == pytest.approx(1.8**4)
    assert waits[5] == pytest.approx(1.8**6)
    assert waits[-1] == 3600
    assert throttle.delay(40, 40) == 0


def test_guessing_makes_only_the_guesser_wait(client, usager):
    for _ in range(4):
        assert WRONG in log_in(client, usager.email, "faux").content.decode()
    refused = log_in(client, usager.email).content.decode()
    assert "Trop d’essais infructueux. Réessayez dans" in refused
    assert client.get("/mon-compte/securite/").status_code == 302, "even the right password waits there"
    victim = Client(REMOTE_ADDR="198.51.100.7")
    assert log_in(victim, usager.email).status_code == 302


def test_a_browser_that_knows_the_account_gets_in_from_the_guessers_own_address(client, usager):
    log_in(client, usager.email)
    client.post("/compte/logout/")
    guesser = Client()
    for _ in range(5):
        log_in(guesser, usager.email, "faux")
    assert "Trop d’essais" in log_in(guesser, usager.email).content.decode()
    assert log_in(client, usager.email).status_code == 302


def test_a_forged_device_cookie_is_worth_nothing(client, usager):
    for _ in range(5):
        log_in(client, usager.email, "faux")
    client.cookies[throttle.DEVICE_COOKIE] = '{"x": "y"}'
    assert "Trop d’essais" in log_in(client, usager.email).content.decode()


def test_an_unknown_address_waits_as_a_known_one_does(client, db):
    answers = [log_in(client, "inconnue@exemple.test", "faux").content.decode() for _ in range(5)]
    assert [("Trop d’essais" in page) for page in answers] == [False] * 4 + [True]


def test_waiting_is_enough(client, usager, monkeypatch):
    for _ in range(5):
        log_in(client, usager.email, "faux")
    later(monkeypatch, 12)
    assert log_in(client, usager.email).status_code == 302
    assert [row.failures for row in Throttle.objects.all()] == [4], "the address remembers, the account does not"


def test_trying_many_accounts_from_one_address_ends_by_waiting(client, db):
    pages = [log_in(client, f"n{n}@exemple.test", "faux").content.decode() for n in range(46)]
    assert "Trop d’essais" not in "".join(pages[:40])
    assert "Trop d’essais" in pages[-1]
    assert "Trop d’essais" not in log_in(Client(REMOTE_ADDR="198.51.100.7"), "n1@exemple.test", "x").content.decode()


def test_addresses_of_one_ipv6_network_count_as_one():
    assert throttle.network("2001:db8:1:2:aaaa::1") == throttle.network("2001:db8:1:2:bbbb::2")
    assert throttle.network("2001:db8:1:3::1") != throttle.network("2001:db8:1:2::1")


def test_simultaneous_tries_are_all_counted(rf, db):
    request = rf.post(LOGIN)
    for _ in range(4):  # none of them has been judged yet
        throttle.begin(request, "login", "x@exemple.test")
    with pytest.raises(throttle.TooManyTries):
        throttle.begin(request, "login", "x@exemple.test")


# --- codes ---------------------------------------------------------------------------------------------------
def test_a_code_serves_once(agent_client, juvignac):
    account = agent_client(juvignac, "lecteur").account
    code = code_of(account)
    first, second = Client(), Client(REMOTE_ADDR="198.51.100.7")
    for client in (first, second):
        log_in(client, account.email)
    assert first.post("/compte/mfa/authenticate/", {"code": code}).status_code == 302
    refused = second.post("/compte/mfa/authenticate/", {"code": code})
    assert refused.status_code == 200
    assert "a déjà servi" in refused.content.decode()
    assert "user.mfa.failure" in events_of(account)


def test_a_recovery_code_serves_once_and_is_logged(agent_client, juvignac):
    account = agent_client(juvignac, "lecteur").account
    code = account.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()[0]
    for expected in (302, 200):
        client = Client()
        log_in(client, account.email)
        assert client.post("/compte/mfa/authenticate/", {"code": code}).status_code == expected
    assert "user.mfa.recovery_used" in events_of(account)


def test_guessing_codes_waits_too(agent_client, juvignac):
    account = agent_client(juvignac, "lecteur").account
    client = Client()
    log_in(client, account.email)
    pages = [client.post("/compte/mfa/authenticate/", {"code": "000000"}).content.decode() for _ in range(5)]
    assert "Trop d’essais" in pages[-1]
    assert "Trop d’essais" not in pages[0]


def test_guessing_codes_from_many_addresses_waits_as_well(rf, db):
    """Each address has a few free tries: a network of a thousand would try every code in no time."""
    from_each = [rf.get("/", REMOTE_ADDR=f"192.0.2.{n}") for n in range(60)]
    for request in from_each[: throttle.ALLOWED_PER_ACCOUNT]:
        throttle.begin(request, "code", "agent@juvignac.test")
    with pytest.raises(throttle.TooManyTries):  # noqa: PT012  the few that the growing wait still lets through
        for request in from_each[throttle.ALLOWED_PER_ACCOUNT :]:
            throttle.begin(request, "code", "agent@juvignac.test")
    throttle.begin(rf.get("/", REMOTE_ADDR="198.51.100.1"), "login", "agent@juvignac.test")  # passwords do not wait


def test_the_secret_of_the_application_is_sealed_in_the_database(agent_client, juvignac, settings):
    from cryptography.fernet import InvalidToken

    from parvis.core.authentication import secrets

    account = agent_client(juvignac, "lecteur").account
    stored = account.authenticator_set.get(type="totp").data["secret"]
    assert stored.startswith("gAAAA")
    plain = secrets.decrypt(stored)
    assert len(plain) == 32
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-key-" + "k" * 40
    assert secrets.decrypt(stored) == plain
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(InvalidToken):
        secrets.decrypt(stored)

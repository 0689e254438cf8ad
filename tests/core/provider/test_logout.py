"""Logout asked by a site, and what the other sites are told of it."""

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode

import jwt
import pytest

from parvis.core.identity.models import SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.provider import keys, logout, outgoing
from parvis.core.provider.models import Grant, LogoutNotice
from parvis.core.provider.tasks import NotTold, tell
from tests.core.provider.party import ISSUER, answered, login

pytestmark = pytest.mark.django_db
BYE = "https://site.juvignac.test/au-revoir"


@pytest.fixture
def listener():
    """A site's own logout address, on this machine."""
    received, status = [], [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append(parse_qs(body)["logout_token"][0])
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.received, server.status = received, status
    server.url = f"http://127.0.0.1:{server.server_port}/fin?site=1"
    yield server
    server.shutdown()


def leave(site, browser, hint, **changes):
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "abc", **changes}
    return browser.get("/identite/o/logout?" + urlencode({k: v for k, v in asked.items() if v is not None}))


def test_a_site_logs_its_person_out_and_gets_them_back(site, browser, citizen):
    tokens = site.tokens(browser)
    answer = leave(site, browser, tokens["id_token"])
    assert answer.status_code == 302
    assert answer["Location"] == BYE + "?state=abc"
    assert site.userinfo(tokens["access_token"]).status_code == 401
    assert answered(site.ask(browser, prompt="none"))["error"] == "login_required"
    with identity_of(citizen.pk):
        assert Grant.objects.get().ended_by == "deconnexion"


def test_an_old_hint_still_proves_the_session(site, browser, monkeypatch):
    hint = site.tokens(browser)["id_token"]
    claims = jwt.decode(hint, options={"verify_signature": False})
    jwk, key = keys.load(keys.all_keys()[0].pem)
    old = jwt.encode({**claims, "iat": 1, "exp": int(time.time()) - 86400}, key, "RS256", headers={"kid": jwk["kid"]})
    assert leave(site, browser, old).status_code == 302


@pytest.mark.parametrize("hint", [None, "faux"])
def test_without_a_proof_the_person_is_asked(site, browser, hint):
    site.tokens(browser)
    page = leave(site, browser, hint, client_id=site.client_id)
    assert page.status_code == 200
    assert "Voulez-vous vous déconnecter" in page.content.decode()
    kept = dict(page.context["kept"])
    stayed = browser.post("/identite/o/logout", {**kept, "decision": "rester"})
    assert stayed["Location"].startswith(BYE)
    assert "code" in answered(site.ask(browser, prompt="none"))
    gone = browser.post("/identite/o/logout", {**kept, "decision": "partir"})
    assert gone["Location"].startswith(BYE)
    assert answered(site.ask(browser, prompt="none"))["error"] == "login_required"


def test_another_site_cannot_log_out_by_posting_the_answer(site, citizen):
    from django.test import Client

    careful = Client(enforce_csrf_checks=True)
    careful.cookies = login(citizen).cookies
    answer = careful.post("/identite/o/logout", {"decision": "partir", "client_id": site.client_id})
    assert answer.status_code == 403
    assert "code" in answered(site.ask(careful, prompt="none"))


def test_the_hint_of_another_session_of_the_same_person_is_asked(site, browser, citizen):
    hint = site.tokens(login(citizen))["id_token"]
    site.tokens(browser)
    assert leave(site, browser, hint).status_code == 200


@pytest.mark.parametrize("address", [BYE + "/", "https://ailleurs.test/", BYE + "?x=1", "javascript:alert(1)"])
def test_the_way_back_is_registered_to_the_letter(site, browser, address):
    hint = site.tokens(browser)["id_token"]
    answer = leave(site, browser, hint, post_logout_redirect_uri=address)
    assert answer.status_code == 400
    assert "ailleurs" not in answer.content.decode()
    assert "code" in answered(site.ask(browser, prompt="none")), "and nobody is logged out by it"


def test_nobody_logged_in_goes_back_at_once(site, browser, client):
    hint = site.tokens(browser)["id_token"]
    assert leave(site, client, hint)["Location"].startswith(BYE)


def test_every_site_of_the_session_is_told(make_site, juvignac, fabregues, browser, listener, run_jobs, citizen):
    first = make_site(juvignac)
    second = make_site(fabregues, name="Fabrègues", backchannel_logout_url=listener.url)
    elsewhere = make_site(juvignac, name="Autre navigateur", backchannel_logout_url=listener.url)
    elsewhere.tokens(login(citizen))
    hint = first.tokens(browser)["id_token"]
    told = second.claims(second.tokens(browser)["id_token"])
    assert leave(first, browser, hint).status_code == 302, "every site confirmed: straight back"
    assert len(listener.received) == 1
    token = listener.received[0]
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
    claims = second.claims(token)
    assert claims["sid"] == told["sid"]
    assert claims["sub"] == told["sub"]
    assert claims["events"] == {logout.EVENT: {}}
    assert "nonce" not in claims
    assert claims["jti"]
    assert claims["iss"] == ISSUER
    run_jobs(queue="identite")
    assert len(listener.received) == 1, "told once"


def test_a_site_that_does_not_confirm_is_shown_then_tried_again_then_audited(
    make_site, juvignac, fabregues, browser, listener, agent_client, run_jobs
):
    first = make_site(juvignac)
    second = make_site(fabregues, name="Site de Fabrègues", backchannel_logout_url=listener.url)
    silent = make_site(fabregues, name="Vieux site")
    hint = first.tokens(browser)["id_token"]
    second.tokens(browser)
    silent.tokens(browser)
    listener.status[0] = 500
    page = leave(first, browser, hint)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Vous pourriez être encore connecté" in text
    assert "Site de Fabrègues" in text
    assert "Vieux site" in text
    assert BYE in text
    with acting_for(fabregues):
        notice = LogoutNotice.objects.get()
    assert (notice.state, notice.attempts) == ("a_envoyer", 1)
    with pytest.raises(NotTold):
        tell(fabregues.pk, notice_id=str(notice.pk))
    from parvis.core.provider import tasks

    tasks._give_up(fabregues.pk, NotTold("x"), notice_id=str(notice.pk))
    with acting_for(fabregues):
        assert LogoutNotice.objects.get().state == "echouee"
        assert Entry.objects.filter(action="service_relie.deconnexion_echouee").exists()
        assert SecurityEvent.objects.filter(event="oidc.logout.backchannel.failure").exists()
    administrator = agent_client(fabregues, "administrateur")
    detail = administrator.get(f"/o/fabregues/administration/services-relies/{second.service.pk}/")
    assert "échouée" in detail.content.decode()
    listener.status[0] = 200
    tell(fabregues.pk, notice_id=str(notice.pk))
    with acting_for(fabregues):
        assert LogoutNotice.objects.get().state == "confirmee"


def test_logging_out_on_the_platform_tells_the_sites_and_names_those_that_do_not_confirm(
    make_site, juvignac, fabregues, browser, listener
):
    make_site(juvignac, backchannel_logout_url=listener.url, name="Confirme").tokens(browser)
    make_site(fabregues, name="Ne confirme pas").tokens(browser)
    answer = browser.post("/compte/logout/", follow=True)
    text = answer.content.decode()
    assert len(listener.received) == 1
    assert "encore connecté à Ne confirme pas" in text
    assert "encore connecté à Confirme" not in text


def test_whoever_came_by_franceconnect_leaves_it_before_going_back_to_the_site(
    make_site, juvignac, fabregues, browser, monkeypatch
):
    """The way to the provider itself is tested with the federation."""
    from parvis.core.authentication import departures

    away = "https://fc.test/session/end?state=xyz"
    step = departures.Departure("franceconnect", "FranceConnect", "browser", away)
    monkeypatch.setattr(departures, "_leaving", {"federation": lambda request: [step]})
    site = make_site(juvignac)
    silent = make_site(fabregues, name="Vieux site")
    hint = site.tokens(browser)["id_token"]
    answer = leave(site, browser, hint)
    assert answer["Location"] == "/federation/deconnexion/"
    page = browser.get(answer["Location"])
    assert page["Refresh"] == f"0; url={away}"
    assert browser.get("/federation/franceconnect/sortie/?state=xyz").status_code == 302
    page = browser.get(answer["Location"])
    assert page["Refresh"] == f"0; url={BYE}?state=abc", "every step is done: the site gets its person back"
    assert "Revenir à Site de Juvignac" in page.content.decode()
    assert leave(site, browser, hint)["Location"].startswith(BYE), "nothing to leave any more"

    again = login(browser.account)
    hint = site.tokens(again)["id_token"]
    silent.tokens(again)
    leave(site, again, hint)
    again.get("/federation/franceconnect/sortie/?state=xyz")
    page = again.get("/federation/deconnexion/")
    assert "Refresh" not in page, "a site did not confirm: the person reads it first"
    assert "Vous pourriez être encore connecté à Vieux site" in page.content.decode()
    assert f"{BYE}?state=abc" in page.content.decode()


def test_the_list_of_sessions_may_lose_its_row_first(make_site, juvignac, fabregues, citizen, listener):
    """A receiver of the same signal deletes the row of the list before the grants are looked for."""
    from allauth.usersessions.models import UserSession
    from django.contrib.auth.signals import user_logged_out

    def first(request, **kwargs):
        UserSession.objects.filter(session_key=request.session.session_key).delete()

    browser = login(citizen)
    asking = make_site(fabregues)
    make_site(juvignac, backchannel_logout_url=listener.url).tokens(browser)
    hint = asking.tokens(browser)["id_token"]
    UserSession.objects.get_or_create(
        session_key=browser.session.session_key, defaults={"user": citizen, "ip": "127.0.0.1"}
    )
    receivers = user_logged_out.receivers
    user_logged_out.connect(first)
    user_logged_out.receivers = [*user_logged_out.receivers[-1:], *receivers]
    user_logged_out.sender_receivers_cache.clear()
    try:
        assert leave(asking, browser, hint).status_code == 302
    finally:
        user_logged_out.receivers = receivers
        user_logged_out.sender_receivers_cache.clear()
    assert len(listener.received) == 1


def test_ending_a_session_from_the_list_tells_its_sites(make_site, juvignac, citizen, listener, run_jobs):
    from allauth.usersessions.models import UserSession

    site = make_site(juvignac, backchannel_logout_url=listener.url)
    browser = login(citizen)
    tokens = site.tokens(browser)
    UserSession.objects.get_or_create(
        session_key=browser.session.session_key, defaults={"user": citizen, "ip": "127.0.0.1"}
    )
    UserSession.objects.get(session_key=browser.session.session_key).end()
    run_jobs(queue="identite")
    assert len(listener.received) == 1
    assert site.userinfo(tokens["access_token"]).status_code == 401


def test_grants_follow_the_session_when_its_key_changes(site, citizen):
    browser = login(citizen)
    site.tokens(browser)
    session = browser.session
    session.cycle_key()
    session.save()
    browser.cookies["sessionid"] = session.session_key
    site.ask(browser)
    with identity_of(citizen.pk):
        assert set(Grant.objects.values_list("session_key", flat=True)) == {session.session_key}


def test_closing_an_account_ends_everything_even_prolonged_access(make_site, juvignac, browser, citizen):
    site = make_site(juvignac, scopes=["openid", "offline_access"])
    tokens = site.tokens(browser)
    browser.post("/compte/logout/")
    renewed = site.refresh(tokens["refresh_token"])
    assert renewed.status_code == 200, "prolonged access outlives the session: that is what it is for"
    logout.end_account(citizen)
    assert site.refresh(renewed.json()["refresh_token"]).status_code == 400


PRIVATE = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "224.0.0.1"]
PRIVATE_6 = ["::1", "::ffff:10.0.0.1", "fd00::1", "fe80::1%eth0"]


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_6)
def test_our_own_network_is_never_called(settings, monkeypatch, address):
    settings.DEMO = False
    family = outgoing.socket.AF_INET6 if ":" in address else outgoing.socket.AF_INET
    answers = [(family, None, None, "", ("93.184.216.34", 443)), (family, None, None, "", (address, 443))]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *a, **k: answers)
    with pytest.raises(outgoing.Unreachable, match="publique"):
        outgoing.post_form("https://site.test/fin", {"logout_token": "x"})


@pytest.mark.parametrize(
    "url", ["http://site.test/", "ftp://site.test/", "https://moi@site.test/", "file:///etc/passwd"]
)
def test_other_schemes_are_not_called(settings, url):
    settings.DEMO = False
    with pytest.raises(outgoing.Unreachable):
        outgoing.post_form(url, {})


def test_a_redirection_is_not_followed(listener):
    listener.status[0] = 302
    with pytest.raises(outgoing.Unreachable, match="302"):
        outgoing.post_form(listener.url, {"logout_token": "x"})


@pytest.mark.parametrize("drip", [b"a", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_site_that_answers_drop_by_drop_is_hung_up_on(monkeypatch, settings, drip):
    """Each byte begins the timeout of the socket anew: only a deadline ends it."""
    monkeypatch.setattr(outgoing, "TOTAL_SECONDS", 0.6)
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer():
        line, _ = server.accept()
        with line, suppress(OSError):
            line.sendall(drip)
            while not over.wait(0.1):
                line.sendall(b"a")

    threading.Thread(target=answer, daemon=True).start()
    start = time.monotonic()
    with pytest.raises(outgoing.Unreachable, match="ne répond pas"):
        outgoing.post_form(f"http://127.0.0.1:{server.getsockname()[1]}/fin", {"logout_token": "x"})
    over.set()
    server.close()
    assert time.monotonic() - start < 2


def test_the_body_of_an_answer_is_not_waited_for():
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        line, _ = server.accept()
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with suppress(OSError):
            line.recv(1)

    threading.Thread(target=answer, daemon=True).start()
    start = time.monotonic()
    outgoing.post_form(f"http://127.0.0.1:{server.getsockname()[1]}/fin", {"logout_token": "x"})
    assert time.monotonic() - start < 2
    server.close()

"""Exchange of an authorization code, by twenty sites at once, against two workers of the real server.

Target: p95 of 40 ms, each of the twenty clients having one exchange at a time in flight, at the pace of twenty logins
a second (a metropole at its busiest hour makes one or two). The same load is put on npm's ``oidc-provider``, the
library that FranceConnect is built on, one process with everything in memory, where npm can install it. What each
server bears at most (the twenty clients exchanging without a pause) is measured too.
"""

import base64
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.workbench import PROJECT, fresh_database, percentile, say

CLIENTS = 20
LOGINS = int(os.environ.get("BENCH_LOGINS", "400"))
WORKERS = 2
TARGET_MS = 40
PAUSE_SECONDS = 1.0
BACK = "http://localhost:9/retour"
FOLDER = PROJECT / "bench" / "oidc-provider"
PEER = "oidc-provider@" + json.loads((FOLDER / "package.json").read_text())["dependencies"]["oidc-provider"]


class Person:
    """One browser and one site: a connection to each, kept open."""

    def __init__(
        self, base: str, authorize: str, token: str, client: tuple[str, str], cookie: str, number: int
    ) -> None:
        self.address = urlsplit(base)
        self.paths, self.client, self.number = (authorize, token), client, number
        self.cookies = dict([cookie.split("=", 1)]) if cookie else {}
        self.browser, self.site = (http.client.HTTPConnection(self.address.netloc, timeout=120) for _ in range(2))

    def _get(self, address: str) -> str:
        """Follow one redirection; returns where it leads."""
        jar = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        headers = {"Cookie": jar, "Accept": "text/html", "X-Account": f"camille-{self.number}"}
        self.browser.request("GET", address, headers=headers)
        answer = self.browser.getresponse()
        body = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status not in (302, 303):
            raise SystemExit(f"{answer.status} at {address}: {body[:600]!r}")
        return answer.headers["Location"]

    def code(self) -> tuple[str, str]:
        """An authorization code and its verifier."""
        verifier = secrets.token_urlsafe(40)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code", "client_id": self.client[0], "redirect_uri": BACK, "scope": "openid",
            "state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24),
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        place = f"{self.paths[0]}?{urlencode(query)}"
        while not place.startswith(BACK):
            parts = urlsplit(place)
            place = self._get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
        found = parse_qs(urlsplit(place).query)
        if "code" not in found:
            raise SystemExit(f"no code: {place}")
        return found["code"][0], verifier

    def exchange(self, code: str, verifier: str) -> float:
        """Milliseconds that the exchange took."""
        pair = base64.b64encode(":".join(self.client).encode()).decode()
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": verifier}
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        start = time.perf_counter()
        self.site.request("POST", self.paths[1], urlencode(fields), headers)
        answer = self.site.getresponse()
        content = answer.read()
        spent = (time.perf_counter() - start) * 1000
        if answer.status != 200 or b"id_token" not in content:
            raise SystemExit(f"{answer.status}: {content[:600]!r}")
        return spent


def together(people: list[Person], work) -> list[float]:
    """Run ``work(person)`` in one thread per person, begun at once; returns all their figures."""
    figures: list[float] = []
    failures: list[BaseException] = []
    gate = threading.Barrier(len(people))

    def run(person: Person) -> None:
        try:
            gate.wait()
            figures.extend(work(person))
        except BaseException as error:  # a thread must not die in silence
            failures.append(error)

    threads = [threading.Thread(target=run, args=(p,)) for p in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{len(failures)} clients failed: {failures[0]}")
    return figures


def measure(people: list[Person], name: str) -> dict[str, float]:
    """Logins at a steady pace, then exchanges without a pause."""
    rounds = LOGINS // len(people)

    def paced(person: Person) -> list[float]:
        figures = []
        time.sleep(PAUSE_SECONDS * person.number / len(people))
        for _ in range(rounds):
            due = time.monotonic() + PAUSE_SECONDS
            figures.append(person.exchange(*person.code()))
            time.sleep(max(0.0, due - time.monotonic()))
        return figures

    def prepared(person: Person) -> list[float]:
        codes = ready[person.number]
        return [person.exchange(*code) for code in codes]

    together(people, lambda person: [person.exchange(*person.code()) for _ in range(2)])  # warm
    steady = together(people, paced)
    ready = {p.number: [p.code() for _ in range(min(rounds, 10))] for p in people}
    start = time.perf_counter()
    pressed = together(people, prepared)
    spent = time.perf_counter() - start
    result = {
        "p50_ms": round(percentile(steady, 50), 1),
        "p95_ms": round(percentile(steady, 95), 1),
        "pressed_p95_ms": round(percentile(pressed, 95), 1),
        "pressed_per_second": round(len(pressed) / spent, 1),
    }
    say(bench="provider", server=name, exchanges=len(steady), clients=len(people), **result)
    return result


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def until_answers(port: int, process: subprocess.Popen) -> None:
    """The port opens before the workers have read their code: wait for answers."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)
            connection.request("GET", "/.well-known/openid-configuration")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("a server did not start")


@contextmanager
def serving(command: list[str], port: int, folder: Path = PROJECT):
    process = subprocess.Popen(command, cwd=folder)
    try:
        until_answers(port, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


def prepare() -> tuple[tuple[str, str], list[str]]:
    """One approved site with its secret, and twenty people who are logged in; returns their cookies."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from parvis.core.identity.models import Account
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.models import Organisation
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.provider import services

    actor = Actor("system", "bench")
    organisation = Organisation.objects.create(
        slug="mesure", name="Commune de mesure", short_name="Mesure", siren="213401235", kind="commune",
        departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
    )  # fmt: skip
    values = {
        "name": "Site de mesure", "description": "", "logo_id": None, "home_url": "http://localhost:9/",
        "contact": "a@mesure.test",
        "relation": "propre", "type": "confidential", "authentication": "secret", "jwks": None,
        "jwks_uri": "", "redirect_uris": [BACK], "post_logout_uris": [],
        "backchannel_logout_url": "", "scopes": ["openid"], "claims": [], "agreement": "dispense", "acr": "",
        "populations": ["usager"], "members_only": False, "roles": [], "access_lifetime": 300, "id_lifetime": 300,
        "refresh_lifetime": 28800,
    }  # fmt: skip
    people = [
        Account.objects.create(
            email=f"camille{n}@mesure.test",
            given_name="Camille",
            family_name="Mesure",
            population="usager",
            password="!",
        )
        for n in range(CLIENTS)
    ]
    with acting_for(organisation):
        service = services.propose(organisation, values, actor=actor)
        services.approve(service, seen=services.fingerprint(service), by=people[0], actor=actor)
        secret = services.rotate_secret(service, actor=actor)
    cookies = []
    for account in people:
        session = SessionStore()
        session[SESSION_KEY] = str(account.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session["account_authentication_methods_user"] = str(account.pk)
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session.save()
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
    return (service.client_id, secret), cookies


def parvis() -> dict[str, float]:
    port = free_port()
    os.environ["PARVIS_BASE_URL"] = f"http://127.0.0.1:{port}"
    fresh_database("provider")
    client, cookies = prepare()
    server = [
        sys.executable, "-m", "gunicorn", "parvis.config.wsgi:application", "--bind", f"127.0.0.1:{port}",
        "--workers", str(WORKERS), "--threads", "4", "--keep-alive", "120", "--log-level", "warning",
    ]  # fmt: skip
    with serving(server, port):
        base = f"http://127.0.0.1:{port}"
        paths = ("/identite/o/authorize", "/identite/o/token")
        return measure([Person(base, *paths, client, c, n) for n, c in enumerate(cookies)], "parvis")


def peer() -> dict[str, float] | None:
    """The same load on npm's oidc-provider; None where it cannot be installed."""
    if shutil.which("npm") is None:
        say(bench="provider", server=PEER, absent="npm is not installed")
        return None
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    if subprocess.run(install, cwd=FOLDER, check=False, timeout=300).returncode:
        say(bench="provider", server=PEER, absent="npm could not install it")
        return None
    port, secret = free_port(), secrets.token_hex(32)
    with serving(["node", "server.js", str(port), secret, BACK], port, FOLDER):
        base = f"http://127.0.0.1:{port}"
        people = [Person(base, "/auth", "/token", ("bench", secret), "", n) for n in range(CLIENTS)]
        return measure(people, PEER)


def main() -> None:
    ours = parvis()
    theirs = peer()
    say(
        bench="provider",
        p95_ms=ours["p95_ms"],
        target_ms=TARGET_MS,
        peer_p95_ms=theirs["p95_ms"] if theirs else None,
        pressed_p95_ms=ours["pressed_p95_ms"],
        peer_pressed_p95_ms=theirs["pressed_p95_ms"] if theirs else None,
        ratio=round(TARGET_MS / ours["p95_ms"], 2),
    )


if __name__ == "__main__":
    main()

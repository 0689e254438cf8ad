"""Starts the simulated providers over HTTP on loopback, each under ``/api/v2``, with a control address.

``POST <origin>/control`` takes JSON: ``{"faults": {name: value}}`` replaces the faults, ``{"clients": [...]}`` and
``{"people": [...]}`` add to those known, ``{"rotate": true}`` renews the keys. ``GET`` tells what happened.
"""

import json
import secrets
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from parvis_sandbox.clock import Clock
from parvis_sandbox.identity import pages
from parvis_sandbox.identity.people import AGENTS, COLLEAGUES, Person, read_citizens
from parvis_sandbox.identity.provider import (
    DIRECTORY_LEVELS,
    EIDAS,
    PROCONNECT_ACRS,
    CallBack,
    Client,
    OwnPage,
    Provider,
    Refused,
)

PREFIX = "/api/v2"
MAX_BODY = 64 * 1024
RETURNS = {
    "annuaire": "annuaire",
    "franceconnect": "franceconnect",
    "franceconnect_plus": "franceconnect",
    "proconnect": "proconnect",
}


class Identity:
    """The running providers, by name: ``franceconnect``, ``franceconnect_plus``, ``proconnect``, ``annuaire``."""

    def __init__(self, servers: dict[str, ThreadingHTTPServer], providers: dict[str, Provider]) -> None:
        self._servers, self.providers = servers, providers

    def issuer(self, name: str) -> str:
        return self.providers[name].issuer

    def control_url(self, name: str) -> str:
        return self.providers[name].issuer.removesuffix(PREFIX) + "/control"

    @property
    def urls(self) -> dict[str, str]:
        return {name: provider.issuer for name, provider in self.providers.items()}

    def client(self, name: str) -> Client:
        """The client registered at the start."""
        return next(iter(self.providers[name].clients.values()))

    def stop(self) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()


def start(clock: Clock, *, sites: tuple[str, ...] = ("http://localhost:8000",), people: Path | None = None) -> Identity:
    """Start the providers on free ports, with one client for Parvis at each of the addresses ``sites``.

    The directory gives its client the return addresses that its administrator writes there, by the control address.
    """
    citizens = {p.login: p for p in read_citizens(people)}
    agents = {p.login: p for p in AGENTS}
    kinds = {
        "franceconnect": ("franceconnect", EIDAS[:1], citizens),
        "franceconnect_plus": ("franceconnect", EIDAS[1:], citizens),
        "proconnect": ("proconnect", PROCONNECT_ACRS, agents),
        "annuaire": ("annuaire", DIRECTORY_LEVELS, {p.login: p for p in COLLEAGUES}),
    }
    servers, providers = {}, {}
    for name, (kind, levels, known) in kinds.items():
        server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        server.daemon_threads = True
        provider = Provider(kind, f"http://127.0.0.1:{server.server_address[1]}{PREFIX}", clock, levels, dict(known))
        secret = secrets.token_urlsafe(32)
        provider.clients["parvis"] = Client(
            "parvis",
            secret,
            [f"{site}/federation/{RETURNS[name]}/retour/" for site in sites],
            [f"{site}/federation/{RETURNS[name]}/sortie/" for site in sites],
            alg="RS256" if name == "annuaire" else "ES256",
            encryption="RSA-OAEP-256" if name == "franceconnect_plus" else "",
            jwks_uri=f"{sites[0]}/federation/jwks/",
        )
        server.RequestHandlerClass = handler_for(provider)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers[name], providers[name] = server, provider
    return Identity(servers, providers)


def handler_for(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.serve(
                {
                    "/.well-known/openid-configuration": self.configuration,
                    "/jwks": self.jwks,
                    "/authorize": self.authorize,
                    "/userinfo": self.userinfo,
                    "/session/end": self.end,
                }
            )

        def do_POST(self) -> None:
            self.serve({"/token": self.token})

        def serve(self, views: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            if path == "/control":
                self.control()
                return
            if "down" in provider.faults:
                self.send_error(503)
                return
            path = path.removeprefix(PREFIX)
            provider.counts[path.split("/")[-1] if not path.startswith("/interaction") else "interaction"] += 1
            slow = provider.faults.get("slow", {})
            time.sleep(float(slow.get(path, 0) if isinstance(slow, dict) else slow))
            try:
                if path.startswith("/interaction/"):
                    self.interaction(path)
                elif path in views:
                    views[path]()
                else:
                    self.send_error(404)
            except OwnPage as fault:
                self.answer(400, "text/html; charset=utf-8", pages.error(provider.kind, fault.code, fault.sentence))
            except CallBack as back:
                self.redirect(back.address)
            except Refused as refused:
                told = {"error": refused.error, "error_description": refused.description}
                self.answer(refused.status, "application/json", json.dumps(told).encode())

        # --- endpoints --------------------------------------------------------------------------------------
        def configuration(self) -> None:
            self.json(provider.configuration())

        def jwks(self) -> None:
            self.json(provider.keys.jwks())

        def authorize(self) -> None:
            name = provider.begin(self.query())
            self.redirect(f"{PREFIX}/interaction/{name}")

        def interaction(self, path: str) -> None:
            _, _, name, *action = path.split("/")
            if self.command == "POST" and action == ["choisir"]:
                self.redirect(provider.choose(name, self.form().get("login", "")))
            elif self.command == "POST" and action == ["refuser"]:
                self.redirect(provider.refuse(name))
            else:
                seen = provider.interaction(name)
                base = f"{PREFIX}/interaction/{name}"
                body = pages.choice(provider.kind, base, list(provider.people.values()), seen.client.client_id)
                self.answer(200, "text/html; charset=utf-8", body)

        def token(self) -> None:
            self.json(provider.exchange(self.form()))

        def userinfo(self) -> None:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            told = provider.userinfo(token if scheme == "Bearer" else "")
            if isinstance(told, dict):
                self.json(told)
            else:
                self.answer(200, "application/jwt", told.encode())

        def end(self) -> None:
            self.redirect(provider.end(self.query()))

        def control(self) -> None:
            if self.command == "POST":
                told = json.loads(self.body())
                with provider.lock:
                    if "faults" in told:
                        provider.faults = told["faults"]
                    if told.get("rotate"):
                        provider.keys.rotate()
                    for one in told.get("clients", []):
                        known = provider.clients.get(one["client_id"])
                        provider.clients[one["client_id"]] = Client(**{**(asdict(known) if known else {}), **one})
                    for one in told.get("people", []):
                        provider.people[one["login"]] = Person(**one)
            self.json(
                {
                    "issuer": provider.issuer,
                    "faults": provider.faults,
                    "counts": provider.counts,
                    "ended": provider.ended,
                    "people": list(provider.people),
                    "clients": [asdict(client) for client in provider.clients.values()],
                }
            )

        # --- bytes ------------------------------------------------------------------------------------------
        def query(self) -> dict[str, str]:
            return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

        def body(self) -> bytes:
            return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))

        def form(self) -> dict[str, str]:
            return dict(parse_qsl(self.body().decode(), keep_blank_values=True))

        def json(self, told: Any) -> None:
            self.answer(200, "application/json", json.dumps(told).encode())

        def redirect(self, address: str) -> None:
            self.send_response(303)
            self.send_header("Location", address)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler

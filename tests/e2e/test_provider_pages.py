"""Sites log people in through Parvis: Apache's mod_auth_openidc, written by others, and our pages in Chromium."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import PASSWORD, give_passkey
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, check, photograph_for_guide, screenshot

pytestmark = pytest.mark.django_db(transaction=True)
MODULES = Path("/usr/lib/apache2/modules")
NEEDED = ["mpm_event", "authn_core", "authz_core", "authz_user", "mime", "include", "dir", "auth_openidc"]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def _issuer(settings, live_server):
    settings.BASE_URL = live_server.url


@pytest.fixture
def platform_admin(db):
    from parvis.core.identity.models import Account

    account = Account.objects.create_user(
        "plateforme@metropole.test", PASSWORD, given_name="Dominique", family_name="Essai",
        population="exploitation", is_platform_administrator=True,
    )  # fmt: skip
    give_passkey(account)
    return account


@pytest.fixture
def citizen(db):
    from parvis.core.identity.models import Account

    return Account.objects.create_user(
        "camille@exemple.test", PASSWORD, given_name="Camille", family_name="Usager", population="usager"
    )


@pytest.fixture
def make_site(platform_admin, _issuer):
    """``make_site(organisation, **changes)`` -> (service, secret), approved."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.provider import services
    from tests.core.provider.party import ACTOR, registration

    def make(organisation, **changes):
        with acting_for(organisation):
            service = services.propose(organisation, registration(**changes), actor=ACTOR)
            services.approve(service, seen=services.fingerprint(service), by=platform_admin, actor=ACTOR)
            by_secret = service.authentication == "secret"
            return service, services.rotate_secret(service, actor=ACTOR) if by_secret else None

    return make


class Apache:
    """Two sites of one server, each with a page that shows what it learned of the person."""

    HOSTS = ("localhost", "127.0.0.1")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port(), free_port()]
        self.urls = [f"http://{host}:{port}" for host, port in zip(self.HOSTS, self.ports, strict=True)]
        self.process: subprocess.Popen | None = None

    def registration(self, number: int, name: str, **changes) -> dict:
        base = self.urls[number]
        return {
            "name": name,
            "home_url": f"{base}/",
            "redirect_uris": [f"{base}/prive/retour"],
            "post_logout_uris": [f"{base}/public.shtml"],
            "backchannel_logout_url": f"{base}/prive/retour?logout=backchannel",
            **changes,
        }

    def start(self, provider: str, clients: list[tuple[str, str | None]]) -> None:
        """A site without a secret proves itself by a key, which it publishes itself."""
        pages = self.folder / "pages"
        (pages / "prive").mkdir(parents=True)
        shown = "".join(
            f'{c}=<!--#echo var="OIDC_CLAIM_{c}" -->\n' for c in ("sub", "given_name", "family_name", "email", "acr")
        )
        (pages / "prive" / "index.shtml").write_text(f"<title>Privé</title><pre>{shown}</pre>")
        (pages / "public.shtml").write_text("<title>Public</title><p>Au revoir</p>")
        lines = [
            f"LoadModule {m}_module {MODULES}/mod_{m}.so" for m in NEEDED
        ] + [
            f"ServerRoot {self.folder}", "ServerName localhost", f"PidFile {self.folder}/pid",
            f"ErrorLog {self.folder}/error.log", "LogLevel warn auth_openidc:info", f"DefaultRuntimeDir {self.folder}",
            f"TypesConfig {self.folder}/types", "AddType text/html .shtml", "AddOutputFilter INCLUDES .shtml",
            "DirectoryIndex index.shtml", "<Directory />", "AllowOverride None", "Require all denied", "</Directory>",
            "StartServers 1", "ServerLimit 1", "ThreadsPerChild 16", "MaxRequestWorkers 16",
            *(["User www-data", "Group www-data"] if os.geteuid() == 0 else []),
        ]  # fmt: skip
        (self.folder / "types").write_text("text/html html\n")
        for port, url, (identifier, secret) in zip(self.ports, self.urls, clients, strict=True):
            lines += [
                f"Listen 127.0.0.1:{port}",
                f"<VirtualHost 127.0.0.1:{port}>",
                f"ServerName {url}",
                f"DocumentRoot {pages}",
                f"OIDCProviderMetadataURL {provider}/.well-known/openid-configuration",
                f"OIDCClientID {identifier}",
                *(self._by_key() if secret is None else [f"OIDCClientSecret {secret}"]),
                f"OIDCRedirectURI {url}/prive/retour",
                f"OIDCCryptoPassphrase phrase-{port}",
                f"OIDCCookie site_{port}",
                'OIDCScope "openid profile email"',
                "OIDCPKCEMethod S256",
                "OIDCHTTPTimeoutLong 60",
                "OIDCHTTPTimeoutShort 60",
                f"OIDCProviderTokenEndpointAuth {'private_key_jwt' if secret is None else 'client_secret_basic'}",
                f"<Directory {pages}>",
                "Options +Includes",
                "AllowOverride None",
                "Require all granted",
                "</Directory>",
                "<Location /prive>",
                "AuthType openid-connect",
                "Require valid-user",
                "</Location>",
                "</VirtualHost>",
            ]
        configuration = self.folder / "apache.conf"
        configuration.write_text("\n".join(lines) + "\n")
        # The first answer of a server just started reads the whole application.
        until(lambda: _answers(f"{provider}/.well-known/openid-configuration"), provider, 90)
        self.process = subprocess.Popen(["apache2", "-X", "-f", str(configuration)])
        for url in self.urls:
            until(lambda url=url: _answers(url + "/public.shtml"), f"Apache at {url}: {self.log()}")

    def _by_key(self) -> list[str]:
        key, certificate = self.folder / "site.key", self.folder / "site.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=site",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        key.chmod(0o644)  # Apache reads it under its own user
        return [f"OIDCPrivateKeyFiles site#{key}", f"OIDCPublicKeyFiles site#{certificate}"]

    def log(self) -> str:
        path = self.folder / "error.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(condition, what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def apache():
    missing = [m for m in NEEDED if not (MODULES / f"mod_{m}.so").exists()]
    if missing or shutil.which("apache2") is None:
        pytest.skip(f"apache2 or its modules are not installed: {', '.join(missing) or 'apache2'}")
    # Not under pytest's own folder, which other users, such as the one that Apache becomes, may not enter.
    with tempfile.TemporaryDirectory(prefix="parvis-apache-") as folder:
        Path(folder).chmod(0o755)
        server = Apache(Path(folder))
        yield server
        server.stop()


def log_in(page) -> None:
    page.get_by_label("Adresse électronique").fill("camille@exemple.test")
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter", exact=True).click()


def test_apache_logs_in_signs_on_and_logs_out_through_parvis(
    apache, live_server, browser_page, make_site, juvignac, fabregues, citizen
):
    """Login, claims, second site (which has a key) without a screen, logout asked by one and announced to the other."""
    first = make_site(juvignac, **apache.registration(0, "Site de Juvignac"))
    by_key = {"authentication": "cle", "jwks_uri": f"{apache.urls[1]}/prive/retour?jwks=rsa"}
    second = make_site(fabregues, **apache.registration(1, "Site de Fabrègues", **by_key))
    apache.start(live_server.url, [(service.client_id, secret) for service, secret in (first, second)])
    page = browser_page()

    page.goto(apache.urls[0] + "/prive/")
    assert page.url.startswith(live_server.url), apache.log()
    log_in(page)
    page.wait_for_url(apache.urls[0] + "/prive/")
    learned = dict(line.split("=", 1) for line in page.locator("pre").inner_text().splitlines())
    assert (learned["given_name"], learned["family_name"]) == ("Camille", "Usager")
    assert learned["email"] == "camille@exemple.test"
    assert learned["acr"] == "parvis:1"

    page.goto(apache.urls[1] + "/prive/")
    assert page.url == apache.urls[1] + "/prive/", "the second site asks nothing"
    other = dict(line.split("=", 1) for line in page.locator("pre").inner_text().splitlines())
    assert other["sub"] != learned["sub"]

    page.goto(f"{apache.urls[0]}/prive/retour?logout={apache.urls[0]}/public.shtml")
    assert page.url == apache.urls[0] + "/public.shtml", page.content()
    for url in apache.urls:
        page.goto(url + "/prive/")
        assert page.url.startswith(live_server.url + "/compte/"), f"{url} still holds a session: {apache.log()}"


def test_ending_the_session_on_the_platform_reaches_apache(
    apache, live_server, browser_page, make_site, juvignac, fabregues, citizen, run_jobs
):
    """The back-channel alone: the browser never visits the site again before it is checked."""
    sites = [make_site(o, **apache.registration(n, o.name)) for n, o in enumerate((juvignac, fabregues))]
    apache.start(live_server.url, [(service.client_id, secret) for service, secret in sites])
    page = browser_page()
    page.goto(apache.urls[0] + "/prive/")
    log_in(page)
    page.wait_for_url(apache.urls[0] + "/prive/")

    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.models import Session

    key = Session.objects.get(session_key=page.context.cookies(live_server.url)[_named(page, live_server)]["value"]).pk
    UserSession.objects.get(session_key=key).end()
    run_jobs(queue="identite")
    page.goto(apache.urls[0] + "/prive/")
    assert page.url.startswith(live_server.url + "/compte/"), apache.log()


def _named(page, live_server) -> int:
    names = [c["name"] for c in page.context.cookies(live_server.url)]
    return names.index("sessionid")


def test_consent_is_asked_in_chromium_and_leads_to_the_site(
    apache, live_server, browser_page, make_site, juvignac, fabregues, citizen
):
    """The policy of the page lets its form end on the site, and on no other."""
    asking = {"relation": "tiers", "agreement": "demander"}
    sites = [make_site(o, **apache.registration(n, o.name, **asking)) for n, o in enumerate((juvignac, fabregues))]
    apache.start(live_server.url, [(service.client_id, secret) for service, secret in sites])
    page = browser_page()
    page.goto(apache.urls[0] + "/prive/")
    log_in(page)
    page.get_by_role("button", name="Accepter et continuer").click()
    page.wait_for_url(apache.urls[0] + "/prive/")
    page.goto(apache.urls[1] + "/prive/")
    page.get_by_role("button", name="Refuser").click()
    page.wait_for_url(apache.urls[1] + "/prive/retour?error=access_denied*")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_of_the_provider_are_accessible(
    browser_page, live_server, make_site, juvignac, fabregues, agent_client, platform_admin, citizen, width
):
    from urllib.parse import unquote, urlencode

    from django.test import Client

    from parvis.core.entities import services as entities
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.provider import services
    from tests.core.provider.party import ACTOR, Site, login, registration

    asking = {"relation": "tiers", "agreement": "demander", "scopes": ["openid", "profile", "email", "entreprise"]}
    service, secret = make_site(juvignac, name="Médiathèque en ligne", **asking)
    for number, kind in (("73282932000074", "entreprise"), ("W341000123", "association")):
        entities.declare(citizen, number, kind=kind, name=f"Une {kind} d’essai", role="representant")
    site = Site(service, secret)
    with acting_for(juvignac):
        waiting = services.propose(juvignac, registration(name="Agenda des associations"), actor=ACTOR)
        services.change(
            service, registration(relation="tiers", agreement="demander", scopes=["openid", "email"]), actor=ACTOR
        )
        refused, _ = make_site(juvignac, name="Portail famille")
        services.change(refused, registration(name="Portail famille", acr="parvis:2"), actor=ACTOR)
        services.refuse(refused, "Deux facteurs ne sont pas nécessaires pour réserver la cantine.", actor=ACTOR)
    administration = "/o/juvignac/administration/services-relies/"
    person = login(citizen)
    services.allow(citizen, services.covered(citizen, service.client, ["openid"]))
    ask = "/identite/o/authorize?" + urlencode(site.question(scope="openid profile email entreprise"))
    visits = [
        (agent_client(juvignac, "administrateur"), {
            "services-relies": administration,
            "service-relie": f"{administration}{service.pk}/",
            "service-relie-modification-refusee": f"{administration}{refused.pk}/",
            "service-relie-nouveau": f"{administration}nouveau/",
            "service-relie-secret": f"{administration}{service.pk}/secret/",
            "service-relie-suspension": f"{administration}{service.pk}/etat/",
        }),
        (login(platform_admin, methods=(("mfa", "webauthn"),)), {
            "approbations": "/identite/approbations/",
            "approbation": f"/identite/approbations/{juvignac.pk}/{waiting.pk}/",
            "approbation-modification": f"/identite/approbations/{juvignac.pk}/{service.pk}/",
        }),
        (person, {
            "accord": ask,
            "mes-services": "/identite/services-relies/",
            "retrait-accord": f"/identite/services-relies/{service.client_id}/retrait/",
            "deconnexion-demandee": f"/identite/o/logout?client_id={service.client_id}",
            "connexion-impossible": "/identite/o/authorize?client_id=inconnu",
        }),
    ]  # fmt: skip
    resumed = Client().get(ask)["Location"].partition("next=")[2]
    halted = browser_page(width=width, client=person)
    halted.route("**/identite/o/authorize**", lambda route: route.fulfill(status=204))  # stays on the page
    halted.goto(unquote(resumed))
    screenshot(halted, "provider-suite")
    assert_fits(halted)
    assert_accessible(halted)
    for client, pages in visits:
        page = browser_page(width=width, client=client)
        for name, address in pages.items():
            page.goto(address)
            check(page, f"provider-{name}")
    page.goto(ask)
    photograph_for_guide(page, "administration-accord")
    office = browser_page(width=width, client=visits[0][0])
    office.goto(f"{administration}nouveau/")
    photograph_for_guide(office, "administration-service-relie-nouveau")
    office.goto(f"{administration}{service.pk}/")
    photograph_for_guide(office, "administration-service-relie")

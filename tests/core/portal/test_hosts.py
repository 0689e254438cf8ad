"""Hosts: a commune's own shows its public pages, the login stays on the platform's, an unknown one is refused."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from parvis.core.journal.queries import entries_about
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.tenancy import acting_for
from parvis.core.portal import hosts
from parvis.core.portal.models import HostName
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
HOST = "services.juvignac.test"
PLATFORM = "http://localhost:8000"


@pytest.fixture
def site(juvignac, host_of):
    host_of(juvignac, HOST)
    return hosts.known()[HOST]


class TestOwnHost:
    def test_shows_the_organisations_home_at_its_root(self, client, site):
        answer = client.get("/", headers={"host": HOST})
        assert answer.status_code == 200
        assert "<h1>Commune de Juvignac</h1>" in answer.content.decode()

    def test_shows_its_public_pages_under_their_usual_path(self, client, site):
        assert client.get("/p/juvignac/actes/", headers={"host": HOST}).status_code == 200

    def test_has_one_home_only(self, client, site):
        answer = client.get("/p/juvignac/", headers={"host": HOST})
        assert (answer.status_code, answer["Location"]) == (302, "/")

    @pytest.mark.parametrize("path", ["/aide/", "/accessibilite/", "/mentions-legales/", "/robots.txt"])
    def test_shows_what_is_common_to_all(self, client, site, path):
        assert client.get(path, headers={"host": HOST}).status_code == 200

    @pytest.mark.parametrize(
        "path", ["/compte/login/?next=/bureau/", "/bureau/", "/espace/", "/o/juvignac/actes/", "/p/fabregues/", "/api/"]
    )
    def test_sends_everything_else_to_the_platform(self, client, site, fabregues, path):
        answer = client.get(path, headers={"host": HOST})
        assert (answer.status_code, answer["Location"]) == (302, PLATFORM + path)

    def test_takes_no_password(self, client, site, account_for, juvignac):
        account_for(juvignac, "secretaire")
        credentials = {"login": "secretaire@juvignac.test", "password": PASSWORD}
        answer = client.post("/compte/login/", credentials, headers={"host": HOST})
        assert answer.status_code == 404
        assert "sessionid" not in client.cookies

    def test_names_its_principal_address_as_the_canonical_one(self, client, site):
        assert f'<link rel="canonical" href="http://{HOST}:8000/">' in client.get("/p/juvignac/").content.decode()

    def test_does_not_repeat_the_port_that_was_sent(self, client, site):
        answer = client.get("/", headers={"host": f"{HOST}:6666"})
        assert answer.status_code == 200
        assert "6666" not in answer.content.decode()

    def test_in_capitals_is_the_same(self, client, site):
        assert client.get("/", headers={"host": HOST.upper()}).status_code == 200


class TestUnknownHost:
    @pytest.mark.parametrize(
        "host", ["mechant.test", "juvignac.test", f"{HOST}.mechant.test", f"x{HOST}", f"{HOST}@mechant.test", "", "::1"]
    )
    @pytest.mark.parametrize("path", ["/", "/health", "/static/icons/parvis.svg", "/compte/password/reset/"])
    def test_is_refused_everywhere(self, client, site, host, path):
        assert client.get(path, headers={"host": host}).status_code == 400

    def test_costs_at_most_one_query_in_half_a_minute(self, client, site, django_assert_num_queries):
        hosts.forget()
        with django_assert_num_queries(1):
            for number in range(5):
                client.get("/", headers={"host": f"hote-{number}.test"})

    def test_removed_is_refused_at_once(self, client, site):
        hosts.remove_host(HostName.objects.get(), actor=SYSTEM)
        assert client.get("/", headers={"host": HOST}).status_code == 400

    def test_is_refused_before_a_password_reset_is_asked(
        self, client, site, account_for, juvignac, mailoutbox, run_jobs
    ):
        account = account_for(juvignac, "secretaire")
        answer = client.post("/compte/password/reset/", {"email": account.email}, headers={"host": "mechant.test"})
        run_jobs()
        assert answer.status_code == 400
        assert mailoutbox == []


class TestLinksOfMails:
    @pytest.mark.parametrize(
        "spoofed",
        [{"host": "127.0.0.1:6666"}, {"x-forwarded-host": "mechant.test"}, {"forwarded": "host=mechant.test"}],
    )
    def test_password_reset_leads_to_the_platform_whatever_host_is_sent(
        self, client, account_for, juvignac, mailoutbox, run_jobs, spoofed, django_capture_on_commit_callbacks
    ):
        account = account_for(juvignac, "secretaire")
        with django_capture_on_commit_callbacks(execute=True):
            client.post("/compte/password/reset/", {"email": account.email}, headers=spoofed)
        run_jobs()
        [message] = mailoutbox
        assert {urlsplit(link).netloc for link in re.findall(r"https?://\S+", message.body)} == {"localhost:8000"}

    def test_invitation_leads_to_the_platform(self, juvignac, agent_client, mailoutbox, run_jobs):
        client = agent_client(juvignac, "administrateur")
        invited = {
            "email": "nouvelle@juvignac.test",
            "given_name": "Noé",
            "family_name": "Exemple",
            "role": "lecteur",
            "start": "2019-01-01",
        }
        answer = client.post(
            "/o/juvignac/administration/personnes/nouvelle/",
            invited,
            headers={"host": "127.0.0.1:6666", "x-forwarded-host": "mechant.test"},
        )
        assert answer.status_code == 302, answer.content.decode()
        run_jobs()
        links = [link for m in mailoutbox for link in re.findall(r"https?://\S+", m.body)]
        assert links
        assert {urlsplit(link).netloc for link in links} == {"localhost:8000"}


class TestLogin:
    def test_begins_on_the_platform_and_comes_back(self, client, site, citizen):
        page = client.get("/p/juvignac/actes/?q=pont", headers={"host": HOST}).content.decode()
        link = re.search(r'href="([^"]+)">Se connecter<', page).group(1).replace("&amp;", "&")
        assert link.startswith(f"{PLATFORM}/compte/login/?next=")
        [back] = parse_qs(urlsplit(link).query)["next"]
        answer = client.post("/compte/login/", {"login": citizen.email, "password": PASSWORD, "next": back})
        assert answer["Location"] == back
        page = client.get(back).content.decode()
        address = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page).group(1).replace("&amp;", "&")
        assert address.startswith(f"http://{HOST}:8000/connecte/?vers=")
        arrived = client.get(address.removeprefix(f"http://{HOST}:8000"), headers={"host": HOST})
        assert arrived["Location"] == "/p/juvignac/actes/?q=pont"
        page = client.get(arrived["Location"], headers={"host": HOST}).content.decode()
        assert f'href="{PLATFORM}/espace/"' in page
        assert "Se connecter" not in page

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "/",
            "https://mechant.test/",
            f"http://{HOST}.mechant.test:8000/",
            f"http://{HOST}:8000@mechant.test/",
            f"http://mechant.test:8000\\@{HOST}:8000/",
            f"http://x@{HOST}:8000/",
            f"http://{HOST}:6666/",
            f"http://{HOST}/",
            f"https://{HOST}:8000/",
            f"//{HOST}:8000/",
            f"javascript:alert(1)//{HOST}:8000/",
            f" http://{HOST}:8000/",
            f"http://{HOST}:8000/\r\nSet-Cookie: a=b",
            "http://[::1/",
            "http://localhost:8000/",
        ],
    )
    def test_takes_nobody_back_to_an_address_that_is_not_in_the_table(self, citizen_client, site, address):
        answer = citizen_client.get("/retour/", {"vers": address})
        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_refuses_a_next_on_another_host_even_a_communes(self, client, site, citizen):
        for wanted in (f"http://{HOST}:8000/", "https://mechant.test/", "//mechant.test"):
            answer = client.post("/compte/login/", {"login": citizen.email, "password": PASSWORD, "next": wanted})
            assert answer["Location"].startswith("/"), wanted
            assert not answer["Location"].startswith("//")
            client.post("/compte/logout/")

    def test_is_asked_before_going_back(self, client, site):
        answer = client.get("/retour/", {"vers": f"http://{HOST}:8000/"})
        assert answer["Location"].startswith("/compte/login/?next=/retour/")

    @pytest.mark.parametrize(
        "path", ["https://mechant.test/", "//mechant.test/", "/\\mechant.test", "", "javascript:1"]
    )
    def test_arrival_stays_on_the_host(self, client, site, path):
        answer = client.get("/connecte/", {"vers": path}, headers={"host": HOST})
        assert answer["Location"] == "/"


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["juvignac", "http://juvignac.test", "juvignac.test/", "juvignac.test:80", "1.2.3.4", "-a.test", "a..test",
         "*.test", "", "a b.test", "a" * 64 + ".test", "localhost", "127.0.0.1"],
    )  # fmt: skip
    def test_that_are_no_host_names_are_refused(self, juvignac, name):
        with pytest.raises(hosts.HostRefused):
            hosts.add_host(juvignac, name, primary=False, actor=SYSTEM)

    def test_of_another_organisation_are_refused(self, site, fabregues):
        with pytest.raises(hosts.HostRefused, match="déjà donné"):
            hosts.add_host(fabregues, HOST, primary=False, actor=SYSTEM)

    def test_of_the_platform_are_refused(self, fabregues, settings):
        settings.BASE_URL, settings.ALLOWED_HOSTS = "https://services.metropole.test", [".interne.test"]
        for name in ("services.metropole.test", "interne.test"):
            with pytest.raises(hosts.HostRefused, match="plateforme"):
                hosts.add_host(fabregues, name, primary=False, actor=SYSTEM)

    def test_with_accents_are_kept_as_browsers_send_them(self, fabregues, client):
        assert hosts.add_host(fabregues, "Fabrègues.test.", primary=True, actor=SYSTEM).host == "xn--fabrgues-40a.test"

    def test_have_one_principal_per_organisation(self, site, juvignac, host_of):
        host_of(juvignac, "juvignac.exemple.test")
        assert [h.host for h in HostName.objects.filter(primary=True)] == ["juvignac.exemple.test"]
        assert hosts.main_address("juvignac") == "http://juvignac.exemple.test:8000/"

    def test_added_and_removed_are_journalled(self, site, juvignac):
        host = HostName.objects.get()
        pk = str(host.pk)
        hosts.remove_host(host, actor=SYSTEM)
        with acting_for(juvignac):
            assert {e.action for e in entries_about("hote", pk)} == {"hote.ajoute", "hote.retire"}


class TestPage:
    @pytest.fixture
    def operator(self, juvignac, agent_client):
        client = agent_client(juvignac, "administrateur")
        client.account.is_platform_administrator = True
        client.account.save()
        return client

    def test_adds_and_removes(self, operator, juvignac, client):
        form = {"organisation": juvignac.pk, "host": HOST, "primary": "on"}
        assert operator.post("/plateforme/noms-de-domaine/", form).status_code == 302
        assert HOST in operator.get("/plateforme/noms-de-domaine/").content.decode()
        assert client.get("/", headers={"host": HOST}).status_code == 200
        pk = HostName.objects.get().pk
        assert "sera refusé" in operator.get(f"/plateforme/noms-de-domaine/{pk}/retirer/").content.decode()
        operator.post(f"/plateforme/noms-de-domaine/{pk}/retirer/")
        assert not HostName.objects.exists()

    def test_says_why_a_name_is_refused_next_to_it(self, operator, juvignac):
        answer = operator.post("/plateforme/noms-de-domaine/", {"organisation": juvignac.pk, "host": "https://x"})
        assert answer.status_code == 422
        assert "sans « https:// »" in answer.content.decode()

    def test_is_missing_for_the_administration_of_a_commune(self, juvignac, agent_client):
        client = agent_client(juvignac, "administrateur")
        form = {"organisation": juvignac.pk, "host": HOST}
        assert client.post("/plateforme/noms-de-domaine/", form).status_code == 404
        assert not HostName.objects.exists()

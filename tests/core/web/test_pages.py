"""Pages of the platform itself: what each answers, to whom, and with which headers."""

import re

import pytest
from django.test import Client

from parvis.core.web.theming import Theme

pytestmark = pytest.mark.django_db


def sheet_of(client, address):
    return re.search(r'href="(/theme/[^"]+)"', client.get(address).content.decode()).group(1)


def test_theme_is_served_for_a_year_under_an_address_that_changes_with_it(client, juvignac):
    address = sheet_of(client, "/p/juvignac/")
    response = client.get(address)
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "--accent:#7a2e5d;" in response.content.decode()
    juvignac.accent = "#0b5c63"
    juvignac.save()
    assert sheet_of(client, "/p/juvignac/") != address
    stale = client.get(address)
    assert stale["Cache-Control"] == "public, max-age=60"
    assert "--accent:#0b5c63;" in stale.content.decode()


@pytest.mark.parametrize("name", ["inconnue-00000000", "juvignac", "00000000"])
def test_theme_of_nobody_is_missing(client, juvignac, name):
    assert client.get(f"/theme/{name}.css").status_code == 404


def test_home_leads_to_each_partner(client, juvignac, fabregues):
    page = client.get("/").content.decode()
    assert 'href="/p/juvignac/"' in page
    assert 'href="/p/fabregues/"' in page


def test_public_home_of_an_unknown_organisation_is_missing(client, db):
    assert client.get("/p/inconnue/").status_code == 404


def test_every_page_carries_the_strict_content_policy(client, juvignac):
    policy = client.get("/p/juvignac/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy


@pytest.fixture
def operator(juvignac, agent_client):
    client = agent_client(juvignac, "administrateur")
    client.account.is_platform_administrator = True
    client.account.save()
    return client


@pytest.fixture
def worker(db):
    """A worker that has just said that it lives."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")


def test_health_tells_anybody_only_what_works(worker, client, juvignac, agent_client):
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "storage": "ok", "jobs": "ok"}
    assert "no-store" in response["Cache-Control"]
    assert agent_client(juvignac, "administrateur").get("/health").json() == response.json()


def test_health_tells_the_platforms_administrators_what_was_looked_at(worker, operator):
    body = operator.get("/health").json()
    assert body["status"] == "ok"
    assert body["database"]["detail"].startswith("PostgreSQL")
    assert body["storage"]["ok"]
    assert body["jobs"]["ok"]


def test_health_writes_in_the_storage_only_the_first_time(client, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }
    client.get("/health")
    [witness] = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = witness.stat().st_mtime_ns
    assert client.get("/health").json()["storage"] == "ok"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [witness]
    assert witness.stat().st_mtime_ns == before
    witness.chmod(0o644)
    witness.write_bytes(b"spoilt")
    assert client.get("/health").json()["storage"] == "ko"


def test_health_is_bad_when_documents_cannot_be_written(worker, client, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": blocked / "documents"},
        },
    }
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json() == {"status": "ko", "database": "ok", "storage": "ko", "jobs": "ok"}


def test_health_is_bad_when_no_worker_takes_the_jobs(worker, client, operator):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at, priority)"
            " VALUES ('essai', 'essai', '{}', 'todo', now() - interval '6 minutes', 0)"
        )
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json()["jobs"] == "ko"
    assert "1 sans preneur" in operator.get("/health").json()["jobs"]["detail"]


def test_missing_page_says_so_in_french_without_naming_the_address(client):
    response = client.get("/o/<script>/")
    assert response.status_code == 404
    assert "Page introuvable" in response.content.decode()
    assert "<script>/" not in response.content.decode()


def test_form_without_its_token_is_explained(db):
    response = Client(enforce_csrf_checks=True).post("/compte/login/", {"login": "a@b.test"})
    assert response.status_code == 403
    assert "Formulaire expiré" in response.content.decode()


def test_forbidden_page_says_why(juvignac, agent_client):
    response = agent_client(juvignac, "lecteur").get("/o/juvignac/administration/")
    assert response.status_code == 403
    assert "Votre rôle dans cette organisation" in response.content.decode()


def test_server_error_page_needs_neither_session_nor_database(rf, django_assert_num_queries):
    from parvis.core.web.views import server_error

    with django_assert_num_queries(0):
        response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert "La panne vient de notre côté" in response.content.decode()


def test_demo_is_closed_to_search_engines_and_production_is_not(client, settings):
    assert "Disallow: /\n" in client.get("/robots.txt").content.decode()
    settings.DEMO = False
    assert "Disallow: /\n" not in client.get("/robots.txt").content.decode()


def test_accessibility_statement_names_its_remedies(client):
    page = client.get("/accessibilite/").content.decode()
    assert "Défenseur des droits" in page
    assert "partielle" in page


def test_choosing_an_organisation_puts_it_in_the_rail(juvignac, fabregues, account_for, agent_client):
    client = agent_client(juvignac, "administrateur", email="deux@essai.test")
    account_for(fabregues, "administrateur", email="deux@essai.test")
    for slug, name in (("juvignac", "Juvignac"), ("fabregues", "Fabrègues")):
        page = client.get(f"/o/{slug}/", follow=True).content.decode()
        assert f'<span class="brand-name">{name}</span>' in page


def test_organisation_of_others_cannot_be_chosen(juvignac, fabregues, agent_client):
    assert agent_client(juvignac, "administrateur").get("/o/fabregues/").status_code == 404


def test_version_of_the_theme_is_in_the_address(client, juvignac):
    assert sheet_of(client, "/p/juvignac/") == f"/theme/juvignac-{Theme('#7a2e5d', '#d9a441').version}.css"


def test_null_character_in_a_search_is_left_out(agent_client, juvignac):
    response = agent_client(juvignac, "secretaire").get("/bureau/recherche/?q=%00conv%00ention")
    assert response.status_code == 200
    assert response.context["search_terms"] == "convention"


def test_null_character_in_a_path_is_a_bad_request(agent_client, juvignac):
    response = agent_client(juvignac, "secretaire").get("/o/juvignac/journal/acte/%00/")
    assert response.status_code == 400
    assert "Erreur 400" in response.content.decode()


def test_help_and_accessibility_are_reachable_from_an_agents_page(juvignac, agent_client):
    page = agent_client(juvignac, "secretaire").get("/bureau/recherche/").content.decode()
    rail = page[page.index("rail-foot") :].partition("</nav>")[0]
    menu = page[page.index('class="account"') :].partition("</details>")[0]
    for part in (rail, menu):
        assert 'href="/aide/"' in part
        assert 'href="/accessibilite/"' in part

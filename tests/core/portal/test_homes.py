"""Public homes: the partners with their services, searched by name or postal code; an organisation's own home."""

import pytest
from django.core.management import call_command

from parvis.core.organisations.models import Organisation
from parvis.core.portal.home import partners, plain
from tests.conftest import PROJECT, _organisation

pytestmark = pytest.mark.django_db
TERRITORY = PROJECT / "src" / "parvis_demo" / "territory.csv"


def names(rf, terms):
    request = rf.get("/")
    return [partner.organisation.short_name for partner in partners(request, terms)]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Saint-Brès", "saint bres"),
        ("ST  BRES", "saint bres"),
        ("Fabrègues", "fabregues"),
        ("  ", ""),
        ("L’Œuvre", "l œuvre"),
    ],
)
def test_names_are_compared_as_one_types_them_in_a_hurry(typed, read):
    assert plain(typed) == read


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ("fabreg", ["Fabrègues"]),
        ("commune de juvignac", ["Juvignac"]),
        ("34990", ["Juvignac"]),
        ("34", ["Fabrègues", "Juvignac"]),
        ("34123", ["Juvignac"]),
        ("vignac", []),
        ("Paris", []),
        ("%", ["Fabrègues", "Juvignac"]),
    ],
)
def test_partners_are_found_by_name_or_code(rf, juvignac, fabregues, terms, found):
    assert names(rf, terms) == found


def test_home_shows_the_whole_territory(client, django_assert_max_num_queries):
    call_command("load_territory", TERRITORY)
    with django_assert_max_num_queries(10):
        page = client.get("/").content.decode()
    assert page.count('class="card tile"') >= Organisation.objects.count()
    for slug in Organisation.objects.values_list("slug", flat=True):
        assert f'href="/p/{slug}/"' in page
    assert page.index("La métropole</h3>") < page.index("Les communes</h3>")
    assert "Se connecter" in page


def test_home_search_says_how_many_and_keeps_what_was_typed(client, juvignac, fabregues):
    page = client.get("/", {"q": "fabrègues"}).content.decode()
    assert "1\u00a0organisation pour « fabrègues »" in page
    assert 'value="fabrègues"' in page
    assert 'href="/p/juvignac/"' not in page
    assert "Aucun partenaire de ce nom" in client.get("/", {"q": "Marseille"}).content.decode()


def test_home_search_writes_what_was_typed_as_text(client, juvignac):
    page = client.get("/", {"q": '"><script>alert(1)</script>\x00'}).content.decode()
    assert "<script>alert" not in page


def test_a_partner_lists_only_the_services_that_it_took(client, juvignac, db):
    _organisation("grabels", "Commune de Grabels", "Grabels", "213401169", kind="commune", nature_actes="31")
    Organisation.objects.get(slug="grabels").subscriptions.all().delete()
    page = client.get("/").content.decode()
    assert 'href="/p/juvignac/actes/"' in page
    assert 'href="/p/grabels/actes/"' not in page
    assert "Aucun service en ligne" in client.get("/p/grabels/").content.decode()


def test_home_of_a_commune_leads_to_its_ccas_and_back(client, juvignac):
    ccas = _organisation(
        "ccas", "CCAS de Juvignac", "CCAS", "263400111", kind="ccas", nature_actes="33", parent=juvignac
    )
    assert f'href="/p/{ccas.slug}/"' in client.get("/p/juvignac/").content.decode()
    assert 'href="/p/juvignac/"' in client.get("/p/ccas/").content.decode()


def test_latest_news_of_a_service_are_on_the_home_of_who_took_it(client, juvignac, fabregues, monkeypatch):
    from parvis.core.portal import home
    from parvis.core.web.searching import Found

    monkeypatch.setattr(home, "_latest", {})
    home.register_latest(
        "essai", "Dernières nouvelles", lambda o: [Found(f"Pont de {o.short_name}", "/")], application="marches"
    )
    assert "Pont de" not in client.get("/p/juvignac/").content.decode()
    fabregues.subscriptions.create(application="marches", since="2019-01-01")
    assert "Pont de Fabrègues" in client.get("/p/fabregues/").content.decode()


def test_without_any_organisation_the_home_says_so(client, db):
    assert "Aucune organisation n’est encore inscrite" in client.get("/").content.decode()

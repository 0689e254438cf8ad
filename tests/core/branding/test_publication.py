"""Publishing, going back, and who sees what: a draft never leaves the administration."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parvis.core.branding.models import BrandingVersion
from parvis.core.identity.models import SecurityEvent
from parvis.core.identity.roles import ROLES, permissions_of
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for, public_view_of
from tests.core.branding.drawing import picture
from tests.core.branding.hands import BASE, Editor
from tests.core.branding.test_editor import draft, logo

pytestmark = pytest.mark.django_db


def home(slug: str = "juvignac") -> str:
    return Client().get(f"/p/{slug}/").content.decode()


def stylesheet(page: str) -> str:
    return re.search(r'href="(/theme/[^"]+)"', page).group(1)


@pytest.fixture
def dressed(editor):
    """A draft with everything."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    editor.save(
        logo=logo(),
        logo_alt="Ville de Juvignac",
        header=SimpleUploadedFile("mairie.jpg", picture("JPEG")),
        accent="#0b5c63",
        welcome_text="Premier paragraphe <b>.\n\nSecond.",
        footer_links="Le site | https://www.exemple.test/",
        footer_text="1 place de la Mairie",
    )
    return editor


def test_what_is_published_is_on_every_page_at_once(dressed, juvignac):
    before = home()
    assert dressed.publish().status_code == 302
    page = home()
    assert 'alt="Ville de Juvignac"' in page
    assert "<p>Premier paragraphe &lt;b&gt;.</p>" in page
    assert '<a href="https://www.exemple.test/">Le site</a>' in page
    assert "1 place de la Mairie" in page
    assert stylesheet(page) != stylesheet(before)
    css = Client().get(stylesheet(page))
    assert "--accent:#0b5c63" in css.content.decode()
    assert "immutable" in css["Cache-Control"]
    header = re.search(r'--header-image:url\("([^"]+)"\)', css.content.decode()).group(1)
    assert Client().get(header)["Content-Type"] == "image/webp"
    desk = dressed.client.get("/bureau/").content.decode()
    assert 'alt="Ville de Juvignac"' in desk
    assert stylesheet(desk) == stylesheet(page)


def test_a_new_header_alone_changes_the_address_of_the_style_sheet(dressed):
    from django.core.files.uploadedfile import SimpleUploadedFile

    dressed.publish()
    before = stylesheet(home())
    dressed.save(header=SimpleUploadedFile("autre.jpg", picture("JPEG", (900, 300))))
    dressed.publish()
    assert stylesheet(home()) != before


def test_publication_is_journalled_and_audited(dressed, juvignac):
    dressed.publish()
    with acting_for(juvignac):
        entry = Entry.objects.get(action="charte.publiee")
        event = SecurityEvent.objects.get(event="manager.branding.publication")
    assert entry.details == {"number": 2}
    assert entry.actor_id == str(dressed.client.account.pk)
    assert (event.actor_id, event.data) == (dressed.client.account.pk, {"number": 2})


def test_a_draft_leaks_to_no_public_page(dressed, juvignac):
    secret = draft(juvignac)
    dressed.save(signature="SECRET", footer_text="SECRET", welcome_text="SECRET")
    with public_view_of(juvignac):
        assert list(BrandingVersion.objects.values_list("number", "state")) == [(1, "publiee")]
    for address in ("/p/juvignac/", "/", "/compte/login/?next=/p/juvignac/", "/theme/juvignac-00000000.css"):
        page = Client().get(address).content.decode()
        assert "SECRET" not in page
        assert "0b5c63" not in page
        assert "/charte/" not in page
    for document, extension in ((secret.logo, "svg"), (secret.header, "webp")):
        assert Client().get(f"/p/juvignac/charte/{document.sha256}.{extension}").status_code == 404
        assert Client().get(f"/p/juvignac/documents/{document.pk}/").status_code == 404


def test_the_preview_wears_the_draft_and_only_administrators_open_it(dressed, juvignac, agent_client):
    here = f"{BASE}{draft(juvignac).pk}/"
    page = dressed.client.get(f"{here}apercu/accueil/").content.decode()
    assert "Premier paragraphe" in page
    assert "Aperçu de la version 2" in page
    assert f"{here}theme.css" in page
    assert "--accent:#0b5c63" in dressed.client.get(f"{here}theme.css").content.decode()
    image = re.search(r'<img class="logo" src="([^"]+)"', page).group(1)
    assert dressed.client.get(image).status_code == 200
    desk = dressed.client.get(f"{here}apercu/bureau/").content.decode()
    assert image in desk
    message = dressed.client.get(f"{here}apercu/message/")
    assert "#0b5c63" in message.content.decode()
    assert message["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    addresses = [here, f"{here}apercu/accueil/", f"{here}apercu/bureau/", f"{here}apercu/message/", f"{here}theme.css",
                 image, BASE, f"{BASE}versions/"]  # fmt: skip
    for address in addresses:
        assert Client().get(address).status_code == 302
        for role in ROLES:
            expected = 200 if "administration.organisation" in permissions_of(role) else 403
            assert agent_client(juvignac, role).get(address).status_code == expected, (role, address)
    assert dressed.client.get(f"{here}apercu/autre/").status_code == 404


def test_the_administrator_of_one_commune_is_nobody_in_another(dressed, juvignac, fabregues, agent_client):
    stranger = agent_client(fabregues, "administrateur")
    version = draft(juvignac)
    for organisation in ("juvignac", "fabregues"):  # their address, then ours with the identifier of theirs
        base = f"/o/{organisation}/administration/charte/"
        for name in ("", "apercu/accueil/", "apercu/message/", "theme.css"):
            assert stranger.get(f"{base}{version.pk}/{name}").status_code == 404
        for name in ("publication", "reprise", "abandon"):
            data = {"enregistre": version.saved_at.isoformat()}
            answer = stranger.post(f"{base}{version.pk}/{name}/", data, follow=True)
            assert answer.status_code == 404 or "déjà été publié" in answer.content.decode()
        assert stranger.get(f"{base}images/{version.logo.sha256}.svg").status_code == 404
    assert stranger.post(BASE, {"signature": "Pirate"}).status_code == 404
    assert draft(juvignac).state == "brouillon"


def test_no_role_without_the_permission_publishes(dressed, juvignac, agent_client):
    version = draft(juvignac)
    for role in ROLES:
        if "administration.organisation" not in permissions_of(role):
            client = agent_client(juvignac, role)
            for name in ("publication", "reprise", "abandon"):
                data = {"enregistre": version.saved_at.isoformat(), "permissions": "administration.organisation"}
                assert client.post(f"{BASE}{version.pk}/{name}/", data).status_code == 403
            assert client.post(BASE, {"role": "administrateur"}).status_code == 403
    assert draft(juvignac).state == "brouillon"


def test_a_draft_that_changed_since_it_was_looked_at_is_not_published(dressed, juvignac, versions):
    seen = draft(juvignac)
    dressed.save(signature="Une autre main")
    answer = dressed.client.post(
        f"{BASE}{seen.pk}/publication/", {"enregistre": seen.saved_at.isoformat()}, follow=True
    )
    assert "a changé depuis que vous l’avez regardé" in answer.content.decode()
    assert versions() == [(1, "publiee"), (2, "brouillon")]


def test_going_back_makes_a_new_version_and_spares_the_draft(dressed, juvignac, versions):
    dressed.publish()
    dressed.save(signature="En préparation")
    with acting_for(juvignac):
        first = BrandingVersion.objects.get(number=1)
    dressed.client.post(f"{BASE}{first.pk}/reprise/")
    assert versions() == [(1, "ancienne"), (2, "ancienne"), (3, "brouillon"), (4, "publiee")]
    juvignac.refresh_from_db()
    assert (juvignac.accent, juvignac.look.get("logo"), juvignac.look["number"]) == ("#7a2e5d", None, 4)
    page = dressed.client.get(f"{BASE}versions/").content.decode()
    assert "reprise de la version 1" in page
    assert "Camille Essai" in page
    again = dressed.client.post(f"{BASE}{draft(juvignac).pk}/reprise/", follow=True).content.decode()
    assert "n’a jamais été publiée" in again


def test_a_former_logo_is_shown_again_with_its_version(dressed, juvignac):
    dressed.publish()
    with acting_for(juvignac):
        second = BrandingVersion.objects.select_related("logo").get(number=2)
    address = f"/p/juvignac/charte/{second.logo.sha256}.svg"
    dressed.save(logo_removed="on")
    dressed.publish()
    assert Client().get(address).status_code == 404
    dressed.client.post(f"{BASE}{second.pk}/reprise/")
    assert Client().get(address).status_code == 200


def test_giving_a_draft_up_changes_nothing_online(dressed, juvignac, versions):
    dressed.client.post(f"{BASE}{draft(juvignac).pk}/abandon/")
    assert versions() == [(1, "publiee")]
    with acting_for(juvignac):
        online = BrandingVersion.objects.get()
    dressed.client.post(f"{BASE}{online.pk}/abandon/")
    assert versions() == [(1, "publiee")]


def test_a_picture_is_served_in_a_sandbox_under_an_address_that_never_changes(dressed, juvignac):
    found = draft(juvignac).logo
    dressed.publish()
    response = Client().get(f"/p/juvignac/charte/{found.sha256}.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    for wrong in (f"{found.sha256}.png", f"{found.sha256}.html", f"{'0' * 64}.svg", "x.svg"):
        assert Client().get(f"/p/juvignac/charte/{wrong}").status_code == 404
    assert b"<svg" in response.content


def test_a_look_costs_no_query(dressed, juvignac):
    anybody = Client()
    anybody.get("/p/juvignac/")
    with CaptureQueriesContext(connection) as before:
        anybody.get("/p/juvignac/")
    dressed.publish()
    with CaptureQueriesContext(connection) as after:
        anybody.get("/p/juvignac/")
    assert len(after) == len(before)


@pytest.mark.parametrize(
    "address", ["/compte/login/?next=/p/juvignac/actes/", "/compte/login/?next=/o/juvignac/actes/"]
)
def test_the_login_page_wears_the_look_of_the_commune_it_leads_back_to(dressed, address):
    dressed.publish()
    page = Client().get(address).content.decode()
    assert 'alt="Ville de Juvignac"' in page
    assert stylesheet(page) == stylesheet(home())


@pytest.mark.parametrize(
    "following", ["/bureau/", "https://exemple.test/p/juvignac/", "/p/nulle-part/", "/p/'%22/", ""]
)
def test_any_other_login_page_is_the_platforms(dressed, following):
    dressed.publish()
    response = Client().get("/compte/login/", {"next": following})
    assert response.status_code == 200
    assert "Ville de Juvignac" not in response.content.decode()


def test_two_communes_keep_their_own_look(dressed, fabregues, agent_client):
    dressed.publish()
    other = Editor(agent_client(fabregues, "administrateur"), "/o/fabregues/administration/charte/")
    other.organisation = fabregues
    other.save(footer_text="Fabrègues seule")
    other.publish()
    assert "Fabrègues seule" not in home()
    assert "Ville de Juvignac" not in home("fabregues")

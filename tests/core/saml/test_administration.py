"""Sites proposed by an organisation, put in service by the platform, out of reach of the neighbours."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.saml.models import SamlSite

from .test_metadata import described

pytestmark = pytest.mark.django_db
BASE = "/o/juvignac/administration/saml/"


def form(**values):
    return {
        "name": "Courrier", "contact": "dsi@exemple.fr", "relation": "tiers", "name_id": "persistent",
        "attributes": ["mail"],
        "populations": ["agent"], "file": SimpleUploadedFile("metadata.xml", described()), **values,
    }  # fmt: skip


def test_proposing_then_putting_in_service(secrets_dir, agent_client, juvignac):
    client = agent_client(juvignac, "administrateur")
    page = client.post(BASE + "nouveau/", form(state="en_service", approved_at="2020-01-01"))
    with acting_for(juvignac):
        site = SamlSite.objects.get()
        assert Entry.objects.filter(action="saml.propose").count() == 1
    assert page["Location"] == f"{BASE}{site.pk}/"
    assert site.relation == "tiers"
    assert site.state == "propose"  # a forged field changes nothing
    shown = client.get(page["Location"]).content.decode()
    assert "https://ancien.exemple.fr/retour" in shown
    assert "<dd>Service d’un tiers</dd>" in shown
    assert "Courrier" in client.get(BASE).content.decode()

    assert client.post(f"/plateforme/saml/{site.pk}/mettre-en-service/").status_code == 404
    client.account.is_platform_administrator = True
    client.account.save()
    assert "Courrier" in client.get("/plateforme/saml/").content.decode()
    address = f"/plateforme/saml/{site.pk}/mettre-en-service/"
    page = client.post(address, {"vu": "0" * 64}, follow=True)
    assert "vient de modifier ce service" in page.content.decode()
    with acting_for(juvignac):
        assert SamlSite.objects.get().state == "propose"
    assert client.post(address, {"vu": site.fingerprint}).status_code == 302
    with acting_for(juvignac):
        assert SamlSite.objects.get().state == "en_service"

    # New metadata have to be looked at again.
    renewed = {"file": SimpleUploadedFile("m.xml", described(acs="https://ancien.exemple.fr/autre"))}
    assert client.post(f"{BASE}{site.pk}/", renewed).status_code == 302
    with acting_for(juvignac):
        assert SamlSite.objects.get().state == "propose"
    other = {"file": SimpleUploadedFile("m.xml", described().replace(b"fr/saml", b"fr/autre"))}
    assert "celles d’un autre service" in client.post(f"{BASE}{site.pk}/", other).content.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<a/>", "EntityDescriptor"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * 300_000, "256 Kio"),
        (b"", "vide"),
    ],
)
def test_a_bad_file_is_refused_beside_its_field_and_nothing_is_kept(
    secrets_dir, agent_client, juvignac, content, sentence
):
    client = agent_client(juvignac, "administrateur")
    page = client.post(BASE + "nouveau/", form(file=SimpleUploadedFile("m.xml", content)))
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert 'value="Courrier"' in page.content.decode()
    with acting_for(juvignac):
        assert not SamlSite.objects.exists()


def test_the_neighbours_site_answers_like_a_missing_one(party, agent_client, juvignac, fabregues):
    theirs = party(fabregues, live=False).site
    client = agent_client(juvignac, "administrateur")
    for path in ("", "suspendre/"):
        assert client.get(f"{BASE}{theirs.pk}/{path}").status_code == 404
        assert client.post(f"{BASE}{theirs.pk}/{path}").status_code == 404
    with acting_for(fabregues):
        assert SamlSite.objects.get().state == "propose"


def test_one_identifier_names_one_site(party, agent_client, juvignac, fabregues):
    client, other = agent_client(juvignac, "administrateur"), agent_client(fabregues, "administrateur")
    assert client.post(BASE + "nouveau/", form()).status_code == 302
    page = other.post(BASE.replace("juvignac", "fabregues") + "nouveau/", form())
    assert "porte déjà cet identifiant" in page.content.decode()

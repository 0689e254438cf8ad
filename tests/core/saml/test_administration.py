"""Sites proposed by an organisation, put in service by the platform, out of reach of the neighbours."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.saml import services
from parvis.core.saml.models import SamlSite
from tests.core.authentication.test_resets import as_operator

from .conftest import expire
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

    address = f"/plateforme/saml/{site.pk}/"
    assert client.post(address).status_code == 404
    client.account.is_platform_administrator = True
    client.account.save()
    assert "Courrier" in client.get("/plateforme/saml/").content.decode()
    page = client.post(address, {"decision": "approuver", "vu": "0" * 64})
    assert page.status_code == 409
    assert "relisez-la" in page.content.decode()
    with acting_for(juvignac):
        assert SamlSite.objects.get().state == "propose"
    assert client.post(address, {"decision": "approuver", "vu": page.context["seen"]}).status_code == 302
    with acting_for(juvignac):
        assert SamlSite.objects.get().state == "en_service"


CHANGE = {
    "name": "Courrier", "contact": "neuf@exemple.fr", "attributes": ["mail", "sn", "givenName"],
    "populations": ["agent"], "members_only": "on",
}  # fmt: skip
OTHER_ADDRESS = "https://ancien.exemple.fr/autre"


def decide(site, platform, **answer):
    page = platform.get(f"/plateforme/saml/{site.pk}/")
    return platform.post(f"/plateforme/saml/{site.pk}/", {"vu": page.context["seen"], **answer})


def again(site):
    with acting_for(site.organisation_id):
        return SamlSite.objects.select_related("organisation").get(pk=site.pk)


@pytest.fixture
def platform(db):
    return as_operator("exploitation@plateforme.test")


def described_again(site, acs=OTHER_ADDRESS):
    return SimpleUploadedFile("m.xml", described(acs=acs).replace(b"https://ancien.exemple.fr/saml\"",
                                                                  f'{site.entity_id}"'.encode()))  # fmt: skip


def test_a_change_is_in_force_once_the_platform_has_approved_it(party, agent_client, juvignac, platform):
    site, client = party(juvignac).site, agent_client(juvignac, "administrateur")
    before = again(site).in_force
    file = described_again(site)
    assert client.post(f"{BASE}{site.pk}/modifier/", {**CHANGE, "file": file}).status_code == 302
    waiting = again(site)
    assert (waiting.in_force, waiting.state, waiting.standing) == (before, "en_service", "modification à approuver")
    for page in (client.get(f"{BASE}{site.pk}/"), platform.get(f"/plateforme/saml/{site.pk}/")):
        text = page.content.decode()
        for said in ("neuf@exemple.fr", OTHER_ADDRESS, "Prénom, Nom, Adresse électronique", "oui"):
            said = f"<ins>{said}</ins>"
            assert said in text, said
    assert decide(site, platform, decision="approuver").status_code == 302
    changed = again(site)
    assert (changed.contact, changed.members_only, changed.populations) == ("neuf@exemple.fr", True, ["agent"])
    assert OTHER_ADDRESS in changed.metadata
    assert (changed.standing, changed.proposal) == ("en service", None)


def test_a_refused_change_leaves_what_is_in_force_and_says_why(party, agent_client, juvignac, platform):
    site, client = party(juvignac).site, agent_client(juvignac, "administrateur")
    before = again(site).in_force
    client.post(f"{BASE}{site.pk}/modifier/", CHANGE)
    assert decide(site, platform, decision="refuser", reason="").status_code == 422
    assert decide(site, platform, decision="refuser", reason="Le prénom ne sert à rien").status_code == 302
    refused = again(site)
    assert (refused.in_force, refused.state, refused.waits) == (before, "en_service", False)
    assert "dernière modification refusée" in client.get(BASE).content.decode()
    for page in (client.get(BASE), client.get(f"{BASE}{site.pk}/"), platform.get(f"/plateforme/saml/{site.pk}/")):
        assert "Le prénom ne sert à rien" in page.content.decode()
    assert "Rien n’attend" in decide(site, platform, decision="approuver").content.decode()
    form = client.get(f"{BASE}{site.pk}/modifier/").context["form"]
    assert form["contact"].value() == "neuf@exemple.fr", "what was refused is corrected, not typed anew"
    client.post(f"{BASE}{site.pk}/modifier/", {**CHANGE, "attributes": ["mail", "sn"]})
    assert (again(site).waits, again(site).refusal) == (True, "")


def test_a_first_proposal_is_refused_then_proposed_again(party, agent_client, juvignac, platform):
    site, client = party(juvignac, live=False).site, agent_client(juvignac, "administrateur")
    decide(site, platform, decision="refuser", reason="Quel éditeur ?")
    assert again(site).standing == "refusé"
    page = client.get(f"{BASE}{site.pk}/").content.decode()
    assert "La plateforme a refusé cette proposition." in page
    assert "etat/" not in page, "what was never in service is not suspended"
    client.post(f"{BASE}{site.pk}/modifier/", {**CHANGE, "relation": "tiers", "name_id": "transient"})
    proposed = again(site)
    assert (proposed.state, proposed.relation, proposed.name_id) == ("propose", "tiers", "transient")


def test_what_names_people_never_changes_once_approved(party, agent_client, juvignac):
    site, client = party(juvignac).site, agent_client(juvignac, "administrateur")
    client.post(f"{BASE}{site.pk}/modifier/", {**CHANGE, "relation": "tiers", "name_id": "email"})
    assert (again(site).proposed["relation"], again(site).proposed["name_id"]) == ("propre", "persistent")
    with acting_for(juvignac), pytest.raises(services.SiteRefused, match="changeraient d’identifiant"):
        services.change(site, {"name_id": "email"}, actor=Actor("system"))


def test_the_metadata_of_another_service_replace_nothing(party, agent_client, juvignac):
    site, client = party(juvignac).site, agent_client(juvignac, "administrateur")
    page = client.post(f"{BASE}{site.pk}/modifier/", {**CHANGE, "file": SimpleUploadedFile("m.xml", described())})
    assert page.status_code == 422
    assert "celles d’un autre service" in page.content.decode()
    assert again(site).proposal is None


def test_a_change_taken_back_asks_nothing_of_the_platform(party, juvignac):
    site = party(juvignac).site
    values, actor = {"contact": "neuf@exemple.fr"}, Actor("system")
    assert services.change(site, values, actor=actor) == ["contact"]
    assert services.change(site, values, actor=actor) == []
    services.change(site, {"contact": "dsi@exemple.fr"}, actor=actor)
    assert (again(site).proposal, again(site).waits) == (None, False)


def test_a_suspended_site_is_put_back_by_its_organisation_and_by_no_approval(party, agent_client, juvignac, platform):
    site, client = party(juvignac).site, agent_client(juvignac, "administrateur")
    page = f"{BASE}{site.pk}/etat/"
    for said in ("est suspendu", "n’est pas en service"):
        assert said in client.post(page, {"geste": "suspendre"}, follow=True).content.decode()
    client.post(f"{BASE}{site.pk}/modifier/", CHANGE)
    assert "Rien n’attend" in decide(site, platform, decision="approuver").content.decode()
    assert again(site).state == "suspendu"
    for said in ("est remis en service", "n’est pas suspendu"):
        assert said in client.post(page, {"geste": "remettre"}, follow=True).content.decode()
    assert again(site).standing == "modification à approuver"


def test_metadata_that_expired_meanwhile_are_not_put_in_service(party, juvignac, platform):
    site = party(juvignac, live=False).site
    expire(site)
    page = decide(site, platform, decision="approuver")
    assert page.status_code == 409
    assert "ne sont plus valables" in page.content.decode()
    assert again(site).state == "propose"


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
    for path in ("", "modifier/", "etat/"):
        assert client.get(f"{BASE}{theirs.pk}/{path}").status_code == 404
    for path in ("modifier/", "etat/"):
        assert client.post(f"{BASE}{theirs.pk}/{path}").status_code == 404
    with acting_for(fabregues):
        assert SamlSite.objects.get().state == "propose"


def test_one_identifier_names_one_site(party, agent_client, juvignac, fabregues):
    client, other = agent_client(juvignac, "administrateur"), agent_client(fabregues, "administrateur")
    assert client.post(BASE + "nouveau/", form()).status_code == 302
    page = other.post(BASE.replace("juvignac", "fabregues") + "nouveau/", form())
    assert "porte déjà cet identifiant" in page.content.decode()

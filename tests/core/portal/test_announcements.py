"""Announcements: who reads which, where and when; nobody announces further than they may."""

import uuid

import pytest

from parvis.core import clock
from parvis.core.journal.queries import entries_about
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.tenancy import acting_for, public_view_of
from parvis.core.portal import announcements
from parvis.core.portal.models import Announcement

pytestmark = pytest.mark.django_db
FORM = {
    "title": "Mairie fermée",
    "text": "Le 15 août.",
    "audience": "public",
    "level": "information",
    "since": "2019-01-01",
}


@pytest.fixture
def announce():
    def make(organisation, **values):
        fields = {**FORM, "since": clock.today(), "until": None, "everywhere": False, **values}
        with acting_for(organisation):
            return announcements.announce(organisation, fields, actor=SYSTEM)

    return make


def read(client, path):
    return client.get(path).content.decode()


class TestReading:
    def test_public_one_is_on_the_home_of_its_organisation_only(self, client, announce, juvignac, fabregues):
        announce(juvignac)
        assert "Mairie fermée" in read(client, "/p/juvignac/")
        assert "Mairie fermée" not in read(client, "/p/fabregues/")
        assert "Mairie fermée" not in read(client, "/")

    def test_one_for_agents_is_on_their_desk_and_nowhere_else(
        self, client, announce, juvignac, fabregues, agent_client
    ):
        announce(juvignac, audience="agents")
        assert "Mairie fermée" not in read(client, "/p/juvignac/")
        assert "Mairie fermée" in read(agent_client(juvignac, "lecteur"), "/bureau/")
        assert "Mairie fermée" not in read(agent_client(fabregues, "lecteur"), "/bureau/")

    def test_one_of_the_metropole_for_all_is_everywhere(self, client, announce, metropole, juvignac, agent_client):
        announce(metropole, everywhere=True)
        for path in ("/", "/p/juvignac/", "/p/metropole/"):
            assert "Mairie fermée" in read(client, path), path
        assert "Mairie fermée" in read(agent_client(juvignac, "lecteur"), "/bureau/")

    def test_one_of_the_metropole_for_all_agents_is_on_no_public_page(
        self, client, announce, metropole, juvignac, agent_client
    ):
        announce(metropole, everywhere=True, audience="agents")
        for path in ("/", "/p/juvignac/", "/p/metropole/"):
            assert "Mairie fermée" not in read(client, path), path
        assert "Mairie fermée" in read(agent_client(juvignac, "lecteur"), "/bureau/")

    def test_the_database_itself_hides_what_is_not_public(self, announce, metropole, juvignac, fabregues):
        announce(juvignac, audience="agents")
        announce(metropole, everywhere=True, audience="agents")
        assert Announcement.objects.count() == 0
        with public_view_of(juvignac):
            assert Announcement.objects.count() == 0
        with acting_for(fabregues):
            assert [a.organisation.slug for a in Announcement.objects.all()] == ["metropole"]

    @pytest.mark.parametrize(
        ("day", "shown"), [("2019-06-30", False), ("2019-07-01", True), ("2019-07-03", True), ("2019-07-04", False)]
    )
    def test_it_is_shown_between_its_days_included(self, client, announce, juvignac, frozen_clock, day, shown):
        announce(juvignac, since="2019-07-01", until="2019-07-03")
        frozen_clock(f"{day}T23:30+02:00")
        assert ("Mairie fermée" in read(client, "/p/juvignac/")) is shown

    def test_attention_comes_first(self, client, announce, juvignac):
        announce(juvignac, title="Nouveau service")
        announce(juvignac, title="Alerte", level="attention")
        announce(juvignac, title="Autre service")
        page = read(client, "/p/juvignac/")
        assert page.index("Alerte") < page.index("Autre service") < page.index("Nouveau service")

    def test_text_is_text(self, client, announce, juvignac):
        announce(juvignac, title="<b>Gras</b>", text="<script>alert(1)</script>\n\nDeux")
        page = read(client, "/p/juvignac/")
        assert "<script>alert" not in page
        assert "&lt;b&gt;Gras" in page
        assert "<p>Deux</p>" in page


class TestDismissing:
    def test_lasts_for_the_session_and_comes_back_to_the_page(self, client, announce, juvignac):
        made = announce(juvignac)
        other = announce(juvignac, title="Autre chose")
        answer = client.post(f"/annonces/{made.pk}/masquer/", {"retour": "/p/juvignac/?a=b"})
        assert answer["Location"] == "/p/juvignac/?a=b"
        page = read(client, "/p/juvignac/")
        assert "Mairie fermée" not in page
        assert other.title in page

    @pytest.mark.parametrize("path", ["https://mechant.test/", "//mechant.test", "/\\mechant.test", "", "javascript:1"])
    def test_leads_to_no_other_site(self, client, db, path):
        assert client.post(f"/annonces/{uuid.uuid4()}/masquer/", {"retour": path})["Location"] == "/"

    def test_is_not_done_by_a_link(self, client, announce, juvignac):
        assert client.get(f"/annonces/{announce(juvignac).pk}/masquer/").status_code == 405

    def test_remembers_the_fifty_last_ones_only(self, client, db):
        for _ in range(60):
            client.post(f"/annonces/{uuid.uuid4()}/masquer/")
        assert len(client.session[announcements.DISMISSED]) == 50


class TestAdministration:
    LIST = "/o/juvignac/administration/annonces/"

    def test_writes_changes_and_withdraws(self, juvignac, agent_client, client):
        admin = agent_client(juvignac, "administrateur")
        assert admin.post(f"{self.LIST}nouvelle/", FORM).status_code == 302
        with acting_for(juvignac):
            made = Announcement.objects.get()
        assert "Mairie fermée" in read(client, "/p/juvignac/")
        admin.post(f"{self.LIST}{made.pk}/", {**FORM, "title": "Mairie ouverte"})
        assert "Mairie ouverte" in read(admin, self.LIST)
        assert "Retirer « Mairie ouverte »" in read(admin, f"{self.LIST}{made.pk}/retirer/")
        admin.post(f"{self.LIST}{made.pk}/retirer/")
        admin.post(f"{self.LIST}{made.pk}/retirer/")
        assert "Mairie ouverte" not in read(client, "/p/juvignac/")
        assert "retirée" in read(admin, self.LIST)
        with acting_for(juvignac):
            actions = [entry.action for entry in entries_about("annonce", str(made.pk))]
        assert sorted(actions) == ["annonce.modifiee", "annonce.redigee", "annonce.retiree"]

    def test_refuses_dates_the_wrong_way_round(self, juvignac, agent_client):
        admin = agent_client(juvignac, "administrateur")
        answer = admin.post(f"{self.LIST}nouvelle/", {**FORM, "until": "2018-12-31"})
        assert answer.status_code == 422
        assert "Le dernier jour vient avant le premier" in answer.content.decode()

    @pytest.mark.parametrize("changes", [{"title": ""}, {"title": "x" * 121}, {"text": "x" * 1001}, {"since": "hier"},
                                         {"audience": "tous"}, {"level": "danger"}])  # fmt: skip
    def test_refuses_what_does_not_fit(self, juvignac, agent_client, changes):
        admin = agent_client(juvignac, "administrateur")
        assert admin.post(f"{self.LIST}nouvelle/", {**FORM, **changes}).status_code == 422

    def test_a_forged_field_does_not_announce_on_everybodys_pages(self, juvignac, fabregues, agent_client, client):
        admin = agent_client(juvignac, "administrateur")
        admin.post(f"{self.LIST}nouvelle/", {**FORM, "everywhere": "on", "organisation": fabregues.pk})
        with acting_for(juvignac):
            assert [a.everywhere for a in Announcement.objects.filter(organisation=juvignac)] == [False]
        assert "Mairie fermée" not in read(client, "/p/fabregues/")
        with acting_for(juvignac), pytest.raises(announcements.AnnouncementRefused):
            announcements.announce(juvignac, {**FORM, "until": None, "everywhere": True}, actor=SYSTEM)

    def test_metropole_announces_everywhere(self, metropole, juvignac, agent_client, client):
        admin = agent_client(metropole, "administrateur")
        admin.post("/o/metropole/administration/annonces/nouvelle/", {**FORM, "everywhere": "on"})
        assert "Mairie fermée" in read(client, "/p/juvignac/")

    @pytest.mark.parametrize("action", ["", "retirer/"])
    def test_those_of_another_organisation_answer_like_missing_ones(
        self, juvignac, fabregues, metropole, announce, agent_client, action
    ):
        admin = agent_client(juvignac, "administrateur")
        for made in (announce(fabregues), announce(metropole, everywhere=True)):
            address = f"{self.LIST}{made.pk}/{action}"
            assert admin.get(address).status_code == admin.post(address, FORM).status_code == 404
            assert admin.post(f"/o/fabregues/administration/annonces/{made.pk}/{action}", FORM).status_code == 404
        with acting_for(fabregues, metropole):
            assert not Announcement.objects.filter(withdrawn_at__isnull=False).exists()

"""The list of the deliberations examined: due within the week, published as a tagged PDF, read by everybody."""

import subprocess
from datetime import date, datetime

import pytest
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.services import read_bytes
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import WrongMoment
from parvis.edemat.seances.formats.echeances import list_is_due
from parvis.edemat.seances.models import Liste
from parvis.edemat.seances.services.deliberations import text_of_pdf

from .council import ACTOR


@pytest.fixture
def risen(juvignac, make_council, monkeypatch):
    from parvis.core.trust.timestamps import TimestampUnavailable
    from parvis.edemat.seances.services import evidence

    def unavailable(data):
        raise TimestampUnavailable("Aucun service d’horodatage n’est configuré.")

    monkeypatch.setattr(evidence, "request_token", unavailable)
    with acting_for(juvignac):
        council = make_council(juvignac, size=5, starts_at=datetime(2026, 6, 29, 18, 30, tzinfo=clock.PARIS))
        council.convoke("2026-06-22T10:00+02:00")
        council.deliver()
        council.open(presents=4, powers=0, at="2026-06-29T18:35+02:00")
        first, second = council.seance.points.order_by("rank")
        services.record_vote(first, mode="main_levee", pour=1, contre=3, actor=ACTOR)
        services.record_unanimity(second, actor=ACTOR)
        council.seance = services.rise(council.seance, actor=ACTOR)
        yield council


@pytest.mark.parametrize(
    ("regime", "day", "due"),
    [
        ("commune_ge3500", date(2022, 7, 1), True),
        ("commune_ge3500", date(2022, 6, 30), False),
        ("epci", date(2026, 1, 1), True),
        ("ccas", date(2026, 1, 1), False),
        ("commission", date(2026, 1, 1), False),
    ],
)
def test_whom_the_law_asks_for_a_list(regime, day, due):
    assert list_is_due(regime, day) is due


def test_the_list_waits_in_the_inbox_for_a_week(risen):
    task = Task.objects.get(verb="Publier la liste", state="open")
    assert clock.paris(task.deadline).isoformat() == "2026-07-06T23:59:59+02:00"


def test_adopted_and_rejected_deliberations_are_listed_in_a_tagged_pdf(risen, tmp_path):
    liste = services.publish_list(risen.seance, actor=ACTOR)
    assert [(row["numero"], row["decision"]) for row in liste.rows] == [
        ("26.06.29.01", "Rejetée"),
        ("26.06.29.02", "Adoptée"),
    ]
    content = read_bytes(liste.document)
    text = " ".join(text_of_pdf(content).split())
    assert "26.06.29.01 Affaire 1 Rejetée" in text
    path = tmp_path / "liste.pdf"
    path.write_bytes(content)
    information = subprocess.run(["pdfinfo", path], capture_output=True, text=True).stdout
    assert "Tagged:          yes" in information
    assert not Task.objects.filter(verb="Publier la liste", state="open").exists()


def test_a_list_is_published_once(risen):
    first = services.publish_list(risen.seance, actor=ACTOR)
    assert services.publish_list(risen.seance, actor=ACTOR) == first


def test_there_is_no_list_before_the_meeting_rises(council):
    with pytest.raises(WrongMoment, match="levée"):
        services.publish_list(council.seance, actor=ACTOR)


def test_everybody_reads_the_list_and_only_what_is_published(risen, agent_client, client, fabregues):
    public = reverse("seances_public:list", args=["juvignac"])
    assert "Aucune liste" in client.get(public).content.decode()
    secretary = agent_client(risen.organisation, "secretaire")
    address = reverse("seances:publish_list", args=["juvignac", risen.seance.pk])
    assert "Affaire 1 : rejetée" in secretary.get(address).content.decode()
    assert "est en ligne" in secretary.post(address, follow=True).content.decode()
    liste = Liste.objects.get()
    assert "2\u00a0délibérations" in client.get(public).content.decode()
    page = reverse("seances_public:detail", args=["juvignac", liste.pk])
    assert "Rejetée" in client.get(page).content.decode()
    file = reverse("public_documents:download", args=["juvignac", liste.document_id])
    assert client.get(file).status_code == 200
    assert client.get(reverse("seances_public:detail", args=["fabregues", liste.pk])).status_code == 404

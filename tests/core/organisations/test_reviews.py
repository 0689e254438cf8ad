"""Reviews of the mandates: who reviews what, what a decision does, reminders, the report that stays."""

import io
from datetime import timedelta

import pikepdf
import pytest

from parvis.core import clock
from parvis.core.documents.services import read_bytes
from parvis.core.identity.models import Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations import reviews
from parvis.core.organisations.models import Review, ReviewLine
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from tests.core.organisations.conftest import BASE

pytestmark = pytest.mark.django_db
LIST = BASE + "revues/"


@pytest.fixture
def second(juvignac, account_for):
    return account_for(juvignac, "administrateur", email="second@juvignac.test", family_name="Second")


@pytest.fixture
def review(administrator, second, service_head, juvignac, account_for):
    """A review of two administrators, a head and their agent, and the mayor."""
    account_for(juvignac, "maire", given_name="Alix", family_name="Exemple")
    deadline = (clock.today() + timedelta(days=30)).isoformat()
    answer = administrator.post(f"{LIST}nouvelle/", {"name": "Revue", "application": "", "deadline": deadline})
    assert answer.status_code == 302, answer.content.decode()
    with acting_for(juvignac):
        return Review.objects.select_related("organisation").get()


def line_of(review, role, account=None):
    with acting_for(review.organisation):
        rows = review.lines.select_related("mandate", "reviewer").filter(role_code=role)
        return rows.get(mandate__account=account) if account else rows.get()


def decide(client, review, line, **form):
    return client.post(f"{LIST}{review.pk}/{line.pk}/", form)


def test_nobody_reviews_their_own_mandate_and_heads_review_their_service(review, administrator, second, service_head):
    mine = line_of(review, "administrateur", administrator.account)
    assert mine.reviewer == second
    assert line_of(review, "administrateur", second).reviewer == administrator.account
    assert line_of(review, "lecteur").reviewer == service_head.account
    assert line_of(review, "maire").reviewer == administrator.account
    assert "il est à vous" in decide(administrator, review, mine, decision="confirmed").content.decode()
    with acting_for(review.organisation):
        assert Task.objects.filter(verb="Revoir", state="open").count() == 3


def test_a_head_decides_of_their_agents_only(review, service_head):
    page = service_head.get(f"{LIST}{review.pk}/").content.decode()
    assert "Sacha Guichet" in page
    assert "Alix Exemple" not in page
    assert decide(service_head, review, line_of(review, "maire"), decision="revoked").status_code == 404
    assert decide(service_head, review, line_of(review, "lecteur"), decision="confirmed").status_code == 302
    with acting_for(review.organisation):
        assert not Task.objects.filter(verb="Revoir", state="open", assignee=service_head.account).exists()


def test_decisions_confirm_date_and_revoke(review, administrator, service_head):
    today = clock.today()
    mayor, agent, head = line_of(review, "maire"), line_of(review, "lecteur"), line_of(review, "chef_service")
    later = today + timedelta(days=90)
    decide(administrator, review, mayor, decision="confirmed")
    decide(administrator, review, agent, decision="changed", new_end=later.isoformat())
    assert "date de fin à venir" in decide(administrator, review, head, decision="changed").content.decode()
    decide(administrator, review, head, decision="revoked")
    with acting_for(review.organisation):
        assert Mandate.objects.get(pk=mayor.mandate_id).end is None
        assert Mandate.objects.get(pk=agent.mandate_id).end == later
        assert Mandate.objects.get(pk=head.mandate_id).is_over(today)
        found = dict(review.lines.exclude(decision="").values_list("role_code", "decision"))
        assert found == {"maire": "confirmed", "lecteur": "changed", "chef_service": "revoked"}
        assert Entry.objects.filter(action="revue.decidee").count() == 3
        assert SecurityEvent.objects.filter(event="manager.review.decision").count() == 3
    assert service_head.get(f"{LIST}{review.pk}/").status_code == 404


def test_mandates_are_confirmed_together_only_when_ticked(review, administrator, second):
    theirs = line_of(review, "administrateur", second)
    mine = line_of(review, "administrateur", administrator.account)
    address = f"{LIST}{review.pk}/confirmation/"
    administrator.post(address, {"role": "administrateur"})
    administrator.post(address, {"role": "maire", "ligne": [str(theirs.pk), "n'importe quoi"]})
    with acting_for(review.organisation):
        assert not review.lines.exclude(decision="").exists()
    administrator.post(address, {"role": "administrateur", "ligne": [str(theirs.pk), str(mine.pk)]})
    with acting_for(review.organisation):
        assert [line.pk for line in review.lines.exclude(decision="")] == [theirs.pk]


def test_a_review_closes_once_all_is_decided_and_its_report_stays(review, administrator, second, agent_client):
    page = administrator.post(f"{LIST}{review.pk}/cloture/", follow=True).content.decode()
    assert "restent à revoir" in page
    other = agent_client(review.organisation, "administrateur", email=second.email)
    with acting_for(review.organisation):
        lines = list(review.lines.select_related("mandate"))
    for line in lines:
        client = other if line.mandate.account_id == administrator.account.pk else administrator
        decide(client, review, line, decision="confirmed")
    administrator.post(f"{LIST}{review.pk}/cloture/")
    with acting_for(review.organisation):
        review = Review.objects.select_related("document", "organisation").get()
        content = read_bytes(review.document)
        assert Entry.objects.get(action="revue.close").sha256 == review.document.sha256
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1
    officer = agent_client(review.organisation, "dpo")
    assert officer.get(f"/o/juvignac/documents/{review.document.pk}/").status_code == 200
    assert "Compte rendu" in officer.get(f"{LIST}{review.pk}/").content.decode()
    late = decide(administrator, review, lines[0], decision="revoked").content.decode()
    assert "Cette revue est close" in late


def test_the_officer_reads_and_decides_nothing(review, agent_client):
    officer = agent_client(review.organisation, "dpo")
    page = officer.get(f"{LIST}{review.pk}/").content.decode()
    assert "Alix Exemple" in page
    assert "Décider" not in page
    assert decide(officer, review, line_of(review, "maire"), decision="revoked").status_code == 403


@pytest.mark.parametrize("action", ["", "confirmation/", "cloture/"])
def test_a_neighbours_review_is_missing(administrator, fabregues, account_for, action):
    account = account_for(fabregues, "maire")
    with acting_for(fabregues):
        theirs = Review.objects.create(organisation=fabregues, name="X", opened_at=clock.now(), deadline=clock.today())
        line = ReviewLine.objects.create(
            organisation=fabregues, review=theirs, mandate=Mandate.objects.get(account=account),
            role_code="maire", role_label="Maire",
        )  # fmt: skip
    for address in (f"{LIST}{theirs.pk}/{action}", f"{LIST}{theirs.pk}/{line.pk}/"):
        assert administrator.get(address).status_code in (404, 405)
        assert administrator.post(address, {"decision": "revoked"}).status_code in (404, 405)
    with acting_for(fabregues):
        assert ReviewLine.objects.get().decision == ""


def test_only_the_mandates_of_the_application_are_reviewed(juvignac, account_for, authority):
    boss = account_for(juvignac, "administrateur")
    account_for(juvignac, "elu")
    account_for(juvignac, "dpo")
    with acting_for(juvignac):
        by = authority(juvignac, boss)
        with pytest.raises(reviews.ReviewRefused, match="Aucun mandat"):
            reviews.open_review("R", "marches", clock.today() + timedelta(1), by=by)
        review = reviews.open_review("R", "edemat", clock.today() + timedelta(1), by=by)
        assert set(review.lines.values_list("role_code", flat=True)) == {"administrateur", "elu"}
        with pytest.raises(reviews.ReviewRefused, match="déjà ouverte"):
            reviews.open_review("R", "edemat", clock.today() + timedelta(1), by=by)


def test_reminders_leave_a_week_before_then_that_day_then_every_week(review, mailoutbox):
    def sent_on(day):
        mailoutbox.clear()
        with acting_for(review.organisation):
            reviews.remind(review.organisation, day)
        return [(m.to[0].split("@")[0], m.subject[:6]) for m in mailoutbox]

    deadline = review.deadline
    assert sent_on(deadline - timedelta(days=8)) == []
    assert len(sent_on(deadline - timedelta(days=7))) == 3
    assert sent_on(deadline - timedelta(days=6)) == []
    assert len(sent_on(deadline)) == 3
    assert sent_on(deadline + timedelta(days=1)) == []
    assert {subject for _, subject in sent_on(deadline + timedelta(days=7))} == {"En ret"}


def test_after_six_months_without_a_review_the_desk_asks_for_one(juvignac, account_for, authority):
    boss = account_for(juvignac, "administrateur")
    today = clock.today()
    with acting_for(juvignac):
        for _ in range(2):
            reviews.remind(juvignac, today)
        assert Task.objects.filter(verb="Ouvrir", state="open").count() == 1
        reviews.open_review("R", "", today + timedelta(1), by=authority(juvignac, boss))
        assert not Task.objects.filter(verb="Ouvrir", state="open").exists()
        Review.objects.update(closed_at=clock.now())
        reviews.remind(juvignac, today + timedelta(days=100))
        assert not Task.objects.filter(verb="Ouvrir", state="open").exists()
        reviews.remind(juvignac, today + timedelta(days=200))
        assert Task.objects.filter(verb="Ouvrir", state="open").exists()

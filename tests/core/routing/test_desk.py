"""The desk: groups by deadline, across organisations, and only what the person may do."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from parvis.core import clock
from parvis.core.clock import PARIS
from parvis.core.ids import uuid7
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.desk import (
    LATE,
    LATER,
    TODAY,
    UNDATED,
    WEEK,
    Load,
    end_of_week,
    following,
    group_of,
    grouped,
    in_group,
    in_order,
    key_of,
)
from parvis.core.routing.models import Task
from parvis.core.routing.services import open_task

NOW = datetime(2019, 7, 3, 10, 0, tzinfo=UTC)  # a Wednesday, noon in Paris
MONDAY = datetime(2019, 7, 8, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("deadline", "group"),
    [
        (datetime(2019, 7, 3, 9, 59, tzinfo=UTC), LATE),
        (datetime(2019, 7, 2, 22, 0, tzinfo=UTC), TODAY),  # midnight in Paris: the whole day of the 3rd
        (datetime(2019, 7, 1, 22, 0, tzinfo=UTC), LATE),  # midnight: the day of the 2nd, which is over
        (datetime(2019, 7, 3, 21, 59, tzinfo=UTC), TODAY),
        (datetime(2019, 7, 3, 22, 30, tzinfo=UTC), WEEK),  # half past midnight in Paris, tomorrow
        (datetime(2019, 7, 7, 21, 59, tzinfo=UTC), WEEK),  # Sunday
        (datetime(2019, 7, 8, 6, 0, tzinfo=UTC), LATER),  # Monday
        (None, UNDATED),
    ],
)
def test_group_of_a_deadline(deadline, group):
    assert group_of(deadline, NOW) == group


def test_sunday_closes_its_own_week():
    assert end_of_week(datetime(2019, 7, 7).date()).isoformat() == "2019-07-07"


def test_empty_groups_are_left_out_and_the_late_comes_first():
    @dataclass
    class Thing:
        deadline: datetime | None

    groups = grouped([Thing(None), Thing(NOW - timedelta(days=1))], NOW)
    assert [g.code for g in groups] == [LATE, UNDATED]


def _task(organisation, permission, title, **fields):
    with acting_for(organisation):
        return open_task(
            organisation,
            service="essai",
            verb=fields.pop("verb", "Lire"),
            title=title,
            permission=permission,
            path="/bureau/",
            subject=("essai", uuid7()),
            **fields,
        )


@pytest.mark.django_db
class TestPage:
    @pytest.fixture
    def client_of_two(self, juvignac, fabregues, account_for, agent_client):
        client = agent_client(juvignac, "secretaire", email="deux@essai.test")
        account_for(fabregues, "maire", email="deux@essai.test")
        return client

    def test_gathers_all_organisations_and_nothing_that_others_must_do(self, juvignac, fabregues, client_of_two):
        _task(juvignac, "actes.transmettre", "Transmettre l’arrêté")
        _task(fabregues, "parapheur.signer", "Signer la convention")
        _task(juvignac, "parapheur.signer", "Réservé au maire de Juvignac")
        page = client_of_two.get("/bureau/").content.decode()
        assert "Transmettre l’arrêté" in page
        assert "Signer la convention" in page
        assert "Réservé au maire de Juvignac" not in page
        assert "2 choses vous attendent" in page

    def test_task_given_to_somebody_else_is_not_shown(self, juvignac, account_for, client_of_two):
        other = account_for(juvignac, "secretaire", email="autre@essai.test")
        _task(juvignac, "actes.transmettre", "Pour l’autre", assignee=other)
        assert "Pour l’autre" not in client_of_two.get("/bureau/").content.decode()

    def test_one_verb_at_a_time(self, juvignac, client_of_two):
        _task(juvignac, "actes.transmettre", "Premier", verb="Transmettre")
        _task(juvignac, "actes.publier", "Second", verb="Publier")
        page = client_of_two.get("/bureau/?verbe=Publier").content.decode()
        assert "Second" in page
        assert "Premier" not in page

    def test_empty_desk_says_so(self, client_of_two):
        assert "Rien ne vous attend" in client_of_two.get("/bureau/").content.decode()

    def test_late_task_is_counted_and_shows_its_rule(self, juvignac, client_of_two, frozen_clock):
        frozen_clock("2019-07-03T12:00+02:00")
        for title, days in (("Hier", -1), ("Demain", 1)):
            _task(
                juvignac,
                "actes.transmettre",
                title,
                deadline=clock.now() + timedelta(days=days),
                deadline_rule="Quinze jours",
            )
        page = client_of_two.get("/bureau/").content.decode()
        assert "2 choses vous attendent, dont 1 en retard" in page
        assert "En retard" in page
        assert "Quinze jours" in page

    def test_queries_do_not_grow_with_the_tasks(self, juvignac, client_of_two, django_assert_max_num_queries):
        for number in range(30):
            _task(juvignac, "actes.transmettre", f"Acte {number}")
        with django_assert_max_num_queries(22):
            client_of_two.get("/bureau/")

    def test_search_finds_by_number_and_by_words_in_ones_own_organisations_only(
        self, juvignac, fabregues, agent_client
    ):
        from parvis.core.routing.models import Route, RouteStep

        for organisation, title in ((juvignac, "Convention du pont"), (fabregues, "Convention du port")):
            with acting_for(organisation):
                route = Route.objects.create(
                    organisation=organisation,
                    kind="essai",
                    title=title,
                    reference="19.07.01.05",
                    created_at=clock.now(),
                )
                RouteStep.objects.create(organisation=organisation, route=route, rank=1, code="actes.transmission")
        client = agent_client(juvignac, "secretaire")
        for terms in ("19.07.01.05", "pont convention"):
            page = client.get("/bureau/recherche/", {"q": terms}).content.decode()
            assert "Convention du pont" in page
            assert "Convention du port" not in page
        assert "Aucun dossier trouvé" in client.get("/bureau/recherche/?q=viaduc").content.decode()


@pytest.fixture
def tasks(juvignac, acting_for_juvignac):
    """Tasks around every limit between two groups."""
    limits = [datetime(2019, 7, 1, tzinfo=PARIS) + timedelta(days=d) for d in range(9)] + [NOW]
    moments = [m + timedelta(microseconds=d) for m in limits for d in (-1, 0, 1)] + [None, None]
    return Task.objects.bulk_create(
        Task(
            organisation=juvignac, service="actes", verb="Signer" if n % 3 else "Viser", title=f"N° {n}",
            permission="actes.lire", deadline=moment, path="/", subject_kind="acte", subject_id=uuid7(), created_at=NOW,
        )
        for n, moment in enumerate(moments)
    )  # fmt: skip


def test_the_database_puts_each_task_in_the_same_group(tasks):
    for task, group in Task.objects.annotate(group=in_group(NOW)).values_list("deadline", "group"):
        assert group == group_of(task, NOW), task


def test_the_load_counts_everything(tasks):
    load = Load.of(Task.objects.all(), NOW)
    assert load.total == len(tasks)
    assert load.verbs == Counter(task.verb for task in tasks)
    assert load.groups == Counter(group_of(task.deadline, NOW) for task in tasks)


def test_pages_by_key_show_each_task_once(tasks):
    ordered = in_order(Task.objects.all(), NOW)
    seen, page = [], list(ordered[:4])
    while page:
        seen += page
        page = list(following(ordered, key_of(page[-1]), NOW)[:4])
    assert seen == list(ordered)
    assert len(seen) == len(tasks)
    for nonsense in ("", "x", "2019-06-24.", f"2019-06-24T00:00:00.{uuid7().hex}", f"demain.{uuid7().hex}"):
        assert following(ordered, nonsense, NOW).count() == len(tasks)


def test_what_has_no_deadline_comes_before_what_is_for_later(tasks):
    order = [group_of(task.deadline, NOW) for task in in_order(Task.objects.all(), NOW)]
    assert list(dict.fromkeys(order)) == [LATE, TODAY, WEEK, UNDATED, LATER]

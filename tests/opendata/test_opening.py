"""A deliberation that reaches the end of its route enters the open table, once, or waits with a reason."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Subscription
from parvis.core.organisations.tenancy import acting_for, public_view_of
from parvis.core.routing.models import Task
from parvis.core.routing.registry import plugin
from parvis.core.routing.services import retry_step
from parvis.opendata import services
from parvis.opendata.models import Dataset, DeliberationRow


@pytest.fixture
def start(route_at_opendata):
    def run(organisation, facts):
        step = route_at_opendata(organisation, facts)
        plugin(step.code).start(step)
        step.refresh_from_db()
        step.route.refresh_from_db()
        return step

    return run


def test_the_row_is_opened_and_the_route_ends(acting_for_juvignac, start, facts):
    step = start(acting_for_juvignac, facts)
    assert (step.state, step.label, step.route.state) == ("done", "En données ouvertes", "done")
    row = DeliberationRow.objects.get()
    assert (row.delib_id, row.coll_siret, row.pref_id) == ("19.07.01.05", "21340123500014", "PREF034")
    assert (row.delib_date, row.pref_date) == (date(2019, 7, 1), date(2019, 7, 3))
    assert row.delib_matiere_nom == "institutions et vie politique/intercommunalité"
    assert (row.vote_effectif, row.vote_reel) == (29, 26)
    assert (row.vote_pour, row.vote_contre, row.vote_abstention) == (26, 0, 0)
    assert row.delib_url == "http://localhost:8000/p/juvignac/actes/un-acte/"
    assert step.route.facts["opendata"]["row"] == str(row.pk)


def test_the_journal_keeps_the_digest_of_the_line(acting_for_juvignac, start, facts):
    step = start(acting_for_juvignac, facts)
    entry = Entry.objects.get(action="opendata.deliberation_ouverte")
    assert entry.subject_id == str(step.route.pk)
    assert len(entry.sha256) == 64


def test_opening_twice_leaves_one_row(acting_for_juvignac, start, facts):
    step = start(acting_for_juvignac, facts)
    first = DeliberationRow.objects.get().pk
    services.open_deliberation(step.route)
    assert DeliberationRow.objects.get().pk == first


def test_taking_note_opens_a_row_without_votes(acting_for_juvignac, start, facts):
    facts["vote"]["mode"] = "sans_vote"
    start(acting_for_juvignac, facts)
    row = DeliberationRow.objects.get()
    assert row.vote_reel is None
    assert row.vote_sentence == "sans vote"


def test_a_refused_row_fails_the_step_and_says_what_to_do(acting_for_juvignac, start, facts):
    facts["acte"]["matiere_label"] = "Intercommunalité"
    step = start(acting_for_juvignac, facts)
    assert step.state == "failed"
    assert "deux niveaux" in step.summary
    task = Task.objects.get()
    assert (task.verb, task.permission, task.state) == ("Relancer", "opendata.publier", "open")
    assert not DeliberationRow.objects.exists()


def test_a_missing_fact_is_named(acting_for_juvignac, start, facts):
    del facts["acte"]["matiere"]
    step = start(acting_for_juvignac, facts)
    assert step.state == "failed"
    assert "« matiere »" in step.summary


def test_a_corrected_row_opens_on_retry_and_closes_the_task(acting_for_juvignac, start, facts):
    step = start(acting_for_juvignac, facts | {"vote": facts["vote"] | {"pour": 25}})
    assert step.state == "failed"
    step.route.facts = facts
    step.route.save()
    retry_step(step, actor=services.SYSTEM)
    step.refresh_from_db()
    assert step.state == "done"
    assert Task.objects.get().state == "done"


def test_an_organisation_without_open_data_ends_its_route_saying_so(acting_for_juvignac, start, facts):
    Subscription.objects.filter(application="opendata").delete()
    step = start(acting_for_juvignac, facts)
    assert step.state == "done"
    assert "pas adhéré" in step.summary
    assert not DeliberationRow.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"vote_pour": 25},
        {"vote_contre": None},
        {"vote_effectif": 20},
        {"pref_date": "2019-06-30"},
        {"budget_nom": "Principal"},
    ],
)
def test_the_database_refuses_a_row_that_contradicts_itself(acting_for_juvignac, start, facts, change):
    start(acting_for_juvignac, facts)
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliberationRow.objects.update(**change)


def test_the_public_sees_only_datasets_online(juvignac, fabregues, open_row):
    for organisation in (juvignac, fabregues):
        with acting_for(organisation):
            open_row(organisation)
    with public_view_of(juvignac):
        assert [row.organisation for row in DeliberationRow.objects.all()] == [juvignac]
    with acting_for(juvignac):
        services.set_public(Dataset.objects.get(), False, actor=services.SYSTEM)
    with public_view_of(juvignac):
        assert not DeliberationRow.objects.exists()
        assert not Dataset.objects.exists()


def test_outside_any_scope_the_tables_look_empty(juvignac, open_row):
    with acting_for(juvignac):
        open_row(juvignac)
    with connection.cursor() as cursor:
        for name in ("opendata_deliberationrow", "opendata_dataset"):
            cursor.execute(f"SELECT count(*) FROM {name}")
            assert cursor.fetchone() == (0,)

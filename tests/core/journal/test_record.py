"""Recording: gap-free chain, immutable rows, one transaction with the business change."""

import os
import threading
from itertools import pairwise

import psycopg
import pytest
from django.db import connection, transaction

from parvis.core.journal.canonical import EntryNotRecordable, sha256_hex
from parvis.core.journal.merkle import leaf_hash
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor, Event, record, record_many
from parvis.core.organisations.tenancy import acting_for

ACTE = ("acte", "0190")


@pytest.mark.django_db
def test_entries_are_numbered_and_chained(acting_for_juvignac):
    first = record(acting_for_juvignac, "essai.un", subject=ACTE, actor=Actor("account", "7"), sha256="ab" * 32)
    second, third = record_many(acting_for_juvignac, [Event("essai.deux", ACTE), Event("essai.trois", ACTE)])
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert first.prev == "0" * 64
    assert second.prev == sha256_hex(first.canonical())
    assert third.prev == sha256_hex(second.canonical())
    stored = Entry.objects.get(seq=2)
    assert stored.canonical() == second.canonical()
    assert bytes(stored.leaf) == leaf_hash(second.canonical())


@pytest.mark.django_db
def test_stored_details_give_back_the_same_bytes(acting_for_juvignac):
    details = {"é": ["", None, True, 3, {"b": 1, "a": "€"}], "z": 1.5, "n": 2.0}
    entry = record(acting_for_juvignac, "essai", subject=ACTE, details=details)
    assert Entry.objects.get(seq=entry.seq).canonical() == entry.canonical()


@pytest.mark.django_db
def test_each_organisation_has_its_own_chain(juvignac, fabregues):
    with acting_for(juvignac):
        record(juvignac, "essai", subject=ACTE)
        record(juvignac, "essai", subject=ACTE)
    with acting_for(fabregues):
        assert record(fabregues, "essai", subject=ACTE).seq == 1
        assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_a_rolled_back_event_leaves_no_gap(acting_for_juvignac):
    record(acting_for_juvignac, "essai", subject=ACTE)

    def fail_after_recording():
        with transaction.atomic():
            record(acting_for_juvignac, "essai", subject=ACTE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_recording()
    assert record(acting_for_juvignac, "essai", subject=ACTE).seq == 2


@pytest.mark.django_db
@pytest.mark.parametrize("details", [{"x": object()}, {"x": "a" * 20_000}, {"x": 2**60}, {"x": float("nan")}])
def test_what_is_not_plain_json_is_refused(acting_for_juvignac, details):
    with pytest.raises(EntryNotRecordable):
        record(acting_for_juvignac, "essai", subject=ACTE, details=details)


@pytest.mark.django_db
def test_recording_costs_few_statements(acting_for_juvignac, django_assert_max_num_queries):
    record(acting_for_juvignac, "essai", subject=ACTE)
    with django_assert_max_num_queries(2):  # lock, append
        record(acting_for_juvignac, "essai", subject=ACTE)


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["journal_entry", "journal_seal", "journal_tile"])
@pytest.mark.parametrize("order", ["UPDATE {} SET organisation_id = organisation_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_application_may_not_change_the_journal(acting_for_juvignac, table, order):
    with pytest.raises(Exception, match=r"permission denied|append-only"), transaction.atomic():
        connection.cursor().execute(order.format(table))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "order",
    ["UPDATE journal_entry SET action = 'autre'", "DELETE FROM journal_entry", "TRUNCATE journal_entry"],
)
def test_not_even_the_owner_may_change_the_journal(juvignac, order):
    with acting_for(juvignac):
        record(juvignac, "essai", subject=ACTE)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        assert owner.execute("SELECT count(*) FROM journal_entry").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(order)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_no_gap_and_no_double(juvignac):
    failures = []

    def write():
        try:
            for _ in range(10):
                with acting_for(juvignac):
                    record(juvignac, "essai", subject=ACTE)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with acting_for(juvignac):
        entries = list(Entry.objects.all())
        assert [e.seq for e in entries] == list(range(1, 41))
        assert all(b.prev == sha256_hex(a.canonical()) for a, b in pairwise(entries))

"""The journal under eight organisations writing at once, and a proof in a journal of a million events.

Targets: 300 events a second one per transaction, 2 000 a second in batches, an inclusion proof in 20 ms.
"""

import hashlib
import multiprocessing
import os
import time
from typing import Any

from bench.workbench import fresh_database, percentile, say, timed

WRITERS = 8
SECONDS = 6.0
BATCH = 100
EVENTS = 1_000_000
TARGETS = {"single": 300, "batches": 2000, "proof_ms": 20}

# Leaves of the million are hashes of numbers: the events themselves do not matter to the tree.
FILL = """
INSERT INTO journal_entry (
    id, organisation_id, seq, ts, action, actor_kind, actor_id,
    subject_kind, subject_id, sha256, details, prev, leaf
)
SELECT gen_random_uuid(), %(organisation)s, n, timestamptz '2019-01-01' + n * interval '1 minute',
       'bench.filled', 'system', '', 'bench', (n %% 5000)::text, '', '{}',
       repeat('0', 64), sha256(n::text::bytea)
FROM generate_series(1, %(events)s) AS n
"""


def organisations() -> list[int]:
    """Eight organisations, by number."""
    from parvis.core.organisations.models import Organisation

    return [
        Organisation.objects.create(
            slug=f"commune-{n}", name=f"Commune {n}", short_name=f"C{n}", kind="commune",
            siren=f"{213400000 + n}", departement="034", arrondissement="3",
            nature_actes="31", pref_id="PREF034",
        ).pk
        for n in range(WRITERS)
    ]  # fmt: skip


def write(organisation_id: int, batch: int, together: Any, counts: Any) -> None:
    """Append events for one organisation, once all the writers are ready, until the time is over."""
    import django

    django.setup()
    from parvis.core.journal.services import Event, record_many
    from parvis.core.organisations.models import Organisation
    from parvis.core.organisations.tenancy import acting_for

    organisation = Organisation.objects.get(pk=organisation_id)
    events = [
        Event("bench.written", ("bench", str(n)), sha256=hashlib.sha256(b"%d" % n).hexdigest(), details={"n": n})
        for n in range(batch)
    ]
    count = 0
    together.wait(120)
    start = time.monotonic()
    while time.monotonic() < start + SECONDS:
        with acting_for(organisation):
            record_many(organisation, events)
        count += batch
    counts.put(count / (time.monotonic() - start))


def rate(chosen: list[int], batch: int) -> float:
    """Events per second of all the writers together."""
    context = multiprocessing.get_context("spawn")
    counts, together = context.Queue(), context.Barrier(len(chosen))
    writers = [context.Process(target=write, args=(pk, batch, together, counts)) for pk in chosen]
    for writer in writers:
        writer.start()
    total = sum(counts.get(timeout=180) for _ in writers)
    for writer in writers:
        writer.join()
    return total


def check_chains(chosen: list[int]) -> None:
    """Nothing missing, nothing double, every entry linked to the one before."""
    from parvis.core.journal.canonical import NO_PREVIOUS, sha256_hex
    from parvis.core.journal.models import Entry
    from parvis.core.organisations.tenancy import acting_for

    for pk in chosen:
        with acting_for(pk):
            previous = NO_PREVIOUS
            entries = Entry.objects.filter(organisation=pk).select_related("organisation").order_by("seq")[:2000]
            for number, entry in enumerate(entries, start=1):
                assert entry.seq == number
                assert entry.prev == previous
                previous = sha256_hex(entry.canonical())


def million(owner_url: str, pk: int) -> None:
    """Fill one journal with a million events, as the owner would restore it."""
    import psycopg

    with psycopg.connect(owner_url) as connection:
        connection.execute(FILL, {"organisation": pk, "events": EVENTS})
        connection.execute(
            "INSERT INTO journal_head (id, organisation_id, seq, prev) VALUES (gen_random_uuid(), %s, %s, %s)",
            [pk, EVENTS, "0" * 64],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE journal_entry")


def proofs(pk: int) -> dict[str, float]:
    """Milliseconds of one inclusion proof at the million, after the tree was integrated."""
    from random import Random

    from parvis.core.journal.merkle import inclusion_path, root_at, verify_inclusion
    from parvis.core.journal.models import Entry
    from parvis.core.journal.tree import StoredTree, integrate
    from parvis.core.organisations.models import Organisation
    from parvis.core.organisations.tenancy import acting_for

    organisation = Organisation.objects.get(pk=pk)
    with acting_for(organisation):
        start = time.perf_counter()
        integrate(organisation)
        integrated = time.perf_counter() - start
        root = root_at(EVENTS, StoredTree(organisation))
        choose = Random(2019)

        def prove() -> None:
            index = choose.randrange(EVENTS)
            path = inclusion_path(index, EVENTS, StoredTree(organisation).read_around(index, EVENTS))
            leaf = bytes(Entry.objects.values_list("leaf", flat=True).get(organisation=organisation, seq=index + 1))
            verify_inclusion(index, EVENTS, leaf, path, root)

        prove()
        durations = timed(prove, 200)
    return {
        "integrate_seconds": round(integrated, 2),
        "proof_ms_p50": round(percentile(durations, 50), 2),
        "proof_ms_p95": round(percentile(durations, 95), 2),
    }


def main() -> None:
    urls = fresh_database("journal")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parvis.config.settings")
    chosen = organisations()
    single = rate(chosen, 1)
    say(bench="journal", case="one event per transaction", writers=WRITERS, events_per_second=round(single))
    batches = rate(chosen, BATCH)
    say(bench="journal", case=f"batches of {BATCH}", writers=WRITERS, events_per_second=round(batches))
    check_chains(chosen)
    from parvis.core.organisations.models import Organisation

    big = Organisation.objects.create(
        slug="million", name="Million", short_name="Million", kind="commune", siren="213499999",
        departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
    )  # fmt: skip
    million(urls["DATABASE_OWNER_URL"], big.pk)
    found = proofs(big.pk)
    say(bench="journal", case=f"inclusion proof at {EVENTS} events", **found)
    ratios = {
        "single": single / TARGETS["single"],
        "batches": batches / TARGETS["batches"],
        "proof": TARGETS["proof_ms"] / found["proof_ms_p95"],
    }
    say(
        bench="journal",
        ratios={name: round(value, 2) for name, value in ratios.items()},
        ratio=round(min(ratios.values()), 2),
    )


if __name__ == "__main__":
    main()

"""The tracking board at a million acts of one organisation: first, middle and last page, at the server.

Target: p95 of 50 ms or less per page, flat from the first to the last, and at most 12 queries.
"""

import time

from bench.workbench import fresh_database, logged_in, percentile, say, timed

ACTS = 1_000_000
TARGET_MS = 50
TARGET_QUERIES = 12
FLAT = 1.25  # how much longer than the first page the last one may take
REPEATS = 60

FILL = """
INSERT INTO actes_acte (
    id, organisation_id, numero, numero_actes, nature, objet, decision_date, matiere, matiere_label,
    document_papier, document_id, type_piece, posted_filename, regulatory_name, status, unique_id, checks,
    created_at, sent_at, received_on, published_on, executoire_on
)
SELECT gen_random_uuid(), %(organisation)s, 'B' || n, 'B' || n, (1 + n %% 6)::text,
       'Acte de mesure numéro ' || n || ', service ' || n %% 37,
       date '2000-01-01' + (n %% 9000), 1 + n %% 9 || '.1', 'Matière ' || 1 + n %% 9,
       false, %(document)s, '99_DE', n || '.pdf', '',
       (ARRAY[1, 3, 4, 4, 4, 4, 4, 4, 4, 4])[1 + n %% 10], '', '[]',
       timestamptz '2000-01-01' + n * interval '1 minute', NULL, NULL, NULL, NULL
FROM generate_series(1, %(acts)s) AS n
"""


def prepare() -> tuple[object, object]:
    """One commune, one agent with her second factor, one document, a million acts that all point to it."""
    urls = fresh_database("acts_list")

    import psycopg

    from parvis.core import clock
    from parvis.core.documents.models import Document
    from parvis.core.identity.models import Account, Mandate
    from parvis.core.organisations.models import Organisation, Subscription
    from parvis.core.organisations.tenancy import acting_for

    organisation = Organisation.objects.create(
        slug="mesure", name="Commune de mesure", short_name="Mesure", siren="213401235", kind="commune",
        departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
    )  # fmt: skip
    Subscription.objects.create(organisation=organisation, application="edemat", since="2019-01-01")
    account = Account.objects.create_user("mesure@example.test", "une phrase de passe de mesure")
    with acting_for(organisation):
        Mandate.objects.create(organisation=organisation, account=account, role="secretaire", start="2014-03-30")
        document = Document.objects.create(
            organisation=organisation, sha256="0" * 64, size=1, filename="mesure.pdf",
            media_type="application/pdf", created_at=clock.now(),
        )  # fmt: skip
    start = time.perf_counter()
    with psycopg.connect(urls["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(FILL, {"organisation": organisation.pk, "document": document.pk, "acts": ACTS})
        connection.execute("VACUUM ANALYZE actes_acte")
    say(bench="acts_list", step="filled", acts=ACTS, seconds=round(time.perf_counter() - start, 1))
    return logged_in(account), organisation


def keys(organisation) -> dict[str, str]:
    """Query strings of the pages measured; the middle and the end are found by reading the index."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.web.keyset import Key
    from parvis.edemat.actes.models import Acte

    with acting_for(organisation):
        rows = Acte.objects.filter(organisation=organisation).order_by("-decision_date", "-pk")
        middle = rows.values_list("decision_date", "pk")[ACTS // 2]
        end = rows.reverse().values_list("decision_date", "pk")[50]
    return {
        "first": "",
        "middle": f"?apres={Key(*middle)}",
        "last": f"?apres={Key(*end)}",
        "acknowledged, first": "?etat=acquittes",
        "one nature, middle": f"?nature=3&apres={Key(*middle)}",
    }


def main() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, organisation = prepare()
    worst, queries, plain = 0.0, 0, {}
    for page, query in keys(organisation).items():
        address = f"/o/mesure/actes/{query}"
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        # Read at once: the next request empties the log. Opening and closing a transaction asks nothing.
        asked = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in captured.captured_queries)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}")
        shown = response.content.count(b"Acte de mesure num")
        durations = timed(lambda address=address: client.get(address), REPEATS)
        p50, p95 = percentile(durations, 50), percentile(durations, 95)
        say(
            bench="acts_list", page=page, rows=shown, queries=asked,
            p50_ms=round(p50, 1), p95_ms=round(p95, 1),
        )  # fmt: skip
        if page in ("first", "middle", "last"):
            plain[page] = p50
            worst, queries = max(worst, p95), max(queries, asked)
    last_to_first = plain["last"] / plain["first"]
    say(
        bench="acts_list",
        p95_ms=round(worst, 1),
        target_ms=TARGET_MS,
        queries=queries,
        target_queries=TARGET_QUERIES,
        last_to_first=round(last_to_first, 2),
        target_last_to_first=FLAT,
        ratio=round(min(TARGET_MS / worst, TARGET_QUERIES / queries, FLAT / last_to_first), 2),
    )


if __name__ == "__main__":
    main()

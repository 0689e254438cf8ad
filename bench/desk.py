"""The desk of somebody with five thousand things to do in three organisations, at the server.

Target: p95 of 80 ms or less per page and at most 15 queries.
"""

import re

from bench.workbench import fresh_database, logged_in, percentile, say, timed

PENDING = 5000
TARGET_MS = 80
TARGET_QUERIES = 15
REPEATS = 60
PLACES = (("un", "213401235"), ("deux", "213400955"), ("trois", "213402704"))
PERMISSIONS = ("actes.transmettre", "parapheur.preparer", "seances.gerer", "actes.lire", "parapheur.signer")


def prepare():
    """An agent with the same post in three communes, and the tasks of all three spread over six months."""
    fresh_database("desk")

    from datetime import timedelta

    from parvis.core import clock
    from parvis.core.identity.models import Account, Mandate
    from parvis.core.ids import uuid7
    from parvis.core.organisations.models import Organisation, Subscription
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.routing.models import Task

    account = Account.objects.create_user("mesure@example.test", "une phrase de passe de mesure")
    now = clock.now()
    for rank, (slug, siren) in enumerate(PLACES):
        organisation = Organisation.objects.create(
            slug=slug, name=f"Commune {slug}", short_name=slug, siren=siren, kind="commune",
            departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
        )  # fmt: skip
        Subscription.objects.create(organisation=organisation, application="edemat", since="2019-01-01")
        with acting_for(organisation):
            Mandate.objects.create(organisation=organisation, account=account, role="secretaire", start="2014-03-30")
            # A fifth asks for a permission that the person lacks, and must be neither shown nor counted.
            Task.objects.bulk_create(
                Task(
                    organisation=organisation,
                    service="actes",
                    verb=("Transmettre", "Suivre", "Publier", "Corriger")[n % 4],
                    title=f"Affaire de mesure numéro {n}",
                    permission=PERMISSIONS[n % 5],
                    deadline=now + timedelta(hours=n - 2000) if n % 7 else None,
                    path="/bureau/",
                    subject_kind="acte",
                    subject_id=uuid7(),
                    created_at=now,
                )
                for n in range(rank, PENDING * 5 // 4, len(PLACES))
            )
    return logged_in(account)


def main() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = prepare()
    shown = client.get("/bureau/")
    if shown.status_code != 200:
        raise SystemExit(f"the desk answers {shown.status_code} {shown.headers.get('Location', '')}")
    first = shown.content.decode()
    following = re.search(r"apres=([^\"&]+)", first)
    if following is None:
        raise SystemExit("the desk has one page only")
    worst, queries = 0.0, 0
    for page, query in {"first": "", "one verb": "?verbe=Suivre", "second": f"?apres={following[1]}"}.items():
        address = f"/bureau/{query}"
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        # Read at once: the next request empties the log. Opening and closing a transaction asks nothing.
        asked = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in captured.captured_queries)
        if response.status_code != 200 or f"{PENDING} choses" not in response.content.decode():
            raise SystemExit(f"{address} answered {response.status_code} without {PENDING} things to do")
        durations = timed(lambda address=address: client.get(address), REPEATS)
        p50, p95 = percentile(durations, 50), percentile(durations, 95)
        say(bench="desk", page=page, queries=asked, p50_ms=round(p50, 1), p95_ms=round(p95, 1))
        worst, queries = max(worst, p95), max(queries, asked)
    say(
        bench="desk",
        pending=PENDING,
        p95_ms=round(worst, 1),
        target_ms=TARGET_MS,
        queries=queries,
        target_queries=TARGET_QUERIES,
        ratio=round(min(TARGET_MS / worst, TARGET_QUERIES / queries), 2),
    )


if __name__ == "__main__":
    main()

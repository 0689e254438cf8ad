"""Five hundred people at once on two workers of the real server, each with a session of their own.

Target: every page answers, to the right person.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from bench.workbench import PROJECT, fresh_database, logged_in, percentile, say

PEOPLE = 500
WORKERS, THREADS = 2, 4
PAGES = ("/bureau/", "/o/mesure/actes/", "/bureau/recherche/?q=mesure", "/o/mesure/seances/")
TIMEOUT_SECONDS = 120


def prepare() -> list[tuple[str, str]]:
    """One commune and five hundred agents already logged in; gives the session and the name of each."""
    fresh_database("sessions")

    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import generate_totp_secret

    from parvis.core.identity.models import Account, Mandate
    from parvis.core.organisations.models import Organisation, Subscription
    from parvis.core.organisations.tenancy import acting_for

    organisation = Organisation.objects.create(
        slug="mesure", name="Commune de mesure", short_name="Mesure", siren="213401235", kind="commune",
        departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
    )  # fmt: skip
    Subscription.objects.create(organisation=organisation, application="edemat", since="2019-01-01")
    accounts = Account.objects.bulk_create(
        Account(email=f"agent{n}@example.test", given_name="Agent", family_name=f"Numéro {n:03}", password="!")
        for n in range(PEOPLE)
    )
    with acting_for(organisation):
        Mandate.objects.bulk_create(
            Mandate(organisation=organisation, account=account, role="secretaire", start="2014-03-30")
            for account in accounts
        )
    Authenticator.objects.bulk_create(
        Authenticator(user=account, type=kind, data=data)
        for account in accounts
        for kind, data in (
            ("totp", {"secret": generate_totp_secret()}),
            ("recovery_codes", {"seed": "x", "used_mask": 0}),
        )
    )
    people = []
    for account in accounts:
        client = logged_in(account)
        people.append((client.cookies["sessionid"].value, account.family_name))
    return people


@contextmanager
def serving():
    """The real server on a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "gunicorn", "parvis.config.wsgi:application", "--bind", f"127.0.0.1:{port}",
        "--workers", str(WORKERS), "--threads", str(THREADS), "--timeout", "120", "--log-level", "error",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            for _ in range(300):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise SystemExit("the server does not listen")
            yield port
        finally:
            process.terminate()


async def fetch(port: int, path: str, session: str) -> tuple[int, bytes]:
    """Status and body of one page, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Cookie: sessionid={session}", "Connection: close"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        answer = await reader.read()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body
    finally:
        writer.close()


async def visit(port: int, session: str, name: str, durations: list[float]) -> list[str]:
    """Every page in turn, as one person; what went wrong."""
    errors = []
    for path in PAGES:
        start = time.perf_counter()
        try:
            status, body = await asyncio.wait_for(fetch(port, path, session), TIMEOUT_SECONDS)
        except (OSError, TimeoutError, IndexError, ValueError) as error:
            errors.append(f"{path}: {type(error).__name__}")
            continue
        durations.append((time.perf_counter() - start) * 1000)
        if status != 200 or name not in body.decode():
            errors.append(f"{path}: {status}")
    return errors


async def crowd(port: int, people: list[tuple[str, str]]) -> tuple[list[str], list[float]]:
    durations: list[float] = []
    found = await asyncio.gather(*(visit(port, session, name, durations) for session, name in people))
    return [error for errors in found for error in errors], durations


def main() -> None:
    people = prepare()
    with serving() as port:
        asyncio.run(visit(port, *people[0], []))  # both workers have read their code before the crowd comes
        start = time.perf_counter()
        errors, durations = asyncio.run(crowd(port, people))
        seconds = time.perf_counter() - start
    asked = PEOPLE * len(PAGES)
    say(
        bench="sessions",
        people=PEOPLE,
        workers=WORKERS,
        threads=THREADS,
        pages=asked,
        errors=len(errors),
        first_errors=sorted(set(errors))[:5],
        pages_per_second=round(asked / seconds, 1),
        p95_ms=round(percentile(durations, 95)) if durations else None,
        ratio=0.0 if errors else 1.0,
    )


if __name__ == "__main__":
    main()

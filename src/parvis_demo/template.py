"""The template database of the demo and of the tests: migrated once per state of the migrations, then cloned."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import fasteners
import psycopg
from psycopg import sql

from parvis.config import embedded

PROJECT = Path(__file__).resolve().parents[2]


def fingerprint() -> str:
    """Twelve characters that change with the migrations or the locked libraries, to name a template database."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / "src").rglob("migrations/*.py")):
        digest.update(path.read_bytes())
    digest.update((PROJECT / "requirements" / "base.txt").read_bytes())
    return digest.hexdigest()[:12]


def address_in(url: str, database: str) -> str:
    """The address ``url`` with another database of the same server."""
    return re.sub(r"/[^/?]*\?", f"/{database}?", url, count=1)


def migrated_template(urls: Mapping[str, str]) -> str:
    """Name of the migrated database on the server of ``urls`` (those of ``embedded.start``), made if it is missing.

    Whoever comes while another process migrates waits for it; one left half made by a process that died is dropped.
    """
    name = f"parvis_template_{fingerprint()}"
    with (
        fasteners.InterProcessLock(str(PROJECT / "var" / "test-template.lock")),
        psycopg.connect(urls["PARVIS_DB_SUPERUSER_URL"], autocommit=True) as connection,
    ):
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return name
        unfinished = "SELECT datname FROM pg_database WHERE datname LIKE 'parvis_template_%_building'"
        for (old,) in connection.execute(unfinished).fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
        building = f"{name}_building"
        names = sql.Identifier(building), sql.Identifier(embedded.OWNER)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        _migrate(address_in(urls["DATABASE_OWNER_URL"], building))
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name))
        )
    return name


def _migrate(owner_url: str) -> None:
    embedded.grant_to_application(owner_url)
    told = {"DATABASE_URL": owner_url, "DATABASE_OWNER_URL": owner_url, "PYTHONPATH": str(PROJECT / "src")}
    command = [sys.executable, "-m", "parvis", "migrate", "--skip-checks", "-v0"]
    subprocess.run(command, check=True, env={**os.environ, "PARVIS_DEMO": "1", **told})

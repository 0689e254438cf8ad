"""The stage of the demo: a fresh database, the sandbox, a worker, a web server and the simulated clock."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from parvis.config import embedded
from parvis_demo.template import PROJECT, address_in, migrated_template
from parvis_demo.watching import Watch, command

DATABASE = "parvis_demo"


def environment_of(facts: dict) -> dict[str, str]:
    """The environment variables that point Parvis at the sandbox described by ``facts``."""
    told = facts["settings"]
    mailbox = told["PARVIS_ACTES_MAILBOX"]
    return {
        "PARVIS_TSA_URLS": " ".join(told["PARVIS_TSA_URLS"]),
        "PARVIS_TRUST_ROOTS_DIR": told["PARVIS_TRUST_ROOTS_DIR"],
        "PARVIS_TRUST_ALLOWED_HOSTS": " ".join(told["PARVIS_TRUST_ALLOWED_HOSTS"]),
        "PARVIS_MINISTRY_URL": told["PARVIS_MINISTRY_URL"],
        "PARVIS_MINISTRY_CLIENT_CERT": told["PARVIS_MINISTRY_CLIENT_CERT"],
        "PARVIS_MINISTRY_CLIENT_KEY": told["PARVIS_MINISTRY_CLIENT_KEY"],
        "PARVIS_MINISTRY_CA": told["PARVIS_MINISTRY_CA"],
        "PARVIS_SMTP_HOST": told["EMAIL_HOST"],
        "PARVIS_SMTP_PORT": str(told["EMAIL_PORT"]),
        "PARVIS_ACTES_IMAP_HOST": mailbox["host"],
        "PARVIS_ACTES_IMAP_PORT": str(mailbox["port"]),
        "PARVIS_ACTES_IMAP_TLS": "0",
        "PARVIS_ACTES_IMAP_USER": mailbox["user"],
        "PARVIS_ACTES_IMAP_PASSWORD": mailbox["password"],
        "PARVIS_ACTES_SENDERS": " ".join(told["PARVIS_ACTES_SENDERS"]),
        **{name: told[name] for name in told if name.startswith(("PARVIS_FRANCECONNECT_", "PARVIS_PROCONNECT_"))},
    }


def fresh_database(data: Path) -> dict[str, str]:
    """Empty database of the demo, cloned from a template that is migrated once per state of the migrations."""
    urls = embedded.start(data, "postgres_demo")
    template = migrated_template(urls)
    with psycopg.connect(urls["PARVIS_DB_SUPERUSER_URL"], autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                name, sql.Identifier(template), sql.Identifier(embedded.OWNER)
            )
        )
    return {key: address_in(urls[key], DATABASE) for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}


def set_clock(clock_file: Path, instant: datetime) -> None:
    """Write in ``clock_file`` how far ``instant`` stands from real time."""
    offset = int((instant.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    unfinished = clock_file.with_suffix(".part")
    unfinished.write_text(json.dumps({"offset_seconds": offset}))
    os.replace(unfinished, clock_file)


class Stage:
    """Everything that runs beside the story; built by ``stage``."""

    def __init__(self, folder: Path, facts: dict, clock_file: Path, watch: Watch | None = None) -> None:
        self.folder = folder
        self.facts = facts
        self.clock_file = clock_file
        self.evidence = folder / "evidence"
        self.watch = watch or Watch()

    def set_clock(self, instant: datetime) -> None:
        """Make it ``instant`` for Parvis and the sandbox; time then flows as usual."""
        set_clock(self.clock_file, instant)

    def command(self, *words: str) -> str:
        """What to type in the folder of the project to have ``bin/parvis`` work on the database of this demo."""
        named = ("PARVIS_DEMO", "PARVIS_VAR_DIR", "PARVIS_CLOCK_FILE", "DATABASE_URL")
        settings = (f"{name}={shlex.quote(os.environ[name])}" for name in named)
        return " ".join([*settings, "bin/parvis", *map(shlex.quote, words)])


@contextmanager
def stage(folder: Path, signers: Iterable[tuple[str, str, str]], *, keep_database: bool = True) -> Iterator[Stage]:
    """Prepare ``folder`` (everything of an earlier demo is wiped but the database server) and start the servers.

    ``signers`` are (name, organisation, SIREN) of the people for whom the sandbox issues a certificate. On return
    ``os.environ`` is what Django's settings need; the sandbox and one worker are running, watched. They end with the
    block, and so does the database server without ``keep_database``.
    """
    for name in ("evidence", "documents", "ocfl", "ocfl-copie", "secrets", "sandbox", "files"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "evidence").mkdir(parents=True)
    (folder / "static").mkdir(exist_ok=True)
    clock_file = folder / "clock.json"
    clock_file.unlink(missing_ok=True)
    os.environ.update(
        {"PARVIS_DEMO": "1", "PARVIS_VAR_DIR": str(folder), "PARVIS_CLOCK_FILE": str(clock_file)},
        PYTHONPATH=str(PROJECT / "src"),
    )
    ports_file = folder / "sandbox" / "ports.json"
    log = folder / "worker.log"
    log.unlink(missing_ok=True)
    watch = Watch()
    try:
        # It forgets its keys and the mails it holds: nothing that was sent to it would fit a new one.
        sandbox = watch.run("Le bac à sable", command(
            "parvis_sandbox", "--state", str(folder / "sandbox"), "--ports-file", str(ports_file),
            "--clock-file", str(clock_file), "--site", os.environ.get("PARVIS_BASE_URL", "http://localhost:8000"),
            *(word for signer in signers for word in ("--signer", *signer)),
        ), revived=False)  # fmt: skip
        data = folder / "pg"
        print("Préparation de la base de données : une minute la première fois.\n", flush=True)
        os.environ.update(fresh_database(data))
        watch.add("PostgreSQL", alive=lambda: embedded.is_running(data), start=lambda: embedded.revive(data))
        _wait_for(ports_file, sandbox)
        facts = json.loads(ports_file.read_text())
        os.environ.update(environment_of(facts))
        worker = command("parvis", "procrastinate", "worker", "--concurrency", "2")
        watch.run("Le programme des travaux", worker, log=log)
        yield Stage(folder, facts, clock_file, watch)
    except SystemExit:
        if watch.verdict:
            raise SystemExit(watch.verdict) from None
        raise
    except Exception:
        if log.exists():
            sys.stderr.write(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        watch.end()
        if not keep_database:
            embedded.stop(folder / "pg")


def _wait_for(path: Path, process: subprocess.Popen, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("le bac à sable n’a pas démarré")
        time.sleep(0.05)


def port_is_free(port: int) -> bool:
    """Whether ``serve`` could listen there; asked before the long work rather than after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def serve(watch: Watch, port: int) -> None:
    """Start the web server on loopback."""
    words = ("gunicorn", "parvis.config.wsgi:application", "--bind", f"127.0.0.1:{port}", "--threads", "8")
    watch.run("Le serveur web", command(*words, "--log-level", "warning"))

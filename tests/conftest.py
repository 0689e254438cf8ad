"""Shared fixtures: a database cloned from a migrated template, organisations, accounts, jobs and the sandbox."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.antivirus import clamd  # noqa: F401
from tests.e2e.visits import pytest_sessionfinish, pytest_sessionstart  # noqa: F401
from tests.refused_skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"
IDENTITIES = SHARED / "samples" / "identity" / "franceconnect-test-identities.csv"

os.environ.setdefault("PARVIS_DEMO", "1")
os.environ.setdefault("PARVIS_ACTES_SENDERS", "actes-bac-a-sable@interieur.test")  # the simulated ministry
os.environ.setdefault("PARVIS_VAR_DIR", str(PROJECT / "var" / "test" / os.environ.get("PYTEST_XDIST_WORKER", "main")))
os.environ.setdefault("PARVIS_SECRET_KEY", "only-for-tests-" + "t" * 40)
Path(os.environ["PARVIS_VAR_DIR"], "static").mkdir(parents=True, exist_ok=True)


def _clone_database() -> None:
    """Give this test process a database of its own and point the settings at it with the application role."""
    import psycopg
    from psycopg import sql

    from parvis.config.embedded import start

    if "PARVIS_TEST_DATABASE" in os.environ and os.environ.get("PARVIS_TEST_PID") == str(os.getpid()):
        return
    if "PARVIS_DB_SUPERUSER_URL" in os.environ:  # an outer test process has started the server already
        urls = {k: os.environ[f"PARVIS_TEST_{k}"] for k in ("DATABASE_URL", "DATABASE_OWNER_URL")}
        urls["PARVIS_DB_SUPERUSER_URL"] = os.environ["PARVIS_DB_SUPERUSER_URL"]
    else:
        urls = start(PROJECT / "var" / "pg-test", durable=False)
        for key in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            os.environ[f"PARVIS_TEST_{key}"] = urls[key]
        os.environ["PARVIS_DB_SUPERUSER_URL"] = urls["PARVIS_DB_SUPERUSER_URL"]
    from parvis_demo.template import address_in, migrated_template

    template = migrated_template(urls)
    name = f"parvis_test_{os.getpid()}"
    with psycopg.connect(urls["PARVIS_DB_SUPERUSER_URL"], autocommit=True) as connection:
        for (stale,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'parvis_test_%'"
        ).fetchall():
            if not Path(f"/proc/{stale.rpartition('_')[2]}").exists():
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(stale)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER parvis_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    for key in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ[key] = address_in(urls[key], name)
    os.environ["PARVIS_TEST_DATABASE"], os.environ["PARVIS_TEST_PID"] = name, str(os.getpid())


def _workers(arguments: list[str]) -> str:
    """What the last ``-n`` of the command line asks for, as pytest reads it; "0" when there is none."""
    asked = "0"
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument in ("-n", "--numprocesses"):
            asked = following
        elif argument.startswith(("-n", "--numprocesses=")):
            asked = argument.removeprefix("--numprocesses").removeprefix("-n").lstrip("=")
    return asked


sys.path.insert(0, str(PROJECT / "src"))
if "PYTEST_XDIST_WORKER" in os.environ or _workers(sys.argv) == "0":
    _clone_database()
    # Django reads its settings now that the database of this process is known.
    os.environ["DJANGO_SETTINGS_MODULE"] = "parvis.config.settings"
    from django.conf import settings as _settings

    assert _settings.DEMO, "tests run as a demo installation"
else:
    # The process that only hands tests to workers starts the server for them; Django must not be set up there,
    # nor named in the environment that the workers inherit, or it would read its settings before their database.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    from parvis.config.embedded import start as _start

    _urls = _start(PROJECT / "var" / "pg-test", durable=False)
    os.environ["PARVIS_DB_SUPERUSER_URL"] = _urls["PARVIS_DB_SUPERUSER_URL"]
    for _key in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ[f"PARVIS_TEST_{_key}"] = os.environ[_key] = _urls[_key]


def pytest_unconfigure(config):
    name = os.environ.get("PARVIS_TEST_DATABASE")
    if name and os.environ.get("PARVIS_TEST_PID") == str(os.getpid()):
        import psycopg
        from psycopg import sql

        with psycopg.connect(os.environ["PARVIS_DB_SUPERUSER_URL"], autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


# Files that take longest, begun first: each is one process's work, and the others have to be busy meanwhile.
LONGEST = (
    "e2e/test_story.py", "e2e/test_every_page.py", "reference/test_evidence.py", "identity/test_access_matrix.py",
    "identity/test_neighbours.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))


# --- the database of the run --------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_setup():
    """The database was cloned before Django started: nothing to create, nothing to migrate."""


# Only what holds rows is emptied, without triggers nor foreign keys: far quicker than to truncate every table.
EMPTY_TABLES = """
DO $$
DECLARE
    name text;
    held boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO held;
        IF held THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
    FOR name IN
        SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
        AND sequencename !~ '^(django_migrations|django_content_type|auth_permission)_'
    LOOP
        EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART';
    END LOOP;
END
$$
"""


@pytest.fixture(autouse=True, scope="session")
def _flush_as_superuser():
    """Tests that commit are emptied by the server's superuser: the application role may empty nothing."""
    import psycopg
    from django.test import TransactionTestCase

    from parvis_demo.template import address_in

    address = address_in(os.environ["PARVIS_DB_SUPERUSER_URL"], os.environ["PARVIS_TEST_DATABASE"])

    def empty_tables(self):
        with psycopg.connect(address) as connection:
            connection.execute(EMPTY_TABLES)

    TransactionTestCase._fixture_teardown = empty_tables


@pytest.fixture(scope="session")
def superuser_url() -> str:
    """Address of this run's database for the superuser, for what no role of the application may do."""
    return os.environ["PARVIS_DB_SUPERUSER_URL"].replace("/postgres?", f"/{os.environ['PARVIS_TEST_DATABASE']}?")


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """The real hash takes its time on purpose; tests make many accounts."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


# --- reference material -------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def shared_dir() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the reference material is not beside the project ({SHARED})")
    return SHARED


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no reference material at {SHARED}")


# --- organisations and people -------------------------------------------------------------------------------
def _organisation(slug: str, name: str, short: str, siren: str, **fields):
    from parvis.core.organisations.models import Organisation, Subscription

    organisation = Organisation.objects.create(
        slug=slug,
        name=name,
        short_name=short,
        siren=siren,
        departement="034",
        arrondissement="3",
        pref_id="PREF034",
        email_sender=f"mairie@{slug}.test",
        **fields,
    )
    for application in ("edemat", "eservices", "opendata"):
        Subscription.objects.create(organisation=organisation, application=application, since="2019-01-01")
    return organisation


@pytest.fixture
def juvignac(db):
    return _organisation(
        "juvignac",
        "Commune de Juvignac",
        "Juvignac",
        "213401235",
        kind="commune",
        nature_actes="31",
        insee="34123",
        population=10979,
        postal_code="34990",
        accent="#7a2e5d",
    )


@pytest.fixture
def fabregues(db):
    return _organisation(
        "fabregues",
        "Commune de Fabrègues",
        "Fabrègues",
        "213400955",
        kind="commune",
        nature_actes="31",
        insee="34095",
        population=7043,
        postal_code="34690",
        accent="#0b5c63",
    )


@pytest.fixture
def acting_for_juvignac(juvignac):
    from parvis.core.organisations.tenancy import acting_for

    with acting_for(juvignac):
        yield juvignac


PASSWORD = "une phrase de passe d'essai 2019"


@pytest.fixture
def account_for(db):
    """``account_for(organisation, role)`` -> an invented account holding that mandate."""
    from parvis.core.identity.models import Account, Mandate
    from parvis.core.organisations.tenancy import acting_for

    def make(organisation, role: str, *, title: str = "", given_name="Camille", family_name="Essai", email=""):
        email = email or f"{role}@{organisation.slug}.test"
        account = Account.objects.filter(email=email).first() or Account.objects.create_user(
            email, PASSWORD, given_name=given_name, family_name=family_name
        )
        with acting_for(organisation):
            Mandate.objects.get_or_create(
                organisation=organisation,
                account=account,
                role=role,
                start="2014-03-30",
                defaults={"title": title, "given_at": "2014-03-30T00:00+02:00"},
            )
        return account

    return make


@pytest.fixture
def agent_client(account_for):
    """``agent_client(organisation, role)`` -> a Django test client logged in with its second factor set up."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.test import Client

    def make(organisation, role: str, **fields):
        account = account_for(organisation, role, **fields)
        if not account.authenticator_set.exists():
            TOTP.activate(account, generate_totp_secret())
            RecoveryCodes.activate(account)
        client = Client()
        client.force_login(account)
        session = client.session
        session["account_authentication_methods_user"] = str(account.pk)
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "email": account.email, "reauthenticated": True},
            {"method": "mfa", "type": "totp", "at": time.time(), "reauthenticated": True},
        ]
        session["authentication.started"] = session["authentication.seen"] = time.time()
        session["identity.second_factor"] = account.pk
        session.save()
        client.account = account
        return client

    return make


def give_passkey(account) -> None:
    """Have ``account`` hold a passkey, the one thing that opens the platform's own pages, and recovery codes."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    data = {"name": "Clé d’essai", "credential": _credential()}
    Authenticator.objects.create(user=account, type="webauthn", data=data)
    if not account.authenticator_set.filter(type="recovery_codes").exists():
        RecoveryCodes.activate(account)


def _credential() -> dict:
    """The answer of an invented device to a registration (WebAuthn 2, § 5.2.1), without attestation."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from fido2.cose import ES256
    from fido2.utils import websafe_encode
    from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

    name = os.urandom(16)
    key = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    held = AuthenticatorData.create(bytes(32), 0x45, 0, AttestedCredentialData.create(Aaguid.NONE, name, key))
    client_data = CollectedClientData.create(CollectedClientData.TYPE.CREATE, bytes(32), "http://localhost")
    return {
        "id": websafe_encode(name),
        "rawId": websafe_encode(name),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", held, {})),
        },
    }


def prove_by_passkey(client) -> None:
    """Give ``client.account`` a passkey, and its session the proof made with it just now."""
    give_passkey(client.account)
    session = client.session
    session["account_authentication_methods_user"] = str(client.account.pk)
    session["account_authentication_methods"] = [{"method": "mfa", "type": "webauthn", "at": time.time()}]
    session.save()


# --- jobs ---------------------------------------------------------------------------------------------------
@pytest.fixture
def run_jobs(db):
    """``run_jobs()`` runs the jobs waiting in the database, in order, until none is left; returns their names.

    A job that raises stops the test unless ``may_fail`` is true.
    """
    from django.db import connection
    from procrastinate.contrib.django import app

    def run(*, queue: str | None = None, may_fail: bool = False, limit: int = 200) -> list[str]:
        done: list[str] = []
        while len(done) < limit:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo'"
                    " AND (%s::text IS NULL OR queue_name = %s) ORDER BY priority DESC, id LIMIT 1",
                    [queue, queue],
                )
                row = cursor.fetchone()
                if row is None:
                    return done
                identifier, name, arguments = row
                arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
                cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [identifier])
            try:
                app.tasks[name].func(**arguments)
                outcome = "succeeded"
            except Exception:
                if not may_fail:
                    raise
                outcome = "failed"
            with connection.cursor() as cursor:
                cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [outcome, identifier])
            done.append(name)
        raise AssertionError(f"more than {limit} jobs: {done[-5:]}")

    return run


# --- time ---------------------------------------------------------------------------------------------------
@pytest.fixture
def frozen_clock(monkeypatch):
    """``frozen_clock("2019-06-24T10:00+02:00")`` stops the clock of the application there."""
    from datetime import datetime

    from parvis.core import clock

    def freeze(instant: str) -> datetime:
        moment = datetime.fromisoformat(instant)
        monkeypatch.setattr(clock, "now", lambda: moment.astimezone(clock.UTC))
        return moment

    return freeze


# --- the other side -----------------------------------------------------------------------------------------
class Sandbox:
    """Addresses and credentials of the running sandbox, as it wrote them."""

    def __init__(self, process: subprocess.Popen, state: Path, facts: dict) -> None:
        self.process, self.state, self.facts = process, state, facts

    def __getattr__(self, name: str):
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory):
    state = tmp_path_factory.mktemp("sandbox")
    ports, clock_file = state / "ports.json", state / "clock.json"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "parvis_sandbox",
            "--state",
            str(state),
            "--ports-file",
            str(ports),
            "--clock-file",
            str(clock_file),
            "--signer",
            "Alix Exemple",
            "Commune de Juvignac",
            "213401235",
            *(["--identities", str(IDENTITIES)] if IDENTITIES.exists() else []),
        ],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )
    deadline = time.monotonic() + 60
    while not ports.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.05)
    yield Sandbox(process, state, json.loads(ports.read_text()))
    process.terminate()
    process.wait(10)


@pytest.fixture
def sandbox(sandbox_process, settings):
    """The running sandbox, with the settings of Parvis pointing at it."""
    from pathlib import Path as P

    for name, value in sandbox_process.settings.items():
        setattr(settings, name, P(value) if name.endswith("_DIR") else value)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    return sandbox_process

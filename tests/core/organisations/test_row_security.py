"""Tenant isolation is enforced by the database: a query without a filter shows no neighbour's row."""

from contextlib import contextmanager
from datetime import UTC

import psycopg
import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from parvis.core.organisations.models import TenantModel
from parvis.core.organisations.tenancy import acting_for, identity_of, public_view_of

TENANT_MODELS = sorted(
    (m for m in apps.get_models() if issubclass(m, TenantModel)), key=lambda model: model._meta.label
)


def tables_with_organisation(cursor) -> set[str]:
    cursor.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'organisation_id'"
    )
    return {row[0] for row in cursor.fetchall()}


# Subscriptions say what the convention makes public, who takes which application; host names are what the name
# service says to everybody.
PUBLIC_FACTS = {"organisations_subscription", "portal_hostname"}

# Tables that name no organisation, and why none has to be kept from another. Those of one person (AccountModel)
# are under the policy of their account instead and are not listed.
OF_NO_ORGANISATION = {
    "account_emailaddress": "of the account library: addresses of one account, read by its own pages",
    "account_emailconfirmation": "of the account library: links sent to one address",
    "allauth_idp_oidc_client": "of the provider's library: its organisation is in provider_service, which has a policy",
    "allauth_idp_oidc_token": "of the provider's library: tokens of one account, found by their digest",
    "api_meter": "counts of calls by address and by machine, without content",
    "auth_group": "of Django, empty: roles are in mandates",
    "auth_group_permissions": "of Django, empty: roles are in mandates",
    "auth_permission": "of Django: names of permissions, the same for all",
    "authentication_operatorreset": "lost factors of those who run the platform: of no organisation",
    "authentication_throttle": "counts of attempts by digest, before anybody is known",
    "django_content_type": "of Django: names of models",
    "django_migrations": "of Django: what was migrated",
    "django_session": "of Django: found by a random key, before anybody is known",
    "federation_pivotkey": "digests that tell two people apart, across organisations by design",
    "identity_account": "people act for several organisations; mandates, which have a policy, say for which",
    "identity_link": "one-time links, found by their digest, before anybody is known",
    "identity_namekey": "digests that tell two people apart, across organisations by design",
    "identity_namesake": "pairs of accounts that look alike, read by the platform's operators",
    "identity_tombstone": "what remains of a deleted account: a date and a digest",
    "jobs_failure": "of the queue: the class of a job's error, by the number of the job",
    "mfa_authenticator": "of the account library: sealed second factors of one account",
    "organisations_operatorgrant": "who runs the platform: of no organisation",
    "organisations_organisation": "the organisations themselves: their public identity",
    "parvis_cache": "Django's cache: counts of attempts, public keys of sites and providers",
    "procrastinate_events": "of the queue: what happened to a job, by number",
    "procrastinate_jobs": "of the queue: a job names its organisation in its arguments and acts for it alone",
    "procrastinate_periodic_defers": "of the queue: when periodic jobs were enqueued",
    "procrastinate_workers": "of the queue: heartbeats of the workers",
    "provider_assertionuse": "digests of the proofs that sites gave, so that none serves twice",
    "usersessions_usersession": "of the account library: sessions of one account",
}
PROTECTED = (
    "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
    " WHERE c.relrowsecurity AND p.polname = 'tenant'"
)


@pytest.mark.django_db
def test_every_other_table_is_under_the_policy_of_an_account_or_says_why_it_has_none():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        others = {row[0] for row in cursor.fetchall()} - tables_with_organisation(cursor)
        cursor.execute(PROTECTED)
        unprotected = others - {row[0] for row in cursor.fetchall()}
    assert unprotected - set(OF_NO_ORGANISATION) == set(), "name its organisation or its account, or say why not"
    assert set(OF_NO_ORGANISATION) - unprotected == set(), "gone, or protected by now"


@pytest.mark.django_db
def test_every_table_that_names_an_organisation_has_row_security_and_the_tenant_policy():
    with connection.cursor() as cursor:
        expected = tables_with_organisation(cursor) - PUBLIC_FACTS
        cursor.execute(PROTECTED)
        protected = {row[0] for row in cursor.fetchall()}
    assert expected - protected == set(), "tables without a row-security policy"
    assert {m._meta.db_table for m in TENANT_MODELS} <= expected


@pytest.mark.django_db
def test_the_application_role_owns_nothing_and_cannot_bypass_row_security():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("parvis_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m._meta.label)
def test_a_query_without_filter_shows_no_neighbours_row(model, superuser_url):
    """A row of Juvignac, written as the owner, is seen by Juvignac alone."""
    with _policy_alone(model, superuser_url) as (superuser, table):
        _insert(superuser, model, 990_001)
        superuser.execute("SET LOCAL ROLE parvis_app")
        for organisations, seen in (("990001", 1), ("990002", 0), ("", 0), ("990002,990001", 1)):
            superuser.execute("SELECT set_config('parvis.organisations', %s, true)", [organisations])
            count = superuser.execute(f"SELECT count(*) FROM {table} WHERE organisation_id = 990001").fetchone()[0]
            assert count == seen, (organisations, seen)


@contextmanager
def _policy_alone(model, superuser_url):
    """A connection to which the table is written on the side, without triggers nor checks: nothing is kept."""
    table = connection.ops.quote_name(model._meta.db_table)
    with psycopg.connect(superuser_url) as superuser, superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL session_replication_role = replica")
        for (constraint,) in superuser.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            [model._meta.db_table],
        ).fetchall():
            superuser.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
        yield superuser, table


def _insert(cursor, model, organisation_id: int) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    row = {column: value for column, value in _any_row(model, organisation_id).items() if value is not _SKIP}
    columns = ", ".join(f'"{column}"' for column in row)
    marks = ", ".join(["%s"] * len(row))
    cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


@pytest.mark.django_db
@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda m: m._meta.label)
def test_no_row_is_written_for_a_neighbour_nor_given_to_one(model, superuser_url):
    """Whoever acts for one organisation writes its rows (where the role may write at all) and no other's."""
    with _policy_alone(model, superuser_url) as (superuser, table):
        superuser.execute("SET LOCAL ROLE parvis_app")
        superuser.execute("SELECT set_config('parvis.organisations', '990002', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"), superuser.transaction():
            _insert(superuser, model, 990_001)
        _insert(superuser, model, 990_002)
        with pytest.raises(psycopg.errors.InsufficientPrivilege), superuser.transaction():
            superuser.execute(f"UPDATE {table} SET organisation_id = 990001 WHERE organisation_id = 990002")


_SKIP = object()


def _any_row(model, organisation_id: int) -> dict:
    """Values of the right type for every column that must be filled."""
    import uuid
    from datetime import date, datetime

    from django.contrib.postgres.fields import ArrayField
    from django.db import models
    from psycopg.types.json import Jsonb

    row: dict = {}
    for field in model._meta.concrete_fields:
        if field.column == "organisation_id":
            row[field.column] = organisation_id
        elif isinstance(field, models.GeneratedField):
            row[field.column] = _SKIP
        elif field.null and not field.primary_key:
            continue
        elif isinstance(field, models.ForeignKey):
            target = field.target_field
            row[field.column] = uuid.uuid4() if isinstance(target, models.UUIDField) else 1
        elif isinstance(field, models.UUIDField):
            row[field.column] = uuid.uuid4()
        elif isinstance(field, models.BooleanField):
            row[field.column] = False
        elif isinstance(field, models.DateTimeField):
            row[field.column] = datetime(2019, 7, 1, tzinfo=UTC)
        elif isinstance(field, models.DateField):
            row[field.column] = date(2019, 7, 1)
        elif isinstance(field, models.TimeField):
            row[field.column] = "18:30"
        elif isinstance(field, models.JSONField):
            row[field.column] = Jsonb({})
        elif isinstance(field, ArrayField):
            row[field.column] = []
        elif isinstance(field, models.BinaryField):
            row[field.column] = b""
        elif isinstance(field, models.DecimalField | models.IntegerField | models.FloatField):
            row[field.column] = _SKIP if isinstance(field, models.AutoField) else 1
        else:
            row[field.column] = "x"
    return row


@pytest.mark.django_db
def test_writing_for_another_organisation_is_refused(juvignac, fabregues, account_for):
    from parvis.core.identity.models import Mandate

    account = account_for(juvignac, "secretaire")
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        acting_for(juvignac),
    ):
        Mandate.objects.create(organisation=fabregues, account=account, role="maire", start="2020-01-01")


@pytest.mark.django_db
def test_a_scope_ends_with_its_block_and_nested_scopes_give_back_the_outer_one(juvignac, fabregues, account_for):
    from parvis.core.identity.models import Mandate

    account_for(juvignac, "secretaire")
    account_for(fabregues, "secretaire")
    assert Mandate.objects.count() == 0
    with acting_for(juvignac):
        assert {m.organisation for m in Mandate.objects.all()} == {juvignac}
        with acting_for(fabregues):
            assert {m.organisation for m in Mandate.objects.all()} == {fabregues}
        assert {m.organisation for m in Mandate.objects.all()} == {juvignac}
        with public_view_of(juvignac):
            assert Mandate.objects.count() == 0
    assert Mandate.objects.count() == 0


@pytest.mark.django_db
def test_an_account_sees_its_own_mandates_and_nobody_elses(juvignac, fabregues, account_for):
    from parvis.core.identity.models import Mandate

    account = account_for(juvignac, "secretaire", email="deux@mairies.test")
    account_for(fabregues, "dgs", email="deux@mairies.test")
    account_for(juvignac, "maire")
    with identity_of(account.pk):
        assert Mandate.objects.count() == 2


@pytest.mark.django_db
def test_an_error_leaves_the_outer_scope_untouched(juvignac, fabregues, account_for):
    from parvis.core.identity.models import Mandate

    account_for(juvignac, "secretaire")
    with acting_for(juvignac):
        with pytest.raises(RuntimeError), acting_for(fabregues):
            raise RuntimeError
        assert Mandate.objects.count() == 1

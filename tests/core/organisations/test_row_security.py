"""Tenant isolation is enforced by the database: a query without a filter shows no neighbour's row."""

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


@pytest.mark.django_db
def test_every_table_that_names_an_organisation_has_row_security_and_the_tenant_policy():
    with connection.cursor() as cursor:
        expected = tables_with_organisation(cursor) - PUBLIC_FACTS
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND p.polname = 'tenant'"
        )
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
    table = connection.ops.quote_name(model._meta.db_table)
    with psycopg.connect(superuser_url) as superuser, superuser.transaction(force_rollback=True):
        # Written on the side, without triggers nor checks: only the policy is under test.
        superuser.execute("SET LOCAL session_replication_role = replica")
        for (constraint,) in superuser.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
            [model._meta.db_table],
        ).fetchall():
            superuser.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
        row = {column: value for column, value in _any_row(model, 990_001).items() if value is not _SKIP}
        columns = ", ".join(f'"{column}"' for column in row)
        marks = ", ".join(["%s"] * len(row))
        superuser.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))
        superuser.execute("SET LOCAL ROLE parvis_app")
        for organisations, seen in (("990001", 1), ("990002", 0), ("", 0), ("990002,990001", 1)):
            superuser.execute("SELECT set_config('parvis.organisations', %s, true)", [organisations])
            count = superuser.execute(f"SELECT count(*) FROM {table} WHERE organisation_id = 990001").fetchone()[0]
            assert count == seen, (organisations, seen)


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

"""Migration operation that puts a tenant table under row-level security."""

from django.db.migrations.operations.base import Operation


class EnableRowSecurity(Operation):
    """Enable row security on ``app_label.model_name``.

    ``public_when`` is an SQL condition on the row under which anybody looking at the organisation's public
    pages may read it. ``also_when`` is an SQL condition for an additional reading right (own mandates).
    """

    reversible = True
    reduces_to_sql = True

    def __init__(
        self, app_label: str, model_name: str, public_when: str | None = None, also_when: str | None = None
    ) -> None:
        self.app_label = app_label
        self.model_name = model_name
        self.public_when = public_when
        self.also_when = also_when

    def deconstruct(self):
        arguments = {"app_label": self.app_label, "model_name": self.model_name}
        if self.public_when:
            arguments["public_when"] = self.public_when
        if self.also_when:
            arguments["also_when"] = self.also_when
        return (self.__class__.__name__, [], arguments)

    def state_forwards(self, app_label, state):
        pass

    def _table(self, state) -> str:
        return state.apps.get_model(self.app_label, self.model_name)._meta.db_table

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self._table(to_state))
        mine = "organisation_id = ANY (parvis_organisations())"
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")
        if self.public_when:
            condition = f"organisation_id = parvis_public_organisation() AND ({self.public_when})"
            schema_editor.execute(f"CREATE POLICY public_reading ON {table} FOR SELECT USING ({condition})")
        if self.also_when:
            schema_editor.execute(f"CREATE POLICY also ON {table} FOR SELECT USING ({self.also_when})")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self._table(from_state))
        for policy in ("tenant", "public_reading", "also"):
            schema_editor.execute(f"DROP POLICY IF EXISTS {policy} ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    def describe(self) -> str:
        return f"Row-level security on {self.app_label}.{self.model_name}"


class EnableAccountSecurity(Operation):
    """Row security for what belongs to a person: only its account, or an organisation acted for, reads the row.

    ``or_when`` is an SQL condition for the rows that an organisation may read too. ``anybody_writes`` lets a
    row be added for somebody else (an event about an account whose holder is not logged in).
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, app_label: str, model_name: str, or_when: str = "", anybody_writes: bool = False) -> None:
        self.app_label = app_label
        self.model_name = model_name
        self.or_when = or_when
        self.anybody_writes = anybody_writes

    def deconstruct(self):
        arguments = {"app_label": self.app_label, "model_name": self.model_name}
        if self.or_when:
            arguments["or_when"] = self.or_when
        if self.anybody_writes:
            arguments["anybody_writes"] = True
        return (self.__class__.__name__, [], arguments)

    def state_forwards(self, app_label, state):
        pass

    def _table(self, state) -> str:
        return state.apps.get_model(self.app_label, self.model_name)._meta.db_table

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self._table(to_state))
        mine = "account_id = parvis_account()" + (f" OR ({self.or_when})" if self.or_when else "")
        check = "true" if self.anybody_writes else mine
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({check})")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        table = schema_editor.quote_name(self._table(from_state))
        schema_editor.execute(f"DROP POLICY IF EXISTS tenant ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    def describe(self) -> str:
        return f"Account-level security on {self.app_label}.{self.model_name}"

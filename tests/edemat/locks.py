"""Watching the locks that services take, against the order said under « Locks » in docs/architecture.md.

``watched()`` reads the statements of one connection. A row counts as locked when a second connection would have to
wait for it, so that what a transaction holds or has made already may be written again at any time.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection

from parvis.core.organisations.tenancy import current_scope

# What others may hold while they wait for the end of the journal, in the order of taking.
RANKS = {
    "actes_inboundmessage": 1,
    "seances_seance": 1,
    "parapheur_dossier": 1,
    "archives_transfer": 1,
    "actes_acte": 2,
    "routing_route": 3,
    "actes_transaction": 4,
    "organisations_organisation": 5,
    "journal_head": 6,
}
JOURNAL = RANKS["journal_head"]
# One of each per organisation, whoever writes it: only with the end of the journal in hand.
AFTER = {"actes_classification", "opendata_dataset", "opendata_deliberationrow"}

_LOCK = re.compile(r'FROM "?(\w+)"?.*\bFOR (?:NO KEY )?UPDATE\b', re.DOTALL)
_CLAUSE = re.compile(r"\bFOR (?:NO KEY )?UPDATE\b(?P<of>(?: OF [\w\", ]+?)?)(?: SKIP LOCKED)?\s*$")
_WRITE = re.compile(r'(UPDATE|INSERT INTO) "?(\w+)"?')
_FREE = "FOR NO KEY UPDATE{} SKIP LOCKED"
_ALONE = "SELECT 1 FROM actes_transaction WHERE acte_id IS NULL AND id = ANY(%s)"
_NUMBERS = "SELECT id, numero_actes FROM actes_acte WHERE status <> -1"


@dataclass
class Watch:
    """What a run has locked, in order (``taken``), and each step against the order (``faults``)."""

    taken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    transaction: str = ""
    rank: int = 0

    def statement(self, execute, sql, params, many, context):
        lock, write = _LOCK.search(sql), _WRITE.match(sql)
        table = lock.group(1) if lock else write.group(2) if write else ""
        inserted = bool(write) and write.group(1) == "INSERT INTO"
        if table in RANKS and not inserted and RANKS[table] < self._rank() and self._is_free(table, sql, params):
            self.faults.append(f"{table} after rank {self.rank}: {sql[:200]}")
        if table in AFTER and self._rank() < JOURNAL:
            self.faults.append(f"{table} before the journal: {sql[:200]}")
        answer = execute(sql, params, many, context)
        if lock and table in RANKS:
            self.taken.append(table)
        if table in RANKS and not inserted:
            self.rank = max(self._rank(), RANKS[table])
        if write and table == "actes_acte" and self._rank() < JOURNAL and self._takes_a_number():
            self.faults.append(f"a number before the journal: {sql[:200]}")
        return answer

    def _rank(self) -> int:
        """The highest rank of the present database transaction."""
        now = connection.connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()[0] or ""
        if now != self.transaction:
            self.transaction, self.rank = now, 0
        return self.rank

    def _is_free(self, table, sql, params) -> bool:
        """True when nobody holds a row that the statement is about to lock."""
        if clause := _CLAUSE.search(sql):
            asked = sql[: clause.start()] + _FREE.format(clause.group("of"))
        else:
            setting, _, condition = sql.partition(" WHERE ")
            asked = f'SELECT id FROM "{table}" WHERE {condition} {_FREE.format("")}'
            params = params[setting.count("%s") :]
        free = _elsewhere(asked, params)
        if table == "actes_transaction":  # those of an act change under its lock only
            keys = [row[0] for row in free]
            free = connection.connection.execute(_ALONE, [keys]).fetchall()
        return bool(free)

    def _takes_a_number(self) -> bool:
        held = set(connection.connection.execute(_NUMBERS).fetchall())
        return not held <= set(_elsewhere(_NUMBERS, ()))


def _elsewhere(sql, params) -> list:
    """The rows that another transaction of the same organisations reads or locks."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            organisations = ",".join(map(str, current_scope().organisations))
            cursor.execute("SELECT set_config('parvis.organisations', %s, true)", [organisations])
            return cursor.execute(sql, params).fetchall()
    finally:
        other.close()


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch the locks of the present connection; the test's rows are committed (``transaction=True``)."""
    watch = Watch()
    with connection.execute_wrapper(watch.statement):
        yield watch

"""For whom the present transaction acts: the settings that the row-security policies read.

PostgreSQL receives three transaction-local settings: ``parvis.organisations`` (the organisations acted for),
``parvis.public_organisation`` (whose public rows alone may be read) and ``parvis.account`` (whose own mandates
may be read). Without them every tenant table looks empty.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db import connection, transaction

from parvis.core.organisations.models import Organisation


@dataclass(frozen=True)
class Scope:
    organisations: tuple[int, ...] = ()
    public_organisation: int | None = None
    account: int | None = None


NOBODY = Scope()
_current: ContextVar[Scope] = ContextVar("parvis_scope", default=NOBODY)
_afterwards: ContextVar[list[Callable[[], None]] | None] = ContextVar("parvis_afterwards", default=None)
logger = logging.getLogger(__name__)


def current_scope() -> Scope:
    """The scope in force in this context."""
    return _current.get()


def _tell_database(scope: Scope) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('parvis.organisations', %s, true),"
            " set_config('parvis.public_organisation', %s, true),"
            " set_config('parvis.account', %s, true)",
            [
                ",".join(map(str, scope.organisations)),
                "" if scope.public_organisation is None else str(scope.public_organisation),
                "" if scope.account is None else str(scope.account),
            ],
        )


def after_scope(callback: Callable[[], None]) -> None:
    """Have ``callback`` called once the outermost scope has ended, whether what it did is kept or undone.

    For what must be told of a refusal that undoes everything else. Outside any scope it is called at once.
    """
    waiting = _afterwards.get()
    if waiting is None:
        callback()
    else:
        waiting.append(callback)


@contextmanager
def in_scope(scope: Scope) -> Iterator[None]:
    """Open a transaction (or a savepoint) in which the database shows what ``scope`` may see."""
    if _afterwards.get() is not None:
        with _transaction(scope):
            yield
        return
    waiting: list[Callable[[], None]] = []
    token = _afterwards.set(waiting)
    try:
        with _transaction(scope):
            yield
    finally:
        _afterwards.reset(token)
        for callback in waiting:
            try:
                callback()
            except Exception:  # what it follows has ended already, well or not: that is what the caller must learn
                logger.exception("what was to follow a scope failed")


@contextmanager
def _transaction(scope: Scope) -> Iterator[None]:
    previous, enclosed = _current.get(), connection.in_atomic_block
    with transaction.atomic():
        _tell_database(scope)
        token = _current.set(scope)
        try:
            yield
        finally:
            _current.reset(token)
        # An enclosing transaction goes on as it was; a rollback restores it by itself, and a commit forgets.
        if enclosed:
            _tell_database(previous)


def _identifier(organisation: Organisation | int) -> int:
    return organisation if isinstance(organisation, int) else organisation.pk


@contextmanager
def acting_for(*organisations: Organisation | int, account: int | None = None) -> Iterator[None]:
    """Act for these organisations: read and write their rows, in one transaction."""
    with in_scope(Scope(tuple(_identifier(o) for o in organisations), account=account)):
        yield


@contextmanager
def public_view_of(organisation: Organisation | int) -> Iterator[None]:
    """See only what this organisation has made public; nothing can be written."""
    with in_scope(Scope(public_organisation=_identifier(organisation))):
        yield


@contextmanager
def identity_of(account_id: int) -> Iterator[None]:
    """See the mandates of one account, in whatever organisation, to decide what it may do."""
    with in_scope(Scope(account=account_id)):
        yield

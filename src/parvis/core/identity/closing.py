"""What stands in the way of a deletion, and what goes with a deleted account: other packages register here.

From ``AppConfig.ready``::

    closing.register_hold(open_requests_of)       # open_requests_of(account) -> list[Hold]
    closing.register_eraser("demandes", erase)    # erase(account) -> number of things erased
    closing.account_closing.connect(tell_sites)   # sent with ``account`` before anything is erased

All of them run inside the transaction of the deletion, with the rows of the account shown. ``account_suspended`` is
sent in the same way when an administration suspends an account, before its sessions end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.dispatch import Signal

from parvis.core.identity.models import Account


@dataclass(frozen=True)
class Hold:
    """One thing still open: « Demande de place en crèche (Juvignac) ». ``url`` is its page, if it has one."""

    label: str
    organisation: str = ""
    url: str = ""


Holds = Callable[[Account], Iterable[Hold]]
Eraser = Callable[[Account], int]

account_closing: Final = Signal()
account_suspended: Final = Signal()
_holds: list[Holds] = []
_erasers: dict[str, Eraser] = {}


def register_hold(holds: Holds) -> None:
    """Have ``holds(account)`` asked before a deletion."""
    if holds not in _holds:
        _holds.append(holds)


def unregister_hold(holds: Holds) -> None:
    _holds.remove(holds)


def register_eraser(label: str, eraser: Eraser) -> None:
    """Have ``eraser(account)`` run at a deletion; ``label`` (French, plural) names what it erases in the receipt."""
    _erasers[label] = eraser


def holds_of(account: Account) -> list[Hold]:
    """Everything open that keeps ``account`` from being deleted."""
    return [hold for holds in _holds for hold in holds(account)]


def erasers() -> dict[str, Eraser]:
    return dict(_erasers)

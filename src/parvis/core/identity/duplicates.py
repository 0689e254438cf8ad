"""Accounts that may be one person's: names alike by trigrams, with a bonus for the same day of birth.

Two names are compared as PostgreSQL's pg_trgm does (shared trigrams over all of them); the extension itself is not
in every server, so the trigrams are columns of ours under a GIN index. Candidates are found by a prefix filter: two
sets of n trigrams that share the part t have one in common among the first n - ceil(t*n) + 1 of each.
"""

import math
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account, NameKey, Namesake
from parvis.core.referentials.cog import folded

THRESHOLD: Final = 0.7
BIRTH_BONUS: Final = 0.15
CANDIDATES: Final = 500


def trigrams(name: str) -> list[str]:
    """Sorted trigrams of a folded name, each word with two spaces before and one after."""
    padded = [f"  {word} " for word in name.lower().split()]
    return sorted({word[at : at + 3] for word in padded for at in range(len(word) - 2)})


def similarity(one: list[str], other: list[str]) -> float:
    """Shared trigrams over all of them: 0 for nothing in common, 1 for the same ones."""
    first, second = set(one), set(other)
    return len(first & second) / len(first | second) if first and second else 0.0


def look_for() -> int:
    """Compare the accounts whose name is new or changed with all the others. Returns how many pairs were noted."""
    known = dict(NameKey.objects.values_list("account_id", "name"))
    noted = 0
    for account in Account.objects.filter(deleted_at=None).exclude(population=Account.Population.EXPLOITATION):
        name = folded(account.full_name)
        if not name or known.get(account.pk) == name:
            continue
        key, _ = NameKey.objects.update_or_create(
            account=account, defaults={"name": name[:200], "trigrams": trigrams(name)}
        )
        Namesake.objects.filter(Q(first=account) | Q(second=account), dismissed_at=None).delete()  # of the former name
        noted += _compare(key, account.population)
    return noted


def _compare(key: NameKey, population: str) -> int:
    """Note the accounts of the same population that look like this one: agents have two accounts on purpose."""
    size = len(key.trigrams)
    least = THRESHOLD - BIRTH_BONUS
    prefix = key.trigrams[: size - math.ceil(least * size) + 1]
    others = NameKey.objects.filter(trigrams__overlap=prefix, account__population=population, account__deleted_at=None)
    others = others.filter(
        trigrams__len__gte=math.floor(least * size), trigrams__len__lte=math.ceil(size / least)
    ).exclude(pk=key.pk)
    noted = 0
    for other in others[:CANDIDATES]:
        likeness = similarity(key.trigrams, other.trigrams)
        if likeness < least:
            continue
        born = _same_birth_date(key.pk, other.pk)
        if likeness + (BIRTH_BONUS if born else 0) >= THRESHOLD:
            first, second = sorted((key.pk, other.pk))
            Namesake.objects.update_or_create(
                first_id=first, second_id=second,
                defaults={"similarity": likeness, "same_birth_date": born},
                create_defaults={"similarity": likeness, "same_birth_date": born, "found_at": clock.now()},
            )  # fmt: skip
            noted += 1
    return noted


def _same_birth_date(one: int, other: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT parvis_same_birth_date(%s, %s)", [one, other])
        return bool(cursor.fetchone()[0])


def pending(people: "QuerySet[Account] | None" = None) -> "QuerySet[Namesake]":
    """Pairs to look at, the likeliest first; with ``people``, those whose two accounts are among them."""
    pairs = Namesake.objects.filter(dismissed_at=None, first__deleted_at=None, second__deleted_at=None)
    if people is not None:
        pairs = pairs.filter(Q(first__in=people.order_by().values("pk")), Q(second__in=people.order_by().values("pk")))
    return pairs.select_related("first", "second").order_by("-same_birth_date", "-similarity", "pk")


class NamesakeUnknown(DomainError):
    """The pair is not, or no longer, among those to look at."""


def dismiss(pk: UUID, *, by: Account, people: "QuerySet[Account] | None" = None) -> None:
    """Say that the two accounts are two people's, or one person's on purpose."""
    if not pending(people).filter(pk=pk).update(dismissed_at=clock.now(), dismissed_by=by):
        raise NamesakeUnknown("Ce rapprochement a déjà été écarté.")

"""What a password must be: CNIL délibération 2022-100 (80 bits where the password is alone), ANSSI PG-078.

Long rather than complicated: the bits are counted by the table's arithmetic (length × log2 of the alphabet used),
a phrase of seven different words always has enough. What is guessed first is refused whatever its length: common
and leaked passwords, one's own name, address and commune. Nothing expires.
"""

import gzip
import hashlib
import math
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from parvis.core.authentication.common_french import COMMON_FRENCH
from parvis.core.authentication.hashers import normalised
from parvis.core.identity.access import mandates_of
from parvis.core.identity.models import Account
from parvis.core.organisations.models import AGENT_PASSWORD_LENGTH, Organisation

MAX_LENGTH: Final = 256
USAGER_LENGTH, AGENT_LENGTH = 12, AGENT_PASSWORD_LENGTH
ENOUGH_BITS: Final = 80
PHRASE_WORDS: Final = 7
LEAST_SCORE: Final = 3
ZXCVBN_READS: Final = 72
CRITERIA_SALT: Final = "parvis.authentication.criteria"
COMMONEST: Final = Path(__file__).with_name("common_passwords.txt.gz")
"""The hundred thousand commonest, in order (their origin and licence are beside the file)."""
LINE: Final = 64
"""Bytes read at a time from the file of leaked passwords: more than one line of it (40 hexadecimal digits, a count)."""


@dataclass(frozen=True)
class Criterion:
    """One thing asked of a password, and whether it is there. ``code`` names it for tests and styles."""

    code: str
    label: str
    met: bool


@dataclass(frozen=True)
class Verdict:
    criteria: tuple[Criterion, ...]
    advice: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        return all(one.met for one in self.criteria)


def alphabet(password: str) -> int:
    """How many characters the kinds used in ``password`` hold (CNIL: 26, 26, 10, and 37 others)."""
    kinds = {
        "lower": (26, any("a" <= c <= "z" for c in password)),
        "upper": (26, any("A" <= c <= "Z" for c in password)),
        "digit": (10, any("0" <= c <= "9" for c in password)),
        "other": (37, any(not (c.isascii() and c.isalnum()) for c in password)),
    }
    return sum(size for size, used in kinds.values() if used)


def bits(password: str) -> int:
    """Bits of the table's arithmetic, rounded as the CNIL rounds (12 characters of the four kinds make 80)."""
    size = alphabet(password)
    return round(len(password) * math.log2(size)) if size else 0


def words(password: str) -> int:
    """How many different words of two letters or more ``password`` has."""
    spaced = "".join(c if c.isalpha() else " " for c in password.casefold())
    return len({word for word in spaced.split() if len(word) > 1})


def plain(text: str) -> str:
    """``text`` without accents nor capitals."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def _common() -> frozenset[str]:
    with gzip.open(COMMONEST, "rt", encoding="utf-8") as commonest:
        words = commonest.read().splitlines()
    lists = (words, CommonPasswordValidator().passwords, FREQUENCY_LISTS["passwords"], COMMON_FRENCH)
    return frozenset(plain(word) for known in lists for word in known)


def is_common(password: str) -> bool:
    """True for one of the commonest passwords, as it is or with digits and signs around."""
    folded = plain(password)
    return folded in _common() or folded.strip("0123456789!?.,;:*$%&@#_-+= ") in _common()


def is_leaked(password: str, path: Path) -> bool:
    """True when the SHA-1 of ``password`` is in the file at ``path``: one per line, in hexadecimal, sorted, with a
    count after a colon or without. Found by bisection over the bytes of the file, whatever its size.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as lines:
        low, high = 0, path.stat().st_size
        while low < high:
            middle = (low + high) // 2
            lines.seek(max(0, middle - LINE))
            before = lines.read(middle - max(0, middle - LINE))
            start = middle - len(before) + before.rfind(b"\n") + 1
            lines.seek(start)
            line = lines.readline(LINE * 2)
            found = line[:40].upper()
            if found == wanted:
                return True
            if found < wanted:
                low = start + len(line)
            else:
                high = start
    return False


def is_breached(password: str) -> bool:
    """True for a password known to the lists that this installation has."""
    path = settings.PARVIS_BREACHED_PASSWORDS
    return is_common(password) or (path is not None and is_leaked(password, path))


def acted_for(account: Account | None) -> set[Organisation]:
    """The organisations that ``account`` acts for today, whose names and rules count for its password."""
    if account is None or not account.pk or account.population == Account.Population.USAGER:
        return set()
    return {mandate.organisation for mandate in mandates_of(account)}


def own_words(account: Account | None, acts_for: Iterable[Organisation]) -> list[str]:
    """What is known of ``account`` to anybody: names, address, communes (those of everybody for nobody)."""
    found: list[str] = ["parvis"]
    organisations: Iterable[Organisation] = Organisation.objects.only("short_name")
    if account is not None:
        found += [account.given_name, account.family_name, *account.email.replace("@", ".").split(".")]
        if account.pk and account.population != Account.Population.USAGER:
            organisations = acts_for
    found += [organisation.short_name for organisation in organisations]
    pieces = {piece for text in found for piece in _pieces(text)}
    return sorted(piece for piece in pieces if len(piece) >= 4)


def _pieces(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in plain(text)).split()


def least_length(account: Account | None, acts_for: Iterable[Organisation] = ()) -> int:
    """Twelve characters for usagers, fourteen for those who act for an organisation or run the platform, more where
    one of those that they act for asks for more.
    """
    usager = account is None or account.population == Account.Population.USAGER
    return USAGER_LENGTH if usager else max([AGENT_LENGTH, *(o.password_length for o in acts_for)])


def examine(password: str, account: Account | None = None, *, joining: Iterable[Organisation] = ()) -> Verdict:
    """Judge ``password`` for ``account`` (None for a usager who has no account yet), which acts for its
    organisations and is ``joining`` others.
    """
    password = normalised(password)
    acts_for = acted_for(account).union(joining)
    least, own = least_length(account, acts_for), own_words(account, acts_for)
    phrase = words(password) >= PHRASE_WORDS
    folded = plain(password)
    score, advice = _guess(password, own)
    criteria = (
        Criterion("longueur", f"{least} caractères au moins", least <= len(password) <= MAX_LENGTH),
        Criterion(
            "force",
            f"assez long ou assez varié, ou une phrase d’au moins {PHRASE_WORDS} mots",
            phrase or bits(password) >= ENOUGH_BITS,
        ),
        Criterion(
            "connu", "absent des mots de passe courants ou divulgués", bool(password) and not is_breached(password)
        ),
        Criterion(
            "personnel",
            "sans votre nom, votre adresse ni votre commune",
            bool(password) and not any(piece in folded for piece in own),
        ),
        Criterion("devinable", "difficile à deviner", score >= LEAST_SCORE),
    )
    return Verdict(criteria, advice)


_zxcvbn_lock = threading.Lock()  # the library keeps the person's own words in a variable of its module


def _guess(password: str, own: list[str]) -> tuple[int, tuple[str, ...]]:
    """Score of zxcvbn from 0 to 4, and its advice in French. Only the first 72 characters are read."""
    if not password:
        return 0, ()
    with _zxcvbn_lock:
        found = zxcvbn(password[:ZXCVBN_READS], user_inputs=[*own, *COMMON_FRENCH])
    said = [found["feedback"]["warning"], *found["feedback"]["suggestions"]]
    return found["score"], tuple(dict.fromkeys(FRENCH[text] for text in said if text in FRENCH))


FRENCH: Final = {
    "Use a few words, avoid common phrases.": "Prenez quelques mots sans lien entre eux, pas une expression connue.",
    "No need for symbols, digits, or uppercase letters.": "Signes, chiffres et majuscules ne sont pas nécessaires.",
    "Add another word or two. Uncommon words are better.": "Ajoutez un mot ou deux, de préférence peu courants.",
    "Straight rows of keys are easy to guess.": "Une rangée de touches du clavier se devine vite.",
    "Short keyboard patterns are easy to guess.": "Un dessin court sur le clavier se devine vite.",
    "Use a longer keyboard pattern with more turns.": "Évitez les touches qui se suivent sur le clavier.",
    'Repeats like "aaa" are easy to guess.': "Des répétitions comme « aaa » se devinent vite.",
    'Repeats like "abcabcabc" are only slightly harder to guess than "abc".': (
        "Répéter « abcabcabc » ne vaut guère mieux que « abc »."
    ),
    "Avoid repeated words and characters.": "Évitez de répéter des mots ou des caractères.",
    'Sequences like "abc" or "6543" are easy to guess.': "Des suites comme « abc » ou « 6543 » se devinent vite.",
    "Avoid sequences.": "Évitez les suites de lettres ou de chiffres.",
    "Recent years are easy to guess.": "Une année récente se devine vite.",
    "Avoid recent years.": "Évitez les années récentes.",
    "Avoid years that are associated with you.": "Évitez les années qui vous concernent.",
    "Dates are often easy to guess.": "Une date se devine souvent.",
    "Avoid dates and years that are associated with you.": "Évitez les dates et les années qui vous concernent.",
    "This is a top-10 common password.": "C’est l’un des dix mots de passe les plus courants.",
    "This is a top-100 common password.": "C’est l’un des cent mots de passe les plus courants.",
    "This is a very common password.": "C’est un mot de passe très courant.",
    "This is similar to a commonly used password.": "Il ressemble à un mot de passe courant.",
    "A word by itself is easy to guess.": "Un mot seul se devine vite.",
    "Names and surnames by themselves are easy to guess.": "Un nom ou un prénom seul se devine vite.",
    "Common names and surnames are easy to guess.": "Les noms et prénoms courants se devinent vite.",
    "Capitalization doesn't help very much.": "Une majuscule au début n’aide guère.",
    "All-uppercase is almost as easy to guess as all-lowercase.": "Tout en majuscules se devine presque aussi vite.",
    "Reversed words aren't much harder to guess.": "Un mot à l’envers ne se devine guère moins vite.",
    "Predictable substitutions like '@' instead of 'a' don't help very much.": (
        "Remplacer « a » par « @ » n’aide guère."
    ),
}


def check(password: str, account: Account | None, *, joining: Iterable[Organisation] = ()) -> None:
    """Raise ValidationError naming each criterion that is missing; parameters as for ``examine``."""
    if len(password) > MAX_LENGTH:
        raise ValidationError(f"Le mot de passe a au plus {MAX_LENGTH} caractères.", code="longueur")
    verdict = examine(password, account, joining=joining)
    missing = [one for one in verdict.criteria if not one.met]
    if missing:
        said = [ValidationError(f"Il manque : {one.label}.", code=one.code) for one in missing]
        raise ValidationError([*said, *(ValidationError(text, code="conseil") for text in verdict.advice)])


class PolicyValidator:
    """The policy as Django asks it of every form that sets a password."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError naming each criterion that is missing."""
        check(password, user if isinstance(user, Account) else None)

    def get_help_text(self) -> str:
        return (
            f"Douze caractères au moins (quatorze pour un agent) ; une phrase de {PHRASE_WORDS} mots convient toujours."
        )

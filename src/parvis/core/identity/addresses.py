"""E-mail addresses as accounts know them: one way of writing each, no look-alike, one account at most.

Compatibility characters are folded (NFKC), the local part is ASCII, the domain is kept in its ASCII form (IDNA 2008,
RFC 5891) and a name whose letters belong to several scripts is refused (Unicode TR 39, « single script »).
"""

import unicodedata
from typing import Final

import idna
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account

MAX_LENGTH: Final = 254
_ONE_SCRIPT_TOGETHER: Final = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})


class AddressRefused(DomainError):
    """The address cannot be that of an account."""


class AddressTaken(DomainError):
    """Another account has the address."""


def canonical(typed: str) -> str:
    """The one way in which ``typed`` is kept. Raises ``AddressRefused`` with what is wrong."""
    if len(typed) > 4 * MAX_LENGTH:
        raise AddressRefused("Cette adresse est trop longue.")
    address = unicodedata.normalize("NFKC", typed).strip()
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise AddressRefused("Une adresse électronique s’écrit comme prenom.nom@exemple.fr.")
    if not local.isascii():
        raise AddressRefused(
            "Avant l’arobase, l’adresse contient un caractère accentué ou une lettre d’un autre alphabet, qui peut"
            " ressembler à une lettre latine sans en être une. Saisissez-la de nouveau au clavier."
        )
    kept = f"{local}@{_domain(domain)}".lower()
    try:
        validate_email(kept)
    except ValidationError:
        raise AddressRefused("Une adresse électronique s’écrit comme prenom.nom@exemple.fr.") from None
    if len(kept) > MAX_LENGTH:
        raise AddressRefused("Cette adresse est trop longue.")
    return kept


def _domain(domain: str) -> str:
    try:
        unicode_domain = idna.decode(domain, uts46=True) if "xn--" in domain.lower() else domain
        for label in unicode_domain.split("."):
            if not _single_script(label):
                raise AddressRefused(
                    f"Le domaine « {domain} » mélange les lettres de plusieurs alphabets, ce dont se servent des"
                    " adresses trompeuses. Vérifiez l’adresse et saisissez-la de nouveau au clavier."
                )
        return idna.encode(unicode_domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise AddressRefused(f"Le domaine « {domain} » n’existe pas sous cette forme : vérifiez l’adresse.") from None


def _single_script(label: str) -> bool:
    scripts = {unicodedata.name(c, "?").partition(" ")[0] for c in label if c.isalpha()}
    return len(scripts) <= 1 or any(scripts <= together for together in _ONE_SCRIPT_TOGETHER)


def account_at(address: str) -> Account | None:
    """The account of a canonical address, which is how accounts keep theirs: the index answers."""
    return Account.objects.filter(email=address, deleted_at=None).first()


def give(account: Account, address: str) -> None:
    """Make a canonical and proved ``address`` the only one of ``account``. Raises ``AddressTaken``."""
    account.email, account.email_verified_at = address, clock.now()
    try:
        with transaction.atomic():
            account.save(update_fields=["email", "email_verified_at"])
    except IntegrityError:
        raise AddressTaken("Cette adresse est déjà celle d’un autre compte.") from None
    EmailAddress.objects.filter(user=account).delete()  # else the library would go on taking the old one at login
    EmailAddress.objects.create(user=account, email=address, verified=True, primary=True)


def digest(address: str) -> str:
    """Keyed digest of an address: tells whether it was that of a deleted account, and never the address."""
    return salted_hmac("parvis.identity.address", address.lower(), algorithm="sha256").hexdigest()


def masked(address: str) -> str:
    """« c…@exemple.fr », for pages where the whole address would tell too much."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"

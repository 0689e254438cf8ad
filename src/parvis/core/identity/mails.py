"""What accounts receive by mail, under the name of the organisation that the person came from.

Jobs carry identifiers only: addresses, names and tokens are put into the text when it is sent.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from parvis.core.identity import addresses, closing, links
from parvis.core.identity.addresses import masked
from parvis.core.identity.deletion import KEPT
from parvis.core.identity.models import NO_ADDRESS, Account, Link, Tombstone
from parvis.core.notifications.services import send
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import identity_of

SUBJECTS = {
    "registration": "Terminez votre inscription",
    "already": "Vous avez déjà un compte",
    "email": "Confirmez votre adresse",
    "email_taken": "Cette adresse est déjà celle d’un compte",
    "email_asked": "Un changement d’adresse est demandé",
    "email_undo": "L’adresse de votre compte a changé",
    "email_undone": "L’adresse de votre compte est rétablie",
    "deletion": "Confirmez la suppression de votre compte",
    "receipt": "Votre compte est supprimé",
    "dormant": "Votre compte va être supprimé, faute d’utilisation",
    "export": "Vos données sont prêtes",
    "suspended": "Votre compte est suspendu",
    "reactivated": "Votre compte est de nouveau ouvert",
}


def absolute(name: str, **arguments: str) -> str:
    """Full address of a page, on the host of the platform."""
    return settings.BASE_URL.rstrip("/") + reverse(name, kwargs=arguments or None)


def sender(commune: Organisation | None) -> Organisation:
    """In whose name a message leaves: the commune, else the métropole, else the platform itself."""
    metropole = Organisation.objects.filter(kind=Organisation.Kind.METROPOLE).order_by("pk")
    return commune or metropole.first() or Organisation(name="Parvis", short_name="Parvis")


def write(kind: str, to: str, commune: Organisation | None, facts: Mapping[str, Any]) -> None:
    """Send the message ``kind``. Raises ``MessageNotSent``."""
    organisation = sender(commune)
    text = render_to_string(f"identity/mail/{kind}.txt", {**facts, "organisation": organisation})
    lines = [line.rstrip() for line in text.strip().splitlines()]
    body = "\n".join(line for at, line in enumerate(lines) if line or lines[at - 1])
    send(organisation, to, SUBJECTS[kind], body + "\n")


def write_link(link: Link) -> None:
    """The message of a link: what to follow, or what to know when nothing is to be followed."""
    token = links.token_of(link)
    facts: dict[str, Any] = {"link": link, "account": link.account}
    holder = addresses.account_at(link.email)
    match link.purpose:
        case Link.Purpose.REGISTRATION if holder is not None:
            facts["login"] = absolute("account_login")
            facts["suspended"] = not holder.is_active or holder.suspended_at is not None
            write("already", link.email, link.commune, facts)
        case Link.Purpose.REGISTRATION:
            write(
                "registration", link.email, link.commune, {**facts, "url": absolute("registration:open", token=token)}
            )
        case Link.Purpose.EMAIL if holder is not None and holder.pk != link.account_id:
            write("email_taken", link.email, link.commune, facts)
        case Link.Purpose.EMAIL:
            facts["url"] = absolute("identity:email_confirm", token=token)
            write("email", link.email, link.commune, facts)
        case Link.Purpose.EMAIL_UNDO:
            assert link.account is not None
            facts["new"] = masked(link.account.email)
            write(
                "email_undo", link.email, link.commune, {**facts, "url": absolute("identity:email_undo", token=token)}
            )
        case Link.Purpose.DELETION:
            facts["url"] = absolute("identity:deletion_confirm", token=token)
            write("deletion", link.email, link.commune, facts)


def write_notice(account: Account, kind: str, facts: Mapping[str, Any]) -> None:
    """A message about the account, to its address if it has proved one."""
    if not account.has_address:
        return
    pages = {
        "login": absolute("account_login"),
        "account_url": absolute("identity:overview"),
        "contact": absolute("portal:contact"),
    }
    with identity_of(account.pk):
        holds = closing.holds_of(account) if kind == "dormant" else []
    write(kind, account.email, account.commune, {**facts, **pages, "account": account, "holds": holds})


def write_receipt(stone: Tombstone) -> None:
    """The proof that an account was deleted, to the address that asked; then the address is forgotten."""
    link = stone.link
    if link is None or not link.email:
        return
    if not link.email.endswith(NO_ADDRESS):
        write("receipt", link.email, link.commune, {"stone": stone, "kept": KEPT})
    link.email = ""
    link.save(update_fields=["email"])

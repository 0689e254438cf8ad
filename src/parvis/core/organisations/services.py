"""What an organisation's administration may change: how it presents itself, and who acts for it."""

from collections.abc import Mapping
from datetime import date

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.web.theming import check_accent

PRESENTATION = ("short_name", "welcome_text", "website", "email_sender", "postal_code")


class MandateRefused(DomainError):
    """The mandate cannot be opened or ended as asked."""


def _save(organisation: Organisation, values: Mapping[str, str], action: str, actor: Actor) -> list[str]:
    """Write what differs and journal the names of the fields (never their content); returns those names."""
    kept = Organisation.objects.select_for_update().get(pk=organisation.pk)
    changed = [name for name, value in values.items() if getattr(kept, name) != value]
    if not changed:
        return []
    for name in changed:
        setattr(kept, name, values[name])
    kept.save(update_fields=changed)
    record(
        organisation,
        action,
        subject=("organisation", organisation.pk),
        actor=actor,
        details={"fields": sorted(changed)},
    )
    return changed


@transaction.atomic
def describe(organisation: Organisation, values: Mapping[str, str], *, actor: Actor) -> list[str]:
    """Change how the organisation presents itself; returns the fields that changed."""
    return _save(organisation, {k: values[k] for k in PRESENTATION if k in values}, "organisation.presentee", actor)


@transaction.atomic
def recolour(organisation: Organisation, accent: str, accent_2: str, *, actor: Actor) -> list[str]:
    """Change the organisation's colours; raises ``ColourTooPale`` when text in them could not be read."""
    check_accent(accent)
    colours = {"accent": accent.lower(), "accent_2": accent_2.lower()}
    return _save(organisation, colours, "organisation.couleurs", actor)


@transaction.atomic
def give_mandate(
    organisation: Organisation,
    *,
    email: str,
    given_name: str,
    family_name: str,
    role: str,
    title: str,
    start: date,
    end: date | None,
    actor: Actor,
) -> Mandate:
    """Let a person act for the organisation; the account is made when the address is a new one.

    A new account has no password: its holder chooses one by « Mot de passe oublié », then a second factor.
    """
    account = Account.objects.filter(email__iexact=email).first()
    if account is None:
        account = Account.objects.create_user(email, given_name=given_name, family_name=family_name)
    if Mandate.objects.filter(organisation=organisation, account=account, role=role).in_force(start).exists():
        raise MandateRefused(
            f"{account.full_name} tient déjà ce rôle à cette date : mettez d’abord fin au mandat en cours.",
            role=role,
        )
    mandate = Mandate.objects.create(
        organisation=organisation, account=account, role=role, title=title, start=start, end=end
    )
    record(
        organisation, "mandat.ouvert", subject=("mandat", mandate.pk), actor=actor,
        details={"role": role, "account": account.pk, "start": start.isoformat()},
    )  # fmt: skip
    return mandate


@transaction.atomic
def close_mandate(mandate: Mandate, *, actor: Actor) -> None:
    """End a mandate yesterday, so that it lets nothing more be done from now on.

    Raises ``MandateRefused`` for the last administration mandate, which would lock everybody out, and for a
    mandate already over.
    """
    today = clock.today()
    mandate = Mandate.objects.select_for_update().select_related("organisation", "account").get(pk=mandate.pk)
    if mandate.end is not None and mandate.end < today:
        raise MandateRefused("Ce mandat est déjà terminé.")
    if mandate.role == "administrateur":
        others = Mandate.objects.filter(organisation=mandate.organisation, role="administrateur")
        if not others.in_force(today).exclude(account=mandate.account).exists():
            raise MandateRefused(
                "C’est le dernier mandat d’administration de l’organisation : "
                "donnez d’abord ce rôle à une autre personne."
            )
    mandate.end = max(mandate.start, date.fromordinal(today.toordinal() - 1))
    if mandate.end >= today:  # begun today: it never took effect
        mandate.start = mandate.end = date.fromordinal(today.toordinal() - 1)
    mandate.save(update_fields=["start", "end"])
    record(
        mandate.organisation,
        "mandat.clos",
        subject=("mandat", mandate.pk),
        actor=actor,
        details={"role": mandate.role},
    )

"""What the métropole administers of the platform: which organisations are there, what each subscribed to, who
operates. Nothing that an organisation holds is read here.
"""

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.authentication import notices
from parvis.core.errors import DomainError
from parvis.core.identity import addresses
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.invitations import digest_of
from parvis.core.organisations.models import OperatorGrant, Organisation, Subscription
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.templatetags.parvis import date_longue

INSTALLING = 2
"""Operators that the server names without a reason, when the platform has none."""


class PlatformRefused(DomainError):
    """The platform cannot be changed as asked."""


def _trace(
    organisation: Organisation, action: str, event: str, request: HttpRequest | None, by: Account, **details: Any
) -> None:
    """In the organisation's own journal, which its people read, and in the audit log."""
    with acting_for(organisation, account=by.pk):
        record(
            organisation,
            action,
            subject=("organisation", organisation.pk),
            actor=Actor("account", str(by.pk)),
            details=details,
        )
    audit(event, request=request, actor=by, organisation=organisation, data={"slug": organisation.slug, **details})


@transaction.atomic
def save_organisation(organisation: Organisation, changed: list[str], *, by: Account, request: HttpRequest) -> None:
    """Write an organisation that a form made or changed; ``changed`` names its fields."""
    new = organisation.pk is None
    if not new and not changed:
        return
    organisation.save()
    action = "organisation.creee" if new else "organisation.identite"
    event = "manager.organisation.creation" if new else "manager.organisation.edit"
    _trace(organisation, action, event, request, by, fields=sorted(changed))


@transaction.atomic
def subscribe(
    organisation: Organisation, application: str, since: date, until: date | None, *, by: Account, request: HttpRequest
) -> Subscription:
    """Open an application to an organisation for a period that meets no other of the same application."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if until is not None and until < since:
        raise PlatformRefused("La fin précède le début : corrigez l’une des deux dates.")
    for other in organisation.subscriptions.filter(application=application):
        if since <= (other.until or date.max) and other.since <= (until or date.max):
            raise PlatformRefused("Une adhésion à cette application couvre déjà une partie de cette période.")
    found = Subscription.objects.create(organisation=organisation, application=application, since=since, until=until)
    _trace(
        organisation, "adhesion.ouverte", "manager.subscription.edit", request, by,
        application=application, since=since.isoformat(), until=until.isoformat() if until else None,
    )  # fmt: skip
    return found


@transaction.atomic
def end_subscription(subscription: Subscription, until: date | None, *, by: Account, request: HttpRequest) -> None:
    """Set or lift the end of a subscription; what was produced stays readable after it."""
    kept = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if until is not None and until < kept.since:
        raise PlatformRefused("La fin précède le début de l’adhésion.")
    others = Subscription.objects.filter(organisation_id=kept.organisation_id, application=kept.application)
    if others.exclude(pk=kept.pk).filter(since__gte=kept.since, since__lte=until or date.max).exists():
        raise PlatformRefused("Une adhésion plus récente commence avant cette date.")
    kept.until = until
    kept.save(update_fields=["until"])
    _trace(
        kept.organisation, "adhesion.modifiee", "manager.subscription.edit", request, by,
        application=kept.application, until=until.isoformat() if until else None,
    )  # fmt: skip


# --- operators: four eyes ---------------------------------------------------------------------------------


def operators() -> list[Account]:
    """Those who run the platform."""
    rows = Account.objects.filter(is_platform_administrator=True, is_active=True)
    return list(rows.order_by("family_name", "given_name"))


@transaction.atomic
def name_on_server(
    email: str, given_name: str, family_name: str, *, reason: str = "", decided_by: str = "", user: str = ""
) -> Account:
    """Make an operator from the server: the first two of an installation, then only where a ``reason`` is given.

    ``decided_by`` names who answers for it, ``user`` the session of the server. Every operator is told, those whose
    account is closed too: they may know better. Raises ``PlatformRefused`` or ``AddressRefused``.
    """
    known = list(Account.objects.select_for_update().filter(is_platform_administrator=True).order_by("pk"))
    installed = Account.objects.filter(population=Account.Population.EXPLOITATION).count() >= INSTALLING
    reason, decided_by = reason.strip(), decided_by.strip()
    if installed:
        _check_recovery(reason, decided_by)
    email = addresses.canonical(email)
    if addresses.account_at(email) is not None:
        raise PlatformRefused("Cette adresse a déjà un compte : prenez-en une autre.")
    account = Account.objects.create_user(
        email,
        given_name=given_name,
        family_name=family_name,
        population=Account.Population.EXPLOITATION,
        is_platform_administrator=True,
    )
    data = {"reason": reason, "decided_by": decided_by, "server_user": user} if installed else {"first_operator": True}
    audit("manager.operator.naming", account=account, data=data)
    for operator in known:
        notices.tell(operator, "operator.named", holder=account.full_name, address=account.email, reason=reason)
    return account


def _check_recovery(reason: str, decided_by: str) -> None:
    """Naming on the server once the platform has run goes round the four eyes: it says why, and who answers for it."""
    if reason and decided_by:
        return
    active = ", ".join(account.full_name for account in operators() if account.suspended_at is None)
    who = (
        f"Des exploitants sont en fonction ({active}) : ils nomment les suivants à l’écran, l’un propose et l’autre "
        "approuve. S’ils sont tous empêchés, dites pourquoi et qui en décide"
        if active
        else "Plus aucun exploitant n’est en fonction : dites pourquoi, et qui décide d’en nommer un depuis le serveur"
    )
    raise PlatformRefused(f"{who}, par --reason « motif » et --decided-by « Prénom Nom, qualité ».")


def _audit(event: str, by: Account, request: HttpRequest | None, **data: Any) -> None:
    audit(event, request=request, actor=by, data=data)


@transaction.atomic
def propose_operator(values: Mapping[str, str], *, by: Account, request: HttpRequest) -> OperatorGrant:
    """Propose somebody to run the platform, under an account of their own kept for that."""
    email = addresses.canonical(values["email"])
    if email == by.email.lower():
        raise PlatformRefused("Vous exploitez déjà la plateforme.")
    if OperatorGrant.objects.filter(email=email, accepted_at__isnull=True, refused_at__isnull=True).exists():
        raise PlatformRefused("Cette personne est déjà proposée.")
    grant = OperatorGrant.objects.create(
        email=email,
        given_name=values["given_name"],
        family_name=values["family_name"],
        proposed_by=by,
        proposed_at=clock.now(),
    )
    _audit("manager.operator.proposal", by, request, grant=str(grant.pk))
    return grant


def _waiting(grant: OperatorGrant) -> OperatorGrant:
    fresh = OperatorGrant.objects.select_for_update().get(pk=grant.pk)
    if fresh.approved_by_id or fresh.refused_at:
        raise PlatformRefused("Cette proposition a déjà reçu sa réponse.")
    return fresh


@transaction.atomic
def approve_operator(grant: OperatorGrant, *, by: Account, request: HttpRequest) -> None:
    """Approve what somebody else proposed, and send the link."""
    grant = _waiting(grant)
    if grant.proposed_by_id == by.pk:
        raise PlatformRefused("Une seconde personne doit approuver votre proposition.")
    grant.approved_by = by
    _send_link(grant)
    _audit("manager.operator.approval", by, request, grant=str(grant.pk))


@transaction.atomic
def resend_operator(grant: OperatorGrant, *, by: Account, request: HttpRequest) -> None:
    """Send a new link to somebody approved; the former one stops working."""
    grant = OperatorGrant.objects.select_for_update().get(pk=grant.pk)
    if grant.approved_by_id is None or grant.accepted_at or grant.refused_at:
        raise PlatformRefused("Cette proposition n’attend pas de réponse de la personne.")
    _send_link(grant)
    _audit("manager.operator.approval", by, request, grant=str(grant.pk), again=True)


def _send_link(grant: OperatorGrant) -> None:
    """Draw a link, good for seven days from now, and send it once the transaction holds."""
    token = secrets.token_urlsafe(32)
    grant.approved_at, grant.digest = clock.now(), digest_of(token)
    grant.save(update_fields=["approved_by", "approved_at", "digest"])
    assert grant.expires_at is not None
    link = settings.BASE_URL.rstrip("/") + reverse("invitations:operator", kwargs={"token": token})
    text = (
        f"Bonjour {grant},\n\nVous êtes appelé à exploiter la plateforme Parvis. Créez le compte qui ne servira qu’à "
        f"cela :\n{link}\n\nCette adresse ne sert qu’une fois, et jusqu’au {date_longue(grant.expires_at)}.\n"
    )
    transaction.on_commit(
        lambda: send_mail("Exploitation de la plateforme Parvis", text, settings.DEFAULT_FROM_EMAIL, [grant.email])
    )


@transaction.atomic
def refuse_operator(grant: OperatorGrant, *, by: Account, request: HttpRequest) -> None:
    """Set a proposal aside; who made it may too."""
    grant = _waiting(grant)
    grant.refused_at = clock.now()
    grant.save(update_fields=["refused_at"])
    _audit("manager.operator.refusal", by, request, grant=str(grant.pk))


def grant_behind(token: str) -> OperatorGrant | None:
    """The approved proposal behind a link, whatever its state since."""
    return OperatorGrant.objects.filter(digest=digest_of(token), approved_by__isnull=False).first()


def is_open(grant: OperatorGrant) -> bool:
    return grant.accepted_at is None and grant.expires_at is not None and clock.now() < grant.expires_at


@transaction.atomic
def accept_operator(grant: OperatorGrant, password: str, *, request: HttpRequest) -> Account:
    """Make the operator's account. Raises ``PlatformRefused``; ``ValidationError`` for a weak password."""
    grant = OperatorGrant.objects.select_for_update().get(pk=grant.pk)
    if not is_open(grant):
        raise PlatformRefused("Cette adresse n’est plus valable : demandez-en une nouvelle.")
    if addresses.account_at(grant.email) is not None:
        raise PlatformRefused(
            "Cette adresse électronique a déjà un compte, qui sert à autre chose : demandez à être proposé avec une "
            "autre adresse."
        )
    account = Account(email=grant.email, given_name=grant.given_name, family_name=grant.family_name)
    validate_password(password, account)
    account = Account.objects.create_user(
        grant.email,
        password,
        given_name=grant.given_name,
        family_name=grant.family_name,
        population=Account.Population.EXPLOITATION,
        is_platform_administrator=True,
        email_verified_at=clock.now(),
    )
    grant.accepted_at = clock.now()
    grant.save(update_fields=["accepted_at"])
    audit("manager.user.creation", account=account, request=request, actor=account, data={"grant": str(grant.pk)})
    return account


@transaction.atomic
def remove_operator(account: Account, *, by: Account, request: HttpRequest) -> None:
    """Take the platform away from an operator; somebody else does it, so that one always stays."""
    if account.pk == by.pk:
        raise PlatformRefused("Vous ne pouvez pas vous retirer vous-même : demandez-le à un autre exploitant.")
    rows = Account.objects.select_for_update().filter(is_platform_administrator=True).order_by("pk")
    kept = {a.pk: a for a in rows}  # both locked: two operators who remove each other leave one
    if by.pk not in kept or account.pk not in kept:
        raise PlatformRefused("Cette personne n’exploite plus la plateforme, ou vous ne l’exploitez plus.")
    account = kept[account.pk]
    account.is_platform_administrator = False
    account.save(update_fields=["is_platform_administrator"])
    audit("manager.operator.removal", account=account, request=request, actor=by)

"""What will soon stop a piece of software (the end of an account, secret or certificate), told to its contact."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.db.models import Q

from parvis.core import clock
from parvis.core.api.models import ApiAccount, EndNotice
from parvis.core.journal.services import Actor, record
from parvis.core.notifications.services import MessageNotSent, send
from parvis.core.organisations.models import Organisation
from parvis.core.web.templatetags.parvis import date_heure, date_longue

NOTICE_DAYS: Final = (30, 7)
What = EndNotice.What


@dataclass(frozen=True)
class Ending:
    """One thing that ends, and the notice (in days) that is due for it today."""

    what: EndNotice.What
    ends_at: datetime
    days: int

    @property
    def sentence(self) -> str:
        """What ends when, and what to do before."""
        match self.what:
            case What.ACCOUNT:
                return (
                    f"Le compte sert pour la dernière fois le {date_longue(self.ends_at)} ; ses appels seront ensuite "
                    "refusés. Demandez avant cette date un nouveau compte à l’administration de l’organisation."
                )
            case What.SECRET:
                return (
                    f"L’ancien secret ne sera plus accepté après le {date_heure(self.ends_at)}. Installez avant cette "
                    "date le secret qui l’a remplacé, si ce n’est pas déjà fait."
                )
            case What.FORMER:
                return (
                    f"L’ancien certificat TLS ne sera plus accepté après le {date_heure(self.ends_at)}. Installez "
                    "avant cette date celui qui l’a remplacé, si ce n’est pas déjà fait."
                )
            case _:
                return (
                    f"Le certificat TLS expire le {date_heure(self.ends_at)} ; les appels seront ensuite refusés. "
                    "Remettez avant cette date le certificat suivant à l’administration de l’organisation : elle "
                    "l’enregistre, et l’ancien peut rester accepté le temps de son installation."
                )


def notice_due(days_left: int) -> int | None:
    """The notice that holds ``days_left`` days before an end: a day without worker delays it, and loses none."""
    return min((days for days in NOTICE_DAYS if 0 <= days_left <= days), default=None)


def endings(account: ApiAccount) -> list[Ending]:
    """What ends soon of a usable account, and its contact was not told of yet."""
    if not account.usable:
        return []
    now, today = clock.now(), clock.today()
    told = {(n.what, n.ends_at, n.days) for n in EndNotice.objects.filter(account=account)}
    return [
        Ending(what, ends_at, days)
        for what, ends_at in _ends(account)
        if ends_at > now and (days := notice_due((clock.paris(ends_at).date() - today).days))
        if (what, ends_at, days) not in told
    ]


def _ends(account: ApiAccount) -> Iterator[tuple[EndNotice.What, datetime]]:
    if account.expires_on:
        yield What.ACCOUNT, datetime.combine(account.expires_on, time(23, 59, 59), clock.PARIS)
    if account.certificate_until:
        yield What.CERTIFICATE, account.certificate_until
    if account.former_until:
        yield What.FORMER, account.former_until
    for secret in account.secrets.filter(ends_at__isnull=False):
        assert secret.ends_at
        yield What.SECRET, secret.ends_at


def accounts_to_warn(organisation: Organisation) -> Iterator[ApiAccount]:
    """The accounts of ``organisation`` whose contact is to be written to today."""
    now, today = clock.now(), clock.today()
    soon = timedelta(days=max(NOTICE_DAYS) + 1)
    near = Q(expires_on__range=(today, today + soon))
    near |= Q(certificate_until__range=(now, now + soon)) | Q(secrets__ends_at__range=(now, now + soon))
    near |= Q(former_until__range=(now, now + soon))
    accounts = ApiAccount.objects.live().filter(near, organisation=organisation)
    return (account for account in accounts.distinct() if endings(account))


def warn(account: ApiAccount) -> None:
    """Write to the contact of ``account``, in one message, what ends soon; a second call writes nothing.

    Raises ``MessageNotSent`` when it is worth trying again; an address refused for good is journalled as such.
    """
    due = [ending for ending in endings(account) if _noted(account, ending)]
    if not due:
        return
    action = "compte_api.echeance_annoncee"
    try:
        _write(account, due)
    except MessageNotSent as error:
        if not error.is_final:
            raise
        action = "compte_api.echeance_non_remise"
    for ending in due:
        record(
            account.organisation,
            action,
            subject=("compte_api", account.pk),
            actor=Actor("job"),
            details={"what": str(ending.what), "days": ending.days, "ends_at": ending.ends_at.isoformat()},
        )


def _noted(account: ApiAccount, ending: Ending) -> bool:
    """True for the one transaction that gives this notice: another waits here for its outcome."""
    _, new = EndNotice.objects.get_or_create(
        organisation=account.organisation,
        account=account,
        what=ending.what,
        ends_at=ending.ends_at,
        days=ending.days,
        defaults={"noted_at": clock.now()},
    )
    return new


def _write(account: ApiAccount, due: list[Ending]) -> None:
    organisation = account.organisation
    first = min(due, key=lambda ending: ending.ends_at)
    text = "\n\n".join(
        [
            "Bonjour,",
            f"Votre adresse est celle à prévenir pour le logiciel « {account.name} », relié par l’API à "
            f"l’organisation {organisation.name} (compte {account.identifier}).",
            *(ending.sentence for ending in due),
        ]
    )
    send(
        organisation,
        account.contact,
        f"« {account.name} » : une échéance le {date_longue(first.ends_at)}",
        f"{text}\n",
        headers={"Auto-Submitted": "auto-generated"},
    )

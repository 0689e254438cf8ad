"""What ends soon is told to the contact of an account: on which days, once, and to nobody else."""

from datetime import date, datetime, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection

from parvis.core import clock
from parvis.core.api import services, tasks
from parvis.core.api.endings import notice_due
from parvis.core.api.models import ApiAccount, EndNotice
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.notifications.services import MessageNotSent
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task

SYSTEM = Actor("system")
END = date(2026, 6, 30)
TELLS = "compte_api.echeance_annoncee"


@pytest.mark.parametrize(
    ("days_left", "notice"),
    [(31, None), (30, 30), (29, 30), (8, 30), (7, 7), (6, 7), (0, 7), (-1, None)],
)
def test_which_notice_holds_how_many_days_before(days_left, notice):
    assert notice_due(days_left) == notice


@pytest.fixture
def start(frozen_clock):
    return frozen_clock("2026-03-01T10:00+01:00")


@pytest.fixture
def morning(frozen_clock, run_jobs):
    """``morning("2026-05-31")`` lives the daily job of that day, and what it enqueues."""

    def live(day, **options):
        frozen_clock(f"{day}T06:40+02:00")
        tasks.daily()
        run_jobs(**options)

    return live


@pytest.fixture
def account(start, api_account, juvignac):
    return api_account(juvignac, expires_on=END)[0]


def told(organisation):
    with acting_for(organisation):
        entries = Entry.objects.filter(action=TELLS).order_by("seq")
        return [(entry.details["what"], entry.details["days"]) for entry in entries]


def test_an_account_is_told_of_thirty_and_seven_days_before_its_end(account, juvignac, morning, mailoutbox):
    sent = []
    for day in ("2026-05-30", "2026-05-31", "2026-06-01", "2026-06-22", "2026-06-23", "2026-06-30", "2026-07-01"):
        before = len(mailoutbox)
        morning(day)
        sent += [day] * (len(mailoutbox) - before)
    assert sent == ["2026-05-31", "2026-06-23"]
    assert told(juvignac) == [("account", 30), ("account", 7)]


def test_the_message_is_the_organisations_and_names_the_software_and_the_day(account, juvignac, morning, mailoutbox):
    morning("2026-05-31")
    (message,) = mailoutbox
    assert message.to == ["editeur@logiciel.test"]
    assert juvignac.name in message.from_email
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "« Logiciel d’essai »" in message.subject
    assert "mardi 30\u00a0juin 2026" in message.body
    assert account.identifier in message.body
    assert juvignac.name in message.alternatives[0][0]


def test_a_job_repeated_the_same_day_sends_nothing_more(account, juvignac, morning, mailoutbox):
    morning("2026-05-31")
    morning("2026-05-31")
    tasks.warn_contact(juvignac.pk, account_id=str(account.pk))
    assert len(mailoutbox) == 1


def test_a_day_without_worker_delays_the_notice(account, morning, mailoutbox):
    morning("2026-06-03")
    assert len(mailoutbox) == 1


def test_nothing_is_sent_for_a_revoked_account(account, juvignac, morning, mailoutbox):
    with acting_for(juvignac):
        services.revoke_account(account, actor=SYSTEM)
    morning("2026-05-31")
    tasks.warn_contact(juvignac.pk, account_id=str(account.pk))
    assert mailoutbox == []


def test_nothing_is_sent_for_an_account_without_end(start, api_account, juvignac, morning, mailoutbox):
    api_account(juvignac)
    morning("2026-05-31")
    assert mailoutbox == []


def test_the_secret_kept_during_a_rotation_is_told_of(start, api_account, juvignac, frozen_clock, morning, mailoutbox):
    account, _ = api_account(juvignac)
    frozen_clock("2026-05-30T12:00+02:00")
    with acting_for(juvignac):
        services.rotate_secret(account, overlap=timedelta(days=30), actor=SYSTEM)
    for day in ("2026-05-31", "2026-06-01", "2026-06-22", "2026-06-23"):
        morning(day)
    assert told(juvignac) == [("secret", 30), ("secret", 7)]
    assert "L’ancien secret ne sera plus accepté après le 29\u00a0juin 2026" in mailoutbox[0].body


def test_a_secret_put_out_before_its_time_is_told_of_no_more(start, api_account, juvignac, morning, mailoutbox):
    account, _ = api_account(juvignac)
    with acting_for(juvignac):
        services.rotate_secret(account, overlap=timedelta(days=30), actor=SYSTEM)
        services.rotate_secret(account, overlap=timedelta(0), actor=SYSTEM)
    morning("2026-03-02")
    assert mailoutbox == []


def test_a_pinned_certificate_is_told_of_before_its_end(start, api_account, juvignac, morning, mailoutbox):
    account, _ = api_account(juvignac)
    with acting_for(juvignac):
        ApiAccount.objects.filter(pk=account.pk).update(
            certificate_sha256="0" * 64, certificate_until=datetime(2026, 6, 30, 10, tzinfo=clock.UTC)
        )
    for day in ("2026-05-30", "2026-05-31", "2026-06-23", "2026-06-24"):
        morning(day)
    assert told(juvignac) == [("certificate", 30), ("certificate", 7)]
    assert "Le certificat TLS expire le 30\u00a0juin 2026" in mailoutbox[0].body


def test_the_certificate_kept_during_a_rotation_is_told_of(start, api_account, juvignac, morning, mailoutbox):
    account, _ = api_account(juvignac)
    far = datetime(2040, 1, 1, tzinfo=clock.UTC)
    with acting_for(juvignac):
        ApiAccount.objects.filter(pk=account.pk).update(
            certificate_sha256="0" * 64, certificate_until=far, former_sha256="1" * 64,
            former_until=datetime(2026, 6, 30, 10, tzinfo=clock.UTC),
        )  # fmt: skip
    for day in ("2026-05-30", "2026-05-31", "2026-06-23", "2026-06-24"):
        morning(day)
    assert told(juvignac) == [("former", 30), ("former", 7)]
    assert "L’ancien certificat TLS ne sera plus accepté après le 30\u00a0juin 2026" in mailoutbox[0].body


def test_two_ends_of_one_day_make_one_message(account, juvignac, frozen_clock, morning, mailoutbox):
    frozen_clock("2026-05-30T12:00+02:00")
    with acting_for(juvignac):
        services.rotate_secret(account, overlap=timedelta(days=30), actor=SYSTEM)
    morning("2026-05-31")
    assert len(mailoutbox) == 1
    assert sorted(told(juvignac)) == [("account", 30), ("secret", 30)]


def test_an_organisation_sees_and_tells_its_own_accounts_only(account, juvignac, fabregues, morning, mailoutbox):
    tasks.warn_contact(fabregues.pk, account_id=str(account.pk))
    assert mailoutbox == []
    morning("2026-05-31")
    with acting_for(fabregues):
        assert not EndNotice.objects.exists()
    assert told(fabregues) == []
    with acting_for(juvignac):
        assert EndNotice.objects.get().account_id == account.pk


def test_a_notice_opens_no_task(account, juvignac, morning):
    morning("2026-05-31")
    with acting_for(juvignac):
        assert EndNotice.objects.exists()
        assert not Task.objects.exists()


def _refusing(monkeypatch, code):
    def refused(self):
        raise SMTPRecipientsRefused({"editeur@logiciel.test": (code, b"no")})

    monkeypatch.setattr(EmailMultiAlternatives, "send", refused)


def test_a_relay_that_asks_to_wait_is_asked_again(account, juvignac, frozen_clock, monkeypatch, mailoutbox):
    frozen_clock("2026-05-31T06:40+02:00")
    with monkeypatch.context() as patch:
        _refusing(patch, 450)
        with pytest.raises(MessageNotSent):
            tasks.warn_contact(juvignac.pk, account_id=str(account.pk))
    assert not connection.needs_rollback
    tasks.warn_contact(juvignac.pk, account_id=str(account.pk))
    assert len(mailoutbox) == 1


def test_an_address_refused_for_good_is_journalled_and_not_asked_again(account, juvignac, morning, monkeypatch):
    _refusing(monkeypatch, 550)
    morning("2026-05-31")
    morning("2026-06-01")
    with acting_for(juvignac):
        assert Entry.objects.filter(action="compte_api.echeance_non_remise").count() == 1
    assert told(juvignac) == []

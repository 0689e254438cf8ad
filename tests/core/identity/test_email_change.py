"""Change of address: proved by the new one, undone by the old one."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from parvis.core import clock
from parvis.core.identity.models import NO_ADDRESS, Account
from tests.core.identity.life import PASSWORD, browser_of, citizen, link_in, outbox  # noqa: F401

pytestmark = pytest.mark.django_db
NEW = "camille.nouvelle@exemple.test"


@pytest.fixture
def account():
    return citizen()


def asked(account, run_jobs, outbox, new=NEW) -> str:  # noqa: F811
    """Ask for ``new`` and return the path of the link sent there."""
    answer = browser_of(account).post("/mon-compte/adresse/", {"email": new})
    assert answer.status_code == 302, answer.content.decode()
    run_jobs()
    return link_in(next(m for m in reversed(outbox) if m.to == [new]))


def changed(account, run_jobs, outbox) -> str:  # noqa: F811
    """Change the address and return the path of the link sent to the old one."""
    path = asked(account, run_jobs, outbox)
    assert browser_of(account).post(path).status_code == 302
    run_jobs()
    return link_in(outbox[-1])


def test_the_address_changes_once_the_new_one_is_proved(account, run_jobs, outbox):  # noqa: F811
    old = account.email
    EmailAddress.objects.create(user=account, email=old, verified=True, primary=True)
    path = asked(account, run_jobs, outbox)
    account.refresh_from_db()
    assert account.email == old
    assert any(m.to == [old] and "demandé" in m.subject for m in outbox)
    client = browser_of(account)
    assert NEW in client.get(path).content.decode()
    account.refresh_from_db()
    assert account.email == old  # looking changes nothing
    assert client.post(path).status_code == 302
    account.refresh_from_db()
    assert account.email == NEW
    assert list(EmailAddress.objects.filter(user=account).values_list("email", "verified")) == [(NEW, True)]
    run_jobs()
    assert outbox[-1].to == [old]
    assert NEW not in outbox[-1].body


def test_an_address_given_by_an_administration_is_proved_by_its_holder(account, run_jobs, outbox):  # noqa: F811
    Account.objects.update(email_verified_at=None)
    account.refresh_from_db()
    assert account.proved_address == ""
    client = browser_of(account)
    assert "Laissez l’adresse actuelle pour la prouver" in client.get("/mon-compte/adresse/").content.decode()
    path = asked(account, run_jobs, outbox, account.email)
    assert "sera prouvée" in client.get(path).content.decode()
    client.post(path)
    run_jobs()
    account.refresh_from_db()
    assert account.proved_address == account.email
    assert [m.subject for m in outbox] == ["Confirmez votre adresse"], "nobody else is told, nothing is to be undone"


def test_an_old_proof_of_identity_is_asked_again(account):
    answer = browser_of(account, proved=3600).post("/mon-compte/adresse/", {"email": NEW})
    assert answer.status_code == 303
    assert "/compte/" in answer["Location"] or "/securite/" in answer["Location"]


def test_the_link_ends_after_two_hours_and_serves_once(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    path = asked(account, run_jobs, outbox)
    frozen_clock("2019-06-24T12:00+02:00")
    assert browser_of(account).post(path).status_code == 410
    frozen_clock("2019-06-24T11:59+02:00")
    client = browser_of(account)
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 410


def test_a_newer_request_replaces_the_older_one(account, run_jobs, outbox):  # noqa: F811
    first = asked(account, run_jobs, outbox)
    asked(account, run_jobs, outbox, "camille.autre@exemple.test")
    assert browser_of(account).post(first).status_code == 410


def test_another_browser_must_log_in_to_the_same_account(account, run_jobs, outbox):  # noqa: F811
    path = asked(account, run_jobs, outbox)
    assert "/compte/login" in Client().get(path)["Location"]
    other = citizen("autre@exemple.test")
    answer = browser_of(other).post(path)
    assert answer.status_code == 410
    assert "autre compte" in answer.content.decode()
    other.refresh_from_db()
    assert other.email == "autre@exemple.test"
    assert browser_of(account).post(path).status_code == 302


def test_the_address_of_another_account_is_never_told_nor_taken(account, run_jobs, outbox):  # noqa: F811
    citizen(NEW)
    free = browser_of(account).post("/mon-compte/adresse/", {"email": "libre@exemple.test"})
    taken = browser_of(account).post("/mon-compte/adresse/", {"email": NEW})
    assert (free.status_code, free["Location"]) == (taken.status_code, taken["Location"])
    run_jobs()
    message = next(m for m in outbox if m.to == [NEW])
    assert "http" not in message.body


def test_an_address_taken_meanwhile_is_not_taken_twice(account, run_jobs, outbox):  # noqa: F811
    path = asked(account, run_jobs, outbox)
    citizen(NEW)
    answer = browser_of(account).post(path)
    assert answer.status_code == 410
    account.refresh_from_db()
    assert account.email == "camille@exemple.test"


def test_the_former_address_undoes_the_change_for_seven_days(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    path = changed(account, run_jobs, outbox)
    thief = browser_of(Account.objects.get(pk=account.pk))
    assert thief.get("/mon-compte/").status_code == 200
    frozen_clock("2019-07-01T10:00+02:00")
    assert Client().post(path).status_code == 410
    frozen_clock("2019-07-01T09:59+02:00")
    assert Client().get(path).status_code == 200
    assert Client().post(path).status_code == 200
    account.refresh_from_db()
    assert account.email == "camille@exemple.test"
    assert not account.check_password(PASSWORD)
    assert thief.get("/mon-compte/").status_code == 302
    assert Client().post(path).status_code == 410


def test_undoing_ends_what_the_other_side_had_asked(account, run_jobs, outbox):  # noqa: F811
    undo = changed(account, run_jobs, outbox)
    account.refresh_from_db()
    pending = asked(account, run_jobs, outbox, "encore@exemple.test")
    assert Client().post(undo).status_code == 200
    account.refresh_from_db()
    assert browser_of(account).post(pending).status_code == 410


@pytest.mark.parametrize("typed", ["", "pas une adresse", "camille@exеmple.fr", "camille@exemple.test", "x" * 500])
def test_an_address_that_cannot_be_is_refused_with_the_page(account, typed):
    Account.objects.update(email_verified_at=clock.now())  # one's own is refused once it is proved
    answer = browser_of(account).post("/mon-compte/adresse/", {"email": typed})
    assert answer.status_code == 200
    assert "à corriger" in answer.content.decode()


def test_an_account_that_had_no_address_gets_one(run_jobs, outbox):  # noqa: F811
    account = citizen("fc-1" + NO_ADDRESS)
    path = asked(account, run_jobs, outbox)
    assert browser_of(account).post(path).status_code == 302
    run_jobs()
    assert [m.to for m in outbox] == [[NEW]]
    account.refresh_from_db()
    assert account.email == NEW

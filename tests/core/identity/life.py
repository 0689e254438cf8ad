"""What the tests of the life of accounts share: a citizen, their browser, the mails that leave."""

import re
import time

import pytest
from django.core import mail
from django.test import Client

from parvis.core.identity.models import Account

PASSWORD = "sept grands hérons traversent l’étang de Thau 1987"


def citizen(email: str = "camille@exemple.test", **fields) -> Account:
    names = {"given_name": "Camille", "family_name": "Essai", **fields}
    return Account.objects.create_user(email, PASSWORD, population="usager", **names)


def browser_of(account: Account, *, proved: float = 0) -> Client:
    """A browser where ``account`` logged in ``proved`` seconds ago."""
    client = Client()
    client.force_login(account)
    session = client.session
    session["account_authentication_methods_user"] = str(account.pk)
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time() - proved, "email": account.email},
        {"method": "mfa", "type": "totp", "at": time.time() - proved},
    ]
    session.save()
    return client


def link_in(message) -> str:
    """Path of the only address of Parvis in a message, without its host."""
    found = re.findall(r"https?://[^/\s]+(/\S+)", message.body)
    assert len(found) == 1, message.body
    return found[0]


@pytest.fixture
def outbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox

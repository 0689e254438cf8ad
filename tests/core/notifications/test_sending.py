"""A refusal of the relay says whether to try again, and repeats no address to the logs."""

import traceback
from smtplib import SMTPConnectError, SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

import pytest
from django.core.mail import EmailMultiAlternatives

from parvis.core.notifications.services import MessageNotSent, send

ADDRESS = "jeanne.martin@exemple.test"


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (SMTPRecipientsRefused({ADDRESS: (550, f"<{ADDRESS}> unknown".encode())}), True),
        (SMTPRecipientsRefused({ADDRESS: (450, f"<{ADDRESS}> greylisted".encode())}), False),
        (SMTPDataError(554, f"refused for {ADDRESS}"), True),
        (SMTPDataError(451, "later"), False),
        (SMTPSenderRefused(550, b"no", ADDRESS), False),
        (SMTPConnectError(554, "no"), False),
        (ConnectionRefusedError(ADDRESS), False),
    ],
)
def test_a_refusal_never_quotes_the_address(juvignac, monkeypatch, error, is_final):
    def refused(self):
        raise error

    monkeypatch.setattr(EmailMultiAlternatives, "send", refused)
    with pytest.raises(MessageNotSent) as refusal:
        send(juvignac, ADDRESS, "objet", "texte")
    assert refusal.value.is_final is is_final
    assert refusal.value.data["cause"] == type(error).__name__
    assert (refusal.value.__cause__, refusal.value.__context__) == (None, None)
    logged = "".join(traceback.format_exception(refusal.value))
    assert ADDRESS not in logged + str(refusal.value.data)

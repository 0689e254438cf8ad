"""A refusal of the relay says whether to try again, and repeats no address to the logs."""

import traceback
from email import message_from_bytes, policy
from smtplib import SMTPConnectError, SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

import pytest
from django.core.mail import EmailMultiAlternatives

from parvis.core.notifications.services import MessageNotSent, send
from tests.names import named

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


@named
def test_a_message_says_names_in_its_headers(juvignac, mailoutbox, given, family):
    juvignac.name = f"Mairie de {family}, service de {given}"
    file = (f"procuration de {given} {family}.pdf", b"%PDF-1.7", "application/pdf")
    send(juvignac, ADDRESS, f"Convocation de {given} {family}", "texte", attachments=[file])
    raw = mailoutbox[0].message().as_bytes()
    head = raw.partition(b"\n\n")[0]
    assert head.isascii()
    read = message_from_bytes(raw, policy=policy.default)
    assert read["Subject"].strip() == f"Convocation de {given} {family}"
    assert read["From"].addresses[0].display_name == f"Mairie de {family}, service de {given}"
    assert [part.get_filename() for part in read.iter_attachments()] == [f"procuration de {given} {family}.pdf"]

"""E-mail messages sent in the name of an organisation, over SMTP."""

import re
from collections.abc import Iterable, Mapping
from email.utils import formataddr, make_msgid
from smtplib import SMTPDataError, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from parvis.core.branding.look import look_of
from parvis.core.errors import DomainError
from parvis.core.notifications import layout
from parvis.core.organisations.models import Organisation

LINE_BREAK = re.compile(r"[\r\n]+")


class MessageNotSent(DomainError):
    """The mail relay refused the message or could not be reached.

    ``is_final`` says that sending again is of no use. The relay's own error is not chained: its text quotes
    addresses, which would reach the logs.
    """

    def __init__(self, sentence: str, *, is_final: bool = False, **data: object) -> None:
        super().__init__(sentence, is_final=is_final, **data)
        self.is_final = is_final


def send(
    organisation: Organisation,
    to: str,
    subject: str,
    text: str,
    *,
    attachments: Iterable[tuple[str, bytes, str]] = (),
    headers: Mapping[str, str] | None = None,
    html: str = "",
) -> str:
    """Hand one message to the mail relay and return its Message-ID.

    ``text`` is signed as the organisation's look says, and dressed in HTML unless ``html`` is given.
    ``attachments`` are (file name, content, media type). Raises ``MessageNotSent`` with the relay's reason.
    Nothing leaves for the address of an account that has none yet (``.invalid``, RFC 6761 §6.4).
    """
    sender = organisation.email_sender or settings.DEFAULT_FROM_EMAIL
    message_id = make_msgid(domain=sender.rpartition("@")[2])
    if to.endswith(".invalid"):
        return message_id
    look = look_of(organisation)
    subject, text = LINE_BREAK.sub(" ", subject), layout.signed(organisation, text)
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=formataddr((look.sender_name or organisation.name, sender)),
        to=[to],
        reply_to=[look.reply_to] if look.reply_to else None,
        headers={**(headers or {}), "Message-ID": message_id},
    )
    message.attach_alternative(html or layout.html_of(organisation, subject, text), "text/html")
    for name, content, media_type in attachments:
        message.attach(name, content, media_type)
    try:
        message.send()
        return message_id
    except OSError as error:  # smtplib's errors derive from OSError
        cause, is_final = type(error).__name__, _is_final(error)
    # Outside the handler, so that the error is neither the cause nor the context of this one.
    raise MessageNotSent(
        "Le message n’a pas pu être remis au relais de messagerie ; il sera présenté de nouveau.",
        is_final=is_final,
        cause=cause,
    )


def _is_final(error: OSError) -> bool:
    """True for a permanent refusal of the address or of the message (RFC 5321 §4.2.1, codes 5xx).

    A relay that refuses us (greeting, password, sender) says nothing of the address: it is asked again.
    """
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= 500

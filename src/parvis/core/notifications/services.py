"""E-mail messages sent in the name of an organisation, over SMTP."""

import re
from collections.abc import Iterable, Mapping
from email.utils import formataddr, make_msgid

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from parvis.core.errors import DomainError
from parvis.core.organisations.models import Organisation

LINE_BREAK = re.compile(r"[\r\n]+")


class MessageNotSent(DomainError):
    """The mail relay refused the message or could not be reached."""


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

    ``attachments`` are (file name, content, media type). Raises ``MessageNotSent`` with the relay's reason.
    """
    sender = organisation.email_sender or settings.DEFAULT_FROM_EMAIL
    message_id = make_msgid(domain=sender.rpartition("@")[2])
    message = EmailMultiAlternatives(
        subject=LINE_BREAK.sub(" ", subject),
        body=text,
        from_email=formataddr((organisation.name, sender)),
        to=[to],
        headers={**(headers or {}), "Message-ID": message_id},
    )
    if html:
        message.attach_alternative(html, "text/html")
    for name, content, media_type in attachments:
        message.attach(name, content, media_type)
    try:
        message.send()
    except OSError as error:  # smtplib's errors derive from OSError
        raise MessageNotSent(
            "Le message n’a pas pu être remis au relais de messagerie ; il sera présenté de nouveau.",
            cause=type(error).__name__,  # its text quotes the address
        ) from error
    return message_id

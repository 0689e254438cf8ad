"""How a message in plain words is dressed: the organisation's signature, and the same words in simple HTML."""

import re
from collections.abc import Iterator
from typing import Final

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from parvis.core.branding.look import look_of
from parvis.core.organisations.models import Organisation
from parvis.core.web.theming import Theme

ADDRESS: Final = re.compile(r"(https?://[^\s<>\"']*[\w/=&#-])")


def signed(organisation: Organisation, text: str) -> str:
    """``text`` followed by the organisation's signature, if it has one, after the mark of RFC 3676 §4.3."""
    signature = look_of(organisation).signature
    return f"{text.rstrip()}\n\n-- \n{signature}\n" if signature else text


def html_of(organisation: Organisation, subject: str, text: str) -> str:
    """The HTML part of a message: the words of ``text``, under the organisation's name in its colour."""
    body, mark, signature = text.partition("\n-- \n")
    light = Theme(organisation.accent, organisation.accent_2).light()
    context = {
        "subject": subject,
        "name": organisation.name,
        "accent": light["accent"],
        "paragraphs": list(_paragraphs(body)),
        "signature": _lines(signature.strip()) if mark else "",
        "footer": look_of(organisation).footer_text,
    }
    return render_to_string("notifications/message.html", context)


def _paragraphs(text: str) -> Iterator[SafeString]:
    return (_lines(part.strip()) for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if part.strip())


def _lines(text: str) -> SafeString:
    return format_html_join(SafeString("<br>"), "{}", ((_linked(line),) for line in text.split("\n")))


def _linked(line: str) -> SafeString:
    """The addresses of ``line`` as links; everything else is escaped."""
    parts = ADDRESS.split(line)  # one in two is an address
    return format_html_join(
        "", "{}", ((format_html('<a href="{}">{}</a>', p, p) if i % 2 else p,) for i, p in enumerate(parts))
    )

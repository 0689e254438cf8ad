"""Messages leave under the organisation's look: its name, its address of reply, its signature, its colour."""

from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from django.core import mail

from parvis.core.notifications.services import send
from parvis.core.organisations.models import Organisation
from tests.core.branding.hands import BASE

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(editor, juvignac):
    """``written(text)`` -> the message that leaves once Juvignac has a look."""
    editor.save(
        accent="#0b5c63", sender_name="Mairie « Essai »", reply_to="accueil@juvignac.test", signature="La mairie\nici"
    )
    editor.publish()

    def write(text: str):
        send(Organisation.objects.get(pk=juvignac.pk), "camille@exemple.test", "Objet", text)
        return mail.outbox[-1]

    return write


def test_a_message_carries_the_name_the_reply_address_and_the_signature(written):
    message = written("Bonjour,\n\nVoici.")
    assert parseaddr(str(make_header(decode_header(message.from_email)))) == (
        "Mairie « Essai »",
        "mairie@juvignac.test",
    )
    assert message.reply_to == ["accueil@juvignac.test"]
    assert message.body == "Bonjour,\n\nVoici.\n\n-- \nLa mairie\nici\n"
    ((html, kind),) = message.alternatives
    assert kind == "text/html"
    assert "La mairie<br>ici" in html
    assert "#0b5c63" in html
    assert "<img" not in html


def test_the_html_part_says_the_same_words_escaped_with_links_only_for_addresses(written):
    html = written(
        "Bonjour <script>alert(1)</script>,\n\nLisez https://parvis.test/a?b=1&c=2.\nexemple.test javascript:alert(1)"
    ).alternatives[0][0]
    assert "<script>" not in html
    assert '<a href="https://parvis.test/a?b=1&amp;c=2">https://parvis.test/a?b=1&amp;c=2</a>.' in html
    assert html.count("<a ") == 1


def test_without_a_look_a_message_keeps_the_official_name(juvignac):
    send(juvignac, "camille@exemple.test", "Objet", "Bonjour")
    message = mail.outbox[-1]
    assert (message.body, message.reply_to) == ("Bonjour", [])
    assert "Commune de Juvignac" in message.from_email


def test_no_line_break_reaches_the_headers(editor, juvignac):
    editor.save(sender_name="Mairie\r\nBcc: tous@exemple.test")
    page = editor.client.get(BASE)
    assert page.status_code == 200
    with pytest.raises(KeyError):
        juvignac.look["sender_name"]

"""The mail sandbox through the clients that real readers use: smtplib, imaplib, imapclient, a browser's
HTTP."""

import imaplib
import json
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from imapclient import IMAPClient

from parvis_sandbox import mail


@pytest.fixture
def post(tmp_path):
    service = mail.start(tmp_path, lambda: datetime(2019, 7, 3, 8, tzinfo=UTC))
    yield service
    service.stop()


def send(post, subject="Convocation", to=("elu@juvignac.test",)):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mairie@juvignac.test", ", ".join(to), subject
    message.set_content("Bonjour, l’été <arrive>.\r\n.\r\nFin")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="séance.ics")
    with smtplib.SMTP("127.0.0.1", post.smtp_port) as client:
        client.send_message(message)
    return message


@pytest.fixture
def reader(post):
    client = IMAPClient("127.0.0.1", port=post.imap_port, ssl=False)
    client.login("elu@juvignac.test", "any")
    yield client
    client.logout()


def test_each_recipient_gets_the_message_as_sent(post):
    send(post, to=("a@juvignac.test", "B@juvignac.test"))
    assert len(post.messages("a@juvignac.test")) == len(post.messages("b@juvignac.test")) == 1
    assert b"Delivered-To: a@juvignac.test" in post.messages("a@juvignac.test")[0]
    assert post.messages("c@juvignac.test") == []


def test_an_imap_client_fetches_marks_and_files(post, reader):
    for n in range(3):
        send(post, f"Message {n}")
    assert reader.select_folder("INBOX")[b"EXISTS"] == 3
    uids = reader.search(["UNSEEN"])
    assert uids == [1, 2, 3]
    fetched = reader.fetch(uids, ["BODY.PEEK[]", "RFC822.SIZE", "FLAGS"])
    assert fetched[2][b"BODY[]"] == post.messages("elu@juvignac.test")[1]
    assert fetched[2][b"RFC822.SIZE"] == len(fetched[2][b"BODY[]"])
    assert reader.search(["UNSEEN"]) == uids
    reader.add_flags([1], [b"\\Seen"])
    assert reader.search(["UNSEEN", "UNDELETED"]) == [2, 3]
    reader.create_folder("Traites")
    assert reader.has_capability("MOVE")
    reader.move([2], "Traites")
    assert reader.search(["ALL"]) == [1, 3]
    reader.delete_messages([3])
    reader.expunge()
    assert reader.search(["ALL"]) == [1]
    reader.select_folder("Traites")
    assert len(reader.search(["ALL"])) == 1
    assert {name for _, _, name in reader.list_folders()} == {"INBOX", "Traites"}
    assert reader.folder_status("INBOX", ["MESSAGES"])[b"MESSAGES"] == 1


def test_the_standard_client_of_python_works_too(post):
    send(post)
    client = imaplib.IMAP4("127.0.0.1", post.imap_port)
    client.login("elu@juvignac.test", "any")
    assert client.select("INBOX") == ("OK", [b"1"])
    assert client.search(None, "SUBJECT", '"convoc"') == ("OK", [b"1"])
    status, parts = client.fetch("1", "(RFC822)")
    assert status == "OK"
    assert parts[0][1] == post.messages("elu@juvignac.test")[0]
    assert client.search(None, "UNSEEN") == ("OK", [b""])
    status, parts = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])")
    assert b"SUBJECT: Convocation" in parts[0][1]
    assert client.uid("COPY", "1", "Archive")[0] == "NO"
    client.create("Archive")
    assert client.uid("COPY", "1", "Archive")[0] == "OK"
    client.logout()


def test_what_the_server_does_not_know_is_refused_without_breaking(post):
    send(post)
    client = imaplib.IMAP4("127.0.0.1", post.imap_port)
    with pytest.raises(imaplib.IMAP4.error):
        client.select("INBOX")  # not logged in
    client.login("elu@juvignac.test", "any")
    client.select("INBOX")
    with pytest.raises(imaplib.IMAP4.error):
        client.search(None, "LARGER 10")
    assert client.noop()[0] == "OK"
    client.logout()


def test_mail_and_flags_survive_a_restart(tmp_path):
    clock = lambda: datetime(2019, 7, 3, tzinfo=UTC)  # noqa: E731
    first = mail.start(tmp_path, clock)
    send(first)
    with first.store.lock:
        folder = first.store.folder("elu@juvignac.test")
        folder.messages[0].flags.add("\\Seen")
        folder.mark(folder.messages[0])
    first.stop()
    second = mail.start(tmp_path, clock)
    assert len(second.messages("elu@juvignac.test")) == 1
    assert second.store.folder("elu@juvignac.test").messages[0].flags == {"\\Seen"}
    send(second)
    assert [m.uid for m in second.store.folder("elu@juvignac.test").messages] == [1, 2]
    second.stop()


def test_the_page_shows_the_messages_and_escapes_them(post):
    send(post, "<script>alert(1)</script>")
    address = quote("elu@juvignac.test")
    home = urlopen(post.http_url).read().decode()
    assert "elu@juvignac.test" in home
    box = urlopen(f"{post.http_url}/boite?adresse={address}").read().decode()
    assert "&lt;script&gt;" in box
    assert "<script>" not in box
    message = urlopen(f"{post.http_url}/message?adresse={address}&uid=1").read().decode()
    assert "l’été &lt;arrive&gt;" in message
    assert urlopen(f"{post.http_url}/piece?adresse={address}&uid=1&n=0").read() == b"BEGIN:VCALENDAR"
    assert urlopen(f"{post.http_url}/brut?adresse={address}&uid=1").read() == post.messages("elu@juvignac.test")[0]
    rows = json.loads(urlopen(f"{post.http_url}/messages.json?adresse={address}").read())
    assert [(row["uid"], row["folder"], row["attachments"]) for row in rows] == [(1, "INBOX", ["séance.ics"])]
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{post.http_url}/message?adresse={address}&uid=9")

"""Storage and delivery: immutable contents, hostile names, limits, ranges, neighbours kept out."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from django.core.files.storage import storages

from parvis.core.documents import services, storage
from parvis.core.documents.errors import (
    DocumentDamaged,
    DocumentInfected,
    DocumentMissing,
    DocumentRefused,
    DocumentTooLarge,
)
from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis.core.routing.services import attach
from tests.core.documents.test_pdf import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "documents"},
        }
    }


def stored_path(document: Document) -> Path:
    return Path(storages["documents"].path(storage.content_key(document.organisation, document.sha256)))


def test_a_document_is_described_and_kept(acting_for_juvignac):
    content = make(pages=2)
    document = services.store(acting_for_juvignac, content, "Délibération.pdf", label="Délibération")
    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert (document.size, document.pages, document.media_type) == (len(content), 2, "application/pdf")
    assert document.puid.startswith("fmt/")
    assert document.scan_state == Document.Scan.NOT_SCANNED
    assert document.health["acceptable"] is True
    assert services.read_bytes(document) == content
    services.verify(document)
    assert stored_path(document).stat().st_mode & 0o777 == 0o444


def test_the_same_content_is_kept_once(acting_for_juvignac):
    first = services.store(acting_for_juvignac, b"bonjour", "a.txt")
    inode = stored_path(first).stat().st_ino
    second = services.store(acting_for_juvignac, io.BytesIO(b"bonjour"), "b.txt", source=first, derivation="copie")
    assert first.pk != second.pk
    assert stored_path(second).stat().st_ino == inode
    assert list(stored_path(first).parents[2].joinpath("incoming").iterdir()) == []
    assert list(first.derived.all()) == [second]


def test_two_organisations_do_not_share_a_file(juvignac, fabregues):
    with acting_for(juvignac, fabregues):
        one = services.store(juvignac, b"bonjour", "a.txt")
        two = services.store(fabregues, b"bonjour", "a.txt")
    assert stored_path(one) != stored_path(two)


def test_too_large_stops_before_the_end_and_leaves_nothing(acting_for_juvignac):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            self.given += size
            return b"x" * size

    stream = Endless()
    with pytest.raises(DocumentTooLarge, match=r"« gros\.pdf » dépasse 2 Mio"):
        services.store(acting_for_juvignac, stream, "gros.pdf", limit=2 * 1024 * 1024)
    assert stream.given <= 3 * 1024 * 1024
    root = Path(storages["documents"].location)
    assert [p for p in root.rglob("*") if p.is_file()] == []
    assert not Document.objects.exists()


def test_an_interrupted_upload_leaves_nothing(acting_for_juvignac):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        services.store(acting_for_juvignac, Broken(), "a.pdf")
    assert [p for p in Path(storages["documents"].location).rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "vide"), (b"PK\x03\x04fake", "n’est pas un PDF"), (make(pages=5)[:600], "tronqué")],
)
def test_an_unsound_pdf_is_refused_when_asked(acting_for_juvignac, content, words):
    with pytest.raises(DocumentRefused, match=words):
        services.store(acting_for_juvignac, content, "annexe.pdf", must_be_sound=True)
    assert not Document.objects.exists()
    assert services.store(acting_for_juvignac, content, "annexe.pdf").health["acceptable"] is False


def test_a_lying_extension_is_refused_when_asked(acting_for_juvignac):
    with pytest.raises(DocumentRefused, match=r"extension \.xml"):
        services.store(acting_for_juvignac, make(), "acte.xml", must_be_sound=True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\Vœu de Juvignac.pdf", "Vœu de Juvignac.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("de\u0301libe\u0301ration.pdf", "délibération.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("...", "document"),
        ("x" * 400 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_file_names_are_made_safe(given, kept):
    assert services.clean_filename(given) == kept


def test_a_content_altered_on_disk_is_not_given_back(acting_for_juvignac):
    document = services.store(acting_for_juvignac, b"bonjour", "a.txt")
    path = stored_path(document)
    path.chmod(0o644)
    path.write_bytes(b"bonsoir")
    with pytest.raises(DocumentDamaged):
        services.read_bytes(document)
    with pytest.raises(DocumentDamaged):
        services.verify(document)
    path.unlink()
    with pytest.raises(DocumentMissing):
        services.read_bytes(document)


def test_reading_whole_has_a_limit(acting_for_juvignac):
    document = services.store(acting_for_juvignac, b"x" * 100, "a.txt")
    with pytest.raises(DocumentTooLarge):
        services.read_bytes(document, limit=99)


def test_another_kind_of_storage(acting_for_juvignac, settings):
    settings.STORAGES = settings.STORAGES | {
        "documents": {"BACKEND": "django.core.files.storage.InMemoryStorage", "OPTIONS": {}}
    }
    content = make()
    document = services.store(acting_for_juvignac, content, "a.pdf")
    services.store(acting_for_juvignac, content, "b.pdf")
    assert services.read_bytes(document) == content
    with services.local_file(document) as path:
        assert path.read_bytes() == content


# --- antivirus ------------------------------------------------------------------------------------
def test_scanned_document_says_so(acting_for_juvignac, clamd):
    assert services.store(acting_for_juvignac, b"bonjour", "a.txt").scan_state == Document.Scan.CLEAN


def test_infected_document_is_not_kept(acting_for_juvignac, clamd):
    with pytest.raises(DocumentInfected, match=r"« a\.txt » contient un programme malveillant"):
        services.store(acting_for_juvignac, b"un virus " * 100_000, "a.txt")
    assert not Document.objects.exists()


def test_silent_antivirus_leaves_the_document_not_scanned(acting_for_juvignac, settings, tmp_path):
    settings.PARVIS_CLAMD_SOCKET = str(tmp_path / "nobody.sock")
    document = services.store(acting_for_juvignac, b"bonjour", "a.txt")
    assert document.scan_state == Document.Scan.NOT_SCANNED
    assert document.get_scan_state_display() == "Non analysé par l’antivirus"


# --- pages ----------------------------------------------------------------------------------------
def held(document: Document) -> Document:
    """``document`` given a place on a route, without which no page opens it."""
    route = Route.objects.create(
        organisation=document.organisation, kind="essai", title="Vœu", reference="5", created_at=document.created_at
    )
    attach(route, "original", document, "Vœu")
    return document


@pytest.fixture
def document(juvignac):
    with acting_for(juvignac):
        return held(services.store(juvignac, make(pages=2), "Vœu « n° 5 ».pdf"))


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_download(juvignac, document, agent_client):
    response = agent_client(juvignac, "lecteur").get(f"/o/juvignac/documents/{document.pk}/")
    assert response.status_code == 200
    assert hashlib.sha256(body(response)).hexdigest() == document.sha256
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''V%C5%93u")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["ETag"] == f'"{document.sha256}"'
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_download_is_shown_when_asked_and_safe(juvignac, agent_client, document):
    client = agent_client(juvignac, "lecteur")
    shown = client.get(f"/o/juvignac/documents/{document.pk}/?voir")
    assert (shown["Content-Type"], shown["Content-Disposition"][:6]) == ("application/pdf", "inline")
    with acting_for(juvignac):
        page = held(services.store(juvignac, b"<!DOCTYPE html><html><script>alert(1)</script></html>", "a.html"))
    saved = client.get(f"/o/juvignac/documents/{page.pk}/?voir")
    assert saved["Content-Disposition"].startswith("attachment")
    assert saved["Content-Type"] == "application/octet-stream"
    assert "sandbox" in saved["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("header", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=5-", 206, 5, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=0-99999999", 206, 0, None),
        ("bytes=0-0,5-6", 200, 0, None),
        ("pages=1", 200, 0, None),
        ("bytes=99999999-", 416, None, None),
        ("bytes=9-3", 416, None, None),
    ],
)
def test_ranges(juvignac, document, agent_client, header, status, first, last):
    content = make(pages=2)
    response = agent_client(juvignac, "lecteur").get(f"/o/juvignac/documents/{document.pk}/", headers={"Range": header})
    assert response.status_code == status
    if status != 416:
        expected = content[first:] if last is None else content[first : last + 1]
        assert body(response) == expected
        assert int(response["Content-Length"]) == len(expected)


def test_known_content_is_not_sent_again(juvignac, document, agent_client):
    response = agent_client(juvignac, "lecteur").get(
        f"/o/juvignac/documents/{document.pk}/", headers={"If-None-Match": f'"{document.sha256}"'}
    )
    assert (response.status_code, response.content) == (304, b"")


def test_page_image_is_rendered_once(juvignac, document, agent_client):
    client = agent_client(juvignac, "lecteur")
    first = client.get(f"/o/juvignac/documents/{document.pk}/pages/2/?largeur=150")
    assert first["Content-Type"] == "image/png"
    assert first.content.startswith(b"\x89PNG")
    cached = list(Path(storages["documents"].location).rglob("page-2-160.png"))
    assert len(cached) == 1
    before = os.stat(cached[0]).st_mtime_ns
    assert client.get(f"/o/juvignac/documents/{document.pk}/pages/2/?largeur=150").content == first.content
    assert os.stat(cached[0]).st_mtime_ns == before
    assert client.get(f"/o/juvignac/documents/{document.pk}/pages/3/").status_code == 404


def test_digest_on_demand(juvignac, document, agent_client):
    response = agent_client(juvignac, "lecteur").get(f"/o/juvignac/documents/{document.pk}/empreinte/")
    assert response.content.decode() == document.sha256


def test_a_neighbour_sees_nothing(juvignac, fabregues, document, agent_client):
    client = agent_client(fabregues, "secretaire")
    for path in ("", "empreinte/", "pages/1/"):
        assert client.get(f"/o/juvignac/documents/{document.pk}/{path}").status_code == 404
        assert client.get(f"/o/fabregues/documents/{document.pk}/{path}").status_code == 404


def test_two_people_publish_at_once_one_event_is_written(juvignac, document):
    with acting_for(juvignac):
        stale = Document.objects.get(pk=document.pk)
        services.publish(document)
        services.publish(stale)
        assert stale.public_since == document.public_since
        assert Entry.objects.filter(action="documents.publie").count() == 1


def test_the_public_reads_published_documents_only(juvignac, document, client):
    address = f"/p/juvignac/documents/{document.pk}"
    assert client.get(address).status_code == 404
    assert client.get(f"{address}/pages/1/").status_code == 404
    with acting_for(juvignac):
        services.publish(document)
        services.publish(document)
    response = client.get(address)
    assert response.status_code == 200
    assert hashlib.sha256(body(response)).hexdigest() == document.sha256
    assert client.get(f"{address}/pages/1/").status_code == 200
    assert client.get(f"/p/fabregues/documents/{document.pk}").status_code == 404

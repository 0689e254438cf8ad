"""A PKI of our own for these tests, with a clock that each test sets."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from parvis.core.trust import identities
from parvis.core.trust.policy import TrustPolicy, read_certificates
from parvis_sandbox import pki as sandbox_pki


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2019, 7, 2, 9, 12, 30, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="session")
def _running(tmp_path_factory):
    clock = Clock()
    service = sandbox_pki.start(tmp_path_factory.mktemp("pki"), clock)
    yield service, clock
    service.stop()


@pytest.fixture
def authority(_running):
    return _running[0]


@pytest.fixture
def clock(_running):
    _running[1].at = Clock().at
    return _running[1]


@pytest.fixture
def policy(authority, clock):
    return TrustPolicy(
        roots=read_certificates(authority.trust_roots_dir),
        tsa_urls=(authority.tsa_url,),
        allowed_hosts=frozenset({urlsplit(authority.url).netloc}),
    )


@pytest.fixture
def issue(authority):
    """``issue(name, **options)`` -> a signing identity of the sandbox."""

    def make(name: str = "Camille ESSAI", **options):
        material = authority.issue_signer(name, "Commune de Juvignac", "213401235", **options)
        return identities.from_pkcs12(material.path.read_bytes(), material.password)

    return make


@pytest.fixture
def identity(issue):
    return issue()


@pytest.fixture(scope="session")
def plain_pdf() -> bytes:
    """Two pages with text, written by a library that is not the one that signs."""
    import io

    import pikepdf

    document = pikepdf.new()
    for number in (1, 2):
        page = document.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        text = f"BT /F1 12 Tf 72 700 Td (Deliberation, page {number}) Tj 0 -200 Td (Camille ESSAI) Tj ET"
        page.Contents = document.make_stream(text.encode())
    output = io.BytesIO()
    document.save(output, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return output.getvalue()

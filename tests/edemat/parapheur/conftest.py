"""A route that stands at its signature step, and a maire who has a certificate of the sandbox PKI."""

import io
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

import pikepdf
import pytest

from parvis.core import clock
from parvis_sandbox import pki as sandbox_pki

NOW = "2019-07-02T09:12:30+02:00"


class BeforeSignature:
    """A first step that the test closes itself, once the document is there for the parapheur."""

    code, label, done_label = "essai.avant", "À préparer", "Préparé"

    def start(self, step):
        pass


class AfterSignature:
    """A step that starts after the signature and remembers that it did."""

    code, label, done_label = "essai.apres", "À transmettre", "Transmis"
    started: list[str] = []

    def start(self, step):
        self.started.append(str(step.route_id))


@pytest.fixture(autouse=True)
def _steps(monkeypatch):
    from parvis.core.routing import registry

    AfterSignature.started = []
    monkeypatch.setitem(registry._plugins, BeforeSignature.code, BeforeSignature())
    monkeypatch.setitem(registry._plugins, AfterSignature.code, AfterSignature())


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    service = sandbox_pki.start(tmp_path_factory.mktemp("pki"), lambda: clock.now().astimezone(UTC))
    yield service
    service.stop()


@pytest.fixture(autouse=True)
def _trust(pki, settings, tmp_path, frozen_clock):
    frozen_clock(NOW)
    settings.PARVIS_SECRETS_DIR = tmp_path / "secrets"
    settings.PARVIS_TRUST_ROOTS_DIR = Path(pki.trust_roots_dir)
    settings.PARVIS_TSA_URLS = [pki.tsa_url]
    settings.PARVIS_TRUST_ALLOWED_HOSTS = [urlsplit(pki.url).netloc]


def pdf_of(text: str, *, under: str = "", name: str = "Camille Essai") -> bytes:
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    content = f"BT /F1 12 Tf 72 700 Td ({text}) Tj 200 -400 Td ({under or name}) Tj"
    content += f" 0 -14 Td ({name}) Tj ET" if under else " ET"
    page.Contents = document.make_stream(content.encode())
    document.save(output := io.BytesIO())
    return output.getvalue()


@pytest.fixture
def maire(juvignac, account_for, pki):
    from parvis.core.journal.services import SYSTEM
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.trust import certificates

    account = account_for(juvignac, "maire", title="Maire")
    material = pki.issue_signer("Camille ESSAI", "Commune de Juvignac", "213401235")
    with acting_for(juvignac):
        certificates.enrol_pkcs12(
            juvignac, material.path.read_bytes(), material.password, account=account, actor=SYSTEM
        )
    return account


@pytest.fixture
def dgs(juvignac, account_for):
    return account_for(juvignac, "dgs", given_name="Dominique")


@pytest.fixture
def open_dossier():
    """``open_dossier(organisation)`` -> the dossier of a new route; to be called inside ``acting_for``."""
    from parvis.core.documents.services import store
    from parvis.core.journal.services import SYSTEM
    from parvis.core.routing.services import attach, complete_step, open_route, step_of
    from parvis.edemat.parapheur.models import Dossier

    def make(organisation, text="Deliberation 19.07.01.05"):
        route = open_route(
            organisation,
            kind="deliberation",
            title="Convention de gestion",
            reference="19.07.01.05",
            step_codes=[BeforeSignature.code, "parapheur.signature", AfterSignature.code],
            facts={"acte": {"numero": "19.07.01.05", "date": "2019-07-01"}},
            actor=SYSTEM,
        )
        document = store(organisation, pdf_of(text), "deliberation.pdf", label="Délibération")
        attach(route, "original", document, "Délibération")
        complete_step(step_of(route, BeforeSignature.code), summary="", actor=SYSTEM)
        return Dossier.objects.select_related("document").get(route_step__route=route)

    return make

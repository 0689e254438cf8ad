"""PREMIS records are valid for the schema of the Library of Congress."""

import hashlib

import pytest
from lxml import etree

from parvis.core.referentials.schemas import official_schema
from parvis.edemat.archives.formats.premis import PreservationAct, PreservedFile, Software, write_premis
from tests.edemat.archives.dossiers import NOW

P = "{http://www.loc.gov/premis/v3}"


def record() -> bytes:
    content = b"content"
    files = [
        PreservedFile(
            f"urn:parvis:test:{name}",
            f"data/{name}",
            hashlib.sha256(content).hexdigest(),
            hashlib.sha512(content).hexdigest(),
            len(content),
            puid,
            "Portable Document Format" if puid != "UNKNOWN" else "",
            "Délibération & annexe.pdf",
        )
        for name, puid in (("a.pdf", "fmt/276"), ("b.bin", "UNKNOWN"))
    ]
    acts = [
        PreservationAct("e1", "message digest calculation", NOW, "success", "CTRL_EMPREINTE", "2 fichiers"),
        PreservationAct("e2", "virus check", NOW, "warning", "CTRL_ANTIVIRUS"),
        PreservationAct("e3", "replication", NOW, "success"),
    ]
    return write_premis("urn:parvis:test", files, acts, Software("Parvis", "0.1.0"))


@pytest.mark.reference
def test_a_record_is_valid(shared_dir):
    schema = official_schema("seda/premis/premis-v3-0.xsd", shared_dir / "schemas")
    assert schema.errors(etree.fromstring(record())) == []


def test_a_record_says_what_is_kept_and_what_happened():
    root = etree.fromstring(record())
    assert len(root.findall(P + "object")) == 3
    assert [e.findtext(P + "eventType") for e in root.findall(P + "event")] == [
        "message digest calculation",
        "virus check",
        "replication",
    ]
    assert [e.text for e in root.iter(P + "formatRegistryKey")] == ["fmt/276"]
    assert root.findtext(f"{P}agent/{P}agentVersion") == "0.1.0"

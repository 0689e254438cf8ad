"""Metadata of sites: what is read, and every file that is refused with what to correct."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from parvis.core.saml.metadata import MAX_SIZE, MetadataRefused, read

from .conftest import key_pair

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://ancien.exemple.fr/saml"{entity}>
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"{role}>{keys}
<AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{acs}"/>
<AssertionConsumerService index="2" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://x.fr/a"/>
</SPSSODescriptor></EntityDescriptor>"""


UNREADABLE = (
    '<KeyDescriptor><X509Certificate xmlns="http://www.w3.org/2000/09/xmldsig#">@@</X509Certificate></KeyDescriptor>'
)


def described(**values):
    values = {"entity": "", "role": "", "keys": "", "acs": "https://ancien.exemple.fr/retour", **values}
    return MODEL.format(**values).encode()


def key(folder, bits=2048, forged=(b"", b"")):
    _, path = key_pair(folder, bits=bits)
    der = x509.load_pem_x509_certificate(Path(path).read_bytes()).public_bytes(Encoding.DER)
    assert forged[0] in der
    der = der.replace(*forged) if forged[0] else der
    return (
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
        f"{base64.b64encode(der).decode()}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
    )


def test_what_is_read(tmp_path):
    found = read(described(keys=key(tmp_path), role=' AuthnRequestsSigned="true"'), now=NOW)
    assert found.entity_id == "https://ancien.exemple.fr/saml"
    assert found.acs == ("https://ancien.exemple.fr/retour",)
    assert found.signs_requests
    assert len(found.certificates) == 1
    assert found.logout == ""


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "bien form"),
        (b"<a", "bien form"),
        (b"<a/>", "EntityDescriptor"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "DOCTYPE"),
        (b" " * (MAX_SIZE + 1), "256"),
        (described(acs="http://ancien.exemple.fr/retour"), "https://"),
        (described(acs="https://admin@ancien.exemple.fr/retour"), "identifiant"),
        (described(acs="https://ancien.exemple.fr/retour#x"), "#"),
        (described(acs="https://[x"), "nom d’hôte"),
        (described(acs="javascript:alert(1)"), "https://"),
        (described(acs="https://a.fr;script-src *.voleur.fr/retour"), "nom d’hôte"),
        (described(acs="https://a.fr").replace(b"HTTP-POST", b"SOAP"), "HTTP-POST"),
        (described().replace(b"https://ancien.exemple.fr/saml", b""), "entityID"),
        (described(entity=' validUntil="2020-01-01T00:00:00Z"'), "validUntil"),
        (described(entity=' validUntil="demain"'), "validUntil"),
        (described(entity=' validUntil="2027-01-01T00:00:00"'), "fuseau"),
        (described(role=' AuthnRequestsSigned="true"'), "certificat"),
        (described().replace(b"SAML:2.0:protocol", b"SAML:1.1:protocol"), "SPSSODescriptor"),
        (described(keys=UNREADABLE), "illisible"),
    ],
)  # fmt: skip
def test_what_is_refused(content, rule):
    with pytest.raises(MetadataRefused) as refusal:
        read(content, now=NOW)
    assert rule in refusal.value.sentence


def test_a_weak_key_is_refused(tmp_path):
    with pytest.raises(MetadataRefused, match=r"2.048 bits"):
        read(described(keys=key(tmp_path, 1024)), now=NOW)


RSA = bytes.fromhex("06092a864886f70d010101")
FORGED = {
    "algorithm_of_the_key": (RSA, RSA[:-1] + b"\x63"),
    "key": (bytes.fromhex("0203010001"), bytes.fromhex("0203010000")),
    "name": (b"Service", b"\xff\xfe\xff\xfe\xff\xfe\xff"),
}
"""What is changed in a certificate that still parses."""


@pytest.mark.parametrize("what", FORGED)
def test_a_certificate_that_fails_once_it_is_read_is_refused(tmp_path, what):
    with pytest.raises(MetadataRefused, match="certificat du fichier est illisible"):
        read(described(keys=key(tmp_path, forged=FORGED[what])), now=NOW)


def test_http_is_for_this_machine_only():
    assert read(described(acs="http://localhost:8080/retour"), now=NOW, local=True).acs
    with pytest.raises(MetadataRefused):
        read(described(acs="http://localhost:8080/retour"), now=NOW)
    with pytest.raises(MetadataRefused):
        read(described(acs="http://exemple.fr/retour"), now=NOW, local=True)

"""The certificate register: what enters it, what leaves the server, who may sign."""

import pytest

from parvis.core.errors import DomainError
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.tenancy import acting_for
from parvis.core.trust import certificates, identities
from parvis.core.trust.models import Certificate


@pytest.fixture(autouse=True)
def _secrets(settings, tmp_path):
    settings.PARVIS_SECRETS_DIR = tmp_path / "secrets"


@pytest.fixture
def material(authority):
    return authority.issue_signer("Camille ESSAI", "Commune de Juvignac", "213401235")


@pytest.fixture
def maire(juvignac, account_for):
    return account_for(juvignac, "maire")


@pytest.fixture
def enrolled(juvignac, material, maire):
    with acting_for(juvignac):
        yield certificates.enrol_pkcs12(
            juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM
        )


def test_a_certificate_is_registered_with_its_facts_and_without_its_key(enrolled, material):
    row = Certificate.objects.get()
    assert (row.holder, row.usage, row.support) == ("Camille ESSAI", "signature", "fichier")
    assert row.serial == f"{material.certificate.serial_number:x}"
    assert row.not_after.year == 2040
    assert row.without_legal_value
    assert "BEGIN CERTIFICATE" in row.pem
    assert "PRIVATE" not in row.pem
    assert material.password not in str(vars(row))


def test_the_identity_loads_from_the_secret_folder(enrolled):
    assert identities.load(enrolled).common_name == "Camille ESSAI"
    path = identities.secret_path(enrolled.key_ref)
    assert path.stat().st_mode & 0o077 == 0
    assert path.with_suffix(".pass").stat().st_mode & 0o077 == 0


def test_enrolling_twice_keeps_one_row(enrolled, juvignac, material):
    again = certificates.enrol_pkcs12(juvignac, material.path.read_bytes(), material.password, actor=SYSTEM)
    assert again.pk == enrolled.pk


def test_another_organisations_certificate_is_refused(fabregues, material):
    with acting_for(fabregues), pytest.raises(DomainError) as refusal:
        certificates.enrol_pkcs12(fabregues, material.path.read_bytes(), material.password, actor=SYSTEM)
    assert "autre organisation" in refusal.value.sentence


def test_a_neighbour_does_not_see_the_certificate(enrolled, fabregues):
    with acting_for(fabregues):
        assert not Certificate.objects.exists()


def test_a_missing_key_file_is_said(enrolled):
    identities.secret_path(enrolled.key_ref).unlink()
    with pytest.raises(identities.IdentityUnusable) as refusal:
        identities.load(enrolled)
    assert "introuvable" in refusal.value.sentence


def test_a_key_swapped_on_disk_is_refused(enrolled, authority):
    other = authority.issue_signer("Dominique ESSAI", "Commune de Juvignac", "213401235")
    identities.keep(enrolled.key_ref, other.path.read_bytes(), other.password)
    with pytest.raises(identities.IdentityUnusable) as refusal:
        identities.load(enrolled)
    assert "ne correspond pas" in refusal.value.sentence


def test_the_holder_signs_with_it_and_nobody_else(enrolled, juvignac, maire, account_for):
    assert certificates.signing_certificate_of(juvignac, maire).pk == enrolled.pk
    with pytest.raises(certificates.NoCertificate):
        certificates.signing_certificate_of(juvignac, account_for(juvignac, "dgs"))


def test_a_revoked_certificate_signs_no_more(enrolled, juvignac, maire, frozen_clock):
    at = frozen_clock("2019-07-02T09:00+02:00")
    certificates.revoke(enrolled, at=at, actor=SYSTEM)
    with pytest.raises(certificates.NoCertificate):
        certificates.signing_certificate_of(juvignac, maire)
    assert certificates.expiry_of(enrolled).state == "revoque"

"""The page « Certificats de signature »: enrol, assign, revoke, and the reminders before the end."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from parvis.core import clock as application_clock
from parvis.core.journal.models import Entry
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.core.trust import certificates, identities
from parvis.core.trust.models import Certificate
from parvis.core.trust.tasks import remind_renewals

BASE = "/o/juvignac/administration/certificats/"
NEW = f"{BASE}nouveau/"


@pytest.fixture(autouse=True)
def _installation(settings, tmp_path, authority, frozen_clock):
    frozen_clock("2019-07-02T11:12:30+02:00")
    settings.PARVIS_SECRETS_DIR = tmp_path / "secrets"
    settings.PARVIS_TRUST_ROOTS_DIR = authority.trust_roots_dir


@pytest.fixture
def maire(juvignac, account_for):
    return account_for(juvignac, "maire")


@pytest.fixture
def administrator(juvignac, agent_client):
    return agent_client(juvignac, "administrateur")


@pytest.fixture
def issue_file(authority):
    def make(name="Camille ESSAI", organisation="Commune de Juvignac", siren="213401235", **options):
        return authority.issue_signer(name, organisation, siren, **options)

    return make


def sent(material, account, **changed):
    given = {"file": material.path.read_bytes(), "passphrase": material.password} | changed
    return {
        "account": account.pk,
        "file": SimpleUploadedFile("certificat.p12", given["file"]),
        "passphrase": given["passphrase"],
    }


@pytest.fixture
def enrolled(juvignac, maire, issue_file):
    material = issue_file()
    with acting_for(juvignac):
        return certificates.enrol(juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM)


def page(certificate, name="detail") -> str:
    return reverse(f"certificates:{name}", args=["juvignac", certificate.pk])


# -- enrolment ---------------------------------------------------------------------------------------------


def test_a_certificate_is_enrolled_for_a_person_and_its_facts_are_shown(administrator, maire, issue_file, juvignac):
    answer = administrator.post(NEW, sent(issue_file(), maire), follow=True)
    text = answer.content.decode()
    assert "Le certificat est enregistré" in text
    for shown in ("Camille Essai", "Common Name: Camille ESSAI", "Destiné à la signature", "2040"):
        assert shown in text
    with acting_for(juvignac):
        assert certificates.signing_certificate_of(juvignac, maire) == Certificate.objects.get()


def test_the_passphrase_is_nowhere_in_clear(administrator, maire, issue_file, settings, juvignac):
    material = issue_file()
    shown = administrator.post(NEW, sent(material, maire), follow=True).content
    kept = b"".join(path.read_bytes() for path in settings.PARVIS_SECRETS_DIR.rglob("*") if path.is_file())
    assert material.password.encode() not in shown + kept
    with acting_for(juvignac):
        assert identities.load(Certificate.objects.get()).common_name == "Camille ESSAI"


def test_a_refused_form_never_shows_the_passphrase_again(administrator, maire, issue_file):
    answer = administrator.post(NEW, sent(issue_file(), maire, passphrase="une phrase qui ne va pas"))
    assert answer.status_code == 422
    assert "une phrase qui ne va pas" not in answer.content.decode()


def without_key(material) -> bytes:
    certificate = pkcs12.load_key_and_certificates(material.path.read_bytes(), material.password.encode())[1]
    lock = BestAvailableEncryption(material.password.encode())
    return pkcs12.serialize_key_and_certificates(b"x", None, certificate, None, lock)


def test_a_wrong_passphrase_is_said(administrator, maire, issue_file, juvignac):
    refused(administrator, juvignac, sent(issue_file(), maire, passphrase="fausse"), "phrase secrète est fausse")


def test_a_file_without_its_key_is_said(administrator, maire, issue_file, juvignac):
    material = issue_file()
    refused(administrator, juvignac, sent(material, maire, file=without_key(material)), "clé privée")


def test_an_expired_certificate_is_said(administrator, maire, issue_file, juvignac):
    material = issue_file("Camille ANCIENNE", not_after=datetime(2019, 6, 1, tzinfo=UTC))
    refused(administrator, juvignac, sent(material, maire), "a expiré le 01/06/2019")


def test_an_authentication_certificate_is_said(administrator, maire, issue_file, juvignac):
    material = issue_file("Camille ENTREE", usages=("digital_signature",))
    refused(administrator, juvignac, sent(material, maire), "sert à l’authentification")


def test_an_unknown_authority_is_said(administrator, maire, issue_file, juvignac, settings, tmp_path):
    settings.PARVIS_TRUST_ROOTS_DIR = tmp_path / "vide"
    refused(administrator, juvignac, sent(issue_file(), maire), "autorité reconnue")


def test_another_organisations_certificate_is_said(administrator, maire, issue_file, juvignac):
    material = issue_file("Sacha VOISIN", "Commune de Fabrègues", "213400955")
    refused(administrator, juvignac, sent(material, maire), "autre organisation")


def test_a_file_too_large_is_said(administrator, maire, issue_file, juvignac):
    refused(administrator, juvignac, sent(issue_file(), maire, file=b"x" * (identities.MAX_PKCS12 + 1)), "256 Kio")


def test_a_person_without_mandate_cannot_be_chosen(administrator, account_for, fabregues, issue_file, juvignac):
    refused(administrator, juvignac, sent(issue_file(), account_for(fabregues, "maire")), "choix")


def refused(client, organisation, form, sentence):
    """Nothing is kept, and ``sentence`` is said."""
    answer = client.post(NEW, form)
    text = answer.content.decode().lower()
    assert answer.status_code == 422
    assert sentence.lower() in text
    with acting_for(organisation):
        assert not Certificate.objects.exists()


def test_the_same_certificate_is_not_enrolled_twice(administrator, maire, issue_file, enrolled):
    answer = administrator.post(NEW, sent(issue_file(), maire))
    assert "déjà enregistré" in answer.content.decode()


def test_a_file_that_would_take_hours_to_open_is_refused(monkeypatch, issue_file):
    material = issue_file()
    monkeypatch.setattr(identities, "OPENING_SECONDS", 0.0)
    with pytest.raises(identities.IdentityUnusable) as refusal:
        identities.check_opens(material.path.read_bytes(), material.password)
    assert "trop de calcul" in refusal.value.sentence


def test_a_secret_folder_that_refuses_writing_is_said_and_nothing_kept(
    administrator, maire, issue_file, juvignac, monkeypatch
):
    def refuse(*_):
        raise PermissionError("read-only file system")

    monkeypatch.setattr(identities, "keep", refuse)
    refused(administrator, juvignac, sent(issue_file(), maire), "refuse l’écriture")


def test_enrolling_asks_for_a_fresh_proof(administrator):
    session = administrator.session
    session["account_authentication_methods"] = [
        method | {"at": method["at"] - 3600} for method in session["account_authentication_methods"]
    ]
    session.save()
    assert administrator.get(NEW)["Location"].startswith("/mon-compte/securite/")


# -- assignment and revocation ---------------------------------------------------------------------------------


def test_a_certificate_is_assigned_to_somebody_else(administrator, enrolled, juvignac, account_for):
    dgs = account_for(juvignac, "dgs", given_name="Dominique", family_name="Autre")
    text = administrator.post(page(enrolled, "assign"), {"account": dgs.pk}, follow=True).content.decode()
    assert "attribué à Dominique Autre : vérifiez" in text
    with acting_for(juvignac):
        assert Certificate.objects.get().account == dgs
        assert Entry.objects.filter(action="certificats.attribue").count() == 1


def test_a_holder_of_another_alphabet_is_not_taken_for_anybody(administrator, enrolled, juvignac, account_for):
    dgs = account_for(juvignac, "dgs", given_name="明", family_name="李")
    text = administrator.post(page(enrolled, "assign"), {"account": dgs.pk}, follow=True).content.decode()
    assert "attribué à 明 李 : vérifiez" in text


def test_a_revoked_certificate_signs_no_more_and_its_key_leaves(
    administrator, enrolled, juvignac, maire, django_capture_on_commit_callbacks
):
    key = identities.secret_path(enrolled.key_ref)
    assert key.exists()
    with django_capture_on_commit_callbacks(execute=True):
        text = administrator.post(page(enrolled, "revoke"), {"reason": "Carte perdue"}, follow=True).content.decode()
    assert "Carte perdue" in text
    assert not key.exists()
    assert not key.with_suffix(".pass").exists()
    with acting_for(juvignac), pytest.raises(certificates.NoCertificate):
        certificates.signing_certificate_of(juvignac, maire)


def test_a_revocation_needs_a_reason_and_happens_once(administrator, enrolled, juvignac):
    assert administrator.post(page(enrolled, "revoke"), {"reason": " "}).status_code == 422
    administrator.post(page(enrolled, "revoke"), {"reason": "Perte"})
    text = administrator.post(page(enrolled, "revoke"), {"reason": "Encore"}).content.decode()
    assert "déjà révoqué" in text
    with acting_for(juvignac):
        assert Certificate.objects.get().revocation_reason == "Perte"


def test_the_list_says_until_when_each_one_is_valid(administrator, enrolled):
    text = administrator.get(BASE).content.decode()
    assert "Valable jusqu’au 31/12/2040" in text


def test_a_neighbour_finds_no_certificate(enrolled, fabregues, agent_client):
    address = reverse("certificates:detail", args=["fabregues", enrolled.pk])
    assert agent_client(fabregues, "administrateur").get(address).status_code == 404


def test_the_maire_sees_their_own_and_only_them(enrolled, juvignac, agent_client, account_for):
    assert "Camille ESSAI" in agent_client(juvignac, "maire").get(f"{BASE}les-miens/").content.decode()
    other = agent_client(juvignac, "maire", email="premiere-adjointe@juvignac.test")
    assert "Aucun certificat à votre nom" in other.get(f"{BASE}les-miens/").content.decode()


# -- reminders -------------------------------------------------------------------------------------------------


def reminders(organisation) -> set[tuple[str, str]]:
    with acting_for(organisation):
        return set(Task.objects.filter(state="open").values_list("verb", "permission"))


@pytest.mark.parametrize(("days", "told"), [(31, False), (29, True), (1, True)])
def test_a_month_before_its_end_the_holder_and_the_administration_are_told(juvignac, maire, issue_file, days, told):
    material = issue_file(f"Camille ESSAI {days}", not_after=application_clock.now() + timedelta(days=days))
    with acting_for(juvignac):
        certificates.enrol(juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM)
    for _ in range(2):
        remind_renewals(juvignac.pk)
    expected = {
        ("Renouveler", "administration.organisation"),
        ("Demander le renouvellement", "parapheur.signer"),
    }
    assert reminders(juvignac) == (expected if told else set())


def test_the_reminder_goes_once_the_next_certificate_is_there(juvignac, maire, issue_file, enrolled):
    material = issue_file("Camille ESSAI BREF", not_after=application_clock.now() + timedelta(days=10))
    with acting_for(juvignac):
        certificates.revoke(enrolled, at=application_clock.now(), actor=SYSTEM)
        certificates.enrol(juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM)
        certificates.remind(juvignac, application_clock.now())
        assert Task.objects.filter(state="open").count() == 2
        following = issue_file("Camille ESSAI SUITE")
        certificates.enrol(juvignac, following.path.read_bytes(), following.password, account=maire, actor=SYSTEM)
        certificates.remind(juvignac, application_clock.now())
    assert reminders(juvignac) == set()


def test_a_reminder_leads_to_a_page_that_its_reader_may_open(juvignac, maire, issue_file, agent_client, administrator):
    material = issue_file("Camille ESSAI BREF", not_after=application_clock.now() + timedelta(days=10))
    with acting_for(juvignac):
        certificates.enrol(juvignac, material.path.read_bytes(), material.password, account=maire, actor=SYSTEM)
        certificates.remind(juvignac, application_clock.now())
        paths = dict(Task.objects.values_list("verb", "path"))
    assert administrator.get(paths["Renouveler"]).status_code == 200
    assert agent_client(juvignac, "maire").get(paths["Demander le renouvellement"]).status_code == 200

"""SEDA 2.2 messages are valid for two validators and read back as they were written."""

import io
import subprocess
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from parvis.edemat.archives.formats import seda
from parvis.edemat.archives.formats.seda import Event, Party, UnitIdentity
from parvis.edemat.archives.formats.seda_reader import ManifestUnreadable, normalise_algorithm, read_manifest
from parvis.edemat.archives.formats.seda_writer import (
    write_acknowledgement,
    write_archive_transfer,
    write_archive_transfer_reply,
)
from parvis.edemat.archives.schemas import check_schema, seda_schema
from tests.edemat.archives.dossiers import AGENCY, CONTENTS, NOW, PRODUCER, SIREN, dossier, piece, transfer
from tests.names import NAMES

NS = {"s": seda.namespace("2.2")}


def acknowledgement() -> bytes:
    return write_acknowledgement(seda.Acknowledgement("ACK_1", NOW, "T_1", AGENCY, Party(SIREN), "Reçu"))


def reply(code: str = "000", **fields: object) -> bytes:
    values: dict = {
        "identifier": "ATR_1",
        "date": NOW,
        "request_identifier": "T_1",
        "code": code,
        "archival_agency": AGENCY,
        "transferring_agency": Party(SIREN),
    }
    return write_archive_transfer_reply(seda.ArchiveTransferReply(**(values | fields)))


def named_transfer() -> seda.ArchiveTransfer:
    """A transfer whose object, authority and files bear the names of people."""
    pieces = [piece("signe", *CONTENTS["signe"])]
    pieces += [piece("annexe", f"CV de {given} {family}.pdf", family.encode(), label=family) for given, family in NAMES]
    everybody = ", ".join(" ".join(name) for name in NAMES)
    return transfer(objet=f"Protection de {everybody}", collectivite=f"Commune de {NAMES[0][1]}", pieces=pieces)


MESSAGES = {
    "transfer": lambda: write_archive_transfer(transfer()),
    "bare transfer": lambda: write_archive_transfer(
        transfer(pieces=[], sent=None, received=None, published=None, identifier="", matiere_label="")
    ),
    "notified transfer": lambda: write_archive_transfer(transfer(published=None, notified=date(2019, 7, 9))),
    "transfer with names": lambda: write_archive_transfer(named_transfer()),
    "acknowledgement": acknowledgement,
    "accepted": lambda: reply(granted=NOW, units=(UnitIdentity("U1", "urn:parvis:1:2"),), agreement="A", comment="c"),
    "refused": lambda: reply(
        "207",
        events=(Event("CTRL_EMPREINTE", NOW, "détail", "KO", "207", "L’empreinte diffère", "Empreintes"),),
    ),
}


@pytest.mark.reference
@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_valid_for_lxml(name, shared_dir):
    message = MESSAGES[name]()
    schema = seda_schema(shared_dir / "schemas", "2.2")
    assert schema is not None
    assert schema.errors(etree.fromstring(message)) == []


@pytest.mark.reference
@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_valid_for_xmllint(name, shared_dir, tmp_path):
    folder = shared_dir / "schemas" / "seda"
    path = tmp_path / "message.xml"
    path.write_bytes(MESSAGES[name]())
    done = subprocess.run(
        ["xmllint", "--nonet", "--noout", "--schema", str(folder / "2.2" / "seda-2.2-main.xsd"), str(path)],
        env={"XML_CATALOG_FILES": str(folder / "catalog.xml"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.reference
def test_the_schema_control_tells_a_wrong_message(shared_dir):
    wrong = write_archive_transfer(transfer()).replace(b"<Title>", b"<Titre>").replace(b"</Title>", b"</Titre>")
    findings = check_schema(etree.ElementTree(etree.fromstring(wrong)), "2.2", shared_dir / "schemas")
    assert [f.code for f in findings if not f.ok]
    assert "ligne" in findings[0].sentence
    assert "Titre" in findings[0].where


def test_without_the_official_schema_the_control_is_said_not_made(tmp_path):
    tree = etree.ElementTree(etree.fromstring(write_archive_transfer(transfer())))
    (finding,) = check_schema(tree, "2.2", tmp_path)
    assert finding.outcome == "non_fait"
    assert "pas installé" in finding.sentence


def test_the_transfer_reads_back_as_it_was_written():
    manifest = read_manifest(io.BytesIO(write_archive_transfer(transfer())))
    assert manifest.version == "2.2"
    assert manifest.identifier == f"{SIREN}_ACTES_0190-route"
    assert manifest.agreement == f"{SIREN}_ACCORD_ACTES"
    assert manifest.archival_agency == AGENCY
    assert manifest.transferring_agency == Party(SIREN, "Commune de Juvignac")
    assert manifest.originating_agency == PRODUCER.identifier
    (root,) = manifest.roots
    unit = manifest.units[root]
    assert unit.title.startswith("Convention de gestion")
    assert "034-213401235-20190701-19_07_01_05-DE" in unit.identifiers
    assert "19.07.01.05" in unit.identifiers
    assert (unit.start, unit.end) == ("2019-07-01", "2019-07-11")
    assert [(r.category, r.rules[0].identifier, str(r.rules[0].start)) for r in unit.rules] == [
        ("AppraisalRule", "P10Y", "2019-07-11"),
        ("AccessRule", "AR038", "2019-07-11"),
    ]
    assert len(manifest.objects) == len(CONTENTS)


def test_names_come_out_of_a_transfer_as_they_went_in():
    manifest = read_manifest(io.BytesIO(write_archive_transfer(named_transfer())))
    assert all(" ".join(name) in manifest.units[manifest.roots[0]].title for name in NAMES)
    assert manifest.transferring_agency.name == f"Commune de {NAMES[0][1]}"
    names = {declared.filename for declared in manifest.objects}
    assert {f"CV de {given} {family}.pdf" for given, family in NAMES} <= names


def test_the_stamped_act_is_a_second_version_of_the_signed_one():
    manifest = read_manifest(io.BytesIO(write_archive_transfer(transfer())))
    act = next(u for u in manifest.units.values() if u.title == "Acte")
    (group,) = act.objects
    versions = {o.usage: o.filename for o in manifest.objects if o.group == group}
    assert versions == {"BinaryMaster_1": "19.07.01.05.pdf", "Dissemination_1": "19.07.01.05-tamponnee.pdf"}


def test_every_role_finds_its_place_and_an_unknown_one_is_kept_too():
    extra = [*dossier().pieces, piece("inconnu", "note.txt", b"note", label="Note")]
    manifest = read_manifest(io.BytesIO(write_archive_transfer(transfer(pieces=extra))))
    titles = [manifest.units[child].title for child in manifest.units["U1"].children]
    assert titles == [
        "Acte",
        "Document présenté à la signature",
        "Annexes",
        "Télétransmission au contrôle de légalité",
        "Accusé de réception de la préfecture",
        "Bordereau d’acquittement",
        "Certificat de caractère exécutoire",
        "Convocation",
        "Validation de la signature",
        "Extrait du journal",
        "Autres pièces",
    ]
    assert {o.filename for o in manifest.objects} == {n for n, _ in CONTENTS.values()} | {"note.txt"}


def test_paths_are_plain_ascii_and_never_shared_by_two_objects():
    twice = [piece("signe", "a.pdf", b"same"), piece("annexe", "été & hiver.PDF", b"same")]
    uris = [b.uri for g in transfer(pieces=twice).groups() for b in g.binaries]
    assert len(set(uris)) == 2
    assert all(u.isascii() and u.startswith("content/") and u.endswith(".pdf") for u in uris)


def test_control_characters_of_a_title_do_not_break_the_message():
    message = write_archive_transfer(transfer(objet="Un\x0btitre & <balise>"))
    assert read_manifest(io.BytesIO(message)).units["U1"].title == "Untitre & <balise>"


def test_instants_are_written_in_utc():
    assert b"<Date>2019-07-12T08:30:15.123Z</Date>" in write_archive_transfer(transfer())


def test_a_reply_states_its_own_identifier_then_that_of_the_transfer():
    root = etree.fromstring(reply(granted=datetime(2019, 7, 12, tzinfo=UTC)))
    assert root.findtext("s:MessageIdentifier", namespaces=NS) == "ATR_1"
    assert root.findtext("s:MessageRequestIdentifier", namespaces=NS) == "T_1"
    assert root.findtext("s:ReplyCode", namespaces=NS) == "000"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"not xml", "bien form"),
        (b"<a><b></a>", "ligne 1"),
        (b"<a/>", "pas un message SEDA"),
        (b'<ArchiveTransfer xmlns="fr:gouv:culture:archivesdefrance:seda:v1.0"/>', "pas un message SEDA"),
        (b'<Acknowledgement xmlns="fr:gouv:culture:archivesdefrance:seda:v2.2"/>', "Acknowledgement"),
        (b'<ArchiveTransfer xmlns="fr:gouv:culture:archivesdefrance:seda:v2.2"/>', "DataObjectPackage"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "DOCTYPE"),
        (
            b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>',
            "DOCTYPE",
        ),
        (b"<a>" * 400 + b"</a>" * 400, "bien form"),
    ],
)
def test_what_is_not_a_transfer_is_refused_with_a_sentence(message, expected):
    with pytest.raises(ManifestUnreadable) as caught:
        read_manifest(io.BytesIO(message))
    assert expected in caught.value.sentence


@pytest.mark.parametrize(
    ("declared", "ours"),
    [
        ("SHA-512", "sha512"),
        ("sha512", "sha512"),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "sha256"),
        ("SHA256", "sha256"),
        ("http://www.w3.org/2000/09/xmldsig#sha1", "sha1"),
        ("MD5", "md5"),
        ("CRC32", ""),
    ],
)
def test_digest_algorithms_have_many_spellings(declared, ours):
    assert normalise_algorithm(declared) == ours


@pytest.mark.reference
def test_a_real_transfer_of_an_existing_depositor_is_read(shared_dir):
    for name in ("bordereau_seda_2.1.xml", "bordereau.xml"):
        path = shared_dir / "samples" / "seda" / "asalae-messages" / name
        manifest = read_manifest(io.BytesIO(path.read_bytes()))
        assert manifest.identifier
        assert manifest.units
        assert all(o.digest and o.digest.algorithm == "sha256" for o in manifest.objects)


@pytest.mark.reference
@pytest.mark.parametrize("name", ["asalae-messages/fakeSeda_bordereau.xml", "pes/bordereau-PESV2_DEP56-1.xml"])
def test_older_versions_are_named_in_the_refusal(name, shared_dir):
    path = shared_dir / "samples" / "seda" / name
    with pytest.raises(ManifestUnreadable, match=r"standard_echange_v0.2|seda:v1.0"):
        read_manifest(io.BytesIO(path.read_bytes()))


@pytest.mark.reference
def test_the_four_samples_of_seda_2_3_are_read(shared_dir):
    samples = sorted((shared_dir / "samples" / "seda" / "seda-2.3-signature").glob("*.xml"))
    assert len(samples) == 4
    for path in samples:
        manifest = read_manifest(io.BytesIO(path.read_bytes()))
        assert manifest.version == "2.3"
        findings = check_schema(manifest.tree, "2.3", shared_dir / "schemas")
        assert [f.outcome for f in findings] == ["ok"]

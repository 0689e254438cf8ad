"""What we write is valid for the official schema, by two validators, and says what it was given."""

import io
import subprocess
from datetime import date

import pytest
from lxml import etree

from parvis.edemat.actes.formats.archives import (
    ArchiveTooLarge,
    Member,
    UnsafeArchive,
    read_archive,
    write_archive,
)
from parvis.edemat.actes.formats.checks import audit_acte, audit_archive
from parvis.edemat.actes.formats.emitters import Emitter, InvalidEmitter, Referent
from parvis.edemat.actes.formats.matieres import Matiere
from parvis.edemat.actes.formats.numbers import ActeNumber
from parvis.edemat.actes.formats.outbound import (
    ActeMessage,
    build_acte,
    build_classification_request,
    build_envelope,
)

A = "{http://www.interieur.gouv.fr/ACTES#v1.1-20040216}"
PREFIX = "034-213401235-20190701-19_07_01_05-DE-1-1"
EMITTER = Emitter("213401235", "034", "3", "31", ("retours-actes@juvignac.fr",), Referent("Secrétariat", "0400000000"))


def message(**changes) -> ActeMessage:
    fields = {
        "numero": ActeNumber("19_07_01_05"),
        "nature": "1",
        "objet": "Convention de gestion de services numériques communs",
        "decision_date": date(2019, 7, 1),
        "matiere": Matiere.parse("5.7"),
        "classification_version": date(2019, 4, 18),
        "document": f"99_DE-{PREFIX}_1.pdf",
        "annexes": (f"99_DE-{PREFIX}_2.pdf", f"99_DE-{PREFIX}_3.pdf"),
    }
    return ActeMessage(**(fields | changes))


@pytest.fixture
def schema(shared_dir):
    return shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd"


@pytest.mark.parametrize(
    "xml",
    [
        build_acte(message()),
        build_acte(message(annexes=(), matiere=Matiere.parse("1.1.3.2.4"), paper=True)),
        build_acte(message(previous_id="034-213401235-20190601-A-DE", objet="« œuf d’été – 50 € » ł & <b>")),
        build_envelope(EMITTER, (f"{PREFIX}_0.xml",)),
        build_envelope(Emitter("213401235", "02A", "1", "33", ("a@b.fr", "c@d.fr")), ("x.xml", "y.xml")),
        build_classification_request(date(2019, 4, 18)),
        build_classification_request(None),
    ],
    ids=["acte", "five-levels", "non-latin", "envelope", "two-addresses", "request", "first-request"],
)
def test_each_message_is_valid_for_lxml_and_for_xmllint(xml, schema, tmp_path):
    etree.XMLSchema(etree.parse(str(schema))).assertValid(etree.fromstring(xml))
    file = tmp_path / "message.xml"
    file.write_bytes(xml)
    judged = subprocess.run(["xmllint", "--noout", "--schema", schema, file], capture_output=True, text=True)
    assert judged.returncode == 0, judged.stderr
    assert xml.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<actes:')
    xml.decode("iso-8859-1")


def test_the_act_says_what_it_was_given():
    root = etree.fromstring(build_acte(message(objet="« œuf d’été – 50 € » ł")))
    assert root.get(f"{A}NumeroInterne") == "19_07_01_05"
    assert root.get(f"{A}Date") == "2019-07-01"
    assert root.get(f"{A}CodeNatureActe") == "1"
    assert [e.get(f"{A}CodeMatiere") for e in root if "CodeMatiere" in e.tag] == ["5", "7"]
    assert root.findtext(f"{A}Objet") == "« oeuf d'été - 50 EUR » ł"
    assert root.findtext(f"{A}ClassificationDateVersion") == "2019-04-18"
    assert root.find(f"{A}Annexes").get(f"{A}Nombre") == "2"
    assert [e.text for e in root.iter(f"{A}NomFichier")] == [f"99_DE-{PREFIX}_{n}.pdf" for n in (1, 2, 3)]
    assert root.findtext(f"{A}DocumentPapier") == "N"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"siren": "12"}, "neuf chiffres"),
        ({"departement": "|34"}, "trois caractères"),
        ({"departement": "134"}, "trois caractères"),
        ({"arrondissement": "33"}, "un chiffre"),
        ({"nature": "3"}, "deux chiffres"),
        ({"return_addresses": ()}, "adresse de retour"),
        ({"return_addresses": ("mairie@ville.montpellier",)}, "de 2 à 6 lettres"),
        ({"return_addresses": ("pas une adresse",)}, "refusée par le schéma"),
    ],
)
def test_an_authority_that_cannot_be_identified_is_refused(changes, sentence):
    fields = {
        "siren": "213401235",
        "departement": "034",
        "arrondissement": "3",
        "nature": "31",
        "return_addresses": ("a@b.fr",),
    }
    with pytest.raises(InvalidEmitter, match=sentence):
        Emitter(**(fields | changes))


# --- the archive ----------------------------------------------------------------------------------
def archive(**replaced: bytes | None) -> dict[str, bytes]:
    files = {
        "EACT--213401235--20190703-1.xml": build_envelope(EMITTER, (f"{PREFIX}_0.xml",)),
        f"{PREFIX}_0.xml": build_acte(message()),
        f"99_DE-{PREFIX}_1.pdf": b"%PDF-1",
        f"99_DE-{PREFIX}_2.pdf": b"%PDF-2",
        f"99_DE-{PREFIX}_3.pdf": b"%PDF-3",
    } | replaced
    return {name: content for name, content in files.items() if content is not None}


def pack(files: dict[str, bytes], **options) -> bytes:
    target = io.BytesIO()
    size = write_archive(target, [Member.of(n, c) for n, c in files.items()], mtime=1562104800, **options)
    assert size == len(target.getvalue())
    return target.getvalue()


def test_the_archive_is_flat_ordered_and_deterministic(tmp_path):
    packed = pack(archive())
    assert packed == pack(archive())
    assert list(read_archive(io.BytesIO(packed))) == list(archive())
    file = tmp_path / "a.tar.gz"
    file.write_bytes(packed)
    listed = subprocess.run(["tar", "tzf", file], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == list(archive())


def test_the_limit_is_met_to_the_byte():
    size = len(pack(archive()))
    assert len(pack(archive(), limit=size)) == size
    with pytest.raises(ArchiveTooLarge, match="limite du ministère"):
        pack(archive(), limit=size - 1)


def hostile(kind: str) -> bytes:
    import tarfile

    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo({"path": "../../etc/passwd", "folder": "d", "nested": "d/f"}.get(kind, "f"))
        if kind == "folder":
            entry.type = tarfile.DIRTYPE
        if kind == "headers":
            entry.pax_headers = {"comment": "0" * 80_000_000}
        if kind in ("link", "hard"):
            entry.type = tarfile.SYMTYPE if kind == "link" else tarfile.LNKTYPE
            entry.linkname = "/etc/passwd"
        content = b"\0" * (50_000_000 if kind == "bomb" else 10)
        entry.size = len(content) if entry.isreg() else 0
        tar.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
        if kind == "twice":
            tar.addfile(entry, io.BytesIO(content))
    packed = target.getvalue()
    return packed[: len(packed) // 2] if kind == "truncated" else packed


@pytest.mark.parametrize("kind", ["path", "folder", "nested", "link", "hard", "bomb", "headers", "twice", "truncated"])
def test_a_hostile_or_damaged_archive_is_not_opened(kind):
    with pytest.raises(UnsafeArchive):
        read_archive(io.BytesIO(hostile(kind)), max_expanded=40_000_000)


def test_what_is_not_an_archive_is_refused():
    with pytest.raises(UnsafeArchive):
        read_archive(io.BytesIO(b"%PDF-1.7 not an archive"))


def test_a_right_archive_has_no_breach():
    assert audit_archive(archive(), EMITTER) == []


ENVELOPE = "EACT--213401235--20190703-1.xml"


def altered(old: bytes, new: bytes) -> bytes:
    xml = archive()[f"{PREFIX}_0.xml"]
    assert old in xml
    return xml.replace(old, new)


@pytest.mark.parametrize(
    ("code", "replaced"),
    [
        ("departement", {ENVELOPE: archive()[ENVELOPE].replace(b'Departement="034"', b'Departement="|34"')}),
        ("departement", {ENVELOPE: archive()[ENVELOPE].replace(b'Departement="034"', b'Departement="03|"')}),
        ("nombre_annexes", {f"{PREFIX}_0.xml": altered(b'Nombre="2"', b'Nombre="3"')}),
        (
            "matieres_contigues",
            {f"{PREFIX}_0.xml": altered(b"<actes:Objet>", b'<actes:CodeMatiere5 actes:CodeMatiere="1"/><actes:Objet>')},
        ),
        (
            "numero",
            {f"{PREFIX}_0.xml": altered(b'NumeroInterne="19_07_01_05"', b'NumeroInterne="19-07-01-05"')},
        ),
        ("numero", {f"{PREFIX}_0.xml": altered(b'NumeroInterne="19_07_01_05"', b'NumeroInterne="abc"')}),
        ("nature_des_noms", {f"{PREFIX}_0.xml": altered(b'CodeNatureActe="1"', b'CodeNatureActe="2"')}),
        ("fichier_manquant", {f"99_DE-{PREFIX}_2.pdf": None}),
        ("fichier_ajoute", {"surprise.pdf": b"%PDF"}),
        ("emetteur", {ENVELOPE: archive()[ENVELOPE].replace(b"213401235", b"213400955")}),
    ],
)
def test_what_the_schema_does_not_catch_is_caught(code, replaced, schema):
    official = etree.XMLSchema(etree.parse(str(schema)))
    for name, content in replaced.items():
        if content and name.endswith(".xml"):
            official.assertValid(etree.fromstring(content))  # the schema alone lets it through
    assert code in {breach.code for breach in audit_archive(archive(**replaced), EMITTER)}


def test_the_envelope_must_come_first():
    files = dict(sorted(archive().items()))
    assert [b.code for b in audit_archive(files)] == ["enveloppe_en_tete"]


def test_a_sample_with_a_nature_contradicting_its_names_is_refused(shared_dir):
    xml = (shared_dir / "samples/actes/messages/fast-1-1-acte-4-annexes.xml").read_bytes()
    assert "nature_des_noms" in {breach.code for breach in audit_acte(xml)}


def test_a_real_act_has_no_breach(shared_dir):
    xml = (shared_dir / "samples/actes/messages/034-491011698-20171207-CL20171227_06-DE-1-1_0.xml").read_bytes()
    assert audit_acte(xml) == []


def test_a_real_archive_is_read_and_judged(shared_dir):
    sample = shared_dir / "samples/actes/archives/SIC-EACT--210600730--20180115-1.tar.gz"
    with sample.open("rb") as stream:
        files = read_archive(stream)
    assert next(iter(files)) == "EACT--210600730--20180115-1.xml"
    assert audit_archive(files) == []

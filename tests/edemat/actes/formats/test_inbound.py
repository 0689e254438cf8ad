"""Every real message is recognised or refused as it must be; hostile and invented ones too."""

import tarfile
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from parvis.edemat.actes.formats import inbound
from parvis.edemat.actes.formats.inbound import InvalidMessage, UnknownMessage, parse_message

NS = 'xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216" xmlns:insee="http://xml.insee.fr/schema"'


@pytest.fixture
def samples(shared_dir):
    return shared_dir / "samples/actes"


def read(samples, path):
    return parse_message((samples / path).read_bytes())


def test_a_receipt_of_the_ministry(samples):
    ar = read(samples, "messages/006-210600235-20180522-684-AI-1-2_5279.xml")
    assert isinstance(ar, inbound.ArActe)
    assert str(ar.id_acte) == "006-210600235-20180522-684-AI"
    assert ar.reception == date(2018, 5, 28)
    assert (ar.acte.numero, ar.acte.nature, ar.acte.matieres) == ("684", "3", ("4", "2"))
    assert ar.acte.objet == "Contrat à durée déterminée - Jean Dupont"
    assert ar.classification_en_cours == date(2017, 4, 19)
    assert ar.remarks == ("DocumentPapier hors de O ou N",)


def test_a_receipt_kept_by_an_operator(samples):
    ar = read(samples, "messages/034-491011698-20171207-CL20171227_06-DE-1-2.xml")
    assert isinstance(ar, inbound.ArActe)
    assert str(ar.id_acte) == "034-491011698-20171207-CL20171227_06-DE"
    assert ar.acte.objet == "Fichier signé parapheur"
    assert ar.remarks == ()


def test_a_receipt_out_of_schema_is_read_and_flagged(samples):
    ar = read(samples, "invalid/ar-actes-bac-a-sable.xml")
    assert isinstance(ar, inbound.ArActe)
    assert str(ar.id_acte) == "069-123456789-20130601-20130623C-AI"
    assert ar.reception == date(2013, 6, 23)
    assert ar.classification_en_cours == date(2008, 12, 31)
    assert "l’acte est rappelé plusieurs fois" in ar.remarks
    assert "DocumentPapier absent (schéma de 2004)" in ar.remarks


def test_an_anomaly_shows_its_detail_as_received(samples):
    anomaly = read(samples, "messages/044-214400152----1-3_1.xml")
    assert isinstance(anomaly, inbound.AnomalieActe)
    assert anomaly.nature == "002"
    assert anomaly.detail == (
        "ODT-VERIF-01 : Votre acte a été transmis avec une date de classification qui n'est pas à jour"
    )
    assert (anomaly.acte.numero, anomaly.acte.date, anomaly.acte.nature) == ("123456", date(2018, 10, 1), "1")
    assert anomaly.classification_en_cours == date(2018, 10, 10)
    assert "niveaux de matière non contigus" in anomaly.remarks
    assert len(anomaly.acte.annexes) == 1


def test_an_anomaly_of_the_former_schema_is_accepted(samples):
    anomaly = read(samples, "invalid/fast-1-3-anomalie-sans-documentpapier.xml")
    assert isinstance(anomaly, inbound.AnomalieActe)
    assert (anomaly.nature, anomaly.detail, anomaly.acte.numero) == ("042", "Ca ne fonctionne pas", "TEST42")
    assert anomaly.acte.objet == "test de télétransmission"
    assert "DocumentPapier absent (schéma de 2004)" in anomaly.remarks


def test_an_envelope_anomaly_with_an_unlisted_nature_is_processed(samples):
    anomaly = read(samples, "invalid/ANO_EACT--214400152--20180925-1.xml")
    assert isinstance(anomaly, inbound.AnomalieEnveloppe)
    assert (anomaly.nature, anomaly.siren, anomaly.date) == ("999", "214400152", date(2018, 9, 25))
    assert "ODT-VERIF-17" in anomaly.detail
    assert anomaly.formulaires == ("044-214400152-20180905-4365-DE-4365-DE_0.xml",)
    assert anomaly.remarks == ("nature d’anomalie 999 hors de la liste",)


def test_a_cancellation_receipt_with_a_malformed_identifier_is_refused(samples):
    with pytest.raises(InvalidMessage, match="identifiant d’acte mal formé"):
        read(samples, "invalid/fast-6-2-identifiant-mal-forme.xml")


@pytest.mark.parametrize(
    "path",
    [
        "messages/fast-1-1-acte-4-annexes.xml",
        "messages/034-491011698-20171207-CL20171227_06-DE-1-1_0.xml",
        "messages/fast-6-1-annulation.xml",
    ],
)
def test_what_only_an_authority_sends_is_not_taken_for_a_return(samples, path):
    with pytest.raises(UnknownMessage):
        read(samples, path)


@pytest.mark.parametrize(
    ("path", "day", "counts", "pieces"),
    [
        ("classification/999-1234----7-2_1.xml", date(2019, 4, 18), (9, 57, 225, 0), 115),
        ("classification/classification-exemple.xml", date(2019, 3, 1), (9, 57, 105, 10), None),
        ("classification/classification-stela-2017-12-08.xml", date(2017, 12, 8), None, None),
    ],
)
def test_a_classification_is_read_whole_and_sorted(samples, path, day, counts, pieces):
    classification = read(samples, path)
    assert isinstance(classification, inbound.RetourClassification)
    assert classification.date == day
    codes = [m.code for m in classification.matieres]
    assert [tuple(map(int, c.split("."))) for c in codes] == sorted(tuple(map(int, c.split("."))) for c in codes)
    assert {n.code for n in classification.natures} == set("123456")
    if counts:
        assert tuple(sum(c.count(".") == level for c in codes) for level in range(4)) == counts
    if pieces:
        assert sum(len(n.pieces) for n in classification.natures) == pieces
    assert {m.code: m.label for m in classification.matieres}["5.7"].startswith("Intercommunalit")


def test_a_classification_of_2004_is_read_and_flagged(samples):
    classification = read(samples, "invalid/classification-2004-sans-typologie.xml")
    assert isinstance(classification, inbound.RetourClassification)
    assert "classification sans types de pièces (schéma de 2004)" in classification.remarks


def test_a_letter_and_its_envelope(samples):
    with tarfile.open(samples / "archives/courrier_simple.tar.gz") as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar}
    letter = parse_message(files["001-862614864-20150805-20150805B-AI-2-1_0.xml"])
    assert isinstance(letter, inbound.Courrier)
    assert (letter.code, str(letter.id_acte)) == ("2-1", "001-862614864-20150805-20150805B-AI")
    assert letter.files == ("001-862614864-20150805-20150805B-AI-2-1_1.pdf",)
    envelope = parse_message(files["TACT--SPREF0011-862614864-20150805-7.xml"])
    assert isinstance(envelope, inbound.EnveloppeRetour)
    assert envelope.siren == "862614864"
    assert envelope.formulaires == ("001-862614864-20150805-20150805B-AI-2-1_0.xml",)


ID = 'actes:IDActe="034-213401235-20190701-A-DE"'


LETTER = f'{ID} actes:DateCourrierPref="2019-07-10"'
FILE = "<actes:NomFichier>x.pdf</actes:NomFichier>"


@pytest.mark.parametrize(
    ("root", "attributes", "children", "kind", "code"),
    [
        (
            "DemandePieceComplementaire",
            LETTER,
            f"<actes:DescriptionPieces>Plan</actes:DescriptionPieces><actes:Document>{FILE}</actes:Document>",
            inbound.Courrier,
            "3-1",
        ),
        (
            "LettreObservations",
            LETTER,
            f"<actes:Motif>Plan</actes:Motif><actes:Document>{FILE}</actes:Document>",
            inbound.Courrier,
            "4-1",
        ),
        (
            "DefereTA",
            ID,
            "<actes:DateDepot>2019-07-10</actes:DateDepot><actes:NatureIllegalite>Plan</actes:NatureIllegalite>"
            f"<actes:PiecesJointes><actes:PieceJointe>{FILE}</actes:PieceJointe></actes:PiecesJointes>",
            inbound.Courrier,
            "5-1",
        ),
        (
            "ARPieceComplementaire",
            'actes:DateReception="2019-07-20"',
            f"<actes:InfosCourrierPref {LETTER}/>",
            inbound.ArReponse,
            "3-5",
        ),
        (
            "ARReponseRejetLettreObservations",
            'actes:DateReception="2019-07-20"',
            f"<actes:InfosCourrierPref {LETTER}/>",
            inbound.ArReponse,
            "4-5",
        ),
        ("ARAnnulation", f'{ID} actes:DateReception="2019-07-20"', "", inbound.ArAnnulation, None),
        (
            "ReponseClassificationSansChangement",
            "",
            "<actes:DateClassification>2019-04-18</actes:DateClassification>",
            inbound.ClassificationInchangee,
            None,
        ),
    ],
    ids=["3-1", "4-1", "5-1", "3-5", "4-5", "6-2", "7-3"],
)
def test_the_other_messages_of_the_state_are_recognised(root, attributes, children, kind, code, shared_dir):
    xml = f"<actes:{root} {NS} {attributes}>{children}</actes:{root}>"
    schema = etree.XMLSchema(etree.parse(str(shared_dir / "schemas/actes/xsd-current/actesv1_1.xsd")))
    schema.assertValid(etree.fromstring(xml))
    message = parse_message(xml.encode())
    assert isinstance(message, kind)
    assert code is None or message.code == code
    if isinstance(message, inbound.Courrier):
        assert message.files == ("x.pdf",)
        assert (message.text, message.date) == ("Plan", date(2019, 7, 10))


def ar(objet: str, declared: str, real: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="{declared}"?>'
        f'<actes:ARActe {NS} {ID} actes:DateReception="2019-07-03">'
        '<actes:ActeRecu actes:Date="2019-07-01" actes:NumeroInterne="A" actes:CodeNatureActe="1">'
        '<actes:CodeMatiere1 actes:CodeMatiere="5"/><actes:CodeMatiere2 actes:CodeMatiere="7"/>'
        f"<actes:Objet>{objet}</actes:Objet><actes:ClassificationDateVersion>2019-04-18"
        "</actes:ClassificationDateVersion>"
        "<actes:Document><actes:NomFichier>a.pdf</actes:NomFichier></actes:Document>"
        '<actes:Annexes actes:Nombre="0"/><actes:DocumentPapier>N</actes:DocumentPapier></actes:ActeRecu>'
        "<actes:ClassificationDateVersionEnCours>2019-04-18</actes:ClassificationDateVersionEnCours></actes:ARActe>"
    ).encode(real)


@pytest.mark.parametrize(
    ("declared", "real", "remark"),
    [
        ("ISO-8859-1", "iso-8859-1", ()),
        ("UTF-8", "utf-8", ()),
        ("ISO-8859-1", "utf-8", ("encodage déclaré ISO-8859-1, contenu en UTF-8",)),
        ("UTF-8", "iso-8859-1", ("encodage déclaré UTF-8, contenu en ISO-8859-1",)),
        ("windows-1252", "cp1252", ()),
    ],
)
def test_the_real_encoding_wins_over_the_declared_one(declared, real, remark):
    message = parse_message(ar("Été à Juvignac", declared, real))
    assert message.acte.objet == "Été à Juvignac"
    assert message.remarks == remark


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"not xml",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><l>&b;</l>',
        f"<actes:ARActe {NS} {ID}/>".encode(),
        f'<actes:ARActe {NS} {ID} actes:DateReception="hier"/>'.encode(),
        f"<actes:AnomalieActe {NS}><actes:Date>2019-07-01</actes:Date></actes:AnomalieActe>".encode(),
        f"<actes:EnveloppeMISILLCL {NS}/>".encode(),
        b'<ARActe xmlns="http://autre" IDActe="034-213401235-20190701-A-DE"/>',
        ar("x", "UTF-8", "utf-8")[:-20],
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(xml):
    with pytest.raises(InvalidMessage) as refusal:
        parse_message(xml)
    assert refusal.value.sentence.endswith(".")


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_otherwise(noise):
    for xml in (noise, ar("x", "UTF-8", "utf-8")[:150] + noise):
        with suppress(InvalidMessage):
            parse_message(xml)

"""Numbers, identifiers and names: what each rule accepts, refuses and proposes."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.referentials.latin1 import to_latin1
from parvis.edemat.actes.formats.matieres import InvalidMatiere, Matiere, sort_key
from parvis.edemat.actes.formats.names import (
    EnvelopeName,
    IdActe,
    InvalidName,
    PieceName,
    SerialExhausted,
    is_inbound_envelope,
    message_name,
    piece_name,
    refused_envelope,
    siren_in,
)
from parvis.edemat.actes.formats.numbers import SHAPE, ActeNumber, InvalidActeNumber, propose

JUVIGNAC = IdActe("034", "213401235", date(2019, 7, 1), "19_07_01_05", "DE")


@pytest.mark.parametrize(
    ("displayed", "transmitted"),
    [
        ("19.07.01.05", "19_07_01_05"),
        ("D2026-001", "D2026_001"),
        ("n° 12/2026", "N_12_2026"),
        ("arrêté 7", "ARRETE_7"),
        ("_A_", "A"),
        ("2019-07-01-DELIB-05", "20190701DELIB05"),
        ("CM-2019-07-01-DELIB-05", "20190701DELIB05"),
    ],
)
def test_a_displayed_number_becomes_a_transmissible_one(displayed, transmitted):
    assert str(ActeNumber.from_displayed(displayed)) == transmitted


@pytest.mark.parametrize("value", ["d2026", "A B", "A-B", "É1", "_A", "A_", "A" * 16, ""])
def test_a_number_out_of_rule_is_refused_with_the_rule_and_a_proposal(value):
    with pytest.raises(InvalidActeNumber) as refusal:
        ActeNumber(value)
    assert "1 à 15 caractères" in refusal.value.sentence
    assert refusal.value.proposal == "" or SHAPE.fullmatch(refusal.value.proposal)
    assert not refusal.value.proposal or refusal.value.proposal in refusal.value.sentence


@given(st.text(max_size=60))
def test_whatever_is_proposed_can_be_transmitted(text):
    proposal = propose(text)
    assert proposal == "" or SHAPE.fullmatch(proposal)
    assert proposal == propose(proposal)


def test_the_identifier_of_the_deliberation():
    assert str(JUVIGNAC) == "034-213401235-20190701-19_07_01_05-DE"
    assert IdActe.parse(str(JUVIGNAC)) == JUVIGNAC
    assert JUVIGNAC.nature_code == "1"


@pytest.mark.parametrize(
    "text",
    [
        "999-1234-20190515-201905151412-AI",
        "|34-213401235-20190701-A-DE",
        "034-213401235-20191301-A-DE",
        "034-213401235-20190701-A-de",
        "034-213401235-20190701-ABCDEFGHIJKLMNOP-DE",
        "",
    ],
)
def test_a_malformed_identifier_is_refused(text):
    with pytest.raises(InvalidName):
        IdActe.parse(text)


def test_names_of_the_message_and_of_the_pieces():
    assert message_name(JUVIGNAC) == "034-213401235-20190701-19_07_01_05-DE-1-1_0.xml"
    name = piece_name(JUVIGNAC, "99_DE", 1, "pdf")
    assert name == "99_DE-034-213401235-20190701-19_07_01_05-DE-1-1_1.pdf"
    read = PieceName.parse(name)
    assert (read.code, read.siren, read.date, read.numero) == (
        "99_DE",
        "213401235",
        date(2019, 7, 1),
        "19_07_01_05",
    )
    assert (read.nature, read.message, read.rank, read.extension) == ("DE", "1-1", 1, "pdf")


@pytest.mark.parametrize("code", ["99_D", "99-DE", "99_de", ""])
def test_a_piece_code_must_have_five_capitals_or_digits(code):
    with pytest.raises(InvalidName):
        piece_name(JUVIGNAC, code, 1, "pdf")


def test_returned_names_with_empty_fields_are_read():
    read = PieceName.parse("044-214400152----1-3_1.xml")
    assert (read.siren, read.date, read.numero, read.message) == ("214400152", None, "", "1-3")
    assert PieceName.parse("006-210600235-20180522-684-AI-1-2_5279.xml").rank == 5279


def test_names_of_the_envelope_and_of_the_archive():
    name = EnvelopeName("213401235", date(2019, 7, 3), 1)
    assert str(name) == "EACT--213401235--20190703-1.xml"
    assert name.archive("PAR") == "PAR-EACT--213401235--20190703-1.tar.gz"
    assert EnvelopeName.parse(str(name)) == name
    assert str(EnvelopeName("213401235", date(2019, 7, 3), 9999, test=True)) == "TACT--213401235--20190703-9999.xml"


def test_the_ten_thousandth_envelope_of_a_day_is_refused():
    with pytest.raises(SerialExhausted, match="demain"):
        EnvelopeName("213401235", date(2019, 7, 3), 10_000)


@pytest.mark.parametrize(
    ("name", "inbound"),
    [
        ("TACT--SPREF0343-213401235-20190703-7.xml", True),
        ("EACT--PREF034-213401235-20190703-77777.xml", True),
        ("EACT--SGAR034-213401235-20190703-1.xml", True),
        ("EACT--213401235--20190703-1.xml", False),
        ("034-213401235-20190701-A-DE-1-2_1.xml", False),
    ],
)
def test_inbound_envelopes_are_told_from_the_others(name, inbound):
    assert is_inbound_envelope(name) is inbound


def test_the_refused_envelope_is_read_in_the_name_of_the_anomaly():
    assert refused_envelope("ANO_EACT--214400152--20180925-1.xml") == "EACT--214400152--20180925-1.xml"
    assert refused_envelope("EACT--214400152--20180925-1.xml") == ""


@pytest.mark.parametrize(
    "name",
    [
        "TACT--SPREF0343-213401235-20190703-7.xml",
        "ANO_EACT--213401235--20190703-1.xml",
        "034-213401235-20190701-19_07_01_05-DE-1-2_12.xml",
        "034-213401235----7-2_1.xml",
    ],
)
def test_the_authority_is_read_on_the_outside_of_a_return(name):
    assert siren_in(name) == "213401235"


def test_no_authority_is_read_where_there_is_none():
    assert siren_in("image001.png") == ""


def test_matieres_sort_by_number_and_need_two_levels():
    assert sorted(["1.1.10", "1.1.9", "1.2", "10.1"], key=sort_key) == ["1.1.9", "1.1.10", "1.2", "10.1"]
    assert Matiere.parse("5.7 Intercommunalité").levels == (5, 7)
    assert Matiere.parse("1.1.9") < Matiere.parse("1.1.10")
    for wrong in ("5", "5.", "cinq", "1.2.3.4.5.6", "0.1"):
        with pytest.raises(InvalidMatiere):
            Matiere.parse(wrong)


def test_signs_outside_latin_1_get_an_equivalent():
    assert to_latin1("« œuf d’été – 50 € »") == "« oeuf d'été - 50 EUR »"
    assert to_latin1("Ştefan…") == "Stefan..."
    assert to_latin1("ł") == "ł"  # no equivalent: the XML writer will use a numeric reference


@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_categories=["Cs"]), max_size=40))
def test_latin_1_text_is_left_as_it_is(text):
    assert to_latin1(text) == unicodedata.normalize("NFC", text)

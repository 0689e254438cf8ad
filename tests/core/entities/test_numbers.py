"""SIREN, SIRET and RNA numbers: which hold, and what is said of those that do not."""

import pytest

from parvis.core.entities.numbers import NumberRefused, number, spaced
from parvis.core.referentials.sirene import luhn_key_holds, rna_holds, siret_holds


@pytest.mark.parametrize("siren", ["732829320", "213401235", "356000000", "552100554"])
def test_siren_that_hold(siren):
    assert luhn_key_holds(siren)


@pytest.mark.parametrize("siren", ["732829321", "213401236", "356000001", "123456789"])
def test_siren_whose_key_is_wrong(siren):
    assert not luhn_key_holds(siren)


@pytest.mark.parametrize(
    "siret",
    [
        "73282932000074",
        "21340123500014",
        "35600000000048",  # the seat of La Poste, which has a key like anybody
        "35600000000006",  # a post office: 3 + 5 + 6 + 6 = 20
    ],
)
def test_siret_that_hold(siret):
    assert siret_holds(siret)


@pytest.mark.parametrize(
    "siret",
    [
        "73282932000075",  # the last digit
        "73282932100074",  # the SIREN
        "35600000000007",  # of La Poste, digits adding up to 21
        "73282932000079",  # digits adding up to a multiple of five, and not of La Poste
        "00000000000000",
        "7328293200007",
        "732829320000740",
        "7328293200007４",  # a full-width digit
        "",
    ],
)
def test_siret_that_do_not_hold(siret):
    assert not siret_holds(siret)


@pytest.mark.parametrize("rna", ["W751212517", "W2A1000123", "W2B1000123", "W9R1000123"])
def test_rna_that_hold(rna):
    assert rna_holds(rna)


@pytest.mark.parametrize("rna", ["W75121251", "W7512125170", "751212517", "W2C1000123", "WA51212517", "w751212517", ""])
def test_rna_that_do_not_hold(rna):
    assert not rna_holds(rna)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("732 829 320 00074", "73282932000074"),
        ("732\u00a0829\u202f320.00074", "73282932000074"),
        ("732-829-320-00074 ", "73282932000074"),
        ("７３２８２９３２００００７４", "73282932000074"),
        ("w751 212 517", "W751212517"),
        ("W2a1000123", "W2A1000123"),
    ],
)
def test_what_people_type_is_kept_in_one_way(typed, kept):
    assert number(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("  ", "Indiquez le SIRET"),
        ("732829320", "ajoutez les cinq chiffres"),
        ("732829321", "vous en avez saisi 9"),
        ("7328293200007", "14 chiffres ; vous en avez saisi 13"),
        ("732829320000745", "14 chiffres ; vous en avez saisi 15"),
        ("1", "vous en avez saisi un seul"),
        ("73282932000075", "la clé de contrôle du SIRET"),
        ("73282932100074", "la clé de contrôle du SIREN"),
        ("FR44732829320", "numéro de TVA"),
        ("7328293200OO74", "que des chiffres"),
        ("<script>", "que des chiffres"),
        ("W75121251", "« W » suivi de neuf chiffres"),
    ],
)
def test_each_fault_has_its_sentence(typed, sentence):
    with pytest.raises(NumberRefused, match=sentence):
        number(typed)


def test_numbers_are_shown_in_groups():
    assert spaced("73282932000074") == "732\u00a0829\u00a0320\u00a000074"
    assert spaced("W751212517") == "W751\u00a0212\u00a0517"

"""Pre-flight checks: what passes, what is refused, and the way out each refusal gives."""

from dataclasses import replace
from datetime import date

import pytest

from parvis.edemat.actes.formats.archives import MAX_ARCHIVE
from parvis.edemat.actes.formats.checks import Candidate, ClassificationInForce, PieceFile, check, refusals
from parvis.edemat.actes.formats.emitters import Emitter

PDF, JPG, EXE, XML = "application/pdf", "image/jpeg", "application/x-dosexec", "application/xml"


def emitter(*addresses: str):
    return lambda: Emitter("213401235", "034", "3", "31", addresses)


ACT = PieceFile(1, "99_DE", "délibération.pdf", PDF, 200_000)
ANNEXE = PieceFile(2, "22_TA", "tableau.pdf", PDF, 100_000)
RIGHT = Candidate(
    numero="19_07_01_05",
    nature="1",
    objet="Convention de gestion de services numériques communs",
    decision_date=date(2019, 7, 1),
    matiere="5.7",
    files=(ACT, ANNEXE),
    classification=ClassificationInForce(
        date(2019, 4, 18),
        frozenset({"5.7", "7.1"}),
        {"1": frozenset({"99_DE", "22_TA"}), "5": frozenset({"99_BU", "70_DE"})},
    ),
    today=date(2019, 7, 3),
    emitter=emitter("actes@juvignac.fr"),
)


def test_a_right_act_passes_every_check():
    findings = check(RIGHT)
    assert refusals(findings) == []
    assert all(f.ok and f.sentence for f in findings)


def test_the_day_of_the_decision_may_be_today():
    assert refusals(check(replace(RIGHT, decision_date=RIGHT.today))) == []


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"numero": "19.07.01.05"}, "numero", "« 19_07_01_05 »"),
        ({"numero": "a b"}, "numero", "« A_B »"),
        ({"numero": "N" * 16}, "numero", "1 à 15"),
        ({"number_holder": "19.07.01.05 Convention"}, "numero_libre", "déjà celui d’un acte"),
        ({"objet": ""}, "objet", "vide"),
        ({"objet": "   "}, "objet", "vide"),
        ({"objet": "a\nb"}, "objet", "« a b »"),
        ({"objet": "a\x07b"}, "objet", "invisibles"),
        ({"objet": "a" * 500}, "objet", "500 caractères"),
        ({"objet": "…" * 167}, "objet", "501 caractères"),
        ({"nature": "9"}, "nature", "de 1 à 6"),
        ({"decision_date": date(2019, 7, 4)}, "date", "à venir"),
        ({"matiere": "5"}, "matiere", "incomplète"),
        ({"matiere": "5.8"}, "matiere", "n’existe pas dans la classification"),
        ({"matiere": ""}, "matiere", "code de matière"),
        ({"classification": None}, "classification", "demandez-la"),
        ({"files": (replace(ACT, code=""), ANNEXE)}, "type_piece_1", "« délibération.pdf »"),
        ({"files": (ACT, replace(ANNEXE, code="32_DP"))}, "type_piece_2", "« tableau.pdf »"),
        ({"files": (ACT, replace(ANNEXE, code="x"))}, "type_piece_2", "cinq caractères"),
        ({"files": (replace(ACT, size=0),)}, "fichier_1", "vide"),
        ({"files": (replace(ACT, media_type=EXE),)}, "fichier_1", "x-dosexec"),
        ({"files": (replace(ACT, media_type=XML),)}, "fichier_1", "doit être un PDF"),
        ({"files": (replace(ACT, media_type=JPG),)}, "fichier_1", "doit être un PDF"),
        ({"files": (ACT, replace(ANNEXE, media_type="text/html"))}, "fichier_2", "text/html"),
        ({"files": (ACT, replace(ANNEXE, infected=True))}, "fichier_2", "malveillant"),
        (
            {"files": (replace(ACT, problems=("il est protégé par un mot de passe.",)),)},
            "fichier_1",
            "mot de passe",
        ),
        ({"files": (ACT, *(replace(ANNEXE, rank=n) for n in range(2, 53)))}, "nombre_annexes", "51 annexes"),
        ({"files": (replace(ACT, size=MAX_ARCHIVE), replace(ANNEXE, size=1))}, "taille", "150,0"),
        ({"emitter": emitter()}, "emetteur", "adresse de retour"),
        ({"emitter": emitter("mairie@ville.montpellier")}, "emetteur", "2 à 6 lettres"),
        ({"suspended": True}, "electronique", "sur papier"),
    ],
)
def test_each_fault_is_refused_with_its_sentence(changes, code, says):
    refused = refusals(check(replace(RIGHT, **changes)))
    assert [f.code for f in refused] == [code]
    assert says in refused[0].sentence


def test_files_of_exactly_the_limit_pass():
    assert refusals(check(replace(RIGHT, files=(replace(ACT, size=MAX_ARCHIVE),)))) == []


def test_images_may_be_annexes():
    assert refusals(check(replace(RIGHT, files=(ACT, replace(ANNEXE, media_type=JPG))))) == []


BUDGET = replace(
    RIGHT,
    nature="5",
    matiere="7.1",
    files=(replace(ACT, code="99_BU", media_type=XML), replace(ANNEXE, code="70_DE")),
)


def test_a_budget_may_be_an_xml_with_pdf_annexes_only():
    assert refusals(check(BUDGET)) == []
    with_image = replace(BUDGET, files=(BUDGET.files[0], replace(BUDGET.files[1], media_type=JPG)))
    assert [f.code for f in refusals(check(with_image))] == ["fichier_2"]


def test_an_older_classification_without_piece_types_does_not_refuse_them():
    bare = ClassificationInForce(date(2017, 1, 1), frozenset({"5.7"}), {})
    assert refusals(check(replace(RIGHT, classification=bare))) == []


def test_the_object_that_users_type_passes_unchanged():
    assert refusals(check(replace(RIGHT, objet="« œuf d’été – 50 € »"))) == []

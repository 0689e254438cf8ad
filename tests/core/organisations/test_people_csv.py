"""Reading a file of agents: encodings, separators, and what is said of what is wrong."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.organisations import people_csv

HEAD = "prenom;nom;courriel;role"
GOOD = "Zoé;Durand;zoe@juvignac.test;Élu"


def read(*lines, encoding="utf-8", key="courriel", head=HEAD):
    return people_csv.read("\r\n".join((head, *lines)).encode(encoding), key)


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("latin-1", "Latin-1"), ("cp1252", "Latin-1")]
)
def test_encodings_are_recognised(encoding, name):
    people = read(GOOD, encoding=encoding)
    assert people.encoding == name
    assert people.lines[0].values["prenom"] == "Zoé"
    assert people.lines[0].values["role"] == "Élu"
    assert people.lines[0].problem == ""


def test_commas_quotes_accents_in_the_header_and_blank_lines():
    people = people_csv.read(
        'Prénom,Nom,E-mail,Rôle,Inconnue\n"Zoé, Anne",Durand,ZOE@juvignac.test,Élu,x\n\n,,,\nA,B,b@c.fr,Élu,\n'.encode()
    )
    assert people.delimiter == ","
    assert [line.number for line in people.lines] == [2, 5]
    assert people.lines[0].values["prenom"] == "Zoé, Anne"
    assert people.lines[0].values["courriel"] == "zoe@juvignac.test"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "est vide"),
        (b"\r\n\r\n", "est vide"),
        (HEAD.encode(), "aucune personne"),
        ((HEAD + "\n" + GOOD).encode("utf-16"), "ni en UTF-8 ni en Latin-1"),
        ((HEAD + "\nZo\0;a;b@c.fr;x").encode(), "ni en UTF-8 ni en Latin-1"),
        (b"PK\x03\x04\x00\x00", "ni en UTF-8 ni en Latin-1"),
        (b"prenom;nom;courriel;role\nZ\x81;a;b@c.fr;x", "encodage"),
        (b"prenom;nom;courriel\nA;B;c@d.fr", "manque la colonne « role »"),
        (b"prenom;nom;courriel;role;nom\nA;B;c@d.fr;x;y", "deux fois"),
        (b'prenom;nom;courriel;role\n"A;B;c@d.fr;x', "CSV lisible"),
        (b"x" * (2 * 1024 * 1024 + 1), "dépasse 2 Mo"),
        (b"prenom;nom;courriel;role\n" + b"A;B;c@d.fr;x\n" * 20_001, "20000 lignes"),
    ],
)
def test_a_bad_file_is_refused_in_words(content, sentence):
    with pytest.raises(people_csv.FileRefused, match=sentence):
        people_csv.read(content)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Zoé;Durand;pas une adresse;Élu", "n’est pas une adresse"),
        ("Zoé;Durand;zoe@juv\u0456gnac.test;Élu", "mélange les lettres de plusieurs alphabets"),
        (";Durand;a@b.fr;Élu", "« prenom » est vide"),
        ("=cmd|x;Durand;a@b.fr;Élu", "comme une formule"),
        ("@SOMME(A1);Durand;a@b.fr;Élu", "comme une formule"),
        ("Zoé;Du\x07rand;a@b.fr;Élu", "caractère invisible"),
        ("Zoé;" + "D" * 81 + ";a@b.fr;Élu", "80 caractères"),
        ("Zoé;Durand;a@b.fr;Élu;de trop", "plus de cases"),
    ],
)
def test_a_bad_line_says_why_and_the_way_out(line, sentence):
    assert sentence in read(line).lines[0].problem


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ("31/02/2019;", "date n’est pas lisible"),
        ("2019;", "date n’est pas lisible"),
        ("01/01/0001;", "date n’est pas lisible"),
        ("01/09/2019;01/08/2019", "La fin précède le début"),
        ("01/09/2019;2019-12-31", ""),
    ],
)
def test_dates(dates, sentence):
    problem = read(f"{GOOD};{dates}", head=HEAD + ";debut;fin").lines[0].problem
    assert sentence in problem
    assert bool(problem) == bool(sentence)


def test_a_person_twice_in_the_same_role_is_told_with_the_first_line():
    lines = read(GOOD, GOOD.replace("zoe@", "ZOE@"), GOOD.replace("Élu", "Consultation")).lines
    assert ["ligne 2" in line.problem for line in lines] == [False, True, False]


def test_the_key_column_must_be_there_and_filled():
    with pytest.raises(people_csv.FileRefused, match="« matricule »"):
        read(GOOD, key="matricule")
    assert "« matricule » est vide" in read(GOOD + ";", head=HEAD + ";matricule", key="matricule").lines[0].problem


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 12, 31)))
def test_both_ways_of_writing_a_day_mean_the_same(day):
    assert people_csv.day(f"{day:%d/%m/}{day.year:04}") == people_csv.day(day.isoformat()) == day


@given(st.binary(max_size=400))
def test_no_content_makes_the_reader_fall(content):
    with contextlib.suppress(people_csv.FileRefused):
        assert people_csv.read(b"prenom;nom;courriel;role\n" + content).lines

"""Typesetting: tagged PDF/A-2a and PDF/UA-1, the same bytes twice, values that are never markup."""

import io
import re
import shutil
import subprocess
from datetime import UTC, datetime

import pikepdf
import pytest

from parvis.core.documents.typesetting import TypesettingFailed, organisation_facts, typeset, unprintable
from parvis.core.organisations.models import Organisation
from tests.names import named

JULY = datetime(2019, 7, 1, 18, tzinfo=UTC)
COMMUNE = Organisation(slug="juvignac", name="Commune de Juvignac", short_name="Juvignac", siren="213401235")


def specimen(**values) -> bytes:
    data = {
        "title": "Délibération N° 19.07.01.05",
        "reference": "Spécimen",
        "text": "Le conseil *municipal* #panic()\n\nDeuxième « paragraphe ».",
        "facts": [["Objet", "Vœu"], ["Date", "lundi 1er juillet 2019"]],
        "rows": [["Élu", "Pour"]],
        "digest": "ab" * 32,
        "signatory": "Personne inventée",
        "organisation": organisation_facts(COMMUNE),
    }
    return typeset("core/documents/specimen", data | values, created=JULY)


def test_the_document_is_tagged_archivable_and_in_french():
    with pikepdf.open(io.BytesIO(specimen())) as document:
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang).startswith("fr")
        assert document.check_pdf_syntax() == []
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "2A"
            assert metadata["dc:title"] == "Délibération N° 19.07.01.05"
            assert metadata["pdfuaid:part"] == "1"


def test_fonts_are_embedded():
    with pikepdf.open(io.BytesIO(specimen())) as document:
        descriptors = [o for o in document.objects if isinstance(o, pikepdf.Dictionary) and "/FontName" in o]
        assert descriptors
        assert all({"/FontFile2", "/FontFile3"} & set(d.keys()) for d in descriptors)


def test_the_same_data_gives_the_same_bytes():
    assert specimen() == specimen()
    assert specimen() != specimen(reference="Autre")


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_values_are_text_and_not_markup(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(specimen())
    text = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True).stdout
    assert "*municipal* #panic()" in text
    assert "Deuxième « paragraphe »" in text
    assert "213\u00a0401\u00a0235" in text or "213 401 235" in text


def test_a_missing_value_is_a_domain_error():
    with pytest.raises(TypesettingFailed, match="n’a pas pu être mis en page") as failure:
        typeset("core/documents/specimen", {})
    assert "title" in str(failure.value.data["cause"])


def test_an_unknown_template_is_a_domain_error():
    with pytest.raises(TypesettingFailed):
        typeset("core/documents/absent", {})


@named
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_a_document_is_made_whatever_the_alphabet_of_a_name(tmp_path, given, family):
    path = tmp_path / "a.pdf"
    path.write_bytes(specimen(signatory=f"Mme {given} {family}"))
    text = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True).stdout
    shown = family if not unprintable(family) else "".join(f"[U+{ord(letter):04X}]" for letter in family)
    assert re.sub(r"\s", "", shown) in re.sub(r"\s", "", text)


def test_letters_that_no_font_has_are_known():
    assert unprintable("Ελένη Łukasz N’Guyen 明 李 李") == "明李"

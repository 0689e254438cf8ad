"""Health of PDF files: what is refused, what is only told, and hostile input."""

import io
import subprocess
import time

import pikepdf
import pytest

from parvis.core.documents import pdf
from parvis.core.documents.identification import identify, mismatch
from parvis.core.documents.workshop import InspectionFailed, Workshop


def make(change=None, *, pages: int = 1, **saving) -> bytes:
    document, target = pikepdf.new(), io.BytesIO()
    for _ in range(pages):
        document.add_blank_page()
    if change:
        change(document)
    document.save(target, deterministic_id="encryption" not in saving, **saving)
    return target.getvalue()


def test_a_healthy_file():
    health = pdf.examine(io.BytesIO(make(pages=3)), "projet.pdf")
    assert health.acceptable
    assert health.pages == 3
    assert health.sentence == ""


def test_zero_bytes():
    health = pdf.examine(b"", "vide.pdf")
    assert not health.acceptable
    assert "« vide.pdf » est vide" in health.sentence


def test_not_a_pdf():
    health = pdf.examine(b"PK\x03\x04 not a pdf", "annexe.pdf")
    assert not health.acceptable
    assert "« annexe.pdf » n’est pas un PDF" in health.sentence


def test_user_password_is_refused():
    locked = make(encryption=pikepdf.Encryption(user="secret", owner="secret"))
    health = pdf.examine(locked, "a.pdf")
    assert not health.acceptable
    assert health.user_password
    assert "mot de passe" in health.sentence


def test_owner_restrictions_are_told_not_refused():
    rights = pikepdf.Permissions(extract=False, print_lowres=False, print_highres=False, modify_assembly=True)
    health = pdf.examine(make(encryption=pikepdf.Encryption(owner="x", allow=rights)), "a.pdf")
    assert health.acceptable
    assert health.encrypted
    assert list(health.restrictions) == ["impression", "copie"]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_truncated_file_is_refused(kept):
    whole = make(pages=5)
    health = pdf.examine(whole[: int(len(whole) * kept)], "coupe.pdf")
    assert not health.acceptable
    assert health.truncated
    assert "tronqué" in health.sentence


def test_bytes_after_the_end_are_accepted():
    health = pdf.examine(make() + b"\n<!-- added by a scanner -->\n" * 3, "a.pdf")
    assert health.acceptable
    assert health.trailing_bytes


def test_damaged_structure_is_refused():
    content = bytearray(make(pages=4, object_stream_mode=pikepdf.ObjectStreamMode.disable))
    at = content.rfind(b"startxref")
    content[at : at + 14] = b"startxref\n0000"
    health = pdf.examine(bytes(content), "abime.pdf")
    assert not health.acceptable
    assert health.damaged
    assert "endommagé" in health.sentence


@pytest.mark.parametrize("place", ["open action", "page", "names"])
def test_scripts_are_told(place):
    def add(document):
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        if place == "open action":
            document.Root.OpenAction = script
        elif place == "page":
            document.pages[0].AA = pikepdf.Dictionary(O=script)
        else:
            names = pikepdf.Array([pikepdf.String("a"), script])
            document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=names))

    health = pdf.examine(make(add), "a.pdf")
    assert health.acceptable
    assert health.scripts
    assert "script" in health.sentence


def test_embedded_program_is_refused():
    def add(document):
        document.attachments["facture.exe"] = pikepdf.AttachedFileSpec(document, b"MZ", filename="facture.exe")

    health = pdf.examine(make(add), "a.pdf")
    assert not health.acceptable
    assert "facture.exe" in health.sentence


def test_embedded_data_is_accepted():
    def add(document):
        document.attachments["factur-x.xml"] = pikepdf.AttachedFileSpec(document, b"<a/>", filename="factur-x.xml")

    assert pdf.examine(make(add), "a.pdf").acceptable


def test_xfa_is_told():
    def add(document):
        document.Root.AcroForm = pikepdf.Dictionary(XFA=pikepdf.String("x"), Fields=pikepdf.Array([]))

    health = pdf.examine(make(add), "a.pdf")
    assert health.xfa
    assert "XFA" in health.sentence


def test_an_order_that_lasts_too_long_is_killed_and_the_next_one_served(tmp_path):
    shop, path = Workshop(), tmp_path / "a.pdf"
    path.write_bytes(make())
    assert shop.order(do="examine", path=str(path))["pages"] == 1
    child = shop._child
    subprocess.run(["kill", "-STOP", str(child.pid)], check=True)
    before = time.monotonic()
    with pytest.raises(InspectionFailed):
        shop.order(do="examine", path=str(path), seconds=0.3)
    assert time.monotonic() - before < 5
    assert child.poll() is not None
    assert shop.order(do="examine", path=str(path))["pages"] == 1
    shop.close()


def test_a_dead_inspection_process_is_replaced(tmp_path):
    shop, path = Workshop(), tmp_path / "a.pdf"
    path.write_bytes(make())
    shop.order(do="examine", path=str(path))
    shop._child.kill()
    shop._child.wait()
    assert shop.order(do="examine", path=str(path))["pages"] == 1
    shop.close()


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "acceptable", "pages", "words"),
    [
        ("ok-5p.pdf", True, 5, ""),
        ("avec-signets-et-rotation.pdf", True, 5, ""),
        ("octets-apres-eof.pdf", True, 5, ""),
        ("avec-javascript.pdf", True, 5, "script"),
        ("protege-proprietaire-sans-mot-de-passe.pdf", True, 5, "protection du propriétaire"),
        ("chiffre-mot-de-passe-utilisateur.pdf", False, None, "mot de passe"),
        ("tronque.pdf", False, None, "tronqué"),
        ("renomme-pas-un-pdf.pdf", False, None, "n’est pas un PDF"),
        ("../../actes/pdf/Delib.pdf", True, 1, ""),
        ("../../actes/pdf/Annexe_delib.pdf", True, 1, ""),
    ],
)
def test_reference_files(shared_dir, name, acceptable, pages, words):
    path = shared_dir / "samples/seances/pdf" / name
    with path.open("rb") as stream:
        health = pdf.examine(stream, path.name)
    assert (health.acceptable, health.pages) == (acceptable, pages)
    assert words in health.sentence
    assert bool(health.sentence) == bool(words)
    if words:
        assert f"« {path.name} »" in health.sentence


@pytest.mark.parametrize(
    ("content", "name", "media_type", "certain"),
    [
        (b"PK\x03\x04fake", "a.pdf", "application/zip", True),
        (b"<?xml version='1.0'?><a/>", "a.xml", "application/xml", True),
        (b"nom;voix\nA;1\n", "a.csv", "text/csv", False),
        (b"bonjour", "a", "text/plain", True),
        (b"\x00\x01\x02", "a.bin", "application/octet-stream", False),
        (b"", "a.pdf", "application/octet-stream", False),
    ],
)
def test_identification_by_content(tmp_path, content, name, media_type, certain):
    path = tmp_path / name
    path.write_bytes(content)
    found = identify(path, name)
    assert (found.media_type, found.certain) == (media_type, certain)


def test_extension_that_lies(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"PK\x03\x04fake")
    assert "porte l’extension .pdf" in mismatch("a.pdf", identify(path))
    path.write_bytes(make())
    assert mismatch("a.pdf", identify(path)) == ""
    assert identify(path).puid.startswith("fmt/")

"""The télétransmission stamp: seen on every kind of page, and harmless to a signature."""

import datetime as dt
import shutil
import subprocess
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from parvis.core.trust.modifications import DIFF_POLICY
from parvis.edemat.actes.stamping import Placement, Stamp, StampError, is_stamped, stamp_pdf

STAMP = Stamp("034-213401235-20190701-19_07_01_05-DE", dt.date(2019, 7, 3), dt.date(2019, 7, 3))
PUBLISHED = Stamp(STAMP.identifier, STAMP.sent, STAMP.received, dt.date(2019, 7, 11))


def pdf(pages: int = 1, *, box=(0, 0, 595.276, 841.89), crop=None, rotate: int = 0, unit: float = 1) -> bytes:
    document = pikepdf.new()
    for _ in range(pages):
        page = document.add_blank_page(page_size=(10, 10))
        page.MediaBox = pikepdf.Array(box)
        if crop:
            page.CropBox = pikepdf.Array(crop)
        if rotate:
            page.Rotate = rotate
        if unit != 1:
            page.UserUnit = unit
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def ink(content: bytes, page: int = 0, scale: float = 1.0):
    """Bounding box (left, top, right, bottom) of what is not white on the page as displayed, and its size."""
    image = pypdfium2.PdfDocument(content)[page].render(scale=scale, may_draw_forms=False).to_pil().convert("L")
    return image.point(lambda value: 255 if value < 253 else 0).getbbox(), image.size


def rows_of_text(content: bytes, page: int = 0) -> list[int]:
    """Width in pixels of the four text rows of the stamp, from top to bottom."""
    (left, top, right, bottom), _ = ink(content, page, scale=4)
    image = pypdfium2.PdfDocument(content)[page].render(scale=4).to_pil().convert("L").crop((left, top, right, bottom))
    dark = image.point(lambda value: 255 if value < 150 else 0)
    inner = dark.crop((8, 8, dark.width - 8, dark.height - 8))
    quarter = inner.height / 4
    return [
        box[2] - box[0]
        for box in (
            inner.crop((0, int(i * quarter) + 2, inner.width, int((i + 1) * quarter) - 2)).getbbox() for i in range(4)
        )
    ]


# --- what it says ---
def test_the_rows_give_the_dates_and_the_identifier():
    assert STAMP.rows == (
        "Envoyé en préfecture le 03/07/2019",
        "Reçu en préfecture le 03/07/2019",
        "Publié le",
        "ID : 034-213401235-20190701-19_07_01_05-DE",
    )
    assert PUBLISHED.rows[2] == "Publié le 11/07/2019"


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")
def test_a_reader_finds_the_text_of_the_stamp(tmp_path):
    (tmp_path / "a.pdf").write_bytes(stamp_pdf(pdf(), PUBLISHED))
    text = subprocess.run(["pdftotext", tmp_path / "a.pdf", "-"], capture_output=True, check=True).stdout.decode()
    assert [line for line in text.splitlines() if line.strip()][:4] == list(PUBLISHED.rows)


def test_a_screen_reader_gets_the_same_words():
    with pikepdf.open(BytesIO(stamp_pdf(pdf(), PUBLISHED))) as document:
        (annotation,) = document.pages[0].Annots
        assert str(annotation.Contents) == "\n".join(PUBLISHED.rows)
        assert int(annotation.F) & 4, "it is printed"


def test_its_font_is_embedded():
    with pikepdf.open(BytesIO(stamp_pdf(pdf(), STAMP))) as document:
        font = document.pages[0].Annots[0].AP.N.Resources.Font.F1
        assert len(font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()) > 1000
        assert font.ToUnicode.read_bytes()


# --- where it stands ---
@pytest.mark.parametrize("rotate", [0, 90, 180, 270, -90, 450])
@pytest.mark.parametrize("crop", [None, (100, 150, 500, 700)])
def test_it_stands_upright_at_the_top_left_of_the_page_as_displayed(rotate, crop):
    content = stamp_pdf(pdf(rotate=rotate, crop=crop), STAMP)
    (left, top, right, bottom), (width, height) = ink(content)
    assert 0 <= left <= 14
    assert 0 <= top <= 14
    assert right - left > 2 * (bottom - top), "rows are horizontal"
    assert right < width
    assert bottom < height / 4
    rows = rows_of_text(content)
    assert rows[3] == max(rows), "the identifier is the last row: the stamp is not upside down"
    assert rows[2] == min(rows)


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 2383.94, 3370.39),  # A0 plan
        (0, 0, 3370.39, 2383.94),
        (0, 0, 841.89, 1190.55),  # A3
        (0, 0, 140, 60),  # a ticket, smaller than the stamp
        (-300, -400, 295, 441),  # origin in the middle
        (595, 841, 0, 0),  # corners given the other way round
        (0, 0, 60, 2000),
    ],
)
def test_odd_sizes_keep_it_inside_the_page_and_readable(box):
    content = stamp_pdf(pdf(box=box), STAMP)
    (left, top, right, bottom), (width, height) = ink(content, scale=1 if max(box) < 900 else 0.5)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert (right - left) * (bottom - top) <= 0.25 * width * height
    if min(width, height) > 500:
        assert (right - left) / min(width, height) > 0.25, "it keeps its share of a large sheet"


def test_a_crop_outside_the_page_is_ignored():
    content = stamp_pdf(pdf(crop=(9000, 9000, 9500, 9500)), STAMP)
    with pikepdf.open(BytesIO(content)) as document:
        x0, y0, x1, y1 = (float(v) for v in document.pages[0].Annots[0].Rect)
        assert 0 <= x0 < x1 <= 595.3
        assert 780 < y0 < y1 <= 841.9


def test_a_page_in_large_units_gets_a_stamp_of_ordinary_size():
    plain, large = stamp_pdf(pdf(), STAMP), stamp_pdf(pdf(box=(0, 0, 59.5276, 84.189), unit=10), STAMP)
    sizes = []
    for content, unit in ((plain, 1), (large, 10)):
        with pikepdf.open(BytesIO(content)) as document:
            x0, y0, x1, y1 = (float(v) * unit for v in document.pages[0].Annots[0].Rect)
            sizes.append((round(x1 - x0), round(y1 - y0)))
    assert sizes[0] == sizes[1]


def test_every_page_is_stamped_unless_the_organisation_wants_the_first_only():
    with pikepdf.open(BytesIO(stamp_pdf(pdf(5), STAMP))) as document:
        assert [len(page.Annots) for page in document.pages] == [1] * 5
    with pikepdf.open(BytesIO(stamp_pdf(pdf(5), STAMP, Placement(pages="first")))) as document:
        assert ["/Annots" in page for page in document.pages] == [True, False, False, False, False]


def test_the_organisation_chooses_the_place():
    (left, top, _, _), (width, height) = ink(stamp_pdf(pdf(), STAMP, Placement(x_percent=50, y_percent=80)))
    assert left == pytest.approx(width * 0.5, abs=2)
    assert top == pytest.approx(height * 0.8, abs=2)
    with pytest.raises(ValueError, match="percentages"):
        Placement(x_percent=101)


@given(
    width=st.floats(20, 4000), height=st.floats(20, 4000), rotate=st.sampled_from([0, 90, 180, 270]),
    x=st.floats(0, 100), y=st.floats(0, 100), origin=st.floats(-500, 500),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_whatever_the_page_and_the_place_the_stamp_lies_within_the_visible_box(width, height, rotate, x, y, origin):
    box = (origin, origin, origin + width, origin + height)
    content = stamp_pdf(pdf(box=box, rotate=rotate), STAMP, Placement(x_percent=x, y_percent=y))
    with pikepdf.open(BytesIO(content)) as document:
        x0, y0, x1, y1 = (float(v) for v in document.pages[0].Annots[0].Rect)
    assert origin - 0.01 <= x0 < x1 <= origin + width + 0.01
    assert origin - 0.01 <= y0 < y1 <= origin + height + 0.01


# --- real files ---
@pytest.mark.reference
@pytest.mark.parametrize(
    "name",
    [
        "actes/pdf/Delib.pdf",
        "actes/pdf/Annexe_delib.pdf",
        "seances/pdf/ok-5p.pdf",
        "seances/pdf/avec-signets-et-rotation.pdf",
        "seances/pdf/octets-apres-eof.pdf",
    ],
)
def test_real_files_stay_sound(shared_dir, tmp_path, name):
    original = (shared_dir / "samples" / name).read_bytes()
    stamped = stamp_pdf(original, STAMP)
    assert stamped.startswith(original), "an incremental revision: the original is recoverable byte for byte"
    assert is_stamped(stamped)
    assert not is_stamped(original)
    (tmp_path / "a.pdf").write_bytes(stamped)
    check = subprocess.run(["qpdf", "--check", tmp_path / "a.pdf"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("chiffre-mot-de-passe-utilisateur.pdf", "chiffré"),
        ("protege-proprietaire-sans-mot-de-passe.pdf", "chiffré"),
        ("renomme-pas-un-pdf.pdf", "endommagé"),
        ("tronque.pdf", "endommagé"),
    ],
)
def test_a_file_that_cannot_be_stamped_is_refused_and_never_served_bare(shared_dir, name, word):
    with pytest.raises(StampError) as refusal:
        stamp_pdf((shared_dir / "samples/seances/pdf" / name).read_bytes(), STAMP)
    assert word in refusal.value.sentence


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n%%EOF", b"GIF89a", pdf()[:-200]])
def test_garbage_is_refused_with_a_sentence(content):
    with pytest.raises(StampError):
        stamp_pdf(content, STAMP)


def test_a_new_stamp_starts_from_the_original_and_never_from_a_stamped_file():
    original = pdf(2)
    first = stamp_pdf(original, STAMP)
    with pytest.raises(StampError, match="déjà un tampon"):
        stamp_pdf(first, PUBLISHED)
    second = stamp_pdf(original, PUBLISHED)
    with pikepdf.open(BytesIO(second)) as document:
        assert [len(page.Annots) for page in document.pages] == [1, 1]


# --- signatures ---
@pytest.fixture(scope="module")
def signer():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Essai sans valeur")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2018, 1, 1))
        .not_valid_after(dt.datetime(2040, 1, 1))
        .add_extension(x509.KeyUsage(True, True, False, False, False, True, True, False, False), True)
        .sign(key, hashes.SHA256())
    )
    return signers.SimpleSigner.load_pkcs12_data(
        pkcs12.serialize_key_and_certificates(b"essai", key, certificate, None, NoEncryption()), [], None
    )


def signed(content: bytes, signer, **metadata) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(content))
    fields.append_signature_field(writer, fields.SigFieldSpec("Maire", box=(300, 100, 500, 150), on_page=0))
    options = signers.PdfSignatureMetadata(
        field_name="Maire", subfilter=fields.SigSeedSubFilter.PADES, md_algorithm="sha256", **metadata
    )
    return signers.sign_pdf(writer, options, signer=signer).getvalue()


def validation_of(content: bytes, signer):
    (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
    return validate_pdf_signature(
        signature, ValidationContext(trust_roots=[signer.signing_cert]), diff_policy=DIFF_POLICY
    )


@pytest.mark.parametrize("stamp", [STAMP, PUBLISHED], ids=["acknowledged", "published"])
def test_a_signature_stays_valid_and_the_change_is_explained(signer, stamp):
    status = validation_of(stamp_pdf(signed(pdf(3), signer), stamp), signer)
    assert status.intact
    assert status.valid
    assert status.bottom_line
    assert status.modification_level == ModificationLevel.ANNOTATIONS


def test_the_same_analysis_denounces_any_other_change(signer):
    writer = IncrementalPdfFileWriter(BytesIO(stamp_pdf(signed(pdf(3), signer), STAMP)))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = generic.NumberObject(90)
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    status = validation_of(out.getvalue(), signer)
    assert status.modification_level == ModificationLevel.OTHER
    assert not status.bottom_line


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler is not installed")
def test_pdfsig_still_finds_the_signature_valid(signer, tmp_path):
    (tmp_path / "a.pdf").write_bytes(stamp_pdf(signed(pdf(2), signer), STAMP))
    report = subprocess.run(["pdfsig", tmp_path / "a.pdf"], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in report


@pytest.mark.parametrize("permission", [MDPPerm.NO_CHANGES, MDPPerm.FILL_FORMS])
def test_a_certified_file_that_allows_no_annotation_is_refused(signer, permission):
    content = signed(pdf(), signer, certify=True, docmdp_permissions=permission)
    with pytest.raises(StampError, match="certifié"):
        stamp_pdf(content, STAMP)


def test_a_certified_file_that_allows_annotations_is_stamped(signer):
    content = signed(pdf(), signer, certify=True, docmdp_permissions=MDPPerm.ANNOTATE)
    assert validation_of(stamp_pdf(content, STAMP), signer).bottom_line

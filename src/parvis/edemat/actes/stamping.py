"""The télétransmission stamp on a PDF: an incremental revision that leaves every signed byte untouched.

The stamp is a *Stamp annotation* (ISO 32000-1 §12.5.6.12), not page content: an annotation is the one visible
addition allowed after a signature (§12.8.2.2, permission 3), so readers keep calling the signature valid and
only report a later change. It goes on every page by default, so that a page separated from its bundle still
says which act it belongs to and when the State received it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from io import BytesIO
from math import sqrt
from typing import Literal

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.font.opentype import GlyphAccumulator
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm

from parvis.core.errors import DomainError
from parvis.core.trust.modifications import STAMP_NAME

FONT_SIZE = 7.0
LINE_HEIGHT = 9.5
PADDING = 5.0
INK = (0.137, 0.286, 0.482)
BORDER = (0.208, 0.376, 0.604)
GROUND = (0.957, 0.973, 0.992)

A4_SHORT_SIDE = 595.276
LARGEST_SIDE = 0.9
LARGEST_AREA = 0.2
"""The stamp never takes more than these shares of a page's sides and of its area (validation allows 0.25)."""

# Print, ReadOnly, Locked, LockedContents (ISO 32000-1 table 165); Print is required by PDF/A.
ANNOTATION_FLAGS = 4 | 64 | 128 | 512

# Counter-clockwise quarter turns that keep the stamp upright on a page displayed with /Rotate.
UPRIGHT = {
    0: (1, 0, 0, 1, 0, 0),
    90: (0, 1, -1, 0, 0, 0),
    180: (-1, 0, 0, -1, 0, 0),
    270: (0, -1, 1, 0, 0, 0),
}


class StampError(DomainError):
    """The file could not be stamped; it is never served unstamped instead. ``code`` names why, for the journal."""

    def __init__(self, sentence: str, *, code: str, **data: object) -> None:
        super().__init__(sentence, code=code, **data)
        self.code = code


@dataclass(frozen=True)
class Stamp:
    """What the stamp says; ``received`` is the acknowledgement's DateReception, never our clock."""

    identifier: str
    sent: date
    received: date
    published: date | None = None
    trial: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The four French lines, in order; without a publication date the third stays open; a trial says so."""
        published = f" {self.published:%d/%m/%Y}" if self.published else ""
        return (
            f"Envoyé en préfecture le {self.sent:%d/%m/%Y}",
            f"Reçu en préfecture le {self.received:%d/%m/%Y}",
            f"Publié le{published}",
            f"ID : {self.identifier}",
            *(["Transmission d’essai, sans valeur légale"] if self.trial else []),
        )


@dataclass(frozen=True)
class Placement:
    """Where the stamp stands: offsets of its top left corner in percent of the page as displayed."""

    pages: Literal["all", "first"] = "all"
    x_percent: float = 1.7
    y_percent: float = 1.2

    def __post_init__(self) -> None:
        if not (0 <= self.x_percent <= 100 and 0 <= self.y_percent <= 100):
            raise ValueError("offsets are percentages")


@dataclass(frozen=True)
class _Page:
    """A page as displayed: visible box in default user space, rotation in degrees, points per user unit."""

    reference: generic.IndirectObject
    box: tuple[float, float, float, float]
    rotation: int
    user_unit: float

    @property
    def size(self) -> tuple[float, float]:
        """Displayed width and height in points."""
        x0, y0, x1, y1 = self.box
        width, height = (x1 - x0) * self.user_unit, (y1 - y0) * self.user_unit
        return (height, width) if self.rotation in (90, 270) else (width, height)

    def rectangle(self, left: float, top: float, width: float, height: float) -> tuple[float, ...]:
        """The /Rect of a box given in displayed points from the top left corner."""
        unit = self.user_unit
        u0, v0, u1, v1 = left / unit, top / unit, (left + width) / unit, (top + height) / unit
        x0, y0, x1, y1 = self.box
        match self.rotation:
            case 90:
                return (x0 + v0, y0 + u0, x0 + v1, y0 + u1)
            case 180:
                return (x1 - u1, y0 + v0, x1 - u0, y0 + v1)
            case 270:
                return (x1 - v1, y1 - u1, x1 - v0, y1 - u0)
            case _:
                return (x0 + u0, y1 - v1, x0 + u1, y1 - v0)


def stamp_pdf(original: bytes, stamp: Stamp, placement: Placement | None = None) -> bytes:
    """``original`` followed by one incremental revision that shows ``stamp``.

    ``original`` must be the untouched file: a new stamp (with the publication date) starts again from it and
    so replaces the former. Raises :class:`StampError` when the file is encrypted, damaged, already stamped or
    certified with no change permitted (ISO 32000-1 §12.8.2.2, permissions 1 and 2).
    """
    placement = placement or Placement()
    try:
        stamped = _write_revision(original, stamp, placement)
        _check(original, stamped)
    except StampError:
        raise
    except Exception as error:  # whatever a malformed file provokes, the answer is a refusal
        raise StampError(
            "Le tampon de télétransmission n’a pas pu être apposé : le fichier PDF est endommagé ou sort de "
            "la norme. Le fichier non tamponné n’est pas servi à sa place.",
            code="endommage",
            cause=repr(error),
        ) from error
    return stamped


def is_stamped(content: bytes) -> bool:
    """Whether a PDF already carries the télétransmission stamp."""
    with pikepdf.open(BytesIO(content)) as document:
        return _stamped_pages(document) > 0


def _write_revision(original: bytes, stamp: Stamp, placement: Placement) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(original), strict=False)
    if writer.prev.encrypted:
        raise StampError(
            "Le fichier PDF est chiffré : le tampon de télétransmission ne peut pas être apposé.", code="chiffre"
        )
    _refuse_certified(writer)
    rows = stamp.rows
    font = GlyphAccumulator(writer, BytesIO(_font()), FONT_SIZE)
    lines = [font.shape(row, with_actual_text=False) for row in rows]
    width = max(line.x_advance for line in lines) * FONT_SIZE + 2 * PADDING
    height = LINE_HEIGHT * len(rows) + 2 * PADDING - (LINE_HEIGHT - FONT_SIZE)
    content = _appearance(tuple(line.graphics_ops for line in lines), width, height)
    font.prepare_write()
    appearances: dict[int, generic.IndirectObject] = {}
    for number, page in enumerate(_pages(writer), start=1):
        if page.rotation not in appearances:
            form = _form(content, width, height, page.rotation, font)
            appearances[page.rotation] = writer.add_object(form)
        annotation = _annotation(page, placement, rows, (width, height), number)
        annotation["/AP"] = generic.DictionaryObject({pdf_name("/N"): appearances[page.rotation]})
        writer.register_annotation(page.reference, writer.add_object(annotation))
        if placement.pages == "first":
            break
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _refuse_certified(writer: IncrementalPdfFileWriter) -> None:
    for signature in writer.prev.embedded_signatures:
        level = signature.docmdp_level
        if level is not None and level < MDPPerm.ANNOTATE:
            raise StampError(
                "Ce PDF a été certifié sans modification permise : le tampon romprait sa signature. "
                "Joignez une version signée sans cette restriction.",
                code="certifie",
                field=signature.field_name,
            )


def _pages(writer: IncrementalPdfFileWriter) -> Iterator[_Page]:
    """The pages in reading order with their inherited attributes (ISO 32000-1 §7.7.3.4)."""
    seen: set[int] = set()
    stack: list[tuple[generic.IndirectObject, dict[str, object]]] = [(writer.root.raw_get("/Pages"), {})]
    while stack:
        reference, inherited = stack.pop()
        if reference.idnum in seen:
            raise ValueError("the page tree has a loop")
        seen.add(reference.idnum)
        node = reference.get_object()
        values = dict(inherited)
        for key in ("/MediaBox", "/CropBox", "/Rotate"):
            if key in node:
                values[key] = node[key]
        if "/Kids" in node:
            stack.extend((kid, values) for kid in reversed(list(_references(node["/Kids"]))))
        else:
            yield _Page(reference, _visible_box(values), _rotation(values), float(node.get("/UserUnit", 1)))


def _references(array: generic.ArrayObject) -> Iterator[generic.IndirectObject]:
    for index in range(len(array)):
        reference = array.raw_get(index)
        if not isinstance(reference, generic.IndirectObject):
            raise ValueError("a page is not an indirect object")
        yield reference


def _visible_box(values: dict[str, object]) -> tuple[float, float, float, float]:
    """CropBox within MediaBox; a crop that shows nothing is ignored, as readers do."""
    media = _box(values["/MediaBox"])
    if "/CropBox" not in values:
        return media
    crop = _box(values["/CropBox"])
    visible = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return visible if visible[0] < visible[2] and visible[1] < visible[3] else media


def _box(value: object) -> tuple[float, float, float, float]:
    ax, ay, bx, by = (float(number) for number in value)  # type: ignore[attr-defined]
    box = (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
    if box[0] == box[2] or box[1] == box[3]:
        raise ValueError("a page has no surface")
    return box


def _rotation(values: dict[str, object]) -> int:
    degrees = int(values.get("/Rotate", 0)) % 360  # type: ignore[call-overload]
    return degrees if degrees in UPRIGHT else 0


def _appearance(lines: tuple[bytes, ...], width: float, height: float) -> bytes:
    """Content stream of the stamp: a framed box and its rows, origin at the bottom left."""
    parts = [
        "q 0.6 w {:.3f} {:.3f} {:.3f} RG {:.3f} {:.3f} {:.3f} rg".format(*BORDER, *GROUND),
        f"0.3 0.3 {width - 0.6:.2f} {height - 0.6:.2f} re B",
        "{:.3f} {:.3f} {:.3f} rg BT /F1 {} Tf".format(*INK, FONT_SIZE),
    ]
    baseline = height - PADDING - FONT_SIZE + 1
    for index, line in enumerate(lines):
        parts.append(f"1 0 0 1 {PADDING} {baseline - index * LINE_HEIGHT:.2f} Tm {line.decode('latin-1')}")
    return "\n".join([*parts, "ET Q"]).encode("latin-1")


def _form(content: bytes, width: float, height: float, rotation: int, font: GlyphAccumulator) -> generic.StreamObject:
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): _numbers(0, 0, width, height),
            pdf_name("/Matrix"): _numbers(*UPRIGHT[rotation]),
            pdf_name("/Resources"): generic.DictionaryObject(
                {pdf_name("/Font"): generic.DictionaryObject({pdf_name("/F1"): font.as_resource()})}
            ),
        },
        stream_data=content,
    )
    form.compress()
    return form


def _annotation(
    page: _Page, placement: Placement, rows: tuple[str, ...], size: tuple[float, float], number: int
) -> generic.DictionaryObject:
    shown_width, shown_height = page.size
    # The stamp keeps its share of the sheet on an A0 plan and shrinks on a small ticket.
    scale = max(1.0, min(shown_width, shown_height) / A4_SHORT_SIDE)
    scale = min(
        scale,
        shown_width * LARGEST_SIDE / size[0],
        shown_height * LARGEST_SIDE / size[1],
        sqrt(LARGEST_AREA * shown_width * shown_height / (size[0] * size[1])),
    )
    width, height = size[0] * scale, size[1] * scale
    left = min(shown_width * placement.x_percent / 100, shown_width - width)
    top = min(shown_height * placement.y_percent / 100, shown_height - height)
    return generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Stamp"),
            pdf_name("/Rect"): _numbers(*page.rectangle(left, top, width, height)),
            pdf_name("/F"): generic.NumberObject(ANNOTATION_FLAGS),
            pdf_name("/NM"): generic.TextStringObject(f"{STAMP_NAME}-{number}"),
            pdf_name("/Name"): pdf_name("/Teletransmission"),
            pdf_name("/T"): generic.TextStringObject("Télétransmission au contrôle de légalité"),
            pdf_name("/Contents"): generic.TextStringObject("\n".join(rows)),
            pdf_name("/P"): page.reference,
        }
    )


def _numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject([generic.FloatObject(f"{value:.4f}") for value in values])


def _check(original: bytes, stamped: bytes) -> None:
    """The original is intact inside, and another library finds the stamp."""
    if not stamped.startswith(original):
        raise ValueError("the original bytes changed")
    with pikepdf.open(BytesIO(original)) as document:
        pages = len(document.pages)
        if _stamped_pages(document):
            raise StampError(
                "Ce fichier porte déjà un tampon : un nouveau tampon part de l’original.", code="deja_tamponne"
            )
    with pikepdf.open(BytesIO(stamped)) as document:
        if len(document.pages) != pages or not _stamped_pages(document):
            raise ValueError("the stamp cannot be read back")


def _stamped_pages(document: pikepdf.Pdf) -> int:
    return sum(
        1
        for page in document.pages
        if any(str(annotation.get("/NM", "")).startswith(STAMP_NAME) for annotation in page.get("/Annots", []))
    )


@cache
def _font() -> bytes:
    return files("parvis.core.trust").joinpath("fonts/AtkinsonHyperlegibleNext-Medium.ttf").read_bytes()

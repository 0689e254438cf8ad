"""Pictures of an organisation's look: read within bounds, drawn again by Pillow, without metadata.

What is kept is never what was sent: pixels are decoded and encoded anew, so that neither metadata (place, author)
nor whatever hides in the file reaches a visitor.
"""

import io
import warnings
from dataclasses import dataclass
from typing import BinaryIO, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from parvis.core.branding import svg
from parvis.core.branding.errors import BrandingRefused

MAX_LOGO: Final = 2_000_000
MAX_HEADER: Final = 10_000_000
MAX_PIXELS: Final = 40_000_000
LOGO_BOX: Final = (640, 320)
HEADER_BOX: Final = (1920, 1080)
HEADER_LEAST: Final = (600, 200)
HEADER_KEPT: Final = 500_000
LIMITS: Final = {"logo": MAX_LOGO, "header": MAX_HEADER}


@dataclass(frozen=True)
class Picture:
    """A picture ready to be kept and served."""

    content: bytes
    media_type: str
    extension: str
    width: int
    height: int
    removed: tuple[str, ...] = ()


def too_large(field: str) -> BrandingRefused:
    """The refusal of a file over the limit of its field."""
    what, way_out = {
        "logo": ("Le logo", "Exportez-le en SVG, ou en PNG de 640 pixels de large."),
        "header": ("L’image d’en-tête", "Réduisez-la à 1920 pixels de large."),
    }[field]
    return BrandingRefused(field, f"{what} dépasse {LIMITS[field] // 1_000_000} Mo, la taille admise. {way_out}")


def _read(field: str, stream: BinaryIO) -> bytes:
    raw = stream.read(LIMITS[field] + 1)
    if len(raw) > LIMITS[field]:
        raise too_large(field)
    return raw


def clean_logo(stream: BinaryIO) -> Picture:
    """A logo in SVG or PNG; raises ``BrandingRefused``."""
    raw = _read("logo", stream)
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        image = _decoded("logo", raw, "PNG")
        image = image.convert("RGBA")
        image.thumbnail(LOGO_BOX, Image.Resampling.LANCZOS)
        return _encoded(image, "PNG", "image/png", "png", optimize=True)
    if b"<svg" not in raw[:20_000] or raw.startswith((b"\xff\xd8", b"GIF8", b"RIFF")):
        raise BrandingRefused("logo", "Le logo doit être un fichier SVG ou PNG. Exportez-le dans l’un de ces formats.")
    clean = svg.clean(raw)
    scale = LOGO_BOX[0] / max(clean.width, clean.height)
    width, height = (max(1, round(side * scale)) for side in (clean.width, clean.height))
    return Picture(clean.content, "image/svg+xml", "svg", width, height, clean.removed)


def clean_header(stream: BinaryIO) -> Picture:
    """A header photograph in JPEG, PNG or WebP, as WebP of 1920 × 1080 pixels at most."""
    image = _decoded("header", _read("header", stream), "JPEG", "PNG", "WEBP")
    if image.width < HEADER_LEAST[0] or image.height < HEADER_LEAST[1]:
        raise BrandingRefused(
            "header",
            f"L’image d’en-tête mesure {image.width} × {image.height} pixels : il en faut au moins 600 × 200 pour "
            "qu’elle reste nette. Choisissez-en une plus grande.",
        )
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "P", "PA"):
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    image = image.convert("RGB")
    image.thumbnail(HEADER_BOX, Image.Resampling.LANCZOS)
    for quality in (82, 70, 55, 40):
        picture = _encoded(image, "WEBP", "image/webp", "webp", quality=quality, method=4)
        if len(picture.content) <= HEADER_KEPT:
            break
    return picture


def _decoded(field: str, raw: bytes, *formats: str) -> Image.Image:
    """The first image of ``raw``, all its pixels decoded, once its announced dimensions are known to be bearable."""
    what = {"logo": "Le logo", "header": "L’image d’en-tête"}[field]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(raw), formats=formats)
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels(field, what)
            image.load()
    except Image.DecompressionBombError:
        raise _too_many_pixels(field, what) from None
    except UnidentifiedImageError:
        kinds = " ou ".join(", ".join(formats).replace("WEBP", "WebP").rsplit(", ", 1))
        raise BrandingRefused(
            field,
            f"{what} n’est pas une image {kinds}, quel que soit le nom du fichier. Enregistrez-la sous ce format.",
        ) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
        raise BrandingRefused(
            field, f"{what} est endommagé ou incomplet : ses pixels n’ont pas pu être lus. Enregistrez-le de nouveau."
        ) from None
    return image


def _too_many_pixels(field: str, what: str) -> BrandingRefused:
    return BrandingRefused(
        field, f"{what} compte plus de 40 millions de pixels, trop pour être affiché. Réduisez ses dimensions."
    )


def _encoded(image: Image.Image, kind: str, media_type: str, extension: str, **options: object) -> Picture:
    bare = Image.new(image.mode, image.size)  # carries none of the metadata of the file
    bare.paste(image)
    output = io.BytesIO()
    bare.save(output, kind, **options)
    return Picture(output.getvalue(), media_type, extension, image.width, image.height)

"""Pictures are bounded before they are decoded, drawn again, and lose what their file said."""

import io
import struct
import zlib

import pytest
from PIL import Image

from parvis.core.branding import images
from parvis.core.branding.errors import BrandingRefused
from tests.core.branding.drawing import LOGO, picture


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few octets that announces billions of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def test_a_png_logo_is_drawn_again_within_its_box_without_what_it_said():
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("Author", "Camille Essai")
    found = images.clean_logo(io.BytesIO(picture(size=(2000, 500), pnginfo=note)))
    again = opened(found.content)
    assert (found.width, found.height) == again.size == (640, 160)
    assert (found.media_type, found.extension) == ("image/png", "png")
    assert b"Camille" not in found.content


def test_an_svg_logo_gets_dimensions_in_pixels():
    found = images.clean_logo(io.BytesIO(LOGO))
    assert (found.media_type, found.width, found.height) == ("image/svg+xml", 640, 320)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_header_becomes_a_webp_of_bounded_dimensions(kind):
    found = images.clean_header(io.BytesIO(picture(kind, (4000, 2000))))
    assert (found.extension, opened(found.content).format) == ("webp", "WEBP")
    assert (found.width, found.height) == (1920, 960)
    assert len(found.content) <= images.HEADER_KEPT


def test_a_photograph_loses_the_place_where_it_was_taken_and_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x013B] = "Camille Essai"
    exif.get_ifd(0x8825)[2] = (43.0, 36.0, 0.0)
    found = images.clean_header(io.BytesIO(picture("JPEG", (1000, 700), exif=exif)))
    again = opened(found.content)
    assert again.size == (700, 1000)
    assert not again.getexif()
    assert b"Camille" not in found.content


def test_transparency_is_laid_on_white():
    output = io.BytesIO()
    Image.new("RGBA", (800, 400), (0, 0, 0, 0)).save(output, "PNG")
    red, green, blue = opened(images.clean_header(io.BytesIO(output.getvalue())).content).getpixel((5, 5))
    assert min(red, green, blue) > 250


@pytest.mark.parametrize("clean", [images.clean_logo, images.clean_header])
def test_a_picture_of_billions_of_pixels_is_refused_before_it_is_decoded(clean, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("the pixels were decoded"))
    with pytest.raises(BrandingRefused, match="40 millions de pixels"):
        clean(io.BytesIO(bomb()))
    with pytest.raises(BrandingRefused, match="40 millions de pixels"):
        clean(io.BytesIO(bomb(8_000, 8_000)))


@pytest.mark.parametrize(
    ("clean", "raw", "words"),
    [
        (images.clean_logo, picture("JPEG"), "SVG ou PNG"),
        (images.clean_logo, b"MZ\x90\x00", "SVG ou PNG"),
        (images.clean_logo, b"", "SVG ou PNG"),
        (images.clean_logo, picture()[:200], "endommagé"),
        (images.clean_logo, bomb(100, 100), "endommagé"),
        (images.clean_header, LOGO, "JPEG, PNG ou WebP"),
        (images.clean_header, picture("GIF"), "JPEG, PNG ou WebP"),
        (images.clean_header, picture("JPEG")[:400], "endommagé"),
        (images.clean_header, picture(size=(300, 100)), "600 × 200"),
    ],
)
def test_what_is_not_the_picture_asked_is_refused_with_a_way_out(clean, raw, words):
    with pytest.raises(BrandingRefused, match=words):
        clean(io.BytesIO(raw))


def test_reading_stops_just_over_the_limit():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            assert size > 0, "read without a limit"
            self.given += size
            return b"\x89PNG\r\n\x1a\n" + b"\0" * (size - 8)

    stream = Endless()
    with pytest.raises(BrandingRefused, match="2 Mo"):
        images.clean_logo(stream)
    assert stream.given == images.MAX_LOGO + 1

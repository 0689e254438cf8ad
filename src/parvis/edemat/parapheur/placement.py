"""Where the visible signature goes on a PDF: under the signatory's printed name, if the place is free.

A tag `#signature#` in the text wins, as users of parapheurs expect; then the last page's printed name.
Without a free place the signature is invisible, which changes nothing to its value.
"""

from __future__ import annotations

import pypdfium2 as pdfium

WIDTH, HEIGHT, GAP = 210, 44, 6  # points
TAG = "#signature#"

Box = tuple[int, int, int, int]


def find_place(pdf: bytes, name: str) -> tuple[int, Box] | None:
    """Page (0-based) and box in points from the bottom left, or None. Rotated pages are left alone."""
    document = pdfium.PdfDocument(pdf)
    try:
        for text, pages in ((TAG, range(len(document))), (name, range(len(document) - 1, -1, -1))):
            for number in pages:
                box = _under(document[number], text)
                if box is not None:
                    return number, box
            if text == name:
                break
        return None
    finally:
        document.close()


def _under(page: pdfium.PdfPage, text: str) -> Box | None:
    """Box just under the last occurrence of `text`, if nothing is printed there and it stays on the page."""
    if page.get_rotation() or not text:
        return None
    content = page.get_textpage()
    searcher = content.search(text)
    last = None
    while (found := searcher.get_next()) is not None:
        last = found
    if last is None:
        return None
    left, bottom, _, _ = content.get_charbox(last[0])
    x, top = int(left), int(bottom) - GAP
    right, low = x + WIDTH, top - HEIGHT
    x0, y0, x1, _ = page.get_cropbox()
    if right > x1 - GAP:
        x, right = int(x1) - GAP - WIDTH, int(x1) - GAP
    if x < x0 or low < y0 + GAP:
        return None
    if content.get_text_bounded(left=x, bottom=low, right=right, top=top - 1).strip():
        return None
    return x, low, right, top

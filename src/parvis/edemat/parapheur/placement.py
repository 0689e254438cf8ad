"""Where the visible signature goes on a PDF: under the signatory's printed name or quality, if there is room.

A tag `#signature#` in the text wins, as users of parapheurs expect; then the last page's printed name, then
the printed quality. Without room the signature is invisible, which changes nothing to its value.
"""

from __future__ import annotations

import pypdfium2 as pdfium

WIDTH, HEIGHT, GAP, REACH = 210, 44, 6, 48  # points
TAG = "#signature#"

Box = tuple[int, int, int, int]


def find_place(pdf: bytes, *labels: str) -> tuple[int, Box] | None:
    """Page (0-based) and box in points from the bottom left, or None; `labels` are tried on the last page."""
    document = pdfium.PdfDocument(pdf)
    try:
        last = len(document) - 1
        for text, pages in ((TAG, range(last + 1)), *((label, range(last, last + 1)) for label in labels)):
            for number in pages:
                box = _under(document[number], text)
                if box is not None:
                    return number, box
        return None
    finally:
        document.close()


def _under(page: pdfium.PdfPage, text: str) -> Box | None:
    """First free box under the last occurrence of `text`, within REACH; none on a rotated page."""
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
    x0, y0, x1, _ = page.get_cropbox()
    x = min(int(left), int(x1) - GAP - WIDTH)
    for top in range(int(bottom) - GAP, int(bottom) - GAP - REACH, -GAP):
        low, right = top - HEIGHT, x + WIDTH
        if x < x0 or low < y0 + GAP:
            return None
        if not content.get_text_bounded(left=x, bottom=low, right=right, top=top - 1).strip():
            return x, low, right, top
    return None

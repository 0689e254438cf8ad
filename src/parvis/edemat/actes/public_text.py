"""The words of an act's PDF, for the public search: extracted once, bounded."""

import pypdfium2

from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes

LONGEST = 200_000
"""Characters kept: a text-search vector may not exceed 1 MB, and an act's own words come first."""
MOST_PAGES = 400


def text_of(document: Document) -> str:
    """Words of the first pages of a PDF, without control characters; empty for any other format."""
    if document.media_type != "application/pdf":
        return ""
    words: list[str] = []
    length = 0
    pdf = pypdfium2.PdfDocument(read_bytes(document))
    try:
        for number in range(min(len(pdf), MOST_PAGES)):
            page = pdf[number]
            text_page = page.get_textpage()
            text = text_page.get_text_bounded()
            text_page.close()
            page.close()
            words.append("".join(c if c.isprintable() or c in "\n\t" else " " for c in text))
            length += len(text)
            if length >= LONGEST:
                break
    finally:
        pdf.close()
    return "\n".join(words)[:LONGEST]

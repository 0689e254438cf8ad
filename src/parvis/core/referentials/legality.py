"""What the control of legality takes, for who prepares a document as for who sends it (cahier des charges @CTES)."""

from typing import Final

MAX_ARCHIVE: Final = 150 * 1024 * 1024
"""Bytes of one transmission, the act and its annexes together."""
MAX_ANNEXES: Final = 50
MAX_OBJECT: Final = 499
"""Characters of the object of an act."""
IMAGES: Final = {"image/jpeg": "jpg", "image/png": "png"}
EXTENSIONS: Final = {"application/pdf": "pdf", "application/xml": "xml", "text/xml": "xml", **IMAGES}
"""Media types admitted, with the extension they are sent under."""

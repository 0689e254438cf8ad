"""Writing in ISO-8859-1, the encoding of ACTES messages, without losing a word of the object."""

import unicodedata

EQUIVALENTS = str.maketrans(
    {
        "’": "'", "‘": "'", "‚": "'", "‛": "'", "ʼ": "'", "′": "'",
        "“": '"', "”": '"', "„": '"', "″": '"', "‹": "<", "›": ">",
        "œ": "oe", "Œ": "OE", "ﬁ": "fi", "ﬂ": "fl", "Ÿ": "Y",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-",
        "€": "EUR", "™": "(TM)", "№": "N°",
        "\u202f": "\u00a0", "\u2007": "\u00a0", "\u2009": " ", "\u200b": "", "\ufeff": "",
    }
)  # fmt: skip


def _nearest(character: str) -> str:
    if ord(character) < 256:
        return character
    plain = unicodedata.normalize("NFKD", character)
    reduced = "".join(c for c in plain if not unicodedata.combining(c))
    return reduced if reduced and all(ord(c) < 256 for c in reduced) else character


def to_latin1(text: str) -> str:
    """``text`` with an equivalent for each sign outside ISO-8859-1 (’ gives ', œ gives oe).

    What has no equivalent is left as it is: the XML writer then uses a numeric reference.
    """
    composed = unicodedata.normalize("NFC", text).translate(EQUIVALENTS)
    return "".join(_nearest(c) for c in composed)

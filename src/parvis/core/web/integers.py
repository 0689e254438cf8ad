"""Whole numbers written in addresses, queries and headers: bounded, so that none is too large for the database."""

LARGEST = 2**63 - 1
"""The largest bigint of PostgreSQL; a larger number names nothing."""


def whole_number(text: str | None, *, most: int = LARGEST) -> int | None:
    """The whole number that ``text`` writes in ASCII digits, ``most`` when it is larger; None for anything else."""
    if not text or not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)

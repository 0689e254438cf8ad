"""What a reader finds printed on a deliberation: the counts of its head, read back from the text of the
document."""

import re

from parvis.edemat.seances.formats.controles import Displayed


def displayed_in(text: str) -> Displayed:
    """Return the counts printed in `text`; a missing one is read as -1, which no list can match."""
    powers = _count("Pouvoirs", text)
    return Displayed(
        en_exercice=_count("En exercice", text),
        presents=_count("Présents", text),
        votants=_count("Votants", text),
        pouvoirs=None if powers < 0 else powers,
    )


def _count(label: str, text: str) -> int:
    found = re.search(rf"{label}\s*:\s*(\d+)", text)
    return int(found[1]) if found else -1

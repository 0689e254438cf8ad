"""Names as people have them: apostrophe, hyphen, accents, other alphabets. (given name, family name)"""

import pytest

NAMES = (
    ("Zoé", "N’Guyen-D’Août"),
    ("Sean", "O'Neill"),
    ("Łukasz", "Żółkiewski"),
    ("Ελένη", "Παπαδοπούλου"),
    ("明", "李"),
    ("निशा", "शर्मा"),
)

named = pytest.mark.parametrize(("given", "family"), NAMES, ids=[family for _, family in NAMES])

"""Every term that a page explains is in the glossary, and the glossary holds nothing that no page explains."""

import re
from pathlib import Path

from parvis.core.web.glossary import TERMS
from tests.conftest import PROJECT

USED = re.compile(r'<c-term of="([^"]+)"')


def explained() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in (PROJECT / "src").rglob("*.html"):
        for term in USED.findall(file.read_text()):
            found.setdefault(term, []).append(file)
    return found


def test_every_explained_term_is_in_the_glossary_and_the_other_way_round():
    assert set(explained()) == set(TERMS)


def test_no_page_explains_a_term_twice():
    twice = [(term, file.name) for term, files in explained().items() for file in set(files) if files.count(file) > 1]
    assert twice == []


def test_a_term_opens_its_explanation_without_scripts(client):
    drawn = client.get("/composants/").content.decode()
    assert 'popovertarget="terme-executoire"' in drawn
    assert 'id="terme-executoire" popover' in drawn
    assert TERMS["exécutoire"] in drawn
    assert "Que veut dire « exécutoire »" in drawn

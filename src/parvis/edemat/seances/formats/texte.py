"""Plain text of a report or a decision cut into the blocks that the documents typeset.

The clerk types text: a blank line parts two paragraphs, a line starting with a dash is a list item, a line
starting
with "##" a heading. An article of the decision opens with its verb in capitals ("D’APPROUVER", "DE DIRE").
"""

import re
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, or a list with its items."""

    kind: Literal["paragraphe", "titre", "liste"]
    text: str = ""
    items: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the decision: its verb in capitals and what follows."""

    verbe: str
    texte: str


_ITEM = re.compile(r"^\s*[-–•]\s+")
_VERB = re.compile(r"^\s*((?:D['’]|DE\s+)?[A-ZÀ-Ý]{3,}(?:\s+ACTE)?)\b[\s:]*")


def blocks_of(text: str) -> list[Block]:
    """Cut a text into blocks; line breaks inside a paragraph become spaces."""
    blocks: list[Block] = []
    paragraph: list[str] = []

    def close_paragraph() -> None:
        if paragraph:
            blocks.append(Block("paragraphe", " ".join(paragraph)))
            paragraph.clear()

    follows_item = False
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = line.strip()
        if not stripped:
            close_paragraph()
            follows_item = False
        elif stripped.startswith("##"):
            close_paragraph()
            blocks.append(Block("titre", stripped.lstrip("# ")))
            follows_item = False
        elif _ITEM.match(line):
            close_paragraph()
            item = _ITEM.sub("", line).strip()
            if follows_item:
                blocks[-1].items.append(item)
            else:
                blocks.append(Block("liste", items=[item]))
            follows_item = True
        elif follows_item:
            blocks[-1].items[-1] += f" {stripped}"
        else:
            paragraph.append(stripped)
    close_paragraph()
    return blocks


def lines_of(text: str) -> list[str]:
    """Return the non-empty lines of a text, one visa or one article each."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def articles_of(text: str) -> list[Article]:
    """Return the articles of a decision, one a line, their verb set apart."""
    articles = []
    for line in lines_of(text):
        found = _VERB.match(line)
        verb = found[1] if found else ""
        articles.append(Article(verb, line[found.end() :] if found else line))
    return articles

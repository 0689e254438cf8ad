"""The guides: each picture exists, is shown and is photographed by a browser test; each link leads to a heading."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
GUIDES = PROJECT / "docs" / "guides"
IMAGES = PROJECT / "docs" / "images"
SHOWN = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s:]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def shown() -> set[Path]:
    """The pictures that the guides show."""
    return {
        (guide.parent / name).resolve() for guide in GUIDES.glob("*.md") for name in SHOWN.findall(guide.read_text())
    }


def kept() -> set[Path]:
    return set((IMAGES / "guides").glob("*.png"))


def photographed(source: str) -> Iterator[str]:
    """File names that a test module photographs: by ``photograph_for_guide``, or by its own helper that calls it."""
    tree = ast.parse(source)
    prefixes = {"photograph_for_guide": ""}
    for helper in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in calls(helper):
            if call.func.id == "photograph_for_guide" and isinstance(call.args[1], ast.JoinedStr):
                prefixes[helper.name] = call.args[1].values[0].value
    for call in calls(tree):
        if call.func.id in prefixes and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            yield f"{prefixes[call.func.id]}{call.args[1].value}.png"
    for node in ast.walk(tree):  # GUIDE / "name.png"
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name) and node.left.id == "GUIDE":
            yield node.right.value


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))


def test_every_picture_that_a_guide_shows_is_in_the_images():
    assert shown()
    missing = sorted(str(picture) for picture in shown() if not picture.is_file() or IMAGES not in picture.parents)
    assert missing == []


def test_every_picture_is_shown_by_a_guide():
    assert sorted(picture.name for picture in kept() - shown()) == []


def test_every_picture_is_photographed_by_a_browser_test():
    modules = (PROJECT / "tests" / "e2e").glob("test_*.py")
    taken = {name for module in modules for name in photographed(module.read_text())}
    assert sorted(picture.name for picture in kept() if picture.name not in taken) == []


def anchors(guide: Path) -> set[str]:
    """The anchors of the headings of a guide, as code forges make them."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(guide.read_text())}


def test_every_link_of_a_guide_leads_to_a_heading():
    lost = []
    for guide in sorted(GUIDES.glob("*.md")):
        for target in LINK.findall(guide.read_text()):
            name, _, anchor = target.partition("#")
            found = guide.parent / name if name else guide
            if not found.is_file() or (anchor and anchor not in anchors(found)):
                lost.append(f"{guide.name}: {target}")
    assert lost == []

"""The catalogue of the events names what the code logs, and nothing else."""

import ast
import re
from pathlib import Path

import pytest

import parvis
from parvis.core.federation.configuration import LABELS
from parvis.core.identity.events import EVENTS, FAMILIES, family_of

SOURCE = Path(parvis.__file__).parent
CATALOGUE = SOURCE / "core/identity/events.py"


def _logged() -> set[str]:
    """Every text of the modules that log events; where a text is made of parts, {…} being a federated provider."""
    found = set()
    for module in SOURCE.rglob("*.py"):
        text = module.read_text()
        if module == CATALOGUE or "audit" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr) and ast.unparse(node).startswith("f'user.{"):
                end = node.values[-1].value
                found |= {f"user.{provider}{end}" for provider in LABELS}
    return found


LOGGED = _logged()


@pytest.mark.parametrize("code", EVENTS)
def test_something_logs_every_name_of_the_catalogue(code):
    assert code in LOGGED, f"nothing logs {code}: emit it, or take it out of the catalogue"


@pytest.mark.parametrize("code", EVENTS)
def test_every_name_fits_its_column_and_a_filter(code):
    assert len(code) <= 60
    assert family_of(code) in FAMILIES


def test_every_family_filters_something():
    assert {family_of(code) for code in EVENTS} == set(FAMILIES)


def test_what_the_documentation_says_is_never_logged_is_not_in_the_catalogue():
    text = (SOURCE.parents[1] / "docs/identity.md").read_text()
    named = set(re.findall(r"`([a-z_.]+)`", text.partition("that are never logged, and why:")[2]))
    absent = {
        name for name in named if name.startswith(("user.", "manager.", "admin.")) and name != "user.profile.edit"
    }
    assert len(absent) >= 15
    assert not absent & set(EVENTS)

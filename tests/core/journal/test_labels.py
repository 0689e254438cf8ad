"""Every event that the code records, and every kind of object it is about, has a French name."""

import ast
from pathlib import Path

import parvis
from parvis.core.journal import actions

SOURCES = Path(parvis.__file__).parent
RECORDERS = {"record": 1, "Event": 0}


def recorded() -> tuple[set[str], set[str]]:
    """Codes of events and kinds of subjects written as literals in calls of ``record`` and ``Event``."""
    codes, kinds = set(), set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in RECORDERS or len(node.args) <= RECORDERS[name]:
                continue
            code = node.args[RECORDERS[name]]
            if not (isinstance(code, ast.Constant) and isinstance(code.value, str) and "." in code.value):
                continue
            codes.add(code.value)
            subjects = [k.value for k in node.keywords if k.arg == "subject"] + node.args[RECORDERS[name] + 1 :][:1]
            for subject in subjects:
                if isinstance(subject, ast.Tuple) and isinstance(subject.elts[0], ast.Constant):
                    kinds.add(subject.elts[0].value)
    return codes, kinds


def test_every_recorded_event_is_named():
    codes, _ = recorded()
    assert len(codes) > 5
    assert sorted(code for code in codes if actions.label_of(code) == code) == []


def test_every_recorded_subject_is_named():
    _, kinds = recorded()
    assert "route" in kinds
    assert sorted(kind for kind in kinds if actions.subject(kind).label == kind) == []

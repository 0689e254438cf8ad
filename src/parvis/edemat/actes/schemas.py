"""The official ACTES schemas, loaded from the operator's folder: they are not redistributed with Parvis.

``<PARVIS_REFERENTIALS_DIR>/actes/xsd-current/actesv1_1.xsd`` judges what we send; ``xsd-2004`` of the same
namespace is accepted on input, since some returns still follow it.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings
from lxml import etree

from parvis.edemat.actes.formats.checks import Finding
from parvis.edemat.actes.formats.inbound import parse_safely

CURRENT, FORMER = "xsd-current", "xsd-2004"
_lock = Lock()  # a libxml2 schema keeps its last errors: one validation at a time


def schema_path(edition: str = CURRENT) -> Path | None:
    """The schema file of ``edition`` when the operator has installed it, else None."""
    folder = settings.PARVIS_REFERENTIALS_DIR
    path = Path(folder) / "actes" / edition / "actesv1_1.xsd" if folder else None
    return path if path and path.is_file() else None


@lru_cache(maxsize=4)
def _load(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(path)))


def schema_errors(xml: bytes, edition: str = CURRENT) -> list[str] | None:
    """Errors of ``xml`` against the schema, [] when valid, None when the schema is not installed.

    Raises ``InvalidMessage`` when the XML is unsafe or ill-formed.
    """
    root, _ = parse_safely(xml)
    path = schema_path(edition)
    if path is None:
        return None
    with _lock:
        schema = _load(path)
        if schema.validate(root):
            return []
        errors: Iterable[Any] = schema.error_log  # type: ignore[assignment]  # the stubs forget __iter__
        return [f"ligne {e.line} : {e.message}" for e in errors]


def judge_outgoing(name: str, xml: bytes) -> Finding:
    """Finding on a file about to be sent: valid, invalid, or not checked for want of the official schema."""
    errors = schema_errors(xml)
    if errors is None:
        return Finding(
            "schema",
            False,
            "Le contrôle par le schéma officiel n’a pas été fait : le jeu de schémas ACTES n’est pas "
            "installé.",
            severity="avertissement",
        )
    if errors:
        return Finding("schema", False, f"« {name} » n’est pas conforme au schéma ACTES ({errors[0]}).")
    return Finding("schema", True, f"« {name} » est conforme au schéma officiel ACTES.")


def judge_incoming(xml: bytes) -> tuple[str, ...]:
    """Remarks on a received XML: () when it follows the current schema, or which edition it follows, or
    none."""
    errors = schema_errors(xml)
    if not errors:
        return () if errors == [] else ("schéma officiel non installé, message non contrôlé",)
    if schema_errors(xml, FORMER) == []:
        return ("conforme au schéma de 2004 seulement",)
    return (f"non conforme au schéma : {errors[0]}"[:300],)

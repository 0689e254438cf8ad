"""Conformity to the official ACTES schemas, which the operator installs.

``actes/xsd-current/actesv1_1.xsd`` of the referentials judges what we send; ``xsd-2004`` of the same
namespace is accepted on input, since some returns still follow it.
"""

from pathlib import Path

from parvis.core.referentials.schemas import official_schema, path_of
from parvis.edemat.actes.formats.checks import Finding
from parvis.edemat.actes.formats.inbound import parse_safely

CURRENT, FORMER = "xsd-current", "xsd-2004"


def _relative(edition: str) -> str:
    return f"actes/{edition}/actesv1_1.xsd"


def schema_path(edition: str = CURRENT) -> Path | None:
    """The schema file of ``edition`` when the operator has installed it, else None."""
    return path_of(_relative(edition))


def schema_errors(xml: bytes, edition: str = CURRENT) -> list[str] | None:
    """Errors of ``xml`` against the schema, [] when valid, None when the schema is not installed.

    Raises ``InvalidMessage`` when the XML is unsafe or ill-formed.
    """
    root, _ = parse_safely(xml)
    schema = official_schema(_relative(edition))
    if schema is None:
        return None
    return [f"ligne {error.line} : {error.message}" for error in schema.errors(root)]


def judge_outgoing(name: str, xml: bytes) -> Finding:
    """Finding on a file about to be sent: valid, invalid, or not checked for want of the official schema."""
    errors = schema_errors(xml)
    if errors is None:
        return Finding(
            "schema",
            False,
            "Le contrôle par le schéma officiel n’a pas été fait : le jeu de schémas ACTES n’est pas installé.",
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

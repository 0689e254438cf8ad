"""Conformity of a message to the official SEDA 2.x schema, which the operator installs."""

from pathlib import Path

from lxml import etree

from parvis.core.referentials.schemas import OfficialSchema, official_schema
from parvis.edemat.archives.formats.findings import Control, Finding, Outcome, conclude


def seda_schema(referentials: Path | None, version: str) -> OfficialSchema | None:
    """The official schema of a SEDA 2.x version, or None when the operator has not installed it."""
    return official_schema(f"seda/{version}/seda-{version}-main.xsd", referentials) if referentials else None


def check_schema(tree: "etree._ElementTree", version: str, referentials: Path | None) -> list[Finding]:
    """Validate a message against the official schema; without the schema the control is said not made."""
    schema = seda_schema(referentials, version)
    if schema is None:
        sentence = (
            f"Le schéma officiel SEDA {version} n’est pas installé : la conformité n’a pas été contrôlée. "
            "Demandez à l’exploitant d’installer le référentiel."
        )
        return [Finding(Control.SCHEMA, Outcome.NOT_MADE, sentence)]
    breaches = schema.errors(tree)
    if not breaches:
        return conclude(Control.SCHEMA, (), f"Le bordereau est conforme au schéma officiel SEDA {version}.")
    return [
        Finding(
            Control.SCHEMA,
            Outcome.KO,
            f"Le bordereau n’est pas conforme au schéma officiel SEDA {version} (ligne {breach.line}).",
            "101",
            f"{breach.path} {breach.message}".strip(),
        )
        for breach in breaches
    ]

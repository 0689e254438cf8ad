"""Official schemas installed by the operator: SEDA 2.x and PREMIS, loaded offline and kept compiled."""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from parvis.edemat.archives.formats.findings import Control, Finding, Outcome, conclude

_SHOWN_ERRORS = 20


class _LocalResolver(etree.Resolver):
    """Answers the two W3C addresses from the folder and refuses any other address of the network."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._w3c = folder / "w3c"

    def resolve(self, system_url, public_id, context):
        if not system_url or not system_url.startswith(("http:", "https:", "ftp:")):
            return None
        name = system_url.rsplit("/", 1)[-1]
        if name in ("xml.xsd", "xlink.xsd"):
            return self.resolve_filename(str(self._w3c / name), context)
        raise etree.XMLSchemaParseError(f"adresse refusée : {system_url}")


def load_schema(referentials: Path | None, relative: str) -> etree.XMLSchema | None:
    """The schema ``seda/<relative>`` of the referentials folder, or None when it is not installed."""
    if not referentials:
        return None
    path = Path(referentials) / "seda" / relative
    return _compile(str(path), path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=8)
def _compile(path: str, _version: int) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_LocalResolver(Path(path).parent.parent))
    return etree.XMLSchema(etree.parse(path, parser))


def seda_schema(referentials: Path | None, version: str) -> etree.XMLSchema | None:
    """The official schema of a SEDA 2.x version, or None when the operator has not installed it."""
    return load_schema(referentials, f"{version}/seda-{version}-main.xsd")


def check_schema(tree: "etree._ElementTree", version: str, referentials: Path | None) -> list[Finding]:
    """Validate a message against the official schema; without the schema the control is said not made."""
    schema = seda_schema(referentials, version)
    if schema is None:
        sentence = (
            f"Le schéma officiel SEDA {version} n’est pas installé : la conformité n’a pas été contrôlée. "
            "Demandez à l’exploitant d’installer le référentiel."
        )
        return [Finding(Control.SCHEMA, Outcome.NOT_MADE, sentence)]
    if schema.validate(tree):
        return conclude(Control.SCHEMA, (), f"Le bordereau est conforme au schéma officiel SEDA {version}.")
    return [
        Finding(
            Control.SCHEMA,
            Outcome.KO,
            f"Le bordereau n’est pas conforme au schéma officiel SEDA {version} (ligne {error.line}).",
            "101",
            f"{error.path or ''} {error.message}".strip(),
        )
        for error in itertools.islice(_errors(schema), _SHOWN_ERRORS)
    ]


def _errors(schema: etree.XMLSchema) -> Iterator[Any]:
    log: Any = schema.error_log
    yield from log

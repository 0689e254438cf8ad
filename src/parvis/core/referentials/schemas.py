"""Official XML schemas, loaded from the folder where the operator installs them: Parvis does not carry them.

A schema is read without the network: the two W3C schemas that others import by address come from ``w3c/``
beside them, any other address is refused. Without the schema the caller says that the control was not made.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from django.conf import settings
from lxml import etree

W3C: Final = ("xml.xsd", "xlink.xsd")
SHOWN_ERRORS: Final = 20


@dataclass(frozen=True)
class SchemaError:
    """One breach: where (line from 1, XPath when known) and what, in the words of libxml2."""

    line: int
    path: str
    message: str


class _LocalResolver(etree.Resolver):
    """Answers the W3C addresses from a folder and refuses any other address of the network."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def resolve(self, system_url, public_id, context):  # the stubs know neither context nor answers
        if not system_url or not system_url.startswith(("http:", "https:", "ftp:")):
            return None
        name = system_url.rsplit("/", 1)[-1]
        if name in W3C:
            return self.resolve_filename(str(self._folder / name), context)
        raise etree.XMLSchemaParseError(f"adresse refusée : {system_url}")


class OfficialSchema:
    """A compiled schema, shared by threads."""

    def __init__(self, path: Path) -> None:
        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(_LocalResolver(path.parent.parent / "w3c"))
        self._schema = etree.XMLSchema(etree.parse(str(path), parser))
        self._lock = Lock()  # it keeps the errors of its last validation: one at a time

    def errors(self, document: "etree._Element | etree._ElementTree") -> list[SchemaError]:
        """The first breaches of ``document``, [] when it is valid."""
        with self._lock:
            if self._schema.validate(document):
                return []
            log: Iterable[Any] = self._schema.error_log  # type: ignore[assignment]  # the stubs forget __iter__
            return [SchemaError(e.line, e.path or "", e.message) for e in itertools.islice(log, SHOWN_ERRORS)]


def path_of(relative: str, folder: Path | None = None) -> Path | None:
    """Path of the schema ``relative`` ("actes/xsd-current/actesv1_1.xsd"), or None when it is not installed.

    ``folder`` is that of the referentials, ``settings.PARVIS_REFERENTIALS_DIR`` by default.
    """
    folder = folder or settings.PARVIS_REFERENTIALS_DIR
    path = Path(folder) / relative if folder else None
    return path if path and path.is_file() else None


def official_schema(relative: str, folder: Path | None = None) -> OfficialSchema | None:
    """The schema ``relative``, compiled once per version of its file, or None when it is not installed."""
    path = path_of(relative, folder)
    return _compiled(path, path.stat().st_mtime_ns) if path else None


@lru_cache(maxsize=16)
def _compiled(path: Path, _version: int) -> OfficialSchema:
    return OfficialSchema(path)

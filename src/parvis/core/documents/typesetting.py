"""Typesets every document that Parvis produces, as tagged PDF/A-2a and PDF/UA-1 (ISO 19005-2, ISO 14289-1).

A template is a Typst file in the ``typst/`` folder of its package. It sees the files of that folder, the
common library ``parvis.typ`` and nothing else of the disk; its values arrive as JSON and are text, never
markup. The same data, date and release of Typst give the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.organisations.models import Organisation

SOURCES = Path(__file__).resolve().parents[2]
COMMON = Path(__file__).resolve().parent / "typst"
STANDARDS = ["a-2a", "ua-1"]
LATIN = 0x24F
"""Last letter of the Latin alphabets, which the fonts of the documents have."""


class TypesettingFailed(DomainError):
    """The template or its data could not be typeset: a fault of ours, never of the user."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be given to a template")


@lru_cache(maxsize=64)
def _sources(template: str) -> dict[str, bytes]:
    package, _, name = template.rpartition("/")
    folder = SOURCES / package / "typst"
    main = folder / f"{name}.typ"
    if not main.is_file():
        raise TypesettingFailed("Ce modèle de document n’est pas installé.", template=template)
    files = {path.name: path.read_bytes() for path in [*COMMON.glob("*.typ"), *folder.glob("*.typ")]}
    files["main.typ"] = main.read_bytes()
    return files


def _compiled(sources: Mapping[str, bytes], values: str, created: datetime) -> bytes:
    return typst.compile(  # type: ignore[call-overload]  # virtual files are not in its stubs
        dict(sources),
        format="pdf",
        pdf_standards=STANDARDS,
        sys_inputs={"data": values},
        ignore_system_fonts=True,
        timestamp=created.replace(microsecond=0),
    )


def _spelt(values: str) -> str:
    """``values`` with « [U+674E] » for each letter that no font has: PDF/A forbids the empty box in its place."""
    return values.translate({ord(letter): f"[U+{ord(letter):04X}]" for letter in unprintable(values)})


def unprintable(text: str) -> str:
    """The letters of ``text`` that the fonts of the documents lack, as Chinese ones; "" for most texts."""
    return "".join(letter for letter in dict.fromkeys(text) if ord(letter) > LATIN and not _printed(letter))


@lru_cache(maxsize=4096)
def _printed(letter: str) -> bool:
    main = b'#set document(title: sys.inputs.data)\n#set text(lang: "fr", font: "Libertinus Serif")\n#sys.inputs.data'
    try:
        _compiled({"main.typ": main}, letter, clock.now())
    except typst.TypstError:
        return False
    return True


def organisation_facts(organisation: Organisation) -> dict[str, Any]:
    """What ``parvis.typ`` needs to print the letterhead; put it in the data under ``organisation``."""
    siren = f"{organisation.siren[:3]}\u00a0{organisation.siren[3:6]}\u00a0{organisation.siren[6:]}"
    lines = [f"SIREN\u00a0{siren}", organisation.website]
    return {
        "name": organisation.name,
        "short_name": organisation.short_name,
        "initial": organisation.initial,
        "accent": organisation.accent,
        "lines": [line for line in lines if line],
    }


def typeset(
    template: str,
    data: Mapping[str, Any],
    *,
    created: datetime | None = None,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """The PDF of ``template`` ("edemat/seances/deliberation") filled with ``data``.

    ``data`` holds JSON values (dates become ISO text); the template reads it as ``data``. ``created`` is the
    date written in the metadata, now by default; ``files`` are extra files (images) that the template opens
    by name. A letter that no font has is spelt by its number. Raises TypesettingFailed.
    """
    sources = {**_sources(template), **(files or {})}
    values, at = json.dumps(data, default=_plain, ensure_ascii=False), created or clock.now()
    try:
        try:
            return _compiled(sources, values, at)
        except typst.TypstError:
            spelt = _spelt(values)
            if spelt == values:
                raise
            return _compiled(sources, spelt, at)
    except typst.TypstError as error:
        raise TypesettingFailed(
            "Le document n’a pas pu être mis en page. L’incident est consigné ; rien n’a été enregistré.",
            template=template,
            cause=str(error),
            hints=getattr(error, "hints", None),
        ) from error

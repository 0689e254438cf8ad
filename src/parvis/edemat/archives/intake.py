"""Intake of a transfer: opens the container, reads the message, makes every control in order.

The same function receives the packages that the platform builds itself and those deposited from outside.
"""

import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from parvis.edemat.archives.formats import controls
from parvis.edemat.archives.formats.container import Container, ContainerRefused, Limits, open_container
from parvis.edemat.archives.formats.controls import ObservedFile, Terms
from parvis.edemat.archives.formats.findings import WAIT, Control, Finding, Outcome, conclude, reply_code
from parvis.edemat.archives.formats.seda_reader import Manifest, ManifestUnreadable, read_manifest
from parvis.edemat.archives.schemas import check_schema

BLOCK = 1024 * 1024
TermsFor = Callable[[Manifest], Terms]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Identification:
    """Format of a file: PRONOM identifier (``UNKNOWN`` when none), name, media type."""

    puid: str
    name: str = ""
    media_type: str = ""


@dataclass(frozen=True)
class Tools:
    """What the controls need from outside: format identification and search for viruses, both on a path.

    ``scan`` returns the name of a threat, an empty text, or None when the engine did not answer; it is itself
    None when no engine is installed.
    """

    identify: Callable[[Path], Identification]
    scan: Callable[[Path], str | None] | None = None


@dataclass(frozen=True)
class Intake:
    """The report: findings in order, and what could be read before the controls stopped."""

    findings: list[Finding]
    manifest: Manifest | None = None
    manifest_path: str = ""
    bindings: dict[str, str] = field(default_factory=dict)
    files: dict[str, ObservedFile] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        return all(f.ok for f in self.findings)

    @property
    def must_wait(self) -> bool:
        """True when nothing is wrong with the transfer but a required control could not be made."""
        return not self.accepted and all(f.ok or f.code == WAIT for f in self.findings)

    @property
    def code(self) -> str:
        """The SEDA reply code that sums the report up."""
        return reply_code(self.findings)

    @property
    def total_bytes(self) -> int:
        return sum(f.size for f in self.files.values())


def examine(
    stream: BinaryIO,
    terms_for: TermsFor,
    tools: Tools,
    *,
    referentials: Path | None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Make all the controls on a container. ``terms_for`` gives the terms once the message is read.

    ``progress`` is called with (bytes read, bytes to read). Nothing is kept on disk.
    """
    limits = limits or Limits()
    try:
        container = open_container(stream, limits)
    except ContainerRefused as refusal:
        return Intake(refusal.findings)
    with container:
        findings = conclude(
            Control.CONTAINER, (), f"Archive ZIP lisible, {len(container.entries)} fichiers, sans danger."
        )
        try:
            path = _manifest_path(container, limits)
            with container.open(path) as source:
                manifest = read_manifest(source)
        except ManifestUnreadable as error:
            return Intake([*findings, Finding(Control.MANIFEST, Outcome.KO, error.sentence, "101", error.where)])
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            sentence = "Le bordereau est abîmé dans l’archive et ne peut pas être lu."
            return Intake([*findings, Finding(Control.MANIFEST, Outcome.KO, sentence, "101", str(error))])
        findings += conclude(Control.MANIFEST, (), f"Un seul bordereau, « {path} », en SEDA {manifest.version}.")
        assert manifest.tree is not None
        findings += check_schema(manifest.tree, manifest.version, referentials)
        if not all(f.ok for f in findings):
            return Intake(findings, manifest, path)
        return _examine_content(container, path, manifest, terms_for(manifest), tools, findings, progress)


def _manifest_path(container: Container, limits: Limits) -> str:
    candidates = container.manifests
    if len(candidates) != 1:
        found = ", ".join(sorted(candidates)) or "aucun"
        raise ManifestUnreadable(
            "Le paquet doit contenir un seul bordereau à sa racine, nommé manifest.xml ou bordereau.xml ; "
            f"trouvé : {found}."
        )
    if container.entries[candidates[0]].size > limits.manifest_bytes:
        raise ManifestUnreadable(
            f"Le bordereau dépasse {limits.manifest_bytes} octets. Répartissez le versement en plusieurs paquets."
        )
    return candidates[0]


def _examine_content(
    container: Container,
    path: str,
    manifest: Manifest,
    terms: Terms,
    tools: Tools,
    findings: list[Finding],
    progress: Progress | None,
) -> Intake:
    agreement = terms.agreement_of(manifest)
    bindings = controls.bind(manifest, container, path)
    files = _observe_all(container, path, manifest, bindings, tools, progress)
    total = sum(f.size for f in files.values())
    largest = max((f.size for f in files.values()), default=0)
    findings = [
        *findings,
        *controls.check_antivirus(files, agreement),
        *controls.check_duplicate(manifest, terms),
        *controls.check_agencies(manifest, terms),
        *controls.check_agreement(manifest, terms, total, largest),
        *controls.check_profile(manifest, terms),
        *controls.check_presence(manifest, bindings, list(container.entries), path),
        *controls.check_digests(manifest, bindings, files, agreement),
        *controls.check_sizes(manifest, bindings, files),
        *controls.check_formats(manifest, bindings, files, agreement),
        *controls.check_signatures(),
        *controls.check_graph(manifest),
        *controls.check_descriptions(manifest),
        *controls.check_rules(manifest, terms.rules),
    ]
    order = list(Control)
    findings.sort(key=lambda f: order.index(f.control))
    return Intake(findings, manifest, path, bindings, files)


def _observe_all(
    container: Container,
    manifest_path: str,
    manifest: Manifest,
    bindings: dict[str, str],
    tools: Tools,
    progress: Progress | None,
) -> dict[str, ObservedFile]:
    declared = {bindings[o.id]: o for o in manifest.objects if o.id in bindings}
    wanted: dict[str, set[str]] = {path: {"sha256", "sha512"} for path in container.entries}
    for path, obj in declared.items():
        if obj.digest and obj.digest.algorithm:
            wanted[path].add(obj.digest.algorithm)
    todo = sum(e.size for e in container.entries.values()) or 1
    done = 0
    files = {}
    with tempfile.TemporaryDirectory(prefix="parvis-versement-") as folder:
        for path in container.entries:
            if path == manifest_path:
                continue
            files[path] = _observe(container, path, wanted[path], tools, Path(folder))
            done += container.entries[path].size
            if progress:
                progress(done, todo)
    return files


def _observe(container: Container, path: str, algorithms: set[str], tools: Tools, folder: Path) -> ObservedFile:
    """Read one file once: digests on the way to a temporary copy, which the tools then look at."""
    digests = {name: hashlib.new(name, usedforsecurity=False) for name in sorted(algorithms)}
    suffix = Path(path).suffix
    copy = folder / ("fichier" + (suffix if suffix.isascii() and len(suffix) <= 12 else ""))
    size = 0
    try:
        with container.open(path) as source, copy.open("wb") as target:
            while block := source.read(BLOCK):
                size += len(block)
                for digest in digests.values():
                    digest.update(block)
                target.write(block)
        found = tools.identify(copy) if size else Identification("UNKNOWN", "fichier vide")
        virus = tools.scan(copy) if tools.scan else None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return ObservedFile(path, size, {}, damaged=True)
    finally:
        copy.unlink(missing_ok=True)
    return ObservedFile(
        path,
        size,
        {name: digest.hexdigest() for name, digest in digests.items()},
        puid=found.puid,
        format_name=found.name,
        media_type=found.media_type,
        virus=virus,
    )

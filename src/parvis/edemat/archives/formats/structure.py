"""Coherence of the graph of a transfer, which the schema cannot check: references, cycles, usages."""

import re
from collections import defaultdict
from collections.abc import Iterator

from parvis.edemat.archives.formats.findings import Control, Finding, Outcome
from parvis.edemat.archives.formats.seda import Usage
from parvis.edemat.archives.formats.seda_reader import DeclaredObject, Manifest

_USAGE = re.compile(rf"({'|'.join(Usage)})(?:_(\d+))?")
_KINDS = {
    "unit": "une unité d’archives",
    "object": "un objet",
    "group": "un groupe d’objets",
    "any": "un élément",
}


def check_structure(manifest: Manifest) -> Iterator[Finding]:
    """Identifiers used once, references sound, no cycle, no orphan, usages sound."""
    if not manifest.units:
        yield _fault("Le versement ne décrit aucune unité d’archives.")
    for identifier in manifest.duplicated_ids:
        yield _fault(f"L’identifiant « {identifier} » est porté par plusieurs éléments du bordereau.", identifier)
    yield from _broken_references(manifest)
    yield from _cycles(manifest)
    yield from _orphans(manifest)
    yield from _usages(manifest)


def _broken_references(manifest: Manifest) -> Iterator[Finding]:
    objects = {o.id for o in manifest.objects}
    described = {u.id for u in manifest.described_units()}
    targets = {
        "unit": described,
        "object": objects,
        "group": set(manifest.groups),
        "any": objects | set(manifest.units) | set(manifest.groups) | set(manifest.other_ids),
    }
    for reference in manifest.references:
        if reference.target in targets[reference.kind]:
            continue
        known = reference.target in targets["any"]
        yield _fault(
            f"La référence à « {reference.target} » (ligne {reference.line}) "
            + (f"ne désigne pas {_KINDS[reference.kind]}." if known else "ne mène à rien dans le bordereau."),
            reference.source,
        )


def _cycles(manifest: Manifest) -> Iterator[Finding]:
    edges = {
        unit.id: [t for t in map(manifest.resolve, unit.children) if t in manifest.units]
        for unit in manifest.described_units()
    }
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path = {start: None}
        stack = [(start, iter(edges[start]))]
        while stack:
            node, following = stack[-1]
            target = next((t for t in following if t not in done), None)
            if target is None:
                stack.pop()
                path.pop(node, None)
                done.add(node)
            elif target in path:
                yield _fault("L’arborescence tourne en rond : une unité se trouve sous elle-même.", target)
                return
            else:
                path[target] = None
                stack.append((target, iter(edges.get(target, ()))))


def _orphans(manifest: Manifest) -> Iterator[Finding]:
    reached = {target for unit in manifest.units.values() for target in unit.objects}
    filled = {o.group for o in manifest.objects}
    # A unit may point to one object of a group: the group is then reached.
    reached |= {o.group for o in manifest.objects if o.id in reached}
    for declared in manifest.objects:
        if declared.group not in reached and declared.id not in reached:
            yield _fault("L’objet n’est rattaché à aucune unité d’archives.", declared.id)
    for group in sorted(manifest.groups - filled):
        yield _fault("Le groupe d’objets est vide.", group)


def _usages(manifest: Manifest) -> Iterator[Finding]:
    taken: dict[str, dict[str, str]] = defaultdict(dict)
    for declared in manifest.objects:
        yield from _required_fields(declared)
        usage = _USAGE.fullmatch(declared.usage) if declared.usage else None
        if declared.usage and usage is None:
            yield _fault(
                f"L’usage « {declared.usage} » est inconnu. Écrivez par exemple « BinaryMaster_1 ».",
                declared.id,
            )
            continue
        name = usage[1] if usage else (Usage.PHYSICAL if declared.physical else Usage.MASTER)
        if declared.physical != (name == Usage.PHYSICAL):
            kind = "physique" if declared.physical else "numérique"
            yield _fault(f"L’usage « {declared.usage} » ne convient pas à un objet {kind}.", declared.id)
        key = f"{name}_{int(usage[2]) if usage and usage[2] else 1}"
        other = taken[declared.group].setdefault(key, declared.id)
        if other != declared.id:
            yield _fault(f"Le groupe contient deux objets pour l’usage « {key} » : {other} aussi.", declared.id)


def _required_fields(declared: DeclaredObject) -> Iterator[Finding]:
    if declared.physical and declared.physical_id == "":
        yield _fault("L’identifiant de l’objet physique est vide.", declared.id)
    if not declared.physical and not declared.embedded and not declared.uri:
        yield _fault("L’objet ne dit pas quel fichier il désigne (élément Uri vide ou absent).", declared.id)


def _fault(sentence: str, where: str = "") -> Finding:
    return Finding(Control.STRUCTURE, Outcome.KO, sentence, "101", where)

"""OCFL 1.1: inventories, sidecars and the 0003 hash-and-id-n-tuple storage layout, without any I/O."""

import hashlib
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ROOT_DECLARATION = ("0=ocfl_1.1", b"ocfl_1.1\n")
OBJECT_DECLARATION = ("0=ocfl_object_1.1", b"ocfl_object_1.1\n")
INVENTORY = "inventory.json"
SIDECAR = "inventory.json.sha512"
LAYOUT_NAME = "0003-hash-and-id-n-tuple-storage-layout"
LAYOUT = {
    "extension": LAYOUT_NAME,
    "description": "Three triples of the SHA-256 of the identifier, then the identifier.",
}
LAYOUT_CONFIG = {
    "extensionName": LAYOUT_NAME,
    "digestAlgorithm": "sha256",
    "tupleSize": 3,
    "numberOfTuples": 3,
}
_VERSION = re.compile(r"v[1-9]\d*")


class InventoryFault(ValueError):
    """An inventory is not one we can build on."""


@dataclass(frozen=True)
class StoredFile:
    """A file: ``logical`` is its path in the version state, ``content`` its path in the object."""

    logical: str
    content: str
    sha512: str
    sha256: str


@dataclass(frozen=True)
class VersionNote:
    """Who made a version, when and why (``address`` is a URI)."""

    created: datetime
    message: str
    agent_name: str
    agent_address: str


def object_path(identifier: str) -> str:
    """Where the object lies under the storage root (extension 0003, sha256, 3 × 3)."""
    digest = hashlib.sha256(identifier.encode()).hexdigest()
    # quote() leaves a few characters that the layout wants encoded; hexadecimal digits are lower-case there.
    quoted = urllib.parse.quote(identifier, safe="").replace(".", "%2E").replace("~", "%7E")
    encoded = re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    name = f"{encoded[:100]}-{digest}" if len(encoded) > 100 else encoded
    return f"{digest[0:3]}/{digest[3:6]}/{digest[6:9]}/{name}"


def first_inventory(identifier: str, files: Sequence[StoredFile], note: VersionNote) -> dict[str, Any]:
    """The inventory of an object with one version holding ``files``."""
    inventory: dict[str, Any] = {
        "id": identifier,
        "type": "https://ocfl.io/1.1/spec/#inventory",
        "digestAlgorithm": "sha512",
        "head": "v1",
        "manifest": {},
        "versions": {},
        "fixity": {"sha256": {}},
    }
    return _with_version(inventory, "v1", {}, files, note)


def next_inventory(previous: Mapping[str, Any], files: Sequence[StoredFile], note: VersionNote) -> dict[str, Any]:
    """The inventory with one more version: the former state, where ``files`` are added or replaced."""
    head = str(previous["head"])
    if not _VERSION.fullmatch(head) or previous.get("digestAlgorithm") != "sha512":
        raise InventoryFault(f"inventory of {previous.get('id')} is not one of ours")
    state = {path: digest for digest, paths in previous["versions"][head]["state"].items() for path in paths}
    inventory = json.loads(json.dumps(previous))
    version = f"v{int(head[1:]) + 1}"
    inventory["head"] = version
    inventory.setdefault("fixity", {}).setdefault("sha256", {})
    return _with_version(inventory, version, state, files, note)


def _with_version(
    inventory: dict[str, Any],
    version: str,
    state: dict[str, str],
    files: Sequence[StoredFile],
    note: VersionNote,
) -> dict[str, Any]:
    for stored in files:
        if stored.sha512 not in inventory["manifest"]:
            inventory["manifest"][stored.sha512] = [stored.content]
            inventory["fixity"]["sha256"].setdefault(stored.sha256, []).append(stored.content)
        state[stored.logical] = stored.sha512
    by_digest: dict[str, list[str]] = {}
    for path in sorted(state):
        by_digest.setdefault(state[path], []).append(path)
    inventory["versions"][version] = {
        "created": note.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "message": note.message,
        "state": by_digest,
        "user": {"name": note.agent_name, "address": note.agent_address},
    }
    return inventory


def to_bytes(inventory: Mapping[str, Any]) -> bytes:
    """The inventory file, with a stable order so that both copies are equal byte for byte."""
    return (json.dumps(inventory, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def sidecar(inventory_bytes: bytes) -> bytes:
    """The digest file that stands beside an inventory."""
    return f"{hashlib.sha512(inventory_bytes).hexdigest()} {INVENTORY}\n".encode()


def content_of(inventory: Mapping[str, Any]) -> dict[str, str]:
    """Every content path of the object with its SHA-512."""
    return {path: digest for digest, paths in inventory["manifest"].items() for path in paths}


def state_of(inventory: Mapping[str, Any], version: str = "") -> dict[str, str]:
    """Logical path → SHA-512 in a version (the head by default)."""
    state = inventory["versions"][version or inventory["head"]]["state"]
    return {path: digest for digest, paths in state.items() for path in paths}

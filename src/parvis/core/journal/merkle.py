"""The Merkle tree of RFC 9162 §2.1 with SHA-256: roots, inclusion and consistency proofs, their verification.

Pure and free of any dependency, so that the offline verifier can carry it. A tree is never held whole: every
hash that a root or a proof needs is the hash of a complete subtree, asked of a ``Subtrees`` source by its
level (0 for leaves) and its index on that level.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

# ``subtrees(level, index)`` is the hash of the complete subtree over leaves
# [index << level, (index + 1) << level).
Subtrees = Callable[[int, int], bytes]


class InvalidProof(ValueError):
    """The proof does not lead to the announced root."""


def leaf_hash(content: bytes) -> bytes:
    """Hash of a leaf (§2.1.1)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (§2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root of a complete subtree over ``hashes``, whose number is a power of two."""
    level = list(hashes)
    if not level or len(level) & (len(level) - 1):
        raise ValueError("a complete subtree stands on a power of two of hashes")
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


class Frontier:
    """A tree that only grows: it keeps the O(log n) complete subtrees of its right edge."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []  # largest subtree first

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        merged, size = leaf, self.size
        while size & 1:
            merged = node_hash(self._edge.pop(), merged)
            size >>= 1
        self._edge.append(merged)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree as it stands."""
        return _join(self._edge) if self._edge else EMPTY_ROOT


def _join(edge: Sequence[bytes]) -> bytes:
    root = edge[-1]
    for left in reversed(edge[:-1]):
        root = node_hash(left, root)
    return root


def _range_hash(subtrees: Subtrees, start: int, end: int) -> bytes:
    """Hash of leaves [start, end), ``start`` being a multiple of the largest power of two within."""
    edge = []
    while start < end:
        level = (end - start).bit_length() - 1
        edge.append(subtrees(level, start >> level))
        start += 1 << level
    return _join(edge)


def _split(size: int) -> int:
    """Largest power of two smaller than ``size`` (k of §2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def root_at(size: int, subtrees: Subtrees) -> bytes:
    """Root of the tree over the first ``size`` leaves."""
    return _range_hash(subtrees, 0, size) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """Inclusion proof of leaf ``index`` in the tree of ``size`` leaves, leaf to root (§2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(subtrees, middle, end))
            end = middle
        else:
            path.append(_range_hash(subtrees, start, middle))
            start = middle
    return path[::-1]


def consistency_path(first: int, second: int, subtrees: Subtrees) -> list[bytes]:
    """Proof that the tree of ``first`` leaves is a beginning of the tree of ``second`` leaves (§2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError("the first tree must hold at least one leaf and no more than the second")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_hash(subtrees, middle, end))
            end = middle
        else:
            path.append(_range_hash(subtrees, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(subtrees, start, end))
    return path[::-1]


def _check_shapes(hashes: Iterable[bytes]) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise InvalidProof("a hash does not have 32 bytes")


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Check an inclusion proof (§2.1.3.2); raises InvalidProof."""
    _check_shapes([leaf, root, *path])
    if not 0 <= index < size:
        raise InvalidProof("the leaf is not in the tree")
    fn, sn, computed = index, size - 1, leaf
    for sibling in path:
        if sn == 0:
            raise InvalidProof("the proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise InvalidProof("the proof is too short")
    if computed != root:
        raise InvalidProof("the proof leads to another root")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """Check a consistency proof (§2.1.4.2); raises InvalidProof. An empty first tree proves nothing."""
    _check_shapes([first_root, second_root, *path])
    if not 0 < first <= second:
        raise InvalidProof("the sizes are not those of a tree and its continuation")
    if first == second:
        if path or first_root != second_root:
            raise InvalidProof("trees of the same size must have the same root and need no proof")
        return
    nodes = list(path)
    if not nodes:
        raise InvalidProof("the proof is empty")
    if not first & (first - 1):
        nodes.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    older = newer = nodes[0]
    for node in nodes[1:]:
        if sn == 0:
            raise InvalidProof("the proof is too long")
        if fn & 1 or fn == sn:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            newer = node_hash(newer, node)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise InvalidProof("the proof is too short")
    if older != first_root:
        raise InvalidProof("the proof leads to another first root")
    if newer != second_root:
        raise InvalidProof("the proof leads to another second root")

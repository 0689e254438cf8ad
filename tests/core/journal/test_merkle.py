"""RFC 9162 trees: roots, proofs and the refusal of every forged proof."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.journal.merkle import (
    EMPTY_ROOT,
    Frontier,
    InvalidProof,
    consistency_path,
    fold,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([i])) for i in range(70)]


def subtrees(level: int, index: int) -> bytes:
    return fold(LEAVES[index << level : (index + 1) << level])


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of §2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def test_known_roots():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("size", range(71))
def test_root_equals_the_definition_of_the_rfc(size):
    assert root_at(size, subtrees) == naive_root(LEAVES[:size])


def test_frontier_follows_the_tree_leaf_by_leaf():
    frontier = Frontier()
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        assert (frontier.size, frontier.root()) == (size, naive_root(LEAVES[:size]))


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_every_inclusion_proof_verifies(case):
    index, size = case
    path = inclusion_path(index, size, subtrees)
    root = root_at(size, subtrees)
    verify_inclusion(index, size, LEAVES[index], path, root)
    for wrong in (index - 1, index + 1):
        if size > 1:
            with pytest.raises(InvalidProof):
                verify_inclusion(wrong, size, LEAVES[index], path, root)
    if path:
        with pytest.raises(InvalidProof):
            verify_inclusion(index, size, LEAVES[index], path[:-1], root)
        with pytest.raises(InvalidProof):
            verify_inclusion(index, size, LEAVES[index], [*path[:-1], bytes(32)], root)


@given(st.integers(1, 70).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size))))
def test_every_consistency_proof_verifies(case):
    first, second = case
    path = consistency_path(first, second, subtrees)
    roots = root_at(first, subtrees), root_at(second, subtrees)
    verify_consistency(first, second, *roots, path)
    if first < second:
        with pytest.raises(InvalidProof):
            verify_consistency(first, second, bytes(32), roots[1], path)
        with pytest.raises(InvalidProof):
            verify_consistency(first, second, roots[0], bytes(32), path)
        with pytest.raises(InvalidProof):
            verify_consistency(first, second, *roots, [*path, bytes(32)])


def test_a_leaf_outside_the_tree_has_no_proof():
    with pytest.raises(ValueError):
        inclusion_path(5, 5, subtrees)
    with pytest.raises(ValueError):
        consistency_path(0, 5, subtrees)


def _decoded(case: dict, *names: str) -> list[bytes]:
    return [base64.b64decode(case[name]) for name in names]


def _proof(case: dict) -> list[bytes]:
    return [base64.b64decode(node) for node in case["proof"] or []]


def _outcomes(folder, check) -> list[str]:
    wrong = []
    for path in sorted(folder.rglob("*.json")):
        case = json.loads(path.read_text())
        try:
            check(case)
            refused = False
        except InvalidProof:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(f"{path.name}: {case['desc']}")
    return wrong


@pytest.mark.reference
def test_upstream_inclusion_vectors(shared_dir):
    folder = shared_dir / "samples/seda/merkle-vectors/inclusion"
    assert len(list(folder.rglob("*.json"))) > 40

    def check(case):
        leaf, root = _decoded(case, "leafHash", "root")
        verify_inclusion(case["leafIdx"], case["treeSize"], leaf, _proof(case), root)

    assert _outcomes(folder, check) == []


@pytest.mark.reference
def test_upstream_consistency_vectors(shared_dir):
    folder = shared_dir / "samples/seda/merkle-vectors/consistency"
    assert len(list(folder.rglob("*.json"))) > 40

    def check(case):
        first, second = _decoded(case, "root1", "root2")
        verify_consistency(case["size1"], case["size2"], first, second, _proof(case))

    assert _outcomes(folder, check) == []

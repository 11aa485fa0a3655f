"""The tree against the values that other implementations of RFC 6962 check themselves with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tearline.ledger import tree
from tearline.terms import Broken

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/ledger/rfc6962-eight-leaves.json").read_text())
LEAVES = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in VECTOR["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTOR["roots"]]


def _unhex(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in hashes]


def _stored() -> dict[tuple[int, int], bytes]:
    growing = tree.CompactRange()
    return {(level, index): value for leaf in LEAVES for level, index, value in growing.append(leaf)}


def test_roots() -> None:
    growing = tree.CompactRange()
    assert growing.root() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, 1):
        growing.append(leaf)
        assert growing.root() == ROOTS[size]


def test_a_compact_range_is_resumed_from_its_stored_hashes() -> None:
    stored = _stored()
    for size in range(8):
        growing = tree.CompactRange(size, [stored[at] for at in tree.subtrees(0, size)])
        growing.append(LEAVES[size])
        assert growing.root() == ROOTS[size + 1]


@pytest.mark.parametrize("case", VECTOR["inclusion"])
def test_inclusion(case: dict[str, object]) -> None:
    index, size, proof = case["index"], case["size"], _unhex(case["proof"])
    stored = _stored()
    assert tree.inclusion_proof(index, size, lambda *at: stored[at]) == proof
    tree.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("case", VECTOR["consistency"])
def test_consistency(case: dict[str, object]) -> None:
    old, new, proof = case["old"], case["new"], _unhex(case["proof"])
    stored = _stored()
    assert tree.consistency_proof(old, new, lambda *at: stored[at]) == proof
    tree.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_an_entry_cannot_pass_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert tree.leaf_hash(left + right) != tree.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(8, 8), (-1, 8), (0, 0)])
def test_no_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        tree.inclusion_path(index, size)
    with pytest.raises(Broken):
        tree.verify_inclusion(LEAVES[0], index, size, [], ROOTS[1])


def test_no_proof_of_a_shrunk_tree() -> None:
    with pytest.raises(ValueError, match="cannot be the beginning"):
        tree.consistency_path(4, 3)
    with pytest.raises(Broken):
        tree.verify_consistency(4, 3, ROOTS[4], ROOTS[3], [])


def test_the_empty_tree_begins_every_tree() -> None:
    assert tree.consistency_path(0, 8) == []
    tree.verify_consistency(0, 8, tree.EMPTY_ROOT, ROOTS[8], [])
    for old_root, proof in ((ROOTS[1], []), (tree.EMPTY_ROOT, [ROOTS[1]])):
        with pytest.raises(Broken):
            tree.verify_consistency(0, 8, old_root, ROOTS[8], proof)


def test_equal_sizes_need_equal_roots() -> None:
    tree.verify_consistency(5, 5, ROOTS[5], ROOTS[5], [])
    for new_root, proof in ((ROOTS[6], []), (ROOTS[5], [ROOTS[1]])):
        with pytest.raises(Broken):
            tree.verify_consistency(5, 5, ROOTS[5], new_root, proof)


def test_a_proof_is_of_one_size_only() -> None:
    """The proof and the root of a small tree do not hold for a larger one, whose proof would be longer."""
    stored = _stored()
    proof = tree.inclusion_proof(0, 2, lambda *at: stored[at])
    for size in (3, 4, 8):
        with pytest.raises(Broken):
            tree.verify_inclusion(LEAVES[0], 0, size, proof, ROOTS[2])

"""The tree against the standard's own recursive definition (RFC 6962, section 2.1), and against forgers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.ledger import tree
from tearline.terms import Broken

MOST = 200
LEAVES = [tree.leaf_hash(n.to_bytes(2, "big")) for n in range(MOST)]

_growing = tree.CompactRange()
STORED = {(level, index): value for leaf in LEAVES for level, index, value in _growing.append(leaf)}


def read(level: int, index: int) -> bytes:
    return STORED[level, index]


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return tree.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return tree.node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


ROOTS = [mth(LEAVES[:size]) for size in range(MOST + 1)]


def test_roots_of_every_size() -> None:
    assert [tree.range_hash(0, size, read) for size in range(MOST + 1)] == ROOTS


@st.composite
def inclusions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(st.integers(1, MOST))
    return draw(st.integers(0, size - 1)), size


@st.composite
def consistencies(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(st.integers(1, MOST))
    return draw(st.integers(1, new)), new


@settings(deadline=None)
@given(inclusions())
def test_inclusion_is_as_defined(at: tuple[int, int]) -> None:
    index, size = at
    proof = tree.inclusion_proof(index, size, read)
    assert proof == path(index, LEAVES[:size])
    tree.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@settings(deadline=None)
@given(consistencies())
def test_consistency_is_as_defined(sizes: tuple[int, int]) -> None:
    old, new = sizes
    proof = tree.consistency_proof(old, new, read)
    assert proof == subproof(old, LEAVES[:new], True)
    tree.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_every_proof_of_small_trees() -> None:
    for size in range(1, 34):
        for index in range(size):
            proof = tree.inclusion_proof(index, size, read)
            tree.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            proof = tree.consistency_proof(index + 1, size, read)
            tree.verify_consistency(index + 1, size, ROOTS[index + 1], ROOTS[size], proof)


def spoil(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """Another proof: a hash altered, shortened, left out, added, or two of them swapped."""
    spoilt = list(proof)
    kind = draw(st.sampled_from(["alter", "cut", "drop", "swap"] if proof else ["add"]) | st.just("add"))
    at = draw(st.integers(0, max(0, len(proof) - 1)))
    match kind:
        case "alter":
            spoilt[at] = bytes([spoilt[at][0] ^ draw(st.integers(1, 255))]) + spoilt[at][1:]
        case "cut":
            spoilt[at] = spoilt[at][:-1]
        case "drop":
            del spoilt[at]
        case "add":
            spoilt.insert(at, draw(st.sampled_from(LEAVES)))
        case "swap":
            other = draw(st.integers(0, len(proof) - 1))
            spoilt[at], spoilt[other] = spoilt[other], spoilt[at]
    return spoilt


@settings(deadline=None)
@given(inclusions(), st.data())
def test_a_spoilt_inclusion_proof_fails(at: tuple[int, int], data: st.DataObject) -> None:
    index, size = at
    proof = tree.inclusion_proof(index, size, read)
    what = data.draw(st.sampled_from(["proof", "leaf", "index", "root"]))
    spoilt = spoil(data.draw, proof) if what == "proof" else proof
    leaf = LEAVES[(index + 1) % MOST] if what == "leaf" else LEAVES[index]
    claimed = data.draw(st.integers(0, size)) if what == "index" else index
    root = ROOTS[size - 1] if what == "root" else ROOTS[size]
    if (spoilt, leaf, claimed, root) == (proof, LEAVES[index], index, ROOTS[size]):
        return
    with pytest.raises(Broken):
        tree.verify_inclusion(leaf, claimed, size, spoilt, root)


@settings(deadline=None)
@given(consistencies(), st.data())
def test_a_spoilt_consistency_proof_fails(sizes: tuple[int, int], data: st.DataObject) -> None:
    old, new = sizes
    proof = tree.consistency_proof(old, new, read)
    what = data.draw(st.sampled_from(["proof", "old", "roots"]))
    spoilt = spoil(data.draw, proof) if what == "proof" else proof
    old_root = ROOTS[old - 1] if what == "roots" else ROOTS[old]
    claimed = data.draw(st.integers(1, new)) if what == "old" else old
    if (spoilt, old_root, claimed) == (proof, ROOTS[old], old):
        return
    with pytest.raises(Broken):
        tree.verify_consistency(claimed, new, old_root, ROOTS[new], spoilt)

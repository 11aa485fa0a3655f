"""A log that only grows is never found forked; two histories are, once what was seen tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.deliver import Previous, Proof, dsse, witness
from tearline.deliver.seal import Inclusion
from tearline.deliver.witness import Fork, Witness
from tearline.ledger import Checkpoint, tree

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
Entries = tuple[bytes, ...]
Sealed = tuple[Checkpoint, Proof]


@cache
def nodes(entries: Entries) -> tuple[dict[tuple[int, int], bytes], tuple[bytes, ...]]:
    """The hash of each complete subtree, and the root at each size."""
    growing, stored, roots = tree.CompactRange(), dict[tuple[int, int], bytes](), [tree.EMPTY_ROOT]
    for entry in entries:
        stored |= {(level, index): value for level, index, value in growing.append(tree.leaf_hash(entry))}
        roots.append(growing.root())
    return stored, tuple(roots)


def sealed(entries: Entries, index: int, size: int, earlier: int) -> Sealed:
    """Entry `index` as it is proved in the log of the first `size` entries, which grew from `earlier`."""
    stored, roots = nodes(entries)

    def read(level: int, index: int) -> bytes:
        return stored[level, index]

    proof = Proof(
        dsse=dsse.Envelope(entries[index], "x", []),
        inclusion=Inclusion(index, tree.inclusion_proof(index, size, read)),
        checkpoint=f"{size} {roots[size].hex()}",
        previous=Previous(earlier, roots[earlier], tree.consistency_proof(earlier, size, read)),
    )
    log = Checkpoint("GBR/USA/out", size, roots[size])
    tree.verify_inclusion(tree.leaf_hash(entries[index]), index, size, proof.inclusion.proof, log.root)
    tree.verify_consistency(earlier, size, roots[earlier], log.root, proof.previous.proof)
    return log, proof


def batches(cuts: Sequence[int]) -> list[tuple[int, int]]:
    """(start, stop) of each batch."""
    edges = [0, *sorted(set(cuts))]
    return list(pairwise(edges))


def history(entries: Entries, cuts: Sequence[int]) -> list[Sealed]:
    """All releases of a log that grew in these batches."""
    return [
        sealed(entries, index, stop, start) for start, stop in batches(cuts) for index in range(start, stop)
    ]


def see(know: Witness, releases: Sequence[Sealed], first: int = 0) -> tuple[Fork | None, int]:
    """Show releases one by one; the fork that was found, and how many were seen before it."""
    for number, (log, proof) in enumerate(releases):
        fork = know.see(log, witness.told(log, [(first + number, proof)]), first + number)
        if fork is not None:
            return fork, number
    return None, len(releases)


def log_of(size: int, mark: bytes = b"e") -> Entries:
    return tuple(mark + b"%d" % n for n in range(size))


sizes = st.integers(1, 40)


@st.composite
def honest(draw: st.DrawFn) -> tuple[Entries, list[Sealed]]:
    """A log, and what of it comes: in any order, doubled, with gaps."""
    size = draw(sizes)
    cuts = [*draw(st.lists(st.integers(1, size), max_size=12)), size]
    everything = history(log_of(size), cuts)
    some = draw(st.lists(st.sampled_from(everything), max_size=30))
    return log_of(size), some if draw(st.booleans()) else draw(st.permutations(everything))


@settings(max_examples=600, deadline=None)
@given(honest())
def test_an_honest_log_is_never_accused(drawn: tuple[Entries, list[Sealed]]) -> None:
    know = Witness()
    assert see(know, drawn[1])[0] is None
    stored, roots = nodes(drawn[0])
    assert all(stored[at] == value for at, (value, _) in know.nodes.items())
    assert all(roots[size] == seen.root for size, seen in know.seen.items())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_all_of_an_honest_log_is_linked_in_the_end(data: st.DataObject) -> None:
    size = data.draw(sizes)
    cuts = [*data.draw(st.lists(st.integers(1, size), max_size=12)), size]
    know = Witness()
    see(know, data.draw(st.permutations(history(log_of(size), cuts))))
    assert [at for at, seen in know.seen.items() if not seen.linked] == [size]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_gap_leaves_checkpoints_open_and_an_asked_proof_links_them(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 40))
    entries, seen = log_of(size), data.draw(st.integers(1, size - 2))
    know = Witness()
    late = sealed(entries, size - 1, size, size - 1)
    see(know, [sealed(entries, seen - 1, seen, 0), late])
    assert know.seen[seen].linked is (tree.subtrees(0, seen)[-1] in witness.told(late[0], [(1, late[1])]))
    see(know, [sealed(entries, size - 1, size, seen)], first=2)
    assert know.seen[seen].linked


# --- lies ----------------------------------------------------------------------------------------


def overlap(one: Sequence[Sealed], other: Sequence[Sealed]) -> bool:
    """Whether what is told of both histories differs anywhere, worked out without the witness: of all ranges
    of leaves that proofs name, or that these make up."""
    first, second = facts(one), facts(other)
    return any(first[leaves] != second[leaves] for leaves in first.keys() & second.keys())


def facts(releases: Sequence[Sealed]) -> dict[tuple[int, int], bytes]:
    known: dict[tuple[int, int], bytes] = {}
    for log, proof in releases:
        known[0, log.size] = log.root
        index = proof.inclusion.index
        known[index, index + 1] = tree.leaf_hash(proof.dsse.payload)
        known |= dict(zip(tree.inclusion_path(index, log.size), proof.inclusion.proof, strict=True))
        earlier = proof.previous
        if earlier.size:
            known[0, earlier.size] = earlier.root
        known |= dict(zip(tree.consistency_path(earlier.size, log.size), earlier.proof, strict=True))
    while True:  # whatever two neighbours make up in a tree of RFC 6962
        more = {
            (start, stop): tree.node_hash(known[start, middle], known[middle, stop])
            for start, middle in known
            for stop in {stop for begin, stop in known if begin == middle}
            if middle - start == 1 << (stop - start - 1).bit_length() - 1 and (start, stop) not in known
        }
        if not more:
            return known
        known |= more


@st.composite
def lying(draw: st.DrawFn) -> tuple[list[Sealed], list[Sealed], int]:
    """Two histories to one partner with a common beginning, some releases of each, and where they part."""
    size, other = draw(st.integers(2, 14)), draw(st.integers(2, 14))
    part = draw(st.integers(0, min(size, other) - 1))
    one = log_of(size)
    two = one[:part] + log_of(other, b"lie")[part:]
    cuts = draw(st.lists(st.integers(1, size), max_size=6))
    cuts2 = [cut for cut in cuts if cut <= part] + draw(st.lists(st.integers(part + 1, other), max_size=6))
    first, second = history(one, [*cuts, size]), history(two, [*cuts2, other])
    pick = st.booleans() if draw(st.booleans()) else st.just(True)
    return [x for x in first if draw(pick)], [x for x in second if draw(pick)], part


@settings(max_examples=200, deadline=None)
@given(lying())
def test_two_histories_are_found_as_soon_as_can_be(
    drawn: tuple[list[Sealed], list[Sealed], int],
) -> None:
    one, two, _ = drawn
    know = Witness()
    assert see(know, one)[0] is None
    fork, seen = see(know, two, first=len(one))
    # Neither too late nor for nothing: it is found at the first release with which the two can be told apart.
    soonest = next((n for n in range(len(two)) if overlap(one, two[: n + 1])), len(two))
    assert seen == soonest
    assert (fork is None) == (soonest == len(two))
    if fork is not None:
        everything = [*one, *two]
        (log, proof), (log2, proof2) = everything[fork.before], everything[fork.now]
        assert witness.contradict(proof, log, proof2, log2)
        assert not witness.contradict(proof, log, proof, log)


@settings(max_examples=200, deadline=None)
@given(lying())
def test_whole_histories_that_part_within_what_was_seen_are_found_at_the_first_other_entry(
    drawn: tuple[list[Sealed], list[Sealed], int],
) -> None:
    one, two, part = drawn
    know = Witness()
    see(know, one)
    fork, seen = see(know, two, first=len(one))
    shown = {proof.inclusion.index for _, proof in one}
    other = next(
        (
            n
            for n, (_, proof) in enumerate(two)
            if proof.inclusion.index in shown and proof.inclusion.index >= part
        ),
        None,
    )
    if other is not None:
        assert fork is not None
        assert seen <= other


ONE = log_of(9)
TWO = (*ONE[:5], b"lie", *ONE[6:])


@pytest.mark.parametrize(
    ("rule", "first", "then"),
    [
        ("checkpoint", sealed(ONE, 0, 7, 0), sealed(TWO, 0, 7, 0)),
        ("entry", sealed(ONE, 5, 6, 5), sealed(TWO, 5, 8, 5)),
        ("entry", sealed(ONE, 4, 6, 4), sealed(TWO, 7, 9, 7)),
        ("past", sealed(TWO, 7, 8, 7), sealed(ONE, 0, 7, 0)),
        ("growth", sealed(ONE, 0, 7, 0), sealed(TWO, 7, 8, 7)),
        ("growth", sealed(ONE, 0, 7, 0), sealed(TWO, 8, 9, 7)),
    ],
)
def test_each_rule_finds_what_no_other_does(rule: str, first: Sealed, then: Sealed) -> None:
    fork, _ = see(Witness(), [first, then])
    assert fork == Fork(rule, 0, 1)
    assert see(Witness(), [first, first])[0] is None


@given(sizes, sizes)
def test_a_dropped_middle_entry_and_a_smaller_log(size: int, at: int) -> None:
    """Each seen whole, in batches of one, as long as the log was."""
    entries = log_of(size + 1)
    at = at % size
    know = Witness()
    see(know, history(entries, range(1, size + 2)))
    dropped = entries[:at] + entries[at + 1 :]
    fork, seen = see(know, history((*dropped, b"new"), range(1, size + 2)), first=size + 1)
    assert (fork is not None, seen) == (True, at)
    smaller = (*entries[:at], b"other")
    assert see(know, [sealed(smaller, at, at + 1, at)], first=99)[0] is not None

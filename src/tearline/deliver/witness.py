"""What a recipient knows of a giver's log, and whether what comes next can be the same log (law 9).

A log that only grows has one hash for each complete subtree, for ever, and one root for each size. Every
release tells some of them: its checkpoint is a root, its inclusion proof and its consistency proof are hashes
of subtrees under that root. So two signed notes are of one log, or they tell one thing differently. That is a
*fork*: the giver keeps two histories, whether it lies or was restored from an old copy, and both notes prove
it to anybody.

A checkpoint is compared with what is known in this order:

1. `checkpoint`  another root was seen for its size.
2. `entry`       its proofs tell another hash of an entry, or of a subtree of entries.
3. `past`        what wider checkpoints tell of the log at its size is not its root.
4. `growth`      what its proofs tell of the log at the size of an earlier checkpoint is not that one's root.

A checkpoint is *linked* once a wider one has told its root. Until then it is *open*: releases that are late,
or held back, leave gaps that no proof spans. An honest log is never found forked, in whatever order it comes.

Standard: RFC 6962, section 2.1; the check is that of RFC 9162, section 2.1.4.2, over many proofs at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tearline.deliver.seal import Previous, Proof
from tearline.ledger import Checkpoint, leaf_hash, tree
from tearline.ledger.tree import Coordinate

Told = Mapping[Coordinate, tuple[bytes, int]]
"""Hashes of complete subtrees that proofs tell under one checkpoint, and the number of a proof that does."""


@dataclass(frozen=True)
class Fork:
    """Two histories of one log. `rule` is one of the list above; `before`, `now`: the numbers of two proofs
    that contradict each other."""

    rule: str
    before: int
    now: int


@dataclass
class Seen:
    """A checkpoint of a size: its root, the number of the proof that brought it, whether it is linked."""

    root: bytes
    by: int
    linked: bool = False


@dataclass
class Witness:
    """What is known of one log: checkpoints by size; subtree hashes, each with the number of a proof of it.

    It may be a part of what is known, as long as it holds all that `wanted` names.
    """

    seen: dict[int, Seen] = field(default_factory=dict)
    nodes: dict[Coordinate, tuple[bytes, int]] = field(default_factory=dict)

    def see(self, log: Checkpoint, told: Told, by: int) -> Fork | None:
        """Compare a checkpoint and what was told under it with all that is known, and learn it.

        `by` is the number of a proof that brought it. Where it is a fork, nothing is learnt.
        """
        mine, linked = self.seen.get(log.size), list[Seen]()
        if mine is not None and mine.root != log.root:
            return Fork("checkpoint", mine.by, by)
        for at, (value, teller) in told.items():
            known = self.nodes.get(at)
            if known is not None and known[0] != value:
                return Fork("entry", known[1], teller)
        # Nothing narrower can have told of the last entries of this size.
        wider = self._root_told(log.size) if mine is None else None
        if wider is not None and wider[0] != log.root:
            return Fork("past", wider[1], by)
        for size, teller in _sizes(told):
            seen = self.seen.get(size)
            if seen is not None and size < log.size:
                if _root(size, told) != seen.root:
                    return Fork("growth", seen.by, teller)
                linked.append(seen)
        if mine is None:
            self.seen[log.size] = Seen(log.root, by, linked=wider is not None)
        for seen in linked:
            seen.linked = True
        for at, found in told.items():
            self.nodes.setdefault(at, found)
        return None

    def copy(self) -> Witness:
        """One that learns by itself."""
        return Witness({size: replace(seen) for size, seen in self.seen.items()}, dict(self.nodes))

    def _root_told(self, size: int) -> tuple[bytes, int] | None:
        """The root at `size` as it follows from what is known, and who told the last of it."""
        known = [self.nodes.get(at) for at in tree.subtrees(0, size)]
        hashes = [found[0] for found in known if found is not None]
        if len(hashes) < len(known) or known[-1] is None:
            return None
        return tree.fold(hashes), known[-1][1]


def told(log: Checkpoint, proofs: Iterable[tuple[int, Proof]]) -> dict[Coordinate, tuple[bytes, int]]:
    """What numbered proofs tell of `log`; all are under its checkpoint, and verified."""
    found: dict[Coordinate, tuple[bytes, int]] = {}
    before: object = None
    for number, proof in proofs:
        index, hashes = proof.inclusion.index, proof.inclusion.proof
        path = tree.inclusion_path(index, log.size)
        _climb(
            found, number, (index, index + 1), leaf_hash(proof.dsse.payload), zip(path, hashes, strict=True)
        )
        if proof.previous != before:
            before = proof.previous
            _climb_from_earlier(found, number, proof.previous, log)
    return found


def _climb_from_earlier(
    found: dict[Coordinate, tuple[bytes, int]], number: int, earlier: Previous, log: Checkpoint
) -> None:
    """A consistency proof is an inclusion proof of the last complete subtree of the earlier log."""
    if earlier.size == 0:
        return
    level, index = tree.subtrees(0, earlier.size)[-1]
    start, value = index << level, earlier.root
    way = zip(tree.consistency_path(earlier.size, log.size), earlier.proof, strict=True)
    if start:
        _, value = next(way)
    _climb(found, number, (start, earlier.size), value, way)


def _climb(
    found: dict[Coordinate, tuple[bytes, int]],
    number: int,
    leaves: tuple[int, int],
    value: bytes,
    way: Iterable[tuple[tuple[int, int], bytes]],
) -> None:
    """Put in `found` the complete subtrees from these leaves up to the root, and those beside the way."""
    for beside, other in way:
        at, sibling = _complete(leaves), _complete(beside)
        if at is not None:
            if at in found:
                return  # verified under the same root: all above it is known too
            found[at] = value, number
        if sibling is not None:
            found.setdefault(sibling, (other, number))
        if beside < leaves:
            leaves, value = (beside[0], leaves[1]), tree.node_hash(other, value)
        else:
            leaves, value = (leaves[0], beside[1]), tree.node_hash(value, other)
    at = _complete(leaves)
    if at is not None:
        found.setdefault(at, (value, number))


def _complete(leaves: tuple[int, int]) -> Coordinate | None:
    """The coordinate of a complete subtree over these leaves, if they are one."""
    start, stop = leaves
    width = stop - start
    return (width.bit_length() - 1, start // width) if not (width & width - 1 or start % width) else None


def _sizes(told: Told) -> Iterator[tuple[int, int]]:
    """The sizes of the log whose root `told` gives, and who tells it: the proof that has the last complete
    subtree of a size has all that stand before it, for they lie beside the way to the root."""
    return (((index + 1) << level, teller) for (level, index), (_, teller) in told.items() if not index & 1)


def _root(size: int, told: Told) -> bytes:
    return tree.fold([told[at][0] for at in tree.subtrees(0, size)])


def wanted(log: Checkpoint, told: Told) -> tuple[set[int], set[Coordinate]]:
    """The sizes and the subtrees that decide about a checkpoint, and must be in a `Witness` for it."""
    return {log.size, *(size for size, _ in _sizes(told))}, {*told, *tree.subtrees(0, log.size)}


def contradict(one: Proof, one_log: Checkpoint, other: Proof, other_log: Checkpoint) -> bool:
    """Whether two verified proofs are of two histories of one log: what the evidence of a fork comes to."""
    witness = Witness()
    witness.see(one_log, told(one_log, [(0, one)]), 0)
    return witness.see(other_log, told(other_log, [(1, other)]), 1) is not None

"""The hash tree of RFC 6962, section 2.1 (the same in RFC 9162, section 2.1), over SHA-256.

A tree of any size is a row of complete subtrees. Their roots never change once written, so storing
each under `(level, index)` (level 0: leaf hashes; `index` counts within the level) lets every root
and proof of every past size be put together from O(log n) stored hashes. Hashes are 32 bytes; leaves
are numbered from 0; ranges of leaves are half open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

from tearline.terms import Broken

Coordinate = tuple[int, int]
"""(level, index) of a complete subtree: it covers leaves `index << level` up to `index + 1 << level`."""

Reader = Callable[[int, int], bytes]
"""Gives the stored hash at a coordinate."""

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry. The prefixes keep an entry from passing for a node (RFC 6962, section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """A growing tree that keeps only the roots of its complete subtrees, widest first."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """`hashes`: those at `subtrees(0, size)`, in that order."""
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Adds a leaf hash; returns (level, index, hash) of each subtree that it completes, leaf first."""
        level, index = 0, self.size
        completed = [(level, index, leaf)]
        while index & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            level, index = level + 1, index >> 1
            completed.append((level, index, leaf))
        self._hashes.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        return fold(self._hashes)


def subtrees(start: int, stop: int) -> list[Coordinate]:
    """The complete subtrees that make up leaves `start` up to `stop`, left to right.

    `start` is 0 or where the standard splits a tree, so that it is aligned to each of them.
    """
    found = []
    for level in range((stop - start).bit_length() - 1, -1, -1):
        if (stop - start) >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


def inclusion_path(index: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots prove that leaf `index` is in the tree of `size`, nearest first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, stop, path = 0, size, []
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots prove that the tree of size `new` begins with that of size `old`."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} cannot be the beginning of one of {new}")
    if old == 0:
        return []
    start, stop, path = 0, new, []
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append((middle, stop))
            stop = middle
        else:
            path.append((start, middle))
            start = middle
    if start:  # otherwise the last subtree is the old tree itself, whose root the verifier has
        path.append((start, stop))
    return path[::-1]


def range_hash(start: int, stop: int, read: Reader) -> bytes:
    """The root over leaves `start` up to `stop` (see `subtrees`) from O(log n) stored hashes."""
    return fold([read(level, index) for level, index in subtrees(start, stop)])


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """RFC 6962, section 2.1.1: the audit path of leaf `index` in the tree of `size`."""
    return [range_hash(start, stop, read) for start, stop in inclusion_path(index, size)]


def consistency_proof(old: int, new: int, read: Reader) -> list[bytes]:
    """RFC 6962, section 2.1.2: that the tree of size `new` begins with that of size `old`."""
    return [range_hash(start, stop, read) for start, stop in consistency_path(old, new)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, section 2.1.3.2. Raises `Broken` unless `proof` shows leaf hash `leaf` at `index`."""
    fault = Broken("the inclusion proof does not hold")
    if not 0 <= index < size or _malformed([leaf, root, *proof]):
        raise fault
    at, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise fault
        if at & 1 or at == last:
            computed = node_hash(sibling, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    if last or not compare_digest(computed, root):
        raise fault


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162, section 2.1.4.2. Raises `Broken` unless the tree at `new` begins with the one at `old`."""
    fault = Broken("the consistency proof does not hold")
    if not 0 <= old <= new or _malformed([old_root, new_root, *proof]):
        raise fault
    if old in (0, new):  # nothing to prove: the roots speak for themselves
        if proof or not compare_digest(old_root, EMPTY_ROOT if old == 0 else new_root):
            raise fault
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise fault
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise fault
        if at & 1 or at == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        at, last = at >> 1, last >> 1
    same = compare_digest(old_computed, old_root) & compare_digest(new_computed, new_root)
    if last or not same:
        raise fault


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over a row of complete subtrees, widest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _split(size: int) -> int:
    """The largest power of two below `size`: where the standard parts a tree of `size` > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def _malformed(hashes: Sequence[bytes]) -> bool:
    return any(len(value) != 32 for value in hashes)

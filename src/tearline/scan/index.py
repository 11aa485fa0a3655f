"""The index: sorted keyed hashes of pairs and single parts, each with the identity that has it.

An entry is one uint64: 40 bits of a mixed hash, then 24 bits of the identity's number; and the print of
its words (`prints`), veiled. Before the sorted entries stands a Bloom filter in blocks of 64 bits (Putze,
Sanders, Singler 2007), so that nearly all of a text's lookups end after one read; before that a second one
of the words' own hashes, so that most words of a text are never paired. On file: a header line of JSON,
then the arrays; memory-mapped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tearline.scan import prints
from tearline.scan.keys import Hashes, Keys
from tearline.terms import BadInput

_ID_BITS = np.uint64(24)
MOST_IDENTITIES = 1 << 24
_LOW = np.uint64(MOST_IDENTITIES - 1)
_MAGIC = "tearline-scan-index/2"
_BITS_PER_ENTRY = 24
_ALIGN = 64


class Entries:
    """What is to be indexed, as arrays of shape n: mixed hashes, the number of the identity that has each,
    and paired prints."""

    def __init__(self, hashes: Hashes, numbers: Hashes, marks: Hashes) -> None:
        self.hashes, self.numbers, self.marks = hashes, numbers, marks


class Filter:
    """A Bloom filter in blocks of 64 bits."""

    def __init__(self, blocks: Hashes) -> None:
        self.blocks = blocks
        self._shift = np.uint64(64 - (len(blocks).bit_length() - 1))

    @classmethod
    def of(cls, hashes: Hashes) -> Filter:
        size = max(64, 1 << (max(1, len(hashes) * _BITS_PER_ENTRY // 64) - 1).bit_length())
        made = cls(np.zeros(size, np.uint64))
        for start in range(0, len(hashes), 1 << 20):
            chunk = hashes[start : start + (1 << 20)]
            np.bitwise_or.at(made.blocks, (chunk >> made._shift).astype(np.int64), _bits(chunk))
        return made

    def may_have(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each hash whether it may be in; never False for one that is."""
        bits = _bits(hashes)
        found: npt.NDArray[np.bool_] = (self.blocks[(hashes >> self._shift).astype(np.int64)] & bits) == bits
        return found


class Index:
    """Entries of one vault. `ids[n]` is the id of identity number n.

    `pairs` filters mixed hashes, `words` the hashes of single words (pairs of those that it lacks need no
    look-up).
    """

    def __init__(
        self,
        arrays: Sequence[Hashes],
        ids: Sequence[str],
        keys: Keys,
        *,
        has_identifiers: bool,
    ) -> None:
        pairs, words, self._entries, self._marks = arrays
        self.pairs, self.words = Filter(pairs), Filter(words)
        self.ids, self._keys, self.has_identifiers = ids, keys, has_identifiers

    @classmethod
    def build(
        cls, found: Entries, words: Hashes, ids: Sequence[str], keys: Keys, *, has_identifiers: bool
    ) -> Index:
        """Of entries, and the hashes of all words that are in pairs (shape m)."""
        entries = (found.hashes & ~_LOW) | found.numbers
        order = entries.argsort()
        entries = entries[order]
        first = np.flatnonzero(np.concatenate(([True], entries[1:] != entries[:-1]))) if len(order) else order
        marks = found.marks[order]
        marks = np.bitwise_or.reduceat(marks, first) if len(order) else marks
        marks ^= keys.veil(found.hashes[order[first]])
        entries = entries[first]
        pairs = Filter.of(entries & ~_LOW).blocks
        return cls(
            (pairs, Filter.of(words).blocks, entries, marks), ids, keys, has_identifiers=has_identifiers
        )

    def __len__(self) -> int:
        return len(self._entries)

    def numbers(self, hashes: Hashes, asked: prints.Asked) -> list[list[int]]:
        """For each mixed hash the numbers of the identities that have it, and may fit by their prints."""
        low = hashes & ~_LOW
        first = np.searchsorted(self._entries, low, "left")
        count = np.searchsorted(self._entries, low | _LOW, "right") - first
        row = np.arange(len(hashes)).repeat(count)
        at = np.arange(len(row)) + (first - count.cumsum() + count).repeat(count)
        marks = self._marks[at] ^ self._keys.veil(hashes)[row]
        kept = prints.may_fit(asked.rows(row), marks)
        out: list[list[int]] = [[] for _ in range(len(hashes))]
        numbers = (self._entries[at[kept]] & _LOW).tolist()
        for k, number in zip(row[kept].tolist(), numbers, strict=True):
            out[k].append(number)
        return out

    def save(self, path: Path) -> None:
        """Write the file whole, then put it in place."""
        arrays = (self.pairs.blocks, self.words.blocks, self._entries, self._marks)
        names = "\n".join(self.ids).encode()
        header = {"magic": _MAGIC, "arrays": [len(each) for each in arrays], "ids": len(self.ids)}
        header |= {"names": len(names), "check": self._keys.check, "identifiers": self.has_identifiers}
        head = json.dumps(header).encode() + b"\n"
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            file.write(head + b" " * (-len(head) % _ALIGN))
            for array in arrays:
                file.write(array.data)
            file.write(names)
        part.replace(path)

    @classmethod
    def open(cls, path: Path, keys: Keys) -> Index:
        """Map a saved index into memory. Raises BadInput where it is not one, is cut, or has another key."""
        where = path.name
        try:
            with path.open("rb") as file:
                head = file.readline(4096)
            header = json.loads(head)
            is_ours = header["magic"] == _MAGIC
            sizes, names = header["arrays"] if is_ours else [], header["names"]
            has_identifiers = bool(header["identifiers"])
        except OSError as error:
            raise BadInput(where, "", "the index cannot be read", "build it again") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(where, "", "this is not an index of the scanner", "build it again") from error
        if not is_ours:
            raise BadInput(where, "", "the index is of another version", "build it again")
        if header["check"] != keys.check:
            raise BadInput(where, "", "the index was built with another key", "open it with that key")
        start = len(head) + -len(head) % _ALIGN
        if path.stat().st_size != start + 8 * sum(sizes) + names:
            raise BadInput(where, "", "the index is cut or has grown", "build it again")
        mapped = np.asarray(np.memmap(path, np.uint64, "r", start, (sum(sizes),)))
        arrays = np.split(mapped, np.cumsum(sizes)[:-1])
        raw = np.memmap(path, np.uint8, "r", start + 8 * sum(sizes), (names,)) if names else b""
        ids = bytes(raw).decode().split("\n") if header["ids"] else []
        return cls(arrays, ids, keys, has_identifiers=has_identifiers)


def _bits(hashes: Hashes) -> Hashes:
    """Three bits of a block of 64, from bits of the hash that an entry keeps."""
    one, six = np.uint64(1), np.uint64(63)
    bits = one << ((hashes >> np.uint64(24)) & six)
    bits |= one << ((hashes >> np.uint64(30)) & six)
    bits |= one << ((hashes >> np.uint64(36)) & six)
    return bits

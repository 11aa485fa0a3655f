"""The index: sorted keyed hashes of pairs and single parts, each with the identity that has it.

An entry is one uint64: 40 bits of a mixed hash, then 24 bits of the identity's number. Before the sorted
entries stands a Bloom filter in blocks of 64 bits (Putze, Sanders, Singler 2007), so that nearly all of
a text's lookups end after one read. On file: a header line of JSON, then the arrays; memory-mapped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tearline.scan.keys import Hashes
from tearline.terms import BadInput

_ID_BITS = np.uint64(24)
MOST_IDENTITIES = 1 << 24
_MAGIC = "tearline-scan-index/1"
_BITS_PER_ENTRY = 24
_ALIGN = 64


class Index:
    """Entries of one vault. `ids[n]` is the id of identity number n."""

    def __init__(
        self, entries: Hashes, blocks: Hashes, ids: Sequence[str], *, check: str, has_identifiers: bool
    ) -> None:
        self._entries, self._blocks, self.ids, self._check = entries, blocks, ids, check
        self.has_identifiers = has_identifiers
        self._shift = np.uint64(64 - (len(blocks).bit_length() - 1))

    @classmethod
    def build(
        cls,
        hashes: Hashes,
        numbers: npt.NDArray[np.uint32],
        ids: Sequence[str],
        *,
        check: str,
        has_identifiers: bool,
    ) -> Index:
        """Of mixed hashes (shape n) and the number of the identity that has each (shape n)."""
        entries = (hashes >> _ID_BITS << _ID_BITS) | numbers.astype(np.uint64)
        entries.sort()
        if len(entries):
            entries = entries[np.concatenate(([True], entries[1:] != entries[:-1]))]
        size = max(64, 1 << (max(1, len(entries) * _BITS_PER_ENTRY // 64) - 1).bit_length())
        blocks = np.zeros(size, np.uint64)
        index = cls(entries, blocks, ids, check=check, has_identifiers=has_identifiers)
        for start in range(0, len(entries), 1 << 20):
            chunk = entries[start : start + (1 << 20)] >> _ID_BITS << _ID_BITS
            np.bitwise_or.at(blocks, (chunk >> index._shift).astype(np.int64), _bits(chunk))
        return index

    def __len__(self) -> int:
        return len(self._entries)

    def may_have(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """For each mixed hash whether the index may have it; never False for one that it has."""
        bits = _bits(hashes)
        found: npt.NDArray[np.bool_] = (self._blocks[(hashes >> self._shift).astype(np.int64)] & bits) == bits
        return found

    def numbers(self, hashes: Hashes) -> list[list[int]]:
        """For each mixed hash the numbers of the identities that have it."""
        low = hashes >> _ID_BITS << _ID_BITS
        first = np.searchsorted(self._entries, low, "left").tolist()
        last = np.searchsorted(self._entries, low | np.uint64(MOST_IDENTITIES - 1), "right").tolist()
        mask = np.uint64(MOST_IDENTITIES - 1)
        return [
            (self._entries[a:b] & mask).tolist() if a < b else [] for a, b in zip(first, last, strict=True)
        ]

    def save(self, path: Path) -> None:
        """Write the file whole, then put it in place."""
        names = "\n".join(self.ids).encode()
        header = {"magic": _MAGIC, "entries": len(self._entries), "blocks": len(self._blocks)}
        header |= {"ids": len(self.ids), "names": len(names), "check": self._check}
        header |= {"identifiers": self.has_identifiers}
        head = json.dumps(header).encode() + b"\n"
        part = path.with_name(path.name + ".part")
        with part.open("wb") as file:
            file.write(head + b" " * (-len(head) % _ALIGN))
            file.write(self._blocks.data)
            file.write(self._entries.data)
            file.write(names)
        part.replace(path)

    @classmethod
    def open(cls, path: Path, *, check: str) -> Index:
        """Map a saved index into memory. Raises BadInput where it is not one, is cut, or has another key."""
        where = path.name
        try:
            with path.open("rb") as file:
                head = file.readline(4096)
            header = json.loads(head)
            is_ours = header["magic"] == _MAGIC
            blocks, entries, names = header["blocks"], header["entries"], header["names"]
            has_identifiers = bool(header["identifiers"])
        except OSError as error:
            raise BadInput(where, "", "the index cannot be read", "build it again") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(where, "", "this is not an index of the scanner", "build it again") from error
        if not is_ours:
            raise BadInput(where, "", "the index is of another version", "build it again")
        if header["check"] != check:
            raise BadInput(where, "", "the index was built with another key", "open it with that key")
        start = len(head) + -len(head) % _ALIGN
        if path.stat().st_size != start + 8 * (blocks + entries) + names:
            raise BadInput(where, "", "the index is cut or has grown", "build it again")
        numbers = np.memmap(path, np.uint64, "r", start, (blocks + entries,))
        raw = np.memmap(path, np.uint8, "r", start + 8 * (blocks + entries), (names,)) if names else b""
        ids = bytes(raw).decode().split("\n") if header["ids"] else []
        return cls(
            np.asarray(numbers[blocks:]),
            np.asarray(numbers[:blocks]),
            ids,
            check=check,
            has_identifiers=has_identifiers,
        )


def _bits(hashes: Hashes) -> Hashes:
    """Three bits of a block of 64, from bits of the hash that an entry keeps."""
    one, six = np.uint64(1), np.uint64(63)
    bits = one << ((hashes >> np.uint64(24)) & six)
    bits |= one << ((hashes >> np.uint64(30)) & six)
    bits |= one << ((hashes >> np.uint64(36)) & six)
    return bits


def check_of(key: bytes) -> str:
    """What tells that an index belongs to a key, without telling the key."""
    return hashlib.blake2b(key, digest_size=8, person=b"tearline check").hexdigest()

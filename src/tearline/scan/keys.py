"""Keyed hashes of name parts, of pairs of parts, and of identifiers.

A part's hash is BLAKE2b (RFC 7693) with the owner's key, cut to 64 bits: without the key it tells
nothing. A pair's hash is the sum of two such hashes, mixed by the finaliser of SplitMix64 (Steele, Lea,
Flood 2014): so the order of the parts does not matter, and NumPy can make many at once. Mixing adds no
secrecy and needs none, for its inputs are already keyed.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_MASK = (1 << 64) - 1
_A, _B = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
SINGLE = 0x9E3779B97F4A7C15
"""Stands in for the second part where a part is looked up alone."""


class Keys:
    """Hashes under one key. The memory of past hashes is bounded."""

    def __init__(self, key: bytes) -> None:
        secret = hashlib.blake2b(key, digest_size=32, person=b"tearline scan").digest()
        self._base = hashlib.blake2b(key=secret, digest_size=8)
        self._veil = np.uint64(self._part("%veil"))
        self.check = hashlib.blake2b(key, digest_size=8, person=b"tearline check").hexdigest()
        """Tells that an index belongs to a key, without telling the key."""
        self.part = lru_cache(maxsize=1 << 20)(self._part)

    def _part(self, text: str) -> int:
        """The hash of a skeleton or of a tagged word, such as `=alexander` for a given name of the table."""
        state = self._base.copy()
        state.update(text.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "little")

    def veil(self, hashes: Hashes) -> Hashes:
        """What hides the prints of entries: it needs their whole hashes, of which the index keeps a part."""
        return mix(hashes + self._veil)


def deletions(skeleton: str) -> tuple[str, ...]:
    """The tagged forms of a skeleton under which a word with one edit is found: itself and each deletion."""
    return tuple(dict.fromkeys(("~" + skeleton, *cuts(skeleton))))


def cuts(skeleton: str) -> list[str]:
    """The tagged forms of a skeleton without one sound, for each of its sounds; none of one sound."""
    places = range(len(skeleton) if len(skeleton) > 1 else 0)
    return ["~" + skeleton[:index] + skeleton[index + 1 :] for index in places]


def mix(sums: Hashes) -> Hashes:
    """SplitMix64's finaliser, over an array of sums of hashes."""
    x = sums ^ (sums >> np.uint64(30))
    x *= np.uint64(_A)
    x ^= x >> np.uint64(27)
    x *= np.uint64(_B)
    x ^= x >> np.uint64(31)
    return x

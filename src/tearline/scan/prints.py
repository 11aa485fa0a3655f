"""Prints: what a skeleton leaves out of a reading, in 32 bits, so that arrays can refuse a name unread.

Of each of the first four places between consonants the set of vowels that may stand there (or none), and
of the first two consonants which of those that a skeleton merges. The cost between two prints is at most
what `likeness` would find: who is refused by print would be refused by letters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tearline.scan.keys import Hashes, cuts
from tearline.scan.likeness import sound_cost
from tearline.scan.phonemes import coarse, merged, skeleton_of

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
ANY = 0xFFFFFFFF
"""The print that every print fits: of a given name of the table, an initial, a word with one edit."""
_IS_READ, _IS_EDITED = 1 << 30, 1 << 31
"""The last two bits: of a reading, or of one with an edit. ANY has both."""
ANY_PAIR = ANY << 32 | ANY
_PLACES, _FINE = 4, 2
_VOWEL = {sound: 1 << at for at, sound in enumerate("aeiou")}
_VOWELS, _NO_VOWEL, _ALL_VOWELS = 31, 32, 63
_FLEETING = _VOWEL["e"] | _VOWEL["o"]
"""Which may be dropped before a last consonant (`verify._letters`)."""
_MERGED = {"v": 1, "f": 2, "k": 1, "g": 2, "h": 2, "s": 1, "z": 2, "c": 4, "S": 1, "Z": 2, "C": 4}
"""Which of the consonants that a skeleton merges."""
_ANY_FIRST, _ANY_SECOND = 63 | 7 << 24, 63 << 6 | 7 << 27
_LEAST_FINE = 4
"""What it costs at least that two of them differ."""
_UNIT = 20
"""Costs are counted in twentieths."""
_SLACK = 0.6
"""What a name's reading may weigh more than the text's: one vowel."""


def of_tags(readings: Iterable[str], edited: Collection[str]) -> dict[str, int]:
    """The print of each skeleton of readings, and of each tag of `keys.deletions` of the skeletons `edited`.

    Readings with one skeleton have one print: what any of them may have.
    """
    shapes: dict[str, tuple[list[int], list[int]]] = {}
    for reading in readings:
        bones, *shape = _parted(reading)
        known = shapes.get(bones)
        vowels, consonants = (
            shape if known is None else (_either(a, b) for a, b in zip(known, shape, strict=True))
        )
        shapes[bones] = vowels, consonants
    out = {bones: _IS_READ | _print(*shape) for bones, shape in shapes.items()}
    for bones in edited:
        vowels, consonants = shapes[bones]
        if not consonants:
            continue
        out["~" + bones] = out.get("~" + bones, _IS_EDITED) | _print(vowels, consonants)
        for at, tag in enumerate(cuts(bones)):
            one, other = vowels[at], vowels[at + 1]
            both = (one | other) & _VOWELS | one & other & _NO_VOWEL
            joined = [*vowels[:at], both, *vowels[at + 2 :]]
            rest = consonants[:at] + consonants[at + 1 :]
            out[tag] = out.get(tag, _IS_EDITED) | _print(joined, rest)
    return out


def _either(one: list[int], other: list[int]) -> list[int]:
    return [a | b for a, b in zip(one, other, strict=True)]


def _parted(reading: str) -> tuple[str, list[int], list[int]]:
    """The skeleton, the vowels before each consonant and after the last, and which the consonants are."""
    short = coarse(reading)
    kept = reading if len(short) == len(reading) else merged(reading)
    vowels, consonants, held = [], [], 0
    for sound in kept:
        vowel = _VOWEL.get(sound)
        if vowel:
            held |= vowel
        else:
            vowels.append(held or _NO_VOWEL)
            consonants.append(_MERGED.get(sound, 7))
            held = 0
    if len(vowels) > 1 and not held and vowels[-1] & _FLEETING:
        vowels[-1] |= _NO_VOWEL
    vowels.append(held or _NO_VOWEL)
    return skeleton_of(short) or reading, vowels, consonants


def _print(vowels: list[int], consonants: list[int]) -> int:
    """Where there are fewer consonants than places: what every print fits."""
    count = len(consonants)
    bits = (vowels[0] | consonants[0] << 24) if count else _ANY_FIRST
    bits |= (vowels[1] << 6 | consonants[1] << 27) if count > 1 else _ANY_SECOND
    bits |= (vowels[2] if count > 2 else _ALL_VOWELS) << 12
    return bits | (vowels[3] if count > 3 else _ALL_VOWELS) << 18


@cache
def _vowel_costs() -> npt.NDArray[np.uint8]:
    """The least cost between two sets of vowels (64 by 64)."""
    out = np.zeros((64, 64), np.uint8)
    sounds = [*_VOWEL, ""]
    for one in range(1, 64):
        for other in range(1, 64):
            out[one, other] = min(
                int(_UNIT * sound_cost(a, b))
                for i, a in enumerate(sounds) if one >> i & 1
                for j, b in enumerate(sounds) if other >> j & 1
            )  # fmt: skip
    return out


def paired(one: Hashes, other: Hashes, print_: Hashes, beside: Hashes) -> Hashes:
    """The prints of two words with hashes `one` and `other` as one of 64 bits, whatever their order."""
    high = np.uint64(32)
    straight, swapped = print_ | beside << high, beside | print_ << high
    return np.where(one < other, straight, np.where(one > other, swapped, straight | swapped))


class Asked(NamedTuple):
    """Pairs of words of a text: paired prints (n), the words' weights, that of the lower half first (n, 2),
    and how many of the two have a capital letter (n)."""

    marks: Hashes
    weights: npt.NDArray[np.float64]
    uppers: Ints

    @classmethod
    def alone(cls, count: int) -> Asked:
        """Words looked up alone: any print fits."""
        marks = np.full(count, ANY_PAIR, np.uint64)
        return cls(marks, np.ones((count, 2)), np.full(count, 2))

    def rows(self, row: Ints) -> Asked:
        return Asked(self.marks[row], self.weights[row], self.uppers[row])


def may_fit(asked: Asked, name: Hashes) -> Bools:
    """Whether the verifier may take each pair of words for the name with these paired prints.

    It follows `verify._is_enough`; a word's fit there is at most what it is here.
    """
    half = np.uint64(32)
    one, one_is_loose = _fit(asked.marks, name, asked.weights[:, 0])
    other, other_is_loose = _fit(asked.marks >> half, name >> half, asked.weights[:, 1])
    least, most = np.minimum(one, other), np.maximum(one, other)
    is_loose = one_is_loose | other_is_loose
    need = np.where(is_loose, _NEED_LOOSE, _NEED[asked.uppers])
    found: Bools = (least >= need) | (~is_loose & (least >= _LEAST[asked.uppers]) & (most >= _MOST))
    return found


_NEED, _NEED_LOOSE = np.array([0.93, 0.97, 0.85]), 0.93
_LEAST, _MOST = np.array([0.88, 0.97, 0.75]), 0.97
"""Of a word that is one letter off, by the number of capitals, and of the other word."""


def _fit(
    text: Hashes, name: Hashes, weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], Bools]:
    """How alike at best two words are that have these prints; and where that is 1 or 0 and no more."""
    vowels = _vowel_costs()
    cost, apart = np.zeros(len(text), np.uint16), np.zeros(len(text), np.uint8)
    one_union, other_union = np.zeros_like(text), np.zeros_like(text)
    for place in range(_PLACES):
        shift, six = np.uint64(6 * place), np.uint64(_ALL_VOWELS)
        one, other = text >> shift & six, name >> shift & six
        cost += vowels[one.astype(np.intp), other.astype(np.intp)]
        apart += (one & other) == 0
        one_union |= one
        other_union |= other
    for place in range(_FINE):
        differ = ((text & name) >> np.uint64(24 + 3 * place) & np.uint64(7)) == 0
        cost += _LEAST_FINE * differ.astype(np.uint16)
        apart += differ
    fit = 1 - cost / (_UNIT * (weights + _SLACK))
    is_same = ((one_union & ~other_union) == 0) | ((other_union & ~one_union) == 0)
    is_loose = ((text | name) & np.uint64(_IS_EDITED)) != 0
    # one edit changes one place; or it swaps a vowel with the consonant beside it
    is_edit = (apart <= 1) | ((apart == 2) & is_same)
    return np.where(is_loose, np.where(is_edit, 1.0, 0.0), fit), is_loose

"""The memory of words already read: token to the hashes of its readings. Bounded; forgets all when full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from tearline.scan import nicknames, prints
from tearline.scan.fold import fold
from tearline.scan.index import Index
from tearline.scan.keys import SINGLE, Hashes, Keys, deletions, mix
from tearline.scan.likeness import weight
from tearline.scan.names import PARTICLES
from tearline.scan.tokens import Tokens
from tearline.scan.words import initial_sounds, skeletons, stems, text_readings

_PAIR, _ALONE, _PLAIN, _EDITED = 8, 4, 3, 14
_MOST = 1 << 19
_FIRST = 1 << 12
_SLOTS, _SLOT = 1 << 18, np.uint64(64 - 18)
_CAPITAL = np.uint64(0x632BE59BD9B4E019)
STEP, _NEAR = 4, 1
"""How far a word stands from the next; a particle is nearer."""


@cache
def _function_words() -> frozenset[str]:
    text = files("tearline.scan").joinpath("data/function_words.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class Lexicon:
    """One row a word, capitalised or not, in arrays of those of its hashes that the index may have (0 where
    there are fewer): `pair`, of its parts for pairs; `plain` and `edited`, of a capitalised word as it
    stands and with one edit; `alone`, for names of one word and rare surnames. `steps`, `is_function` and
    `is_known` (whether it has a hash for pairs) have one value a row.
    `plausible` is the reader's: numbers of identities by the rows of two words and their mixed hash."""

    def __init__(self, keys: Keys, index: Index) -> None:
        self._hash, self._index = keys.part, index
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[int, int] = {}
        self.plausible: dict[tuple[int, int, int], list[int]] = {}
        self._marks: dict[int, dict[int, int]] = {}
        self._weights: dict[int, float] = {}
        self._front = np.zeros(_SLOTS, np.uint64)  # a direct-mapped memory before the dictionary
        self._front_rows = np.zeros(_SLOTS, np.int64)
        self.pair: Hashes = np.zeros((_FIRST, _PAIR), np.uint64)
        self.plain: Hashes = np.zeros((_FIRST, _PLAIN), np.uint64)
        self.edited: Hashes = np.zeros((_FIRST, _EDITED), np.uint64)
        self.alone: Hashes = np.zeros((_FIRST, _ALONE), np.uint64)
        self.steps = np.full(_FIRST, STEP, np.int64)
        self.is_function = np.zeros(_FIRST, np.bool_)
        self.is_known = np.zeros(_FIRST, np.bool_)

    def rows(self, text: str, tokens: Tokens) -> npt.NDArray[np.int64]:
        """The row of each token; words not yet known are read."""
        hashes = np.where(tokens.upper, tokens.hashes ^ _CAPITAL, tokens.hashes)
        slots = (hashes >> _SLOT).astype(np.int64)
        rows = self._front_rows[slots]
        missing: Iterable[int] = np.flatnonzero(self._front[slots] != hashes).tolist()
        if missing:
            if len(self._rows) + len(hashes) > _MOST:
                self._forget()
                missing = range(len(hashes))
            known, first = self._rows, len(self._rows)
            for k in missing:
                token = int(hashes[k])
                row = known.get(token)
                if row is None:
                    word = text[int(tokens.starts[k]) : int(tokens.ends[k])]
                    row = known[token] = self._learn(word, is_upper=bool(tokens.upper[k]))
                rows[k] = row
            self._keep(slice(first, len(known)))
            self._front[slots], self._front_rows[slots] = hashes, rows
        return rows

    def _keep(self, new: slice) -> None:
        """Of new rows keep the hashes that the index may have."""
        has = self._index.words.may_have
        for table in (self.pair, self.plain, self.edited):
            table[new][~has(table[new])] = 0
            self.is_known[new] |= table[new].any(1)
        self.alone[new][~self._index.pairs.may_have(mix(self.alone[new] + np.uint64(SINGLE)))] = 0

    def _learn(self, word: str, *, is_upper: bool) -> int:
        row = len(self._rows)
        if row >= len(self.steps):
            for name in ("pair", "plain", "edited", "alone", "steps", "is_function", "is_known"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate((old, np.zeros_like(old))))
            self.steps[row:] = STEP
        folded = fold(word)
        is_function = folded in _function_words()
        self.is_function[row] = is_function
        if folded in PARTICLES:
            self.steps[row] = _NEAR
        if is_upper or (len(folded) == 1 and not is_function):
            self._put_name(row, folded, is_function=is_function)
        elif not is_function and len(folded) > 1:
            self._put(self.pair, row, skeletons(text_readings(folded)))
        return row

    def _put_name(self, row: int, folded: str, *, is_function: bool) -> None:
        """What a capitalised word, an initial among them, is looked up by."""
        if len(folded) == 1:
            self._put(self.pair, row, [".'" + folded, *("." + sound for sound in initial_sounds(folded))])
            return
        readings = text_readings(folded, True)
        given = ["=" + name for name in sorted(nicknames.names_of(readings))][:3]
        bones = skeletons(readings)
        if len(folded) == 2:
            bones = (*bones[:2], *("." + sound for sound in initial_sounds(folded)))
        self._put(self.pair, row, [*given, *bones])
        self._put(self.plain, row, bones)
        near = (tag for shape in bones[:2] if len(shape) > 1 for tag in deletions(shape))
        self._put(self.edited, row, list(dict.fromkeys(near)))
        if not is_function:
            short = stems(readings)[: _ALONE // 2]
            self._put(self.alone, row, [mark + stem for stem in short for mark in "!?"])

    def _put(self, table: Hashes, row: int, tags: Sequence[str]) -> None:
        for column, tag in zip(range(table.shape[1]), tags, strict=False):
            table[row, column] = self._hash(tag)

    def mark(self, row: int, word: str, hash_: int, *, is_upper: bool) -> tuple[int, float]:
        """The print of a word as far as its readings have this hash, and the weight of its readings."""
        known = self._marks.get(row)
        if known is None:
            readings = text_readings(fold(word), is_upper)
            marks = prints.of_skeletons(readings) | (prints.of_deletions(readings) if is_upper else {})
            known = {self._hash(tag): mark for tag, mark in marks.items()}
            self._marks[row] = known
            self._weights[row] = max(map(weight, readings), default=1.0)
        return known.get(hash_, prints.ANY), self._weights[row]

    def hashes(self, tags: tuple[str, ...]) -> list[int]:
        """The hashes of skeletons."""
        return [self._hash(tag) for tag in tags]

"""The memory of words already read: token to the hashes of its readings. Bounded; forgets all when full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from tearline.scan import nicknames
from tearline.scan.fold import fold
from tearline.scan.keys import Hashes, Keys, deletions
from tearline.scan.names import is_particle
from tearline.scan.phonemes import western
from tearline.scan.tokens import Tokens
from tearline.scan.words import initial_sounds, skeletons, stems, text_readings

_PAIR, _ALONE, _PLAIN, _EDITED = 8, 4, 3, 18
_MOST = 1 << 19
_FIRST = 1 << 12
_SLOTS, _SLOT = 1 << 18, np.uint64(64 - 18)
_CAPITAL = np.uint64(0x632BE59BD9B4E019)
_LEAST_HEADLESS, HEADLESS = 4, 4
_GIVEN = 3
_CYRILLIC = "\u0400"
STEP, _NEAR = 4, 1
"""How far a word stands from the next; a particle is nearer."""


@cache
def _function_words() -> frozenset[str]:
    text = files("tearline.scan").joinpath("data/function_words.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _literal(folded: str) -> tuple[str, ...]:
    """Skeletons of a word as it is spelt, with and without its case ending."""
    readings = text_readings(folded)[:2]
    if folded[0] < _CYRILLIC:
        readings = (*readings, western(folded))
    return skeletons(readings)


class Lexicon:
    """One row a word, capitalised or not, in arrays of hashes (0 where there are fewer): `pair`, of its
    parts for pairs; `plain` and `edited`, of a capitalised word as it stands, and with one edit or as a pet
    form (of a word in small letters only as the rest of a name that lost its first letter); `alone`, for
    names of one word and rare surnames. `steps` and `is_function` have one value a row.
    `plausible` is the reader's: numbers of identities by the rows of two words and their mixed hash."""

    def __init__(self, keys: Keys) -> None:
        self._hash = keys.part
        self._forget()

    def _forget(self) -> None:
        self._rows: dict[int, int] = {}
        self.plausible: dict[tuple[int, int, int], list[int]] = {}
        self._front = np.zeros(_SLOTS, np.uint64)  # a direct-mapped memory before the dictionary
        self._front_rows = np.zeros(_SLOTS, np.int64)
        self.pair: Hashes = np.zeros((_FIRST, _PAIR), np.uint64)
        self.plain: Hashes = np.zeros((_FIRST, _PLAIN), np.uint64)
        self.edited: Hashes = np.zeros((_FIRST, _EDITED), np.uint64)
        self.alone: Hashes = np.zeros((_FIRST, _ALONE), np.uint64)
        self.steps = np.full(_FIRST, STEP, np.int64)
        self.is_function = np.zeros(_FIRST, np.bool_)

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
            known = self._rows
            for k in missing:
                token = int(hashes[k])
                row = known.get(token)
                if row is None:
                    word = text[int(tokens.starts[k]) : int(tokens.ends[k])]
                    row = known[token] = self._learn(word, is_upper=bool(tokens.upper[k]))
                rows[k] = row
            self._front[slots], self._front_rows[slots] = hashes, rows
        return rows

    def _learn(self, word: str, *, is_upper: bool) -> int:
        row = len(self._rows)
        if row >= len(self.steps):
            for name in ("pair", "plain", "edited", "alone", "steps", "is_function"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate((old, np.zeros_like(old))))
            self.steps[row:] = STEP
        folded = fold(word)
        is_function = folded in _function_words()
        self.is_function[row] = is_function
        if is_particle(folded):
            self.steps[row] = _NEAR
        if is_upper or (len(folded) == 1 and not is_function):
            self._put_name(row, folded, is_function=is_function)
        elif not is_function and len(folded) > 1:
            readings = text_readings(folded)
            given = ("=" + name for name in sorted(nicknames.names_of(readings))[:_GIVEN])
            self._put(self.pair, row, [*given, *skeletons(readings)])
            if len(folded) >= _LEAST_HEADLESS:
                shapes = _literal(folded)
                shapes = (*shapes[: HEADLESS - 1], *(shape[1:] for shape in shapes[:1]))
                self._put(self.edited, row, ["~" + shape for shape in shapes])
        return row

    def _put_name(self, row: int, folded: str, *, is_function: bool) -> None:
        """What a capitalised word, an initial among them, is looked up by."""
        if len(folded) == 1:
            self._put(self.pair, row, [".'" + folded, *("." + sound for sound in initial_sounds(folded))])
            return
        readings = text_readings(folded, True)
        given = ["=" + name for name in sorted(nicknames.names_of(readings))[:_GIVEN]]
        bones = skeletons(readings)
        if len(folded) == 2:
            bones = (*bones[:2], *("." + sound for sound in initial_sounds(folded)))
        self._put(self.pair, row, [*given, *bones])
        self._put(self.plain, row, [*given[:1], *bones])
        near = (tag for shape in _literal(folded) for tag in deletions(shape))
        heads = ("<" + head for head in nicknames.heads(readings))
        self._put(self.edited, row, list(dict.fromkeys((*heads, *near))))
        if not is_function:
            short = stems(readings)[: _ALONE // 2]
            self._put(self.alone, row, [mark + stem for stem in short for mark in "!?"])

    def _put(self, table: Hashes, row: int, tags: Sequence[str]) -> None:
        for column, tag in zip(range(table.shape[1]), tags, strict=False):
            table[row, column] = self._hash(tag)

    def hashes(self, tags: tuple[str, ...]) -> list[int]:
        """The hashes of skeletons."""
        return [self._hash(tag) for tag in tags]

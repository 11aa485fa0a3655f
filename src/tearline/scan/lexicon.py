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
from tearline.scan.keys import SINGLE, Keys, deletions, mix
from tearline.scan.likeness import weight
from tearline.scan.names import is_particle
from tearline.scan.phonemes import western
from tearline.scan.tokens import Tokens
from tearline.scan.words import initial_sounds, skeletons, stems, text_readings

_FLAG = {"pair": "is_known", "plain": "is_plain", "edited": "is_edited", "alone": "is_alone"}
_WIDTH = {"pair": 8, "plain": 3, "edited": 18, "alone": 4}
_MOST = 1 << 19
_FIRST = 1 << 12
_SLOTS, _SLOT = 1 << 18, np.uint64(64 - 18)
_CAPITAL = np.uint64(0x632BE59BD9B4E019)
_LEAST_HEADLESS = 4
_GIVEN = 3
_CYRILLIC = "\u0400"
STEP, _NEAR = 4, 1
"""How far a word stands from the next; a particle is nearer."""


@cache
def _function_words() -> frozenset[str]:
    text = files("tearline.scan").joinpath("data/function_words.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _literal(folded: str) -> tuple[str, ...]:
    """Readings of a word as it is spelt, with and without its case ending."""
    readings = text_readings(folded)[:2]
    return (*readings, western(folded)) if folded[:1] < _CYRILLIC else readings


class Lexicon:
    """One row a word, capitalised or not, in arrays of those of its hashes that the index may have (0 where
    there are fewer): `pair`, of its parts for pairs; `plain` and `edited`, of a capitalised word as it
    stands, and with one edit or as a pet form (of a word in small letters, once `read_rests` is told to, as
    the rest of a name that lost its first letter: `is_rest`); `alone`, for names of one word and rare
    surnames. One value a row have `steps` and `is_function`, and, whether it has such hashes, `is_known`,
    `is_plain`, `is_edited`, `is_alone`.
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
        self._new: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in _WIDTH}
        self.pair, self.plain, self.edited, self.alone = (
            np.zeros((_FIRST, width), np.uint64) for width in _WIDTH.values()
        )
        self.steps = np.full(_FIRST, STEP, np.int64)
        self.is_function, self.is_rest = np.zeros((2, _FIRST), np.bool_)
        self.is_known, self.is_plain, self.is_edited, self.is_alone = np.zeros((4, _FIRST), np.bool_)

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
            self._keep()
            self._front[slots], self._front_rows[slots] = hashes, rows
        return rows

    def _keep(self) -> None:
        """Of the hashes of new words put into the tables those that the index may have."""
        for name, (made, places) in self._new.items():
            if made:
                hashes, place = np.array(made, np.uint64), np.array(places, np.int64)
                if name == "alone":
                    kept = self._index.pairs.may_have(mix(hashes + np.uint64(SINGLE)))
                else:
                    kept = self._index.words.may_have(hashes)
                getattr(self, _FLAG[name])[place[kept] // _WIDTH[name]] = True
                getattr(self, name).reshape(-1)[place[kept]] = hashes[kept]
                self._new[name] = [], []

    def _learn(self, word: str, *, is_upper: bool) -> int:
        row = len(self._rows)
        if row >= len(self.steps):
            for name in (*_WIDTH, *_FLAG.values(), "steps", "is_function", "is_rest"):
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
            self._put("pair", row, [*given, *skeletons(readings)])
        return row

    def read_rests(self, rows: Iterable[int], words: Iterable[str]) -> None:
        """Read words in small letters also as names that lost their first letter: for those beside a word
        that may be of a name, and not for each."""
        for row, word in zip(rows, words, strict=True):
            self.is_rest[row] = True
            folded = fold(word)
            if len(folded) >= _LEAST_HEADLESS and not self.is_function[row]:
                shapes = skeletons(_literal(folded))
                self._put("edited", row, ["~" + shape for shape in (*shapes, *(s[1:] for s in shapes[:1]))])
        self._keep()

    def _put_name(self, row: int, folded: str, *, is_function: bool) -> None:
        """What a capitalised word, an initial among them, is looked up by."""
        if len(folded) == 1:
            self._put("pair", row, [".'" + folded, *("." + sound for sound in initial_sounds(folded))])
            return
        readings = text_readings(folded, True)
        given = ["=" + name for name in sorted(nicknames.names_of(readings))[:_GIVEN]]
        bones = skeletons(readings)
        if len(folded) == 2:
            bones = (*bones[:2], *("." + sound for sound in initial_sounds(folded)))
        self._put("pair", row, [*given, *bones])
        self._put("plain", row, [*given[:1], *bones])
        near = (tag for shape in skeletons(_literal(folded)) for tag in deletions(shape))
        heads = ("<" + head for head in nicknames.heads(readings))
        self._put("edited", row, list(dict.fromkeys((*heads, *near))))
        if not is_function:
            short = stems(readings)[: _WIDTH["alone"] // 2]
            self._put("alone", row, [mark + stem for stem in short for mark in "!?"])

    def _put(self, name: str, row: int, tags: Sequence[str]) -> None:
        (made, places), width = self._new[name], _WIDTH[name]
        tags = tags[:width]
        made.extend(map(self._hash, tags))
        places.extend(range(row * width, row * width + len(tags)))

    def mark(self, row: int, word: str, hash_: int, *, is_upper: bool) -> tuple[int, float]:
        """The print of a word as far as its readings have this hash, and the weight of its readings."""
        known = self._marks.get(row)
        if known is None:
            folded = fold(word)
            literal = _literal(folded)
            readings = (*text_readings(folded, is_upper), *literal)
            marks = prints.of_tags(readings, skeletons(literal))
            known = {self._hash(tag): mark for tag, mark in marks.items()}
            self._marks[row] = known
            self._weights[row] = max(map(weight, readings), default=1.0)
        return known.get(hash_, prints.ANY), self._weights[row]

    def hashes(self, tags: tuple[str, ...]) -> list[int]:
        """The hashes of skeletons."""
        return [self._hash(tag) for tag in tags]

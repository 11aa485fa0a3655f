"""Judges columns: looks up the class of each column's value, and what the rules make of those classes.

Rows whose values are of the same classes in all columns are of one *kind*: no clause can tell them apart. A
kind is evaluated when it is first met and its rulings are kept, so that a row costs one lookup a column and
one for its kind. Where kinds could be too many to be numbered, each row is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, chain
from math import prod
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.evaluate import Members
from tearline.agreement.manifest import Agreement
from tearline.agreement.tables.columns import Coded, Codes, Columns, Words, days
from tearline.agreement.tables.lookup import edges
from tearline.agreement.tables.rules import ACTIONS, Rules
from tearline.terms import Party, Refused

CHUNK = 1 << 16
"""Rows judged at once: what is held of them fits the processor's cache."""
MOST_KINDS = 1 << 24
"""How many kinds are numbered at most: the numbers take four bytes each."""
FEW = 16
BEFORE_ALL = -(1 << 62)

Epochs = Sequence[tuple[date, Members]]
"""Which coalitions each partner is in from which day on, in the order of days."""


class Tables:
    """Sets of agreements of one node, compiled together for these partners.

    Each of `sets` is judged as `Agreements(own, set)` would; what sets have in common is evaluated once.
    Before the first of `epochs` no partner is in any coalition. Raises `Refused` where an agreement is not
    sound or is twice in a set.
    """

    def __init__(
        self, own: Party, sets: Sequence[Sequence[Agreement]], partners: Sequence[Party], epochs: Epochs
    ) -> None:
        for agreement in {each.version: each for each in chain(*sets)}.values():
            agreement.must_be_sound()
        for agreements in sets:
            if len({agreement.id for agreement in agreements}) < len(agreements):
                raise Refused("two versions of one agreement cannot be in force")
        self._rules = Rules(own, sets, partners)
        self.shape = len(sets), len(ACTIONS), self._rules.words
        """Sets, actions (in the order of `ACTIONS`), words of 64 partners."""
        self._edges = np.array(edges(self._rules.lookups["at"].tests), np.int64)
        self._days = np.array([days(day) for day, _ in epochs], np.int64)
        self._values = {
            "at": [BEFORE_ALL, *self._edges.tolist()],
            "day": [{}, *(members for _, members in epochs)],
        }
        self._sizes: dict[str, int] = {}
        self.generation = 0
        """Kinds have other numbers after it grows."""
        self._number_anew({})

    @property
    def numbered(self) -> bool:
        """Whether a kind keeps its number from piece to piece, within a generation."""
        return bool(len(self._numbers))

    def bits(self, parties: Iterable[Party] | None) -> Words:
        """One bit for each of `parties` that is a partner, the first partner's lowest; `None` is everyone."""
        return self._rules.bits(parties)

    def judge(self, columns: Columns) -> Words:
        """Whom each set of agreements permits what: bits, of shape (*self.shape, rows)."""
        found = [table[..., kinds] for _, kinds, table in self.chunks(columns)]
        return np.concatenate([np.zeros((*self.shape, 0), np.uint64), *found], axis=-1)

    def chunks(self, columns: Columns) -> Iterator[tuple[slice, Codes, Words]]:
        """The rows in pieces: which, the kind of each, and a table of what is permitted for each kind.

        Rows of one item are in one piece. The table is of shape (*self.shape, kinds). Take one piece before
        you ask for the next.
        """
        tables = self._tables(columns)
        for rows in _pieces(columns):
            part, count = columns.part(rows), rows.stop - rows.start
            found = {name: np.take(table, self._codes(name, part)) for name, table in tables.items()}
            if len(self._numbers):
                yield rows, self._kinds(sum(found.values(), np.zeros(count, np.int32))), self._known
            else:
                classes = {name: np.broadcast_to(each, count) for name, each in found.items()}
                yield rows, np.arange(count, dtype=np.int32), self._rules.evaluate(classes, count)

    def _tables(self, columns: Columns) -> dict[str, Codes]:
        """For each column that clauses ask about, the class of each of its values.

        Where kinds are numbered it is the class's part of the number, so that a row's number is a sum.
        """
        lookups = {name: lookup for name, lookup in self._rules.lookups.items() if lookup.tests}
        tables: dict[str, Codes] = {
            name: lookup.of(self._values.get(name) or getattr(columns, name).values)
            for name, lookup in lookups.items()
        }
        if any(lookup.classes > self._sizes.get(name, 0) for name, lookup in lookups.items()):
            self._number_anew({name: lookup.classes for name, lookup in lookups.items()})
        if not len(self._numbers):
            return tables
        return {name: (table * self._strides[name]).astype(np.int32) for name, table in tables.items()}

    def _codes(self, name: str, part: Columns) -> Codes:
        if name == "at":
            return _between(self._edges, part.at)
        if name == "day":
            return _between(self._days, part.day)
        coded: Coded = getattr(part, name)
        return coded.codes

    def _number_anew(self, classes: Mapping[str, int]) -> None:
        """Make room for as many classes, and more to come; forget all kinds."""
        self._sizes = {name: 1 << (count - 1).bit_length() for name, count in classes.items()}
        below = accumulate(self._sizes.values(), mul, initial=1)
        self._strides = dict(zip(self._sizes, below, strict=False))
        kinds = prod(self._sizes.values())
        self._numbers = np.full(kinds if kinds <= MOST_KINDS else 0, -1, np.int32)
        self.generation += 1
        self._fresh: list[Codes] = []
        self._like, self._likes = np.zeros(0, np.int64), dict[bytes, int]()
        self._count, self._known = 0, np.zeros((*self.shape, 0), np.uint64)

    def _kinds(self, codes: Codes) -> NDArray[np.int32]:
        """The number of each row's kind in `_known`; kinds that were not met before are evaluated."""
        kinds = np.take(self._numbers, codes)
        if kinds.min() < 0:
            fresh = np.unique(codes[kinds < 0])
            classes = self._classes(fresh)
            start, end = self._count, self._count + len(fresh)
            if end > self._known.shape[-1]:
                room = np.zeros((*self.shape, end), np.uint64)
                self._known = np.concatenate([self._known, room], axis=-1)
            self._known[..., start:end] = self._rules.evaluate(classes, len(fresh))
            self._fresh.append(fresh)
            self._numbers[fresh] = np.arange(start, end, dtype=np.int32)
            self._count = end
            kinds = np.take(self._numbers, codes)
        return kinds

    def like(self, kinds: Codes) -> Codes:
        """A number for each numbered kind: those of one number fare alike, by the same clauses."""
        if (known := len(self._like)) < self._count:
            fresh = np.concatenate(self._fresh)[known:]
            marks = self._rules.marks(self._classes(fresh), len(fresh))
            numbers = [self._likes.setdefault(mark, len(self._likes)) for mark in marks]
            self._like = np.concatenate([self._like, np.array(numbers, np.int64)])
        return np.take(self._like, kinds)

    def _classes(self, codes: Codes) -> dict[str, Codes]:
        return {name: codes // self._strides[name] % size for name, size in self._sizes.items()}


def _pieces(columns: Columns) -> Iterator[slice]:
    start = 0
    while start < len(columns):
        end = min(start + CHUNK, len(columns))
        while columns.first is not None and end < len(columns) and not columns.first[end]:
            end += 1
        yield slice(start, end)
        start = end


def _between(edges: NDArray[np.int64], column: NDArray[np.integer[Any]]) -> Codes:
    """How many of `edges` each value has reached; one number where it is the same for all."""
    low, high = np.searchsorted(edges, [column.min(), column.max()], "right").tolist()
    if low == high:
        return np.array(low)
    if high - low <= FEW:  # then comparing is faster than searching
        return sum((column >= edge for edge in edges[low:high]), np.full(len(column), low, np.uint16))
    return np.searchsorted(edges, column, "right")

"""Which clauses are responsible for what changes, counted.

Items whose rows no clause tells apart, in the same forms and open to the same partners, fare alike: they make
a *group*. Changes are counted by group; Cedar is asked about one item of each, the greatest groups first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.tables import Codes, Columns, Row, Tables, Words
from tearline.review.changes import CHANGES, Reason, Side, agree, in_words
from tearline.review.count import Counts, Rows
from tearline.terms import Party

MOST = 1_000
"""Groups that Cedar is asked about."""
NOT_ASKED = "not asked: one of many rare kinds"
_ODD = np.uint64(0x9E3779B97F4A7C15)  # of the golden ratio, as in SplitMix64
_SHIFT = np.uint64(29)

Fares = Callable[[Sequence[Row], Sequence[Party]], dict[Party, tuple[Side, Side]]]


class _Group(NamedTuple):
    number: int
    rows: list[Row]


class Groups:
    """The groups that were met, numbered."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], _Group] = {}

    def number(self, part: Columns, kinds: Codes, let_in: Words, items: Rows, tables: Tables) -> Counts:
        """The group of each of `items`, given by their first rows; -1 where kinds are too many to know.

        `kinds` and `let_in` (words, rows): of all rows of the part.
        """
        if not tables.numbered:
            return np.full(len(items), -1, np.int64)
        marks = _mixed(tables.like(kinds).astype(np.uint64))
        if part.form is not None:
            marks = _mixed(marks ^ part.form)
        if part.first is None:
            marks = marks[items]
        else:
            for word in let_in:
                marks = _mixed(marks ^ word)
            starts = np.flatnonzero(part.first)
            place = np.arange(len(part)) - starts[np.cumsum(part.first) - 1]
            marks = np.add.reduceat(_mixed(marks ^ place.astype(np.uint64)), starts)
            marks = marks[np.searchsorted(starts, items)]
        unlike, first, group = np.unique(marks, return_index=True, return_inverse=True)
        numbers = [
            self._of((tables.generation, mark), part, int(item))
            for mark, item in zip(unlike.tolist(), items[first], strict=True)
        ]
        return np.array(numbers, np.int64)[group]

    def _of(self, key: tuple[int, int], part: Columns, item: int) -> int:
        if key not in self._known:
            rows = rows_of(part, item)
            if (
                part.first is None
            ):  # whom it is open to is not in its mark: whoever it changes for is among them
                rows = [row._replace(to=None) for row in rows]
            self._known[key] = _Group(len(self._known), rows)
        return self._known[key].number

    def reasons(
        self, counts: dict[int, Counts], partners: Sequence[Party], fares: Fares
    ) -> tuple[Reason, ...]:
        """`counts`: of each group (changes, partners). `fares`: how an item fares with both sets of
        agreements, as Cedar answers."""
        rows = {group.number: group.rows for group in self._known.values()}
        ordered = sorted(counts, key=lambda number: (-int(counts[number].sum()), number))
        found: defaultdict[tuple[Party, int, str, str], int] = defaultdict(int)
        for place, number in enumerate(ordered):
            some = [partners[at] for at in np.flatnonzero(counts[number].any(axis=0)).tolist()]
            asked = number >= 0 and place < MOST
            told = fares(rows[number], some) if asked else {}
            for change, at in np.argwhere(counts[number]).tolist():
                now, then = NOT_ASKED, NOT_ASKED
                if asked:
                    before, after = told[partners[at]]
                    agree(CHANGES[change], before, after)
                    now, then = in_words(before), in_words(after)
                found[partners[at], change, now, then] += int(counts[number][change, at])
        return tuple(
            Reason(partner, CHANGES[change], now, then, items)
            for (partner, change, now, then), items in sorted(
                found.items(), key=lambda each: (each[0][0], each[0][1], -each[1], each[0])
            )
        )


def rows_of(part: Columns, item: int) -> list[Row]:
    """The rows of the item whose first row is `item`."""
    end = item + 1
    while part.first is not None and end < len(part) and not part.first[end]:
        end += 1
    return [part.row(number) for number in range(item, end)]


def _mixed(marks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread over all 64 bits, so that unlike items have unlike marks."""
    marks = (marks + _ODD) * _ODD
    return marks ^ (marks >> _SHIFT)

"""Many items at once, as columns: what clauses may ask of each, when it is judged, whom it may reach.

A row is an item, or one form of it: a product that its label opens only in part has a row for its whole form
and one for each tearline form, because a tearline is judged by the label of what remains. Rows of one item
stand one after the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.evaluate import Facts
from tearline.terms import Category, Discipline, Party, Reach, Region, Topic, Use

Codes = NDArray[np.integer[Any]]
Words = NDArray[np.uint64]
Name = TypeVar("Name", bound=Hashable)

WHOLE, TEARLINE = 1, 2
"""Bits of a row's form: for which action it is judged; both where whole and tearline have the same facts."""
CATEGORIES, TOPICS, REGIONS, DISCIPLINES = tuple(Category), tuple(Topic), tuple(Region), tuple(Discipline)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """One row, before it is put into columns."""

    id: str
    version: str
    at: datetime
    day: date
    facts: Facts
    form: int = WHOLE | TEARLINE
    to: frozenset[Party] | None = None
    first: bool = True


class Coded(NamedTuple):
    """A column in which row `i` has the value `values[codes[i]]`."""

    codes: Codes
    values: Any
    """A sequence; of sets an array of masks."""

    def part(self, rows: slice) -> Coded:
        return Coded(self.codes[rows], self.values)

    def at(self, row: int) -> Any:
        return self.values[int(self.codes[row])]


@dataclass(frozen=True)
class Columns:
    """Facts and circumstances of items, a row each. All arrays have one length."""

    id: Sequence[str]
    version: Sequence[str]
    """Beside the id, what tells two versions of one product apart; may be empty texts."""
    first: NDArray[np.bool_] | None
    """Whether the row is the first of its item; `None` where every row is an item."""
    form: NDArray[np.uint8] | None
    """`WHOLE`, `TEARLINE` or both; `None` where all are both."""
    at: NDArray[np.int64]
    """The instant at which it is judged: microseconds since 1970, UTC."""
    day: NDArray[np.int32]
    """The day whose coalitions count: days since 1970."""
    originator: Coded
    """Of parties."""
    category: Coded
    """Of `CATEGORIES`."""
    level: Coded
    """Of `Facts.level`."""
    topics: Coded
    """Of masks: bit `i` stands for `TOPICS[i]`."""
    regions: Coded
    """Of masks over `REGIONS`."""
    disciplines: Coded
    """Of masks over `DISCIPLINES`."""
    reach: Coded
    use: Coded
    detail: Coded
    """Of `Detail`."""
    to: Coded
    """Of the parties whom label and third-party rule let in: `frozenset`, or `None` for all."""

    def __len__(self) -> int:
        return len(self.at)

    def part(self, rows: slice) -> Columns:
        """Some of the rows, without copying."""
        return Columns(*(_part(getattr(self, field.name), rows) for field in fields(self)))

    def row(self, number: int) -> Row:
        """One row, as it was before it was put into columns."""
        facts = Facts(
            originator=self.originator.at(number),
            category=self.category.at(number),
            level=self.level.at(number),
            topics=names(self.topics.at(number), TOPICS),
            regions=names(self.regions.at(number), REGIONS),
            disciplines=names(self.disciplines.at(number), DISCIPLINES),
            reach=self.reach.at(number),
            use=self.use.at(number),
            detail=self.detail.at(number),
        )
        return Row(
            id=self.id[number],
            version=self.version[number],
            at=EPOCH + timedelta(microseconds=int(self.at[number])),
            day=EPOCH.date() + timedelta(days=int(self.day[number])),
            facts=facts,
            form=WHOLE | TEARLINE if self.form is None else int(self.form[number]),
            to=self.to.at(number),
            first=self.first is None or bool(self.first[number]),
        )


def columns(rows: Sequence[Row]) -> Columns:
    """Rows as columns."""
    facts = [row.facts for row in rows]
    return Columns(
        id=[row.id for row in rows],
        version=[row.version for row in rows],
        first=np.array([row.first for row in rows], bool),
        form=np.array([row.form for row in rows], np.uint8),
        at=np.array([microseconds(row.at) for row in rows], np.int64),
        day=np.array([days(row.day) for row in rows], np.int32),
        originator=_coded(each.originator for each in facts),
        category=Coded(np.array([CATEGORIES.index(each.category) for each in facts], np.uint8), CATEGORIES),
        level=_coded(each.level for each in facts),
        topics=_masks([each.topics for each in facts], TOPICS),
        regions=_masks([each.regions for each in facts], REGIONS),
        disciplines=_masks([each.disciplines for each in facts], DISCIPLINES),
        reach=Coded(np.array([each.reach for each in facts], np.uint8), tuple(Reach)),
        use=Coded(np.array([each.use for each in facts], np.uint8), tuple(Use)),
        detail=_coded(each.detail for each in facts),
        to=_coded(row.to for row in rows),
    )


def mask(found: Iterable[Name], vocabulary: Sequence[Name]) -> int:
    """A set as a number: bit `i` stands for `vocabulary[i]`."""
    return sum(1 << vocabulary.index(name) for name in set(found))


def names(number: int, vocabulary: Sequence[Name]) -> frozenset[Name]:
    """The set that `mask` made a number of."""
    return frozenset(name for bit, name in enumerate(vocabulary) if int(number) >> bit & 1)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def days(day: date) -> int:
    return (day - EPOCH.date()).days


def _coded(found: Iterable[Hashable]) -> Coded:
    known: dict[Hashable, int] = {}
    codes = [known.setdefault(value, len(known)) for value in found]
    return Coded(np.array(codes, np.int32), tuple(known))


def _masks(found: Sequence[frozenset[Any]], vocabulary: Sequence[Any]) -> Coded:
    codes, values = _coded(found)
    return Coded(codes, np.array([mask(each, vocabulary) for each in values], np.uint32))


def _part(column: Any, rows: slice) -> Any:
    if column is None:
        return None
    return column.part(rows) if isinstance(column, Coded) else column[rows]

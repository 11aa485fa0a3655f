"""Rows of a file of items as columns: every distinct value is checked and read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tearline.adapters.home import PARTY
from tearline.agreement import NOT_MEDIA, Detail
from tearline.agreement.media import CLASSES, legend
from tearline.agreement.tables import (
    CATEGORIES,
    DISCIPLINES,
    REGIONS,
    TEARLINE,
    TOPICS,
    WHOLE,
    Coded,
    Columns,
    days,
    mask,
)
from tearline.terms import BadInput, Discipline, Level, Party, Policy, Reach, Use

REACHES = {reach.name.replace("AMBER_STRICT", "AMBER+STRICT"): reach for reach in Reach}
USES = {use.name: use for use in Use}
FORMS = {"whole": WHOLE, "tearline": TEARLINE}

_LEVEL = re.compile(rf"({PARTY.pattern}):({'|'.join(Level.__members__)})")
_WRITE_PARTY = "write an organisation's code, such as GBR"
_WRITE_LEVEL = "write POLICY:LEVEL, such as USA:SECRET, and a policy only once"
_NOT_GIVEN = {"topics": 0, "regions": 0, "disciplines": mask({Discipline.UNKNOWN}, DISCIPLINES)}
_DAY = 86_400_000_000
_FIRST_DAY, _LAST_DAY = days(date.min), days(date.max)


class Batch:
    """Some rows of a file; `start` is the number of rows before them."""

    def __init__(self, path: Path, table: pa.Table, start: int) -> None:
        self._path, self._table, self._start = path, table, start

    def columns(self) -> Columns:
        """Raises `BadInput`, which names column and row."""
        at = self._instants()
        category = self._texts("category", {name.value: name for name in CATEGORIES}.get, _one_of(CATEGORIES))
        numbers = np.array([CATEGORIES.index(name) for name in category.values], np.uint8)
        found = Columns(
            id=self._names("id"),
            version=self._names("version"),
            first=firsts(self._table) if "form" in self._table.column_names else None,
            form=self._forms(),
            at=at,
            day=self._days(at),
            originator=self._texts("originator", _party, _WRITE_PARTY),
            category=Coded(numbers[category.codes], CATEGORIES),
            level=self._lists("level", _LEVEL.fullmatch, _levels, _WRITE_LEVEL),
            topics=self._sets("topics", TOPICS),
            regions=self._sets("regions", REGIONS),
            disciplines=self._sets("disciplines", DISCIPLINES),
            reach=self._texts("reach", REACHES.get, _one_of(REACHES), Reach.RED),
            use=self._texts("use", USES.get, _one_of(USES), Use.RED),
            detail=self._details(),
            to=self._lists("to", _party, _parties, _WRITE_PARTY, None),
        )
        self._check_forms(found)
        return found

    # --- One column each -----------------------------------------------------------------------------

    def _texts(
        self, name: str, read: Callable[[str], Any], remedy: str, *default: Any, column: Any = None
    ) -> Coded:
        """A column of texts. `read` gives a value, `None` for what it refuses; `default` is for gaps."""
        if column is None and name not in self._table.column_names:
            return Coded(np.zeros(len(self._table), np.uint8), default)
        codes, texts = encoded(self._table[name] if column is None else column)
        values = [read(text) for text in texts]
        for number in [number for number, value in enumerate(values) if value is None]:
            row = np.flatnonzero(codes == number)[0]
            raise self._refused(name, row, f"{texts[number][:60]!r} cannot be taken", remedy)
        gaps = np.flatnonzero(codes < 0)
        if gaps.size:
            if not default:
                raise self._refused(name, gaps[0], "it is empty", remedy)
            codes[gaps] = len(values)
        return Coded(codes, [*values, *default])

    def _elements(
        self, name: str, read: Callable[[str], Any], remedy: str
    ) -> tuple[Coded, NDArray[np.int64]]:
        """The elements of a column of lists, and how many there are in each row."""
        lists = self._table[name].combine_chunks()
        many = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
        codes, texts = encoded(lists.flatten())
        values = [*map(read, texts), None]  # the last for empty elements, whose code is -1
        wrong = np.flatnonzero(np.array([value is None for value in values])[codes])
        if wrong.size:
            row = np.searchsorted(np.cumsum(many), wrong[0], "right")
            text = "an empty element" if codes[wrong[0]] < 0 else repr(texts[codes[wrong[0]]][:60])
            raise self._refused(name, row, f"{text} cannot be taken", remedy)
        return Coded(codes, values[:-1]), many.astype(np.int64)

    def _sets(self, name: str, vocabulary: Sequence[str]) -> Coded:
        """A column of sets, as masks."""
        masks = np.full(len(self._table), _NOT_GIVEN[name], np.uint32)
        if name in self._table.column_names:
            bits = {str(text): 1 << number for number, text in enumerate(vocabulary)}
            elements, many = self._elements(name, bits.get, _one_of(vocabulary))
            some = np.flatnonzero(many)
            masks[self._table[name].is_valid().to_numpy()] = 0
            if some.size:
                starts = (np.cumsum(many) - many)[some]
                bits_of = np.array(elements.values, np.uint32)[elements.codes]
                masks[some] = np.bitwise_or.reduceat(bits_of, starts)
        codes, values = encoded(pa.array(masks))
        return Coded(codes, np.array(values, np.uint32))

    def _lists(
        self,
        name: str,
        element: Callable[[str], Any],
        read: Callable[[str], Any],
        remedy: str,
        *default: Any,
    ) -> Coded:
        """A column of lists of which there are few different ones: `read` takes one, joined by commas."""
        if name not in self._table.column_names:
            return Coded(np.zeros(len(self._table), np.uint8), default)
        self._elements(name, element, remedy)
        joined = pc.binary_join(self._table[name].combine_chunks(), ",")
        return self._texts(name, read, remedy, *default, column=joined)

    def _names(self, name: str) -> Sequence[str]:
        if name not in self._table.column_names:
            return _Texts(pa.nulls(len(self._table), pa.string()))
        column = self._table[name].combine_chunks()
        if name == "id" and column.null_count:
            row = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]
            raise self._refused(name, row, "it is empty", "give each item an id")
        return _Texts(column)

    def _instants(self) -> NDArray[np.int64]:
        column = self._table["at"].combine_chunks()
        at = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
        found = at.fill_null((_FIRST_DAY - 1) * _DAY).to_numpy(zero_copy_only=False)
        wrong = np.flatnonzero((found < _FIRST_DAY * _DAY) | (found >= (_LAST_DAY + 1) * _DAY))
        if wrong.size:
            raise self._refused("at", wrong[0], "it is empty or no instant", "write when the item is judged")
        return np.asarray(found, np.int64)

    def _days(self, at: NDArray[np.int64]) -> NDArray[np.int32]:
        """The day of the instant, where none is given."""
        of_instant = (at // _DAY).astype(np.int32)
        if "day" not in self._table.column_names:
            return of_instant
        column = self._table["day"].combine_chunks().cast(pa.date32()).cast(pa.int32())
        found = np.where(column.is_valid(), column.fill_null(0), of_instant)
        wrong = np.flatnonzero((found < _FIRST_DAY) | (found > _LAST_DAY))
        if wrong.size:
            raise self._refused("day", wrong[0], "it is no day", "write the day on which it was made")
        return found.astype(np.int32)

    def _details(self) -> Coded:
        """The five classes, each of its own column, as one; a gap is the class of what is not media."""
        found: Any = np.zeros(len(self._table), np.uint16)
        for name, neutral in NOT_MEDIA._asdict().items():
            if name in self._table.column_names:
                column = self._table[name].combine_chunks().fill_null(neutral)
                ranks = column.to_numpy(zero_copy_only=False)
                wrong = np.flatnonzero((ranks < CLASSES[0]) | (ranks > CLASSES[-1]))
                if wrong.size:
                    reason = f"{int(ranks[wrong[0]])} is no class"
                    raise self._refused(name, wrong[0], reason, f"write {legend(name)}")
            else:
                ranks = np.uint16(neutral)
            found = found * len(CLASSES) + ranks.astype(np.uint16)
        numbers, codes = np.unique(found, return_inverse=True)
        return Coded(codes, [_detail(int(number)) for number in numbers])

    def _forms(self) -> NDArray[np.uint8] | None:
        if "form" not in self._table.column_names:
            return None
        form = self._texts("form", FORMS.get, _one_of(FORMS), WHOLE | TEARLINE)
        return np.array(form.values, np.uint8)[form.codes]

    def _check_forms(self, found: Columns) -> None:
        """Of an item's rows, one at most is the whole form for a party."""
        if found.first is None or found.form is None:
            return
        item = np.cumsum(found.first)
        whole = np.flatnonzero(found.form & WHOLE)
        for row in whole[1:][item[whole[1:]] == item[whole[:-1]]].tolist():
            others = [other for other in whole[item[whole] == item[row]].tolist() if other < row]
            to = [found.to.at(each) for each in (row, *others)]
            if None in to or any(to[0] & parties for parties in to[1:]):
                remedy = "tell versions apart by the column version, and forms by the column form"
                raise self._refused("form", row, "the item has its whole form twice for a party", remedy)

    def _refused(self, name: str, row: Any, reason: str, remedy: str) -> BadInput:
        return BadInput(str(self._path), f"column {name}, row {self._start + int(row) + 1}", reason, remedy)


def firsts(table: pa.Table) -> NDArray[np.bool_]:
    """Whether a row is the first of its item: another id or version than the row before."""
    first = np.zeros(len(table), bool)
    first[:1] = True
    for name in ("id", "version"):
        if name in table.column_names:
            codes, _ = encoded(table[name])
            first[1:] |= codes[1:] != codes[:-1]
    return first


def encoded(column: Any) -> tuple[NDArray[np.int64], list[Any]]:
    """A column as codes, -1 where it is empty, and the values that they stand for."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):  # its dictionary may hold what no row has
        whole = whole.cast(whole.type.value_type)
    found = whole.dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), found.dictionary.to_pylist()


class _Texts(Sequence[str]):
    """Texts as they stand in a file: few of them are ever asked for. A gap is the empty text."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, slice):
            return _Texts(self._column[rows])
        return self._column[rows].as_py() or ""


def _detail(number: int) -> Detail:
    ranks = []
    for _ in Detail._fields:
        number, rank = divmod(number, len(CLASSES))
        ranks.append(rank)
    return Detail(*reversed(ranks))


def _one_of(names: Any) -> str:
    return f"write one of {', '.join(names)}"


def _party(text: str) -> Party | None:
    return text if PARTY.fullmatch(text) else None


def _parties(joined: str) -> frozenset[Party]:
    return frozenset(joined.split(",")) - {""}


def _levels(joined: str) -> tuple[tuple[Policy, Level], ...] | None:
    """Sorted; `None` where a policy is there twice."""
    pairs = [text.split(":") for text in joined.split(",") if text]
    found = {policy: Level[level] for policy, level in pairs}
    return tuple(sorted(found.items())) if len(found) == len(pairs) else None

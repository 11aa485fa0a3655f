"""Reads a population table: a CSV or Parquet file, a row a person, a column an attribute.

What comes out holds no rows: for each value of each attribute the persons who have it, numbered anew in the
order of their values. So nothing tells who a person is, and the same rows in any order are the same table.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from tearline.terms import BadInput

MAX_ROWS = 10_000_000
MAX_COLUMNS = 100
MAX_VALUE = 200
"""Characters."""
_ATTRIBUTE = re.compile(r"[^\W_][\w -]{0,59}")
_NOT_IN_VALUES = frozenset("[];=")
"""What has a meaning in an annotation."""
_PART = 65_536
"""Rows that are read together."""
_WHO = "id"
"""The column that is left out: whatever a file calls its persons by."""


Parts = Iterator[Sequence[Sequence[str | None]]]
"""First the names of the columns, as one; then the cells of some rows after the other, column by column."""


class Table(msgspec.Struct, frozen=True):
    """A population as it is kept: the persons (0 to size - 1) of each value of each attribute."""

    size: int
    values: Mapping[str, Mapping[str, BitMap]]

    def digest(self, coarser: Mapping[str, str]) -> str:
        """SHA-256 of all that the table and its ladders say, hexadecimal."""
        classes = {
            attribute: {value: sha256(pack(persons)).hexdigest() for value, persons in of.items()}
            for attribute, of in self.values.items()
        }
        told = (self.size, dict(coarser), classes)
        return sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def pack(persons: BitMap) -> bytes:
    """The same bytes for the same persons."""
    compact = BitMap(persons)
    compact.run_optimize()
    return compact.serialize()


def unpack(data: bytes) -> BitMap:
    return BitMap.deserialize(data)


def read(path: Path) -> Table:
    """The table in a file whose name ends in `.csv` or `.parquet`.

    Raises `BadInput` with file, row (the first person's is 1) and column where it cannot be kept; what stands
    there is never shown.
    """
    readers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise BadInput(
            str(path), "", "its name ends neither in .csv nor in .parquet", "save it as one of these"
        )
    parts = readers[path.suffix.lower()](path)
    names = _attributes(next(parts)[0], str(path))
    columns = [None if name == _WHO else _Column(name, str(path)) for name in names]
    rows = 0
    for part in parts:
        for column, cells in zip(columns, part, strict=True):
            if column is not None:
                column.add(cells, rows)
        rows += len(part[0])
        if rows > MAX_ROWS:
            raise BadInput(str(path), f"row {rows}", f"there are more than {MAX_ROWS} persons")
    if not rows:
        raise BadInput(str(path), "", "it holds no persons", "give each a row")
    attributes = [column for column in columns if column is not None]
    codes = [column.codes() for column in attributes]
    order = np.lexsort(codes[::-1])
    return Table(
        rows, {each.name: each.classes(of[order]) for each, of in zip(attributes, codes, strict=True)}
    )


class _Column:
    """One attribute as it is read: a number for each person, that of the value; 0 where it is not known."""

    def __init__(self, name: str, where: str) -> None:
        self.name, self._where = name, where
        self._numbers = {"": 0}
        self._cells: dict[str | None, int] = {None: 0}
        self._read: list[NDArray[np.uint32]] = []

    def add(self, cells: Sequence[str | None], before: int) -> None:
        """The cells of the persons after the first `before`. Raises `BadInput`."""
        known = self._cells
        for number, cell in enumerate(cells, start=before + 1):
            if cell not in known:
                known[cell] = self._numbers.setdefault(self._value(cell or "", number), len(self._numbers))
        self._read.append(np.fromiter(map(known.__getitem__, cells), np.uint32, len(cells)))

    def _value(self, cell: str, row: int) -> str:
        value = _tidy(cell)
        if len(value) > MAX_VALUE or not value.isprintable() or not _NOT_IN_VALUES.isdisjoint(value):
            reason = f"the value is not one line of at most {MAX_VALUE} characters without [ ] ; ="
            raise BadInput(self._where, f"row {row}, column {self.name}", reason, "write it in another way")
        return value

    def codes(self) -> NDArray[np.uint32]:
        """A number for each person, in the order of the values.

        Raises `BadInput` where most of those with a value have one that nobody else has.
        """
        read = np.concatenate(self._read)
        self._read.clear()
        counts = np.bincount(read, minlength=len(self._numbers))[1:]
        persons, alone = int(counts.sum()), int((counts == 1).sum())
        if not persons:
            raise BadInput(self._where, f"column {self.name}", "nobody has a value", "leave the column out")
        if alone * 2 > persons:
            reason = (
                f"it identifies: of {persons} persons with a value, {alone} have one that nobody else has"
            )
            raise BadInput(
                self._where, f"column {self.name}", reason, "leave the column out, or make it coarser"
            )
        self._names = sorted(self._numbers)
        ranks = np.empty(len(self._names), np.uint32)
        ranks[[self._numbers[value] for value in self._names]] = np.arange(len(self._names))
        return ranks[read]

    def classes(self, codes: NDArray[np.uint32]) -> dict[str, BitMap]:
        """The persons of each value, where `codes` has the number of each of them."""
        order = np.argsort(codes, kind="stable").astype(np.uint32)
        ends = np.cumsum(np.bincount(codes, minlength=len(self._names)))[:-1]
        found = zip(self._names, np.split(order, ends), strict=True)
        return {value: BitMap(persons) for value, persons in found if value}


def _attributes(header: Sequence[str | None], where: str) -> list[str]:
    names = [_tidy(name or "").casefold() for name in header]
    for number, name in enumerate(names, start=1):
        place = f"column {number}"
        if _ATTRIBUTE.fullmatch(name) is None:
            reason = "its name is not one of letters, digits, spaces and hyphens"
            raise BadInput(where, place, reason, "name each column in the first line")
        if names.index(name) != number - 1:
            raise BadInput(where, place, f"there are two columns {name}", "give each a name of its own")
    attributes = len(set(names) - {_WHO})
    if not 0 < attributes <= MAX_COLUMNS:
        raise BadInput(where, "", f"it has {attributes} attributes", f"keep 1 to {MAX_COLUMNS}")
    return names


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _csv(path: Path) -> Parts:
    rows = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            header = next(reader, None)
            if header is None:
                raise BadInput(str(path), "", "it is empty", "begin with a line of column names")
            yield [header]
            while some := list(islice(reader, _PART)):
                for number, row in enumerate(some, start=rows + 1):
                    if len(row) != len(header):
                        reason = f"it has {len(row)} cells, not {len(header)}"
                        raise BadInput(str(path), f"row {number}", reason, "give each column a cell")
                rows += len(some)
                yield list(zip(*some, strict=True))
    except UnicodeDecodeError:
        raise BadInput(
            str(path), f"line {_not_utf8(path)}", "is not UTF-8", "save it as UTF-8 text"
        ) from None
    except csv.Error:  # its text is csv's own, but what it is about is not said
        raise BadInput(str(path), f"after row {rows}", "it is not sound CSV", "look at its quotes") from None


def _not_utf8(path: Path) -> int:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def _parquet(path: Path) -> Parts:
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra: weighs 50 MB, and a CSV file does without
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        remedy = "install tearline[analytics], or save the table as CSV"
        raise BadInput(str(path), "", "a Parquet file cannot be read here", remedy) from None
    try:
        with path.open("rb") as stream, pq.ParquetFile(stream) as file:
            names = file.schema_arrow.names
            yield [names]
            for part in file.iter_batches(_PART):
                columns = []
                for name, column in zip(names, part.columns, strict=True):
                    try:
                        columns.append(column.cast(pa.string()).to_pylist())
                    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                        reason = f"it is of the type {column.type}, which is no text"
                        raise BadInput(str(path), f"column {name}", reason, "save it as text") from None
                yield columns
    except pa.ArrowException:
        raise BadInput(str(path), "", "this is not a sound Parquet file", "write it again") from None

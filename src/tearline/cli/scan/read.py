"""Identities from CSV, documents from JSON lines; a bad line is reported and its neighbours are read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import msgspec

from tearline.scan import Identity, Kind
from tearline.terms import BadInput

MAX_LINE = 64 << 20
"""Bytes. A longer line is reported, and not held in memory."""
_NEEDED = ("id", "name", "kind")

Report = Callable[[BadInput], None]


class Lines:
    """The lines of a stream, a line at a time. What cannot be a line of UTF-8 is reported and left out."""

    def __init__(self, stream: BinaryIO, where: str, report: Report) -> None:
        self.where, self.read, self._stream, self._report = where, 0, stream, report
        self.number = 0

    def bad(self, reason: str, remedy: str) -> None:
        self._report(BadInput(self.where, f"line {self.number}", reason, remedy))

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            self.number += 1
            if len(line) > MAX_LINE:
                self.bad(f"it is longer than {MAX_LINE >> 20} MiB", "split the document")
                while line and not line.endswith(b"\n"):
                    line = self._next()
                continue
            try:
                text = line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                self.bad(f"byte {error.start + 1} is not UTF-8", "save the file as UTF-8")
                continue
            if text := text.strip():
                yield text

    def _next(self) -> bytes:
        line = self._stream.readline(MAX_LINE + 1)
        self.read += len(line)
        return line


def identities_of(lines: Lines) -> Iterator[tuple[int, Identity]]:
    """(line, identity) of a CSV file, a row a line: an open quotation mark cannot swallow the rows after it.

    Raises BadInput if a column is missing.
    """
    columns: dict[str, int] | None = None
    for line in lines:
        try:
            row = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error:
            lines.bad(
                "this is not one row of CSV", "close the quotation marks, and write each row on one line"
            )
            continue
        if columns is None:
            columns = _columns(row, lines.where)
            continue
        cells = {name: row[at] for name, at in columns.items() if at < len(row)}
        missing = [name for name in _NEEDED if not cells.get(name)]
        if missing:
            lines.bad(f"there is no {' and no '.join(missing)}", "fill in id, name and kind")
        elif cells["kind"].lower() not in set(Kind):
            lines.bad("the kind is unknown", f"use one of {', '.join(Kind)}")
        else:
            kind = Kind(cells["kind"].lower())
            yield lines.number, Identity(cells["id"], cells["name"], kind, cells.get("lang", "").lower())


def _columns(row: list[str], where: str) -> dict[str, int]:
    names = [cell.lower() for cell in row]
    for name in _NEEDED:
        if names.count(name) != 1:
            reason = f"the first line does not name one column {name!r}"
            raise BadInput(where, "line 1", reason, "begin the file with the line id,name,kind,lang")
    return {name: names.index(name) for name in (*_NEEDED, "lang") if name in names}


class Document(msgspec.Struct):
    doc: int | str
    text: str


class Read(NamedTuple):
    line: int
    document: Document


def documents_of(lines: Lines) -> Iterator[Read]:
    decode = msgspec.json.Decoder(Document).decode
    for line in lines:
        try:
            yield Read(lines.number, decode(line))
        except msgspec.ValidationError:
            lines.bad("this is not a document", 'write {"doc": a string or an integer, "text": a string}')
        except (msgspec.DecodeError, RecursionError):
            lines.bad("this is not JSON", "write one JSON object on each line")

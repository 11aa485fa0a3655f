"""What the scanner is told to look for: a source's identity rows, put together as texts put them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tearline.scan import Identity, Kind
from tearline.vault.source import Row, RowKind, Source

_SAME = {RowKind(kind): kind for kind in Kind}
"""The kinds that vault and scanner share."""


def identities(source: Source) -> Iterator[Identity]:
    """The scanner's rows for one source, under its cryptonym. Birth dates are not among them: see `birth`."""
    for row in source.rows:
        if row.kind in _SAME:
            yield Identity(source.cryptonym, row.text, _SAME[row.kind], row.lang)
        elif row.kind is RowKind.NICKNAME:
            yield Identity(source.cryptonym, row.text, Kind.ALIAS, row.lang)
        elif row.kind is RowKind.PATRONYMIC:
            for text in _with_patronymic(row, source.rows):
                yield Identity(source.cryptonym, text, Kind.PERSON, row.lang)


def _with_patronymic(patronymic: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A patronymic alone names half a country; beside a part of the name it names one person.

    Which of two parts is the given name is not told, so both stand before it: "Given Patronymic" is the
    polite address, and the other is written by nobody else.
    """
    for row in rows:
        parts = row.text.split()
        if row.kind is RowKind.PERSON and len(parts) == 2 and row.lang == patronymic.lang:
            yield f"{parts[0]} {patronymic.text} {parts[1]}"
            yield from (f"{part} {patronymic.text}" for part in parts)

"""The words of every product, in a SQLite file of their own (FTS5), and which products bear which marks.

A row a product holds its texts. A mark (a topic, a region, an originator ...) is a row with the set of the
products that bear it, packed as a Roaring bitmap: so what is found is counted by its marks without a look at
the products. All of it can be made again from `node.db`: nothing waits for the disk, and after a crash `last`
tells whether the index is ahead. It holds what products say; the file is as private as `node.db`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import msgspec
from pyroaring import BitMap
from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text

from tearline.adapters.database import FILES, Disk, soon_durable
from tearline.adapters.prepared import driver

VERSION = 1
"""Of what is put into the index: what another version put there is thrown away."""
SNIPPET = 24
"""Words of a text that are shown around what was found."""
_METADATA = MetaData()
_ITEM = Table(
    "item",
    _METADATA,
    Column("seq", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("created", Text, nullable=False, index=True),
    Column("open", Integer, nullable=False),
)
_MARK = Table(
    "mark",
    _METADATA,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("items", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
_TEXT = """CREATE VIRTUAL TABLE IF NOT EXISTS text USING
 fts5(title, body, tokenize = 'unicode61 remove_diacritics 2', prefix = '3')"""
_FIT = "bm25(text, 4.0, 1.0)"
"""A word in the title weighs as four in the body."""
_ON, _OFF = "\x02", "\x03"
_BREAKS = str.maketrans({_ON: " ", _OFF: " ", "\0": " "})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A product to be found. `number`: by which the node knows it. `settled`: whether it can still change."""

    number: int
    digest: str
    title: str
    body: str
    created: str
    """RFC 3339, UTC: sorts as it reads."""
    marks: frozenset[tuple[str, str]]
    """(kind, value)."""
    settled: bool = True


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for. `marks`: all of them. `since`, `until`: of `created`, the latter excluded."""

    words: tuple[str, str] = ("", "")
    """As `expression` makes it."""
    marks: tuple[tuple[str, str], ...] = ()
    since: str | None = None
    until: str | None = None
    newest: bool = False
    """The newest first; else, where words are asked for, those that fit best."""
    offset: int = 0
    limit: int = 20


class Piece(msgspec.Struct, frozen=True):
    """A part of a text; `found`: whether it is what was asked for."""

    text: str
    found: bool = False


class Found(msgspec.Struct, frozen=True):
    """A page of what was found: number, title and snippet of each; how many there are in all, and how many of
    those bear each mark, by its kind."""

    rows: tuple[tuple[int, tuple[Piece, ...], tuple[Piece, ...]], ...]
    total: int
    marks: Mapping[str, Mapping[str, int]]


class Search:
    """The index in the file at `path`, made if absent."""

    def __init__(self, path: Path, *, disk: Disk = FILES) -> None:
        """Raises `BadInput` where `path` is no such file, `Broken` where it is damaged."""
        self._engine = disk.open(path, metadata=_METADATA)
        with self._engine.begin() as db:
            driver(db).execute(_TEXT)
            (held,) = driver(db).execute("PRAGMA user_version").fetchone()
            if held != VERSION:
                _clear(db)
                driver(db).execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        self._engine.dispose()

    def last(self) -> tuple[int, str]:
        """Number and digest of the newest product in it; (0, "") where there is none."""
        with self._engine.connect() as db:
            row = driver(db).execute("SELECT seq, digest FROM item ORDER BY seq DESC LIMIT 1").fetchone()
            return (0, "") if row is None else (row[0], row[1])

    def unsettled(self) -> frozenset[int]:
        """Those that can still change."""
        with self._engine.connect() as db:
            return frozenset(n for (n,) in driver(db).execute("SELECT seq FROM item WHERE open = 1"))

    def clear(self) -> None:
        """Forget everything."""
        with soon_durable(self._engine) as db:
            _clear(db)

    def put(self, entries: Collection[Entry]) -> None:
        """Add products, or put them in the place of what they were."""
        with soon_durable(self._engine) as db:
            _put(db, entries)

    def find(self, wanted: Wanted) -> Found:
        """What is there of what is wanted. Never an error of syntax, whatever was typed."""
        with self._engine.connect() as db, db.begin():
            marks = {
                (kind, value): BitMap.deserialize(items)
                for kind, value, items in driver(db).execute("SELECT kind, value, items FROM mark")
            }
            found = _meant(db, wanted, marks)
            counts: dict[str, dict[str, int]] = {}
            for (kind, value), items in marks.items():
                if count := items.intersection_cardinality(found):
                    counts.setdefault(kind, {})[value] = count
            rows = tuple(_page(db, wanted, found))
        return Found(rows, len(found), counts)


def _clear(db: Connection) -> None:
    for table in ("item", "mark", "text"):
        driver(db).execute(f"DELETE FROM {table}")  # noqa: S608


def _put(db: Connection, entries: Collection[Entry]) -> None:
    run = driver(db)
    numbers = [each.number for each in entries]
    for table, key in (("item", "seq"), ("text", "rowid")):
        run.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(n,) for n in numbers])  # noqa: S608
    run.executemany(
        "INSERT INTO item (seq, digest, created, open) VALUES (?, ?, ?, ?)",
        [(each.number, each.digest, each.created, not each.settled) for each in entries],
    )
    run.executemany(
        "INSERT INTO text (rowid, title, body) VALUES (?, ?, ?)",
        [(each.number, each.title.translate(_BREAKS), each.body.translate(_BREAKS)) for each in entries],
    )
    gone, borne = BitMap(numbers), dict[tuple[str, str], BitMap]()
    for each in entries:
        for mark in each.marks:
            borne.setdefault(mark, BitMap()).add(each.number)
    for kind, value, items in run.execute("SELECT kind, value, items FROM mark").fetchall():
        before = BitMap.deserialize(items)
        after = (before - gone) | borne.pop((kind, value), BitMap())
        if after != before:
            run.execute(
                "UPDATE mark SET items = ? WHERE kind = ? AND value = ?", (after.serialize(), kind, value)
            )
    run.executemany(
        "INSERT INTO mark (kind, value, items) VALUES (?, ?, ?)",
        [(kind, value, items.serialize()) for (kind, value), items in borne.items()],
    )


def _meant(db: Connection, wanted: Wanted, marks: Mapping[tuple[str, str], BitMap]) -> BitMap:
    """All that is meant, whatever the page."""
    run = driver(db)
    with_words, without = wanted.words
    sets = [marks.get(mark, BitMap()) for mark in wanted.marks]
    if with_words:
        sets.append(_numbers(run.execute("SELECT rowid FROM text WHERE text MATCH ?", (with_words,))))
    if wanted.since is not None or wanted.until is not None or not sets:
        span = (wanted.since or "", wanted.until or "~")
        sets.append(
            _numbers(run.execute("SELECT seq FROM item WHERE created >= ? AND created < ?", span))
            if span != ("", "~")
            else _numbers(run.execute("SELECT seq FROM item"))
        )
    found = reduce(and_, sets)
    if without:
        found -= _numbers(run.execute("SELECT rowid FROM text WHERE text MATCH ?", (without,)))
    return found


def _numbers(rows: Iterable[Sequence[Any]]) -> BitMap:
    return BitMap([row[0] for row in rows])


def _page(
    db: Connection, wanted: Wanted, found: BitMap
) -> Iterable[tuple[int, tuple[Piece, ...], tuple[Piece, ...]]]:
    run, first, last = driver(db), wanted.offset, wanted.offset + wanted.limit
    words = wanted.words[0]
    if words and not wanted.newest:
        ranked = run.execute(
            f"SELECT rowid FROM text WHERE text MATCH ? ORDER BY {_FIT}",  # noqa: S608
            (words,),
        )
        numbers = [number for (number,) in ranked if number in found][first:last]
    else:
        numbers = list(found[max(len(found) - last, 0) : max(len(found) - first, 0)])[::-1]
    said = (
        f"highlight(text, 0, '{_ON}', '{_OFF}'), snippet(text, 1, '{_ON}', '{_OFF}', '…', {SNIPPET})"
        if words
        else "title, substr(body, 1, 200)"
    )
    matching = "text MATCH ? AND" if words else ""
    for number in numbers:
        values = (words, number) if words else (number,)
        title, snippet = run.execute(
            f"SELECT {said} FROM text WHERE {matching} rowid = ?",  # noqa: S608
            values,
        ).fetchone()
        yield number, _pieces(title), _pieces(snippet)


def _pieces(text: str) -> tuple[Piece, ...]:
    """A text with what was found in it marked: as parts, so that nothing of it can be taken for markup."""
    pieces = []
    for part in text.split(_ON):
        found, between, rest = part.partition(_OFF)
        pieces += [Piece(found, True), Piece(rest)] if between else [Piece(found)]
    return tuple(each for each in pieces if each.text)

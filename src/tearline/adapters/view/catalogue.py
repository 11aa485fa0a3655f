"""The pictures and recordings that stand in `out`, kept so that `search` finds them by place and time.

A scene belongs to a release, and comes to light in two steps. It is put here when the release is sealed, and
*opened* when the partner first asks the catalogue for anything: the release counts as served then (law 7),
and is never held back again. All that is read, counted and measured was opened, and what was not is in none
of the indexes that are read; so what is held back leaves no trace, and takes no time (law 5).

There is an R*Tree of each collection. Times are microseconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson
from sqlalchemy import DDL, Column, Float, Index, Integer, LargeBinary, String, Table, event

from tearline.adapters.view import held_back, previews
from tearline.adapters.view.collection import metadata
from tearline.adapters.view.pages import FOREVER
from tearline.terms import Box

COLLECTIONS = ("imagery", "signals")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOWHERE = 1000.0
"""In an R*Tree: where a scene without a place stands."""
TEN_DAYS = 864e9
"""What is one in an R*Tree: so a few years are as long as a continent is wide, and it divides by both. Every
time lasts a little there: what has no volume it divides badly."""
_BATCH = 10_000
"""Scenes opened in one transaction."""

_scene = Table(
    "scene",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("release", String, nullable=False, unique=True),
    Column("added", Integer),  # as in `out`; none while it is held back
    Column("opened", Integer, nullable=False),
    Column("id", String, nullable=False),
    Column("collection", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    *(Column(side, Float) for side in Box.__struct_fields__),
)
_row = _scene.c
_seen = _row.opened == 1
Index("scene_id", _row.id, sqlite_where=_seen)
Index("scene_fresh", _row.added, sqlite_where=_row.opened == 0)
Index(
    "scene_order",
    *(_row.start, _row.added, _row.stop, _row.collection, _row.west, _row.south, _row.east, _row.north),
    sqlite_where=_seen,
)
Index("scene_start", _row.collection, _row.start, _row.added, sqlite_where=_seen)
for _edge in ("stop", *Box.__struct_fields__):
    Index(f"scene_{_edge}", _row.collection, _row[_edge], sqlite_where=_seen)
Table(
    "scene_item",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("item", LargeBinary, nullable=False),
)
for _name in COLLECTIONS:
    event.listen(
        _scene,
        "after_create",
        DDL(f"CREATE VIRTUAL TABLE place_of_{_name} USING rtree (seq, w, e, s, n, start, stop)"),  # type: ignore[no-untyped-call]
    )


class Scene(Protocol):
    """What is put into the catalogue: `tearline.deliver.scene.Scene`."""

    @property
    def id(self) -> str: ...

    @property
    def collection(self) -> str: ...

    @property
    def box(self) -> Box | None: ...

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...

    @property
    def item(self) -> Mapping[str, Any]: ...


def add(db: sqlite3.Connection, release: str, scene: Scene) -> None:
    """Put in the scene of a release that stands in `out` already."""
    shelf = COLLECTIONS.index(scene.collection)
    start, stop = _micros(scene.start), _micros(scene.end)
    box = scene.box
    sides = (None,) * 4 if box is None else (box.west, box.south, box.east, box.north)
    insert = (
        "INSERT INTO scene (release, added, opened, id, collection, start, stop, west, south, east, north) "
        'SELECT release, added, 0, ?, ?, ?, ?, ?, ?, ?, ? FROM "out" WHERE release = ? RETURNING seq'
    )
    (seq,) = db.execute(insert, (scene.id, shelf, start, stop, *sides, release)).fetchone()
    db.execute("INSERT INTO scene_item VALUES (?, ?)", (seq, orjson.dumps(scene.item)))


def remove(db: sqlite3.Connection, releases: Sequence[str]) -> None:
    """Take the scenes of these releases out for good."""
    query = "SELECT seq FROM scene WHERE release IN (SELECT value FROM json_each(?))"
    _drop(db, [row[0] for row in db.execute(query, (_json(releases),))])


def follow(db: sqlite3.Connection, releases: Sequence[str]) -> None:
    """Of these releases some went out of `out`, or came back into it: their scenes with them."""
    db.execute(
        'UPDATE scene SET added = (SELECT added FROM "out" WHERE "out".release = scene.release) '
        "WHERE opened = 0 AND release IN (SELECT value FROM json_each(?))",
        (_json(releases),),
    )


def any_fresh(db: sqlite3.Connection, before: int) -> bool:
    """Whether something that was added before `before` has not been opened."""
    query = "SELECT 1 FROM scene WHERE opened = 0 AND added < ? LIMIT 1"
    return db.execute(query, (before,)).fetchone() is not None


def open_fresh(db: sqlite3.Connection, before: int) -> None:
    """Open what was added before `before`, up to `_BATCH` of it: it counts as served. Of an object the newest
    version stays."""
    query = "SELECT seq, added FROM scene WHERE opened = 0 AND added < ? ORDER BY added LIMIT ?"
    fresh = db.execute(query, (before, _BATCH)).fetchall()
    held_back.mark_served(db, [added for _, added in fresh])
    some = (_json([seq for seq, _ in fresh]),)
    among = "seq IN (SELECT value FROM json_each(?))"
    db.execute(f"UPDATE scene SET opened = 1 WHERE {among}", some)  # noqa: S608 - of ours
    older = (
        "SELECT old.seq FROM scene AS new JOIN scene AS old ON old.id = new.id AND old.added < new.added "  # noqa: S608
        f"WHERE new.{among} AND old.opened = 1"
    )
    sides = ", ".join(f"coalesce({side}, {_NOWHERE})" for side in ("west", "east", "south", "north"))
    for shelf, name in enumerate(COLLECTIONS):
        db.execute(
            f"INSERT INTO place_of_{name} SELECT seq, {sides}, start / {TEN_DAYS}, stop / {TEN_DAYS} + 0.1 "  # noqa: S608
            f"FROM scene WHERE collection = {shelf} AND {among}",
            some,
        )
    _drop(db, [row[0] for row in db.execute(older, some)])


def given(db: sqlite3.Connection) -> list[bytes]:
    """The items of all that is here and not held back, oldest first."""
    query = (
        "SELECT seq, item FROM scene JOIN scene_item USING (seq) WHERE added IS NOT NULL ORDER BY start, seq"
    )
    rows = db.execute(query).fetchall()
    return previews.shown(db, [row[0] for row in rows], [bytes(row[1]) for row in rows], FOREVER)


def _drop(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    rows = [(seq,) for seq in seqs]
    for table in ("scene", "scene_item", *(f"place_of_{name}" for name in COLLECTIONS)):
        db.executemany(f"DELETE FROM {table} WHERE seq = ?", rows)  # noqa: S608 - of ours


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _json(values: Sequence[int | str]) -> str:
    return orjson.dumps(list(values)).decode()

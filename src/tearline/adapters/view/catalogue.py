"""The pictures and recordings that stand in `out`, as a catalogue that is searched by place and time.

A scene belongs to a release, and comes to light in two steps. It is put here when the release is sealed, and
*opened* when the partner first asks the catalogue for anything: the release counts as served then (law 7),
and is never held back again. All that is read here, counted and measured was opened, so what is held back
leaves no trace (law 5).

An R*Tree narrows by place, time and collection at once. Its coordinates are 32-bit and rounded outward, so
what it finds is compared exactly afterwards. Where it finds too much to sort, the rows are read in the order
of the answer instead, until a page is full; then nobody counts how many there are.

Newest first: by the beginning of the time, then by the date-added. Times are microseconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import DDL, Column, Float, Index, Integer, LargeBinary, String, Table, event

from tearline.adapters.view import held_back
from tearline.adapters.view.collection import metadata
from tearline.adapters.view.pages import FOREVER
from tearline.terms import Box

MOST = 1000
"""So many matches are counted and sorted; of more only the page that is asked for is looked for."""
COLLECTIONS = ("imagery", "signals")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000_000.0
_NOWHERE, _APART = 1000.0, 1000.0
"""In the R*Tree: where a scene without a place stands, and how far collections stand from each other."""
_STEP = 256

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
Index("scene_id", _row.id)
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
event.listen(
    _scene,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE VIRTUAL TABLE scene_place USING rtree (seq, w, e, s, n, start, stop, first, last)"
    ),
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


class Wanted(Protocol):
    """What is searched for; `None` is no filter. Times include their ends."""

    @property
    def boxes(self) -> Sequence[Box] | None:
        """It touches one of these."""

    @property
    def touches(self) -> Callable[[Sequence[Sequence[float]]], Sequence[bool]] | None:
        """Which boxes (west, south, east, north) are wanted; asked only of those that are in `boxes`."""

    @property
    def since(self) -> int | None: ...

    @property
    def until(self) -> int | None: ...

    @property
    def ids(self) -> Sequence[str] | None: ...

    @property
    def collections(self) -> Sequence[str] | None: ...


class Place(NamedTuple):
    """Where a scene stands in the order: after this the next page begins."""

    start: int
    added: int


class Found(NamedTuple):
    """A page of items; where it ends, if there are more; and how many there are, if they were counted."""

    items: list[bytes]
    next: Place | None
    matched: int | None


class Extent(NamedTuple):
    """What all of a collection lies within; `None` where there is nothing that has a place, or a time."""

    box: Box | None
    times: tuple[int, int] | None


# --- writing -------------------------------------------------------------------------------------


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
    x = (_NOWHERE, _NOWHERE) if box is None else (box.west, box.east)
    y = (_NOWHERE, _NOWHERE) if box is None else (box.south, box.north)
    place = (seq, *x, *y, start / _DAY, stop / _DAY, shelf * _APART, shelf * _APART)
    db.execute("INSERT INTO scene_place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", place)


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
    """Open all that was added before `before`: it counts as served. Of an object the newest version stays."""
    query = "SELECT seq, added FROM scene WHERE opened = 0 AND added < ? ORDER BY added"
    fresh = db.execute(query, (before,)).fetchall()
    held_back.mark_served(db, [added for _, added in fresh])
    some = _json([seq for seq, _ in fresh])
    db.execute("UPDATE scene SET opened = 1 WHERE seq IN (SELECT value FROM json_each(?))", (some,))
    older = (
        "SELECT old.seq FROM scene AS new JOIN scene AS old ON old.id = new.id AND old.added < new.added "
        "WHERE new.seq IN (SELECT value FROM json_each(?)) AND old.opened = 1"
    )
    _drop(db, [row[0] for row in db.execute(older, (some,))])


def _drop(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    rows = [(seq,) for seq in seqs]
    for table in ("scene", "scene_item", "scene_place"):
        db.executemany(f"DELETE FROM {table} WHERE seq = ?", rows)  # noqa: S608 - of ours


# --- reading -------------------------------------------------------------------------------------


class Scenes:
    """What was opened, in one moment. See `View.scenes`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def search(self, wanted: Wanted, after: Place | None, limit: int) -> Found:
        """The first `limit` scenes after `after` that are wanted."""
        rows = _all(self._db, wanted)
        if rows is None:
            page, matched = _in_order(self._db, wanted, after, limit + 1), None
        else:
            rows.sort(key=lambda row: row[1:3], reverse=True)
            matched = len(rows)
            page = [row for row in rows if after is None or row[1:3] < after][: limit + 1]
        more = len(page) > limit
        del page[limit:]
        return Found(_items(self._db, page), Place(*page[-1][1:3]) if more else None, matched)

    def item(self, collection: str, name: str) -> bytes | None:
        """The item with this id, where it is in that collection."""
        query = (
            "SELECT item FROM scene JOIN scene_item USING (seq) WHERE opened AND collection = ? AND id = ?"
        )
        row = self._db.execute(query, (COLLECTIONS.index(collection), name)).fetchone()
        return None if row is None else bytes(row[0])

    def extent(self, collection: str) -> Extent:
        """What the collection lies within."""
        shelf = COLLECTIONS.index(collection)

        def edge(side: str, order: str) -> Any:
            query = (
                f"SELECT {side} FROM scene WHERE opened = 1 AND collection = ? AND {side} IS NOT NULL "  # noqa: S608
                f"ORDER BY {side} {order} LIMIT 1"
            )
            row = self._db.execute(query, (shelf,)).fetchone()
            return None if row is None else row[0]

        west = edge("west", "ASC")
        box = (
            west
            if west is None
            else Box(west, edge("south", "ASC"), edge("east", "DESC"), edge("north", "DESC"))
        )
        start = edge("start", "ASC")
        return Extent(box, start if start is None else (start, edge("stop", "DESC")))

    def next_start(self, collection: str, before: int | None) -> int | None:
        """The latest beginning of a scene of the collection, before `before` if that is given."""
        query = "SELECT max(start) FROM scene WHERE opened = 1 AND collection = ? AND start < ?"
        values = COLLECTIONS.index(collection), FOREVER if before is None else before
        (start,) = self._db.execute(query, values).fetchone()
        return None if start is None else int(start)

    def begun(self, collection: str, since: int, before: Place, limit: int) -> list[tuple[Place, str]]:
        """(place, id) of scenes of the collection that begin at `since` or later, the first `limit` after
        `before`."""
        query = (
            "SELECT start, added, id FROM scene WHERE opened = 1 AND collection = ? AND start >= ? "
            "AND (start, added) < (?, ?) ORDER BY start DESC, added DESC LIMIT ?"
        )
        rows = self._db.execute(query, (COLLECTIONS.index(collection), since, *before, limit))
        return [(Place(start, added), name) for start, added, name in rows]


_Row = tuple[Any, ...]
"""`seq`, `start`, `added`, and the box."""
_COLUMNS = "s.seq, s.start, s.added, s.west, s.south, s.east, s.north"


def _all(db: sqlite3.Connection, wanted: Wanted) -> list[_Row] | None:
    """All that is wanted; `None` where it may be more than `MOST`."""
    conditions, values = _conditions(wanted)
    if wanted.ids is not None:
        conditions += " AND s.id IN (SELECT value FROM json_each(?))"
        named = f"SELECT {_COLUMNS} FROM scene AS s WHERE {conditions}"  # noqa: S608
        return list(_touching(wanted, db.execute(named, (*values, _json(wanted.ids))).fetchall()))
    rows: dict[int, _Row] = {}
    for places, bounds in _places(wanted):
        query = (
            f"SELECT {_COLUMNS} FROM scene_place AS p CROSS JOIN scene AS s USING (seq) "  # noqa: S608
            f"WHERE {places} AND {conditions} LIMIT ?"
        )
        rows |= {row[0]: row for row in db.execute(query, (*bounds, *values, MOST + 1))}
        if len(rows) > MOST:
            return None
    return list(_touching(wanted, list(rows.values())))


def _in_order(db: sqlite3.Connection, wanted: Wanted, after: Place | None, limit: int) -> list[_Row]:
    conditions, values = _conditions(wanted)
    if after is not None:
        conditions += " AND (s.start, s.added) < (?, ?)"
        values = (*values, *after)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM scene AS s INDEXED BY scene_order "  # noqa: S608
        f"WHERE {conditions} ORDER BY s.start DESC, s.added DESC",
        values,
    )
    page: list[_Row] = []
    while len(page) < limit and (some := rows.fetchmany(_STEP)):
        page += _touching(wanted, some)
    return page[:limit]


def _touching(wanted: Wanted, rows: Sequence[_Row]) -> Iterable[_Row]:
    if wanted.touches is None or not rows:
        return rows
    return (row for row, fits in zip(rows, wanted.touches([row[3:] for row in rows]), strict=True) if fits)


def _conditions(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """What a row has to fulfil, exactly, but for `ids` and `touches`."""
    conditions = ["s.opened = 1"]
    values: list[float] = []
    if wanted.since is not None:
        conditions.append("s.stop >= ?")
        values.append(wanted.since)
    if wanted.until is not None:
        conditions.append("s.start <= ?")
        values.append(wanted.until)
    if wanted.collections is not None:
        known = [str(COLLECTIONS.index(name)) for name in wanted.collections if name in COLLECTIONS]
        conditions.append(f"s.collection IN ({', '.join(known)})")
    if wanted.boxes is not None:
        inside = "(s.west <= ? AND s.east >= ? AND s.south <= ? AND s.north >= ?)"
        conditions.append(f"({' OR '.join([inside] * len(wanted.boxes))})")
        values += [side for box in wanted.boxes for side in (box.east, box.west, box.north, box.south)]
    return " AND ".join(conditions), tuple(values)


def _places(wanted: Wanted) -> Iterator[tuple[str, tuple[float, ...]]]:
    """What to ask the R*Tree, one after the other."""
    common: list[tuple[str, float]] = []
    if wanted.since is not None:
        common.append(("p.stop >= ?", wanted.since / _DAY))
    if wanted.until is not None:
        common.append(("p.start <= ?", wanted.until / _DAY))
    if wanted.collections is not None:
        known = [COLLECTIONS.index(name) * _APART for name in wanted.collections if name in COLLECTIONS]
        if not known:
            return
        common += [("p.last >= ?", min(known)), ("p.first <= ?", max(known))]
    for box in wanted.boxes or (None,):
        bounds = list(common)
        if box is not None:
            bounds += [("p.w <= ?", box.east), ("p.e >= ?", box.west)]
            bounds += [("p.s <= ?", box.north), ("p.n >= ?", box.south)]
        conditions = " AND ".join(condition for condition, _ in bounds) or "1"
        yield conditions, tuple(value for _, value in bounds)


def _items(db: sqlite3.Connection, rows: Sequence[_Row]) -> list[bytes]:
    query = "SELECT seq, item FROM scene_item WHERE seq IN (SELECT value FROM json_each(?))"
    held = {seq: bytes(body) for seq, body in db.execute(query, (_json([row[0] for row in rows]),))}
    return [held[row[0]] for row in rows]


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _json(values: Sequence[int | str]) -> str:
    return orjson.dumps(list(values)).decode()

"""Searches the catalogue of a view by place and time; see `catalogue` for what is in it.

An R*Tree narrows by place and time at once. Its coordinates are 32-bit and rounded outward, so what it finds
is compared exactly afterwards. Where it finds too much to sort, the rows are read in the order of the answer
instead, until a page is full; then nobody counts how many there are. Statements name their index, so that no
guess of a planner can make them cost more.

Newest first: by the beginning of the time, then by the date-added.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, Protocol

import orjson

from tearline.adapters.view import previews
from tearline.adapters.view.catalogue import COLLECTIONS, TEN_DAYS
from tearline.adapters.view.pages import FOREVER
from tearline.terms import Box

MOST = 500
"""So many matches are counted and sorted; of more only the page that is asked for is looked for."""
_STEP = 256


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


class Scenes:
    """What was opened, in one moment. See `View.scenes`."""

    def __init__(self, db: sqlite3.Connection, now: int = FOREVER) -> None:
        """`now`: microseconds since 1970; what shows later is left out."""
        self._db, self._now = db, now

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
        items = _items(self._db, page, self._now)
        return Found(items, Place(*page[-1][1:3]) if more else None, matched)

    def item(self, collection: str, name: str) -> bytes | None:
        """The item with this id, where it is in that collection."""
        query = "SELECT seq FROM scene INDEXED BY scene_id WHERE opened = 1 AND collection = ? AND id = ?"
        row = self._db.execute(query, (COLLECTIONS.index(collection), name)).fetchone()
        return None if row is None else _items(self._db, [row], self._now)[0]

    def extent(self, collection: str) -> Extent:
        """What the collection lies within."""
        shelf = COLLECTIONS.index(collection)

        def edge(side: str, order: str) -> Any:
            query = (
                f"SELECT {side} FROM scene INDEXED BY scene_{side} "  # noqa: S608
                f"WHERE opened = 1 AND collection = ? AND {side} IS NOT NULL ORDER BY {side} {order} LIMIT 1"
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
        query = (
            "SELECT max(start) FROM scene INDEXED BY scene_start "
            "WHERE opened = 1 AND collection = ? AND start < ?"
        )
        values = COLLECTIONS.index(collection), FOREVER if before is None else before
        (start,) = self._db.execute(query, values).fetchone()
        return None if start is None else int(start)

    def begun(self, collection: str, since: int, before: Place, limit: int) -> list[tuple[Place, str]]:
        """(place, id) of scenes of the collection that begin at `since` or later, the first `limit` after
        `before`."""
        query = (
            "SELECT start, added, id FROM scene INDEXED BY scene_start "
            "WHERE opened = 1 AND collection = ? AND start >= ? AND (start, added) < (?, ?) "
            "ORDER BY start DESC, added DESC LIMIT ?"
        )
        rows = self._db.execute(query, (COLLECTIONS.index(collection), since, *before, limit))
        return [(Place(start, added), name) for start, added, name in rows]


_Row = tuple[Any, ...]
"""`seq`, `start`, `added`, and the box."""
_COLUMNS = "s.seq, s.start, s.added, s.west, s.south, s.east, s.north"


def _all(db: sqlite3.Connection, wanted: Wanted) -> list[_Row] | None:
    """All that is wanted; `None` where it may be more than `MOST`."""
    if wanted.collections is not None and not set(wanted.collections) & set(COLLECTIONS):
        return []
    conditions, values = _conditions(wanted)
    if wanted.ids is not None:
        index, among, some = "INDEXED BY scene_id", "s.id", _json(wanted.ids)
    else:
        near: set[int] = set()
        for name, places, bounds in _places(wanted):
            query = f"SELECT seq FROM place_of_{name} AS p WHERE {places} LIMIT ?"  # noqa: S608
            near.update(row[0] for row in db.execute(query, (*bounds, MOST + 1)))
            if len(near) > MOST:
                return None
        index, among, some = "NOT INDEXED", "s.seq", _json(list(near))
    query = (
        f"SELECT {_COLUMNS} FROM scene AS s {index} "  # noqa: S608
        f"WHERE {conditions} AND {among} IN (SELECT value FROM json_each(?))"
    )
    return list(_touching(wanted, db.execute(query, (*values, some)).fetchall()))


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


def _places(wanted: Wanted) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """What to ask which R*Tree, one after the other: (collection, conditions, values)."""
    times: list[tuple[str, float]] = []
    if wanted.since is not None:
        times.append(("p.stop >= ?", wanted.since / TEN_DAYS))
    if wanted.until is not None:
        times.append(("p.start <= ?", wanted.until / TEN_DAYS))
    names = COLLECTIONS if wanted.collections is None else wanted.collections
    for name, box in product([name for name in COLLECTIONS if name in names], wanted.boxes or (None,)):
        bounds = list(times)
        if box is not None:
            bounds += [("p.w <= ?", box.east), ("p.e >= ?", box.west)]
            bounds += [("p.s <= ?", box.north), ("p.n >= ?", box.south)]
        conditions = " AND ".join(condition for condition, _ in bounds) or "1"
        yield name, conditions, tuple(value for _, value in bounds)


def _items(db: sqlite3.Connection, rows: Sequence[_Row], now: int) -> list[bytes]:
    query = "SELECT seq, item FROM scene_item WHERE seq IN (SELECT value FROM json_each(?))"
    seqs = [row[0] for row in rows]
    held = {seq: bytes(body) for seq, body in db.execute(query, (_json(seqs),))}
    return previews.shown(db, seqs, [held[seq] for seq in seqs], now)


def _json(values: Sequence[int | str]) -> str:
    return orjson.dumps(list(values)).decode()

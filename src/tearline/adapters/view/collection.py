"""One collection of STIX objects: what is added to it and removed from it.

An object's row is found by its date-added, in microseconds since 1970, which rises strictly within a
collection, also when the clock stands still or is set back.

`newest` and `oldest` are kept as versions come and go: 2 where a row is the newest (oldest) version of its
object, 1 where it is that among those of its `spec_version` only, else 0.

Of `out`, the rows that never went out are in a table beside it: see `held_back`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from tearline.adapters.view import pages
from tearline.adapters.view.pages import SPEC_VERSIONS, Match, Record
from tearline.terms import Broken

metadata = MetaData()

_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?Z")

Table(
    "clock",
    metadata,
    Column("collection", String, primary_key=True),
    Column("last", Integer, nullable=False),
)
Table(
    "kind",
    metadata,
    Column("kind", Integer, primary_key=True),
    Column("collection", String, nullable=False),
    Column("type", String, nullable=False),
    Column("spec_version", String, nullable=False),
    Index("kind_names", "collection", "type", "spec_version", unique=True),
)


class Item(NamedTuple):
    """An object to add.

    `release` is the release id; `None` for what a partner gave, and for what a release only refers to.
    `version` is an RFC 3339 time in UTC; `None` where the object has none: its date-added is its version.
    """

    release: str | None
    id: str
    type: str
    version: str | None
    spec_version: str
    body: bytes


class Added(NamedTuple):
    """What became of an `Item`: `added`, `held` already, or a `conflict` with other content held."""

    version: str
    became: str


class _Held(NamedTuple):
    """A row without its content. `version` is without its `Z`, so that text sorts as time."""

    added: int
    version: str
    kind: int
    newest: int
    oldest: int
    release: str | None


class Collection:
    """A table of objects. Every method takes the caller's connection, and so its transaction."""

    def __init__(self, name: str, *, unserved: bool = False) -> None:
        """`unserved`: note which rows were never served."""
        self.name, self._unserved = name, unserved
        table = Table(
            name,
            metadata,
            Column("added", Integer, primary_key=True, autoincrement=False),
            Column("id", String, nullable=False),
            Column("version", String, nullable=False),
            Column("kind", Integer, nullable=False),
            Column("newest", Integer, nullable=False),
            Column("oldest", Integer, nullable=False),
            Column("release", String),
            Column("body", LargeBinary, nullable=False),
        )
        row = table.c
        Index(f"{name}_id", row.id, row.version, unique=True)
        Index(f"{name}_release", row.release, unique=True, sqlite_where=row.release.is_not(None))
        Index(f"{name}_newest", row.added, sqlite_where=row.newest == 2)
        Index(f"{name}_kind", row.kind, row.added)
        Index(f"{name}_kind_newest", row.kind, row.newest, row.added, sqlite_where=row.newest > 0)
        Index(f"{name}_kind_oldest", row.kind, row.oldest, row.added, sqlite_where=row.oldest > 0)
        Index(f"{name}_version", row.version, row.kind, row.added)

    def has_release(self, db: sqlite3.Connection, releases: Sequence[str]) -> set[str]:
        """Those of `releases` that are here already."""
        return {row[0] for row in self._in(db, "release", "release", releases)}

    def add(self, db: sqlite3.Connection, items: Sequence[Item], at: int) -> list[Added]:
        """Add objects, at the instant `at` or, where that is not later, just after the last one added.

        A release that is here already is left as it is; one of an object that was here only because another
        refers to it takes its place. Raises `Broken` where two releases bring the same version of an object
        with different content.
        """
        held = self._held(db, {item.id for item in items})
        kinds = self._kinds(db)
        released = self.has_release(db, [item.release for item in items if item.release is not None])
        added = max(at, self.last(db) + 1)
        fresh: dict[int, tuple[Item, _Held]] = {}
        answers: list[Added] = []
        for item in items:
            mine = held.setdefault(item.id, [])
            if item.release is not None and item.release in released:
                answers.append(Added(item.version or "", "held"))
                continue
            self._take_place(db, item, mine, fresh)
            clash = self._clash(db, item, mine, fresh)
            if clash is not None:
                answers.append(clash)
            else:
                version = _key(item.version, added)
                new = _Held(added, version, self._kind(db, kinds, item), 2, 2, item.release)
                mine.append(new)
                fresh[added] = item, new
                if item.release is not None:
                    released.add(item.release)
                answers.append(Added(new.version + "Z", "added"))
                added += 1
        if fresh:
            if self._unserved:
                db.executemany("INSERT INTO unserved (added) VALUES (?)", [(at,) for at in fresh])
            flags = self._flag(db, (held[name] for name in {item.id for item, _ in fresh.values()}), fresh)
            db.executemany(
                f'INSERT INTO "{self.name}" VALUES (?, ?, ?, ?, ?, ?, ?, ?)',  # noqa: S608
                [
                    (new.added, item.id, new.version, new.kind, *flags[new.added], item.release, item.body)
                    for item, new in fresh.values()
                ],
            )
            db.execute("INSERT OR REPLACE INTO clock VALUES (?, ?)", (self.name, added - 1))
        return answers

    def delete(self, db: sqlite3.Connection, match: Match) -> list[tuple[Record, bytes]]:
        """Remove the versions of the ids in `match`; returns what was removed."""
        gone = [
            (record, self._body(db, record.added))
            for record in pages.manifest(db, self.name, match, -1, 2**31).items
        ]
        self._remove(db, [record.added for record, _ in gone])
        self._flag(db, self._held(db, {record.id for record, _ in gone}).values(), {})
        return gone

    def take_out(self, db: sqlite3.Connection, added: Sequence[int]) -> list[tuple[int, Item]]:
        """Remove the rows with these dates-added; returns each as an `Item` that can be added again."""
        columns = "added, release, id, version || 'Z', kind, body"
        kinds = {kind: names for names, kind in self._kinds(db).items()}
        gone = [
            (at, Item(release, name, kinds[kind][0], version, kinds[kind][1], bytes(body)))
            for at, release, name, version, kind, body in self._in(db, columns, "added", added)
        ]
        self._remove(db, added)
        self._flag(db, self._held(db, {item.id for _, item in gone}).values(), {})
        return gone

    def name_of(self, db: sqlite3.Connection, added: int) -> str:
        """What to call the row with this date-added: by its release id, else by its object's; if there."""
        query = f'SELECT coalesce(release, id) FROM "{self.name}" WHERE added = ?'  # noqa: S608
        row = db.execute(query, (added,)).fetchone()
        return "" if row is None else str(row[0])

    def _remove(self, db: sqlite3.Connection, added: Iterable[int]) -> None:
        rows = [(at,) for at in added]
        db.executemany(f'DELETE FROM "{self.name}" WHERE added = ?', rows)  # noqa: S608
        if self._unserved:
            db.executemany("DELETE FROM unserved WHERE added = ?", rows)

    def last(self, db: sqlite3.Connection) -> int:
        """The newest date-added there ever was; it stays when its object goes."""
        row = db.execute("SELECT last FROM clock WHERE collection = ?", (self.name,)).fetchone()
        return -1 if row is None else int(row[0])

    def _kinds(self, db: sqlite3.Connection) -> dict[tuple[str, str], int]:
        query = "SELECT type, spec_version, kind FROM kind WHERE collection = ?"
        return {(row[0], row[1]): row[2] for row in db.execute(query, (self.name,))}

    def _kind(self, db: sqlite3.Connection, kinds: dict[tuple[str, str], int], item: Item) -> int:
        name = (item.type, item.spec_version)
        if name not in kinds:
            if item.spec_version not in SPEC_VERSIONS:
                raise Broken(f"the view of a partner cannot hold STIX {item.spec_version!r}")
            insert = "INSERT INTO kind (collection, type, spec_version) VALUES (?, ?, ?) RETURNING kind"
            kinds[name] = db.execute(insert, (self.name, *name)).fetchone()[0]
        return kinds[name]

    def _held(self, db: sqlite3.Connection, ids: Iterable[str]) -> dict[str, list[_Held]]:
        """Every version that is here of each of `ids`."""
        held: dict[str, list[_Held]] = {}
        for name, *rest in self._in(db, "id, added, version, kind, newest, oldest, release", "id", [*ids]):
            held.setdefault(name, []).append(_Held(*rest))
        return held

    def _take_place(
        self, db: sqlite3.Connection, item: Item, mine: list[_Held], fresh: dict[int, tuple[Item, _Held]]
    ) -> None:
        """Where `item` is a release, remove the same version that was only referred to until now."""
        if item.release is None:
            return
        for row in [
            row for row in mine if row.release is None and row.version == _key(item.version, row.added)
        ]:
            if fresh.pop(row.added, None) is None:
                self._remove(db, [row.added])
            mine.remove(row)

    def _clash(
        self,
        db: sqlite3.Connection,
        item: Item,
        mine: Iterable[_Held],
        fresh: Mapping[int, tuple[Item, _Held]],
    ) -> Added | None:
        """What to answer where `item` is held already, or its version is with other content."""
        version = None if item.version is None else _key(item.version, 0)
        for row in mine:
            if version is not None and row.version != version:
                continue
            body = fresh[row.added][0].body if row.added in fresh else self._body(db, row.added)
            if body == item.body or _sorted(body) == _sorted(item.body):
                return Added(row.version + "Z", "held")
            if version is not None:
                if item.release is not None:
                    raise Broken(f"version {item.version} of {item.id} was released with other content")
                return Added(row.version + "Z", "conflict")
        return None

    def _body(self, db: sqlite3.Connection, added: int) -> bytes:
        query = f'SELECT body FROM "{self.name}" WHERE added = ?'  # noqa: S608
        return bytes(db.execute(query, (added,)).fetchone()[0])

    def _flag(
        self, db: sqlite3.Connection, objects: Iterable[list[_Held]], fresh: Mapping[int, Any]
    ) -> dict[int, tuple[int, int]]:
        """(newest, oldest) of every version of `objects`; written where a row is there and differs."""
        flags: dict[int, tuple[int, int]] = {}
        changes = []
        for rows in objects:
            flags |= _flags(rows)
            changes += [
                (*flags[row.added], row.added)
                for row in rows
                if row.added not in fresh and flags[row.added] != (row.newest, row.oldest)
            ]
        db.executemany(f'UPDATE "{self.name}" SET newest = ?, oldest = ? WHERE added = ?', changes)  # noqa: S608
        return flags

    def _in(
        self, db: sqlite3.Connection, columns: str, column: str, values: Sequence[str | int]
    ) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), _BATCH):
            some = values[start : start + _BATCH]
            marks = ", ".join("?" * len(some))
            yield from db.execute(
                f'SELECT {columns} FROM "{self.name}" WHERE {column} IN ({marks})',  # noqa: S608
                some,
            )


def _flags(rows: Sequence[_Held]) -> dict[int, tuple[int, int]]:
    if len(rows) == 1:
        return {rows[0].added: (2, 2)}
    order = sorted(rows, key=lambda row: row.version)
    newest = {row.kind: row.added for row in order}
    oldest = {row.kind: row.added for row in reversed(order)}
    return {
        row.added: (
            2 if row is order[-1] else int(newest[row.kind] == row.added),
            2 if row is order[0] else int(oldest[row.kind] == row.added),
        )
        for row in order
    }


def _key(version: str | None, added: int) -> str:
    """A version as it is stored; that of an object without one is its date-added."""
    if version is None:
        text = (_EPOCH + timedelta(microseconds=added)).strftime("%Y-%m-%dT%H:%M:%S.%f")
        return text[:23] + text[23:].rstrip("0")
    match = _VERSION.fullmatch(version)
    if match is None:
        raise Broken(f"{version!r} is not a version that a view can hold")
    return f"{match[1]}.{(match[2] or '').rstrip('0').ljust(3, '0')}"


def _sorted(body: bytes) -> bytes:
    """The same for the same content in another order."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)

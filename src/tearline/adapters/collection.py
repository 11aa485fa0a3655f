"""One collection of STIX objects in a table: pages, filters, versions.

An object's row is found by its date-added, in microseconds since 1970, which rises strictly within a
collection, also when the clock stands still or is set back.

Cost. A page is read off indices that end in the date-added: it costs by its own length and by the number of
types that are asked for, never by the size of the collection. Asking for ids costs by the number of their
versions. `newest` and `oldest` are kept as versions come and go: 2 where a row is the newest (oldest) version
of its object, 1 where it is that among those of its `spec_version` only, else 0.

Every function takes the caller's connection, and so its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    bindparam,
    delete,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from tearline.terms import Broken

metadata = MetaData()

SPEC_VERSIONS = ("2.0", "2.1")
PAGE_BYTES = 32 * 1024 * 1024
"""A page ends early rather than grow beyond this, but has one object at least."""

_BATCH = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,18}Z")

_clock = Table(
    "clock",
    metadata,
    Column("collection", String, primary_key=True),
    Column("last", Integer, nullable=False),
)
_kind = Table(
    "kind",
    metadata,
    Column("kind", Integer, primary_key=True),
    Column("collection", String, nullable=False),
    Column("type", String, nullable=False),
    Column("spec_version", String, nullable=False),
    Index("kind_names", "collection", "type", "spec_version", unique=True),
)


class Match(Protocol):
    """Filters; `None` is no filter. `versions`: `first`, `last`, `all` or version stamps ending in `Z`."""

    @property
    def ids(self) -> Sequence[str] | None: ...

    @property
    def types(self) -> Sequence[str] | None: ...
    @property
    def spec_versions(self) -> Sequence[str] | None: ...
    @property
    def versions(self) -> Sequence[str]: ...


class Item(NamedTuple):
    """An object to add. `release` is the release id, `None` for what a partner gave.

    `version` is a stamp with milliseconds or finer, without trailing zeros beyond them; `None` where the
    object has none: its date-added is its version then.
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


class Record(NamedTuple):
    """A version of an object in a collection. `body` is empty in a manifest."""

    added: int
    id: str
    version: str
    spec_version: str
    body: bytes = b""


class Page(NamedTuple):
    """Records in the order in which they were added, and whether there are more."""

    records: list[Record]
    more: bool


class _Held(NamedTuple):
    """A row without its content. `version` is without its `Z`, so that text sorts as time."""

    added: int
    version: str
    kind: int
    newest: int
    oldest: int


class Collection:
    """The objects of one collection and how they are found."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.table = table = Table(
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
        self._objects = _Statements(table, (row.added, row.id, row.version, row.kind, row.body))
        self._manifest = _Statements(table, (row.added, row.id, row.version, row.kind))

    # --- reading -----------------------------------------------------------------------------------

    def page(self, db: Connection, match: Match, *, after: int, limit: int, bodies: bool = True) -> Page:
        """The first `limit` objects that `match` and were added after the instant `after`."""
        kinds = self._kinds(db)
        statements = self._objects if bodies else self._manifest
        streams = [
            db.execute(statement, {**values, "after": after, "limit": limit + 1})
            for statement, values in _streams(statements, match, kinds)
        ]
        rows = streams[0] if len(streams) == 1 else merge(*streams, key=_added)
        records: list[Record] = []
        size, last = 0, after
        for row in rows:
            if row[0] == last:  # the first and the newest version at once
                continue
            last = row[0]
            body = row[4] if bodies else b""
            size += len(body)
            if len(records) == limit or (records and size > PAGE_BYTES):
                return Page(records, more=True)
            records.append(Record(last, row[1], row[2] + "Z", kinds[row[3]][1], body))
        return Page(records, more=False)

    def after(self, db: Connection, added: int, limit: int) -> list[tuple[int, bytes]]:
        """(date-added, object) of all versions added after `added`, at most `limit`."""
        rows = db.execute(self._objects.all, {"after": added, "limit": limit})
        return [(row[0], row[4]) for row in rows]

    def has_release(self, db: Connection, releases: Sequence[str]) -> set[str]:
        """Those of `releases` that are here already."""
        row = self.table.c
        return {
            name
            for some in _batches(releases)
            for name in db.scalars(select(row.release).where(row.release.in_(some)))
            if name is not None
        }

    # --- writing -----------------------------------------------------------------------------------

    def add(self, db: Connection, items: Sequence[Item], at: int) -> list[Added]:
        """Add objects, at the instant `at` or, where that is not later, just after the last one added.

        A release that is here already is left as it is. Raises `Broken` where a release brings a version
        of an object that another release brought with other content.
        """
        held = self._held(db, {item.id for item in items})
        names = {names: kind for kind, names in self._kinds(db).items()}
        released = self.has_release(db, [item.release for item in items if item.release is not None])
        last = db.scalar(select(_clock.c.last).where(_clock.c.collection == self.name))
        added = max(at, 0 if last is None else last + 1)
        fresh: dict[int, tuple[Item, _Held]] = {}
        answers: list[Added] = []
        for item in items:
            mine = held.setdefault(item.id, [])
            if item.release is not None and item.release in released:
                answers.append(Added(item.version or "", "held"))
            elif (clash := self._clash(db, item, mine, fresh)) is not None:
                answers.append(clash)
            else:
                new = _Held(added, _key(item.version, added), self._kind(db, names, item), 2, 2)
                mine.append(new)
                fresh[added] = item, new
                if item.release is not None:
                    released.add(item.release)
                answers.append(Added(new.version + "Z", "added"))
                added += 1
        if fresh:
            flags = self._flag(db, (held[name] for name in {item.id for item, _ in fresh.values()}), fresh)
            db.execute(
                insert(self.table), [_row(item, new, flags[new.added]) for item, new in fresh.values()]
            )
            self._set_clock(db, added - 1, first=last is None)
        return answers

    def delete(self, db: Connection, match: Match) -> list[Record]:
        """Remove the versions of the ids in `match`; returns what was removed."""
        gone = self.page(db, match, after=-1, limit=2**31).records
        for some in _batches([record.added for record in gone]):
            db.execute(delete(self.table).where(self.table.c.added.in_(some)))
        self._flag(db, self._held(db, {record.id for record in gone}).values(), {})
        return gone

    # --- inside ------------------------------------------------------------------------------------

    def _kinds(self, db: Connection) -> dict[int, tuple[str, str]]:
        """The (type, spec_version) of each kind that was ever here."""
        rows = db.execute(_KINDS, {"collection": self.name})
        return {row[0]: (row[1], row[2]) for row in rows}

    def _kind(self, db: Connection, names: dict[tuple[str, str], int], item: Item) -> int:
        name = (item.type, item.spec_version)
        if name not in names:
            if item.spec_version not in SPEC_VERSIONS:
                raise Broken(f"the view of a partner cannot hold STIX {item.spec_version!r}")
            values = {"collection": self.name, "type": item.type, "spec_version": item.spec_version}
            key = db.execute(insert(_kind), values).inserted_primary_key
            names[name] = key[0] if key is not None else 0
        return names[name]

    def _held(self, db: Connection, ids: Iterable[str]) -> dict[str, list[_Held]]:
        """Every version that is here of each of `ids`."""
        row = self.table.c
        held: dict[str, list[_Held]] = {}
        for some in _batches(list(ids)):
            query = select(row.id, row.added, row.version, row.kind, row.newest, row.oldest)
            for name, *rest in db.execute(query.where(row.id.in_(some))):
                held.setdefault(name, []).append(_Held(*rest))
        return held

    def _clash(
        self, db: Connection, item: Item, mine: list[_Held], fresh: Mapping[int, tuple[Item, _Held]]
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

    def _body(self, db: Connection, added: int) -> bytes:
        return bytes(db.scalars(select(self.table.c.body).where(self.table.c.added == added)).one())

    def _flag(
        self, db: Connection, objects: Iterable[list[_Held]], fresh: Mapping[int, Any]
    ) -> dict[int, tuple[int, int]]:
        """Who is newest and oldest now: written for rows that are there, returned for all."""
        flags: dict[int, tuple[int, int]] = {}
        changes = []
        for rows in objects:
            mine = _flags(rows)
            flags |= mine
            changes += [
                {"row": row.added, "newest": mine[row.added][0], "oldest": mine[row.added][1]}
                for row in rows
                if row.added not in fresh and mine[row.added] != (row.newest, row.oldest)
            ]
        if changes:
            db.execute(update(self.table).where(self.table.c.added == bindparam("row")), changes)
        return flags

    def _set_clock(self, db: Connection, last: int, *, first: bool) -> None:
        if first:
            db.execute(insert(_clock), {"collection": self.name, "last": last})
        else:
            db.execute(update(_clock).where(_clock.c.collection == self.name).values(last=last))


class _Statements:
    """The ways to read one collection's rows in the order of their date-added, each off one index."""

    def __init__(self, table: Table, columns: Sequence[ColumnElement[Any]]) -> None:
        row = table.c
        two, zero = literal_column("2", Integer), literal_column("0", Integer)

        def off(index: str | None, *conditions: ColumnElement[bool]) -> Select[Any]:
            query = select(*columns).where(*conditions, row.added > bindparam("after"))
            # SQLite would guess from no statistics which index is best, and guess wrong.
            hint = "NOT INDEXED" if index is None else f"INDEXED BY {table.name}_{index}"
            return query.order_by(row.added).limit(bindparam("limit")).with_hint(table, hint, "sqlite")

        kind, flag = row.kind == bindparam("kind"), bindparam("flag", type_=Integer)
        self.row = row
        self.all = off(None)
        self.newest = off("newest", row.newest == two)
        self.kind = off("kind", kind)
        self.kind_newest = off("kind_newest", kind, row.newest == flag, row.newest > zero)
        self.kind_oldest = off("kind_oldest", kind, row.oldest == flag, row.oldest > zero)
        self.version = off("version", row.version == bindparam("version"), kind)
        self.ids = off("id", row.id.in_(bindparam("ids", expanding=True)))


def _streams(
    read: _Statements, match: Match, kinds: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[Select[Any], dict[str, Any]]]:
    """Statements that together give what `match` asks for, each in order."""
    asked = [
        kind
        for kind, (name, spec) in kinds.items()
        if (match.types is None or name in match.types)
        and (match.spec_versions is None or spec in match.spec_versions)
    ]
    # Within one spec_version, its own newest counts; where all are asked for, only the newest of all does.
    narrowed = match.spec_versions is not None and not set(SPEC_VERSIONS) <= set(match.spec_versions)
    flags = (2, 1) if narrowed else (2,)
    stamps = [_key(version, 0) for version in match.versions if version not in ("first", "last", "all")]
    if match.ids is not None:
        row = read.row
        wanted: list[ColumnElement[bool]] = [row.version.in_(stamps)]
        wanted += [row.newest.in_(flags)] if "last" in match.versions else []
        wanted += [row.oldest.in_(flags)] if "first" in match.versions else []
        wanted = wanted if "all" not in match.versions else []
        query = read.ids.where(row.kind.in_(asked), or_(*wanted) if wanted else row.added > -1)
        yield query, {"ids": list(match.ids)}
        return
    everything = len(asked) == len(kinds)
    if "all" in match.versions:
        yield from [(read.all, {})] if everything else [(read.kind, {"kind": kind}) for kind in asked]
    if "last" in match.versions:
        if everything and not narrowed:
            yield read.newest, {}
        else:
            yield from ((read.kind_newest, {"kind": kind, "flag": flag}) for kind in asked for flag in flags)
    if "first" in match.versions:
        yield from ((read.kind_oldest, {"kind": kind, "flag": flag}) for kind in asked for flag in flags)
    yield from ((read.version, {"version": stamp, "kind": kind}) for stamp in stamps for kind in asked)


def _flags(rows: Iterable[_Held]) -> dict[int, tuple[int, int]]:
    """(newest, oldest) of each version of one object."""
    order = sorted(rows, key=lambda row: row.version)
    of_kind = {row.kind for row in order}
    newest = {max(order, key=lambda row: (row.kind == kind, row.version)).added for kind in of_kind}
    oldest = {min(order, key=lambda row: (row.kind != kind, row.version)).added for kind in of_kind}
    return {
        row.added: (
            2 if row is order[-1] else int(row.added in newest),
            2 if row is order[0] else int(row.added in oldest),
        )
        for row in order
    }


def _row(item: Item, new: _Held, flags: tuple[int, int]) -> dict[str, Any]:
    return {
        "added": new.added,
        "id": item.id,
        "version": new.version,
        "kind": new.kind,
        "newest": flags[0],
        "oldest": flags[1],
        "release": item.release,
        "body": item.body,
    }


def _key(version: str | None, added: int) -> str:
    """A version as it is stored; that of an object without one is its date-added."""
    if version is None:
        whole, _, fraction = (
            (_EPOCH + timedelta(microseconds=added)).strftime("%Y-%m-%dT%H:%M:%S.%f").partition(".")
        )
        return f"{whole}.{fraction.rstrip('0').ljust(3, '0')}"
    if _VERSION.fullmatch(version) is None:
        raise Broken(f"{version!r} is not a version that a view can hold")
    return version[:-1]


def _sorted(body: bytes) -> bytes:
    """The same for the same content in another order."""
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def _added(row: Row[Any]) -> int:
    return int(row[0])


_KINDS = select(_kind.c.kind, _kind.c.type, _kind.c.spec_version).where(
    _kind.c.collection == bindparam("collection")
)

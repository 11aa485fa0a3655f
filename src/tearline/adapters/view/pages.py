"""Pages of a collection, read off its indices.

Every index ends in the date-added, so a page costs by its own length and by the number of types asked for,
never by the size of the collection. Asking for ids costs by the number of their versions. The statements are
SQLite's own and run on its driver: they name their index, so that no guess of a planner can make a page cost
more; and a page through SQLAlchemy's rows was measured to cost three times as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from heapq import merge
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

SPEC_VERSIONS = ("2.0", "2.1")
PAGE_BYTES = 32 * 1024 * 1024
"""A page ends early rather than grow beyond this, but has one object at least."""

FOREVER = 2**63 - 1
"""Later than every date-added."""

_SPEC_VERSION = "(SELECT spec_version FROM kind WHERE kind.kind = o.kind)"


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


class Record(NamedTuple):
    """A version of an object, without its content. `added` is its date-added."""

    added: int
    id: str
    version: str
    spec_version: str


class Page(NamedTuple, Generic[T]):
    """Items in the order in which they were added, and whether there are more.

    `first` and `last`: the date-added of the first and last item, -1 where there is none.
    """

    first: int
    last: int
    more: bool
    items: list[T]
    added: Sequence[int] = ()
    """Of objects, each one's date-added."""


def objects(
    db: sqlite3.Connection, table: str, match: Match, after: int, limit: int, before: int = FOREVER
) -> Page[bytes]:
    """The first `limit` objects that `match` and were added after the instant `after`, before `before`."""
    bodies: list[bytes] = []
    instants: list[int] = []
    size, more = 0, False
    for added, body in _rows(db, table, "added, body", match, (after, before), limit):
        size += len(body)
        if len(bodies) == limit or (bodies and size > PAGE_BYTES):
            more = True
            break
        bodies.append(body)
        instants.append(added)
    if not bodies:
        return Page(-1, -1, more, bodies)
    return Page(instants[0], instants[-1], more, bodies, instants)


def manifest(
    db: sqlite3.Connection, table: str, match: Match, after: int, limit: int, before: int = FOREVER
) -> Page[Record]:
    """As `objects`, but what is known of them."""
    columns = f"added, id, version || 'Z', {_SPEC_VERSION}"
    records = [Record(*row) for row in _rows(db, table, columns, match, (after, before), limit)]
    more = len(records) > limit
    del records[limit:]
    if not records:
        return Page(-1, -1, more, records)
    return Page(records[0].added, records[-1].added, more, records)


def _rows(
    db: sqlite3.Connection, table: str, columns: str, match: Match, between: tuple[int, int], limit: int
) -> Iterator[tuple[Any, ...]]:
    """Up to one row more than `limit`, in order, each once. The first column is the date-added."""
    streams: list[Iterable[tuple[Any, ...]]] = [
        db.execute(_statement(table, columns, index, conditions), (*values, *between, limit + 1))
        for index, conditions, values in _streams(db, table, match)
    ]
    if len(streams) == 1:
        yield from streams[0]
        return
    last = None
    for row in merge(*streams, key=_added):
        if row[0] != last:  # an object's first and newest version may be the same
            yield row
        last = row[0]


_Stream = tuple[str, str, tuple[Any, ...]]
"""An index, the conditions that it serves, and their values."""


def _streams(db: sqlite3.Connection, table: str, match: Match) -> Iterator[_Stream]:
    """What has to be read, each in the order of date-added, to have all that `match` asks for."""
    versions = match.versions
    # Within one spec_version, its own newest counts; where all are asked for, only the newest of all does.
    narrowed = match.spec_versions is not None and not set(SPEC_VERSIONS) <= set(match.spec_versions)
    flags = (2, 1) if narrowed else (2,)
    stamps = [version.removesuffix("Z") for version in versions if version not in ("first", "last", "all")]
    free = match.types is None and not narrowed
    if match.ids is not None:
        kinds = None if free else _kinds(db, table, match)
        yield _of_ids(match.ids, kinds, versions, flags, stamps)
        return
    if free and versions == ("last",):
        yield "newest", "newest = 2", ()
        return
    if free and versions == ("all",):
        yield "", "1", ()
        return
    for kind in _kinds(db, table, match):
        if "all" in versions:
            yield "kind", "kind = ?", (kind,)
        for flag in flags:
            if "last" in versions:
                yield "kind_newest", "newest > 0 AND kind = ? AND newest = ?", (kind, flag)
            if "first" in versions:
                yield "kind_oldest", "oldest > 0 AND kind = ? AND oldest = ?", (kind, flag)
        for stamp in stamps:
            yield "version", "version = ? AND kind = ?", (stamp, kind)


def _of_ids(
    ids: Sequence[str],
    kinds: Sequence[int] | None,
    versions: Sequence[str],
    flags: Sequence[int],
    stamps: Sequence[str],
) -> _Stream:
    conditions, values = f"id IN ({_marks(ids)})", [*ids]
    wanted = [f"version IN ({_marks(stamps)})"] if stamps else []
    wanted += [f"newest >= {min(flags)}"] if "last" in versions else []
    wanted += [f"oldest >= {min(flags)}"] if "first" in versions else []
    if "all" not in versions:
        conditions += f" AND ({' OR '.join(wanted)})"
        values += stamps
    if kinds is not None:
        conditions += f" AND kind IN ({_marks(kinds)})"
    return "id", conditions, (*values, *(kinds or ()))


def _kinds(db: sqlite3.Connection, table: str, match: Match) -> list[int]:
    """The kinds of object, by type and spec_version, that were ever here and match."""
    conditions, values = "collection = ?", [table]
    for column, wanted in (("type", match.types), ("spec_version", match.spec_versions)):
        if wanted is not None:
            conditions += f" AND {column} IN ({_marks(wanted)})"
            values += wanted
    return [row[0] for row in db.execute(f"SELECT kind FROM kind WHERE {conditions}", values)]  # noqa: S608


@lru_cache(maxsize=512)
def _statement(table: str, columns: str, index: str, conditions: str) -> str:
    # Nothing in it comes from outside: values are bound.
    hint = f'INDEXED BY "{table}_{index}"' if index else "NOT INDEXED"
    return (
        f'SELECT {columns} FROM "{table}" AS o {hint} '  # noqa: S608
        f"WHERE {conditions} AND added > ? AND added < ? ORDER BY added LIMIT ?"
    )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _added(row: tuple[Any, ...]) -> int:
    return int(row[0])

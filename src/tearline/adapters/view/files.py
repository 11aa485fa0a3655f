"""The files of one partner's view: those released to it, and those that it releases to us.

A *released* file is a row and a link to the blob, in a folder that only this partner's requests lead to. It
can be had while its row is open and its release stands in `out`; the link is there while the row is open.

A *wanted* file is fetched from the partner's door by the post room, into a folder beside the view, where the
node finds it when it is whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, String, Table

from tearline.adapters.view.collection import metadata

_released = Table(
    "released_file",
    metadata,
    Column("name", String, primary_key=True),
    Column("release", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String, nullable=False),
    Column("open", Integer, nullable=False),
)
Index("released_file_release", _released.c.release)
Table(
    "wanted_file",
    metadata,
    Column("name", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("here", Integer, nullable=False, server_default="0"),
)


class ReleasedFile(NamedTuple):
    name: str
    release: str
    sha256: str
    size: int
    media_type: str
    open: bool


class WantedFile(NamedTuple):
    """`name`: at the partner's door. `size` in bytes."""

    name: str
    sha256: str
    size: int


_PLACES = ('"out"', "held_back")
_COLUMNS = "name, release, sha256, size, media_type, open"


def release(db: sqlite3.Connection, files: Iterable[ReleasedFile]) -> None:
    db.executemany("INSERT OR REPLACE INTO released_file VALUES (?, ?, ?, ?, ?, ?)", list(files))


def find(db: sqlite3.Connection, name: str, before: int) -> ReleasedFile | None:
    """The file that can be had under this name; `before`: the date-added from which on nothing is given."""
    query = (
        f"SELECT {_COLUMNS} FROM released_file AS f WHERE name = ? AND open "  # noqa: S608
        'AND EXISTS (SELECT 1 FROM "out" AS o WHERE o.release = f.release AND o.added < ?)'
    )
    row = db.execute(query, (name, before)).fetchone()
    return None if row is None else _file(row)


def released(db: sqlite3.Connection) -> list[ReleasedFile]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM released_file ORDER BY name")  # noqa: S608
    return [_file(row) for row in rows]


def state_of(db: sqlite3.Connection, release: str) -> tuple[int, bool] | None:
    """The date-added of a release that has a file, be it held back, and whether its file is open."""
    added = " UNION ALL ".join(f"SELECT added FROM {name} WHERE release = f.release" for name in _PLACES)  # noqa: S608
    query = f"SELECT ({added}), open FROM released_file AS f WHERE release = ?"  # noqa: S608
    row = db.execute(query, (release,)).fetchone()
    return None if row is None or row[0] is None else (int(row[0]), bool(row[1]))


def _file(row: Sequence[Any]) -> ReleasedFile:
    name, of_release, sha256, size, media_type, is_open = row
    return ReleasedFile(name, of_release, sha256, size, media_type, bool(is_open))


def set_open(db: sqlite3.Connection, names: Iterable[str], *, is_open: bool) -> None:
    query = "UPDATE released_file SET open = ? WHERE name = ?"
    db.executemany(query, [(int(is_open), name) for name in names])


def want(db: sqlite3.Connection, files: Iterable[WantedFile]) -> None:
    """Have these fetched; one that is here already is fetched again."""
    query = "INSERT OR REPLACE INTO wanted_file (name, sha256, size) VALUES (?, ?, ?)"
    db.executemany(query, list(files))


def wanted(db: sqlite3.Connection, *, here: bool) -> list[WantedFile]:
    """Those that are to be fetched, or are here, in the order in which they were wanted."""
    query = "SELECT name, sha256, size FROM wanted_file WHERE here = ? ORDER BY rowid"
    return [WantedFile(*row) for row in db.execute(query, (int(here),))]


def came(db: sqlite3.Connection, name: str) -> None:
    db.execute("UPDATE wanted_file SET here = 1 WHERE name = ?", (name,))


def forget(db: sqlite3.Connection, names: Iterable[str]) -> None:
    db.executemany("DELETE FROM wanted_file WHERE name = ?", [(name,) for name in names])

"""What a suspension holds back of `out`, so that it is not served after all (law 7).

A row of `out` that never went out is in `unserved`; whoever serves it takes it off that table first, in the
transaction in which it reads the row. So whatever is still there can be taken out of the collection again
and nobody is the wiser (law 5): it waits in `held_back` and comes back as something new, with a date-added of
that day, which no reader has passed. A row that was served stays: its going would be noticed.

A row that is being pushed to the partner is marked so, and is not held back: it is under way. When the
partner has acknowledged it, it was served. When the push fails it was not; then the flag `closing` goes up,
so that the node looks whether a suspension came in the meantime.

What releases only refer to (markings, identities) is held back with the last release that names it, and comes
back with the first.

While the flag `closing` is up, nothing of `out` is read at all: the node sorts out what may still go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson
from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from tearline.adapters.view.collection import Collection, Item, metadata

Table(
    "unserved",
    metadata,
    Column("added", Integer, primary_key=True, autoincrement=False),
    Column("pushing", Integer, nullable=False, server_default="0"),
)
Table("closing", metadata, Column("only", Integer, primary_key=True))
_table = Table(
    "held_back",
    metadata,
    Column("added", Integer, primary_key=True, autoincrement=False),
    Column("release", String),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("version", String),
    Column("spec_version", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index("held_back_release", _table.c.release)

_ITEM = "added, release, id, type, version, spec_version, body"


def is_closing(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM closing").fetchone() is not None


def set_closing(db: sqlite3.Connection, closing: bool) -> None:
    db.execute("INSERT OR IGNORE INTO closing VALUES (1)" if closing else "DELETE FROM closing")


def any_unserved(db: sqlite3.Connection, added: Sequence[int]) -> bool:
    """Whether one of these rows (ascending) was never served."""
    if not added:
        return False
    # Most pages were served before: one look at their span is enough to know.
    between = "SELECT 1 FROM unserved WHERE added BETWEEN ? AND ? LIMIT 1"
    if db.execute(between, (added[0], added[-1])).fetchone() is None:
        return False
    one = "SELECT 1 FROM unserved WHERE added IN (SELECT value FROM json_each(?)) LIMIT 1"
    return db.execute(one, (_json(added),)).fetchone() is not None


def mark_served(db: sqlite3.Connection, added: Sequence[int]) -> None:
    db.execute("DELETE FROM unserved WHERE added IN (SELECT value FROM json_each(?))", (_json(added),))


def mark_pushing(db: sqlite3.Connection, added: Sequence[int]) -> None:
    query = "UPDATE unserved SET pushing = 1 WHERE added IN (SELECT value FROM json_each(?))"
    db.execute(query, (_json(added),))


def push_failed(db: sqlite3.Connection) -> bool:
    """What is marked as being pushed was not served after all; tells whether anything was."""
    failed = db.execute("UPDATE unserved SET pushing = 0 WHERE pushing").rowcount > 0
    if failed:
        set_closing(db, True)
    return failed


def unserved(db: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, str]]:
    """(date-added, release id) of the releases after `after` that were never served, oldest first."""
    query = (
        'SELECT added, release FROM unserved JOIN "out" USING (added) '
        "WHERE NOT pushing AND release IS NOT NULL AND added > ? ORDER BY added LIMIT ?"
    )
    return db.execute(query, (after, limit)).fetchall()


def count_unserved(db: sqlite3.Connection) -> int:
    """How many releases were never served, those aside that are being pushed."""
    query = 'SELECT count(*) FROM unserved JOIN "out" USING (added) WHERE NOT pushing AND release IS NOT NULL'
    return int(db.execute(query).fetchone()[0])


def releases(db: sqlite3.Connection) -> set[str]:
    """The release ids that are held back."""
    return {row[0] for row in db.execute("SELECT release FROM held_back WHERE release IS NOT NULL")}


def releases_of(db: sqlite3.Connection, names: Sequence[str]) -> set[str]:
    """Those of the release ids that are held back."""
    query = "SELECT release FROM held_back WHERE release IN (SELECT value FROM json_each(?))"
    return {row[0] for row in db.execute(query, (_json(names),))}


def hold_back(db: sqlite3.Connection, out: Collection, added: Sequence[int]) -> list[str]:
    """Take the rows with these dates-added out of the collection, as far as they were never served; returns
    the ids of the releases that went."""
    query = "SELECT added FROM unserved WHERE NOT pushing AND added IN (SELECT value FROM json_each(?))"
    return _move(db, out, [row[0] for row in db.execute(query, (_json(added),)).fetchall()])


def hold_back_unnamed(db: sqlite3.Connection, out: Collection) -> None:
    """Hold back what releases only refer to, where it was never served and no release names it any more.

    What comes with every release, and is named by none, goes with the last one: if it went before, that would
    tell that there had been another.
    """
    query = 'SELECT added, id FROM unserved JOIN "out" USING (added) WHERE NOT pushing AND release IS NULL'
    # It was added before the first release that named it.
    left = 'SELECT max(instr(body, ?)) FROM "out" WHERE added > ? AND release IS NOT NULL'
    gone = "SELECT 1 FROM held_back WHERE release IS NOT NULL AND instr(body, ?) LIMIT 1"
    unnamed = []
    for added, name in db.execute(query).fetchall():
        (named,) = db.execute(left, (name.encode(), added)).fetchone()
        if named is None or (named == 0 and db.execute(gone, (name.encode(),)).fetchone()):
            unnamed.append(added)
    _move(db, out, unnamed)


def put_back(db: sqlite3.Connection, out: Collection, names: Sequence[str], at: int) -> set[str]:
    """Add what is held back of these releases, and what they name, as new; returns their ids.

    Raises `Broken` as `Collection.add` does.
    """
    marks = "SELECT value FROM json_each(?)"
    rows = db.execute(
        f"SELECT {_ITEM} FROM held_back WHERE release IN ({marks})",  # noqa: S608
        (_json(names),),
    ).fetchall()
    if not rows:
        return set()
    named = db.execute(f"SELECT {_ITEM} FROM held_back WHERE release IS NULL").fetchall()  # noqa: S608
    rows += [row for row in named if any(row[2].encode() in other[-1] for other in rows)]
    rows.sort()
    out.add(db, [Item(*row[1:]) for row in rows], at)
    db.executemany("DELETE FROM held_back WHERE added = ?", [(row[0],) for row in rows])
    return {row[1] for row in rows if row[1] is not None}


def _move(db: sqlite3.Connection, out: Collection, added: Sequence[int]) -> list[str]:
    gone = out.take_out(db, added)
    db.executemany("INSERT INTO held_back VALUES (?, ?, ?, ?, ?, ?, ?)", [(at, *item) for at, item in gone])
    return [item.release for _, item in gone if item.release is not None]


def _json(values: Sequence[int | str]) -> str:
    return orjson.dumps(list(values)).decode()

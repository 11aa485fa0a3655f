"""How far the post has come in a view, and what the node should hear of it.

The cursors are dates-added: of our own `out` for what was pushed, of the partner's for what was pulled (or
pushed by it). They are kept beside what they speak of, so that one transaction moves both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from tearline.adapters.view.collection import metadata

PUSHED, PULLED = "pushed", "pulled"

Table(
    "cursor",
    metadata,
    Column("name", String, primary_key=True),
    Column("at", Integer, nullable=False),
)
Table(
    "notice",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("trouble", String, nullable=False),
    Column("what", String, nullable=False),
    Column("why", String, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice
)
Table(
    "removed",
    metadata,
    Column("added", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)


class Trouble(StrEnum):
    """What did not go as it should."""

    UNDELIVERED = "undelivered"
    """The partner refused a release that was pushed to it."""
    REFUSED = "refused"
    """What was pulled from the partner could not be put into `in`."""


class Notice(NamedTuple):
    """`what`: a release id, or that of an object. `why`: a sentence, of the partner's where it refused."""

    number: int
    trouble: Trouble
    what: str
    why: str


def cursor(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT at FROM cursor WHERE name = ?", (name,)).fetchone()
    return -1 if row is None else int(row[0])


def set_cursor(db: sqlite3.Connection, name: str, at: int) -> None:
    db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (name, at))


def note(db: sqlite3.Connection, trouble: Trouble, what: str, why: str) -> None:
    db.execute("INSERT INTO notice (trouble, what, why) VALUES (?, ?, ?)", (trouble, what, why))


def notices(db: sqlite3.Connection, after: int, limit: int) -> list[Notice]:
    query = "SELECT number, trouble, what, why FROM notice WHERE number > ? ORDER BY number LIMIT ?"
    rows = db.execute(query, (after, limit)).fetchall()
    return [Notice(number, Trouble(trouble), what, why) for number, trouble, what, why in rows]


def forget_notices(db: sqlite3.Connection, to: int) -> None:
    db.execute("DELETE FROM notice WHERE number <= ?", (to,))


def given_after(db: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, bytes]]:
    """(date-added, object) of what the partner gave, be it removed since."""
    query = (
        'SELECT added, body FROM "in" WHERE added > :after UNION ALL '
        "SELECT added, body FROM removed WHERE added > :after ORDER BY added LIMIT :limit"
    )
    return db.execute(query, {"after": after, "limit": limit}).fetchall()


def keep_removed(db: sqlite3.Connection, rows: Sequence[tuple[int, bytes]]) -> None:
    db.executemany("INSERT INTO removed VALUES (?, ?)", rows)


def forget_removed(db: sqlite3.Connection, to: int) -> None:
    db.execute("DELETE FROM removed WHERE added <= ?", (to,))

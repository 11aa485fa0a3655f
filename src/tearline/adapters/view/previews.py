"""Small pictures of released files, for the partner's catalogue.

A preview belongs to a release, as its file does, and can be had exactly as long as that file can: it has no
word of its own on that. It shows from a moment on that was set when it was put here (law 5).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from tearline.adapters.view.collection import metadata
from tearline.adapters.view.files import ReleasedFile

MEDIA_TYPE = "image/png"

_preview = Table(
    "preview",
    metadata,
    Column("name", String, primary_key=True),
    Column("release", String, nullable=False),
    Column("role", String, nullable=False),
    Column("since", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("asset", LargeBinary, nullable=False),
)
Index("preview_release", _preview.c.release)


class ReleasePreview(NamedTuple):
    """`name`: at the door. `role`: the key of its asset in the item. `asset`: that, as JSON."""

    name: str
    release: str
    role: str
    sha256: str
    size: int
    asset: bytes


def add(db: sqlite3.Connection, previews: Iterable[ReleasePreview], since: int) -> None:
    """They show from `since` on: microseconds since 1970."""
    columns = "name, release, role, sha256, size, asset, since"
    query = f"INSERT OR REPLACE INTO preview ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    db.executemany(query, [(*each, since) for each in previews])


def find(db: sqlite3.Connection, name: str, before: int, now: int) -> ReleasedFile | None:
    """The preview that can be had under this name, as a file; `before` as in `files.find`."""
    row = db.execute(
        "SELECT p.name, p.release, p.sha256, p.size FROM preview AS p JOIN released_file AS f "
        "ON f.release = p.release AND f.open WHERE p.name = ? AND p.since <= ? "
        'AND EXISTS (SELECT 1 FROM "out" AS o WHERE o.release = p.release AND o.added < ?)',
        (name, now, before),
    ).fetchone()
    if row is None:
        return None
    found, release, sha256, size = row
    return ReleasedFile(found, release, sha256, size, MEDIA_TYPE, True)


def every(db: sqlite3.Connection) -> list[ReleasePreview]:
    rows = db.execute("SELECT name, release, role, sha256, size, asset FROM preview ORDER BY release, role")
    return [ReleasePreview(*row) for row in rows]


def shown(db: sqlite3.Connection, seqs: Sequence[int], items: Sequence[bytes], now: int) -> list[bytes]:
    """The items of these scenes, with an asset for each preview that shows by `now`."""
    rows = db.execute(
        "SELECT s.seq, p.role, p.asset FROM scene AS s JOIN preview AS p ON p.release = s.release "
        "WHERE s.seq IN (SELECT value FROM json_each(?)) AND p.since <= ? ORDER BY p.role DESC",
        (orjson.dumps(list(seqs)).decode(), now),
    )
    assets: dict[int, dict[str, object]] = {}
    for seq, role, asset in rows:
        assets.setdefault(seq, {})[role] = orjson.loads(asset)
    return [
        _with(item, assets[seq]) if seq in assets else item for seq, item in zip(seqs, items, strict=True)
    ]


def _with(item: bytes, assets: dict[str, object]) -> bytes:
    document = orjson.loads(item)
    document["assets"] |= assets
    return orjson.dumps(document)

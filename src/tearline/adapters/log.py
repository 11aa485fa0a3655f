"""Append-only logs in a database: entries, the hashes over them, and signed checkpoints.

`log_node` holds the hash of every complete subtree, leaves included, so that entries and hashes bear each
other out, and proofs take O(log n) reads. Every method takes the caller's connection: an append is part of
the caller's transaction, and so is its checkpoint. A transaction that appends should end in a checkpoint, for
only what is signed cannot be rewritten or cut off without trace; `verify` reports what is not.

What happens at every release goes straight to the driver: through SQLAlchemy a small statement costs ten
times as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import BLOB, Column, Connection, Integer, MetaData, String, Table

from tearline.adapters.log_audit import Finding, audit
from tearline.adapters.prepared import driver
from tearline.ledger import Checkpoint, Verifier, open_note, sign, tree
from tearline.terms import Broken

__all__ = ["Finding", "Log", "metadata"]

metadata = MetaData()

_entry = Table(
    "log_entry",
    metadata,
    Column("log", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("data", BLOB, nullable=False),
    sqlite_with_rowid=False,
)
_node = Table(
    "log_node",
    metadata,
    Column("log", String, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("hash", BLOB, nullable=False),
    sqlite_with_rowid=False,
)
_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("log", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("note", String, nullable=False),
    sqlite_with_rowid=False,
)

_PROOFS_AT_ONCE = 1_000
_NODES = """
SELECT level, idx, hash FROM json_each(?) AS wanted CROSS JOIN log_node
WHERE log = ? AND level = json_extract(wanted.value, '$[0]') AND idx = json_extract(wanted.value, '$[1]')
"""


class Step(NamedTuple):
    """One entry added: the log signed with it as its last, and the proofs for that.

    `inclusion`: that the entry is in it. `before`: the root of an earlier state; `consistency`: that the log
    goes on from there.
    """

    note: str
    inclusion: list[bytes]
    before: bytes
    consistency: list[bytes]


class Log:
    """One of the logs in a database. `origin` names it for the world; the part before `/` signs for it.

    `name` tells it from other logs in the same database; `former` are the keys that signed it before.
    """

    def __init__(self, name: str, origin: str, former: Sequence[Ed25519PublicKey] = ()) -> None:
        self.name, self.origin, self._former = name, origin, tuple(former)
        self._known: tuple[str, Checkpoint] | None = None
        """The newest checkpoint, as it was signed or verified here last: note and state."""

    def append(self, conn: Connection, datas: Sequence[bytes]) -> range:
        """Add entries; returns their numbers. Raises `Broken` where the log was tampered with at its end."""
        start = self.size(conn)
        frontier = tree.subtrees(0, start)
        nodes = self._nodes(conn, frontier)
        growing = tree.CompactRange(start, [nodes[at] for at in frontier])
        completed = [(self.name, *node) for data in datas for node in growing.append(tree.leaf_hash(data))]
        if not datas:
            return range(start, start)
        entries = [(self.name, start + at, data) for at, data in enumerate(datas)]
        try:
            driver(conn).executemany("INSERT INTO log_entry (log, seq, data) VALUES (?, ?, ?)", entries)
            driver(conn).executemany(
                "INSERT INTO log_node (log, level, idx, hash) VALUES (?, ?, ?, ?)", completed
            )
        except sqlite3.IntegrityError:
            raise Broken(f"the log {self.origin} holds hashes of entries that are gone") from None
        return range(start, growing.size)

    def size(self, conn: Connection) -> int:
        """The number of entries."""
        rows = driver(conn).execute(
            "SELECT seq FROM log_entry WHERE log = ? ORDER BY seq DESC LIMIT 1", (self.name,)
        )
        newest = rows.fetchone()
        return 0 if newest is None else int(newest[0]) + 1

    def root(self, conn: Connection, size: int | None = None) -> bytes:
        """The root hash, now or when the log had `size` entries."""
        return self._hashes(conn, [[(0, self.size(conn) if size is None else size)]])[0][0]

    def entries(self, conn: Connection, start: int, stop: int) -> Iterator[bytes]:
        """The entries from `start` up to `stop`, one at a time."""
        rows = conn.exec_driver_sql(
            "SELECT data FROM log_entry WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq",
            (self.name, start, stop),
        )
        return (data for (data,) in rows)

    def entries_at(self, conn: Connection, indexes: Iterable[int]) -> dict[int, bytes]:
        """Those of these entries that are there, by number."""
        rows = driver(conn).execute(
            "SELECT seq, data FROM json_each(?) AS wanted CROSS JOIN log_entry WHERE log = ? AND seq = value",
            (orjson.dumps(list(indexes)).decode(), self.name),
        )
        return dict(rows.fetchall())

    def inclusion(self, conn: Connection, index: int, size: int) -> list[bytes]:
        """The proof that entry `index` is in the log of `size` entries."""
        return next(self.inclusions(conn, [index], size))

    def inclusions(self, conn: Connection, indexes: Iterable[int], size: int) -> Iterator[list[bytes]]:
        """As `inclusion`, for many entries: what their proofs share is read once."""
        rest = iter(indexes)
        while some := list(islice(rest, _PROOFS_AT_ONCE)):
            yield from self._hashes(conn, [tree.inclusion_path(index, size) for index in some])

    def consistency(self, conn: Connection, old: int, new: int) -> list[bytes]:
        """The proof that the log of `new` entries begins with the log of `old` entries."""
        return self._hashes(conn, [tree.consistency_path(old, new)])[0]

    def checkpoint(self, conn: Connection, key: Ed25519PrivateKey) -> str:
        """Sign the log as it stands; returns the note. Nothing is stored where nothing was added.

        Raises `Broken` rather than sign what contradicts the newest checkpoint (C2SP tlog-checkpoint).
        """
        number, size, found = -1, self.size(conn), self._newest(conn)
        if found:
            number, note = found
            if self._known and self._known[0] == note:
                before = self._known[1]
            else:
                before = open_note(note, self._verifier(key.public_key()), origin=self.origin)
            if before.size > size or before.root != self.root(conn, before.size):
                raise Broken(f"the log {self.origin} contradicts its newest checkpoint")
            if before.size == size:
                return note
        state = Checkpoint(self.origin, size, self.root(conn, size))
        note = sign(state, key, self._signs)
        self._known = note, state
        driver(conn).execute(
            "INSERT INTO log_checkpoint (log, number, size, note) VALUES (?, ?, ?, ?)",
            (self.name, number + 1, size, note),
        )
        return note

    def steps(self, conn: Connection, key: Ed25519PrivateKey, since: Sequence[tuple[int, int]]) -> list[Step]:
        """For each (earlier size, index): what proves that entry to who knows the log of the earlier size,
        as though it had been the last. Nothing is stored or checked: `checkpoint` does that.
        """
        wanted: list[list[tuple[int, int]]] = []
        for old, index in since:
            wanted += [[(0, index + 1)], tree.inclusion_path(index, index + 1), [(0, old)]]
            wanted.append(tree.consistency_path(old, index + 1))
        found = iter(self._hashes(conn, wanted))
        steps = []
        for (_, index), (root,), proof, (before,), consistency in zip(
            since, found, found, found, found, strict=False
        ):
            note = sign(Checkpoint(self.origin, index + 1, root), key, self._signs)
            steps.append(Step(note, proof, before, consistency))
        return steps

    def verify(self, conn: Connection, key: Ed25519PublicKey, known: Sequence[str] = ()) -> list[Finding]:
        """Recompute everything and tell what was changed; nothing found means nothing was.

        `known`: checkpoints kept elsewhere. Without one, a log that was cut back to an earlier
        checkpoint, with all later ones removed, cannot be told from one that never went further.
        """
        return audit(conn, self.name, self.origin, self._verifier(key), known)

    @property
    def _signs(self) -> str:
        return self.origin.partition("/")[0]

    def _verifier(self, key: Ed25519PublicKey) -> Verifier:
        return Verifier(self._signs, key, self._former)

    def _newest(self, conn: Connection) -> tuple[int, str] | None:
        """Number and note of the newest checkpoint."""
        rows = driver(conn).execute(
            "SELECT number, note FROM log_checkpoint WHERE log = ? ORDER BY number DESC LIMIT 1",
            (self.name,),
        )
        row: tuple[int, str] | None = rows.fetchone()
        return row

    def _hashes(self, conn: Connection, paths: list[list[tuple[int, int]]]) -> list[list[bytes]]:
        """The root over each range of leaves in `paths`."""
        ranges = {leaves for path in paths for leaves in path}
        nodes = self._nodes(conn, {at for leaves in ranges for at in tree.subtrees(*leaves)})
        roots = {leaves: tree.range_hash(*leaves, lambda *at: nodes[at]) for leaves in ranges}
        return [[roots[leaves] for leaves in path] for path in paths]

    def _nodes(self, conn: Connection, wanted: Iterable[tree.Coordinate]) -> dict[tree.Coordinate, bytes]:
        """The stored hashes at `wanted`. Raises `Broken` where one is missing."""
        asked = list(wanted)
        rows = driver(conn).execute(_NODES, (orjson.dumps(asked).decode(), self.name)).fetchall()
        if len(rows) < len(asked):
            raise Broken(f"the log {self.origin} lacks a hash")
        return {(level, index): value for level, index, value in rows}

"""What one partner may see: the only file that the partner door opens for it (law 5).

Two collections, each with a log of its own: `out` is what this node released to the partner, `in` what the
partner gave; it reads there only its own. What a call adds or removes is in one transaction with its entries
in the log, and durable when the call returns.

A suspension can hold back what stands in `out` and was never served: see `held_back`.
"""

from __future__ import annotations

import hmac
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, String, Table

from tearline.adapters.database import open_database
from tearline.adapters.log import Finding, Log
from tearline.adapters.view import held_back, pages
from tearline.adapters.view.collection import Added, Collection, Item, metadata
from tearline.adapters.view.pages import Match, Page, Record
from tearline.terms import Party, TearlineError

__all__ = ["IN", "OUT", "Added", "Closing", "Item", "Match", "Page", "Record", "View", "Writer"]

OUT, IN = "out", "in"
STATUS_KEPT = timedelta(hours=24)
"""TAXII 2.1, section 4.3: how long a client may ask what became of its request."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLLECTIONS = {OUT: Collection(OUT, unserved=True), IN: Collection(IN)}

Table(
    "status",
    metadata,
    Column("id", String, primary_key=True),
    Column("expires", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("status_expires", "expires"),
)


class Closing(TearlineError):
    """What is released to the partner is being sorted, because of a suspension: ask again in a moment."""


class View:
    """One partner's view, opened. Safe to use from several threads and processes at once."""

    def __init__(
        self,
        path: Path,
        *,
        node: Party,
        party: Party,
        key: Ed25519PrivateKey,
        secret: bytes,
        former: Sequence[Ed25519PublicKey] = (),
    ) -> None:
        """`key` signs the logs, `former` did before.

        Of the node's `secret`, collection ids and `next` tokens are derived.
        """
        self._key = key
        self._engine = open_database(path, metadata=metadata)
        self._logs = {name: Log(name, f"{node}/{party}/{name}", former) for name in (OUT, IN)}
        self.party = party
        self.ids = {name: _collection_id(secret, f"{node} {party} {name}") for name in (OUT, IN)}
        self.token_key = hmac.digest(secret, f"next {node} {party}".encode(), "sha256")

    def close(self) -> None:
        self._engine.dispose()

    # --- reading -----------------------------------------------------------------------------------

    # Those that read `out` raise `Closing` while it is.

    def page(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes]:
        """What matches and was added after `after` (microseconds since 1970), in the order of adding.

        To be looked at here. What goes out has to come from `served` or `serve`.
        """
        with self._snapshot(collection) as db:
            return pages.objects(db, collection, match, after, limit)

    def served(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes] | None:
        """As `page`; `None` where something in it was never served, so that it takes `serve`."""
        with self._snapshot(collection) as db:
            page = pages.objects(db, collection, match, after, limit)
            fresh = collection == OUT and held_back.any_unserved(db, page.added)
            return None if fresh else page

    def serve(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes]:
        """As `page`; what is in it counts as served from now on, and can be sent.

        That is written in the transaction that reads: a suspension comes before it or after it. It need not
        be on disk yet: if a crash of the machine loses it, a suspension holds back more.
        """
        with self._borrowed() as db:
            db.execute("PRAGMA synchronous = NORMAL")
            try:
                db.execute("BEGIN IMMEDIATE")
                _refuse_closing(db, collection)
                page = pages.objects(db, collection, match, after, limit)
                held_back.mark_served(db, page.added)
                db.execute("COMMIT")
                return page
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                db.execute("PRAGMA synchronous = FULL")

    def manifest(self, collection: str, match: Match, *, after: int, limit: int) -> Page[Record]:
        """As `page`, but what is known of the objects."""
        with self._snapshot(collection) as db:
            return pages.manifest(db, collection, match, after, limit)

    def is_closing(self) -> bool:
        with self._snapshot() as db:
            return held_back.is_closing(db)

    def unserved(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(date-added, release id) of the releases after `after` that were never served, oldest first."""
        with self._snapshot() as db:
            return held_back.unserved(db, after, limit)

    def held_back(self) -> set[str]:
        """The ids of the releases that are held back."""
        with self._snapshot() as db:
            return held_back.releases(db)

    def status(self, status_id: str, now: datetime) -> bytes | None:
        """The status resource kept under an id, `None` where it is unknown or more than a day old."""
        query = "SELECT body FROM status WHERE id = ? AND expires > ?"
        with self._snapshot() as db:
            row = db.execute(query, (status_id, _micros(now))).fetchone()
        return None if row is None else bytes(row[0])

    def inbox_after(self, added: int, limit: int) -> list[tuple[int, bytes]]:
        """(date-added, object) of all that the partner gave after `added`, every version, oldest first."""
        query = f'SELECT added, body FROM "{IN}" WHERE added > ? ORDER BY added LIMIT ?'  # noqa: S608
        with self._snapshot() as db:
            return db.execute(query, (added, limit)).fetchall()

    def verify(self, key: Ed25519PublicKey) -> tuple[dict[str, int], list[Finding]]:
        """Recompute both logs: the size of each by its origin, and what was found changed."""
        with self._engine.connect() as db:
            sizes = {log.origin: log.size(db) for log in self._logs.values()}
            return sizes, [finding for log in self._logs.values() for finding in log.verify(db, key)]

    # --- writing -----------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[Writer]:
        """A transaction: all of it is durable when the block ends, or nothing where it raises."""
        with self._engine.begin() as db:
            writer = Writer(db, self._logs, self._key)
            yield writer
            if writer.took:
                writer.checkpoint(IN)

    @contextmanager
    def _snapshot(self, collection: str = "") -> Iterator[sqlite3.Connection]:
        """The driver's own connection, for reading: the state of one moment."""
        with self._borrowed() as db:
            db.execute("BEGIN")
            _refuse_closing(db, collection)
            yield db

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        lent = self._engine.raw_connection()
        try:
            yield cast(sqlite3.Connection, lent.driver_connection)
        finally:
            lent.close()  # rolls back


class Writer:
    """What can be done in one transaction of a view."""

    def __init__(self, db: Connection, logs: dict[str, Log], key: Ed25519PrivateKey) -> None:
        self.db = db
        self.logs = logs
        self._key = key
        self.took = False
        """Whether the log of `in` has grown, so that the transaction ends in a checkpoint of it."""
        self._driver = cast(sqlite3.Connection, db.connection.driver_connection)

    def has_release(self, releases: Sequence[str]) -> set[str]:
        """Those of the release ids that are in the view already, be they held back."""
        held = held_back.releases_of(self._driver, releases)
        return held | _COLLECTIONS[OUT].has_release(self._driver, releases)

    def add(self, collection: str, items: Sequence[Item], at: datetime) -> list[Added]:
        """Add objects; see `Collection.add`. What of `in` is new is entered in its log.

        An entry of that log is the SHA-256 of the object as it is stored, then its id.
        """
        answers = _COLLECTIONS[collection].add(self._driver, items, _micros(at))
        if collection == IN:
            fresh = zip(items, answers, strict=True)
            entries = [_entry(item.body, item.id) for item, answer in fresh if answer.became == "added"]
            if entries:
                self._log_taken(entries)
        return answers

    def remove(self, match: Match) -> int:
        """Remove versions of the ids in `match` from `in`; returns how many. The log keeps their digests."""
        gone = _COLLECTIONS[IN].delete(self._driver, match)
        if gone:
            self._log_taken([_entry(body, f"{record.id} removed") for record, body in gone])
        return len(gone)

    def set_closing(self, closing: bool) -> None:
        """Let nothing of `out` be read until further notice, or let it be read again."""
        held_back.set_closing(self._driver, closing)

    def hold_back(self, added: Sequence[int]) -> None:
        """Hold back the releases with these dates-added, as far as they were never served."""
        held_back.hold_back(self._driver, _COLLECTIONS[OUT], added)

    def hold_back_unnamed(self) -> None:
        """Hold back what was never served and is named by no release that is not held back."""
        held_back.hold_back_unnamed(self._driver, _COLLECTIONS[OUT])

    def put_back(self, releases: Sequence[str], at: datetime) -> set[str]:
        """Add again, as new, what is held back of these releases; returns their ids."""
        return held_back.put_back(self._driver, _COLLECTIONS[OUT], releases, _micros(at))

    def _log_taken(self, entries: list[bytes]) -> None:
        self.logs[IN].append(self.db, entries)
        self.took = True

    def put_status(self, status_id: str, body: bytes, now: datetime) -> None:
        """Keep a status resource for a day; those that are older go."""
        self._driver.execute("DELETE FROM status WHERE expires <= ?", (_micros(now),))
        self._driver.execute(
            "INSERT INTO status VALUES (?, ?, ?)", (status_id, _micros(now + STATUS_KEPT), body)
        )

    def checkpoint(self, collection: str) -> str:
        """Sign the log of a collection as it stands in this transaction."""
        return self.logs[collection].checkpoint(self.db, self._key)


def _refuse_closing(db: sqlite3.Connection, collection: str) -> None:
    if collection == OUT and held_back.is_closing(db):
        raise Closing("what is released is being sorted")


def _entry(body: bytes, name: str) -> bytes:
    return sha256(body).digest() + name.encode()


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _collection_id(secret: bytes, name: str) -> str:
    # Section 2 has collection ids be version 4 UUIDs; these cannot be told from drawn ones.
    return str(uuid.UUID(bytes=hmac.digest(secret, f"collection {name}".encode(), "sha256")[:16], version=4))

"""What one partner may see: the only file that the partner door opens for it (law 5).

Two collections, each with a log of its own: `out` is what this node released to the partner, `in` what the
partner gave; it reads there only its own. What a call adds or removes is in one transaction with its entries
in the log, and durable when the call returns.

The post room opens a view without the key that signs the logs: what it adds to `in` is logged, and the node
signs that log when it takes the objects in.

A suspension can hold back what stands in `out` and was never served: see `held_back`. Pictures and recordings
among it can be searched by place and time: see `catalogue`. How far the post has come in either direction,
and what the node should hear of it, is kept here too: see `post`.
"""

from __future__ import annotations

import hmac
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, String, Table

from tearline.adapters.database import FILES, Disk
from tearline.adapters.log import Finding, Log
from tearline.adapters.log_audit import Fault
from tearline.adapters.view import catalogue, files, held_back, pages, post, previews
from tearline.adapters.view.catalogue import Scene
from tearline.adapters.view.collection import Added, Collection, Item, metadata
from tearline.adapters.view.files import ReleasedFile, WantedFile
from tearline.adapters.view.pages import FOREVER, Match, Page, Record
from tearline.adapters.view.post import Notice, Trouble
from tearline.adapters.view.previews import ReleasePreview
from tearline.adapters.view.search import Found, Place, Scenes
from tearline.terms import Broken, Party, TearlineError

__all__ = [
    "IN",
    "OUT",
    "Added",
    "Closing",
    "Found",
    "Item",
    "Match",
    "Notice",
    "Page",
    "Place",
    "Record",
    "ReleasePreview",
    "Released",
    "ReleasedFile",
    "Scene",
    "Scenes",
    "Trouble",
    "View",
    "WantedFile",
    "Writer",
]

OUT, IN = "out", "in"
STATUS_KEPT = timedelta(hours=24)
"""TAXII 2.1, section 4.3: how long a client may ask what became of its request."""

AHEAD = 1_000_000
"""Microseconds: what is dated so far ahead is so because the clock was set back, and is not waited for."""


class _Everything(NamedTuple):
    """A `Match` of every version of every object."""

    ids: None = None
    types: None = None
    spec_versions: None = None
    versions: tuple[str, ...] = ("all",)


_EVERYTHING = _Everything()
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


class Released(NamedTuple):
    """A release in `out`: its id, its date-added, whether it was ever served, the sealed object."""

    release: str
    added: datetime
    served: bool
    body: bytes


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
        secret: bytes,
        key: Ed25519PrivateKey | None = None,
        former: Sequence[Ed25519PublicKey] = (),
        cadence_ms: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        disk: Disk = FILES,
        released: Path | None = None,
    ) -> None:
        """`secret`: this view's own, from which collection ids and `next` tokens are derived. `key` signs the
        logs, `former` did before; who has no key can add to `in` alone. With a cadence, what was added to
        `out` is read from the next tick of the `clock` on. `released`: the folder with links to the files
        that were released to the partner; else it is beside the view.
        """
        self._key, self._tick, self._clock = key, cadence_ms * 1000, clock
        self._engine = disk.open(path, metadata=metadata)
        self._logs = {name: Log(name, f"{node}/{party}/{name}", former) for name in (OUT, IN)}
        self.party = party
        self._released = released or path.with_suffix(".media")
        self.fetched = path.with_suffix(".fetched")
        """The folder into which wanted files are fetched."""
        self.ids = {name: _collection_id(secret, f"{node} {party} {name}") for name in (OUT, IN)}
        self.token_key = hmac.digest(secret, f"next {node} {party}".encode(), "sha256")

    def close(self) -> None:
        self._engine.dispose()

    # --- reading -----------------------------------------------------------------------------------

    # Those that read `out` raise `Closing` while it is, and keep to the cadence.

    def page(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes]:
        """What matches and was added after `after` (microseconds since 1970), in the order of adding.

        To be looked at here. What goes out has to come from `served` or `serve`.
        """
        with self._snapshot(collection) as db:
            return pages.objects(db, collection, match, after, limit, self._before(db, collection))

    def served(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes] | None:
        """As `page`; `None` where something in it was never served, so that it takes `serve`."""
        with self._snapshot(collection) as db:
            page = pages.objects(db, collection, match, after, limit, self._before(db, collection))
            fresh = collection == OUT and held_back.any_unserved(db, page.added)
            return None if fresh else page

    def serve(self, collection: str, match: Match, *, after: int, limit: int) -> Page[bytes]:
        """As `page`; what is in it counts as served from now on, and can be sent.

        That is written in the transaction that reads: a suspension comes before it or after it. It need not
        be on disk yet: if a crash of the machine loses it, a suspension holds back more.
        """
        with self._soon_durable() as db:
            _refuse_closing(db, collection)
            page = pages.objects(db, collection, match, after, limit, self._before(db, collection))
            held_back.mark_served(db, page.added)
            return page

    def manifest(self, collection: str, match: Match, *, after: int, limit: int) -> Page[Record]:
        """As `page`, but what is known of the objects."""
        with self._snapshot(collection) as db:
            return pages.manifest(db, collection, match, after, limit, self._before(db, collection))

    def is_closing(self) -> bool:
        with self._snapshot() as db:
            return held_back.is_closing(db)

    def unserved(self, after: int, limit: int) -> list[tuple[int, str]]:
        """(date-added, release id) of the releases after `after` that were never served, oldest first."""
        with self._snapshot() as db:
            return held_back.unserved(db, after, limit)

    def count_unserved(self) -> int:
        """How many releases were never served, those aside that are being pushed."""
        with self._snapshot() as db:
            return held_back.count_unserved(db)

    def has_fresh_scenes(self) -> bool:
        """Whether the catalogue has something to open: then it takes `open_scenes` before `scenes`."""
        with self._snapshot(OUT) as db:
            return catalogue.any_fresh(db, self._before(db, OUT))

    def open_scenes(self) -> None:
        """Open the catalogue's scenes: their releases count as served from now on; see `serve`."""
        with self._soon_durable() as db:
            _refuse_closing(db, OUT)
            catalogue.open_fresh(db, self._before(db, OUT))

    @contextmanager
    def scenes(self) -> Iterator[Scenes]:
        """The catalogue of what was opened, at one moment. All of it was served, so it can be sent."""
        with self._snapshot() as db:
            yield Scenes(db, self._now())

    def given_scenes(self) -> list[bytes]:
        """The items of all scenes whose release stands in `out`, opened or not: for us to look at."""
        with self._snapshot() as db:
            return catalogue.given(db)

    def held_back(self) -> set[str]:
        """The ids of the releases that are held back."""
        with self._snapshot() as db:
            return held_back.releases(db)

    def objects_of(self, releases: Sequence[str]) -> dict[str, bytes]:
        """The sealed object of each of the releases that stand in `out`, by release id."""
        with self._snapshot() as db:
            return _COLLECTIONS[OUT].released(db, releases)

    def status(self, status_id: str, now: datetime) -> bytes | None:
        """The status resource kept under an id, `None` where it is unknown or more than a day old."""
        query = "SELECT body FROM status WHERE id = ? AND expires > ?"
        with self._snapshot() as db:
            row = db.execute(query, (status_id, _micros(now))).fetchone()
        return None if row is None else bytes(row[0])

    def inbox_after(self, added: int, limit: int) -> list[tuple[int, bytes]]:
        """(date-added, object) of all that the partner gave after `added`, every version, oldest first.

        What it removed since is among them: it was given, and acknowledged.
        """
        with self._snapshot() as db:
            return post.given_after(db, added, limit)

    def released(self) -> Iterator[Released]:
        """All that stands in `out` as releases, in the order of adding, one at a time."""
        query = (
            'SELECT o.release, added, u.added IS NULL, body FROM "out" AS o LEFT JOIN unserved AS u '
            "USING (added) WHERE o.release IS NOT NULL ORDER BY added"
        )
        with self._snapshot() as db:
            for release, added, served, body in db.execute(query):
                yield Released(release, _EPOCH + timedelta(microseconds=added), bool(served), bytes(body))

    def logged(
        self, indexes: Iterable[int], sizes: Iterable[int]
    ) -> tuple[dict[int, bytes], dict[int, bytes]]:
        """Of the log of `out`: entries by number, and its roots by size, as far as it ever was so long."""
        log = self._logs[OUT]
        with self._engine.connect() as db:
            length = log.size(db)
            roots = {size: log.root(db, size) for size in sizes if size <= length}
            return log.entries_at(db, indexes), roots

    def file(self, name: str) -> ReleasedFile | None:
        """The file, or preview of one, that was released under this name, as long as it may be had."""
        with self._snapshot(OUT) as db:
            before = self._before(db, OUT)
            return files.find(db, name, before) or previews.find(db, name, before, self._now())

    def link(self, name: str) -> Path:
        """Where the link to a released file is while it is open."""
        return self._released / name

    def released_files(self) -> list[ReleasedFile]:
        """All files that were ever released, open or not."""
        with self._snapshot() as db:
            return files.released(db)

    def file_state(self, release: str) -> tuple[datetime, bool] | None:
        """Of a release that has a file: its date-added, and whether the file is open."""
        with self._snapshot() as db:
            found = files.state_of(db, release)
        return None if found is None else (_EPOCH + timedelta(microseconds=found[0]), found[1])

    def previews(self) -> list[ReleasePreview]:
        """All previews of released files that were ever put here, shown or not."""
        with self._snapshot() as db:
            return previews.every(db)

    def wanted_files(self, *, here: bool) -> list[WantedFile]:
        """The files that are to be fetched from the partner, or that are here, whole."""
        with self._snapshot() as db:
            return files.wanted(db, here=here)

    def pushed_to(self) -> int:
        """The date-added up to which `out` was pushed and acknowledged, -1 before the first time."""
        with self._snapshot() as db:
            return post.cursor(db, post.PUSHED)

    def pulled_to(self) -> int:
        """The partner's date-added up to which all that it released to us is here, -1 before the first."""
        with self._snapshot() as db:
            return post.cursor(db, post.PULLED)

    def troubles(self, after: int, limit: int) -> list[Notice]:
        """What the node should hear of the post, after the number `after`."""
        with self._snapshot() as db:
            return post.notices(db, after, limit)

    def verify(
        self, key: Ed25519PublicKey, *, taken: int | None = None
    ) -> tuple[dict[str, int], list[Finding]]:
        """Recompute both logs: the size of each by its origin, and what was found changed.

        `taken`: how long the log of `in` was, and was signed, when the node last took objects in. What it
        holds beyond that need not be signed yet. `None`: all of it must be.
        """
        with self._engine.connect() as db:
            sizes = {log.origin: log.size(db) for log in self._logs.values()}
            findings = [finding for log in self._logs.values() for finding in log.verify(db, key)]
        if taken is not None:
            given = self._logs[IN].origin
            waits = (given, Fault.UNSIGNED)
            findings = [each for each in findings if (each.origin, each.fault) != waits or each.start < taken]
            if sizes[given] < taken:
                findings.append(Finding(given, Fault.MISSING, sizes[given], taken))
        return sizes, findings

    # --- writing -----------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[Writer]:
        """A transaction: all of it is durable when the block ends, or nothing where it raises."""
        with self._engine.begin() as db:
            writer = Writer(db, self._logs, self._key)
            yield writer
            if writer.took and self._key is not None:
                writer.checkpoint(IN)

    def has_to_push(self) -> bool:
        """Whether there is something in `out` that the partner has not acknowledged."""
        with self._snapshot() as db:
            after = post.cursor(db, post.PUSHED)
            return bool(pages.objects(db, OUT, _EVERYTHING, after, 1, self._before(db, OUT)).items)

    def push(self, limit: int) -> tuple[int, Page[bytes]]:
        """What comes next in `out`, every version, marked as being pushed: it can be sent. Until `pushed` or
        `push_failed` tells what became of it, no suspension holds it back. Raises `Closing`.

        The number is the date-added up to which the partner has acknowledged `out` so far.
        """
        with self._soon_durable() as db:
            _refuse_closing(db, OUT)
            after = post.cursor(db, post.PUSHED)
            page = pages.objects(db, OUT, _EVERYTHING, after, limit, self._before(db, OUT))
            held_back.mark_pushing(db, page.added)
            return after, page

    def pushed(self, page: Page[bytes], refused: Sequence[tuple[int, str]] = ()) -> None:
        """The partner has acknowledged a page, but for what it `refused`: (date-added, why).

        Need not be on disk yet: what is pushed twice changes nothing.
        """
        with self._soon_durable() as db:
            held_back.mark_served(db, page.added)
            post.set_cursor(db, post.PUSHED, page.last)
            for added, why in refused:
                post.note(db, Trouble.UNDELIVERED, _COLLECTIONS[OUT].name_of(db, added), why)

    def push_failed(self) -> bool:
        """What is marked as being pushed did not arrive, or it is not known that it did.

        Where there is such, it returns true, and nothing of `out` is read until the node has looked at it.
        """
        with self._soon_durable() as db:
            return held_back.push_failed(db)

    def sign_inbox(self, seen: int) -> int:
        """Sign the log of `in`; returns how long it is. What the partner removed of that up to the date-added
        `seen`, which the node has taken in, is no longer kept. Raises `Broken` without a key."""
        with self.begin() as writer:
            writer.checkpoint(IN)
            post.forget_removed(writer.driver, seen)
            return self._logs[IN].size(writer.db)

    def forget_troubles(self, to: int) -> None:
        """The node has heard of the troubles up to the number `to`."""
        with self._soon_durable() as db:
            post.forget_notices(db, to)

    @contextmanager
    def _snapshot(self, collection: str = "") -> Iterator[sqlite3.Connection]:
        """The driver's own connection, for reading: the state of one moment."""
        with self._borrowed() as db:
            db.execute("BEGIN")
            _refuse_closing(db, collection)
            yield db

    @contextmanager
    def _soon_durable(self) -> Iterator[sqlite3.Connection]:
        """A transaction that a crash of the machine, not of the program, may undo: without a sync."""
        with self._borrowed() as db:
            db.execute("PRAGMA synchronous = NORMAL")
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                db.execute("PRAGMA synchronous = FULL")

    def _now(self) -> int:
        return _micros(self._clock())

    def _before(self, db: sqlite3.Connection, collection: str) -> int:
        """The date-added from which on nothing is read yet: the tick that has begun."""
        if collection != OUT or not self._tick:
            return FOREVER
        now = self._now()
        if _COLLECTIONS[OUT].last(db) > now + AHEAD:
            return FOREVER
        return now - now % self._tick

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        lent = self._engine.raw_connection()
        try:
            yield cast(sqlite3.Connection, lent.driver_connection)
        finally:
            lent.close()  # rolls back


class Writer:
    """What can be done in one transaction of a view."""

    def __init__(self, db: Connection, logs: dict[str, Log], key: Ed25519PrivateKey | None) -> None:
        self.db = db
        self.logs = logs
        self._key = key
        self.took = False
        """Whether the log of `in` has grown, so that the transaction ends in a checkpoint of it."""
        self.driver = cast(sqlite3.Connection, db.connection.driver_connection)

    def has_release(self, releases: Sequence[str]) -> set[str]:
        """Those of the release ids that are in the view already, be they held back."""
        held = held_back.releases_of(self.driver, releases)
        return held | _COLLECTIONS[OUT].has_release(self.driver, releases)

    def add(self, collection: str, items: Sequence[Item], at: datetime) -> list[Added]:
        """Add objects; see `Collection.add`. What of `in` is new is entered in its log.

        An entry of that log is the SHA-256 of the object as it is stored, then its id.
        """
        answers = _COLLECTIONS[collection].add(self.driver, items, _micros(at))
        if collection == IN:
            fresh = zip(items, answers, strict=True)
            entries = [_entry(item.body, item.id) for item, answer in fresh if answer.became == "added"]
            if entries:
                self._log_taken(entries)
        return answers

    def add_scene(self, release: str, scene: Scene) -> None:
        """Put into the catalogue the scene of a release, which was added to `out` before.

        It is held back and comes back with its release.
        """
        catalogue.add(self.driver, release, scene)

    def remove_scenes(self, releases: Sequence[str]) -> None:
        """Take out of the catalogue for good the scenes of these releases, as far as they have one."""
        catalogue.remove(self.driver, releases)

    def remove(self, match: Match) -> int:
        """Remove versions of the ids in `match` from `in`; returns how many. The log keeps their digests.

        The node takes in what it has not yet taken all the same: it was acknowledged (law 8).
        """
        gone = _COLLECTIONS[IN].delete(self.driver, match)
        if gone:
            post.keep_removed(self.driver, [(record.added, body) for record, body in gone])
            self._log_taken([_entry(body, f"{record.id} removed") for record, body in gone])
        return len(gone)

    def pulled(self, start: int, to: int) -> None:
        """`in` now holds all that the partner released to us after its date-added `start`, up to `to`.

        Where something before `start` is missing, it is left to be pulled.
        """
        here = post.cursor(self.driver, post.PULLED)
        if start <= here < to:
            post.set_cursor(self.driver, post.PULLED, to)

    def refused(self, what: str, why: str) -> None:
        """Note for the node that something which it pulled could not be put into `in`."""
        post.note(self.driver, Trouble.REFUSED, what, why)

    def release_files(self, released: Iterable[ReleasedFile]) -> None:
        """Let these files be had, where their links are there."""
        files.release(self.driver, released)

    def add_previews(self, added: Iterable[ReleasePreview], since: datetime) -> None:
        """Put these into the catalogue's items, from `since` on."""
        previews.add(self.driver, added, _micros(since))

    def open_files(self, names: Iterable[str], *, is_open: bool) -> None:
        """From now on these released files can be had, or cannot."""
        files.set_open(self.driver, names, is_open=is_open)

    def want_files(self, wanted: Iterable[WantedFile]) -> None:
        """Let the post room fetch these from the partner."""
        files.want(self.driver, wanted)

    def file_came(self, name: str) -> None:
        """A wanted file is here, whole and durable."""
        files.came(self.driver, name)

    def forget_files(self, names: Iterable[str]) -> None:
        """These are wanted no more; who calls it removes what was fetched."""
        files.forget(self.driver, names)

    def set_closing(self, closing: bool) -> None:
        """Let nothing of `out` be read until further notice, or let it be read again."""
        held_back.set_closing(self.driver, closing)

    def hold_back(self, added: Sequence[int]) -> None:
        """Hold back the releases with these dates-added, as far as they were never served."""
        catalogue.follow(self.driver, held_back.hold_back(self.driver, _COLLECTIONS[OUT], added))

    def hold_back_unnamed(self) -> None:
        """Hold back what was never served and is named by no release that is not held back."""
        held_back.hold_back_unnamed(self.driver, _COLLECTIONS[OUT])

    def put_back(self, releases: Sequence[str], at: datetime) -> set[str]:
        """Add again, as new, what is held back of these releases; returns their ids."""
        back = held_back.put_back(self.driver, _COLLECTIONS[OUT], releases, _micros(at))
        catalogue.follow(self.driver, list(back))
        return back

    def _log_taken(self, entries: list[bytes]) -> None:
        self.logs[IN].append(self.db, entries)
        self.took = True

    def put_status(self, status_id: str, body: bytes, now: datetime) -> None:
        """Keep a status resource for a day; those that are older go."""
        self.driver.execute("DELETE FROM status WHERE expires <= ?", (_micros(now),))
        self.driver.execute(
            "INSERT INTO status VALUES (?, ?, ?)", (status_id, _micros(now + STATUS_KEPT), body)
        )

    def checkpoint(self, collection: str) -> str:
        """Sign the log of a collection as it stands in this transaction. Raises `Broken` without a key."""
        if self._key is None:
            raise Broken("a view that was opened without a key signs nothing")
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

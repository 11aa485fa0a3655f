"""Receipts given and received, and what was seen of the logs that partners keep of what they give us.

What was seen of a log counts within one *era* of it: when officers settle a fork, a new era begins, in which
nothing of the old one is held against the giver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
import orjson
from sqlalchemy import (
    BLOB,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    func,
    insert,
    select,
    update,
)

from tearline.adapters.prepared import driver
from tearline.adapters.store.relations import next_generation
from tearline.adapters.store.tables import metadata
from tearline.terms import Party

_sighting = Table(
    "sighting",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("giver", String, nullable=False),
    Column("release_id", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("became", String),
    Column("receipt", String),
    Column("proof", BLOB, nullable=False),
)
"""Each release as its giver proved it. `became`, `receipt` (the release id of a message): if receipted."""
Index("sighting_release", _sighting.c.giver, _sighting.c.release_id)

_seen = Table(
    "seen_checkpoint",
    metadata,
    Column("giver", String, primary_key=True),
    Column("era", Integer, primary_key=True),
    Column("size", Integer, primary_key=True),
    Column("root", BLOB, nullable=False),
    Column("sighting", Integer, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("linked_at", String),
    sqlite_with_rowid=False,
)
Index(
    "seen_checkpoint_open", _seen.c.giver, _seen.c.era, _seen.c.size, sqlite_where=_seen.c.linked_at.is_(None)
)

_node = Table(
    "seen_subtree",
    metadata,
    Column("giver", String, primary_key=True),
    Column("era", Integer, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("hash", BLOB, nullable=False),
    Column("sighting", Integer, nullable=False),
    sqlite_with_rowid=False,
)

_fork = Table(
    "fork",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("giver", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("found_at", String, nullable=False),
    Column("before", BLOB, nullable=False),
    Column("now", BLOB, nullable=False),
    Column("settled_at", String),
    Column("officer", String),
    Column("why", String),
)
"""Two histories of one log. `before`, `now`: the proofs that tell them, each with its signed note."""

_receipt = Table(
    "receipt",
    metadata,
    Column("release_id", String, primary_key=True),
    Column("partner", String, nullable=False),
    Column("received_at", String, nullable=False),
    Column("sealed", BLOB, nullable=False),
)
"""Receipts that partners gave us, each as it came sealed."""

_line = Table(
    "receipt_line",
    metadata,
    Column("partner", String, primary_key=True),
    Column("release_id", String, primary_key=True),
    Column("receipt", String, primary_key=True),
    Column("became", String, nullable=False),
    Column("difference", String),
    sqlite_with_rowid=False,
)

Coordinate = tuple[int, int]
"""(level, index) of a complete subtree, as in `ledger.tree`."""

Table(
    "asked",
    metadata,
    Column("partner", String, primary_key=True),
    Column("size", Integer, nullable=False),
)
"""The size of our log to a partner that the partner cannot link yet."""


class Fork(msgspec.Struct, frozen=True):
    """A giver's log was found to have two histories, as two encoded proofs tell.

    `settled_at`, `officer`, `why`: where it is settled.
    """

    number: int
    giver: Party
    rule: str
    found_at: str
    before: bytes
    now: bytes
    settled_at: str | None = None
    officer: str | None = None
    why: str | None = None


class Sighting(msgspec.Struct, frozen=True):
    """A release as it was proved to us (encoded), and the receipt that we gave."""

    release_id: str
    became: str | None
    receipt: str | None
    proof: bytes


class Checkpoints(msgspec.Struct, frozen=True):
    """What was seen of a log in the present era: how many checkpoints, the widest, and the open ones.

    `open`: (size, seen at) of those that no wider one has told yet.
    """

    seen: int
    widest: int
    open: list[tuple[int, str]]


class Received(msgspec.Struct, frozen=True):
    """A line of a receipt that a partner gave us."""

    release_id: str
    receipt: str
    became: str
    difference: str | None
    received_at: str


# --- What is known of a giver's log ---------------------------------------------------------------


def standing_of_log(db: Connection, giver: Party) -> tuple[int, bool, int]:
    """How it stands with a giver's log: its era (how many of its forks were settled), whether a fork is open,
    and the number of the next sighting."""
    row = (
        driver(db)
        .execute(
            "SELECT (SELECT count(*) FROM fork WHERE giver = ?1 AND settled_at IS NOT NULL),"
            " EXISTS (SELECT 1 FROM fork WHERE giver = ?1 AND settled_at IS NULL),"
            " (SELECT coalesce(max(seq), 0) + 1 FROM sighting)",
            (giver,),
        )
        .fetchone()
    )
    return row[0], bool(row[1]), row[2]


def add_sightings(db: Connection, giver: Party, rows: Iterable[tuple[int, str, int, bytes]]) -> None:
    """Keep (number, release id, size, encoded proof) as they came."""
    values = [(seq, giver, release, size, proof) for seq, release, size, proof in rows]
    if values:
        driver(db).executemany(
            "INSERT INTO sighting (seq, giver, release_id, size, proof) VALUES (?, ?, ?, ?, ?)", values
        )


def sighting_proof(db: Connection, number: int) -> bytes:
    """The proof with this number."""
    return bytes(db.execute(select(_sighting.c.proof).where(_sighting.c.seq == number)).scalar_one())


def seen_checkpoints(
    db: Connection, giver: Party, era: int, sizes: Iterable[int]
) -> dict[int, tuple[bytes, int, bool]]:
    """Of the checkpoints seen of these sizes: root, number of the sighting, whether it is linked."""
    rows = driver(db).execute(
        "SELECT size, root, sighting, linked_at FROM seen_checkpoint"
        " WHERE giver = ? AND era = ? AND size IN (SELECT value FROM json_each(?))",
        (giver, era, orjson.dumps(list(sizes)).decode()),
    )
    return {size: (root, sighting, linked is not None) for size, root, sighting, linked in rows}


def seen_subtrees(
    db: Connection, giver: Party, era: int, wanted: Iterable[Coordinate]
) -> dict[Coordinate, tuple[bytes, int]]:
    """Of the complete subtrees that were told: hash, number of the sighting that first told it."""
    rows = driver(db).execute(
        "SELECT level, idx, hash, sighting FROM json_each(?) AS wanted CROSS JOIN seen_subtree"
        " WHERE giver = ? AND era = ? AND level = json_extract(wanted.value, '$[0]')"
        " AND idx = json_extract(wanted.value, '$[1]')",
        (orjson.dumps(list(wanted)).decode(), giver, era),
    )
    return {(level, index): (value, sighting) for level, index, value, sighting in rows}


def add_seen_log(
    db: Connection,
    giver: Party,
    era: int,
    at: str,
    *,
    checkpoints: Iterable[tuple[int, bytes, int, bool]],
    linked: Iterable[int],
    subtrees: Iterable[tuple[int, int, bytes, int]],
) -> None:
    """Keep new checkpoints (size, root, sighting, linked), which older ones are linked now, and subtrees
    (level, index, hash, sighting)."""
    for sql, rows in (
        (
            "INSERT INTO seen_checkpoint VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(giver, era, size, root, by, at, at if ok else None) for size, root, by, ok in checkpoints],
        ),
        (
            "UPDATE seen_checkpoint SET linked_at = ? WHERE giver = ? AND era = ? AND size = ?",
            [(at, giver, era, size) for size in linked],
        ),
        ("INSERT INTO seen_subtree VALUES (?, ?, ?, ?, ?, ?)", [(giver, era, *row) for row in subtrees]),
    ):
        if rows:
            driver(db).executemany(sql, rows)


def seen_roots(db: Connection, giver: Party, sizes: Iterable[int]) -> set[tuple[int, bytes]]:
    """The (size, root) ever seen of a giver's log at these sizes, whatever the era."""
    rows = select(_seen.c.size, _seen.c.root).where(_seen.c.giver == giver, _seen.c.size.in_(list(sizes)))
    return {(size, root) for size, root in db.execute(rows)}


def checkpoints(db: Connection, giver: Party) -> Checkpoints:
    """What was seen of a giver's log in the present era."""
    mine = (_seen.c.giver == giver) & (_seen.c.era == standing_of_log(db, giver)[0])
    count, widest = db.execute(select(func.count(), func.max(_seen.c.size)).where(mine)).one()
    open_ = mine & _seen.c.linked_at.is_(None) & (_seen.c.size < (widest or 0))
    rows = db.execute(select(_seen.c.size, _seen.c.seen_at).where(open_).order_by(_seen.c.size))
    return Checkpoints(count, widest or 0, [(size, at) for size, at in rows])


def first_open(db: Connection, giver: Party) -> int | None:
    """The smallest checkpoint that is open: not linked, and not the widest."""
    rows = driver(db).execute(
        "SELECT size FROM seen_checkpoint WHERE giver = ?1 AND linked_at IS NULL AND era ="
        " (SELECT count(*) FROM fork WHERE giver = ?1 AND settled_at IS NOT NULL) ORDER BY size LIMIT 2",
        (giver,),
    )
    found = [size for (size,) in rows]
    return found[0] if len(found) > 1 else None


# --- Forks ----------------------------------------------------------------------------------------


def add_fork(db: Connection, giver: Party, rule: str, before: bytes, now: bytes, at: str) -> None:
    """Keep the evidence of a fork: from now on nothing is taken from this giver."""
    values = {"giver": giver, "rule": rule, "before": before, "now": now, "found_at": at}
    db.execute(insert(_fork).values(values))
    next_generation(db)


def settle_fork(db: Connection, giver: Party, at: str, officer: str, why: str) -> bool:
    """Settle the open fork of a giver; tells whether there was one."""
    open_ = (_fork.c.giver == giver) & _fork.c.settled_at.is_(None)
    done = db.execute(update(_fork).where(open_).values(settled_at=at, officer=officer, why=why))
    if done.rowcount:
        next_generation(db)
    return done.rowcount > 0


def forked(db: Connection) -> dict[Party, str]:
    """The givers with a fork that is not settled, and since when."""
    rows = db.execute(select(_fork.c.giver, _fork.c.found_at).where(_fork.c.settled_at.is_(None)))
    return {row.giver: row.found_at for row in rows}


def forks(db: Connection, giver: Party | None = None) -> list[Fork]:
    """Every fork found, the oldest first."""
    query = select(_fork).order_by(_fork.c.seq)
    if giver is not None:
        query = query.where(_fork.c.giver == giver)
    return [
        Fork(
            number=row.seq,
            giver=row.giver,
            rule=row.rule,
            found_at=row.found_at,
            before=row.before,
            now=row.now,
            settled_at=row.settled_at,
            officer=row.officer,
            why=row.why,
        )
        for row in db.execute(query)
    ]


# --- Receipts -------------------------------------------------------------------------------------


def mark_receipted(db: Connection, rows: Iterable[tuple[int, str]], receipt: str) -> None:
    """These sightings (number, what became of the release) are in a receipt that we give."""
    driver(db).executemany(
        "UPDATE sighting SET became = ?, receipt = ? WHERE seq = ?",
        [(became, receipt, number) for number, became in rows],
    )


def sightings(db: Connection, giver: Party) -> Iterator[Sighting]:
    """Every release as this giver proved it to us, in the order in which they came."""
    columns = (_sighting.c.release_id, _sighting.c.became, _sighting.c.receipt, _sighting.c.proof)
    query = select(*columns).where(_sighting.c.giver == giver).order_by(_sighting.c.seq)
    for release, became, receipt, proof in db.execution_options(yield_per=200).execute(query):
        yield Sighting(release, became, receipt, proof)


def add_receipt(
    db: Connection,
    release_id: str,
    partner: Party,
    at: str,
    sealed: bytes,
    lines: Mapping[str, tuple[str, str | None]],
) -> None:
    """Keep a receipt that a partner gave us; `lines`: what became of each release, and how it differs."""
    driver(db).execute("INSERT INTO receipt VALUES (?, ?, ?, ?)", (release_id, partner, at, sealed))
    driver(db).executemany(
        "INSERT INTO receipt_line VALUES (?, ?, ?, ?, ?)",
        [(partner, release, release_id, became, differs) for release, (became, differs) in lines.items()],
    )


def receipts(db: Connection, partner: Party) -> Iterator[tuple[str, bytes]]:
    """(release id, sealed receipt) of all that a partner gave us, in the order in which they came."""
    query = select(_receipt.c.release_id, _receipt.c.sealed).where(_receipt.c.partner == partner)
    rows = db.execute(query.order_by(_receipt.c.received_at, _receipt.c.release_id))
    return ((release, sealed) for release, sealed in rows)


def receipt_names(db: Connection) -> list[tuple[Party, str]]:
    """(partner, release id) of every receipt that a partner gave us."""
    return [
        (partner, name) for partner, name in db.execute(select(_receipt.c.partner, _receipt.c.release_id))
    ]


def receipt_lines(db: Connection, partner: Party) -> list[Received]:
    """Every line of the receipts that a partner gave us."""
    query = (
        select(
            _line.c.release_id, _line.c.receipt, _line.c.became, _line.c.difference, _receipt.c.received_at
        )
        .join_from(_line, _receipt, _line.c.receipt == _receipt.c.release_id)
        .where(_line.c.partner == partner)
        .order_by(_receipt.c.received_at, _line.c.release_id)
    )
    return [Received(*row) for row in db.execute(query)]


def confirmed(db: Connection, releases: Iterable[str]) -> dict[str, str]:
    """Of these releases those of which a partner's receipt says what we sent, and when the first came.

    One that was refused, or lies in quarantine, is not confirmed.
    """
    query = (
        select(_line.c.release_id, func.min(_receipt.c.received_at))
        .join_from(_line, _receipt, _line.c.receipt == _receipt.c.release_id)
        .where(_line.c.release_id.in_(list(releases)), _line.c.difference.is_(None))
        .where(_line.c.became.in_(["held", "recalled"]))
        .group_by(_line.c.release_id)
    )
    return {release: at for release, at in db.execute(query)}  # noqa: C416 - rows are not pairs to mypy


def set_asked(db: Connection, partner: Party, size: int | None) -> None:
    """Remember which size of our log a partner asks to have linked, if any."""
    if size is None:
        driver(db).execute("DELETE FROM asked WHERE partner = ?", (partner,))
    else:
        driver(db).execute("INSERT OR REPLACE INTO asked VALUES (?, ?)", (partner, size))


def asked(db: Connection, partner: Party) -> int | None:
    """The size of our log that a partner asks to have linked."""
    row = driver(db).execute("SELECT size FROM asked WHERE partner = ?", (partner,)).fetchone()
    return None if row is None else int(row[0])

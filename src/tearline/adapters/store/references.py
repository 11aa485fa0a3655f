"""What refers to what: what partners were given, what waits for it, and the names that objects bear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)

from tearline.adapters.prepared import Prepared, any_of, driver
from tearline.adapters.store import tables as t
from tearline.adapters.store.products import HELD, Held, held_of
from tearline.terms import Party

_given = Table(
    "given",
    t.metadata,
    Column("partner", String, primary_key=True),
    Column("object_id", String, primary_key=True),
    Column("release_id", String, primary_key=True),
    sqlite_with_rowid=False,
)
_parked = Table(
    "parked",
    t.metadata,
    Column("partner", String, primary_key=True),
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("due", String),
    sqlite_with_rowid=False,
)
Index("parked_due", _parked.c.due, sqlite_where=_parked.c.due.is_not(None))
Index("parked_product", _parked.c.product)
_awaited = Table(
    "awaited",
    t.metadata,
    Column("partner", String, primary_key=True),
    Column("object_id", String, primary_key=True),
    Column("product", ForeignKey("product.seq"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("awaited_object", _awaited.c.object_id)
Index("awaited_product", _awaited.c.product)
_name = Table(
    "name",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("object_id", String, nullable=False),
)
Index("name_once", _name.c.name, _name.c.object_id, unique=True)

_GIVEN = """
SELECT given.partner, given.object_id FROM json_each(?) AS wanted
CROSS JOIN given INDEXED BY given_object ON given.object_id = wanted.value
JOIN outbox ON outbox.release_id = given.release_id
WHERE outbox.stopped = 0
"""
Index("given_object", _given.c.object_id)

_DUE = Prepared(
    select(_parked)
    .where(_parked.c.due <= bindparam("now"))
    .order_by(_parked.c.due, _parked.c.product, _parked.c.partner)
    .limit(bindparam("most"))
)
_WAITING_FOR = Prepared(
    select(_parked)
    .join(_awaited, (_awaited.c.partner == _parked.c.partner) & (_awaited.c.product == _parked.c.product))
    .where(_awaited.c.object_id.in_(any_of("ids")))
    .distinct()
    .order_by(_parked.c.product, _parked.c.partner)
)
_UNPARK = [
    Prepared(delete(table).where(table.c.product.in_(any_of("products")))) for table in (_awaited, _parked)
]
_NUMBERED = Prepared(select(*HELD).where(t.product.c.seq.in_(any_of("seqs"))))
_NAMES = Prepared(select(_name).where(_name.c.seq > bindparam("after")).order_by(_name.c.seq))
_BEARERS = Prepared(
    select(t.outcome.c.partner, t.product.c.id)
    .join_from(t.outcome, t.product)
    .where(t.product.c.id.in_(any_of("ids")), t.outcome.c.kind == "whole")
)
_UNJUDGED = Prepared(select(*HELD).where(t.product.c.id.in_(any_of("ids")), t.product.c.considered == 0))


class Parked(NamedTuple):
    """A product that may go to a partner and waits for what it refers to.

    `due`: when it no longer waits for what it can be without; `None` after that.
    """

    partner: Party
    product: int
    due: str | None


def add_given(db: Connection, rows: Iterable[tuple[Party, str, str]]) -> None:
    """Note what releases give: (partner, object id, release id)."""
    _many(db, "INSERT OR IGNORE INTO given (partner, object_id, release_id) VALUES (?, ?, ?)", list(rows))


def given(db: Connection, ids: Collection[str]) -> dict[Party, set[str]]:
    """Those of the objects `ids` that each partner was given, or will be: queued, and not stopped."""
    found: dict[Party, set[str]] = {}
    for partner, object_id in driver(db).execute(_GIVEN, (orjson.dumps([*ids]).decode(),)):
        found.setdefault(partner, set()).add(object_id)
    return found


def park(db: Connection, parked: Iterable[tuple[Parked, Iterable[str]]]) -> None:
    """Let products wait for these objects to be given to the partner."""
    rows, awaited = [], []
    for each, ids in parked:
        rows.append((each.partner, each.product, each.due))
        awaited += [(each.partner, ref, each.product) for ref in ids]
    _many(db, "INSERT INTO parked (partner, product, due) VALUES (?, ?, ?)", rows)
    _many(db, "INSERT INTO awaited (partner, object_id, product) VALUES (?, ?, ?)", awaited)


def unpark(db: Connection, which: Iterable[tuple[Party, int]]) -> None:
    """These (partner, product) wait no more."""
    rows = list(which)
    for table in ("awaited", "parked"):
        _many(db, f"DELETE FROM {table} WHERE partner = ? AND product = ?", rows)  # noqa: S608


def unpark_products(db: Connection, products: Collection[int]) -> None:
    """These products wait for nobody: the gate judges them anew for all, or they must not go at all."""
    for each in _UNPARK:
        each(db, products=products)


def no_longer_due(db: Connection, which: Iterable[tuple[Party, int]]) -> None:
    """These wait for what they cannot be without, for however long."""
    _many(db, "UPDATE parked SET due = NULL WHERE partner = ? AND product = ?", list(which))


def wake(db: Connection, releases: Collection[str], at: str) -> None:
    """Look again, from `at` on, at what waits for the objects of these releases: they go after all."""
    waits = select(_awaited.c.partner, _awaited.c.product).join(
        _given, (_given.c.partner == _awaited.c.partner) & (_given.c.object_id == _awaited.c.object_id)
    )
    for partner, product in db.execute(waits.where(_given.c.release_id.in_(releases)).distinct()).all():
        row = (_parked.c.partner == partner) & (_parked.c.product == product)
        db.execute(update(_parked).where(row).values(due=at))


def is_due(db: Connection, now: str) -> bool:
    """Whether something has waited long enough for what it can be without."""
    return db.execute(select(_parked.c.product).where(_parked.c.due <= now).limit(1)).first() is not None


def due(db: Connection, now: str, limit: int) -> list[Parked]:
    """Those of which `is_due` tells, in the order in which they are due."""
    return [Parked(*row) for row in _DUE(db, now=now, most=limit)]


def waiting_for(db: Connection, ids: Collection[str]) -> list[Parked]:
    """What waits for one of these objects."""
    return [Parked(*row) for row in _WAITING_FOR(db, ids=ids)]


def parked(db: Connection) -> list[Parked]:
    """All that waits, by product and partner."""
    rows = db.execute(select(_parked).order_by(_parked.c.product, _parked.c.partner))
    return [Parked(*row) for row in rows]


def numbered(db: Connection, seqs: Collection[int]) -> dict[int, Held]:
    """Products by their numbers."""
    return {row[0]: held_of(row) for row in _NUMBERED(db, seqs=seqs)}


def _many(db: Connection, statement: str, rows: Sequence[tuple[str | int | None, ...]]) -> None:
    # On the driver: a file of thousands of relationships parks as many rows for every partner.
    if rows:
        driver(db).executemany(statement, rows)


# --- Names ---------------------------------------------------------------------------------------


def add_names(db: Connection, object_id: str, names: Iterable[str]) -> None:
    """Note the names that an object bears."""
    rows = [(name, object_id) for name in sorted(names)]
    _many(db, "INSERT OR IGNORE INTO name (name, object_id) VALUES (?, ?)", rows)


def names(db: Connection, after: int) -> Iterator[tuple[int, str, str]]:
    """(number, name, object id) of those noted after the number `after`."""
    return ((seq, name, object_id) for seq, name, object_id in _NAMES(db, after=after))


def bearers(db: Connection, object_ids: Collection[str]) -> tuple[dict[Party, set[str]], list[Held]]:
    """Of these objects: those that the gate lets each partner have, and the versions it has yet to judge."""
    found: dict[Party, set[str]] = {}
    for partner, object_id in _BEARERS(db, ids=object_ids):
        found.setdefault(partner, set()).add(object_id)
    return found, [held_of(row) for row in _UNJUDGED(db, ids=object_ids)]

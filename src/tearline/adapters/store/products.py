"""Products: held, waiting for the gate, in quarantine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from tearline.adapters.prepared import Prepared, any_of, columns
from tearline.adapters.store import tables as t
from tearline.terms import Category, Party, Product

decode_product = msgspec.json.Decoder(Product).decode

HELD = (t.product.c.seq, t.product.c.digest, t.product.c.received_as, t.product.c.body)
"""The columns of a `Held`, as `held_of` takes them."""

_PENDING = Prepared(
    select(*HELD).where(t.product.c.considered == 0).order_by(t.product.c.seq).limit(bindparam("most"))
)
_VERSION = Prepared(
    select(*HELD, t.product.c.quarantine).where(
        t.product.c.originator == bindparam("originator"),
        t.product.c.id == bindparam("id"),
        t.product.c.version == bindparam("version"),
    )
)
_ADD = Prepared(
    insert(t.product)
    .values(columns("id", "version", "originator", "category", "digest", "body", "quarantine", "received_as"))
    .returning(t.product.c.seq)
)
_QUARANTINED = Prepared(
    select(t.product.c.seq).where(t.product.c.seq.in_(any_of("seqs")), t.product.c.quarantine.is_not(None))
)
_CONSIDERED = Prepared(update(t.product).where(t.product.c.seq.in_(any_of("seqs"))).values(considered=1))


class Held(msgspec.Struct, frozen=True):
    """A product as the node holds it: its number here, its body's SHA-256, the release it came by."""

    seq: int
    digest: str
    received_as: str | None
    product: Product


def encode_product(product: Product) -> bytes:
    """The stored form of a product: the same bytes for equal products."""
    return t.encode(product)


def known_digest(db: Connection, product: Product) -> str | None:
    """The digest under which this version of this product is held already, if it is."""
    return db.execute(
        select(t.product.c.digest).where(
            t.product.c.originator == product.originator,
            t.product.c.id == product.id,
            t.product.c.version == product.version,
        )
    ).scalar()


def add_product(
    db: Connection,
    product: Product,
    body: bytes,
    digest: str,
    *,
    quarantine: str | None,
    received_as: str | None,
) -> int:
    """Hold a new product; returns its number. It waits for the gate."""
    added = _ADD(
        db,
        id=product.id,
        version=product.version,
        originator=product.originator,
        category=product.category.value,
        digest=digest,
        body=body,
        quarantine=quarantine,
        received_as=received_as,
    )
    return int(added.fetchall()[0][0])


def held_version(db: Connection, product: Product) -> tuple[Held, bool] | None:
    """The same version of the same product as it is held, and whether it is in quarantine."""
    row = _VERSION(db, originator=product.originator, id=product.id, version=product.version).fetchone()
    return None if row is None else (held_of(row), row[4] is not None)


def reconsider(db: Connection) -> int:
    """Let all that is not in quarantine wait for the gate again; returns how many."""
    open_ = t.product.c.quarantine.is_(None)
    db.execute(delete(t.outcome).where(t.outcome.c.product.in_(select(t.product.c.seq).where(open_))))
    return db.execute(update(t.product).where(open_).values(considered=0)).rowcount


def replace_product(db: Connection, seq: int, product: Product, digest: str) -> None:
    """Put a resolved product in the place of its quarantined self: it waits for the gate again."""
    db.execute(delete(t.outcome).where(t.outcome.c.product == seq))
    db.execute(
        update(t.product)
        .where(t.product.c.seq == seq)
        .values(body=encode_product(product), digest=digest, quarantine=None, considered=0)
    )


def held_of(row: Sequence[Any]) -> Held:
    """A row that begins with the columns `HELD` as a product."""
    return Held(row[0], row[1], row[2], decode_product(row[3]))


def pending(db: Connection, limit: int) -> list[Held]:
    """The next products that the gate has not considered, oldest first."""
    return [held_of(row) for row in _PENDING(db, most=limit)]


def quarantined(db: Connection) -> list[tuple[str, str, str]]:
    """(id, version, reason) of every product in quarantine, oldest first."""
    rows = db.execute(
        select(t.product.c.id, t.product.c.version, t.product.c.quarantine)
        .where(t.product.c.quarantine.is_not(None))
        .order_by(t.product.c.seq)
    )
    return [(product_id, version, reason) for product_id, version, reason in rows]


def in_quarantine(db: Connection, product_id: str) -> list[Held]:
    """The quarantined versions of one product."""
    rows = db.execute(
        select(*HELD)
        .where(t.product.c.quarantine.is_not(None), t.product.c.id == product_id)
        .order_by(t.product.c.seq)
    )
    return [held_of(row) for row in rows]


def held(db: Connection) -> Iterator[Held]:
    """Every product held, oldest first, one at a time."""
    rows = db.execution_options(yield_per=200).execute(select(*HELD).order_by(t.product.c.seq))
    return (held_of(row) for row in rows)


def products_after(db: Connection, number: int, limit: int) -> list[Held]:
    """The next products held, in the order in which they came."""
    rows = db.execute(select(*HELD).where(t.product.c.seq > number).order_by(t.product.c.seq).limit(limit))
    return [held_of(row) for row in rows]


def newest_product(db: Connection) -> int:
    """The number of the product that came last; 0 where none did."""
    return db.execute(select(func.max(t.product.c.seq))).scalar() or 0


def digest_of(db: Connection, number: int) -> str | None:
    """The digest under which a product is held, by its number."""
    return db.execute(select(t.product.c.digest).where(t.product.c.seq == number)).scalar()


def quarantined_among(db: Connection, numbers: Collection[int]) -> frozenset[int]:
    """Which of these products are in quarantine."""
    return frozenset(number for (number,) in _QUARANTINED(db, seqs=numbers))


def products_named(db: Connection, originator: Party, product_id: str) -> list[Held]:
    """Every version held of a product, oldest first."""
    of = (t.product.c.originator == originator) & (t.product.c.id == product_id)
    return [held_of(row) for row in db.execute(select(*HELD).where(of).order_by(t.product.c.seq))]


class About(msgspec.Struct, frozen=True):
    """What a product is about: a fifth of the work of decoding all of it."""

    id: str
    originator: Party
    category: Category
    topics: tuple[str, ...]
    regions: tuple[str, ...]
    created: datetime


class _Text(msgspec.Struct, frozen=True):
    id: str
    content: bytes


_ABOUT, _TEXT = msgspec.json.Decoder(About), msgspec.json.Decoder(_Text)


def about(db: Connection) -> Iterator[tuple[int, str | None, About]]:
    """Of every product held its number, how it was received and what it is about, oldest first."""
    columns = t.product.c.seq, t.product.c.received_as, t.product.c.body
    rows = db.execution_options(yield_per=1_000).execute(select(*columns).order_by(t.product.c.seq))
    return ((seq, received_as, _ABOUT.decode(body)) for seq, received_as, body in rows)


def contents(db: Connection, originator: Party, category: Category) -> Iterator[tuple[str, bytes]]:
    """Id and content of every such product."""
    some = (t.product.c.originator == originator) & (t.product.c.category == category.value)
    rows = db.execution_options(yield_per=1_000).execute(select(t.product.c.body).where(some))
    return ((found.id, found.content) for found in (_TEXT.decode(body) for (body,) in rows))


def mark_considered(db: Connection, seqs: Sequence[int]) -> None:
    """The gate has answered for these products."""
    _CONSIDERED(db, seqs=seqs)

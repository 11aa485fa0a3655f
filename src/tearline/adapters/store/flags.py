"""Persons whom the vault does not know: where a product seems to name some. Spans, never names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, func, insert, select

from tearline.adapters.store import tables as t
from tearline.adapters.store.products import HELD, Held, held_of
from tearline.terms import Product

Spans = Sequence[tuple[int, int, int]]
"""(portion number from 0, start, end): code points, end exclusive."""

_decode = msgspec.json.Decoder(list[tuple[int, int, int]]).decode


def to_flag(db: Connection, limit: int) -> list[Held]:
    """Considered products that nobody has looked through for unknown persons, oldest first."""
    seen = select(t.person_flag.c.product)
    rows = db.execute(
        select(*HELD)
        .where(t.product.c.considered == 1, t.product.c.seq.not_in(seen))
        .order_by(t.product.c.seq)
        .limit(limit)
    )
    return [held_of(row) for row in rows]


def put_flags(db: Connection, seq: int, spans: Spans) -> None:
    """What was found in product number `seq`; nothing is something too."""
    db.execute(insert(t.person_flag).values(product=seq, names=len(spans), spans=t.encode(spans)))


def flagged(db: Connection, limit: int) -> Iterator[tuple[Product, Spans]]:
    """The newest products with flags, and these."""
    rows = db.execute(
        select(*HELD, t.person_flag.c.spans)
        .join(t.person_flag, t.person_flag.c.product == t.product.c.seq)
        .where(t.person_flag.c.names > 0)
        .order_by(t.product.c.seq.desc())
        .limit(limit)
    )
    for row in rows:
        yield held_of(row).product, _decode(row.spans)


def count_flagged(db: Connection) -> int:
    """How many products have flags."""
    return int(db.execute(select(func.count()).where(t.person_flag.c.names > 0)).scalar_one())

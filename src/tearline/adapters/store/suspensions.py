"""Suspended partners, and the outbox rows that a suspension stops.

`outbox.stopped` is 0 where a row may go, `STOPPED` where a suspension stopped it, and `ASK` where that is
over and the gate has to say whether it may go after all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, insert, select, update

from tearline.adapters.prepared import Prepared, any_of
from tearline.adapters.store import tables as t
from tearline.adapters.store.products import HELD, Held, held_of
from tearline.adapters.store.relations import next_generation
from tearline.agreement.suspension import Suspension
from tearline.terms import Party, Product

STOPPED, ASK = 1, 2
_BATCH = 500

_TO_ASK_ABOUT = Prepared(
    select(*HELD, t.outbox.c.partner, t.outbox.c.release_id, t.outbox.c.form)
    .join_from(t.outbox, t.product)
    .where(t.outbox.c.stopped == ASK)
    .order_by(t.outbox.c.seq)
    .limit(bindparam("most"))
)
_STOPPED = Prepared(
    select(t.outbox.c.release_id).where(t.outbox.c.release_id.in_(any_of("releases")), t.outbox.c.stopped > 0)
)

_decode = msgspec.json.Decoder(Suspension).decode
_decode_product = msgspec.json.Decoder(Product).decode


class Stopped(msgspec.Struct, frozen=True):
    """A release that was stopped, and about which the gate is to be asked."""

    partner: Party
    release_id: str
    form: str
    held: Held


def add_suspension(db: Connection, suspension: Suspension) -> None:
    """Put a suspension in force."""
    row = {"id": suspension.id, "partner": suspension.partner, "body": t.encode(suspension)}
    db.execute(insert(t.suspension).values(row))
    next_generation(db)


def suspensions(db: Connection, partner: Party | None = None) -> list[Suspension]:
    """Those in force, of all partners or of one, in the order in which they came.

    One whose end has come is among them until it is ended; its clause knows the time.
    """
    query = select(t.suspension.c.body).where(t.suspension.c.ended_at.is_(None))
    if partner is not None:
        query = query.where(t.suspension.c.partner == partner)
    return sorted((_decode(body) for (body,) in db.execute(query)), key=lambda each: (each.since, each.id))


def end_suspension(db: Connection, suspension_id: str, at: str) -> None:
    """End one that is in force."""
    db.execute(update(t.suspension).where(t.suspension.c.id == suspension_id).values(ended_at=at))
    next_generation(db)


# --- Outbox rows ----------------------------------------------------------------------------------


def waiting_products(db: Connection, partner: Party) -> Iterator[tuple[str, Product]]:
    """(release id, product) of all that waits in the outbox for a partner."""
    waits = t.outbox.c.delivered_at.is_(None) & (t.outbox.c.stopped == 0)
    return _products(db, (t.outbox.c.partner == partner) & waits)


def stopped_products(db: Connection, partner: Party) -> Iterator[tuple[str, Product]]:
    """(release id, product) of all that suspensions stopped on its way to a partner."""
    return _products(db, (t.outbox.c.partner == partner) & (t.outbox.c.stopped > 0))


def products_of(db: Connection, releases: Iterable[str]) -> dict[str, Product]:
    """The product of each release."""
    return dict(_products(db, t.outbox.c.release_id.in_(list(releases))))


def _products(db: Connection, where: ColumnElement[bool]) -> Iterator[tuple[str, Product]]:
    query = select(t.outbox.c.release_id, t.product.c.body).join_from(t.outbox, t.product).where(where)
    for release, body in db.execute(query):
        yield release, _decode_product(body)


def stop(db: Connection, releases: Iterable[str]) -> list[str]:
    """Stop these releases: none of them counts as delivered. Returns those that were not stopped before."""
    fresh: list[str] = []
    rest = iter(releases)
    while some := list(islice(rest, _BATCH)):
        rows = t.outbox.c.release_id.in_(some) & (t.outbox.c.stopped == 0)
        fresh += db.execute(select(t.outbox.c.release_id).where(rows)).scalars()
        db.execute(update(t.outbox).where(rows).values(stopped=STOPPED, delivered_at=None))
    return fresh


def stop_all(db: Connection, partner: Party, sealed: Iterable[str]) -> list[str]:
    """Stop all that waits for a partner, and of what stands in its view the `sealed`; returns what is new."""
    waits = t.outbox.c.delivered_at.is_(None) & (t.outbox.c.stopped != STOPPED)
    rows = db.execute(select(t.outbox.c.release_id).where((t.outbox.c.partner == partner) & waits)).scalars()
    asked = (t.outbox.c.partner == partner) & (t.outbox.c.stopped == ASK)
    names = [*rows, *sealed]
    db.execute(update(t.outbox).where(asked).values(stopped=STOPPED))
    return stop(db, names)


def ask_about_stopped(db: Connection, partner: Party) -> int:
    """Let the gate be asked about all that was stopped on its way to a partner; returns how many."""
    rows = (t.outbox.c.partner == partner) & (t.outbox.c.stopped == STOPPED)
    return db.execute(update(t.outbox).where(rows).values(stopped=ASK)).rowcount


def to_ask_about(db: Connection, limit: int) -> list[Stopped]:
    """The next releases about which the gate is to be asked, oldest first."""
    rows = _TO_ASK_ABOUT(db, most=limit)
    return [Stopped(partner, release, form, held_of(held)) for *held, partner, release, form in rows]


def settle_stopped(db: Connection, releases: Collection[str], *, go: bool) -> list[str]:
    """Let those of these releases that are stopped go, or leave them stopped; returns them."""
    found = [release for (release,) in _STOPPED(db, releases=releases)]
    if found:
        rows = t.outbox.c.release_id.in_(found)
        db.execute(update(t.outbox).where(rows).values(stopped=0 if go else STOPPED))
    return found

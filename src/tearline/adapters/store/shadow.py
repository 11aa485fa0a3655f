"""Proposed versions that run in shadow, and what they would have decided otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from tearline.adapters.store import tables as t
from tearline.adapters.store.relations import next_generation
from tearline.terms import Party


class Run(msgspec.Struct, frozen=True):
    """A version that runs in shadow, or did. `errors`: of the products seen, those it could not judge."""

    version: str
    manifest: str
    clauses: str
    since: datetime
    until: datetime
    products: int
    errors: int


class Difference(msgspec.Struct, frozen=True):
    """A product that would go to a partner in another form. `product`: its number."""

    product: int
    partner: Party
    form_now: str
    form_then: str
    clause: str


def start_shadow(db: Connection, version: str, since: datetime, until: datetime) -> None:
    """Let a version run in shadow; what it found when it ran before is forgotten."""
    for table in (t.shadow_difference, t.shadow):
        db.execute(delete(table).where(table.c.version == version))
    db.execute(insert(t.shadow).values(version=version, since=t.stamp(since), until=t.stamp(until)))
    next_generation(db)


def shadows(db: Connection) -> list[Run]:
    """Every run, the oldest first."""
    of, text = t.shadow.c, t.agreement.c
    rows = db.execute(
        select(of.version, text.manifest, text.clauses, of.since, of.until, of.products, of.errors)
        .join_from(t.shadow, t.agreement)
        .order_by(of.since, of.version)
    )
    return [
        Run(version, manifest, clauses, _instant(since), _instant(until), products, errors)
        for version, manifest, clauses, since, until, products, errors in rows
    ]


def add_seen(
    db: Connection, version: str, *, products: int, errors: int, differences: Sequence[Difference]
) -> None:
    """Add to what a run has seen. What it said of a product and partner before is replaced."""
    of = t.shadow.c
    db.execute(
        update(t.shadow)
        .where(of.version == version)
        .values(products=of.products + products, errors=of.errors + errors)
    )
    if differences:
        rows = [msgspec.structs.asdict(each) | {"version": version} for each in differences]
        db.execute(insert(t.shadow_difference).prefix_with("OR REPLACE"), rows)


def differences_by_clause(db: Connection, version: str) -> list[tuple[str, Party, str, str, int]]:
    """(clause, partner, form now, form then, how many products)."""
    of = t.shadow_difference.c
    keys = (of.clause, of.partner, of.form_now, of.form_then)
    query = select(*keys, func.count()).where(of.version == version).group_by(*keys).order_by(*keys)
    return [(clause, partner, now, then, count) for clause, partner, now, then, count in db.execute(query)]


def difference_examples(db: Connection, version: str, limit: int) -> list[tuple[str, str, Difference]]:
    """(product id, product version, difference): the newest of each clause and partner."""
    of, product = t.shadow_difference.c, t.product.c
    newest = (
        select(func.max(of.product).label("product"), of.partner, of.clause)
        .where(of.version == version)
        .group_by(of.partner, of.clause)
        .limit(limit)
        .subquery()
    )
    rows = db.execute(
        select(product.id, product.version, of.product, of.partner, of.form_now, of.form_then, of.clause)
        .join_from(
            t.shadow_difference, newest, (of.product == newest.c.product) & (of.partner == newest.c.partner)
        )
        .join(t.product, product.seq == of.product)
        .where(of.version == version)
        .order_by(of.clause, of.partner)
    )
    return [(name, at, Difference(*rest)) for name, at, *rest in rows]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)

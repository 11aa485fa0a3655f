"""What the gate referred to officers, and what they decided.

A decision is `waiting` until its time to be undone is over, then `standing`; `proposed` before, while it
lacks the approvals of other officers. `undone` and `replaced` ones are kept as they were made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, insert, select, tuple_, update

from tearline.adapters.prepared import Prepared, any_of
from tearline.adapters.store import tables as t
from tearline.adapters.store.products import HELD, Held, held_of
from tearline.terms import Party

PROPOSED, WAITING, STANDING = "proposed", "waiting", "standing"
UNDONE, REPLACED = "undone", "replaced"

_STANDING = Prepared(
    select(t.decision.c.product, t.decision.c.partner, t.decision.c.body).where(
        t.decision.c.state == STANDING, t.decision.c.product.in_(any_of("products"))
    )
)
_DUE = Prepared(
    select(t.decision.c.id, t.decision.c.product, t.decision.c.partner)
    .where(t.decision.c.state == WAITING, t.decision.c.due <= bindparam("now"))
    .order_by(t.decision.c.id)
)
_CLEARED = Prepared(
    select(t.cleared.c.product, t.cleared.c.hit).where(t.cleared.c.product.in_(any_of("products")))
)


class Referred(NamedTuple):
    """An answer of the gate that is for an officer. `reasons`: JSON of `terms.Reason`s."""

    held: Held
    partner: Party
    reasons: bytes


class Decided(NamedTuple):
    """A decision as it was made. `body`: JSON of a `gate.Decision`; `at`, `due`: RFC 3339, UTC."""

    id: int
    product: int
    partner: Party
    body: bytes
    officer: str
    why: str
    at: str
    due: str
    state: str


def referred(db: Connection, product_id: str | None = None) -> list[Referred]:
    """What waits for an officer, oldest product first; of one product, or of all."""
    query = (
        select(*HELD, t.outcome.c.partner, t.outcome.c.reasons)
        .join(t.outcome, t.outcome.c.product == t.product.c.seq)
        .where(t.outcome.c.kind == "refer")
        .order_by(t.product.c.seq, t.outcome.c.partner)
    )
    if product_id is not None:
        query = query.where(t.product.c.id == product_id)
    return [Referred(held_of(row), row.partner, row.reasons) for row in db.execute(query)]


def count_referred(db: Connection) -> int:
    """How many answers of the gate are for an officer."""
    return int(db.execute(select(func.count()).where(t.outcome.c.kind == "refer")).scalar_one())


class Counted(NamedTuple):
    """How many undecided referrals there are of one kind. `code`: of the reason that decides."""

    partner: Party
    category: str
    code: str
    number: int


def undecided(
    db: Connection,
    *,
    partner: Party | None = None,
    category: str | None = None,
    code: str | None = None,
    after: tuple[int, Party] | None = None,
    offset: int = 0,
    limit: int,
) -> list[Referred]:
    """A page of what waits for an officer and nobody decided yet, oldest product first."""
    wanted = {t.outcome.c.partner: partner, t.product.c.category: category, t.outcome.c.code: code}
    query = (
        select(*HELD, t.outcome.c.partner, t.outcome.c.reasons)
        .join(t.outcome, t.outcome.c.product == t.product.c.seq)
        .where(_UNDECIDED, *(column == value for column, value in wanted.items() if value is not None))
        .order_by(t.outcome.c.product, t.outcome.c.partner)
        .offset(offset)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(t.outcome.c.product, t.outcome.c.partner) > after)
    return [Referred(held_of(row), row.partner, row.reasons) for row in db.execute(query)]


def count_undecided(db: Connection) -> list[Counted]:
    """What nobody decided yet, counted by partner, category and reason."""
    keys = (t.outcome.c.partner, t.product.c.category, t.outcome.c.code)
    query = select(*keys, func.count()).join(t.product, t.outcome.c.product == t.product.c.seq)
    return [Counted(*row) for row in db.execute(query.where(_UNDECIDED).group_by(*keys).order_by(*keys))]


def _undecided() -> ColumnElement[bool]:
    same = (t.decision.c.product == t.outcome.c.product) & (t.decision.c.partner == t.outcome.c.partner)
    return (t.outcome.c.kind == "refer") & ~exists().where(same, t.decision.c.state == WAITING)


_UNDECIDED = _undecided()


def add_decision(
    db: Connection,
    product: int,
    partner: Party,
    body: bytes,
    *,
    officer: str,
    why: str,
    at: str,
    due: str,
    state: str = WAITING,
) -> int:
    """Keep a decision, in the place of an earlier one on the same; returns its number."""
    same = (t.decision.c.product == product) & (t.decision.c.partner == partner)
    open_ = t.decision.c.state.in_((PROPOSED, WAITING, STANDING))
    db.execute(update(t.decision).where(same, open_).values(state=REPLACED))
    row = {"product": product, "partner": partner, "body": body, "officer": officer, "why": why}
    added = db.execute(insert(t.decision).values(row | {"at": at, "due": due, "state": state}))
    return int((added.inserted_primary_key or (0,))[0])


def decisions(db: Connection, state: str | None = None) -> list[Decided]:
    """All of them, in the order in which they were made; or those in one state."""
    query = select(t.decision).order_by(t.decision.c.id)
    if state is not None:
        query = query.where(t.decision.c.state == state)
    return [Decided(*row) for row in db.execute(query)]


def set_decision(db: Connection, number: int, state: str) -> None:
    """Where a decision stands now."""
    db.execute(update(t.decision).where(t.decision.c.id == number).values(state=state))


def decisions_due(db: Connection, now: str) -> list[tuple[int, int, Party]]:
    """(number, product, partner) of those whose time to be undone is over."""
    return [(number, product, partner) for number, product, partner in _DUE(db, now=now)]


def standing_decisions(db: Connection, products: Collection[int]) -> dict[int, dict[Party, bytes]]:
    """By product and partner: the decisions that stand."""
    found: dict[int, dict[Party, bytes]] = {}
    for product, partner, body in _STANDING(db, products=products):
        found.setdefault(product, {})[partner] = body
    return found


def clear(db: Connection, product: int, hits: Iterable[str], *, officers: str, why: str, at: str) -> None:
    """Keep that these hits in a product are none of the source's."""
    known = cleared(db, [product]).get(product, frozenset())
    rows = [
        {"product": product, "hit": hit, "officers": officers, "why": why, "at": at}
        for hit in sorted(set(hits) - known)
    ]
    if rows:
        db.execute(insert(t.cleared), rows)


def cleared(db: Connection, products: Collection[int]) -> dict[int, frozenset[str]]:
    """By product: the hits that officers cleared, as they were given to `clear`."""
    found: dict[int, set[str]] = {}
    for product, hit in _CLEARED(db, products=products):
        found.setdefault(product, set()).add(hit)
    return {product: frozenset(hits) for product, hits in found.items()}

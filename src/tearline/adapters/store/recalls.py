"""Recalls, and what became of each release that they mean.

A recall means the versions before an instant, of one product by one giver: the node itself, or a partner who
gave it to us. `outbox.stuck` is `CANCELLED` where a recalled release never left: nothing lets it go again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import (
    BLOB,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from tearline.adapters.prepared import Prepared, any_of
from tearline.adapters.store import tables as t
from tearline.adapters.store.products import HELD, Held, held_of
from tearline.adapters.store.relations import next_generation
from tearline.terms import Party, Product

CANCELLED = 2
"""`outbox.stuck` of what was recalled before it left."""
RECALL = "recall"
"""`outbox.form` of a recall."""

OPEN, SERVED, TOLD, REPLACED, NEVER_LEFT, LOST = "open", "served", "told", "replaced", "never-left", "lost"
"""What became of a recalled release. `OPEN`: it stands in the partner's view, and may have been read;
`SERVED`: it was; `TOLD`: a recall went to the outbox; `REPLACED`: the new version of the same object did;
`NEVER_LEFT`: it was cancelled; `LOST`: the view does not have it."""

recall = Table(
    "recall",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("giver", String, nullable=False),
    Column("product", String, nullable=False),
    Column("before", String, nullable=False),
    Column("date", String, nullable=False),
    Column("parties", BLOB),
    Column("replacement", Integer),
    Column("body", BLOB, nullable=False),
)
Index("recall_of", recall.c.product, recall.c.giver)

notice = Table(
    "recall_notice",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("recall", String, nullable=False),
    Column("partner", String, nullable=False),
    Column("product", Integer, nullable=False),
    Column("recalled", String, nullable=False),
    Column("state", String, nullable=False),
    Column("object_id", String),
    Column("version", String),
    Column("replaced_by", BLOB),
    Column("release_id", String),
    UniqueConstraint("recall", "partner", "recalled"),
)
Index("recall_notice_recalled", notice.c.recalled)
Index("recall_notice_due", notice.c.partner, sqlite_where=notice.c.state.in_([OPEN, SERVED]))

_decode_parties = msgspec.json.Decoder(tuple[Party, ...]).decode
_decode_product = msgspec.json.Decoder(Product).decode


_RECALLS = Prepared(select(recall).order_by(recall.c.seq))
_RECALLS_OF = Prepared(select(recall).where(recall.c.product.in_(any_of("products"))).order_by(recall.c.seq))
_CANCELLED = Prepared(
    select(t.outbox.c.release_id).where(
        t.outbox.c.release_id.in_(any_of("releases")), t.outbox.c.stuck == CANCELLED
    )
)


def _versions_of_own() -> Prepared:
    of = t.product.c
    wanted = (of.originator == bindparam("originator")) & of.id.in_(any_of("ids")) & of.quarantine.is_(None)
    several = select(of.id).where(wanted).group_by(of.id).having(func.count() > 1)
    return Prepared(select(*HELD).where(wanted & of.id.in_(several)).order_by(of.version))


_VERSIONS_OF_OWN = _versions_of_own()

_CONSIDERED = select(t.product.c.seq).where(t.product.c.considered == 1)
_READY = select(recall.c.id).where(recall.c.replacement.is_(None) | recall.c.replacement.in_(_CONSIDERED))
_DUE = notice.c.state.in_([OPEN, SERVED]) & ((notice.c.state == OPEN) | notice.c.recall.in_(_READY))
_NOTICES = select(notice).order_by(notice.c.partner, notice.c.seq)
_AFFECTED = Prepared(_NOTICES.where(notice.c.recall == bindparam("recall")))
_OPEN = Prepared(_NOTICES.where(notice.c.partner == bindparam("partner"), notice.c.state == OPEN))
_ALL_DUE = Prepared(_NOTICES.where(_DUE))
_DUE_FOR = Prepared(_NOTICES.where(notice.c.partner == bindparam("partner"), _DUE))
_STANDING = Prepared(
    _NOTICES.where(notice.c.recall.in_(any_of("recalls")), notice.c.state.in_([OPEN, SERVED]))
)
_REPLACED_BY = Prepared(
    select(recall.c.id, recall.c.replacement).where(recall.c.replacement.in_(any_of("replacements")))
)
_IS_RECALLED = notice.c.state.in_([TOLD, LOST]) | (
    notice.c.state.in_([OPEN, SERVED, NEVER_LEFT]) & recall.c.replacement.is_(None)
)
_SPENT = Prepared(
    select(notice.c.recalled, notice.c.recall)
    .join(recall, recall.c.id == notice.c.recall)
    .where(notice.c.recalled.in_(any_of("releases")), _IS_RECALLED)
    .order_by(notice.c.seq)
)


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """A recall as it is kept. `to`: for whom, `None` for everybody; `replacement`: the number of the product
    that comes in its place; `body`: all that was ordered."""

    id: str
    giver: Party
    product: str
    before: str
    date: str
    to: tuple[Party, ...] | None
    replacement: int | None
    body: bytes


class Given(msgspec.Struct, frozen=True):
    """A release that a recall means."""

    partner: Party
    release_id: str
    product: int
    delivered: bool


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """What a recall has to do with one release; see the states above. `release_id`: what told the partner."""

    seq: int
    recall: str
    partner: Party
    product: int
    recalled: str
    state: str
    object_id: str | None
    version: str | None
    replaced_by: bytes | None
    release_id: str | None


def add_recall(db: Connection, kept: Recall) -> None:
    """Keep a recall: from now on the gate lets nothing go that it means."""
    values = msgspec.structs.asdict(kept)
    parties = values.pop("to")
    db.execute(insert(recall).values(values | {"parties": None if parties is None else t.encode(parties)}))
    next_generation(db)


def recalls(db: Connection, products: Collection[str] | None = None) -> list[Recall]:
    """Every recall in the order in which they came, or those of the products with these ids."""
    rows = _RECALLS(db) if products is None else _RECALLS_OF(db, products=products)
    return [
        Recall(
            id=recall_id,
            giver=giver,
            product=product,
            before=before,
            date=date,
            to=None if parties is None else _decode_parties(parties),
            replacement=replacement,
            body=body,
        )
        for _, recall_id, giver, product, before, date, parties, replacement, body in rows
    ]


def versions_held(db: Connection, product_id: str) -> list[Held]:
    """What is held under an id, whoever gave it, the oldest version first."""
    of = t.product.c
    rows = db.execute(select(*HELD).where(of.id == product_id).order_by(of.version, of.seq))
    return [held_of(row) for row in rows]


def versions_of_own(db: Connection, originator: Party, ids: Collection[str]) -> list[Held]:
    """The products of an originator with these ids of which there are several versions not in quarantine."""
    return [held_of(row) for row in _VERSIONS_OF_OWN(db, originator=originator, ids=ids)]


def consider_again(db: Connection, seq: int | None) -> None:
    """Let a product wait for the gate, as if it were new."""
    db.execute(delete(t.outcome).where(t.outcome.c.product == seq))
    db.execute(update(t.product).where(t.product.c.seq == seq).values(considered=0))


def was_given_later(db: Connection, partner: Party, originator: Party, product_id: str, before: str) -> bool:
    """Whether a partner was given a version of a product that is not before this instant."""
    of = t.product.c
    later = (of.originator == originator) & (of.id == product_id) & (of.version >= before)
    given = (t.outbox.c.partner == partner) & (t.outbox.c.form != RECALL) & (t.outbox.c.stuck != CANCELLED)
    query = select(t.outbox.c.seq).join_from(t.outbox, t.product).where(later & given).limit(1)
    return db.execute(query).first() is not None


def product_of(db: Connection, seq: int) -> Product:
    """A product by its number here."""
    return _decode_product(db.execute(select(t.product.c.body).where(t.product.c.seq == seq)).scalar_one())


def releases_meant(db: Connection, kept: Recall) -> list[Given]:
    """The releases that a recall means, by partner; those apart that this very recall has reached before."""
    of = t.product.c
    reached = (
        select(notice.c.recalled)
        .join(recall, recall.c.id == notice.c.recall)
        .where(recall.c.date == kept.date, recall.c.product == kept.product)
    )
    meant: ColumnElement[bool] = (
        (of.originator == kept.giver)
        & (of.id == kept.product)
        & (of.version < kept.before)
        & (t.outbox.c.form != RECALL)
        & (t.outbox.c.stuck != CANCELLED)
        & t.outbox.c.release_id.not_in(reached)
    )
    if kept.to is not None:
        meant &= t.outbox.c.partner.in_(kept.to)
    rows = db.execute(
        select(t.outbox.c.partner, t.outbox.c.release_id, of.seq, t.outbox.c.delivered_at.is_not(None))
        .join_from(t.outbox, t.product)
        .where(meant)
        .order_by(t.outbox.c.partner, t.outbox.c.seq)
    )
    return [Given(*row) for row in rows]


def cancel(db: Connection, releases: Collection[str]) -> None:
    """These releases never left, and never will."""
    rows = t.outbox.c.release_id.in_(releases)
    db.execute(update(t.outbox).where(rows).values(stuck=CANCELLED, delivered_at=None))


def revive(db: Connection, releases: Collection[str]) -> list[str]:
    """Let those of these releases that were cancelled go: a new version brings the same. Returns them."""
    found = [release for (release,) in _CANCELLED(db, releases=releases)]
    if found:
        db.execute(update(t.outbox).where(t.outbox.c.release_id.in_(found)).values(stuck=0, stopped=0))
    return found


def mark_found(db: Connection, releases: Collection[str], at: str) -> None:
    """These releases stand in the partner's view, though that was not yet written down here."""
    rows = t.outbox.c.release_id.in_(releases) & t.outbox.c.delivered_at.is_(None)
    db.execute(update(t.outbox).where(rows).values(delivered_at=at, draft=b""))


# --- What became of each release ------------------------------------------------------------------


def add_affected(db: Connection, recall_id: str, rows: Iterable[tuple[Given, str]]) -> None:
    """Write down which releases a recall means, and how each stands."""
    values = [
        {"recall": recall_id, "partner": given.partner, "product": given.product}
        | {"recalled": given.release_id, "state": state}
        for given, state in rows
    ]
    if values:
        db.execute(insert(notice), values)


def set_affected(db: Connection, seqs: Collection[int], **values: Any) -> None:
    """Write down what became of these."""
    db.execute(update(notice).where(notice.c.seq.in_(seqs)).values(values))


def affected(db: Connection, recall_id: str) -> list[Affected]:
    """The releases that a recall means, by partner."""
    return _affected(_AFFECTED(db, recall=recall_id))


def open_recalled(db: Connection, partner: Party) -> set[str]:
    """The recalled releases that stand in a partner's view and may not have been read."""
    return {row.recalled for row in _affected(_OPEN(db, partner=partner))}


def parties_with_recalls(db: Connection) -> list[Party]:
    """Partners for whom something is to be done."""
    return sorted({row.partner for row in _affected(_ALL_DUE(db))})


def recalls_due(db: Connection, partner: Party) -> list[Affected]:
    """What is to be done for a partner: `OPEN`, or `SERVED` and not waiting for the gate."""
    return _affected(_DUE_FOR(db, partner=partner))


def revisions_waiting(db: Connection, replacements: Collection[int]) -> dict[int, list[Affected]]:
    """By the number of the product that is to come in their place: what waits for the gate's answer on it."""
    by_recall = dict(_REPLACED_BY(db, replacements=replacements).fetchall())
    found: dict[int, list[Affected]] = {}
    for row in _affected(_STANDING(db, recalls=by_recall)) if by_recall else ():
        found.setdefault(by_recall[row.recall], []).append(row)
    return found


def spent(db: Connection, releases: Collection[str]) -> dict[str, str]:
    """Those of the release ids that were recalled from their partner, each with its newest recall.

    What a new version may bring again is not among them: it stands there as it was, or never left.
    """
    return dict(_SPENT(db, releases=releases).fetchall())


def sent(db: Connection, releases: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """Of these releases: whether each is stopped (not 0), and when it was put into the partner's view."""
    of = t.outbox.c
    rows = db.execute(
        select(of.release_id, of.stopped + of.stuck, of.delivered_at).where(of.release_id.in_(releases))
    )
    return {release: (stopped, at) for release, stopped, at in rows}


def _affected(rows: Iterable[tuple[Any, ...]]) -> list[Affected]:
    names = notice.columns.keys()
    return [Affected(**dict(zip(names, row, strict=True))) for row in rows]

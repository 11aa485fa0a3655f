"""Outcomes, the outbox, and how far a node has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from tearline.adapters.prepared import Prepared, any_of, columns, driver
from tearline.adapters.store import tables as t
from tearline.adapters.store.received import count_received
from tearline.terms import Outcome, Party, Reason, Refer, Tearline, Whole

_ADD_OUTCOME = Prepared(
    insert(t.outcome).values(columns("product", "partner", "kind", "code", "clause", "reasons"))
)
_QUEUED = ("partner", "release_id", "product", "form", "draft")
_QUEUE = Prepared(insert(t.outbox).values(columns(*_QUEUED)))
_KNOWN = Prepared(select(t.outbox.c.release_id).where(t.outbox.c.release_id.in_(any_of("ids"))))
_WAITS = "delivered_at IS NULL AND stuck = 0 AND stopped = 0"


class Waiting(msgspec.Struct, frozen=True):
    """An outbox row that has not been delivered."""

    seq: int
    release_id: str
    form: str
    draft: bytes


def add_outcomes(db: Connection, outcomes: Iterable[tuple[int, Outcome]]) -> None:
    """Record the gate's answers: (product number, outcome)."""
    _ADD_OUTCOME.many(
        db, ({"product": seq, "partner": outcome.partner} | _answer(outcome) for seq, outcome in outcomes)
    )


def replace_outcome(db: Connection, seq: int, outcome: Outcome) -> None:
    """Record the gate's new answer for one partner about a product, unless that waits for the gate anyway."""
    row = (t.outcome.c.product == seq) & (t.outcome.c.partner == outcome.partner)
    db.execute(update(t.outcome).where(row).values(_answer(outcome)))


def _answer(outcome: Outcome) -> dict[str, Any]:
    because = _decisive(outcome)
    return {
        "kind": outcome.__struct_config__.tag,
        "code": because.code,
        "clause": because.clause,
        "reasons": t.encode(outcome.reasons),
    }


def _decisive(outcome: Outcome) -> Reason:
    """The reason to count by: what let it go, or why an officer is asked; else the clause that forbade it, or
    the first obstacle."""
    if isinstance(outcome, Whole | Tearline | Refer):
        return outcome.reasons[-1]
    return next((reason for reason in outcome.reasons if reason.clause), outcome.reasons[0])


def add_to_outbox(db: Connection, rows: Sequence[tuple[Party, str, int, str, bytes]]) -> None:
    """Queue what is to go: (partner, release id, product number, form, draft)."""
    _QUEUE.many(db, (dict(zip(_QUEUED, row, strict=True)) for row in rows))


def known_in_outbox(db: Connection, release_ids: Iterable[str]) -> set[str]:
    """Those of the release ids that have been queued before."""
    return {release_id for (release_id,) in _KNOWN(db, ids=list(release_ids))}


def parties_with_waiting(db: Connection) -> list[Party]:
    """Partners for whom something waits in the outbox."""
    rows = driver(db).execute(f"SELECT DISTINCT partner FROM outbox WHERE {_WAITS}")  # noqa: S608
    return sorted(party for (party,) in rows)


def waiting(db: Connection, party: Party, limit: int) -> list[Waiting]:
    """The next undelivered releases for one partner: recalls first, then the oldest."""
    query = (
        "SELECT seq, release_id, form, draft FROM outbox "  # noqa: S608
        f"WHERE partner = ? AND {_WAITS} AND form %s 'recall' ORDER BY seq LIMIT ?"
    )
    recalls = driver(db).execute(query % "=", (party, limit)).fetchall()
    others = driver(db).execute(query % "<>", (party, limit - len(recalls)))
    return [Waiting(*row) for row in (*recalls, *others)]


def mark_delivered(db: Connection, seqs: Sequence[int], at: str) -> None:
    """These outbox rows stand in the partner's view, and need not be kept here too."""
    driver(db).executemany(
        "UPDATE outbox SET delivered_at = ?, draft = x'' WHERE seq = ?", [(at, seq) for seq in seqs]
    )


def mark_stuck(db: Connection, seq: int) -> None:
    """This outbox row cannot be delivered as it is: it stays, undelivered, out of the way of the others."""
    db.execute(update(t.outbox).where(t.outbox.c.seq == seq).values(stuck=1))


def releases(db: Connection) -> list[tuple[Party, str, int, str, str | None]]:
    """Every release: (partner, release id, product number, form, delivered at)."""
    rows = db.execute(
        select(
            t.outbox.c.partner,
            t.outbox.c.release_id,
            t.outbox.c.product,
            t.outbox.c.form,
            t.outbox.c.delivered_at,
        ).order_by(t.outbox.c.seq)
    )
    return [
        (partner, release, product, form, delivered) for partner, release, product, form, delivered in rows
    ]


def copies_given(db: Connection) -> list[tuple[int, Party, str, str, str, str | None]]:
    """What partners have: (product number, partner, release id, form, delivered at, the object's id).

    The last where it is known. Without recalls, and without what was stopped before it was served.
    """
    out, custody = t.outbox.c, t.metadata.tables["custody"].c
    known = (custody.release_id == out.release_id) & (custody.side == "ours")
    query = (
        select(out.product, out.partner, out.release_id, out.form, out.delivered_at, custody.object_id)
        .select_from(t.outbox.outerjoin(t.metadata.tables["custody"], known))
        .where(out.delivered_at.is_not(None), out.stopped == 0, out.form != "recall")
        .order_by(out.seq)
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in db.execute(query)]


class Answer(msgspec.Struct, frozen=True):
    """What became of one product for one partner."""

    partner: Party
    kind: str
    code: str
    clause: str
    """The decisive reason's."""
    forms: str
    """Of the releases that it led to: `whole`, `tearline`; empty where there are none."""
    delivered_at: str | None
    """RFC 3339; of the newest release that is in the partner's view."""


def answers_of(db: Connection, seq: int) -> list[Answer]:
    """What was answered about a product, by partner."""
    rows = db.exec_driver_sql(
        "SELECT o.partner, o.kind, o.code, o.clause, coalesce(group_concat(DISTINCT b.form), ''), "
        "max(b.delivered_at) FROM outcome AS o LEFT JOIN outbox AS b "
        "ON b.product = o.product AND b.partner = o.partner WHERE o.product = ? GROUP BY o.partner",
        (seq,),
    )
    return [Answer(*row) for row in rows]


def tally(db: Connection, *, own: Party | None = None) -> list[tuple[Party, str, str, str, int]]:
    """Outcomes counted: (partner, kind, code, clause, how many); `own`: of its products alone."""
    keys = (t.outcome.c.partner, t.outcome.c.kind, t.outcome.c.code, t.outcome.c.clause)
    query = select(*keys, func.count()).group_by(*keys).order_by(*keys)
    if own is not None:
        query = query.join(t.product, t.outcome.c.product == t.product.c.seq).where(
            t.product.c.originator == own
        )
    return [(partner, kind, code, clause, count) for partner, kind, code, clause, count in db.execute(query)]


def given_by_category(db: Connection) -> list[tuple[str, str, int]]:
    """Releases counted: (category, form, how many)."""
    keys = (t.product.c.category, t.outbox.c.form)
    query = select(*keys, func.count()).join(t.product, t.outbox.c.product == t.product.c.seq).group_by(*keys)
    return [(category, form, count) for category, form, count in db.execute(query)]


class Progress(msgspec.Struct, frozen=True):
    """How far a node has come, in counts."""

    products: int
    considered: int
    released: int
    delivered: int
    received: int


def progress(db: Connection) -> Progress:
    """Counts of products of its own making, those considered, releases, deliveries, releases received."""
    own = select(func.count(), func.coalesce(func.sum(t.product.c.considered), 0)).where(
        t.product.c.received_as.is_(None)
    )
    products, considered = db.execute(own).one()
    released, delivered = db.execute(select(func.count(), func.count(t.outbox.c.delivered_at))).one()
    received = count_received(db)
    return Progress(products, considered, released, delivered, received)

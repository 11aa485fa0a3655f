"""Messages to other nodes: queued with the act that they tell of, sealed with the releases."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.store import tables as t
from tearline.terms import Party


class WaitingMessage(msgspec.Struct, frozen=True):
    """A message that is not yet sealed."""

    seq: int
    release_id: str
    draft: bytes


def add_message(db: Connection, party: Party, release_id: str, kind: str, draft: bytes) -> bool:
    """Queue a message for a partner; tells whether it is new."""
    values = {"partner": party, "release_id": release_id, "kind": kind, "draft": draft}
    done = db.execute(insert(t.message).values(values).on_conflict_do_nothing())
    return done.rowcount == 1


def parties_with_messages(db: Connection) -> list[Party]:
    """Partners for whom a message waits."""
    rows = db.execute(select(t.message.c.partner).where(t.message.c.delivered_at.is_(None)).distinct())
    return sorted(party for (party,) in rows)


def waiting_messages(db: Connection, party: Party, limit: int) -> list[WaitingMessage]:
    """The next messages for one partner that are not sealed, oldest first."""
    rows = db.execute(
        select(t.message.c.seq, t.message.c.release_id, t.message.c.draft)
        .where(t.message.c.partner == party, t.message.c.delivered_at.is_(None))
        .order_by(t.message.c.seq)
        .limit(limit)
    )
    return [WaitingMessage(*row) for row in rows]


def mark_messages_delivered(db: Connection, seqs: Sequence[int], at: str) -> None:
    """These messages stand in the partner's view."""
    db.execute(update(t.message).where(t.message.c.seq.in_(seqs)).values(delivered_at=at, draft=b""))


def messages(db: Connection) -> list[tuple[Party, str, str, str | None]]:
    """Every message to other nodes: (partner, release id, kind, delivered at)."""
    row = t.message.c
    found = db.execute(select(row.partner, row.release_id, row.kind, row.delivered_at).order_by(row.seq))
    return [(partner, release, kind, at) for partner, release, kind, at in found]

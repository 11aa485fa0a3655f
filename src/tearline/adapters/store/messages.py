"""Messages to other nodes: queued with the act that they tell of, sealed with the releases."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.prepared import Prepared, columns, driver
from tearline.adapters.store import tables as t
from tearline.terms import Party

_ADD = Prepared(
    insert(t.message).values(columns("partner", "release_id", "kind", "draft")).on_conflict_do_nothing()
)


class WaitingMessage(msgspec.Struct, frozen=True):
    """A message that is not yet sealed."""

    seq: int
    release_id: str
    draft: bytes


def add_message(db: Connection, party: Party, release_id: str, kind: str, draft: bytes) -> bool:
    """Queue a message for a partner; tells whether it is new."""
    return _ADD(db, partner=party, release_id=release_id, kind=kind, draft=draft).rowcount == 1


def parties_with_messages(db: Connection) -> list[Party]:
    """Partners for whom a message waits."""
    rows = driver(db).execute("SELECT DISTINCT partner FROM message WHERE delivered_at IS NULL")
    return sorted(party for (party,) in rows)


def waiting_messages(db: Connection, party: Party, limit: int) -> list[WaitingMessage]:
    """The next messages for one partner that are not sealed, oldest first."""
    query = (
        "SELECT seq, release_id, draft FROM message "
        "WHERE partner = ? AND delivered_at IS NULL ORDER BY seq LIMIT ?"
    )
    return [WaitingMessage(*row) for row in driver(db).execute(query, (party, limit))]


def mark_messages_delivered(db: Connection, seqs: Sequence[int], at: str) -> None:
    """These messages stand in the partner's view."""
    driver(db).executemany(
        "UPDATE message SET delivered_at = ?, draft = x'' WHERE seq = ?", [(at, seq) for seq in seqs]
    )


def messages(db: Connection) -> list[tuple[Party, str, str, str | None]]:
    """Every message to other nodes: (partner, release id, kind, delivered at)."""
    row = t.message.c
    found = db.execute(select(row.partner, row.release_id, row.kind, row.delivered_at).order_by(row.seq))
    return [(partner, release, kind, at) for partner, release, kind, at in found]

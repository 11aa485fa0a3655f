"""What comes from partners."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, insert, select, update

from tearline.adapters.prepared import Prepared, any_of, columns
from tearline.adapters.store import tables as t
from tearline.terms import Party

MESSAGE = "tearline-message--"
"""How the ids of messages between nodes begin."""

_SEEN = Prepared(select(t.partner.c.inbox_seen).where(t.partner.c.party == bindparam("who")))
_SET_SEEN = Prepared(
    update(t.partner).where(t.partner.c.party == bindparam("who")).values(inbox_seen=bindparam("seq"))
)
_KNOWN = Prepared(
    select(t.received.c.release_id).where(
        t.received.c.giver == bindparam("giver"), t.received.c.release_id.in_(any_of("ids"))
    )
)
_ADD = Prepared(
    insert(t.received).values(columns("release_id", "giver", "object_id", "received_at", "issued_at"))
)
_DEFINITIONS = Prepared(
    select(t.definition.c.body).where(
        t.definition.c.giver == bindparam("giver"), t.definition.c.id.in_(any_of("ids"))
    )
)
_DEFINED = Prepared(
    select(t.definition.c.id).where(
        t.definition.c.giver == bindparam("giver"), t.definition.c.id == bindparam("wanted")
    )
)


def inbox_seen(db: Connection, party: Party) -> int:
    """The number of the last object taken from what this partner added to its inbox here."""
    return int(_SEEN(db, who=party).fetchall()[0][0])


def set_inbox_seen(db: Connection, party: Party, seq: int) -> None:
    """Remember how far this partner's inbox has been taken in."""
    _SET_SEEN(db, who=party, seq=seq)


def known_releases(db: Connection, giver: Party, release_ids: Iterable[str]) -> set[str]:
    """Those of a giver's release ids that have been taken before."""
    return {release_id for (release_id,) in _KNOWN(db, giver=giver, ids=release_ids)}


def add_received(
    db: Connection, *, release_id: str, giver: Party, object_id: str, at: str, issued: str
) -> None:
    """Record a release taken from a partner."""
    _ADD(db, release_id=release_id, giver=giver, object_id=object_id, received_at=at, issued_at=issued)


def received(db: Connection, *, messages: bool = True) -> list[tuple[str, Party, str, str]]:
    """Every release received, with or without messages: (release id, giver, received at, issued at)."""
    row = t.received.c
    query = select(row.release_id, row.giver, row.received_at, row.issued_at)
    if not messages:
        query = query.where(~row.object_id.startswith(MESSAGE))
    return [(release_id, giver, at, issued) for release_id, giver, at, issued in db.execute(query)]


def objects_received(db: Connection) -> list[tuple[str, Party, str, str]]:
    """Every release received that is no message: (release id, giver, the object's id, received at)."""
    row = t.received.c
    query = select(row.release_id, row.giver, row.object_id, row.received_at)
    rows = db.execute(query.where(~row.object_id.startswith(MESSAGE)).order_by(row.received_at, row.giver))
    return [(release_id, giver, object_id, at) for release_id, giver, object_id, at in rows]


def count_received(db: Connection) -> int:
    """How many releases were received; messages between nodes are none to count."""
    query = select(func.count()).where(~t.received.c.object_id.startswith(MESSAGE))
    return int(db.execute(query).scalar_one())


def put_definition(db: Connection, giver: Party, definition_id: str, body: bytes) -> None:
    """Keep a marking definition that a partner sent; its first form stays."""
    if _DEFINED(db, giver=giver, wanted=definition_id).fetchone() is None:
        db.execute(insert(t.definition).values(giver=giver, id=definition_id, body=body))


def definitions(db: Connection, giver: Party, ids: Iterable[str]) -> list[bytes]:
    """The marking definitions of a partner with these ids, as far as they are known."""
    return [body for (body,) in _DEFINITIONS(db, giver=giver, ids=ids)]

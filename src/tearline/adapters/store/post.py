"""How far the post of each partner was heard, beside what was taken of it: see `adapters.view.post`.

And how plain TAXII servers let us in.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, String, Table, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.store.tables import metadata
from tearline.terms import Party

_post = Table(
    "post",
    metadata,
    Column("party", String, primary_key=True),
    Column("inbox_signed", Integer, nullable=False, server_default="0"),
    Column("troubles_heard", Integer, nullable=False, server_default="0"),
)

_server = Table(
    "server",
    metadata,
    Column("party", String, primary_key=True),
    Column("authorization", String, nullable=False),
)


def put_authorization(db: Connection, party: Party, header: str) -> None:
    """Keep the `Authorization` header for a plain server; an empty one for none."""
    row = insert(_server).values(party=party, authorization=header)
    db.execute(row.on_conflict_do_update(index_elements=["party"], set_={"authorization": header}))


def authorizations(db: Connection) -> dict[Party, str]:
    """Those that are not empty."""
    rows = db.execute(select(_server.c.party, _server.c.authorization).where(_server.c.authorization != ""))
    return {str(party): str(header) for party, header in rows}


def inbox_signed(db: Connection, party: Party) -> int:
    """How long the log of what this partner gave was, and was signed, when last something was taken of it."""
    return _of(db, party, _post.c.inbox_signed)


def set_inbox_signed(db: Connection, party: Party, size: int) -> None:
    """Remember how long that log is signed, in the transaction that takes what it tells of."""
    _set(db, party, inbox_signed=size)


def troubles_heard(db: Connection, party: Party) -> int:
    """The number of the last notice of the post room, about this partner, that is on the ledger."""
    return _of(db, party, _post.c.troubles_heard)


def set_troubles_heard(db: Connection, party: Party, number: int) -> None:
    """Remember it, in the transaction that puts the notice on the ledger."""
    _set(db, party, troubles_heard=number)


def _of(db: Connection, party: Party, column: Column[int]) -> int:
    return int(db.execute(select(column).where(_post.c.party == party)).scalar() or 0)


def _set(db: Connection, party: Party, **values: int) -> None:
    row = insert(_post).values(party=party, **values)
    db.execute(row.on_conflict_do_update(index_elements=["party"], set_=values))

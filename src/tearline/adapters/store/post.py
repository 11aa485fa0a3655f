"""How far the post of each partner was heard, beside what was taken of it: see `adapters.view.post`.

And how plain TAXII servers let us in.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, String, Table, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.prepared import Prepared, columns
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
    return _of(db, party)[1]


def set_inbox_signed(db: Connection, party: Party, size: int) -> None:
    """Remember how long that log is signed, in the transaction that takes what it tells of."""
    _PUT_SIGNED(db, party=party, inbox_signed=size)


def troubles_heard(db: Connection, party: Party) -> int:
    """The number of the last notice of the post room, about this partner, that is on the ledger."""
    return _of(db, party)[2]


def set_troubles_heard(db: Connection, party: Party, number: int) -> None:
    """Remember it, in the transaction that puts the notice on the ledger."""
    _PUT_HEARD(db, party=party, troubles_heard=number)


def _put(column: Column[int]) -> Prepared:
    """What writes the column, for a party that may have no row yet."""
    row = insert(_post).values(columns("party", column.name))
    return Prepared(
        row.on_conflict_do_update(index_elements=["party"], set_={column.name: row.excluded[column.name]})
    )


_POST = Prepared(select(_post).where(_post.c.party == bindparam("who")))
_PUT_SIGNED, _PUT_HEARD = _put(_post.c.inbox_signed), _put(_post.c.troubles_heard)


def _of(db: Connection, party: Party) -> tuple[str, int, int]:
    row: tuple[str, int, int] | None = _POST(db, who=party).fetchone()
    return row or (party, 0, 0)

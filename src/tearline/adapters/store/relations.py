"""Partners and logins, and the number by which others see that something changed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from tearline.adapters.prepared import Prepared
from tearline.adapters.store import tables as t
from tearline.terms import Partner, Party

_GENERATION = Prepared(select(t.generation.c.number))
_decode_partner = msgspec.json.Decoder(Partner).decode


def generation(db: Connection) -> int:
    """A number that grows whenever a partner or an agreement changes."""
    return int((_GENERATION(db).fetchone() or (0,))[0])


def next_generation(db: Connection) -> None:
    """Whoever holds partners and agreements must read them again."""
    if db.execute(update(t.generation).values(number=t.generation.c.number + 1)).rowcount == 0:
        db.execute(insert(t.generation).values(only=1, number=1))


def put_partner(db: Connection, partner: Partner, certificate: str | None = None) -> None:
    """Add a partner, with its certificate (PEM), or replace its record; what came from it stays known."""
    values: dict[str, Any] = {"record": t.encode(partner), "left_at": None}
    if certificate is not None:
        values["certificate"] = certificate
    changed = db.execute(update(t.partner).where(t.partner.c.party == partner.party).values(values))
    if changed.rowcount == 0:
        db.execute(insert(t.partner).values(party=partner.party, **values))
    next_generation(db)


def remove_partner(db: Connection, party: Party, at: str) -> None:
    """It is a partner no more; its record stays, for what is still here of it."""
    db.execute(update(t.partner).where(t.partner.c.party == party).values(left_at=at))
    next_generation(db)


def former_partner(db: Connection, party: Party) -> Partner | None:
    """The record of one that is a partner, or was."""
    record = db.execute(select(t.partner.c.record).where(t.partner.c.party == party)).scalar()
    return None if record is None else _decode_partner(record)


def parties_ever(db: Connection) -> list[Party]:
    """Everyone who is a partner, or was."""
    return list(db.execute(select(t.partner.c.party).order_by(t.partner.c.party)).scalars())


def partners(db: Connection) -> dict[Party, tuple[Partner, str]]:
    """Every partner's record and TLS certificate (PEM), by party."""
    rows = db.execute(
        select(t.partner.c.record, t.partner.c.certificate)
        .where(t.partner.c.left_at.is_(None))
        .order_by(t.partner.c.party)
    )
    found = ((_decode_partner(record), certificate) for record, certificate in rows)
    return {partner.party: (partner, certificate) for partner, certificate in found}


def put_login(db: Connection, user: str, party: Party, password: str) -> None:
    """Keep a login of the password door; `password` is its hash."""
    db.execute(delete(t.login).where(t.login.c.user == user))
    db.execute(insert(t.login).values(user=user, party=party, password=password))
    next_generation(db)


def logins(db: Connection) -> dict[str, tuple[Party, str]]:
    """Every login of the password door: user to party and password hash."""
    rows = db.execute(select(t.login.c.user, t.login.c.party, t.login.c.password))
    return {user: (party, password) for user, party, password in rows}

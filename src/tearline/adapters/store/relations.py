"""Partners, logins and agreements."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from tearline.adapters.store import tables as t
from tearline.terms import Partner, Party

_decode_partner = msgspec.json.Decoder(Partner).decode


def generation(db: Connection) -> int:
    """A number that grows whenever a partner or an agreement changes."""
    return db.execute(select(t.generation.c.number)).scalar() or 0


def _next_generation(db: Connection) -> None:
    if db.execute(update(t.generation).values(number=t.generation.c.number + 1)).rowcount == 0:
        db.execute(insert(t.generation).values(only=1, number=1))


def put_partner(db: Connection, partner: Partner, certificate: str) -> None:
    """Add a partner or replace its record; what was pulled from it stays known."""
    values = {"record": t.encode(partner), "certificate": certificate}
    changed = db.execute(update(t.partner).where(t.partner.c.party == partner.party).values(values))
    if changed.rowcount == 0:
        db.execute(insert(t.partner).values(party=partner.party, **values))
    _next_generation(db)


def partners(db: Connection) -> dict[Party, tuple[Partner, str]]:
    """Every partner's record and TLS certificate (PEM), by party."""
    rows = db.execute(select(t.partner.c.record, t.partner.c.certificate).order_by(t.partner.c.party))
    found = ((_decode_partner(record), certificate) for record, certificate in rows)
    return {partner.party: (partner, certificate) for partner, certificate in found}


def put_login(db: Connection, user: str, party: Party, password: str) -> None:
    """Keep a login of the password door; `password` is its hash."""
    db.execute(delete(t.login).where(t.login.c.user == user))
    db.execute(insert(t.login).values(user=user, party=party, password=password))
    _next_generation(db)


def logins(db: Connection) -> dict[str, tuple[Party, str]]:
    """Every login of the password door: user to party and password hash."""
    rows = db.execute(select(t.login.c.user, t.login.c.party, t.login.c.password))
    return {user: (party, password) for user, party, password in rows}


def adopt_agreement(
    db: Connection, *, version: str, agreement_id: str, manifest: str, clauses: str, at: str
) -> None:
    """Put a version in force; the version of the same agreement in force until now is superseded."""
    in_force = (t.agreement.c.id == agreement_id) & t.agreement.c.superseded_at.is_(None)
    db.execute(
        update(t.agreement).where(in_force & (t.agreement.c.version != version)).values(superseded_at=at)
    )
    again = db.execute(update(t.agreement).where(t.agreement.c.version == version).values(superseded_at=None))
    if again.rowcount == 0:
        db.execute(
            insert(t.agreement).values(
                version=version, id=agreement_id, manifest=manifest, clauses=clauses, adopted_at=at
            )
        )
    _next_generation(db)


def agreements_in_force(db: Connection) -> list[tuple[str, str]]:
    """(manifest, clauses) of every version in force, by agreement id."""
    where = t.agreement.c.superseded_at.is_(None)
    rows = db.execute(
        select(t.agreement.c.manifest, t.agreement.c.clauses).where(where).order_by(t.agreement.c.id)
    )
    return [(manifest, clauses) for manifest, clauses in rows]

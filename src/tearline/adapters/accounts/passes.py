"""What lets somebody in for a while: sessions, tokens of the API, enrolment links. Kept as SHA-256 alone."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection, Table, delete, insert, select, update

from tearline.adapters.accounts import tables as t
from tearline.adapters.accounts.people import joined


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is logged in. Instants as `store.stamp` writes them."""

    digest: str
    account: str
    method: str
    started_at: str
    seen_at: str
    confirmed_at: str | None = None
    """When the person showed again who they are, after the login."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a program shows instead of a person."""

    digest: str
    account: str
    label: str
    roles: frozenset[str]
    added_at: str
    expires_at: str


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A link that can be used once. `totp`: the sealed secret that it offers."""

    digest: str
    account: str
    totp: bytes
    expires_at: str


def digest(secret: str) -> str:
    """What is kept of a secret of 256 random bits: it need not be slow, nobody can try them all."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_session(db: Connection, session: Session) -> None:
    db.execute(insert(t.session).values(**msgspec.structs.asdict(session)))


def session(db: Connection, named: str) -> Session | None:
    row = db.execute(select(t.session).where(t.session.c.digest == named)).mappings().first()
    return None if row is None else Session(**row)


def sessions(db: Connection, name: str) -> list[Session]:
    """The sessions of an account, the newest first."""
    rows = db.execute(
        select(t.session).where(t.session.c.account == name).order_by(t.session.c.started_at.desc())
    )
    return [Session(**row) for row in rows.mappings()]


def see(db: Connection, named: str, at: str) -> None:
    db.execute(update(t.session).where(t.session.c.digest == named).values(seen_at=at))


def end_session(db: Connection, named: str) -> bool:
    return db.execute(delete(t.session).where(t.session.c.digest == named)).rowcount == 1


def end_sessions(db: Connection, name: str, *, but: str = "") -> int:
    """End every session of an account, except that of the digest `but`. Returns how many there were."""
    where = (t.session.c.account == name) & (t.session.c.digest != but)
    return db.execute(delete(t.session).where(where)).rowcount


def add_token(db: Connection, token: Token) -> None:
    values = msgspec.structs.asdict(token) | {"roles": joined(token.roles)}
    db.execute(insert(t.token).values(**values))


def token(db: Connection, named: str) -> Token | None:
    row = db.execute(select(t.token).where(t.token.c.digest == named)).mappings().first()
    return None if row is None else _token(row)


def tokens(db: Connection, name: str) -> list[Token]:
    """The tokens of an account, the oldest first."""
    rows = db.execute(
        select(t.token).where(t.token.c.account == name).order_by(t.token.c.added_at)
    ).mappings()
    return [_token(row) for row in rows]


def remove_token(db: Connection, name: str, named: str) -> bool:
    where = (t.token.c.account == name) & (t.token.c.digest == named)
    return db.execute(delete(t.token).where(where)).rowcount == 1


def remove_tokens(db: Connection, name: str) -> None:
    db.execute(delete(t.token).where(t.token.c.account == name))


def add_enrolment(db: Connection, enrolment: Enrolment) -> None:
    """An account has one link at a time: an older one no longer works."""
    db.execute(delete(t.enrolment).where(t.enrolment.c.account == enrolment.account))
    db.execute(insert(t.enrolment).values(**msgspec.structs.asdict(enrolment)))


def enrolment(db: Connection, named: str) -> Enrolment | None:
    row = db.execute(select(t.enrolment).where(t.enrolment.c.digest == named)).mappings().first()
    return None if row is None else Enrolment(**row)


def use_enrolment(db: Connection, named: str) -> bool:
    """Use a link up; False where somebody was faster."""
    return db.execute(delete(t.enrolment).where(t.enrolment.c.digest == named)).rowcount == 1


def remove_enrolments(db: Connection, name: str) -> None:
    db.execute(delete(t.enrolment).where(t.enrolment.c.account == name))


def locked_until(db: Connection, named: str) -> str | None:
    """Until when nobody gets in under the name of this digest."""
    return db.scalar(select(t.lockout.c.until).where(t.lockout.c.digest == named))


def lock(db: Connection, named: str, until: str) -> None:
    db.execute(delete(t.lockout).where(t.lockout.c.digest == named))
    db.execute(insert(t.lockout).values(digest=named, until=until))


def unlock(db: Connection, named: str) -> None:
    db.execute(delete(t.lockout).where(t.lockout.c.digest == named))


def forget_expired(db: Connection, now: str, *, idle_since: str, started_before: str) -> None:
    """Remove what no longer lets anybody in, and lock-outs that are over."""
    db.execute(
        delete(t.session).where(
            (t.session.c.seen_at < idle_since) | (t.session.c.started_at < started_before)
        )
    )
    tables: tuple[Table, ...] = (t.token, t.enrolment)
    for table in tables:
        db.execute(delete(table).where(table.c.expires_at <= now))
    db.execute(delete(t.lockout).where(t.lockout.c.until <= now))


def _token(row: object) -> Token:
    values = dict(row)  # type: ignore[call-overload]
    return Token(**values | {"roles": frozenset(values["roles"].split())})

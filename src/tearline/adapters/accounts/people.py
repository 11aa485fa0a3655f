"""Accounts, and what their people can show of themselves: passkeys, a password with codes, an identity."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from tearline.adapters.accounts import tables as t


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the desk. `password` is an Argon2 hash, `totp` the sealed secret: both or none."""

    name: str
    roles: frozenset[str]
    language: str | None
    handle: bytes
    """What a passkey calls the account: random, so that it tells nothing."""
    password: str | None
    totp: bytes | None
    added_at: str


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    id: bytes
    account: str
    public_key: bytes
    """COSE."""
    sign_count: int
    label: str
    added_at: str
    used_at: str | None = None


class Identity(msgspec.Struct, frozen=True):
    """Who somebody is at an OpenID provider."""

    issuer: str
    subject: str


def joined(roles: Iterable[str]) -> str:
    """Roles as the tables hold them."""
    return " ".join(sorted(roles))


def accounts(db: Connection) -> list[Account]:
    """Everybody, by name."""
    return [_account(row) for row in db.execute(select(*_FIELDS).order_by(t.account.c.name)).mappings()]


def account(db: Connection, name: str) -> Account | None:
    row = db.execute(select(*_FIELDS).where(t.account.c.name == name)).mappings().first()
    return None if row is None else _account(row)


def account_of_identity(db: Connection, identity: Identity) -> Account | None:
    where = (t.identity.c.issuer == identity.issuer) & (t.identity.c.subject == identity.subject)
    name = db.scalar(select(t.identity.c.account).where(where))
    return None if name is None else account(db, name)


def add_account(db: Connection, name: str, roles: Iterable[str], handle: bytes, at: str) -> None:
    db.execute(insert(t.account).values(name=name, roles=joined(roles), handle=handle, added_at=at))


def remove_account(db: Connection, name: str) -> None:
    """With all that hangs on it: the foreign keys cascade."""
    db.execute(delete(t.account).where(t.account.c.name == name))


def set_roles(db: Connection, name: str, roles: Iterable[str]) -> None:
    db.execute(update(t.account).where(t.account.c.name == name).values(roles=joined(roles)))


def set_language(db: Connection, name: str, language: str | None) -> None:
    db.execute(update(t.account).where(t.account.c.name == name).values(language=language))


def set_password(db: Connection, name: str, password: str | None, totp: bytes | None, used: int = 0) -> None:
    """A password with the sealed secret of its codes, both or none; `used`: the newest counter spent."""
    values = {"password": password, "totp": totp, "totp_used": used}
    db.execute(update(t.account).where(t.account.c.name == name).values(**values))


def rehash(db: Connection, name: str, before: str, after: str) -> None:
    """Keep the same password under newer parameters."""
    where = (t.account.c.name == name) & (t.account.c.password == before)
    db.execute(update(t.account).where(where).values(password=after))


def spend(db: Connection, name: str, counter: int) -> bool:
    """Use a one-time code up. False where it, or a later one, was used before (RFC 6238, section 5.2)."""
    where = (t.account.c.name == name) & (t.account.c.totp_used < counter)
    return db.execute(update(t.account).where(where).values(totp_used=counter)).rowcount == 1


def passkeys(db: Connection, name: str) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    rows = db.execute(select(t.passkey).where(t.passkey.c.account == name).order_by(t.passkey.c.added_at))
    return [Passkey(**row) for row in rows.mappings()]


def passkey(db: Connection, credential: bytes) -> Passkey | None:
    row = db.execute(select(t.passkey).where(t.passkey.c.id == credential)).mappings().first()
    return None if row is None else Passkey(**row)


def add_passkey(db: Connection, key: Passkey) -> None:
    db.execute(insert(t.passkey).values(**msgspec.structs.asdict(key)))


def use_passkey(db: Connection, credential: bytes, sign_count: int, at: str) -> None:
    values = {"sign_count": sign_count, "used_at": at}
    db.execute(update(t.passkey).where(t.passkey.c.id == credential).values(**values))


def remove_passkey(db: Connection, name: str, credential: bytes) -> bool:
    where = (t.passkey.c.account == name) & (t.passkey.c.id == credential)
    return db.execute(delete(t.passkey).where(where)).rowcount == 1


def remove_passkeys(db: Connection, name: str) -> None:
    db.execute(delete(t.passkey).where(t.passkey.c.account == name))


def identities(db: Connection, name: str) -> list[Identity]:
    where = t.identity.c.account == name
    rows = db.execute(
        select(t.identity.c.issuer, t.identity.c.subject).where(where).order_by(t.identity.c.issuer)
    )
    return [Identity(*row) for row in rows]


def add_identity(db: Connection, name: str, identity: Identity) -> None:
    db.execute(insert(t.identity).values(account=name, issuer=identity.issuer, subject=identity.subject))


def remove_identities(db: Connection, name: str) -> None:
    db.execute(delete(t.identity).where(t.identity.c.account == name))


_FIELDS = [t.account.c[name] for name in Account.__struct_fields__]


def _account(row: object) -> Account:
    values = dict(row)  # type: ignore[call-overload]
    return Account(**values | {"roles": frozenset(values["roles"].split())})

"""Officers, past and present, and their signed approvals."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from tearline.adapters.store import tables as t


class Officer(msgspec.Struct, frozen=True):
    """An officer of this node. `key`: Ed25519, base64 of its 32 bytes."""

    name: str
    key: str
    added_at: str
    removed_at: str | None = None


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An officer's yes to one act on one subject.

    `signature`: base64 Ed25519 over the canonical JSON of the other fields and the node's party.
    """

    officer: str
    act: str
    subject: str
    at: str
    signature: str


def officers(db: Connection) -> list[Officer]:
    """Everybody who is or was an officer, in the order in which they were added."""
    rows = db.execute(
        select(t.officer.c.name, t.officer.c.key, t.officer.c.added_at, t.officer.c.removed_at).order_by(
            t.officer.c.seq
        )
    )
    return [Officer(*row) for row in rows]


def is_founded(db: Connection) -> bool:
    """Whether the officers were ever as many as the quorum."""
    return db.execute(select(t.officer.c.seq).where(t.officer.c.founds)).first() is not None


def add_officer(db: Connection, name: str, key: str, at: str, *, founds: bool) -> None:
    """Add an officer; `founds`: with this one they are as many as the quorum for the first time."""
    db.execute(insert(t.officer).values(name=name, key=key, added_at=at, founds=founds))


def remove_officer(db: Connection, name: str, at: str) -> None:
    today = (t.officer.c.name == name) & t.officer.c.removed_at.is_(None)
    db.execute(update(t.officer).where(today).values(removed_at=at))


def register_number(db: Connection) -> int:
    """How often the register of officers was changed: approvals of a change name it, and so count once."""
    added, removed = db.execute(select(func.count(), func.count(t.officer.c.removed_at))).one()
    return int(added + removed)


def add_approval(db: Connection, approval: Approval, why: str) -> None:
    db.execute(insert(t.approval).values(**msgspec.structs.asdict(approval), why=why))


def approvals(db: Connection, act: str, subject: str) -> list[tuple[Approval, str]]:
    """Every approval of this act on this subject, with its reason. Whether it counts is for the reader."""
    of = t.approval.c
    rows = db.execute(
        select(of.officer, of.act, of.subject, of.at, of.signature, of.why)
        .where((of.act == act) & (of.subject == subject))
        .order_by(of.seq)
    )
    return [(Approval(*fields), why) for *fields, why in rows]

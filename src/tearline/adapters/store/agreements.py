"""Versions of agreements, each text once, and the steps of their lives."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, insert, select, update

from tearline.adapters.store import tables as t
from tearline.adapters.store.relations import next_generation
from tearline.adapters.store.suspensions import ASK


class StepRow(msgspec.Struct, frozen=True):
    """One step of a version's life. `evidence`: the digest of the review or proof that it rests on."""

    version: str
    step: str
    officer: str
    at: str
    why: str
    evidence: str = ""


def put_version(db: Connection, *, version: str, agreement_id: str, manifest: str, clauses: str) -> None:
    """Keep a text; one that is kept already stays as it came first."""
    known = select(t.agreement.c.version).where(t.agreement.c.version == version)
    if db.execute(known).first() is None:
        values = {"version": version, "id": agreement_id, "manifest": manifest, "clauses": clauses}
        db.execute(insert(t.agreement).values(values))


def versions(db: Connection) -> list[tuple[str, str]]:
    """(version, agreement id) of every text, in the order in which they came."""
    rows = db.execute(select(t.agreement.c.version, t.agreement.c.id).order_by(t.agreement.c.seq))
    return [(version, ident) for version, ident in rows]


def agreement_texts(db: Connection, wanted: Collection[str]) -> dict[str, tuple[str, str]]:
    """(manifest, clauses) of these versions, ordered by agreement id."""
    of = t.agreement.c
    rows = db.execute(
        select(of.version, of.manifest, of.clauses).where(of.version.in_(wanted)).order_by(of.id, of.seq)
    )
    return {version: (manifest, clauses) for version, manifest, clauses in rows}


def add_step(
    db: Connection, row: StepRow, *, changes_state: bool = False, changes_force: bool = False
) -> None:
    """Record a step. `changes_state`: whoever holds what is in force, or in shadow, must read it again.
    `changes_force`: the gate is asked again about every release that has not gone yet."""
    db.execute(insert(t.agreement_step).values(msgspec.structs.asdict(row)))
    if changes_state:
        next_generation(db)
    if changes_force:
        not_gone = t.outbox.c.delivered_at.is_(None) & (t.outbox.c.stuck == 0)
        db.execute(update(t.outbox).where(not_gone).values(stopped=ASK))


def steps(db: Connection) -> list[StepRow]:
    """Every step of every version, in their order."""
    of = t.agreement_step.c
    rows = db.execute(select(of.version, of.step, of.officer, of.at, of.why, of.evidence).order_by(of.seq))
    return [StepRow(*row) for row in rows]


def put_evidence(db: Connection, digest: str, body: bytes) -> None:
    """Keep a review or a proof under the SHA-256 of its bytes."""
    if evidence(db, digest) is None:
        db.execute(insert(t.evidence).values(digest=digest, body=body))


def evidence(db: Connection, digest: str) -> bytes | None:
    """What is kept under a digest."""
    body = db.execute(select(t.evidence.c.body).where(t.evidence.c.digest == digest)).scalar()
    # What somebody else wrote there as text comes back as text.
    return body.encode() if isinstance(body, str) else body

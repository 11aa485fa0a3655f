"""Which state of the vault's file the ledger told of last. Nothing of what is in it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from tearline.adapters.prepared import Prepared
from tearline.adapters.store import tables as t

_STATE = Prepared(select(t.vault.c.version, t.vault.c.sha256))


def vault_state(db: Connection) -> tuple[int, str] | None:
    """Version and SHA-256, hex, of the file; `None` where this node never had a vault."""
    row = _STATE(db).fetchone()
    return None if row is None else (row[0], row[1])


def put_vault_state(db: Connection, version: int, sha256: str) -> None:
    """Goes into the transaction of the ledger entry that tells the same."""
    db.execute(delete(t.vault))
    db.execute(insert(t.vault).values(only=1, version=version, sha256=sha256))

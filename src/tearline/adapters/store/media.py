"""Files of pictures and recordings: what each is, which are waited for, and their sanitized forms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec
from sqlalchemy import BLOB, Column, Connection, ForeignKey, Index, Integer, String, Table, delete, select
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.store import tables as t
from tearline.adapters.store.recalls import REPLACED, notice
from tearline.media import Inspected
from tearline.terms import Party

_file = Table(
    "file",
    t.metadata,
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("sha256", String, nullable=False),
)
Index("file_sha256", _file.c.sha256)
_awaited = Table(
    "awaited_file",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("giver", String, nullable=False),
    Column("name", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("release_id", String, nullable=False),
    Column("item", BLOB, nullable=False),
    Column("inspected", BLOB),
    Column("failed", String),
)
Index("awaited_file_once", _awaited.c.giver, _awaited.c.release_id, unique=True)

_decode_inspected = msgspec.json.Decoder(Inspected).decode


class Arrived(NamedTuple):
    """What is in a file that came, or, where it cannot be read, why."""

    sha256: str
    inspected: Inspected | None
    failed: str


def add_file(db: Connection, product: int, sha256: str) -> None:
    """Note which file belongs to a product, in the transaction in which it is taken in."""
    db.execute(insert(_file).values(product=product, sha256=sha256).on_conflict_do_nothing())


def recalled_of(db: Connection, releases: Collection[str]) -> set[str]:
    """Those of the releases that were recalled; not those that a new version brought again."""
    again = (notice.c.state == REPLACED) & (notice.c.release_id == notice.c.recalled)
    query = select(notice.c.recalled).where(notice.c.recalled.in_(releases), ~again)
    return set(db.execute(query).scalars())


def blobs_referred_to(db: Connection) -> set[str]:
    """The digests of all files that products, forms, or products to come need."""
    found = set(db.execute(select(_file.c.sha256)).scalars())
    return found | set(db.execute(select(_awaited.c.sha256)).scalars())


# --- Waiting for a partner's file -----------------------------------------------------------------


def await_file(
    db: Connection, giver: Party, name: str, object_id: str, sha256: str, release_id: str, item: bytes
) -> None:
    """Let a release wait until its file is here. `item`: the release as it came."""
    row = insert(_awaited).values(
        giver=giver, name=name, object_id=object_id, sha256=sha256, release_id=release_id, item=item
    )
    db.execute(row.on_conflict_do_nothing())


def is_awaited(db: Connection, giver: Party, name: str) -> bool:
    """Whether some release waits for a file that is not here yet."""
    row = (_awaited.c.giver == giver) & (_awaited.c.name == name) & _awaited.c.failed.is_(None)
    return db.execute(select(_awaited.c.seq).where(row).limit(1)).first() is not None


def arrived(db: Connection, giver: Party, release_ids: Iterable[str]) -> dict[str, Arrived]:
    """Of these releases of a giver: those whose file is here."""
    row = _awaited.c
    which = (row.giver == giver) & row.release_id.in_(list(release_ids)) & row.failed.is_not(None)
    return {
        release_id: Arrived(sha256, None if body is None else _decode_inspected(body), why)
        for release_id, sha256, body, why in db.execute(
            select(row.release_id, row.sha256, row.inspected, row.failed).where(which)
        )
    }


def file_arrived(db: Connection, giver: Party, name: str, inspected: Inspected | None, failed: str) -> None:
    """The file that some releases wait for is here; `failed`: why it cannot be read, or nothing."""
    body = None if inspected is None else msgspec.json.encode(inspected)
    row = (_awaited.c.giver == giver) & (_awaited.c.name == name)
    db.execute(_awaited.update().where(row).values(inspected=body, failed=failed))


def complete(db: Connection, giver: Party) -> list[bytes]:
    """The releases of a giver, as they came, whose file is here now, in the order in which they came."""
    row = (_awaited.c.giver == giver) & _awaited.c.failed.is_not(None)
    return list(db.execute(select(_awaited.c.item).where(row).order_by(_awaited.c.seq)).scalars())


def no_longer_awaited(
    db: Connection, giver: Party, *, releases: Iterable[str] = (), objects: Iterable[str] = ()
) -> list[str]:
    """These releases, or those that bring these objects, wait no more. Returns the names of their files."""
    row = _awaited.c
    which = (row.giver == giver) & (row.release_id.in_(list(releases)) | row.object_id.in_(list(objects)))
    names = list(db.execute(select(row.name).where(which)).scalars())
    db.execute(delete(_awaited).where(which))
    return names

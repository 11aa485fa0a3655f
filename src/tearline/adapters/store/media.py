"""Files of pictures and recordings: what each is, which are waited for, and their sanitized forms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec
from sqlalchemy import (
    BLOB,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    delete,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.prepared import driver
from tearline.adapters.store import tables as t
from tearline.adapters.store.previews import count_to_show, previews_referred_to
from tearline.adapters.store.recalls import LOST, REPLACED, TOLD, notice
from tearline.adapters.store.references import _parked as parked
from tearline.media import Inspected
from tearline.terms import Party, Reason

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

_variant = Table(
    "variant",
    t.metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("source", String, nullable=False),
    Column("wanted", BLOB, nullable=False),
    Column("done", BLOB),
    Column("sha256", String),
)
Index("variant_wanted", _variant.c.seq, sqlite_where=_variant.c.done.is_(None))

_decode_inspected = msgspec.json.Decoder(Inspected).decode
_decode_reasons = msgspec.json.Decoder(tuple[Reason, ...]).decode


class Arrived(NamedTuple):
    """What is in a file that came, or, where it cannot be read, why."""

    sha256: str
    inspected: Inspected | None
    failed: str


class AnswerAboutFile(NamedTuple):
    """What the gate answered a partner about a product that has a file; `form`: the form that it named."""

    product: int
    partner: Party
    kind: str
    form: str


def answers_about_files(db: Connection) -> list[AnswerAboutFile]:
    """The gate's answers about products that have files, the oldest product first."""
    query = (
        select(t.outcome.c.product, t.outcome.c.partner, t.outcome.c.kind, t.outcome.c.reasons)
        .join(_file, _file.c.product == t.outcome.c.product)
        .order_by(t.outcome.c.product, t.outcome.c.partner)
    )
    found = []
    for product, partner, kind, reasons in db.execute(query):
        named = [reason.detail for reason in _decode_reasons(reasons) if reason.detail]
        found.append(AnswerAboutFile(product, partner, kind, named[-1] if named else ""))
    return found


def add_file(db: Connection, product: int, sha256: str) -> None:
    """Note which file belongs to a product, in the transaction in which it is taken in."""
    db.execute(insert(_file).values(product=product, sha256=sha256).on_conflict_do_nothing())


def recalled_of(db: Connection, releases: Collection[str]) -> set[str]:
    """Those of the releases that were recalled; not those that a new version brought again."""
    query = select(notice.c.recalled).where(notice.c.recalled.in_(releases), ~_AGAIN)
    return set(db.execute(query).scalars())


def recalled_for_good(db: Connection, releases: Collection[str]) -> set[str]:
    """Those of them that no new version can bring again: their holders were told."""
    told = notice.c.state.in_([TOLD, LOST, REPLACED]) & ~_AGAIN
    return set(db.execute(select(notice.c.recalled).where(notice.c.recalled.in_(releases), told)).scalars())


_AGAIN = (notice.c.state == REPLACED) & (notice.c.release_id == notice.c.recalled)


def is_blob_referred_to(db: Connection, sha256: str) -> bool:
    """Whether it is one of `blobs_referred_to`."""
    return any(
        db.execute(select(table.c.sha256).where(table.c.sha256 == sha256).limit(1)).first() is not None
        for table in (_file, _awaited, _variant)
    )


def blobs_referred_to(db: Connection) -> set[str]:
    """The digests of all files that products, forms, or products to come need."""
    found = set(db.execute(select(_file.c.sha256)).scalars())
    found |= set(db.execute(select(_awaited.c.sha256)).scalars())
    found |= set(db.execute(select(_variant.c.sha256).where(_variant.c.sha256.is_not(None))).scalars())
    return found | previews_referred_to(db)


def files_under_way(db: Connection, now: str) -> int:
    """Forms that are to be made, files of partners that are waited for, what the gate is to be asked about
    again by now, and releases without their previews."""
    queries = (
        select(func.count()).where(_variant.c.done.is_(None)),
        select(func.count()).select_from(_awaited),
        select(func.count()).where(parked.c.due <= now),
    )
    return sum(int(db.execute(query).scalar_one()) for query in queries) + count_to_show(db)


# --- Sanitized forms ------------------------------------------------------------------------------


def variant(db: Connection, name: str) -> bytes | None:
    """What became of a variant; `None` where it is not made yet."""
    row = driver(db).execute("SELECT done FROM variant WHERE id = ?", (name,)).fetchone()
    return None if row is None else row[0]


def want_variant(db: Connection, name: str, source: str, wanted: bytes) -> None:
    """Have a variant made of the file `source`, where that is not done or under way."""
    row = insert(_variant).values(id=name, source=source, wanted=wanted)
    db.execute(row.on_conflict_do_nothing())


def wanted_variants(db: Connection) -> list[bytes]:
    """Those that are to be made, in the order in which they were wanted."""
    query = select(_variant.c.wanted).where(_variant.c.done.is_(None)).order_by(_variant.c.seq)
    return list(db.execute(query).scalars())


def variants_made(db: Connection) -> list[tuple[bytes, bytes]]:
    """All that were made, in the order in which they were wanted: (wanted, done)."""
    rows = db.execute(
        select(_variant.c.wanted, _variant.c.done)
        .where(_variant.c.sha256.is_not(None))
        .order_by(_variant.c.seq)
    )
    return [(wanted, done) for wanted, done in rows]


def keep_variant(db: Connection, name: str, done: bytes, sha256: str | None) -> None:
    """Keep what became of a variant; `sha256`: of the file that was made, or `None` where none may go."""
    db.execute(_variant.update().where(_variant.c.id == name).values(done=done, sha256=sha256))


def forget_failed_variants(db: Connection) -> int:
    """Let those that were tried, and may not go, be tried again when they are wanted; returns how many."""
    failed = _variant.c.done.is_not(None) & _variant.c.sha256.is_(None)
    return db.execute(delete(_variant).where(failed)).rowcount


def wake_products_of(db: Connection, source: str, at: str) -> None:
    """Ask the gate again, from `at` on, about what waits and has this file."""
    those = select(_file.c.product).where(_file.c.sha256 == source)
    row = parked.c.product.in_(those) & parked.c.due.is_(None)
    db.execute(parked.update().where(row).values(due=at))


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


def complete(db: Connection, giver: Party) -> dict[str, bytes]:
    """By release id: the releases of a giver, as they came and in that order, whose file is here now."""
    row = (_awaited.c.giver == giver) & _awaited.c.failed.is_not(None)
    query = select(_awaited.c.release_id, _awaited.c.item).where(row).order_by(_awaited.c.seq)
    return {str(release_id): bytes(item) for release_id, item in db.execute(query)}


def givers_of_complete(db: Connection) -> set[Party]:
    """The givers of whom there are such."""
    return set(db.execute(select(_awaited.c.giver).where(_awaited.c.failed.is_not(None))).scalars())


def no_longer_awaited(
    db: Connection, giver: Party, *, releases: Iterable[str] = (), objects: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """These releases, or those that bring these objects, wait no more. Returns names and digests of their
    files."""
    row = _awaited.c
    which = (row.giver == giver) & (row.release_id.in_(list(releases)) | row.object_id.in_(list(objects)))
    rows = db.execute(select(row.name, row.sha256).where(which)).all()
    db.execute(delete(_awaited).where(which))
    return [(str(name), str(sha256)) for name, sha256 in rows]

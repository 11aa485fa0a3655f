"""Custody of what was given and taken, requests for onward release, consents; what rests on them (law 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import (
    BLOB,
    Boolean,
    Column,
    Connection,
    Index,
    String,
    Table,
    bindparam,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

from tearline.adapters.prepared import Prepared, any_of, columns
from tearline.adapters.store import tables as t
from tearline.adapters.store.media import _file
from tearline.adapters.store.relations import next_generation
from tearline.terms import Label, Party, Product

OURS, THEIRS = "ours", "theirs"
"""Who made it: an object, a request, a consent."""

_custody = Table(
    "custody",
    t.metadata,
    Column("side", String, primary_key=True),
    Column("party", String, primary_key=True),
    Column("release_id", String, primary_key=True),
    Column("originator", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("version", String),
    Column("core", String, nullable=False),
    Column("substance", String),
    Column("verified", Boolean, nullable=False),
    Column("label", BLOB),
    Column("envelope", BLOB),
)
Index("custody_object", _custody.c.object_id)
Index("custody_substance", _custody.c.substance)
Index("custody_release", _custody.c.release_id)

_request = Table(
    "consent_request",
    t.metadata,
    Column("side", String, primary_key=True),
    Column("party", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("recipient", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("version", String),
    Column("core", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", String, nullable=False),
    Column("answer", String),
)

Index("consent_request_object", _request.c.object_id)

_consent = Table(
    "consent",
    t.metadata,
    Column("side", String, primary_key=True),
    Column("originator", String, primary_key=True),
    Column("serial", String, primary_key=True),
    Column("until", String),
    Column("envelope", BLOB),
    Column("ended_at", String),
    Column("ended_by", String),
)

_rests_on = Table(
    "consent_use",
    t.metadata,
    Column("release_id", String, primary_key=True),
    Column("originator", String, primary_key=True),
    Column("serial", String, primary_key=True),
)

_CUSTODY = tuple(column.name for column in _custody.columns)
_OF_CUSTODY = select(_custody).order_by(_custody.c.release_id)
_ADD_CUSTODY = Prepared(insert(_custody).values(columns(*_CUSTODY)).on_conflict_do_nothing())
_CUSTODY_OF_OBJECT = Prepared(
    _OF_CUSTODY.where(_custody.c.side == bindparam("side"), _custody.c.object_id == bindparam("object"))
)
_CUSTODY_OF_RELEASES = Prepared(
    _OF_CUSTODY.where(_custody.c.side == bindparam("side"), _custody.c.release_id.in_(any_of("releases")))
)
# One index each: an OR of two would look at every row.
_MAKERS = [
    Prepared(
        select(_custody.c.originator)
        .distinct()
        .where(column == bindparam("alike"), _custody.c.verified.is_(True))
    )
    for column in (_custody.c.object_id, _custody.c.substance)
]
_LAPSED = (
    select(t.outbox.c.partner, t.outbox.c.product, t.outbox.c.release_id)
    .join(_rests_on, _rests_on.c.release_id == t.outbox.c.release_id)
    .where(
        exists().where(
            _consent.c.side == THEIRS,
            _consent.c.originator == _rests_on.c.originator,
            _consent.c.serial == _rests_on.c.serial,
            _consent.c.ended_at.is_not(None) | (_consent.c.until <= bindparam("at")),
        ),
    )
    .distinct()
)
_LAPSED_WAITING = Prepared(_LAPSED.where(t.outbox.c.delivered_at.is_(None), t.outbox.c.stopped == 0))
_LAPSED_AMONG = Prepared(_LAPSED.where(t.outbox.c.release_id.in_(any_of("releases"))))
_LAPSED_FILES = Prepared(
    _LAPSED.join(_file, _file.c.product == t.outbox.c.product).where(
        t.outbox.c.partner == bindparam("partner")
    )
)
_DRAFTS = Prepared(
    select(t.outbox.c.release_id, t.outbox.c.draft).where(
        t.outbox.c.release_id.in_(any_of("releases")), t.outbox.c.draft != b""
    )
)

_decode_label = msgspec.json.Decoder(Label).decode
_decode_product = msgspec.json.Decoder(Product).decode


class Custodian(msgspec.Struct, frozen=True, kw_only=True):
    """An object that was given (`side` is `OURS`) or taken (`THEIRS`). `party`: to whom, or by whom.

    `label` is that of what was given, whole; `envelope` the DSSE of what was taken, as JSON.
    """

    side: str
    party: Party
    release_id: str
    originator: Party
    object_id: str
    version: str | None
    core: str
    substance: str | None
    """Of reports: other objects can be alike by chance."""
    verified: bool = True
    label: Label | None = None
    envelope: bytes | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to pass something on: of this node (`OURS`, to `party`), or of `party`. `answer`: once there."""

    side: str
    party: Party
    id: str
    recipient: Party
    object_id: str
    version: str | None
    core: str
    why: str
    at: str
    answer: str | None = None


class KeptConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent given by this node (`OURS`), or to it. `ended_by`: who revoked it, or what suspended it."""

    side: str
    originator: Party
    serial: str
    until: str | None
    envelope: bytes | None
    """As JSON; `None` where a revocation came before the consent."""
    ended_at: str | None = None
    ended_by: str | None = None


# --- Custody --------------------------------------------------------------------------------------


def add_custody(db: Connection, rows: Iterable[Custodian]) -> None:
    """Keep the custody of releases; what is known of one stays."""
    _ADD_CUSTODY.many(
        db,
        (
            msgspec.structs.asdict(row) | {"label": None if row.label is None else t.encode(row.label)}
            for row in rows
        ),
    )


def custody_of_object(db: Connection, side: str, object_id: str) -> list[Custodian]:
    """All that is known of an object by its id."""
    return [_custodian(row) for row in _CUSTODY_OF_OBJECT(db, side=side, object=object_id)]


def custody_of_releases(db: Connection, side: str, releases: Collection[str]) -> dict[str, Custodian]:
    """By release id."""
    found = map(_custodian, _CUSTODY_OF_RELEASES(db, side=side, releases=releases))
    return {row.release_id: row for row in found}


def makers(db: Connection, object_id: str, substance: str | None) -> set[Party]:
    """Who is known for certain to have made an object of this id or of this substance."""
    by_id, by_substance = _MAKERS
    rows = by_id(db, alike=object_id).fetchall()
    if substance is not None:
        rows += by_substance(db, alike=substance)
    return {party for (party,) in rows}


def _custodian(row: tuple[Any, ...]) -> Custodian:
    values = dict(zip(_CUSTODY, row, strict=True))
    read = {"label": values["label"] and _decode_label(values["label"]), "verified": bool(values["verified"])}
    return Custodian(**values | read)


# --- Requests -------------------------------------------------------------------------------------


def add_request(db: Connection, request: Request) -> bool:
    """Keep a request; tells whether it is new."""
    done = db.execute(insert(_request).values(msgspec.structs.asdict(request)).on_conflict_do_nothing())
    return done.rowcount == 1


def requests(
    db: Connection, side: str, *, waiting: bool = False, object_id: str | None = None
) -> list[Request]:
    """Those of one side, oldest first; `waiting`: without an answer; `object_id`: about one object."""
    query = select(_request).where(_request.c.side == side).order_by(_request.c.at, _request.c.id)
    if waiting:
        query = query.where(_request.c.answer.is_(None))
    if object_id is not None:
        query = query.where(_request.c.object_id == object_id)
    return [Request(**row) for row in db.execute(query).mappings()]


def answer_request(db: Connection, side: str, party: Party, request_id: str, answer: str) -> bool:
    """Write down the answer to a request that waits for one; tells whether one does."""
    row = (_request.c.side == side) & (_request.c.party == party) & (_request.c.id == request_id)
    return (
        db.execute(update(_request).where(row, _request.c.answer.is_(None)).values(answer=answer)).rowcount
        > 0
    )


# --- Consents -------------------------------------------------------------------------------------


def add_consent(db: Connection, consent: KeptConsent) -> bool:
    """Keep a consent; tells whether it is in force: not where it is known, or was revoked before it came."""
    done = db.execute(insert(_consent).values(msgspec.structs.asdict(consent)).on_conflict_do_nothing())
    next_generation(db)
    return done.rowcount == 1


def end_consent(
    db: Connection, side: str, originator: Party, serial: str, at: str, by: str, *, known_only: bool = True
) -> bool:
    """End a consent; tells whether it was in force. One that is yet to come can be ended as well."""
    row = (_consent.c.side == side) & (_consent.c.originator == originator) & (_consent.c.serial == serial)
    ends = {"ended_at": at, "ended_by": by}
    ended = db.execute(update(_consent).where(row, _consent.c.ended_at.is_(None)).values(ends)).rowcount > 0
    if not ended and not known_only:
        names = {"side": side, "originator": originator, "serial": serial}
        db.execute(insert(_consent).values(names | ends).on_conflict_do_nothing())
    next_generation(db)
    return ended


def ended_otherwise(db: Connection, serial: str, by: str) -> None:
    """A consent of this node that stays ended is so for another reason now."""
    db.execute(
        update(_consent).where(_consent.c.side == OURS, _consent.c.serial == serial).values(ended_by=by)
    )


def consents(
    db: Connection, side: str, *, in_force_at: str | None = None, ended_before: bool = False
) -> list[KeptConsent]:
    """Those of one side; `in_force_at`: not ended, and not over at this moment.

    `ended_before`: also those that were revoked before they came.
    """
    query = select(_consent).where(_consent.c.side == side)
    if not ended_before:
        query = query.where(_consent.c.envelope.is_not(None))
    if in_force_at is not None:
        query = query.where(_consent.c.ended_at.is_(None), _consent.c.until > in_force_at)
    order = query.order_by(_consent.c.until.desc(), _consent.c.serial)
    return [KeptConsent(**row) for row in db.execute(order).mappings()]


# --- What rests on consents -----------------------------------------------------------------------


def rest_on(db: Connection, release_id: str, draft: bytes, consents: Iterable[tuple[Party, str]]) -> None:
    """A queued release goes as this draft, and rests on these consents, (originator, serial)."""
    row = t.outbox.c.release_id == release_id
    if not db.execute(update(t.outbox).where(row, t.outbox.c.draft != b"").values(draft=draft)).rowcount:
        return
    db.execute(delete(_rests_on).where(_rests_on.c.release_id == release_id))
    rows = [{"release_id": release_id, "originator": by, "serial": serial} for by, serial in consents]
    if rows:
        db.execute(insert(_rests_on), rows)


def lapsed(db: Connection, at: str) -> list[tuple[Party, int, str]]:
    """(partner, product, release id) of what waits in the outbox and rests on a consent that is over."""
    return [(partner, product, release) for partner, product, release in _LAPSED_WAITING(db, at=at)]


def lapsed_among(db: Connection, at: str, releases: Collection[str]) -> set[str]:
    """Those of these releases, sealed or not, that rest on a consent that is over."""
    return {release for _, _, release in _LAPSED_AMONG(db, at=at, releases=releases)}


def lapsed_files(db: Connection, at: str, partner: Party) -> set[str]:
    """The releases of files to a partner that rest on a consent that is over."""
    return {release for _, _, release in _LAPSED_FILES(db, at=at, partner=partner)}


def ask_again(db: Connection, pairs: Iterable[tuple[int, Party]]) -> None:
    """Let the gate be asked about these products for these partners alone: they are parked, and due."""
    rows = [(partner, product) for product, partner in pairs]
    if rows:
        db.exec_driver_sql(
            "INSERT INTO parked (partner, product, due) VALUES (?, ?, '')"
            " ON CONFLICT (partner, product) DO UPDATE SET due = ''",
            rows,
        )


def drafts(db: Connection, releases: Collection[str]) -> dict[str, bytes]:
    """By release id: the drafts that wait in the outbox, stopped ones too, and are not sealed."""
    return {release: draft for release, draft in _DRAFTS(db, releases=releases)}  # noqa: C416


def products_received_as(db: Connection, releases: Collection[str]) -> list[int]:
    """The products that came by these releases."""
    return list(db.execute(select(t.product.c.seq).where(t.product.c.received_as.in_(releases))).scalars())


def products_of_originator(db: Connection, originator: Party) -> Iterator[int]:
    """All products of another party."""
    yield from db.execute(select(t.product.c.seq).where(t.product.c.originator == originator)).scalars()


def given_onward(db: Connection, product: Product) -> list[tuple[Party, str]]:
    """(partner, release id) of every release of a version of a product that is on its way or delivered."""
    rows = db.execute(
        select(t.outbox.c.partner, t.outbox.c.release_id)
        .join_from(t.outbox, t.product)
        .where(
            t.product.c.originator == product.originator,
            t.product.c.id == product.id,
            t.product.c.version == product.version,
            t.outbox.c.stopped == 0,
            t.outbox.c.stuck == 0,
        )
        .order_by(t.outbox.c.seq)
    )
    return [(partner, release) for partner, release in rows]


def parties_given(db: Connection, seq: int) -> frozenset[Party]:
    """Whom a product was released to."""
    return frozenset(db.execute(select(t.outbox.c.partner).where(t.outbox.c.product == seq)).scalars())


def product_of_release(db: Connection, release_id: str) -> tuple[Product, str] | None:
    """The product of a release of this node, and its form."""
    row = db.execute(
        select(t.product.c.body, t.outbox.c.form)
        .join_from(t.outbox, t.product)
        .where(t.outbox.c.release_id == release_id)
    ).first()
    return None if row is None else (_decode_product(row.body), row.form)

"""`node.db`: what a node holds and has decided.

Every function takes the caller's connection, and so its transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import (
    BLOB,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    update,
)

from tearline.terms import Outcome, Partner, Party, Product, Reason, Tearline, Whole

metadata = MetaData()

_generation = Table(
    "generation",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)

_partner = Table(
    "partner",
    metadata,
    Column("party", String, primary_key=True),
    Column("record", BLOB, nullable=False),
    Column("certificate", String, nullable=False),
    Column("inbox_seen", Integer, nullable=False, server_default="0"),
    Column("pulled_to", String),
)

_login = Table(
    "login",
    metadata,
    Column("user", String, primary_key=True),
    Column("party", String, nullable=False),
    Column("password", String, nullable=False),
)

_agreement = Table(
    "agreement",
    metadata,
    Column("version", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("manifest", String, nullable=False),
    Column("clauses", String, nullable=False),
    Column("adopted_at", String, nullable=False),
    Column("superseded_at", String),
)

_product = Table(
    "product",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("originator", String, nullable=False),
    Column("category", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("received_as", String),
    Column("quarantine", String),
    Column("considered", Integer, nullable=False, server_default="0"),
    Column("body", BLOB, nullable=False),
    UniqueConstraint("originator", "id", "version"),
)
Index("product_pending", _product.c.seq, sqlite_where=_product.c.considered == 0)
Index("product_quarantined", _product.c.seq, sqlite_where=_product.c.quarantine.is_not(None))

_outcome = Table(
    "outcome",
    metadata,
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("partner", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("clause", String, nullable=False),
    Column("reasons", BLOB, nullable=False),
)

_outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("partner", String, nullable=False),
    Column("release_id", String, nullable=False, unique=True),
    Column("product", ForeignKey("product.seq"), nullable=False),
    Column("form", String, nullable=False),
    Column("draft", BLOB, nullable=False),
    Column("delivered_at", String),
)
Index("outbox_waiting", _outbox.c.partner, _outbox.c.seq, sqlite_where=_outbox.c.delivered_at.is_(None))

_received = Table(
    "received",
    metadata,
    Column("release_id", String, primary_key=True),
    Column("giver", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("received_at", String, nullable=False),
    Column("issued_at", String, nullable=False),
)

_definition = Table(
    "definition",
    metadata,
    Column("giver", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("body", BLOB, nullable=False),
)

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_product = msgspec.json.Decoder(Product).decode
_decode_partner = msgspec.json.Decoder(Partner).decode


class Held(msgspec.Struct, frozen=True):
    """A product as the node holds it: its number here, its body's SHA-256, the release it came by."""

    seq: int
    digest: str
    received_as: str | None
    product: Product


class Waiting(msgspec.Struct, frozen=True):
    """An outbox row that has not been delivered."""

    seq: int
    release_id: str
    form: str
    draft: bytes


def encode_product(product: Product) -> bytes:
    """The stored form of a product: the same bytes for equal products."""
    return _encode(product)


# --- partners and agreements -----------------------------------------------------------------------


def generation(db: Connection) -> int:
    """A number that grows whenever a partner or an agreement changes."""
    return db.execute(select(_generation.c.number)).scalar() or 0


def _next_generation(db: Connection) -> None:
    if db.execute(update(_generation).values(number=_generation.c.number + 1)).rowcount == 0:
        db.execute(insert(_generation).values(only=1, number=1))


def put_partner(db: Connection, partner: Partner, certificate: str) -> None:
    """Add a partner or replace its record; what was pulled from it stays known."""
    values = {"record": _encode(partner), "certificate": certificate}
    changed = db.execute(update(_partner).where(_partner.c.party == partner.party).values(values))
    if changed.rowcount == 0:
        db.execute(insert(_partner).values(party=partner.party, **values))
    _next_generation(db)


def partners(db: Connection) -> dict[Party, tuple[Partner, str]]:
    """Every partner's record and TLS certificate (PEM), by party."""
    rows = db.execute(select(_partner.c.record, _partner.c.certificate).order_by(_partner.c.party))
    found = ((_decode_partner(record), certificate) for record, certificate in rows)
    return {partner.party: (partner, certificate) for partner, certificate in found}


def put_login(db: Connection, user: str, party: Party, password: str) -> None:
    """Keep a login of the password door; `password` is its hash."""
    db.execute(delete(_login).where(_login.c.user == user))
    db.execute(insert(_login).values(user=user, party=party, password=password))
    _next_generation(db)


def logins(db: Connection) -> dict[str, tuple[Party, str]]:
    """Every login of the password door: user to party and password hash."""
    rows = db.execute(select(_login.c.user, _login.c.party, _login.c.password))
    return {user: (party, password) for user, party, password in rows}


def adopt_agreement(
    db: Connection, *, version: str, agreement_id: str, manifest: str, clauses: str, at: str
) -> None:
    """Put a version in force; the version of the same agreement in force until now is superseded."""
    in_force = (_agreement.c.id == agreement_id) & _agreement.c.superseded_at.is_(None)
    db.execute(
        update(_agreement).where(in_force & (_agreement.c.version != version)).values(superseded_at=at)
    )
    again = db.execute(update(_agreement).where(_agreement.c.version == version).values(superseded_at=None))
    if again.rowcount == 0:
        db.execute(
            insert(_agreement).values(
                version=version, id=agreement_id, manifest=manifest, clauses=clauses, adopted_at=at
            )
        )
    _next_generation(db)


def agreements_in_force(db: Connection) -> list[tuple[str, str]]:
    """(manifest, clauses) of every version in force, by agreement id."""
    where = _agreement.c.superseded_at.is_(None)
    rows = db.execute(
        select(_agreement.c.manifest, _agreement.c.clauses).where(where).order_by(_agreement.c.id)
    )
    return [(manifest, clauses) for manifest, clauses in rows]


# --- products --------------------------------------------------------------------------------------


def known_digest(db: Connection, product: Product) -> str | None:
    """The digest under which this version of this product is held already, if it is."""
    return db.execute(
        select(_product.c.digest).where(
            _product.c.originator == product.originator,
            _product.c.id == product.id,
            _product.c.version == product.version,
        )
    ).scalar()


def add_product(
    db: Connection,
    product: Product,
    body: bytes,
    digest: str,
    *,
    quarantine: str | None,
    received_as: str | None,
) -> int:
    """Hold a new product; returns its number. It waits for the gate."""
    values = {
        "id": product.id,
        "version": product.version,
        "originator": product.originator,
        "category": product.category.value,
        "digest": digest,
        "body": body,
        "quarantine": quarantine,
        "received_as": received_as,
    }
    return int(db.execute(insert(_product).returning(_product.c.seq), values).scalar_one())


def replace_product(db: Connection, seq: int, product: Product, digest: str) -> None:
    """Put a resolved product in the place of its quarantined self: it waits for the gate again."""
    db.execute(delete(_outcome).where(_outcome.c.product == seq))
    db.execute(
        update(_product)
        .where(_product.c.seq == seq)
        .values(body=encode_product(product), digest=digest, quarantine=None, considered=0)
    )


def pending(db: Connection, limit: int) -> list[Held]:
    """The next products that the gate has not considered, oldest first."""
    rows = db.execute(
        select(_product.c.seq, _product.c.digest, _product.c.received_as, _product.c.body)
        .where(_product.c.considered == 0)
        .order_by(_product.c.seq)
        .limit(limit)
    )
    return [Held(seq, digest, received_as, _decode_product(body)) for seq, digest, received_as, body in rows]


def quarantined(db: Connection) -> list[tuple[str, str, str]]:
    """(id, version, reason) of every product in quarantine, oldest first."""
    rows = db.execute(
        select(_product.c.id, _product.c.version, _product.c.quarantine)
        .where(_product.c.quarantine.is_not(None))
        .order_by(_product.c.seq)
    )
    return [(product_id, version, reason) for product_id, version, reason in rows]


def in_quarantine(db: Connection, product_id: str) -> list[Held]:
    """The quarantined versions of one product."""
    rows = db.execute(
        select(_product.c.seq, _product.c.digest, _product.c.received_as, _product.c.body)
        .where(_product.c.quarantine.is_not(None), _product.c.id == product_id)
        .order_by(_product.c.seq)
    )
    return [Held(seq, digest, received_as, _decode_product(body)) for seq, digest, received_as, body in rows]


def held(db: Connection) -> Iterator[Held]:
    """Every product held, oldest first, one at a time."""
    rows = db.execution_options(yield_per=200).execute(
        select(_product.c.seq, _product.c.digest, _product.c.received_as, _product.c.body).order_by(
            _product.c.seq
        )
    )
    for seq, digest, received_as, body in rows:
        yield Held(seq, digest, received_as, _decode_product(body))


# --- outcomes and the outbox -----------------------------------------------------------------------


def add_outcomes(db: Connection, outcomes: Iterable[tuple[int, Outcome]]) -> None:
    """Record the gate's answers: (product number, outcome)."""
    rows = [
        {
            "product": seq,
            "partner": outcome.partner,
            "kind": outcome.__struct_config__.tag,
            "code": (because := _decisive(outcome)).code,
            "clause": because.clause,
            "reasons": _encode(outcome.reasons),
        }
        for seq, outcome in outcomes
    ]
    if rows:
        db.execute(insert(_outcome), rows)


def _decisive(outcome: Outcome) -> Reason:
    """The reason to count by: what let it go; else the clause that forbade it, or the first obstacle."""
    if isinstance(outcome, Whole | Tearline):
        return outcome.reasons[-1]
    return next((reason for reason in outcome.reasons if reason.clause), outcome.reasons[0])


def mark_considered(db: Connection, seqs: Sequence[int]) -> None:
    """The gate has answered for these products."""
    db.execute(update(_product).where(_product.c.seq.in_(seqs)).values(considered=1))


def add_to_outbox(db: Connection, rows: Sequence[tuple[Party, str, int, str, bytes]]) -> None:
    """Queue what is to go: (partner, release id, product number, form, draft)."""
    names = ("partner", "release_id", "product", "form", "draft")
    if rows:
        db.execute(insert(_outbox), [dict(zip(names, row, strict=True)) for row in rows])


def known_in_outbox(db: Connection, release_ids: Iterable[str]) -> set[str]:
    """Those of the release ids that have been queued before."""
    rows = db.execute(select(_outbox.c.release_id).where(_outbox.c.release_id.in_(list(release_ids))))
    return {release_id for (release_id,) in rows}


def parties_with_waiting(db: Connection) -> list[Party]:
    """Partners for whom something waits in the outbox."""
    rows = db.execute(select(_outbox.c.partner).where(_outbox.c.delivered_at.is_(None)).distinct())
    return sorted(party for (party,) in rows)


def waiting(db: Connection, party: Party, limit: int) -> list[Waiting]:
    """The next undelivered releases for one partner, oldest first."""
    rows = db.execute(
        select(_outbox.c.seq, _outbox.c.release_id, _outbox.c.form, _outbox.c.draft)
        .where(_outbox.c.partner == party, _outbox.c.delivered_at.is_(None))
        .order_by(_outbox.c.seq)
        .limit(limit)
    )
    return [Waiting(*row) for row in rows]


def mark_delivered(db: Connection, seqs: Sequence[int], at: str) -> None:
    """These outbox rows stand in the partner's view."""
    db.execute(update(_outbox).where(_outbox.c.seq.in_(seqs)).values(delivered_at=at))


def releases(db: Connection) -> list[tuple[Party, str, int, str, str | None]]:
    """Every release: (partner, release id, product number, form, delivered at)."""
    rows = db.execute(
        select(
            _outbox.c.partner, _outbox.c.release_id, _outbox.c.product, _outbox.c.form, _outbox.c.delivered_at
        ).order_by(_outbox.c.seq)
    )
    return [
        (partner, release, product, form, delivered) for partner, release, product, form, delivered in rows
    ]


def tally(db: Connection, *, own: Party | None = None) -> list[tuple[Party, str, str, str, int]]:
    """Outcomes counted: (partner, kind, code, clause, how many); `own`: of its products alone."""
    keys = (_outcome.c.partner, _outcome.c.kind, _outcome.c.code, _outcome.c.clause)
    query = select(*keys, func.count()).group_by(*keys).order_by(*keys)
    if own is not None:
        query = query.join(_product, _outcome.c.product == _product.c.seq).where(_product.c.originator == own)
    return [(partner, kind, code, clause, count) for partner, kind, code, clause, count in db.execute(query)]


def given_by_category(db: Connection) -> list[tuple[str, str, int]]:
    """Releases counted: (category, form, how many)."""
    keys = (_product.c.category, _outbox.c.form)
    query = select(*keys, func.count()).join(_product, _outbox.c.product == _product.c.seq).group_by(*keys)
    return [(category, form, count) for category, form, count in db.execute(query)]


class Progress(msgspec.Struct, frozen=True):
    """How far a node has come, in counts."""

    products: int
    considered: int
    released: int
    delivered: int
    received: int


def progress(db: Connection) -> Progress:
    """Counts of products of its own making, those considered, releases, deliveries, releases received."""
    own = select(func.count(), func.coalesce(func.sum(_product.c.considered), 0)).where(
        _product.c.received_as.is_(None)
    )
    products, considered = db.execute(own).one()
    released, delivered = db.execute(select(func.count(), func.count(_outbox.c.delivered_at))).one()
    received = db.execute(select(func.count()).select_from(_received)).scalar_one()
    return Progress(products, considered, released, delivered, received)


# --- what comes from partners ----------------------------------------------------------------------


def pulled_to(db: Connection, party: Party) -> str | None:
    """The date-added up to which this partner's releases have been taken."""
    return db.execute(select(_partner.c.pulled_to).where(_partner.c.party == party)).scalar()


def set_pulled_to(db: Connection, party: Party, date_added: str) -> None:
    """Remember how far this partner's releases have been taken."""
    db.execute(update(_partner).where(_partner.c.party == party).values(pulled_to=date_added))


def inbox_seen(db: Connection, party: Party) -> int:
    """The number of the last object taken from what this partner added to its inbox here."""
    return int(db.execute(select(_partner.c.inbox_seen).where(_partner.c.party == party)).scalar_one())


def set_inbox_seen(db: Connection, party: Party, seq: int) -> None:
    """Remember how far this partner's inbox has been taken in."""
    db.execute(update(_partner).where(_partner.c.party == party).values(inbox_seen=seq))


def known_releases(db: Connection, release_ids: Iterable[str]) -> set[str]:
    """Those of the release ids that have been taken before."""
    rows = db.execute(select(_received.c.release_id).where(_received.c.release_id.in_(list(release_ids))))
    return {release_id for (release_id,) in rows}


def add_received(
    db: Connection, *, release_id: str, giver: Party, object_id: str, at: str, issued: str
) -> None:
    """Record a release taken from a partner."""
    db.execute(
        insert(_received).values(
            release_id=release_id, giver=giver, object_id=object_id, received_at=at, issued_at=issued
        )
    )


def received(db: Connection) -> list[tuple[str, Party, str, str]]:
    """Every release received: (release id, giver, received at, issued at)."""
    rows = db.execute(
        select(_received.c.release_id, _received.c.giver, _received.c.received_at, _received.c.issued_at)
    )
    return [(release_id, giver, at, issued) for release_id, giver, at, issued in rows]


def put_definition(db: Connection, giver: Party, definition_id: str, body: bytes) -> None:
    """Keep a marking definition that a partner sent; its first form stays."""
    have = db.execute(
        select(_definition.c.id).where(_definition.c.giver == giver, _definition.c.id == definition_id)
    ).first()
    if have is None:
        db.execute(insert(_definition).values(giver=giver, id=definition_id, body=body))


def definitions(db: Connection, giver: Party, ids: Iterable[str]) -> list[bytes]:
    """The marking definitions of a partner with these ids, as far as they are known."""
    rows = db.execute(
        select(_definition.c.body).where(_definition.c.giver == giver, _definition.c.id.in_(list(ids)))
    )
    return [body for (body,) in rows]


def stamp(at: datetime) -> str:
    """RFC 3339, microseconds, `Z`: sorts as it reads."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""The tables of `node.db`, and how values are written into them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import BLOB, Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

metadata = MetaData()

generation = Table(
    "generation",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)

partner = Table(
    "partner",
    metadata,
    Column("party", String, primary_key=True),
    Column("record", BLOB, nullable=False),
    Column("certificate", String, nullable=False),
    Column("inbox_seen", Integer, nullable=False, server_default="0"),
    Column("pulled_to", String),
)

login = Table(
    "login",
    metadata,
    Column("user", String, primary_key=True),
    Column("party", String, nullable=False),
    Column("password", String, nullable=False),
)

agreement = Table(
    "agreement",
    metadata,
    Column("version", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("manifest", String, nullable=False),
    Column("clauses", String, nullable=False),
    Column("adopted_at", String, nullable=False),
    Column("superseded_at", String),
)

product = Table(
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
Index("product_pending", product.c.seq, sqlite_where=product.c.considered == 0)
Index("product_quarantined", product.c.seq, sqlite_where=product.c.quarantine.is_not(None))

outcome = Table(
    "outcome",
    metadata,
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("partner", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("clause", String, nullable=False),
    Column("reasons", BLOB, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("partner", String, nullable=False),
    Column("release_id", String, nullable=False, unique=True),
    Column("product", ForeignKey("product.seq"), nullable=False),
    Column("form", String, nullable=False),
    Column("draft", BLOB, nullable=False),
    Column("stuck", Integer, nullable=False, server_default="0"),
    Column("delivered_at", String),
)
Index(
    "outbox_waiting",
    outbox.c.partner,
    outbox.c.seq,
    sqlite_where=outbox.c.delivered_at.is_(None) & (outbox.c.stuck == 0),
)

received = Table(
    "received",
    metadata,
    Column("giver", String, primary_key=True),
    Column("release_id", String, primary_key=True),
    Column("object_id", String, nullable=False),
    Column("received_at", String, nullable=False),
    Column("issued_at", String, nullable=False),
)

definition = Table(
    "definition",
    metadata,
    Column("giver", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("body", BLOB, nullable=False),
)

encode = msgspec.json.Encoder(order="deterministic").encode
"""The same bytes for equal values."""


def stamp(at: datetime) -> str:
    """RFC 3339, microseconds, `Z`: sorts as it reads."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

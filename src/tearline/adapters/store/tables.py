"""The tables of `node.db`, and how values are written into them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import (
    BLOB,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

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
    Column("left_at", String),
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
    Column("seq", Integer, primary_key=True),
    Column("version", String, nullable=False, unique=True),
    Column("id", String, nullable=False),
    Column("manifest", String, nullable=False),
    Column("clauses", String, nullable=False),
)

agreement_step = Table(
    "agreement_step",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("version", ForeignKey("agreement.version"), nullable=False),
    Column("step", String, nullable=False),
    Column("officer", String, nullable=False),
    Column("at", String, nullable=False),
    Column("why", String, nullable=False),
    Column("evidence", String, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("digest", String, primary_key=True),
    Column("body", BLOB, nullable=False),
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
Index("outcome_referred", outcome.c.product, outcome.c.partner, sqlite_where=outcome.c.kind == "refer")

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
    Column("stopped", Integer, nullable=False, server_default="0"),
    Column("delivered_at", String),
)
Index(
    "outbox_waiting",
    outbox.c.partner,
    outbox.c.seq,
    sqlite_where=outbox.c.delivered_at.is_(None) & (outbox.c.stuck == 0) & (outbox.c.stopped == 0),
)
Index(
    "outbox_recalls",
    outbox.c.partner,
    outbox.c.seq,
    sqlite_where=outbox.c.delivered_at.is_(None) & (outbox.c.form == "recall"),
)
Index("outbox_stopped", outbox.c.stopped, outbox.c.seq, sqlite_where=outbox.c.stopped > 0)

message = Table(
    "message",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("partner", String, nullable=False),
    Column("release_id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("draft", BLOB, nullable=False),
    Column("delivered_at", String),
)
Index("message_waiting", message.c.partner, message.c.seq, sqlite_where=message.c.delivered_at.is_(None))

suspension = Table(
    "suspension",
    metadata,
    Column("id", String, primary_key=True),
    Column("partner", String, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("ended_at", String),
)

shadow = Table(
    "shadow",
    metadata,
    Column("version", ForeignKey("agreement.version"), primary_key=True),
    Column("since", String, nullable=False),
    Column("until", String, nullable=False),
    Column("products", Integer, nullable=False, server_default="0"),
    Column("errors", Integer, nullable=False, server_default="0"),
)

shadow_difference = Table(
    "shadow_difference",
    metadata,
    Column("version", String, primary_key=True),
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("partner", String, primary_key=True),
    Column("form_now", String, nullable=False),
    Column("form_then", String, nullable=False),
    Column("clause", String, nullable=False),
    sqlite_with_rowid=False,
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

officer = Table(
    "officer",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("key", String, nullable=False, unique=True),
    Column("added_at", String, nullable=False),
    Column("removed_at", String),
    Column("founds", Boolean, nullable=False),
)
Index("officer_today", officer.c.name, unique=True, sqlite_where=officer.c.removed_at.is_(None))

approval = Table(
    "approval",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("act", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("officer", String, nullable=False),
    Column("at", String, nullable=False),
    Column("signature", String, nullable=False),
    Column("why", String, nullable=False),
    UniqueConstraint("act", "subject", "officer", "at"),
)

population = Table(
    "population",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("coarser", BLOB, nullable=False),
    Column("at", String, nullable=False),
)
Index("population_newest", population.c.name, population.c.seq)

population_class = Table(
    "population_class",
    metadata,
    Column("digest", String, primary_key=True),
    Column("attribute", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("persons", BLOB, nullable=False),
)

source_population = Table(
    "source_population",
    metadata,
    Column("cryptonym", String, primary_key=True),
    Column("population", String, nullable=False),
)

disclosure = Table(
    "disclosure",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("batch", String, nullable=False),
    Column("cryptonym", String, nullable=False),
    Column("partner", String, nullable=False),
    Column("release_id", String, nullable=False),
    Column("facts", BLOB, nullable=False),
    Column("at", String, nullable=False),
)

person_flag = Table(
    "person_flag",
    metadata,
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("names", Integer, nullable=False),
    Column("spans", BLOB, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("product", ForeignKey("product.seq"), nullable=False),
    Column("partner", String, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("officer", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", String, nullable=False),
    Column("due", String, nullable=False),
    Column("state", String, nullable=False),
)
Index("decision_of", decision.c.product, decision.c.partner)
Index("decision_waiting", decision.c.due, sqlite_where=decision.c.state == "waiting")

cleared = Table(
    "cleared",
    metadata,
    Column("product", ForeignKey("product.seq"), primary_key=True),
    Column("hit", String, primary_key=True),
    Column("officers", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", String, nullable=False),
    sqlite_with_rowid=False,
)

vault = Table(
    "vault",
    metadata,
    Column("only", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("sha256", String, nullable=False),
)

encode = msgspec.json.Encoder(order="deterministic").encode
"""The same bytes for equal values."""


def stamp(at: datetime) -> str:
    """RFC 3339, microseconds, `Z`: sorts as it reads."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

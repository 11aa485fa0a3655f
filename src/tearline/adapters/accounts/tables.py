"""The tables of `desk.db`. What lets somebody in stands there as a digest, sealed, or as a public key."""

from __future__ import annotations

from sqlalchemy import BLOB, CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("name", String, primary_key=True),
    Column("roles", String, nullable=False),
    Column("language", String),
    Column("handle", BLOB, nullable=False, unique=True),
    Column("password", String),
    Column("totp", BLOB),
    Column("totp_used", Integer, nullable=False, server_default="0"),
    Column("added_at", String, nullable=False),
    CheckConstraint("(password IS NULL) = (totp IS NULL)"),  # a password alone lets nobody in
)


def _whose() -> Column[str]:
    return Column("account", ForeignKey("account.name", ondelete="CASCADE"), nullable=False, index=True)


passkey = Table(
    "passkey",
    metadata,
    Column("id", BLOB, primary_key=True),
    _whose(),
    Column("public_key", BLOB, nullable=False),
    Column("sign_count", Integer, nullable=False),
    Column("label", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("used_at", String),
)

identity = Table(
    "identity",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("subject", String, primary_key=True),
    _whose(),
)

session = Table(
    "session",
    metadata,
    Column("digest", String, primary_key=True),
    _whose(),
    Column("method", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("confirmed_at", String),
)

token = Table(
    "token",
    metadata,
    Column("digest", String, primary_key=True),
    _whose(),
    Column("label", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("added_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
)

enrolment = Table(
    "enrolment",
    metadata,
    Column("digest", String, primary_key=True),
    _whose(),
    Column("totp", BLOB, nullable=False),
    Column("expires_at", String, nullable=False),
)

lockout = Table(
    "lockout",
    metadata,
    # Of the name that was given, whether there is such an account or not.
    Column("digest", String, primary_key=True),
    Column("until", String, nullable=False),
)

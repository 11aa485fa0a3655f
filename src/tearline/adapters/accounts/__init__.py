"""`desk.db`: the accounts of the desk. Not in `node.db`, which no login needs to write.

Every function takes the caller's connection, and so its transaction.
"""

from pathlib import Path

from sqlalchemy import Engine

from tearline.adapters.accounts.passes import (
    Enrolment,
    Session,
    Token,
    add_enrolment,
    add_session,
    add_token,
    digest,
    end_session,
    end_sessions,
    enrolment,
    forget_expired,
    lock,
    locked_until,
    remove_enrolments,
    remove_token,
    remove_tokens,
    see,
    session,
    sessions,
    token,
    tokens,
    unlock,
    use_enrolment,
)
from tearline.adapters.accounts.people import (
    Account,
    Identity,
    Passkey,
    account,
    account_of_identity,
    accounts,
    add_account,
    add_identity,
    add_passkey,
    identities,
    passkey,
    passkeys,
    rehash,
    remove_account,
    remove_identities,
    remove_passkey,
    remove_passkeys,
    set_language,
    set_password,
    set_roles,
    spend,
    use_passkey,
)
from tearline.adapters.accounts.seal import Seal
from tearline.adapters.accounts.tables import metadata
from tearline.adapters.database import open_database


def open_accounts(folder: Path) -> Engine:
    """`desk.db` in a node's folder, made if absent: `begin()` writes, `connect()` reads."""
    return open_database(folder / "desk.db", metadata=metadata)


__all__ = [
    "Account",
    "Enrolment",
    "Identity",
    "Passkey",
    "Seal",
    "Session",
    "Token",
    "account",
    "account_of_identity",
    "accounts",
    "add_account",
    "add_enrolment",
    "add_identity",
    "add_passkey",
    "add_session",
    "add_token",
    "digest",
    "end_session",
    "end_sessions",
    "enrolment",
    "forget_expired",
    "identities",
    "lock",
    "locked_until",
    "open_accounts",
    "passkey",
    "passkeys",
    "rehash",
    "remove_account",
    "remove_enrolments",
    "remove_identities",
    "remove_passkey",
    "remove_passkeys",
    "remove_token",
    "remove_tokens",
    "see",
    "session",
    "sessions",
    "set_language",
    "set_password",
    "set_roles",
    "spend",
    "token",
    "tokens",
    "unlock",
    "use_enrolment",
    "use_passkey",
]

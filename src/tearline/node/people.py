"""People of the desk: who has an account, in which roles, and what the ledger tells of them.

An account has no first password: whoever sets it up is given a link that works once, and chooses with it how
to log in. A change of somebody's rights ends their sessions. Whatever changes here, or lets somebody in, is
on the ledger before it is in force; the ledger tells names, roles and methods, never a secret or an address.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Account, Enrolment, Identity, Seal
from tearline.adapters.store import stamp
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import BadInput, Refused

INVITED = timedelta(hours=24)
"""How long the link of a new account works."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_NAME = 64
_TOTP_BYTES = 20
"""As long as the digest of HMAC-SHA-1, as RFC 4226, section 4, recommends."""


class People:
    """The accounts of a node's desk. Safe for use from several threads, with a node that no other uses."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.seal = Seal(node.home.secret)
        self._desk = store.open_accounts(node.home.folder)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._desk.dispose()

    def now(self) -> datetime:
        return self.node.clock()

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read `desk.db`."""
        return self._desk.connect()

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction of `desk.db` for what is no act: when a session was last seen, say."""
        return self._desk.begin()

    @contextmanager
    def recording(
        self, act: Act, name: str, *, by: str | None = None, **told: object
    ) -> Iterator[Connection]:
        """A transaction of `desk.db` with its act on the ledger first: where it raises, there is neither."""
        body = {"account": name, **told} | ({} if by is None else {"by": by})
        with self._lock, self._desk.begin() as db:
            yield db
            with self.node.writing():
                self.node.record(act, body)

    def find(self, name: str) -> Account:
        """Raises `Refused` where there is no such account."""
        with self.reading() as db:
            return _there(db, name)

    def add(self, name: str, roles: Iterable[str], *, by: str) -> str:
        """A new account; returns what its enrolment link ends with. Raises `Refused` where there is one."""
        must_be_name(name)
        roles = sorted(set(roles))
        with self.recording(Act.ACCOUNT_ADDED, name, by=by, roles=roles) as db:
            if store.account(db, name) is not None:
                raise Refused(f"there is an account {name} already")
            store.add_account(db, name, roles, secrets.token_bytes(32), stamp(self.now()))
            return self._enrol(db, name, INVITED)

    def set_roles(self, name: str, roles: Iterable[str], *, by: str) -> None:
        """Give an account these roles and no others; its sessions end."""
        roles = sorted(set(roles))
        with self.recording(Act.ACCOUNT_CHANGED, name, by=by, change="roles", roles=roles) as db:
            _there(db, name)
            store.set_roles(db, name, roles)
            store.end_sessions(db, name)

    def link(self, name: str, identity: Identity, *, by: str) -> None:
        """Let an account in as who the issuer says it is. Raises `Refused` where that is somebody already."""
        with self.recording(Act.ACCOUNT_CHANGED, name, by=by, change="identity-linked") as db:
            _there(db, name)
            add_identity(db, name, identity)

    def reset(self, name: str, *, by: str) -> str:
        """Take every way in from an account, and end what it has open; returns a new enrolment link's end."""
        with self.recording(Act.ACCOUNT_CHANGED, name, by=by, change="reset") as db:
            _there(db, name)
            for forget in (
                store.remove_passkeys,
                store.remove_identities,
                store.remove_tokens,
                store.end_sessions,
            ):
                forget(db, name)
            store.set_password(db, name, None, None)
            store.unlock(db, store.digest(name))
            return self._enrol(db, name, INVITED)

    def remove(self, name: str, *, by: str) -> None:
        """Remove an account, with its sessions and tokens."""
        with self.recording(Act.ACCOUNT_REMOVED, name, by=by) as db:
            _there(db, name)
            store.remove_account(db, name)

    def enrol(self, name: str, valid: timedelta) -> str:
        """A link with which an account can set up a further way in; returns what it ends with."""
        with self.writing() as db:
            _there(db, name)
            return self._enrol(db, name, valid)

    def _enrol(self, db: Connection, name: str, valid: timedelta) -> str:
        link = secrets.token_urlsafe(32)
        made = Enrolment(
            digest=store.digest(link),
            account=name,
            totp=self.seal.seal(name, base64.b32encode(secrets.token_bytes(_TOTP_BYTES)).decode()),
            expires_at=stamp(self.now() + valid),
        )
        store.add_enrolment(db, made)
        return link


def must_be_name(name: str) -> None:
    """Raises `BadInput` where `name` cannot be an account's."""
    if _NAME.fullmatch(name) is None or len(name) > _MAX_NAME:
        reason = f"it is not a code in kebab-case of at most {_MAX_NAME} characters"
        raise BadInput("account", "", reason, "use one such as heron-3")


def add_identity(db: Connection, name: str, identity: Identity) -> None:
    """Link within the transaction that is open. Raises `Refused` where the identity is linked already."""
    if store.account_of_identity(db, identity) is not None:
        raise Refused("this identity is linked to an account already")
    store.add_identity(db, name, identity)


def _there(db: Connection, name: str) -> Account:
    account = store.account(db, name)
    if account is None:
        raise Refused(f"there is no account {name}")
    return account

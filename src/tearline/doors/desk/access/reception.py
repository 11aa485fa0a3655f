"""What the pages of this folder share: the accounts, and how somebody is let in."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import argon2
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Account, Passkey
from tearline.adapters.store import stamp
from tearline.doors.desk.access.passkeys import Passkeys, credential_id
from tearline.doors.desk.access.password import Passwords
from tearline.doors.desk.access.provider import Providers
from tearline.doors.desk.access.request import address
from tearline.doors.desk.access.sessions import COOKIE, FRESH, Sessions
from tearline.doors.desk.access.settings import Settings
from tearline.doors.desk.access.throttle import Throttle
from tearline.doors.desk.endpoint import N_
from tearline.doors.desk.person import Person
from tearline.ledger import Act
from tearline.node import Node
from tearline.node.people import People
from tearline.terms import Refused

BEFORE = "__Secure-tearline-login"
"""The short cookie of what comes before. A provider's answer comes from another site: so it is Lax."""
_MINUTES = 10


class Reception:
    """The accounts with all that checks who somebody is. Methods block: call them through `aside`."""

    def __init__(self, node: Node, settings: Settings, hasher: argon2.PasswordHasher | None) -> None:
        self.node, self.settings = node, settings
        self.people = People(node)
        self.sessions = Sessions(self.people)
        self.throttle = Throttle(self.people)
        self.passwords = Passwords(self.people.seal, hasher)
        self.passkeys = Passkeys(settings.domain, settings.origin, f"Tearline {node.party}")
        self.providers = Providers(settings)

    def before_login(self) -> Middleware:
        """What keeps a little from one step of a login to the next, signed, on its paths alone."""
        return Middleware(
            SessionMiddleware,
            secret_key=hmac.digest(self.node.home.secret, b"desk before login", "sha256").hex(),
            session_cookie=BEFORE,
            max_age=60 * _MINUTES,
            path="/login",
            same_site="lax",
            https_only=True,
        )

    def with_password(self, request: Request, name: str, password: str, code: str) -> str:
        """Let somebody in; returns the new session. Raises `Refused`: the same whatever was wrong."""
        self.admit(request, name)
        with self.people.reading() as db:
            account = store.account(db, name)
        counter = self.passwords.check(account, password, code, self.people.now())
        if account is None or counter is None:
            raise Refused(N_("name, password or code is wrong"))
        with self.people.recording(Act.PERSON_LOGGED_IN, name, method="totp") as db:
            if not store.spend(db, name, counter):
                raise Refused(N_("name, password or code is wrong"))
            if account.password and (newer := self.passwords.newer_hash(account.password, password)):
                store.rehash(db, name, account.password, newer)
            session = self._begin(db, request, name, "totp")
        self.throttle.succeeded(name)
        return session

    def with_passkey(self, request: Request, key: str, shown: Any) -> str:
        """As `with_password`, by a passkey of whichever account it is."""
        self.admit(request)
        account, passkey, count = self._checked(key, shown)
        with self.people.recording(Act.PERSON_LOGGED_IN, account.name, method="passkey") as db:
            self._use(db, passkey, count)
            return self._begin(db, request, account.name, "passkey")

    def with_identity(self, request: Request, identity: store.Identity) -> str:
        """As `with_password`, as whom a provider says that it is."""
        with self.people.reading() as db:
            account = store.account_of_identity(db, identity)
        if account is None:
            raise Refused(N_("no account of this desk is linked to who you are there"))
        return self.let_in(request, account.name, "oidc")

    def let_in(self, request: Request, name: str, method: str) -> str:
        """A session for somebody who has just shown who they are."""
        with self.people.recording(Act.PERSON_LOGGED_IN, name, method=method) as db:
            return self._begin(db, request, name, method)

    def confirm_code(self, person: Person, code: str) -> str:
        """The person's session under a new id, after a right code."""
        if not self.throttle.under_name(person.name):
            raise Refused(N_("there were too many tries: wait a quarter of an hour"))
        account = self.people.find(person.name)
        counter = self.passwords.check_code(account, code, self.people.now())
        session = self._open(person)
        with self.people.recording(Act.PERSON_CONFIRMED, person.name, method="totp") as db:
            if counter is None or not store.spend(db, person.name, counter):
                raise Refused(N_("the code is wrong, or was used before"))
            new = self.sessions.confirm(db, session)
        self.throttle.succeeded(person.name)
        return new

    def confirm_passkey(self, person: Person, key: str, shown: Any) -> str:
        """The same after a passkey of the person's own."""
        account, passkey, count = self._checked(key, shown)
        session = self._open(person)
        if account.name != person.name:
            raise Refused(N_("this passkey is another's"))
        with self.people.recording(Act.PERSON_CONFIRMED, person.name, method="passkey") as db:
            self._use(db, passkey, count)
            return self.sessions.confirm(db, session)

    def is_recent(self, person: Person) -> bool:
        """Whether the login or a second unlock was within the last minutes: for changes of one's account."""
        session = self.sessions.find(person)
        since = stamp(self.people.now() - FRESH)
        return session is not None and max(session.started_at, session.confirmed_at or "") >= since

    def admit(self, request: Request, name: str | None = None) -> None:
        """Raises `Refused` where there were too many tries."""
        admitted = self.throttle.from_address(address(request))
        if not admitted or (name is not None and not self.throttle.under_name(name)):
            raise TooMany(N_("there were too many tries: wait a quarter of an hour"))

    def _checked(self, key: str, shown: Any) -> tuple[Account, Passkey, int]:
        with self.people.reading() as db:
            passkey = store.passkey(db, credential_id(shown))
            account = None if passkey is None else store.account(db, passkey.account)
        count = self.passkeys.check(key, shown, passkey, account, self.people.now())
        assert passkey is not None  # noqa: S101 - `check` refused otherwise
        assert account is not None  # noqa: S101
        return account, passkey, count

    def _use(self, db: Connection, passkey: Passkey, count: int) -> None:
        store.use_passkey(db, passkey.id, count, stamp(self.people.now()))

    def _begin(self, db: Connection, request: Request, name: str, method: str) -> str:
        return self.sessions.begin(db, name, method, before=request.cookies.get(COOKIE))

    def _open(self, person: Person) -> store.Session:
        session = self.sessions.find(person)
        if session is None:
            raise Refused(N_("your session has ended: log in again"))
        return session


class TooMany(Refused):
    """Too many tries."""


def new_key() -> str:
    """What ties the steps of a ceremony together."""
    return secrets.token_urlsafe(16)


aside = run_in_threadpool

"""Sessions of people and tokens of programs: random, named by their digest, never renewed in place."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from tearline.adapters import accounts as store
from tearline.adapters.accounts import Account, Session, Token
from tearline.adapters.store import stamp
from tearline.doors.desk.person import Person, Role
from tearline.node.people import People

COOKIE = "__Host-tearline"
"""The prefix: only this host can set it, with Secure, for all paths (RFC 6265bis, section 4.1.3.2)."""
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
FRESH = timedelta(minutes=5)
"""How long a second unlock counts, and a login for the changes of one's own account."""
_SEEN_EVERY = timedelta(minutes=1)
_PREFIX = "tl_"
"""By which scanners of published code find a token that has got there."""


class Sessions:
    """Who comes with which session or token."""

    def __init__(self, people: People) -> None:
        self._people = people

    def begin(self, db: Connection, name: str, method: str, *, before: str | None) -> str:
        """A new session; returns its id, which only the browser keeps. `before`: the one that it ends."""
        now = self._people.now()
        if before is not None:
            store.end_session(db, store.digest(before))
        store.forget_expired(
            db, stamp(now), idle_since=stamp(now - IDLE), started_before=stamp(now - LONGEST)
        )
        new = secrets.token_urlsafe(32)
        at = stamp(now)
        store.add_session(
            db,
            Session(digest=store.digest(new), account=name, method=method, started_at=at, seen_at=at),
        )
        return new

    def confirm(self, db: Connection, old: Session) -> str:
        """The session of a person who showed again who they are, under a new id: it may now do more."""
        new = secrets.token_urlsafe(32)
        at = stamp(self._people.now())
        store.end_session(db, old.digest)
        store.add_session(
            db,
            Session(
                digest=store.digest(new),
                account=old.account,
                method=old.method,
                started_at=old.started_at,
                seen_at=at,
                confirmed_at=at,
            ),
        )
        return new

    def end(self, db: Connection, person: Person) -> None:
        store.end_session(db, person.session)

    def person(self, cookie: str) -> Person | None:
        """Who has this session, while it is open."""
        now, named = self._people.now(), store.digest(cookie)
        with self._people.reading() as db:
            session = store.session(db, named)
            if session is None or not _is_open(session, now):
                return None
            account = store.account(db, session.account)
        if account is None:
            return None
        if session.seen_at < stamp(now - _SEEN_EVERY):
            with self._people.writing() as db:
                store.see(db, named, stamp(now))
        return _person(account, session.method, account.roles, session.digest)

    def program(self, token: str) -> Person | None:
        """Whose token it is, with those of its roles that its person still has."""
        with self._people.reading() as db:
            found = store.token(db, store.digest(token))
            if found is None or found.expires_at <= stamp(self._people.now()):
                return None
            account = store.account(db, found.account)
        return None if account is None else _person(account, "token", account.roles & found.roles, "")

    def new_token(self, db: Connection, person: Person, label: str, roles: Iterable[str], days: int) -> str:
        """A token with some of the person's roles; told here, and never again."""
        new = _PREFIX + secrets.token_urlsafe(32)
        now = self._people.now()
        store.add_token(
            db,
            Token(
                digest=store.digest(new),
                account=person.name,
                label=label,
                roles=frozenset(roles) & person.roles,
                added_at=stamp(now),
                expires_at=stamp(now + timedelta(days=days)),
            ),
        )
        return new

    def find(self, person: Person) -> Session | None:
        """The session that a person has come with, while it is open."""
        with self._people.reading() as db:
            found = store.session(db, person.session)
        return found if found is not None and _is_open(found, self._people.now()) else None


def give(response: Response, session: str) -> Response:
    """Let the browser keep a session, until it is closed."""
    response.set_cookie(COOKIE, session, path="/", secure=True, httponly=True, samesite="strict")
    return response


def take_away(response: Response) -> Response:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response


def _is_open(session: Session, now: datetime) -> bool:
    return session.seen_at >= stamp(now - IDLE) and session.started_at >= stamp(now - LONGEST)


def _person(account: Account, method: str, roles: Iterable[str], session: str) -> Person:
    known = frozenset(Role(each) for each in roles if each in set(Role))
    return Person(name=account.name, roles=known, method=method, language=account.language, session=session)

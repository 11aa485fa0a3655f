"""Who it is: a person by passkey, by password with a one-time code or through a provider; a program by token.

`Access` is all that the frame needs: `who` sent a request, and the `routes` of logging in and of accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import argon2
from starlette.requests import Request
from starlette.routing import BaseRoute

from tearline.adapters.home import Home
from tearline.adapters.store import Approval, stamp
from tearline.doors.desk.access.own import own_routes
from tearline.doors.desk.access.reception import Reception
from tearline.doors.desk.access.request import Render
from tearline.doors.desk.access.sessions import COOKIE, FRESH
from tearline.doors.desk.access.settings import Settings, origin_of
from tearline.doors.desk.access.signing import forget_key, has_key, keep_key, sign
from tearline.doors.desk.access.ways_in import login_routes
from tearline.doors.desk.endpoint import N_
from tearline.doors.desk.person import Person
from tearline.node import Node
from tearline.node.opened import utc_now
from tearline.terms import Refused

_BEARER = "bearer "


class Access:
    """The people of one desk. Made once; safe for use from several threads."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
        *,
        hasher: argon2.PasswordHasher | None = None,
    ) -> None:
        self._home = home
        self._node = Node(home, clock=clock)  # its own: a node is not for several threads at once
        self._reception = Reception(self._node, settings, hasher)

    def close(self) -> None:
        self._reception.people.close()
        self._node.close()

    def who(self, request: Request) -> Person | None:
        """Who sent it: by its token where it bears one, else by the session of its cookie."""
        header = request.headers.get("authorization")
        if header is not None:
            is_bearer = header[: len(_BEARER)].lower() == _BEARER
            return self._reception.sessions.program(header[len(_BEARER) :].strip()) if is_bearer else None
        cookie = request.cookies.get(COOKIE)
        return None if not cookie else self._reception.sessions.person(cookie)

    def is_fresh(self, person: Person, now: datetime | None = None) -> bool:
        """Whether the person showed again who they are, after the login, within the last five minutes.

        Where not, lead them to `/account/confirm?next=PAGE`.
        """
        session = self._reception.sessions.find(person)
        since = stamp((now or self._reception.people.now()) - FRESH)
        return session is not None and session.confirmed_at is not None and session.confirmed_at >= since

    def sign(self, person: Person, act: str, subject: str, at: datetime, passphrase: str) -> Approval:
        """The officer's signed yes; see `signing.sign`. Raises `Refused` after too many wrong passphrases."""
        if not self._reception.throttle.at_passphrase(person.name):
            raise Refused(N_("there were too many wrong passphrases: wait a quarter of an hour"))
        approval = sign(self._home, person, act, subject, at, passphrase)
        self._reception.throttle.opened(person.name)
        return approval

    def routes(self, render: Render) -> list[BaseRoute]:
        """`/login`, `/logout` and `/account`, drawn by `render`."""
        return [
            *login_routes(self._reception, self.who, render),
            *own_routes(self._reception, self.who, render),
        ]


def open_access(home: Home, origin: str) -> Access:
    """The access of a desk that browsers reach at `origin`, as `node.toml` sets it."""
    return Access(home, Settings(origin=origin, providers=home.config.desk.oidc))


__all__ = [
    "COOKIE",
    "Access",
    "Render",
    "Settings",
    "forget_key",
    "has_key",
    "keep_key",
    "open_access",
    "origin_of",
    "sign",
]

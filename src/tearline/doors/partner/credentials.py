"""How a client shows which partner it is: by the key of its certificate, or by a password."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from starlette.requests import Request

from tearline.doors.partner.problem import Problem
from tearline.doors.partner.registry import Registry
from tearline.terms import BadInput, Party

_N, _R, _P = 2**14, 8, 1
"""scrypt: 16 MiB and about 50 ms a check (RFC 7914)."""
_STORED = re.compile(r"scrypt\$(\d+)\$(\d+)\$(\d+)\$([0-9a-f]{32})\$([0-9a-f]{64})")
_MAX_MEMORY = 64 * 1024 * 1024
_CACHED = 1024
_FAILURES, _WINDOW = 10, 60.0
"""So many wrong passwords within so many seconds, then an address has to wait."""
_CHECKS_AT_ONCE = 2


class Authenticate(Protocol):
    """Says who sent a request. Raises `Problem` (401) where that is nobody we know."""

    async def __call__(self, request: Request) -> Party: ...


class ByCertificate:
    """The partner is the key of the certificate that its connection was made with."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, request: Request) -> Party:
        party = self._registry.party(request.scope.get("state", {}).get("tls_key"))
        if party is None:
            raise Problem(
                401,
                "Show the certificate that was agreed with this node.",
                {"www-authenticate": 'ClientCertificate realm="TAXII"'},
            )
        return party


class Login(NamedTuple):
    """Whom a user name stands for, and the hash of its password as `hash_password` made it."""

    party: Party
    password: str


class ByPassword:
    """HTTP Basic (RFC 7617), for clients that cannot show a certificate.

    A right password is remembered, as a keyed hash in memory only, so that scrypt is not run at every poll.
    """

    def __init__(self, logins: Mapping[str, Login], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._checks = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._decoy = hash_password(secrets.token_hex(16))
        self._key = secrets.token_bytes(32)
        self._failures: dict[str, tuple[int, float]] = {}
        self.replace(logins)

    def replace(self, logins: Mapping[str, Login]) -> None:
        """From now on exactly these logins hold; nothing is remembered of earlier ones. Raises `BadInput`."""
        for login in logins.values():
            check_password(login.password, "")
        self._logins = dict(logins)
        self._known: dict[bytes, Party] = {}

    async def __call__(self, request: Request) -> Party:
        user, password = _basic(request.headers.get("authorization", ""))
        mark = hmac.digest(self._key, f"{user}\0{password}".encode(), "sha256")
        if mark in self._known:
            return self._known[mark]
        address = request.client.host if request.client else ""
        self._must_not_wait(address)
        login = self._logins.get(user)
        # A user that does not exist costs the same check as one that does.
        stored = self._decoy if login is None else login.password
        async with self._checks:
            good = await asyncio.to_thread(check_password, stored, password)
        if login is None or not good or self._logins.get(user) is not login:
            self._note_failure(address)
            raise _unauthorized()
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[mark] = login.party
        return login.party

    def _must_not_wait(self, address: str) -> None:
        count, since = self._failures.get(address, (0, 0.0))
        left = since + _WINDOW - self._clock()
        if count >= _FAILURES and left > 0:
            raise Problem(429, "Too many wrong passwords.", {"retry-after": str(int(left) + 1)})

    def _note_failure(self, address: str) -> None:
        now = self._clock()
        count, since = self._failures.get(address, (0, now))
        if now - since > _WINDOW:
            count, since = 0, now
        if len(self._failures) >= _CACHED:
            self._failures.clear()
        self._failures[address] = (count + 1, since)


def hash_password(password: str) -> str:
    """A salted scrypt hash with its parameters, to be kept in place of the password."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _N, _R, _P)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${digest.hex()}"


def check_password(stored: str, password: str) -> bool:
    """Whether `stored` was made of `password`. Raises `BadInput` where it is no such hash."""
    match = _STORED.fullmatch(stored)
    if match is None:
        raise BadInput("password", "", "it is not kept as a scrypt hash", "set the password again")
    n, r, p, salt, digest = match.groups()
    made = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(made, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, text = header.partition(" ")
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _unauthorized() from None
    if scheme.lower() != "basic" or not colon:
        raise _unauthorized()
    return user, password


def _unauthorized() -> Problem:
    return Problem(
        401,
        "Give the user name and password that were agreed with this node.",
        {"www-authenticate": 'Basic realm="TAXII", charset="UTF-8"'},
    )

"""A password with a one-time code: NIST SP 800-63B-4, sections 3.1.1 (passwords) and 3.1.5 (codes)."""

from __future__ import annotations

import io
import secrets
import threading
import unicodedata
from datetime import datetime

import argon2
import pyotp
import segno

from tearline.adapters.accounts import Account, Seal
from tearline.terms import BadInput

MIN_LENGTH, MAX_LENGTH = 15, 256
"""Code points of a password."""
_AT_ONCE = 2
"""Passwords that are hashed at the same time: each takes 64 MiB."""


class Passwords:
    """Checks passwords and codes, and makes their hashes. An account that is not there takes as long."""

    def __init__(self, seal: Seal, hasher: argon2.PasswordHasher | None = None) -> None:
        self._seal = seal
        self._hasher = hasher or argon2.PasswordHasher()  # RFC 9106, section 4, second profile
        self._busy = threading.BoundedSemaphore(_AT_ONCE)
        self._nobody = self._hash(secrets.token_urlsafe())
        self._nobodys_codes = pyotp.random_base32()

    def check(self, account: Account | None, password: str, code: str, now: datetime) -> int | None:
        """The counter of the code where both are right; it must still be spent. `None` where one is not.

        Both are looked at in any case, so that the time tells neither which was wrong nor whether there is
        such an account.
        """
        known = account is not None and account.password is not None
        kept = account.password if account is not None and account.password is not None else self._nobody
        right = self._verify(kept, password)
        counter = self.check_code(account, code, now)
        return counter if known and right else None

    def check_code(self, account: Account | None, code: str, now: datetime) -> int | None:
        """The counter of a right code, of this half minute or one beside it."""
        sealed = account is not None and account.totp is not None
        secret = (
            self._seal.open(account.name, account.totp)
            if account is not None and account.totp is not None
            else self._nobodys_codes
        )
        counter = counter_of(secret, code, now)
        return counter if sealed else None

    def chosen(self, name: str, password: str) -> str:
        """The hash of a new password. Raises `BadInput` where it is too weak."""
        text = _normal(password)
        if not MIN_LENGTH <= len(text) <= MAX_LENGTH:
            raise BadInput("password", "", f"it does not have {MIN_LENGTH} to {MAX_LENGTH} characters")
        if len(text.casefold().replace(name.casefold(), "")) < MIN_LENGTH:
            raise BadInput("password", "", "your name is in it, and without that it is too short")
        return self._hash(password)

    def newer_hash(self, kept: str, password: str) -> str | None:
        """The hash under today's parameters, where that which is kept has older ones."""
        return self._hash(password) if self._hasher.check_needs_rehash(kept) else None

    def _hash(self, password: str) -> str:
        with self._busy:
            return self._hasher.hash(_normal(password))

    def _verify(self, kept: str, password: str) -> bool:
        with self._busy:
            try:
                return self._hasher.verify(kept, _normal(password[: 4 * MAX_LENGTH]))
            except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
                return False


def counter_of(secret: str, code: str, now: datetime) -> int | None:
    """The counter whose code this is, now or one step before or after; each is compared in constant time."""
    codes, found = pyotp.TOTP(secret), None
    given = code.replace(" ", "")
    for counter in range(codes.timecode(now) - 1, codes.timecode(now) + 2):
        if secrets.compare_digest(codes.generate_otp(counter).encode(), given.encode()):
            found = counter
    return found


def picture(secret: str, name: str, party: str) -> bytes:
    """The secret of codes as a QR code, SVG, for an app to read."""
    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Tearline {party}")
    drawn = io.BytesIO()
    segno.make(address, micro=False).save(drawn, kind="svg", scale=5, dark="#000", light="#fff")
    return drawn.getvalue()


def _normal(password: str) -> str:
    """One spelling of what different keyboards send."""
    return unicodedata.normalize("NFC", password)

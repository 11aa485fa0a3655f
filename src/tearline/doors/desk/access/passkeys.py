"""Passkeys: WebAuthn Level 3. The authenticator must have verified its person; a challenge is used once."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tearline.adapters.accounts import Account, Passkey
from tearline.adapters.store import stamp
from tearline.doors.desk.endpoint import N_
from tearline.terms import BadInput, Refused

_REQUIRED = UserVerificationRequirement.REQUIRED
VALID = timedelta(minutes=5)
_MOST = 10_000
"""Challenges that wait at once."""
_NOT_TAKEN = N_("this passkey lets nobody in here")


class Passkeys:
    """The ceremonies, each in two steps. `key`: what ties the second to the first; the browser has it."""

    def __init__(self, domain: str, origin: str, name: str) -> None:
        self._domain, self._origin, self._name = domain, origin, name
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[bytes, datetime]] = {}

    def begin_registration(self, key: str, account: Account, known: Iterable[Passkey], now: datetime) -> str:
        """What the browser needs to make a passkey, JSON."""
        options = webauthn.generate_registration_options(
            rp_id=self._domain,
            rp_name=self._name,
            user_id=account.handle,
            user_name=account.name,
            challenge=self._challenge(key, now),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
            ),
            exclude_credentials=_described(known),
        )
        return webauthn.options_to_json(options)

    def register(self, key: str, account: Account, made: Any, label: str, now: datetime) -> Passkey:
        """The passkey that was made. Raises `Refused` where it was not for this challenge and this desk."""
        challenge = self._take(key, now)
        try:
            checked = webauthn.verify_registration_response(
                credential=made,
                expected_challenge=challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception:  # the library raises many kinds for what a browser never sends
            raise Refused(N_("the passkey could not be made: try again")) from None
        return Passkey(
            id=checked.credential_id,
            account=account.name,
            public_key=checked.credential_public_key,
            sign_count=checked.sign_count,
            label=label,
            added_at=stamp(now),
        )

    def begin(self, key: str, now: datetime, known: Iterable[Passkey] = ()) -> str:
        """What the browser needs to show a passkey, JSON; any of this desk's where none are named."""
        options = webauthn.generate_authentication_options(
            rp_id=self._domain,
            challenge=self._challenge(key, now),
            allow_credentials=_described(known),
            user_verification=_REQUIRED,
        )
        return webauthn.options_to_json(options)

    def check(
        self, key: str, shown: Any, passkey: Passkey | None, account: Account | None, now: datetime
    ) -> int:
        """The new count of its signatures. Raises `Refused` where it is not the account's passkey."""
        challenge = self._take(key, now)
        if passkey is None or account is None or passkey.account != account.name:
            raise Refused(_NOT_TAKEN)
        try:
            handle = base64url_to_bytes(shown["response"].get("userHandle") or "")
            checked = webauthn.verify_authentication_response(
                credential=shown,
                expected_challenge=challenge,
                expected_rp_id=self._domain,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except Exception:  # as above
            raise Refused(_NOT_TAKEN) from None
        if handle and not secrets.compare_digest(handle, account.handle):
            raise Refused(_NOT_TAKEN)
        return checked.new_sign_count

    def _challenge(self, key: str, now: datetime) -> bytes:
        challenge = secrets.token_bytes(32)
        with self._lock:
            self._waiting = {each: kept for each, kept in self._waiting.items() if kept[1] > now}
            if len(self._waiting) >= _MOST:
                raise Refused(N_("too many people are logging in at once: try again"))
            self._waiting[key] = challenge, now + VALID
        return challenge

    def _take(self, key: str, now: datetime) -> bytes:
        with self._lock:
            challenge, until = self._waiting.pop(key, (b"", now))
        if until <= now:
            raise Refused(N_("that took too long: try again"))
        return challenge


def credential_id(shown: Any) -> bytes:
    """The passkey that a browser names. Raises `BadInput` where it names none."""
    try:
        return base64url_to_bytes(shown["rawId"])
    except (KeyError, TypeError, ValueError):
        raise BadInput("passkey", "", "it cannot be read") from None


def _described(known: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each.id) for each in known]

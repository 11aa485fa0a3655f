"""Secrets of one-time codes at rest: sealed under a key that is made of the node's secret."""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tearline.terms import Broken

_NONCE = 12


class Seal:
    """Seals what must be read again, each for one account: moved to another it does not open."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: the node's."""
        self._cipher = ChaCha20Poly1305(hmac.digest(secret, b"desk codes", "sha256"))

    def seal(self, account: str, text: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), account.encode())

    def open(self, account: str, sealed: bytes) -> str:
        """Raises `Broken` where it was changed, or sealed for another account or by another node."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], account.encode()).decode()
        except InvalidTag:
            raise Broken(f"the secret of the codes of {account} cannot be opened") from None

"""Ed25519 public keys as text: how partners exchange them and officers' keys are kept."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tearline.terms import BadInput


def public_key_text(key: Ed25519PublicKey) -> str:
    """An Ed25519 public key as base64 of its 32 bytes: how partners exchange it."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """Reads what `public_key_text` wrote. Raises `BadInput` for anything else."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise BadInput("signing key", "", "it is not base64 of the 32 bytes of an Ed25519 key") from None

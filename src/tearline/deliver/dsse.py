"""DSSE v1.0: a payload signed together with its type, so that it cannot be taken for anything else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tearline.terms import Broken


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keyid` is a hint at whose it is, and is not itself signed."""

    keyid: str
    sig: bytes


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """DSSE, envelope.md. Bytes are standard base64 in its JSON."""

    payload: bytes
    payload_type: str
    signatures: list[Signature]


def key_id(key: Ed25519PublicKey) -> str:
    """The hint at a key: SHA-256 of its 32 bytes, hexadecimal."""
    return sha256(key.public_bytes_raw()).hexdigest()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding (DSSE, protocol.md): what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, key: Ed25519PrivateKey) -> Envelope:
    """`payload` signed as one of `payload_type`."""
    signature = Signature(key_id(key.public_key()), key.sign(pae(payload_type, payload)))
    return Envelope(payload, payload_type, [signature])


def verify(envelope: Envelope, keys: Sequence[Ed25519PublicKey], payload_type: str) -> bytes:
    """The payload, if it is of `payload_type` and signed by one of `keys`. Raises `Broken` otherwise."""
    signer(envelope, keys, payload_type)
    return envelope.payload


def signer(envelope: Envelope, keys: Sequence[Ed25519PublicKey], payload_type: str) -> Ed25519PublicKey:
    """Which of `keys` signed it, as one of `payload_type`. Raises `Broken` where none did."""
    if envelope.payload_type != payload_type:
        raise Broken("the statement is of another type")
    known = {key_id(key): key for key in keys}
    signed = pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        key = known.get(signature.keyid)
        if key is not None and _holds(key, signature.sig, signed):
            return key
    raise Broken("the statement is not signed by the one who should have signed it")


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True

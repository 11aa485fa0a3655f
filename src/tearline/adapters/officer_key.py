"""An officer's key in a file of its own: Ed25519, PKCS #8 PEM, mode 0600, under a passphrase or plain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tearline.adapters.home import write_private
from tearline.terms import BadInput


def make_key(path: Path, passphrase: str | None) -> Ed25519PrivateKey:
    """A new key in a new file. Raises `BadInput` where there is a file already."""
    if path.exists():
        raise BadInput(str(path), "", "there is a file already", "choose another name")
    key = Ed25519PrivateKey.generate()
    sealed = BestAvailableEncryption(passphrase.encode()) if passphrase is not None else NoEncryption()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    return key


def read_key(path: Path, passphrase: Callable[[], str]) -> Ed25519PrivateKey:
    """The key in a file; `passphrase` is called where it needs one. Raises `BadInput` for anything else."""
    return open_key(str(path), path.read_bytes(), passphrase)


def open_key(where: str, data: bytes, passphrase: Callable[[], str]) -> Ed25519PrivateKey:
    """The same of the bytes of a file; `where` names them in errors."""
    try:
        if b"ENCRYPTED" in data:
            key = load_pem_private_key(data, password=passphrase().encode())
        else:
            key = load_pem_private_key(data, password=None)
    except ValueError:
        reason = "it is no key, or the passphrase is not the one it was made with"
        raise BadInput(where, "", reason) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(where, "", "it is not an Ed25519 key", "make one with `tearline officer key`")
    return key

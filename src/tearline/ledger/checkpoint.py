"""A log's signed state, as a note that any transparency-log tool can read.

Formats: C2SP `tlog-checkpoint` (origin, size and root, a line each) inside a C2SP `signed-note`
(text, empty line, signature lines), with Ed25519 keys (signature type 0x01).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tearline.terms import BadInput, Broken

_ED25519 = b"\x01"
_MAX_NOTE = 65_536
"""Characters: room for far more signatures than the 16 that a verifier must accept."""
_DASH = "\u2014"
_FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log: its `origin` (a unique name, one line), number of entries, 32-byte root hash."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text that is signed; its last line ends in a newline too."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"


@dataclass(frozen=True)
class Verifier:
    """A public key under a name. One name and key may sign for several logs; the origin tells them apart.

    `former`: the keys that signed under the name before; what they signed still holds.
    """

    name: str
    key: Ed25519PublicKey
    former: tuple[Ed25519PublicKey, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadInput("key name", "", "it must not be empty nor hold spaces, plus or control characters")

    @cached_property
    def key_id(self) -> bytes:
        """4 bytes that together with the name say which key signed (signed-note, "Ed25519 signatures")."""
        return self._id(self.key)

    @cached_property
    def keys(self) -> dict[bytes, Ed25519PublicKey]:
        """Every key that may have signed, by its key id."""
        return {self._id(key): key for key in (*self.former, self.key)}

    def _id(self, key: Ed25519PublicKey) -> bytes:
        return sha256(self.name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()[:4]


def vkey(name: str, key: Ed25519PublicKey) -> str:
    """A verifier key as one string, `NAME+KEYID+BASE64`, as transparency-log tools take it."""
    return f"{name}+{Verifier(name, key).key_id.hex()}+{_encode(_ED25519 + key.public_bytes_raw())}"


def parse_vkey(text: str) -> Verifier:
    """Reads what `vkey` wrote. Raises `BadInput` for anything else."""
    name, _, rest = text.partition("+")
    data = _decode(rest.partition("+")[2])
    if data is None or len(data) != 33 or data[:1] != _ED25519:
        raise BadInput("verifier key", "", "it is not NAME+KEYID+BASE64 of an Ed25519 key")
    verifier = Verifier(name, Ed25519PublicKey.from_public_bytes(data[1:]))
    if vkey(name, verifier.key) != text:
        raise BadInput("verifier key", "key id", "it does not belong to this name and key")
    return verifier


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey, name: str) -> str:
    """The signed note for `checkpoint`, signed by `key` under `name`."""
    signature = Verifier(name, key.public_key()).key_id + key.sign(checkpoint.text().encode())
    return f"{checkpoint.text()}\n{_DASH} {name} {_encode(signature)}\n"


def open_note(note: str, verifier: Verifier, *, origin: str) -> Checkpoint:
    """The checkpoint in `note`, if a key of `verifier` signed it and it is of the log `origin`.

    Signatures of other keys are ignored, as the standard asks. Raises `Broken` otherwise.
    """
    text, separator, tail = note.rpartition("\n\n")
    text += "\n"
    if len(note) > _MAX_NOTE or not separator or not tail.endswith("\n") or _forbidden(note):
        raise Broken("the checkpoint is not a signed note")
    signatures = [_signature(line, verifier) for line in tail[:-1].split("\n")]
    ours = [signature for signature in signatures if signature is not None]
    if not ours:
        raise Broken(f"the checkpoint is not signed by {verifier.name}")
    for key, signature in ours:
        try:
            key.verify(signature, text.encode())
        except InvalidSignature:
            raise Broken(f"the checkpoint's signature by {verifier.name} is wrong") from None
    checkpoint = _read(text)
    if checkpoint.origin != origin:
        raise Broken(f"the checkpoint is not of the log {origin}")
    return checkpoint


def _signature(line: str, verifier: Verifier) -> tuple[Ed25519PublicKey, bytes] | None:
    """The signature on a line of the note and its key, if that is one of `verifier`'s."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    data = _decode(encoded)
    if dash != _DASH or not _NAME.fullmatch(name) or data is None or len(data) < 5:
        raise Broken("the checkpoint has a malformed signature line")
    key = verifier.keys.get(data[:4]) if name == verifier.name else None
    return None if key is None else (key, data[4:])


def _read(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or "" in lines or not _SIZE.fullmatch(lines[1]):
        raise Broken("the note is not a checkpoint")
    root = _decode(lines[2])
    if root is None or len(root) != 32:
        raise Broken("the note is not a checkpoint")
    return Checkpoint(lines[0], int(lines[1]), root)


def _forbidden(note: str) -> bool:
    """Whether `note` holds what no note may: control characters, or what UTF-8 cannot carry."""
    return _FORBIDDEN.search(note) is not None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    """Standard base64, in its one canonical spelling; `None` for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _encode(data) == text else None

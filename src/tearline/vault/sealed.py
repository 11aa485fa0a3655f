"""The vault's file: sealed with AES-256-GCM under a data key, which a passphrase's key wraps.

    file   = MAGIC  length  header  body          length: 4 bytes, big-endian; header: MessagePack
    kek    = Argon2id(passphrase, salt)           RFC 9106; parameters in the header
    header = vault, version, kdf, salt, nonces, AES-256-GCM(kek, data key; MAGIC, vault, kdf, salt)
    body   = AES-256-GCM(data key, register; MAGIC, length, header)

So every byte of the file is authenticated, a new passphrase changes only how the data key is wrapped, and an
old wrapping cannot be put before a newer body. That a whole older file was put back is not seen here: its
version and digest are on the ledger.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tearline.terms import BadInput, Broken, Refused
from tearline.vault.source import Register

MAGIC = b"tearline vault 1\n"
MIN_PASSPHRASE = 12
MAX_HEADER = 4_096
_KEY, _SALT, _NONCE = 32, 16, 12

Entropy = Callable[[int], bytes]
"""Gives as many random bytes as it is asked for: `secrets.token_bytes`."""


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Argon2id parameters. The default takes about 0.6 s and 256 MiB, four times RFC 9106's second choice."""

    memory: int = 256 * 1024
    """KiB."""
    iterations: int = 3
    lanes: int = 4

    def check(self) -> None:
        """Raises `Broken`: these are read before anything is authenticated, so they are bounded first."""
        sound = 1 <= self.lanes <= 64 and 1 <= self.iterations <= 64
        if not (sound and 8 * self.lanes <= self.memory <= 4 * 1024 * 1024):
            raise Broken("the vault's file was changed: its key parameters cannot be")


COST = Cost()
"""What a new passphrase is wrapped with."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vault: bytes
    """Random; which vault this is."""
    version: int
    """Counts the saves, from 1."""
    cost: Cost
    salt: bytes
    wrap_nonce: bytes
    wrapped: bytes
    body_nonce: bytes


class Mark(msgspec.Struct, frozen=True):
    """Which state of the vault's file this is: what the ledger records of it."""

    version: int
    sha256: str


class Unlock(Protocol):
    """Who can give the data key: a passphrase, the key already held, and one day a PKCS#11 token."""

    def data_key(self, header: Header) -> bytes:
        """Raises `Refused` where it is not the key of this vault."""


class Passphrase:
    """Unlocks by what an officer typed. Different ways to type the same characters are one (NFC)."""

    def __init__(self, text: str) -> None:
        try:
            self._secret = unicodedata.normalize("NFC", text).encode()
        except UnicodeEncodeError:
            raise BadInput("passphrase", "", "it is not Unicode text") from None

    @classmethod
    def chosen(cls, text: str) -> Passphrase:
        """A new passphrase. Raises `BadInput` where it is too short."""
        if len(text) < MIN_PASSPHRASE:
            reason = f"it has fewer than {MIN_PASSPHRASE} characters"
            raise BadInput("passphrase", "", reason, "choose a longer one")
        return cls(text)

    def data_key(self, header: Header) -> bytes:
        try:
            return self._cipher(header).decrypt(header.wrap_nonce, header.wrapped, _bound(header))
        except InvalidTag:
            raise Refused("the passphrase is wrong, or the vault's file was changed") from None

    def wrap(self, header: Header, key: bytes) -> Header:
        """`header` with the data key wrapped for this passphrase."""
        wrapped = self._cipher(header).encrypt(header.wrap_nonce, key, _bound(header))
        return msgspec.structs.replace(header, wrapped=wrapped)

    def _cipher(self, header: Header) -> AESGCM:
        header.cost.check()
        kdf = Argon2id(
            salt=header.salt,
            length=_KEY,
            iterations=header.cost.iterations,
            lanes=header.cost.lanes,
            memory_cost=header.cost.memory,
        )
        return AESGCM(kdf.derive(self._secret))


class Opened:
    """An open vault: the register and the key that it is sealed with. Shows neither."""

    def __init__(self, header: Header, key: bytes, register: Register) -> None:
        self.header, self.register, self._key = header, register, key

    def __repr__(self) -> str:
        return f"Opened(version {self.header.version})"

    @property
    def index_key(self) -> bytes:
        """The key of the scanner's index: 32 bytes, derived from the data key (RFC 5869)."""
        return HKDF(SHA256(), _KEY, self.header.vault, b"tearline vault: scanner index").derive(self._key)

    def data_key(self, header: Header) -> bytes:
        """An open vault unlocks a later state of itself, whatever the passphrase has become."""
        if header.vault != self.header.vault:
            raise Refused("this is the file of another vault")
        return self._key

    def sealed(
        self, register: Register, entropy: Entropy, *, new: Passphrase | None = None, after: int = 0
    ) -> bytes:
        """The file's next version with `register` in it, under a `new` passphrase if one is given.

        It is later than this version and than `after`.
        """
        version = max(self.header.version, after) + 1
        header = msgspec.structs.replace(self.header, version=version, body_nonce=entropy(_NONCE))
        if new is not None:
            header = msgspec.structs.replace(
                header, cost=COST, salt=entropy(_SALT), wrap_nonce=entropy(_NONCE)
            )
            header = new.wrap(header, self._key)
        front = _front(header)
        return front + AESGCM(self._key).encrypt(header.body_nonce, _encode(register), front)


def make(passphrase: Passphrase, entropy: Entropy) -> Opened:
    """A new vault, empty and of version 0: its first save makes version 1."""
    header = Header(entropy(_SALT), 0, COST, entropy(_SALT), entropy(_NONCE), b"", b"")
    key = entropy(_KEY)
    return Opened(passphrase.wrap(header, key), key, Register())


def unseal(data: bytes, unlock: Unlock) -> Opened:
    """Open the vault's file.

    Raises `BadInput` where it is no vault, `Refused` where the key is not its own, `Broken` where it was
    changed.
    """
    header, front = _read_front(data)
    key = unlock.data_key(header)
    try:
        body = AESGCM(key).decrypt(header.body_nonce, data[len(front) :], front)
    except InvalidTag:
        raise Broken("the vault's file was changed") from None
    try:
        return Opened(header, key, _decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):  # its text could hold an identity
        raise Broken("the vault's content cannot be read by this version of Tearline") from None


def mark(data: bytes) -> Mark:
    """Which state of the vault `data` is; needs no key, and is no proof of anything by itself."""
    header, _ = _read_front(data)
    return Mark(header.version, hashlib.sha256(data).hexdigest())


def _front(header: Header) -> bytes:
    packed = msgspec.msgpack.encode(header)
    return MAGIC + len(packed).to_bytes(4, "big") + packed


def _read_front(data: bytes) -> tuple[Header, bytes]:
    start = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : start], "big")
    if not data.startswith(MAGIC) or size > MAX_HEADER:
        raise BadInput("vault", "", "this is not the file of a vault")
    try:
        header = msgspec.msgpack.decode(data[start : start + size], type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken("the vault's file was changed: its header cannot be read") from None
    lengths = (len(header.salt), len(header.wrap_nonce), len(header.body_nonce))
    if lengths != (_SALT, _NONCE, _NONCE):
        raise Broken("the vault's file was changed: its header cannot be")
    return header, data[: start + size]


def _bound(header: Header) -> bytes:
    """What the wrapped key is bound to."""
    return MAGIC + msgspec.msgpack.encode((header.vault, header.cost, header.salt))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Register).decode

"""What is said over the vault's socket: frames of MessagePack, four bytes of length (big-endian) before each.

No request is answered with an identity: the protocol has no word for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from tearline.scan import Hit
from tearline.terms import Broken
from tearline.vault.canary import Canary
from tearline.vault.source import Standing

LENGTH = 4
MAX_FRAME = 64 << 20
"""Bytes of one request or answer."""
MAX_TEXTS = 10_000
"""Texts of one request."""


class Scan(msgspec.Struct, frozen=True, tag="scan"):
    texts: tuple[str, ...]


class ListSources(msgspec.Struct, frozen=True, tag="list"):
    pass


class ListCanaries(msgspec.Struct, frozen=True, tag="canaries"):
    """Of these products; of all where none is named."""

    products: tuple[str, ...] = ()


class AskStatus(msgspec.Struct, frozen=True, tag="status"):
    pass


class Hits(msgspec.Struct, frozen=True, tag="hits"):
    """For every text of the request its hits, in order."""

    hits: tuple[tuple[Hit, ...], ...]


class Sources(msgspec.Struct, frozen=True, tag="sources"):
    sources: tuple[Standing, ...]


class Canaries(msgspec.Struct, frozen=True, tag="canary-list"):
    canaries: tuple[Canary, ...]


class Status(msgspec.Struct, frozen=True, tag="state"):
    """Counts only. `hardened`: what Linux granted the process, such as `no core dumps`."""

    version: int
    """Of the vault's file that is held."""
    sources: int
    rows: int
    hardened: tuple[str, ...]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """No answer: one plain sentence without content or identities."""

    kind: Literal["refused", "broken"]
    sentence: str


Request = Scan | ListSources | ListCanaries | AskStatus
Answer = Hits | Sources | Canaries | Status | Failure


def frame(message: Request | Answer) -> bytes:
    """One message as it goes over the socket. Raises `Broken` where it is longer than a frame may be."""
    packed = msgspec.msgpack.encode(message)
    if len(packed) > MAX_FRAME:
        raise Broken(f"a message to or from the vault is longer than {MAX_FRAME} bytes")
    return len(packed).to_bytes(LENGTH, "big") + packed


def frame_length(head: bytes) -> int:
    """The length that the first four bytes tell. Raises `Broken` where no frame may be so long."""
    size = int.from_bytes(head, "big")
    if size > MAX_FRAME:
        raise Broken(f"a message to or from the vault is longer than {MAX_FRAME} bytes")
    return size


def read_request(packed: bytes) -> Request:
    """Raises `Broken` for anything that is no request."""
    try:
        request = _request(packed)
    except (msgspec.DecodeError, UnicodeDecodeError):  # its text could hold some of the content
        raise Broken("this is no request to a vault") from None
    if isinstance(request, Scan) and len(request.texts) > MAX_TEXTS:
        raise Broken(f"a request holds more than {MAX_TEXTS} texts")
    return request


def read_answer(packed: bytes) -> Answer:
    """Raises `Broken` for anything that is no answer."""
    try:
        return _answer(packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken("the vault's answer cannot be read") from None


_request: Callable[[bytes], Request] = msgspec.msgpack.Decoder(Request).decode
_answer: Callable[[bytes], Answer] = msgspec.msgpack.Decoder(Answer).decode

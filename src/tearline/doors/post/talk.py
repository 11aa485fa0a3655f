"""What worker and post room say to each other over their socket, and what the post room is given of partners.

A message is four bytes of length and MessagePack. Nothing in it is of a product: that is in the views.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from tearline.adapters.home import Config
from tearline.terms import Party


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the post room is started with: configuration and paths, nothing secret."""

    config: Config
    views: str
    released: str
    """The folder of links to released files: it may be read."""
    certificate: str
    tls_key: str

    def view(self, party: Party) -> Path:
        return Path(self.views) / f"{party}.db"


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A partner, as far as the post room has to know it."""

    party: Party
    secret: bytes
    """Of its view."""
    url: str
    certificate: str
    """PEM: a node's own; of a plain server that of who vouches for it, or empty: whom the system trusts."""
    collection: str | None = None
    """Where to add objects to on a plain server; `None` for a node."""
    authorization: str | None = None
    """The header for a plain server."""


class Admit(msgspec.Struct, frozen=True, tag="admit"):
    """To the post room: these are the partners now. `logins`: user to party and password hash."""

    peers: list[Peer]
    logins: dict[str, tuple[Party, str]]


class Out(msgspec.Struct, frozen=True, tag="out"):
    """To the post room: there is something new in these partners' `out`."""

    parties: list[Party]


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """To the post room: finish what is under way, and end."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """To the worker: the door is open. `confined`: whether the kernel has taken all other files away."""

    port: int
    confined: bool


class Given(msgspec.Struct, frozen=True, tag="given"):
    """To the worker: there is something new in this partner's `in`, or to be heard of it."""

    party: Party


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """To the worker: the address cannot be had; `why` is the system's word."""

    why: str


ToPost = Admit | Out | Stop
ToWorker = Ready | Given | Failed

_encode = msgspec.msgpack.Encoder().encode
_read_to_post = msgspec.msgpack.Decoder(ToPost).decode
_read_to_worker = msgspec.msgpack.Decoder(ToWorker).decode


def say(writer: asyncio.StreamWriter, message: ToPost | ToWorker) -> None:
    """Send, without waiting. Nothing happens where the other side is gone: its end is noticed elsewhere."""
    body = _encode(message)
    if not writer.is_closing():
        writer.write(len(body).to_bytes(4, "big") + body)


async def hear_worker(reader: asyncio.StreamReader) -> ToPost | None:
    """What the worker says next; `None` when it is gone."""
    body = await _frame(reader)
    return None if body is None else _read_to_post(body)


async def hear_post(reader: asyncio.StreamReader) -> ToWorker | None:
    """What the post room says next; `None` when it is gone."""
    body = await _frame(reader)
    return None if body is None else _read_to_worker(body)


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None

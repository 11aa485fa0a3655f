"""Brings what goes over the wire to a few fixed lengths, so that an onlooker learns little from them.

Files go as long as they are.

Space after a JSON text means nothing (RFC 8259, section 2), so bodies are padded with it: to the next power
of two, 4 KiB at least.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 4096


def none(body: bytes) -> bytes:
    """As it is."""
    return body


def to_bucket(body: bytes) -> bytes:
    """With space after it, up to its bucket."""
    return body.ljust(max(LEAST, 1 << (len(body) - 1).bit_length()))


class Padded:
    """An application whose JSON answers are padded: each has to come in one piece. Others go as they are."""

    def __init__(self, app: ASGIApp, pad: Callable[[bytes], bytes]) -> None:
        self._app, self._pad = app, pad

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head: dict[str, Any] = {}

        async def padded(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = dict(message)
                return
            if not _is_json(head):
                if head:
                    await send(head)
                head = {}
                await send(message)
                return
            body = self._pad(message.get("body", b""))
            kept = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
            await send(head | {"headers": [*kept, (b"content-length", str(len(body)).encode())]})
            await send({**message, "body": body})

        await self._app(scope, receive, send if self._pad is none else padded)


def _is_json(head: Mapping[str, Any]) -> bool:
    return any(
        name.lower() == b"content-type" and b"json" in value for name, value in head.get("headers", ())
    )

"""A released file, or a range of it, as it is sent: RFC 9110, sections 13 and 14, for single ranges.

What stands under a name never changes, so its entity tag is the name, which its asker knows. Before each
piece the view is asked again: what a suspension or recall closes ends there, in the middle of the answer.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tearline.adapters.view import ReleasedFile
from tearline.doors.partner.problem import Problem, not_found

PIECE = 1 << 20
"""Bytes that are read and sent at once."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.IGNORECASE)


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int


class Download:
    """An ASGI answer. The file is opened when it is made, so that nothing can come between."""

    def __init__(
        self, request: Request, file: ReleasedFile, path: Path, may: Callable[[], bool], seconds: float
    ) -> None:
        """`may`: whether the file may still be had. `seconds`: how long the client may take over a piece.

        Raises `Problem`: 404 where the link is gone, 416 for a range that is not in the file.
        """
        self._may, self._seconds, self._is_head = may, seconds, request.method == "HEAD"
        tag = f'"{file.name}"'
        wanted = _span(request, tag, file.size)
        self._span = wanted or Span(0, file.size)
        self._status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
        headers = {
            "content-type": file.media_type,
            "content-length": str(self._span.stop - self._span.start),
            "accept-ranges": "bytes",
            "etag": tag,
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
        }
        if wanted is not None:
            headers["content-range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{file.size}"
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            raise not_found() from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
            if not self._is_head:
                await self._send_span(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (_Closed, TimeoutError):
            return  # the server ends a connection whose answer is not whole
        finally:
            os.close(self._file)

    async def _send_span(self, send: Send) -> None:
        at, stop = self._span
        while at < stop:
            data = await asyncio.to_thread(os.pread, self._file, min(PIECE, stop - at), at)
            if not data or not self._may():
                raise _Closed
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            at += len(data)


class _Closed(Exception):
    """The rest may not be sent."""


def _span(request: Request, tag: str, size: int) -> Span | None:
    """The range that is asked for; `None` for the whole file: also where what is asked for is no single range
    (section 14.2 lets a server ignore it)."""
    if request.headers.get("if-range", tag) != tag:
        return None
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or match[0].endswith("=-"):
        return None
    if not match[1]:
        start, stop = max(0, size - int(match[2])), size
    else:
        start, stop = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        if match[2] and int(match[2]) < int(match[1]):
            return None
    if start >= stop:
        raise Problem(416, "The file has no such range.", {"content-range": f"bytes */{size}"})
    return Span(start, stop)

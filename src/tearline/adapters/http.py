"""One HTTP/1.1 connection over TLS that is kept open, one request at a time: httptools over asyncio streams.

A post room sends a small request to every partner at every tick, so what a request costs counts: about a
third of what a general client takes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import httptools

from tearline.terms import TearlineError

MAX_BODY = 128 * 1024 * 1024
MAX_HEAD = 64 * 1024
_CHUNK = 256 * 1024
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Unreachable(TearlineError):
    """The other side did not answer as it should; asking again later may help."""


class Answer(NamedTuple):
    """Names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection:
    """To one origin. Opens itself when needed, and again where the other side has closed it."""

    def __init__(
        self, origin: str, context: ssl.SSLContext, headers: Mapping[str, str], *, seconds: float = 30.0
    ) -> None:
        """`origin`: `https://host:port`, the rest of it is ignored. `headers` go with every request.
        `seconds`: how long an answer may take."""
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._context, self._seconds = context, seconds
        lines = {"host": parts.netloc.rpartition("@")[2], **headers}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await streams[1].wait_closed()

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> Answer:
        """The whole answer. `target` is a path with its query. Raises `Unreachable`."""
        length = {"content-length": str(len(body))} if body else {}
        more = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **length}.items())
        request = f"{method} {target} HTTP/1.1\r\n{self._head}{more}\r\n".encode("latin-1") + body
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(await self._open(), request)
        except (OSError, TimeoutError, httptools.HttpParserError, UnicodeError) as error:
            await self.close()
            raise _unreachable(error) from None
        except BaseException:
            await self.close()  # what is left of this answer must not be taken for the next one
            raise

    async def connect(self) -> None:
        """Open the connection, where it is not open. Raises `Unreachable`."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._open()
        except (OSError, TimeoutError, UnicodeError) as error:
            raise _unreachable(error) from None

    async def _open(self) -> _Streams:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._host, self._port, ssl=self._context, server_hostname=self._host, limit=_CHUNK
            )
        return self._streams

    async def _exchange(self, streams: _Streams, request: bytes) -> Answer:
        reader, writer = streams
        reading = _Reading()
        parser = httptools.HttpResponseParser(reading)
        writer.write(request)
        await writer.drain()
        while not reading.complete:
            data = await reader.read(_CHUNK)
            if not data and reading.until_closed:
                break
            if not data:
                raise ConnectionResetError
            parser.feed_data(data)
            reading.must_not_be_long()
        if not parser.should_keep_alive() or reading.until_closed:
            await self.close()
        return Answer(parser.get_status_code(), reading.headers, bytes(reading.body))


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable(f"it cannot be reached ({type(error).__name__})")


class _Reading:
    """What the parser tells of one answer."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.complete = self.until_closed = False
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.until_closed = not {"content-length", "transfer-encoding"} & self.headers.keys()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete, self.until_closed = True, False

    def must_not_be_long(self) -> None:
        if len(self.body) > MAX_BODY or self._head_bytes > MAX_HEAD:
            raise Unreachable("its answer is longer than we take")

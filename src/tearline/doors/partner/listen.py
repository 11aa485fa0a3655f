"""Serves a door over TLS in the running event loop: uvicorn, with what a door on the open net needs besides.

`DoorProtocol` is a small subclass of uvicorn's httptools protocol (pinned to 0.54). It

- puts the fingerprint of the client certificate's key into every request's `state` as `tls_key`,
- answers what is not HTTP with a TAXII error,
- ends connections whose request head is too long or takes too long,
- and turns away a client that has too many connections already: its first request is answered with 503.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tearline.adapters import tls
from tearline.doors.partner.accept import Acceptor, allow_many_files
from tearline.doors.partner.problem import Problem

MAX_HEAD = 64 * 1024
"""Bytes of a request's line and headers."""
HEAD_SECONDS = 15.0
CROWDED_SECONDS = 1.0
MAX_CONNECTIONS = 64
"""Of one certificate; where none was shown, of one address."""
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 5
BACKLOG = 1024


class DoorProtocol(HttpToolsProtocol):
    """One connection."""

    _head_bytes = 0
    _in_head = True
    _moved_on = False
    _head_timer: asyncio.TimerHandle | None = None
    _whose: str | None = None
    _crowded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        certificate = None if ssl_object is None else ssl_object.getpeercert(binary_form=True)
        key = None if certificate is None else tls.key_fingerprint(certificate)
        # uvicorn copies this into the scope of each request of the connection.
        self.app_state = {**self.app_state, "tls_key": key}
        self._whose = key or (self.client[0] if self.client else "")
        others = sum(
            isinstance(each, DoorProtocol) and each._whose == self._whose for each in self.connections
        )
        self._crowded = others > MAX_CONNECTIONS
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._moved_on = False
        super().data_received(data)
        # The parser keeps a header until it is whole, however long it grows.
        self._head_bytes = 0 if self._moved_on or not self._in_head else self._head_bytes + len(data)
        if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._head_done()
        self._in_head, self._moved_on = False, True
        if self._crowded:
            self._refuse(Problem(503, "You have too many connections open.", {"retry-after": "1"}))
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._crowded:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = self._moved_on = True
        if not self._crowded:
            super().on_message_complete()

    def shutdown(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request
        idle = cycle is None or cycle.response_complete
        if idle and self.transport.get_write_buffer_size() == 0:
            self.transport.abort()  # closing would wait for the client to say goodbye
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._head_done()
        self._refuse(Problem(400, msg))

    def _refuse(self, problem: Problem) -> None:
        """Answer outside any request of the application, and end the connection."""
        response = problem.response()
        head = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}", "connection: close"]
        head += [f"{name.decode()}: {value.decode()}" for name, value in response.raw_headers]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + bytes(response.body))
        self.transport.close()

    def _await_head(self) -> None:
        seconds = CROWDED_SECONDS if self._crowded else HEAD_SECONDS
        self._head_timer = self.loop.call_later(seconds, self._head_late)

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """Leaves signals to the program that it is a part of, and accepts as `Acceptor` does."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(config)
        self._listener, self._context = listener, context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        def protocol() -> DoorProtocol:
            return DoorProtocol(self.config, self.server_state, {})

        self.servers = [Acceptor(self._listener, self._context, protocol)]  # type: ignore[list-item]
        self.started = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_door(
    app: ASGIApp,
    context: ssl.SSLContext,
    host: str,
    port: int,
    *,
    ready: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve `app` until `stop` is set or the task is cancelled; requests under way are finished.

    `port` 0 takes a free one; `ready` is told the port once connections are accepted. Raises `OSError` where
    the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
        allow_many_files()
        server = _Server(_config(app), listener, context)
        if ready is not None:
            ready(listener.getsockname()[1])
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            server.should_exit = True
            stopping.cancel()
            await serving
    finally:
        listener.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    values: dict[str, Any] = {
        "http": DoorProtocol,
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
    }
    return uvicorn.Config(app, **values)

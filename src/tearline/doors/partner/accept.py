"""Takes connections in, and keeps those that do not finish their handshake from crowding out the others.

A partner's handshake takes milliseconds. So when too many are under way the oldest is dropped: it is the one
of a client that connects and says nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import Callable

MAX_HANDSHAKES = 256
HANDSHAKE_SECONDS = 10.0
_FULL_SECONDS = 0.05
"""How long to wait where the process has no file descriptor left."""


class Acceptor:
    """Accepts from one listening socket, in the running event loop, until it is closed."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext,
        protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        listener.setblocking(False)
        self._listener, self._context, self._protocol = listener, context, protocol
        self._handshakes: dict[asyncio.Task[None], None] = {}  # in the order in which they began
        self._accepting = asyncio.create_task(self._accept())

    def close(self) -> None:
        """Take no more connections; those that are made stay."""
        self._accepting.cancel()
        for task in self._handshakes:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(self._accepting, *self._handshakes, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(_FULL_SECONDS)
                continue
            while len(self._handshakes) >= MAX_HANDSHAKES:
                oldest = next(iter(self._handshakes))
                del self._handshakes[oldest]
                oldest.cancel()
            task = asyncio.create_task(self._shake(connection))
            self._handshakes[task] = None
            task.add_done_callback(lambda done: self._handshakes.pop(done, None))

    async def _shake(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):  # a client that cannot, or went
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )


def allow_many_files() -> None:
    """Let this process have as many connections as the system lets it have at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

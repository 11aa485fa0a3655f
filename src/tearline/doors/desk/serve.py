"""Serves the desk over TLS: a process of its own, apart from the worker and the post room."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from tearline.adapters.home import Home
from tearline.doors.desk.access import origin_of
from tearline.doors.desk.app import Access, Desk
from tearline.doors.desk.areas import AREAS
from tearline.terms import BadInput

STOP_SECONDS = 3
"""How long requests under way may take when the desk is to end."""


async def serve(home: Home, access: Callable[[Home, str], Access], ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `access` is made with the address in browsers, which `ready` is told.

    Raises `BadInput` for a `[desk]` that cannot be, or a port that is taken.
    """
    settings = home.config.desk
    if not settings.tls and not _is_loopback(settings.host):
        raise BadInput(
            "node.toml", "[desk]", "tls is off, and the host is not this machine", "set host to 127.0.0.1"
        )
    try:
        listening = socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise BadInput("node.toml", "[desk]", str(error.strerror), "choose another port") from None
    with listening, home.at_desk():
        address = origin_of(settings, listening.getsockname()[1])
        people = access(home, address)
        desk = Desk(home, people, AREAS, origin=address)
        try:
            config = uvicorn.Config(
                desk.app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=STOP_SECONDS,
            )
            config.load()
            config.ssl = _context(home) if settings.tls else None
            await _Server(config, lambda: ready(address)).serve([listening])
        finally:
            desk.close()
            people.close()


class _Server(uvicorn.Server):
    """Tells when it is ready, and ends quietly on a signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True


def _context(home: Home) -> ssl.SSLContext:
    settings = home.config.desk
    if bool(settings.certificate) != bool(settings.key):
        raise BadInput("node.toml", "[desk]", "certificate and key belong together", "give both, or none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(
        Path(settings.certificate) if settings.certificate else home.certificate,
        Path(settings.key) if settings.key else home.tls_key,
    )
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

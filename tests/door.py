"""A partner door on loopback: real TLS sockets, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tearline.adapters import tls
from tearline.adapters.view import OUT, Item, View
from tearline.doors.partner import (
    ByCertificate,
    ByPassword,
    Limits,
    Login,
    PartnerDoor,
    Registry,
    run_door,
)
from tearline.doors.partner.pace import Pace

SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
MEDIA_TYPE = "application/taxii+json;version=2.1"
HEADERS = {"accept": MEDIA_TYPE, "content-type": MEDIA_TYPE}


@dataclass(frozen=True)
class Identity:
    """Where a party's certificate and key are."""

    certificate: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    @classmethod
    def make(cls, folder: Path, name: str, **rest: Any) -> Identity:
        folder.mkdir(parents=True)
        return cls(*tls.make_identity(folder, name, "127.0.0.1", "localhost", **rest))


@dataclass
class Door:
    """A running door. `folder` holds one view a party."""

    folder: Path
    server: Identity
    registry: Registry
    port: int = 0
    password_port: int = 0
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    context: Any = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def password_url(self) -> str:
        return f"https://127.0.0.1:{self.password_port}"

    def client(self, who: Identity) -> httpx.Client:
        context = tls.client_context(who.certificate, who.key, self.server.pem)
        return httpx.Client(base_url=self.url, verify=context, headers=HEADERS, trust_env=False)

    def admit(self, certificates: Mapping[str, str]) -> None:
        """As the node does when partners change, in the door's own loop."""
        done = threading.Event()

        def act() -> None:
            self.registry.admit(certificates, self.context)
            done.set()

        self.loop.call_soon_threadsafe(act)
        assert done.wait(5)


class Asker:
    """A door without sockets, asked by whoever we say. `folder` holds one view a party."""

    def __init__(self, folder: Path, parties: Sequence[str] = ("BBB", "CCC")) -> None:
        self.registry = Registry(lambda party: open_view(folder, party))
        people = {party: Identity.make(folder / "keys" / party, party) for party in parties}
        self.registry.admit({party: who.pem for party, who in people.items()})
        self._keys = {party: key for key, party in self.registry._keys.items()}
        self.app = PartnerDoor(self.registry, ByCertificate(self.registry), title="AAA")

    def get(self, path: str, *, party: str | None = "BBB", **rest: Any) -> httpx.Response:
        return self.ask("GET", path, party=party, **rest)

    def ask(self, method: str, path: str, *, party: str | None = "BBB", **rest: Any) -> httpx.Response:
        return asyncio.run(self.go(method, path, party, **rest))

    async def go(self, method: str, path: str, party: str | None, **rest: Any) -> httpx.Response:
        async def as_party(scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "state": {"tls_key": self._keys.get(party or "")}}, receive, send)

        transport = httpx.ASGITransport(as_party, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="https://aaa.example:8443") as client:
            return await client.request(method, path, **rest)

    def close(self) -> None:
        self.registry.close()


def open_view(folder: Path, party: str) -> View:
    return View(folder / f"{party}.db", node="AAA", party=party, key=SIGNING_KEY, secret=b"s" * 32)


@contextmanager
def serving(
    folder: Path,
    partners: Mapping[str, Identity],
    *,
    logins: Mapping[str, Login] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    body_seconds: float = 10.0,
    pace: Pace | None = None,
    view: Callable[[str], View] | None = None,
    server: Identity | None = None,
) -> Iterator[Door]:
    """Serve `partners` until the block ends; with `logins`, on a password door too. `view`, `server`: those
    of another than the one whose views are in `folder`."""
    server = server or Identity.make(folder / "server", "AAA")
    door = Door(folder, server, Registry(view or (lambda party: open_view(folder, party))))
    started, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        door.context = tls.server_context(server.certificate, server.key)
        door.registry.admit({party: who.pem for party, who in partners.items()}, door.context)
        settings: dict[str, Any] = {"title": "Door of AAA", "limits": limits, "body_seconds": body_seconds}
        settings["pace"] = pace
        waiting = 1 + (logins is not None)
        doors = []

        def ready(name: str, port: int) -> None:
            nonlocal waiting
            setattr(door, name, port)
            waiting -= 1
            if not waiting:
                started.set()

        by_certificate = PartnerDoor(door.registry, ByCertificate(door.registry), **settings)
        doors.append(
            run_door(
                by_certificate, door.context, "127.0.0.1", 0, ready=lambda p: ready("port", p), stop=stop
            )
        )
        if logins is not None:
            plain = tls.server_context(server.certificate, server.key, require_client=False)
            by_password = PartnerDoor(door.registry, ByPassword(logins), **settings)
            doors.append(
                run_door(
                    by_password, plain, "127.0.0.1", 0, ready=lambda p: ready("password_port", p), stop=stop
                )
            )
        try:
            await asyncio.gather(*doors)
        finally:
            door.registry.close()

    thread = threading.Thread(target=door.loop.run_until_complete, args=(main(),))
    thread.start()
    try:
        assert started.wait(10)
        yield door
    finally:
        door.loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        door.loop.close()
    assert not thread.is_alive()


def indicator(number: int, *, version: int = 0, kind: str = "indicator") -> dict[str, Any]:
    """An invented STIX object. Versions are seconds apart."""
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--00000000-0000-4000-8000-{number:012x}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": f"2026-01-01T00:00:{version:02d}.000Z",
        "name": f"Rubber duck {number}",
        "pattern": f"[ipv4-addr:value = '192.0.2.{number % 256}']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    }


def release(folder: Path, party: str, objects: list[dict[str, Any]]) -> None:
    """Put objects into the releases to a party, as the node does."""
    view = open_view(folder, party)
    items = [
        Item(f"{o['id']} {o['modified']}", o["id"], o["type"], o["modified"], "2.1", json.dumps(o).encode())
        for o in objects
    ]
    with view.begin() as writer:
        writer.add(OUT, items, datetime.now(UTC))
    view.close()

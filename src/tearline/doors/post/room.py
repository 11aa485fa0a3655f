"""The post room at work: a node's doors, and for each partner a courier, a puller and a fetcher of files.

It opens the views, and nothing else of the node: no products, no signing key, no secret but the views'.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from tearline.adapters import tls
from tearline.adapters.http import HttpConnection, Unreachable
from tearline.adapters.landlock import confine
from tearline.adapters.view import View
from tearline.deliver.taxii import Limits, Span
from tearline.doors.partner import ByCertificate, ByPassword, Login, PartnerDoor, Registry, run_door
from tearline.doors.post import padding, talk
from tearline.doors.post.client import INBOX, TaxiiClient
from tearline.doors.post.courier import Courier
from tearline.doors.post.fetcher import Fetcher
from tearline.terms import BadInput, Party

log = structlog.get_logger()

BIND_SECONDS, BIND_LOOK = 3.0, 0.05
"""How long to try for the port, which a post room that was killed may still be giving up."""


def confine_to(settings: talk.Settings) -> bool:
    """Leave this process the views, TLS files and what Python is made of. Tells whether the kernel did."""
    code = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[3], Path(os.__file__).parent}
    system = {Path(path) for path in ("/usr/lib", "/usr/share/zoneinfo", "/lib", "/lib64", "/dev/urandom")}
    named = {Path("/etc") / name for name in ("hosts", "resolv.conf", "nsswitch.conf", "ssl", "localtime")}
    trusted = ssl.get_default_verify_paths()
    anchors = {Path(path) for path in (trusted.cafile, trusted.capath) if path}
    own = {Path(settings.certificate), Path(settings.tls_key)}
    return confine(
        read=code | system | named | anchors | own | {Path(settings.released)},
        write={Path(settings.views), Path("/dev/null")},
    )


async def run(
    settings: talk.Settings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, confined: bool
) -> None:
    """Serve until the worker says `Stop`. When the worker dies, so does this process, at once."""
    for number in (signal.SIGTERM, signal.SIGINT):  # the worker's to answer
        asyncio.get_running_loop().add_signal_handler(number, lambda: None)
    admit = await talk.hear_worker(reader)
    if not isinstance(admit, talk.Admit):
        return
    room = _Room(settings, writer, confined)
    try:
        await room.serve(admit, reader)
    except OSError as error:
        talk.say(writer, talk.Failed(str(error.strerror or error)))
        await writer.drain()
    finally:
        await room.close()


class _Room:
    def __init__(self, settings: talk.Settings, worker: asyncio.StreamWriter, confined: bool) -> None:
        self._settings, self._config = settings, settings.config
        self._worker, self._confined = worker, confined
        self._stopping = asyncio.Event()
        self._peers: dict[Party, talk.Peer] = {}
        self._couriers: dict[Party, Courier] = {}
        self._tasks: dict[Party, list[asyncio.Task[None]]] = {}
        self._registry = Registry(self._open_view, self._given)
        self._context = tls.server_context(Path(settings.certificate), Path(settings.tls_key))
        self._passwords = ByPassword({})
        self._pad = padding.to_bucket if settings.config.pad else padding.none

    async def serve(self, admit: talk.Admit, reader: asyncio.StreamReader) -> None:
        self._admit(admit)
        config = self._config
        doors = [self._door(config.port, ByCertificate(self._registry), self._context, self._ready)]
        if config.password_port is not None:
            context = tls.server_context(
                Path(self._settings.certificate), Path(self._settings.tls_key), require_client=False
            )
            doors.append(self._door(config.password_port, self._passwords, context, lambda _: None))
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in (*doors, self._listen(reader)):
                    tasks.create_task(self._until_stopped(part))
        except* OSError as errors:
            raise errors.exceptions[0] from None

    async def close(self) -> None:
        for party in list(self._tasks):
            await self._dismiss(party)
        self._registry.close()

    async def _door(self, port: int, authenticate: Any, context: ssl.SSLContext, ready: Any) -> None:
        door = padding.Padded(PartnerDoor(self._registry, authenticate, title=self._config.name), self._pad)
        clock = asyncio.get_running_loop().time
        end = clock() + BIND_SECONDS
        while not self._stopping.is_set():
            try:
                await run_door(door, context, self._config.host, port, ready=ready, stop=self._stopping)
            except OSError:
                if clock() > end:
                    raise
                await asyncio.sleep(BIND_LOOK)

    def _ready(self, port: int) -> None:
        talk.say(self._worker, talk.Ready(port, self._confined))

    async def _until_stopped(self, part: Coroutine[Any, Any, None]) -> None:
        """When one part ends, for whatever reason, the post room does."""
        try:
            await part
        finally:
            self._stopping.set()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            match await talk.hear_worker(reader):
                case talk.Admit() as admit:
                    await self._readmit(admit)
                case talk.Out(parties=parties):
                    for party in parties:
                        if party in self._couriers:
                            self._couriers[party].wake()
                case talk.Stop():
                    return
                case None:
                    os._exit(1)  # the worker is gone; whatever is under way can be repeated

    # --- partners ----------------------------------------------------------------------------------

    async def _readmit(self, admit: talk.Admit) -> None:
        now = {peer.party: peer for peer in admit.peers}
        for party, before in list(self._peers.items()):
            if now.get(party) != before:
                await self._dismiss(party)
        self._admit(admit)

    def _admit(self, admit: talk.Admit) -> None:
        """Let exactly these partners in, and send a courier and a puller to each."""
        peers = {peer.party: peer for peer in admit.peers}
        fresh = [peer for party, peer in peers.items() if party not in self._peers]
        self._peers = peers
        nodes = {party: peer.certificate for party, peer in peers.items() if peer.collection is None}
        self._registry.admit(nodes, self._context)
        self._passwords.replace({user: Login(*login) for user, login in admit.logins.items()})
        for peer in fresh:
            self._send_to(peer)

    def _send_to(self, peer: talk.Peer) -> None:
        inbox = self._registry.inbox(peer.party)
        self._couriers[peer.party] = courier = Courier(
            peer.party,
            inbox,
            self._client(peer),
            peer.collection or INBOX,
            plain=peer.collection is not None,
            cadence=self._config.cadence_ms / 1000,
            pad=self._pad,
            troubled=lambda: talk.say(self._worker, talk.Given(peer.party)),
        )
        tasks = [asyncio.create_task(courier.run())]
        if peer.collection is None:
            tasks.append(asyncio.create_task(self._pull(peer)))
            came = partial(talk.say, self._worker, talk.Given(peer.party))
            fetcher = Fetcher(peer.party, inbox, HttpConnection(peer.url, self._tls(peer), {}), came)
            tasks.append(asyncio.create_task(fetcher.run()))
        self._tasks[peer.party] = tasks

    async def _dismiss(self, party: Party) -> None:
        self._couriers.pop(party, None)
        self._peers.pop(party, None)
        tasks = self._tasks.pop(party, [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pull(self, peer: talk.Peer) -> None:
        """Look at a partner's door again and again: what it could not push is found there."""
        inbox, trouble = self._registry.inbox(peer.party), ""
        async with self._client(peer) as client:
            while True:
                try:
                    after = await inbox.run(inbox.view.pulled_to)
                    async for page in client.releases(after):
                        span = Span(after, page.last)
                        await inbox.pulled(page.envelope, Limits(), span, datetime.now(UTC))
                        after = page.last
                    trouble = _note(peer.party, trouble, "")
                except (Unreachable, BadInput) as error:
                    trouble = _note(peer.party, trouble, str(error))
                except Exception as error:
                    # One partner's page must not end the looking; the text of the error may hold content.
                    trouble = _note(peer.party, trouble, f"fault of ours: {type(error).__name__}")
                await asyncio.sleep(self._config.pull_interval)

    def _client(self, peer: talk.Peer) -> TaxiiClient:
        if peer.collection is not None:
            context = tls.authority_context(peer.certificate)
            return TaxiiClient(peer.url, context, root=True, authorization=peer.authorization)
        return TaxiiClient(peer.url, self._tls(peer))

    def _tls(self, peer: talk.Peer) -> ssl.SSLContext:
        """To a node: with our certificate, and to its own alone."""
        certificate, key = Path(self._settings.certificate), Path(self._settings.tls_key)
        return tls.client_context(certificate, key, peer.certificate)

    def _open_view(self, party: Party) -> View:
        return View(
            self._settings.view(party),
            node=self._config.party,
            party=party,
            secret=self._peers[party].secret,
            cadence_ms=self._config.cadence_ms,
            released=Path(self._settings.released) / party,
        )

    def _given(self, party: Party) -> None:
        talk.say(self._worker, talk.Given(party))
        if party in self._couriers:
            self._couriers[party].heard()


def _note(party: Party, before: str, now: str) -> str:
    """Log when a partner's door begins to fail, fails otherwise, or answers again: not at every look."""
    if now and now != before:
        log.warning("partner not read", partner=party, why=now)
    elif before and not now:
        log.info("partner read again", partner=party)
    return now

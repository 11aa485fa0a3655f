"""Runs a node: its doors, its worker and one puller a partner, in one process and one event loop.

The worker and the pullers touch `node.db` in one thread of their own: the doors never wait for the gate.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeVar

import structlog

from tearline.adapters import tls
from tearline.adapters.home import Home
from tearline.adapters.taxii_client import TaxiiClient, Unreachable
from tearline.adapters.view import View
from tearline.doors.partner import ByCertificate, ByPassword, Login, PartnerDoor, Registry, run_door
from tearline.node import (
    Node,
    agreements,
    consider,
    hand_over,
    logins,
    pulled_to,
    receive,
    suspend,
    take_inbox,
)
from tearline.node.agreement_record import notices
from tearline.node.suspend import attend, refused_givers
from tearline.terms import BadInput, Partner, Party

log = structlog.get_logger()
T = TypeVar("T")

LOOK = 0.02
"""Seconds between looks at what other processes committed to `node.db`."""
INBOX_LOOK = 0.25
"""Seconds between looks at what partners added to their inboxes, and at what suspensions ask for."""


async def serve(home: Home, ready: Callable[[str], None]) -> None:
    """Run the node until SIGTERM or SIGINT. `ready` is told the partner door's address.

    Raises `BadInput` where the node is served already or the port is taken.
    """
    with home.lock(), Node(home) as node:
        server = _Server(home, node)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stopping.set)
        try:
            await server.run(ready)
        except OSError as error:
            raise BadInput(str(home.folder), f"port {home.config.port}", str(error.strerror)) from None


class _Server:
    """The parts of a running node and what they share."""

    def __init__(self, home: Home, node: Node) -> None:
        self.home, self.node = home, node
        self.stopping = asyncio.Event()
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="node")
        self.pullers: dict[Party, tuple[Partner, asyncio.Task[None]]] = {}
        self.registry = Registry(self._open_view)
        self.context = tls.server_context(home.certificate, home.tls_key)
        self.passwords = ByPassword({})
        self.inboxes_seen = 0.0
        self.is_ready = False
        self.announced: date | None = None
        self.held_up = ""

    async def run(self, ready: Callable[[str], None]) -> None:
        config = self.home.config
        self._take_partners()
        doors = [
            run_door(
                PartnerDoor(self.registry, ByCertificate(self.registry), title=config.name),
                self.context,
                config.host,
                config.port,
                ready=lambda port: self._ready(ready, port),
                stop=self.stopping,
            )
        ]
        if config.password_port is not None:
            doors.append(self._password_door(config.password_port))
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in (*doors, self._work()):
                    tasks.create_task(self._until_stopped(part))
        except* OSError as errors:
            raise errors.exceptions[0] from None
        finally:
            self.stopping.set()
            pulls = [task for _, task in self.pullers.values()]
            for task in pulls:
                task.cancel()
            await asyncio.gather(*pulls, return_exceptions=True)
            self.registry.close()
            self.thread.shutdown()

    def _ready(self, ready: Callable[[str], None], port: int) -> None:
        """The door is open: its address comes first, then what is due."""
        ready(f"https://{self.home.config.host}:{port}/taxii2/")
        self.is_ready = True

    def _open_view(self, party: Party) -> View:
        home = self.home
        return View(
            home.view(party),
            node=home.party,
            party=party,
            key=home.signing_key,
            secret=home.secret,
            former=home.former_keys,
        )

    def _password_door(self, port: int) -> Coroutine[Any, Any, None]:
        context = tls.server_context(self.home.certificate, self.home.tls_key, require_client=False)
        door = PartnerDoor(self.registry, self.passwords, title=self.home.config.name)
        return run_door(door, context, self.home.config.host, port, stop=self.stopping)

    async def _until_stopped(self, part: Coroutine[Any, Any, None]) -> None:
        """When one part ends, for whatever reason, the node does."""
        try:
            await part
        finally:
            self.stopping.set()

    async def _work(self) -> None:
        """Consider and hand over whatever waits, until the node stops."""
        while not self.stopping.is_set():
            changed, done = await self._on_node(self._step)
            if changed:
                self._take_partners()
            if not done:
                await self._pause(LOOK)

    def _step(self) -> tuple[bool, int]:
        """One round of the worker: whether partners changed, and how much was done."""
        generation, done = self.node.generation, self._announce()
        again = False
        if time.monotonic() - self.inboxes_seen > INBOX_LOOK:
            self.inboxes_seen = time.monotonic()
            done += attend(self.node) + take_inbox(self.node)
            again = bool(self.node.held_up)
        if not self.node.stirred() and not again:
            return False, done
        self.node.refresh()
        while batch := consider(self.node) + hand_over(self.node):
            done += batch
        if self.node.held_up != self.held_up:
            self.held_up = self.node.held_up
            log.warning("products wait" if self.held_up else "products no longer wait", why=self.held_up)
        return self.node.generation != generation, done

    def _announce(self) -> int:
        """Once a day: record which agreements' days are over, and log what is due. Returns how many ended."""
        if not self.is_ready or self.announced == (today := self.node.clock().date()):
            return 0
        self.announced = today
        ended = agreements.expire(self.node)
        for notice in notices(self.node):
            log.warning("agreement due", what=notice.sentence(today))
        for sentence in suspend.notices(self.node):
            log.warning("suspension due", what=sentence)
        return ended

    def _take_partners(self) -> None:
        """Admit the partners that there are now, and look at the doors of exactly these."""
        self.registry.admit(self.node.certificates, self.context)
        self.passwords.replace(
            {user: Login(party, password) for user, (party, password) in logins(self.node).items()}
        )
        # Who may not come in, because its key was revoked, is not asked for anything either.
        partners = {party: self.node.partners[party] for party in self.node.certificates}
        for party, (partner, task) in list(self.pullers.items()):
            if partners.get(party) != partner:
                task.cancel()
                del self.pullers[party]
        for party, partner in partners.items():
            if party not in self.pullers:
                self.pullers[party] = (partner, asyncio.create_task(self._pull(partner)))

    async def _pull(self, partner: Partner) -> None:
        """Look at one partner's door again and again; what it released to us is taken in."""
        certificate = self.node.certificates[partner.party]
        context = tls.client_context(self.home.certificate, self.home.tls_key, certificate)
        async with TaxiiClient(partner.url, context) as client:
            taken_to = await self._on_node(pulled_to, self.node, partner.party)
            trouble = ""
            while not self.stopping.is_set():
                if partner.party in refused_givers(self.node):
                    await self._pause(self.home.config.pull_interval)
                    continue
                try:
                    async for page in client.releases(taken_to):
                        if page.objects:
                            await self._on_node(receive, self.node, partner.party, page.objects, page.last)
                            taken_to = page.last or taken_to
                    trouble = self._note(partner.party, trouble, "")
                except (Unreachable, BadInput) as error:
                    trouble = self._note(partner.party, trouble, str(error))
                except Exception as error:
                    # One partner's page must not end the looking; the text of the error may hold content.
                    trouble = self._note(partner.party, trouble, f"fault of ours: {type(error).__name__}")
                await self._pause(self.home.config.pull_interval)

    @staticmethod
    def _note(party: Party, before: str, now: str) -> str:
        """Log when a partner's door begins to fail, fails otherwise, or answers again: not at every look."""
        if now and now != before:
            log.warning("partner not read", partner=party, why=now)
        elif before and not now:
            log.info("partner read again", partner=party)
        return now

    async def _on_node(self, act: Callable[..., T], *arguments: object) -> T:
        """Run one act of the node in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, act, *arguments)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

"""Runs a node: the worker here, which holds products and keys, and the post room, a process of its own.

The worker never touches the network. What goes out it seals into partners' views; what comes in it finds
there. Between the two go only wake-ups, and who is admitted; what is missed is found by a slow look.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeVar

import structlog

from tearline.adapters.home import Home
from tearline.doors.post import Admit, Peer, PostRoom, Settings
from tearline.gate.sanitize import Installed
from tearline.node import (
    Node,
    agreements,
    authorizations,
    consider,
    files,
    hand_over,
    logins,
    media,
    persons,
    previews,
    suspend,
    take_inbox,
)
from tearline.node.agreement_record import notices
from tearline.node.suspend import attend
from tearline.terms import BadInput, Party

log = structlog.get_logger()
T = TypeVar("T")

LOOK = 0.01
"""Seconds between looks whether another process committed something to `node.db`."""
SLOW_LOOK = 0.25
"""Seconds between looks at everything, be there news or not."""
FILE_PAUSE = 5.0
"""Seconds before a file is tried again that the system could not store."""


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
    """The worker of a running node."""

    def __init__(self, home: Home, node: Node) -> None:
        self.home, self.node = home, node
        self.stopping, self.news = asyncio.Event(), asyncio.Event()
        self.given: set[Party] = set()
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="node")
        self.looked = 0.0
        self.is_ready = False
        self.announced: date | None = None
        self.held_up = ""
        self.forked: frozenset[Party] = frozenset()
        self.recogniser = Installed()

    async def run(self, ready: Callable[[str], None]) -> None:
        self.home.released.mkdir(mode=0o700, exist_ok=True)
        post = PostRoom(
            Settings(
                config=self.home.config,
                views=str(self.home.views.absolute()),
                released=str(self.home.released.absolute()),
                certificate=str(self.home.certificate.absolute()),
                tls_key=str(self.home.tls_key.absolute()),
            ),
            ready=lambda port: self._ready(ready, port),
            given=self._note_given,
        )
        post.admit(self._admit())
        flagging = [self._flag()] if self.recogniser else []
        try:
            async with asyncio.TaskGroup() as tasks:
                parts = (
                    post.run(self.stopping),
                    self._work(post),
                    self._watch(),
                    self._files(),
                    self._previews(),
                )
                for part in (*parts, *flagging):
                    tasks.create_task(self._until_stopped(part))
        except* OSError as errors:
            raise errors.exceptions[0] from None
        finally:
            self.thread.shutdown()

    def _ready(self, ready: Callable[[str], None], port: int) -> None:
        """The door is open: its address comes first, then what is due."""
        if not self.is_ready:
            ready(f"https://{self.home.config.host}:{port}/taxii2/")
            self.is_ready = True

    def _note_given(self, party: Party) -> None:
        self.given.add(party)
        self.news.set()

    async def _until_stopped(self, part: Coroutine[Any, Any, None]) -> None:
        """When one part ends, for whatever reason, the node does."""
        try:
            await part
        finally:
            self.stopping.set()
            self.news.set()

    async def _watch(self) -> None:
        """Notice what other processes commit: products taken in, officers' acts."""
        while not self.stopping.is_set():
            if self.node.stirred():
                self.news.set()
            await asyncio.sleep(LOOK)

    async def _work(self, post: PostRoom) -> None:
        """Take in, consider and hand over whatever there is, until the node stops."""
        loop = asyncio.get_running_loop()

        def tell(party: Party) -> None:
            loop.call_soon_threadsafe(post.out, [party])

        while not self.stopping.is_set():
            self.news.clear()
            given, self.given = self.given, set()
            changed, done = await self._on_node(self._step, given, tell)
            if changed:
                post.admit(self._admit())
            if not done:
                await self._until_news()

    async def _until_news(self) -> None:
        try:
            async with asyncio.timeout(SLOW_LOOK):
                await self.news.wait()
        except TimeoutError:
            return

    async def _flag(self) -> None:
        """Look through what was considered for persons whom the vault does not know, beside the worker."""
        while not self.stopping.is_set():
            products = await self._on_node(persons.waiting, self.node)
            found = await asyncio.to_thread(persons.look, products, self.recogniser)
            if not products or not await self._on_node(persons.keep, self.node, products, found):
                await self._pause(SLOW_LOOK)

    async def _files(self) -> None:
        """See to the files of pictures and recordings beside the worker, which has others' products to do."""
        await self._on_node(files.sweep, self.node)
        while not self.stopping.is_set():
            jobs = await self._on_node(media.jobs, self.node)
            for job in jobs:
                try:
                    done = await asyncio.to_thread(media.do, self.node.blobs, job)
                except OSError as error:  # the disk is full, say: the file waits
                    log.error("a file waits", why=error.strerror)  # noqa: TRY400
                    await self._pause(FILE_PAUSE)
                    continue
                await self._on_node(media.keep, self.node, job, done)
                self.news.set()
            if not jobs:
                await self._pause(SLOW_LOOK)

    async def _previews(self) -> None:
        """Draw what was released, beside the files that others wait for, and show it in time."""
        while not self.stopping.is_set():
            shown = await self._on_node(previews.show, self.node)
            sources = await self._on_node(previews.wanted, self.node)
            for source in sources[:1]:
                try:
                    pictures = await asyncio.to_thread(previews.draw, self.node.blobs, source)
                except OSError as error:
                    log.error("a preview waits", why=error.strerror)  # noqa: TRY400
                    await self._pause(FILE_PAUSE)
                    continue
                await self._on_node(previews.keep, self.node, source, pictures)
            if not (shown or sources):
                await self._pause(SLOW_LOOK)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    def _step(
        self, given: AbstractSet[Party] = frozenset(), tell: Callable[[Party], None] = lambda _: None
    ) -> tuple[bool, int]:
        """One round of the worker: whether partners changed, and how much was done."""
        generation, done = self.node.generation, self._announce()
        if time.monotonic() - self.looked > SLOW_LOOK:
            self.looked = time.monotonic()
            done += attend(self.node) + take_inbox(self.node)
        elif given:
            done += sum(suspend.settle(self.node, party) for party in given) + take_inbox(self.node, given)
        self.node.refresh()
        for party in sorted(self.node.forked - self.forked):
            log.warning("fork found: nothing is taken until an officer settles it", partner=party)
        self.forked = self.node.forked
        done += consider(self.node) + hand_over(self.node, tell)
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

    def _admit(self) -> Admit:
        """What the post room has to know of the partners there are now."""
        node, headers = self.node, authorizations(self.node)
        peers = [
            Peer(
                party=party,
                secret=self.home.view_secret(party),
                url=node.partners[party].url,
                certificate=certificate,
                collection=node.partners[party].collection,
                authorization=headers.get(party),
            )
            # Who may not come in, because its key was revoked, is not asked for anything either.
            for party, certificate in node.certificates.items()
        ]
        return Admit(peers, logins(node))

    async def _on_node(self, act: Callable[..., T], *arguments: object) -> T:
        """Run one act of the node in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, act, *arguments)

"""Pushes what stands in one partner's `out` to that partner, in order, and again until it has it.

What waits is the view itself, and the cursor in it says how far the partner has acknowledged. Everything can
be done twice: what is pushed again the partner holds already.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson
import structlog

from tearline.adapters.http import Unreachable
from tearline.adapters.view import Closing, Page
from tearline.deliver.taxii import Span, version_stamp, write_envelope
from tearline.doors.partner import Inbox
from tearline.doors.post.client import Failure, TaxiiClient, TooMuch
from tearline.doors.post.patience import FRESH
from tearline.terms import BadInput, Party

log = structlog.get_logger()

BATCH = 50
"""Objects in an envelope."""
LOOK = 0.5
"""Seconds between looks at what nobody told of."""
CLOSING_LOOK = 0.01
PENDING_LOOK, PENDING_LOOKS = 0.5, 120
"""Seconds between questions what became of an envelope that is pending, and how many there are."""
_MOST_OF_WHY = 200


class Courier:
    """Of one partner. `collection`: where it has what we give it."""

    def __init__(
        self,
        party: Party,
        inbox: Inbox,
        client: TaxiiClient,
        collection: str,
        *,
        plain: bool,
        cadence: float,
        pad: Callable[[bytes], bytes],
        troubled: Callable[[], None],
    ) -> None:
        """`plain`: it is no node, but a plain TAXII server. `cadence`: seconds between the ticks at which it
        pushes, 0 for at once. `pad` brings a body to the length that it may show. `troubled` is called when
        the node should look at the view."""
        self._party, self._inbox, self._client, self._collection = party, inbox, client, collection
        self._plain, self._cadence, self._pad, self._troubled = plain, cadence, pad, troubled
        self._news = asyncio.Event()
        self._patience = FRESH
        self._limit = BATCH
        self._trouble = ""

    def wake(self) -> None:
        """There is something new in `out`."""
        self._news.set()

    def heard(self) -> None:
        """The partner came to us, so it is up."""
        if self._patience != FRESH:
            self._patience = self._patience.heard(time.monotonic())
            self._news.set()

    async def run(self) -> None:
        """Push whenever there is something, until cancelled."""
        await self._failed()  # what was under way when the post room ended
        while True:
            await self._until_news()
            await self._until_tick()
            self._news.clear()
            if self._patience.wait(time.monotonic()) > 0:
                continue
            try:
                while await self._push_next():
                    pass
                self._note("")
            except (Unreachable, BadInput) as error:
                await self._give_way(str(error))
            except Exception as error:
                # One partner must not end the post; the text of the error may hold content.
                await self._give_way(f"fault of ours: {type(error).__name__}")

    async def _until_news(self) -> None:
        wait = self._patience.wait(time.monotonic()) or LOOK
        try:
            async with asyncio.timeout(wait):
                await self._news.wait()
        except TimeoutError:
            return

    async def _until_tick(self) -> None:
        if self._cadence:
            # A timer may go off a little early: it should not miss its own tick.
            await asyncio.sleep(self._cadence - time.time() % self._cadence + 0.0005)

    async def _push_next(self) -> bool:
        """Push the next envelope; tells whether there is more."""
        view = self._inbox.view
        if not await self._inbox.run(view.has_to_push):
            return False
        await self._client.connect()
        after, page = await self._page(1 if self._patience.is_open else self._limit)
        if not page.items:
            return False
        try:
            failures = await self._add(page, Span(after, page.last))
        except TooMuch as error:
            if len(page.items) > 1:
                self._limit = len(page.items) // 2
                await self._failed()
                return True
            failures = [Failure(id="", message=str(error))]
        await self._inbox.run(partial(view.pushed, page, list(_refused(page, failures))))
        if failures:
            self._troubled()
        self._limit, self._patience = min(BATCH, self._limit * 2), FRESH
        return page.more

    async def _page(self, limit: int) -> tuple[int, Page[bytes]]:
        while True:
            try:
                pushing: tuple[int, Page[bytes]] = await self._inbox.run(
                    partial(self._inbox.view.push, limit)
                )
                return pushing  # noqa: TRY300
            except Closing:
                await asyncio.sleep(CLOSING_LOOK)

    async def _add(self, page: Page[bytes], span: Span) -> list[Failure]:
        """Push a page; what of it the partner did not take."""
        items = [body for body in page.items if not _trips(body)] if self._plain else page.items
        if not items:
            return []
        status = await self._client.add(self._collection, self._pad(write_envelope(items, span)))
        for _ in range(PENDING_LOOKS):
            if status.status != "pending":
                return status.failures
            await asyncio.sleep(PENDING_LOOK)
            status = await self._client.status(status.id)
        raise Unreachable("it does not come to an end with what we gave it")

    async def _give_way(self, why: str) -> None:
        self._note(why)
        self._patience = self._patience.failed(time.monotonic(), random.random())  # noqa: S311 - jitter
        await self._failed()

    async def _failed(self) -> None:
        if await self._inbox.run(self._inbox.view.push_failed):
            self._troubled()

    def _note(self, now: str) -> None:
        """Log when the partner begins to fail, fails otherwise, or answers again: not at every attempt."""
        if now and now != self._trouble:
            log.warning("partner not reached", partner=self._party, why=now)
        elif self._trouble and not now:
            log.info("partner reached again", partner=self._party)
        self._trouble = now


def _trips(body: bytes) -> bool:
    """Whether plain servers trip over an object: medallion 3.0.0 takes the `version` of an extension
    definition for a time, and then cannot list its collection any more."""
    return orjson.loads(body)["type"] == "extension-definition"  # type: ignore[no-any-return]


def _refused(page: Page[bytes], failures: list[Failure]) -> Iterator[tuple[int, str]]:
    """(date-added, why) of the objects that failures are about: where there is one object, that."""
    if not failures:
        return
    if len(page.items) == 1:
        yield page.added[0], _plain(failures[0].message)
        return
    why = {(failure.id, version_stamp(failure.version)): failure.message for failure in failures}
    for added, body in zip(page.added, page.items, strict=True):
        item: dict[str, Any] = orjson.loads(body)
        version = version_stamp(item.get("modified", item.get("created", "")))
        if (item["id"], version) in why:
            yield added, _plain(why[item["id"], version])


def _plain(text: str) -> str:
    """A partner's words, fit for the ledger."""
    return "".join(letter for letter in text if letter.isprintable())[:_MOST_OF_WHY] or "no reason given"

"""The worker's side of the post room: starts it, talks to it, and starts it again when it dies."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
import structlog

from tearline.doors.post import talk
from tearline.doors.post.patience import FRESH
from tearline.terms import Party

log = structlog.get_logger()

STOP_SECONDS = 10.0
"""How long it may take to finish what is under way."""
SOUND_SECONDS = 30.0
"""A post room that lived so long is started again at once."""


class PostRoom:
    """The child process. `admit` and `out` may be called at any time; what it misses it is told anew."""

    def __init__(
        self,
        settings: talk.Settings,
        *,
        ready: Callable[[int], None],
        given: Callable[[Party], None],
    ) -> None:
        """`ready` is told the door's port each time that it opens; `given`, who gave something new."""
        self._settings, self._ready, self._given = settings, ready, given
        self._admitted = talk.Admit([], {})
        self._writer: asyncio.StreamWriter | None = None

    def admit(self, admit: talk.Admit) -> None:
        """These are the partners from now on."""
        self._admitted = admit
        self._say(admit)

    def out(self, parties: Iterable[Party]) -> None:
        """There is something new in the `out` of these."""
        self._say(talk.Out(list(parties)))

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep it running until `stopping` is set. Raises `OSError` where the address cannot be had."""
        patience = FRESH
        while not stopping.is_set():
            began = time.monotonic()
            await self._run_once(stopping)
            if stopping.is_set():
                return
            now = time.monotonic()
            patience = FRESH if now - began > SOUND_SECONDS else patience
            patience = patience.failed(now, random.random())  # noqa: S311 - jitter
            log.error("the post room died; it is started again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), patience.wait(now))

    async def _run_once(self, stopping: asyncio.Event) -> None:
        ours, its = socket.socketpair()
        with its:
            settings = msgspec.json.encode(self._settings).decode()
            # Started anew rather than forked: nothing of this process's memory is in it.
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "tearline.doors.post", str(its.fileno()), settings,
                stdin=asyncio.subprocess.DEVNULL, pass_fds=[its.fileno()],
            )  # fmt: skip
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._say(self._admitted)
        listening = asyncio.create_task(self._listen(reader))
        stopped = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({listening, stopped}, return_when=asyncio.FIRST_COMPLETED)
            self._say(talk.Stop())
            await asyncio.wait({listening}, timeout=STOP_SECONDS)
        finally:
            stopped.cancel()
            writer, self._writer = self._writer, None
            writer.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), 1.0)
            if child.returncode is None:
                child.kill()
                await child.wait()
            listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            match await talk.hear_post(reader):
                case talk.Ready(port=port, confined=confined):
                    self._ready(port)
                    level = log.info if confined else log.warning
                    level("the post room is open", confined=confined)
                case talk.Given(party=party):
                    self._given(party)
                case talk.Failed(why=why):
                    raise OSError(0, why)
                case None:
                    return

    def _say(self, message: talk.ToPost) -> None:
        if self._writer is not None:
            talk.say(self._writer, message)

"""Fetches the files that one partner released to us, each in pieces, until it is whole; then says so.

What is there of a file outlives this process: the next one goes on where it ended. A piece that fails is
tried again by the rules of `patience`, each file by itself, and smaller, for the line may be slow. What is
whole and has the digest that its giver signed is given its name, and the node is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from tearline.adapters.http import HttpConnection, Unreachable
from tearline.adapters.view import WantedFile
from tearline.deliver.file import PATH
from tearline.doors.partner import Inbox
from tearline.doors.post.patience import FRESH, Patience
from tearline.terms import Party

log = structlog.get_logger()

LOOK = 0.5
"""Seconds between looks at what is wanted."""
LEAST, MOST = 64 * 1024, 8 * 1024 * 1024
"""Bytes of a piece."""
_READ = 1 << 20


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class Unfit(Unreachable):
    """What is at the partner's door under the name is not the file that was signed."""


class Fetcher:
    """Of one partner."""

    def __init__(
        self, party: Party, inbox: Inbox, connection: HttpConnection, came: Callable[[], None]
    ) -> None:
        """`came` is called when a file is here."""
        self._party, self._inbox, self._connection, self._came = party, inbox, connection, came
        self._patience: dict[str, Patience] = {}
        self._piece = MOST

    async def run(self) -> None:
        """Fetch whatever is wanted, until cancelled."""
        await self._inbox.run(self._clear)
        async with self._connection:
            while True:
                for file in self._wanted():
                    await self._try(file)
                await asyncio.sleep(LOOK)

    def _wanted(self) -> list[WantedFile]:
        return self._inbox.view.wanted_files(here=False)

    async def _try(self, file: WantedFile) -> None:
        patience = self._patience.get(file.name, FRESH)
        if patience.wait(time.monotonic()) > 0:
            return
        try:
            await self._fetch(file)
            self._patience.pop(file.name, None)
        except Exception as error:
            # One file must not end the fetching; the text of the error may hold content.
            ours = not isinstance(error, Unreachable)
            why = f"fault of ours: {type(error).__name__}" if ours else str(error)
            if not patience.failures:
                log.warning("file not fetched", partner=self._party, why=why)
            self._piece = max(LEAST, self._piece // 2)
            failed = patience.failed(time.monotonic(), random.random())  # noqa: S311 - jitter
            self._patience[file.name] = failed

    async def _fetch(self, file: WantedFile) -> None:
        """Get what is missing of a file. Raises `Unreachable`."""
        part = self._inbox.view.fetched / f"{file.name}.part"
        at, digest = await asyncio.to_thread(_begun, part, file.size)
        while at < file.size:
            data = await self._get(file, at)
            await asyncio.to_thread(_append, part, at, data)
            digest.update(data)
            at += len(data)
            self._piece = min(MOST, self._piece * 2)
            if file not in self._wanted():
                part.unlink(missing_ok=True)
                return
        if digest.hexdigest() != file.sha256:
            part.unlink(missing_ok=True)
            raise Unfit("a file that it has for us is not the one that it signed")
        await asyncio.to_thread(_finish, part, part.with_suffix(""))
        await self._inbox.run(partial(self._say_here, file.name))
        self._came()

    async def _get(self, file: WantedFile, at: int) -> bytes:
        last = min(file.size, at + self._piece) - 1
        answer = await self._connection.request(
            "GET", PATH + file.name, headers={"range": f"bytes={at}-{last}", "accept": "*/*"}
        )
        if answer.status == 404:
            raise Unreachable("a file that it released to us cannot be had at the moment")
        told = answer.headers.get("content-range", "")
        if (
            answer.status != 206
            or told != f"bytes {at}-{last}/{file.size}"
            or len(answer.body) != last + 1 - at
        ):
            raise Unfit(f"it answered {answer.status} where a piece of a file was asked for")
        return answer.body

    def _say_here(self, name: str) -> None:
        with self._inbox.view.begin() as writer:
            writer.file_came(name)

    def _clear(self) -> None:
        """Make the folder, and remove from it what nobody waits for."""
        view = self._inbox.view
        view.fetched.mkdir(mode=0o700, exist_ok=True)
        names = {file.name for here in (False, True) for file in view.wanted_files(here=here)}
        for path in view.fetched.iterdir():
            if path.name.removesuffix(".part") not in names:
                path.unlink(missing_ok=True)


def _begun(part: Path, size: int) -> tuple[int, _Digest]:
    """How much of a file is here, and the digest of that."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        if os.fstat(file.fileno()).st_size > size:
            file.truncate(0)
        while data := file.read(_READ):
            digest.update(data)
        return file.tell(), digest


def _append(part: Path, at: int, data: bytes) -> None:
    with part.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _finish(part: Path, whole: Path) -> None:
    """Give it its name, durably."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(whole)
    folder = os.open(whole.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Asks the vault's process. Whatever is wrong with it is an error here, so that the node holds (law 1)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, TypeVar

from tearline.adapters.vault.file import VaultFile
from tearline.adapters.vault.talk import must_be_same_user, receive_frame, send_frame, short_path
from tearline.scan import Hit
from tearline.terms import Broken, Refused
from tearline.vault import Canary, Standing
from tearline.vault.wire import (
    MAX_TEXTS,
    Answer,
    AskStatus,
    Canaries,
    Failure,
    Hits,
    ListCanaries,
    ListSources,
    Request,
    Scan,
    Sources,
    Status,
    frame,
    read_answer,
)

BATCH = 1 << 20
"""Characters of text in one request, unless one text alone is longer."""
A = TypeVar("A", bound=Answer)


class VaultClient:
    """A connection to the vault of the node in `home`, made on first use. For one thread at a time.

    Every method raises `Refused` where the vault is not open, and `Broken` where it does not answer within
    `timeout` seconds a request or answers what cannot be. The next call tries anew.
    """

    def __init__(self, home: Path, *, timeout: float = 30.0) -> None:
        self._socket = VaultFile(home).socket
        self._timeout = timeout
        self._talk: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._talk is not None:
            self._talk.close()
            self._talk = None

    def scan(self, texts: Sequence[str]) -> list[tuple[Hit, ...]]:
        """The hits in each text, in order; offsets in Unicode code points."""
        found: list[tuple[Hit, ...]] = []
        for batch in _batches(texts):
            hits = self._ask(Scan(batch), Hits).hits
            if len(hits) != len(batch) or not all(map(_within, hits, batch)):
                self.close()
                raise Broken("the vault's answer does not fit the texts")
            found += hits
        return found

    def sources(self) -> tuple[Standing, ...]:
        """Every source by its cryptonym, with its obligations."""
        return self._ask(ListSources(), Sources).sources

    def canaries(self, products: Sequence[str] = ()) -> tuple[Canary, ...]:
        """The canaries of these products, or all."""
        return self._ask(ListCanaries(tuple(products)), Canaries).canaries

    def status(self) -> Status:
        return self._ask(AskStatus(), Status)

    def _ask(self, request: Request, kind: type[A]) -> A:
        try:
            framed = frame(request)
        except UnicodeEncodeError:
            raise Refused("text that is not Unicode cannot be scanned") from None
        try:
            answer = self._exchange(framed)
        except TimeoutError:
            self.close()
            raise Broken(f"the vault does not answer within {self._timeout:g} s") from None
        except OSError:
            self.close()
            raise Refused("the vault is not open: start `tearline vault serve`") from None
        except Broken:
            self.close()
            raise
        if isinstance(answer, Failure):
            raise (Broken if answer.kind == "broken" else Refused)(answer.sentence)
        if not isinstance(answer, kind):
            self.close()
            raise Broken("the vault answered something else")
        return answer

    def _exchange(self, framed: bytes) -> Answer:
        """One request and its answer; once more on a new connection where the old one has ended meanwhile."""
        end = time.monotonic() + self._timeout
        if self._talk is not None:
            try:
                return self._once(self._talk, framed, end)
            except ConnectionError:
                self.close()
        self._talk = self._connected(end)
        return self._once(self._talk, framed, end)

    def _once(self, talk: socket.socket, framed: bytes, end: float) -> Answer:
        send_frame(talk, framed, end)
        packed = receive_frame(talk, end)
        if packed is None:
            raise ConnectionResetError
        return read_answer(packed)

    def _connected(self, end: float) -> socket.socket:
        talk = socket.socket(socket.AF_UNIX)
        try:
            talk.settimeout(max(end - time.monotonic(), 0.001))
            with short_path(self._socket) as path:
                talk.connect(path)
            must_be_same_user(talk)
        except BaseException:
            talk.close()
            raise
        return talk


def _batches(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (size + len(text) > BATCH or len(batch) == MAX_TEXTS):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield tuple(batch)


def _within(hits: tuple[Hit, ...], text: str) -> bool:
    return all(0 <= hit.start < hit.end <= len(text) for hit in hits)

"""Documents to lines of hits, in this process or in several."""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import NamedTuple

import msgspec

from tearline.cli.scan.read import Read
from tearline.scan import Scanner
from tearline.terms import TearlineError


class _Row(msgspec.Struct):
    """A hit as it is written: the order of the fields is the order in the line."""

    doc: int | str
    start: int
    end: int
    id: str
    score: float
    disposition: str
    why: str


class Done(NamedTuple):
    """What came of some documents. `failed`: the lines whose document could not be scanned, and the fault."""

    output: bytes
    counts: Counter[str]
    failed: list[tuple[int, str]]


def _apply(scanner: Scanner, batch: list[Read]) -> Done:
    rows, counts, failed = [], Counter[str](), []
    for line, document in batch:
        counts["documents"] += 1
        try:
            hits = scanner.scan(document.text)
        except Exception as error:  # its text and its trace could hold a piece of the document
            failed.append((line, type(error).__name__))
            continue
        for hit in hits:
            rows.append(_Row(document.doc, hit.start, hit.end, hit.id, hit.score, hit.disposition, hit.why))
            counts[hit.disposition] += 1
        counts["hits"] += len(hits)
    return Done(msgspec.json.Encoder().encode_lines(rows), counts, failed)


def batches(documents: Iterable[Read], size: int) -> Iterator[list[Read]]:
    """Documents of at least `size` characters together."""
    batch: list[Read] = []
    held = 0
    for read in documents:
        batch.append(read)
        held += len(read.document.text) + 1
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


@contextmanager
def results(scanner: Scanner, batches: Iterator[list[Read]], processes: int) -> Iterator[Iterator[Done]]:
    """The results in the order of the batches. Raises TearlineError if a process was killed."""
    if processes == 1:
        yield (_apply(scanner, batch) for batch in batches)
        return
    # A forked process has the index without copying it.
    with ProcessPoolExecutor(processes, get_context("fork"), _begin, (scanner,)) as pool:
        try:
            pool.submit(_serve, []).result()  # all are forked here, before a progress bar has its thread
            yield _in_order(pool, batches, 2 * processes)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, batches: Iterator[list[Read]], ahead: int) -> Iterator[Done]:
    """Results in the order of the batches, of which no more than `ahead` are read before they are wanted."""
    waiting: deque[Future[Done]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(_serve, batch))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise TearlineError(
            "a scanning process was killed: use fewer processes, or give them memory"
        ) from None


_served: Scanner
"""In a forked process: what it scans with."""


def _begin(scanner: Scanner) -> None:
    global _served  # noqa: PLW0603  # the pool's way to give its processes something once
    _served = scanner
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _serve(batch: list[Read]) -> Done:
    return _apply(_served, batch)

"""Runs the demo: eight `tearline serve` processes, fed and watched until all is delivered."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import msgspec

from tearline.adapters.store import Progress
from tearline.demo.coalition import NAMES, build
from tearline.demo.products import Delivery, prepare
from tearline.intake import Fault
from tearline.node import AlreadyHeld, Node, TakenIn, media, progress, take_in
from tearline.node.take_in_file import is_media_file, take_in_file
from tearline.terms import Party, TearlineError

PULL_INTERVAL = 1.0
START_SECONDS = 60.0
STALL_SECONDS = 120.0
"""The demo gives up when nothing at all has moved for this long."""
INTAKES_AT_ONCE = 2


class Snapshot(msgspec.Struct, frozen=True):
    """How far every node has come, how many inputs are still to be taken in, and how many files of pictures
    and recordings are under way."""

    progress: dict[Party, Progress]
    files_left: int
    under_way: int

    @property
    def done(self) -> bool:
        nodes = self.progress.values()
        return (
            self.files_left == self.under_way == 0
            and all(node.products == node.considered and node.released == node.delivered for node in nodes)
            and sum(node.delivered for node in nodes) == sum(node.received for node in nodes)
        )


class Failed(TearlineError):
    """The demo could not run to its end."""


class Run(msgspec.Struct, frozen=True):
    """A finished run: the homes, seconds from first file to last delivery, and what was not taken in."""

    homes: dict[Party, Path]
    seconds: float
    faults: list[str]


def run(
    folder: Path, own: Sequence[str], seed: int, watch: Callable[[Snapshot], None], *, keep: bool
) -> tuple[Run, Callable[[], None]]:
    """Run the coalition in `folder` until everything is delivered; `watch` is called as it moves on.

    Returns the run and a function that waits for the nodes (`keep`) or has nothing to do any more.
    Raises `Failed` when a node dies or nothing moves.
    """
    inputs = folder / "input"
    inputs.mkdir(parents=True)
    homes = build(folder, PULL_INTERVAL)
    deliveries = prepare(inputs, own, seed)
    with ExitStack() as stack:
        nodes = [stack.enter_context(started(home, "serve")) for home in homes.values()]
        for node, party in zip(nodes, homes, strict=True):
            _await_door(node, party)
        start = time.monotonic()
        said = _feed_and_watch(homes, deliveries, nodes, watch)
        finished = Run(homes, time.monotonic() - start, said)
        if keep:
            return finished, stack.pop_all().close
    return finished, lambda: None


def _feed_and_watch(
    homes: dict[Party, Path],
    deliveries: list[Delivery],
    nodes: list[subprocess.Popen[str]],
    watch: Callable[[Snapshot], None],
) -> list[str]:
    said: Queue[str] = Queue()
    todo: Queue[Delivery] = Queue()
    for delivery in deliveries:
        todo.put(delivery)

    def feed() -> None:
        while True:
            try:
                delivery = todo.get_nowait()
            except Empty:
                return
            for sentence in _intake(homes[delivery.party], delivery):
                said.put(f"{delivery.party}: {sentence}")

    with ExitStack() as stack:
        readers = {party: stack.enter_context(Node.open(home)) for party, home in homes.items()}
        feeders = [Thread(target=feed, daemon=True) for _ in range(INTAKES_AT_ONCE)]
        for feeder in feeders:
            feeder.start()
        last, moved = None, time.monotonic()
        while True:
            left = todo.qsize() + sum(feeder.is_alive() for feeder in feeders)
            busy = sum(media.under_way(reader) for reader in readers.values())
            now = Snapshot({party: progress(reader) for party, reader in readers.items()}, left, busy)
            watch(now)
            if now.done:
                return [said.get() for _ in range(said.qsize())]
            if any(node.poll() is not None for node in nodes):
                raise Failed("a node stopped by itself: its last words are in its serve.log")
            if now != last:
                last, moved = now, time.monotonic()
            elif time.monotonic() - moved > STALL_SECONDS:
                raise Failed(f"nothing has moved for {STALL_SECONDS:.0f} seconds")
            time.sleep(0.2)


def _intake(home: Path, delivery: Delivery) -> Iterator[str]:
    """What `tearline intake` does, without its start-up time; yields what was not taken in, in a sentence."""
    with Node.open(home) as node:
        for path in delivery.paths:
            try:
                for item in _taken_in(node, path, delivery):
                    if isinstance(item, TakenIn) and item.quarantine:
                        yield item.quarantine
                    elif isinstance(item, Fault):
                        yield str(item)
            except (OSError, TearlineError) as error:
                yield f"{path}: {error}"


def _taken_in(node: Node, path: Path, delivery: Delivery) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    if is_media_file(path):
        yield from take_in_file(node, path, delivery.about)
        return
    with path.open("rb") as stream:
        yield from take_in(node, stream, path.name, marking=delivery.about.marking)


@contextmanager
def started(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of a node, such as `serve`, until it has ended on SIGTERM. Its log is in the home."""
    with (home / f"{'-'.join(words)}.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", "tearline.cli", "--home", str(home), *words],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_door(node: subprocess.Popen[str], party: Party) -> None:
    if node.stdout is None or not node.stdout.readline().startswith("serving"):
        raise Failed(f"{NAMES[party]} did not start")

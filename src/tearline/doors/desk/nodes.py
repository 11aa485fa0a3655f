"""Nodes for threads: each thread of the desk has one of its own, for a `Node` is not made for several."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from tearline.adapters.home import Home
from tearline.node import Node

THREADS, SLOW_THREADS = 3, 2
T = TypeVar("T")


class Nodes:
    """Runs functions of a node in threads: `call` for what a person waits for, `submit_slow` for jobs."""

    def __init__(self, home: Home, make: Callable[[Home], Node] = Node) -> None:
        self._home, self._make = home, make
        self._mine, self._lock, self._all = threading.local(), threading.Lock(), list[Node]()
        self._quick = ThreadPoolExecutor(THREADS, "desk")
        self._slow = ThreadPoolExecutor(SLOW_THREADS, "desk-job")

    async def call(self, person: str, function: Callable[[Node], T]) -> T:
        """Run it with this thread's node; what it records is by `person`."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, self.here, person, function)

    def here(self, person: str, function: Callable[[Node], T]) -> T:
        """`call`, in the thread that calls."""
        node: Node | None = getattr(self._mine, "node", None)
        if node is None:
            node = self._mine.node = self._make(self._home)
            with self._lock:
                self._all.append(node)
        node.refresh()
        with node.acting(person):
            return function(node)

    def submit_slow(self, function: Callable[[], Any]) -> Future[Any]:
        return self._slow.submit(function)

    def close(self) -> None:
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=True, cancel_futures=True)
        for node in self._all:
            node.close()

"""Counts for people who look: where counting takes long, they are told again for a while.

They are kept for ten times as long as it took to count them, so that looking costs a tenth of a thread at
most, however often somebody does, and what is counted fast is always of this moment. Nothing decides by them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
QUICK = 0.5
"""Seconds: what is counted so fast is counted anew each time."""


class Counts(Generic[T]):
    """By key, such as the path of a database. Two threads may count the same at once; that does no harm."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable, count: Callable[[], T]) -> T:
        began = monotonic()
        until, *found = self._kept.get(key, (0.0,))
        if found and began < until:
            return found[0]
        counted = count()
        took = monotonic() - began
        if took > QUICK:
            self._kept[key] = began + 11 * took, counted
        return counted

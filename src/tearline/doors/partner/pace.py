"""How much one partner may ask of the door: requests a second, and bodies at once.

Each partner has an allowance of its own, so how one is slowed down tells nothing about others (law 5).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from tearline.doors.partner.problem import Problem
from tearline.terms import Party

REQUESTS_A_SECOND, BURST = 500.0, 1_000.0
BODIES = 4
"""Bodies of one partner that are read at once; the next waits for one of them."""


class Pace:
    """A token bucket for each partner. `clock` tells seconds."""

    def __init__(
        self, clock: Callable[[], float], *, rate: float = REQUESTS_A_SECOND, burst: float = BURST
    ) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._left: dict[Party, tuple[float, float]] = {}
        self._bodies: dict[Party, asyncio.Semaphore] = {}

    def take(self, party: Party) -> None:
        """Count one request. Raises `Problem` (429) with the seconds to wait where there were too many."""
        now = self._clock()
        left, at = self._left.get(party, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        self._left[party] = (max(left - 1, 0.0) if left >= 1 else left), now
        if left < 1:
            wait = math.ceil((1 - left) / self._rate)
            raise Problem(429, "Too many requests at once.", {"retry-after": str(wait)})

    def body(self, party: Party) -> asyncio.Semaphore:
        """Held while a body of this partner is read and stored."""
        return self._bodies.setdefault(party, asyncio.Semaphore(BODIES))

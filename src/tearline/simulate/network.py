"""The simulated network: what becomes of a message between two organisations."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec

from tearline.terms import Party

SECOND = 1_000_000
"""Times are microseconds since the beginning."""
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND


class Odds(msgspec.Struct, frozen=True):
    """How bad the network is: of a message, the chance that it is lost, comes twice, or is held up."""

    lost: float = 0.02
    twice: float = 0.02
    late: float = 0.05


class Network:
    """Decides, from its own stream of randomness, when copies of a message arrive. Counts what it did."""

    def __init__(self, draw: Random, odds: Odds, counts: Counter[str]) -> None:
        self._draw, self._odds, self._counts = draw, odds, counts
        self._apart: dict[Party, int] = {}
        self._cuts = 0

    def is_cut(self, one: Party, other: Party) -> bool:
        return self._apart.get(one, 0) != self._apart.get(other, 0)

    def cut(self, some: list[Party]) -> None:
        """Part the coalition: `some` hear each other, and nobody else."""
        self._cuts += 1
        self._apart = dict.fromkeys(some, self._cuts)

    def mend(self) -> None:
        self._apart = {}

    def delays(self, sender: Party, receiver: Party) -> list[int]:
        """After how long each copy arrives; none where it is lost."""
        if self.is_cut(sender, receiver):
            self._counts["cut off"] += 1
            return []
        draw, odds = self._draw, self._odds
        if draw.random() < odds.lost:
            self._counts["lost"] += 1
            return []
        copies = 1
        if draw.random() < odds.twice:
            self._counts["duplicated"] += 1
            copies = 2
        return [self._delay() for _ in range(copies)]

    def _delay(self) -> int:
        usual = self._draw.randrange(20_000, 400_000)
        if self._draw.random() < self._odds.late:  # long enough that later messages overtake it
            self._counts["reordered"] += 1
            return usual + self._draw.randrange(2 * HOUR)
        return usual

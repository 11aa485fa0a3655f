"""Scores in whole units, of the weights that `leakers` gives, and how far an innocent's may reach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from tearline.trace.leakers import Weight
from tearline.trace.tail import Tail

__all__ = ["UNITS", "Score", "score"]

UNITS: Final = 16
"""In a slot of mean weight. Finer units find no more leakers."""


class Score(NamedTuple):
    """One way to score copies that carry the same slots."""

    units: tuple[tuple[int, int], ...]
    """For each slot, of a copy that differs from the leak and of one that agrees: one of the two is 0.

    Against a minority, agreeing may speak for innocence: then differing gets the units.
    """
    tail: Tail
    """The chance that an innocent's copy scores so many units or more."""

    def of(self, agrees: Sequence[bool]) -> int:
        """The units of a copy that agrees with the leak in these slots."""
        return sum(pair[agree] for pair, agree in zip(self.units, agrees, strict=True))


def score(weights: Sequence[Weight]) -> Score:
    """The logarithms, rounded to units as coarse as can be: slots that weigh the same are just counted."""
    spans = [weight.agrees - weight.differs for weight in weights]
    mean = sum(map(abs, spans)) / max(len(spans), 1) or 1.0
    whole = [round(span / mean * UNITS) for span in spans]
    common = math.gcd(*whole) or 1
    units = tuple((max(-unit, 0) // common, max(unit, 0) // common) for unit in whole)
    kinds = Counter(
        (max(pair), 1 - weight.chance if pair[0] else weight.chance)
        for pair, weight in zip(units, weights, strict=True)
    )
    return Score(units, Tail(kinds))

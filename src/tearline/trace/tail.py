"""The chance that an innocent scores so high.

A leak is read without keys. Given what was read, the score of an innocent is a sum of independent variables,
each of which is its slot's weight or 0, with known chances; so its tail can be computed, and holds whatever
the leakers did. Furon and Desoubeaux, "Tardos codes for real" (WIFS 2014), section III; there the tail is
estimated, here it is summed: weights are whole numbers, so that sums lie on a lattice and none is rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ERROR", "Tail"]

ERROR: Final = 1e-9
"""Relative; far above what the sums can lose.

Only positive numbers are multiplied and added, so nothing cancels: n slots lose less than 4n units in the
last place, 1e-11 for 10,000 of them. What falls below 1e-300 is lost; it is far below any tail that matters.
"""

Floats = NDArray[np.float64]


class Tail:
    """P(sum >= score) over independent slots: a bound from above, within the share `ERROR` of the truth.

    `slots`: how many there are of each (weight, chance of counting); weights are whole and not negative.
    The cost grows with the number of slots times the sum of the weights.
    """

    def __init__(self, slots: Mapping[tuple[int, float], int]) -> None:
        kinds = sorted(slots.items())
        # Two halves: the last convolution, the longest, is needed at one place only.
        self._one, other = _sums(kinds[::2]), _sums(kinds[1::2])
        self._above: Floats = np.append(np.cumsum(other[::-1])[::-1], 0.0)

    def __call__(self, score: int) -> float:
        needed = np.clip(score - np.arange(len(self._one)), 0, len(self._above) - 1)
        return min(1.0, float(self._one @ self._above[needed]) * (1 + ERROR))


def _sums(kinds: list[tuple[tuple[int, float], int]]) -> Floats:
    """The chance of each sum, from 0."""
    chances: Floats = np.ones(1)
    for (weight, chance), number in kinds:
        if weight:
            counts = _binomial(number, chance)
            sums = np.zeros(len(chances) + weight * number)
            # Sums that differ by a multiple of the weight mix with one another only.
            for rest in range(min(weight, len(chances))):
                sums[rest::weight] = np.convolve(chances[rest::weight], counts)
            chances = sums
    return chances


def _binomial(number: int, chance: float) -> Floats:
    """By doubling: convolution adds positive numbers only, where a formula with logarithms would cancel."""
    one: Floats = np.array([1 - chance, chance])
    counts: Floats = np.ones(1)
    for digit in f"{number:b}":
        counts = np.convolve(counts, counts)
        if digit == "1":
            counts = np.convolve(counts, one)
    return counts

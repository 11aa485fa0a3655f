"""Which parts of a base text a leak in another language repeats: by the facts that a translation keeps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words

_LEAST = 5.0
"""Nats that the repeated facts of a span weigh at least: two small figures are no echo."""
_LONGER, _MORE = 2, 20
"""A translation of a span is looked for in a stretch of at most so many times its words, and so many more."""


class _Spot(NamedTuple):
    """A place of the base text with a fact, in one notation or more; what each key weighs."""

    start: int
    keys: dict[str, float]


def echoed(base: str, spans: Sequence[tuple[int, int]], leak: str) -> tuple[float, ...]:
    """How much of the facts of each span (code points of `base`) stands close together in the leak.

    A share by weight, from 0 to 1; 0 where what is repeated weighs too little to tell. A fact weighs minus
    the logarithm of its prior (see `facts`). Linear but for sorting.
    """
    words, other = Words(base), Words(leak)
    spots = _spots(words)
    starts = [spot.start for spot in spots]
    places: dict[str, list[int]] = defaultdict(list)
    for fact in facts(other):
        places[fact.key].append(bisect_left(other.starts, fact.start))
    out = []
    for start, end in spans:
        inside = spots[bisect_left(starts, start) : bisect_left(starts, end)]
        size = int(((words.spans[:, 0] >= start) & (words.spans[:, 1] <= end)).sum())
        total = sum(max(spot.keys.values()) for spot in inside)
        best = _best(inside, places, _LONGER * size + _MORE)
        out.append(min(best / total, 1.0) if best >= _LEAST else 0.0)
    return tuple(out)


def _spots(words: Words) -> list[_Spot]:
    spots: dict[int, dict[str, float]] = defaultdict(dict)
    for fact in facts(words):
        at = min(bisect_left(words.ends, fact.start + 1), len(words) - 1)
        spots[int(words.spans[at, 0])][fact.key] = -math.log(fact.prior)
    return [_Spot(start, keys) for start, keys in sorted(spots.items())]


def _best(spots: list[_Spot], places: dict[str, list[int]], stretch: int) -> float:
    """The greatest weight of distinct spots within a stretch of the leak."""
    seen = sorted(
        (at, number, weight)
        for number, spot in enumerate(spots)
        for key, weight in spot.keys.items()
        for at in places.get(key, ())
    )
    best, low = 0.0, 0
    held: dict[int, list[float]] = defaultdict(list)
    total = 0.0
    for at, number, weight in seen:
        total += _change(held[number], weight, add=True)
        while seen[low][0] < at - stretch:
            total += _change(held[seen[low][1]], seen[low][2], add=False)
            low += 1
        best = max(best, total)
    return best


def _change(weights: list[float], weight: float, *, add: bool) -> float:
    """By how much the greatest weight of a spot changes."""
    before = max(weights, default=0.0)
    if add:
        weights.append(weight)
    else:
        weights.remove(weight)
    return max(weights, default=0.0) - before

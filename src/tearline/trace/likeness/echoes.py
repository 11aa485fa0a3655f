"""Which parts of a base text a leak in another language repeats: by the facts that a translation keeps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words

_LEAST = 5.0
"""Nats that the repeated facts of a span weigh at least: two small figures are no echo."""
_LONGER, _MORE = 2, 20
"""A translation of a span is looked for in a stretch of at most so many times its words, and so many more."""


def echoed(base: str, spans: Sequence[tuple[int, int]], leak: str) -> tuple[float, ...]:
    """How much of the facts of each span (code points of `base`) stands close together in the leak.

    A share by weight, from 0 to 1; 0 where what is repeated weighs too little to tell. A fact weighs minus
    the logarithm of its prior (see `facts`). Linear but for sorting.
    """
    words, other = Words(base), Words(leak)
    places: dict[str, list[int]] = defaultdict(list)
    for fact in facts(other):
        places[fact.key].append(bisect_left(other.starts, fact.start))
    spots = _spots(words)
    starts = [start for start, _ in spots]
    out = []
    for start, end in spans:
        found = spots[bisect_left(starts, start) : bisect_left(starts, end)]
        inside = {frozenset(keys): keys for _, keys in found}.values()  # what is told twice counts once
        size = int(((words.spans[:, 0] >= start) & (words.spans[:, 1] <= end)).sum())
        best = _best(inside, places, _LONGER * size + _MORE)
        total = sum(max(keys.values()) for keys in inside)
        out.append(min(best / total, 1.0) if best >= _LEAST else 0.0)
    return tuple(out)


def _spots(words: Words) -> list[tuple[int, dict[str, float]]]:
    """The places of a text with facts: where each starts in the original, and what each key there weighs."""
    spots: dict[int, dict[str, float]] = defaultdict(dict)
    for fact in facts(words):
        at = min(bisect_left(words.ends, fact.start + 1), len(words) - 1)
        spots[int(words.spans[at, 0])][fact.key] = -math.log(fact.prior)
    return sorted(spots.items())


def _best(spots: Iterable[dict[str, float]], places: dict[str, list[int]], stretch: int) -> float:
    """The greatest weight of distinct spots within a stretch of the leak."""
    weights: list[float] = []
    seen: list[tuple[int, int]] = []
    for keys in spots:
        known = [key for key in keys if key in places]
        if known:
            seen += [(at, len(weights)) for key in known for at in places[key]]
            weights.append(max(keys[key] for key in known))
    seen.sort()
    best = total = 0.0
    held, low = [0] * len(weights), 0
    for at, number in seen:
        total += 0.0 if held[number] else weights[number]
        held[number] += 1
        while seen[low][0] < at - stretch:
            gone = seen[low][1]
            held[gone] -= 1
            total -= 0.0 if held[gone] else weights[gone]
            low += 1
        best = max(best, total)
    return best

"""Which parts of a base text a leak in another language repeats: by the facts that a translation keeps, and
where a part has too few of them, by what its words mean.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tearline.trace.likeness.concepts import meanings
from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words

_LEAST = 5.0
"""Nats that the repeated facts of a span weigh at least: two small figures are no echo."""
_LONGER, _MORE = 2, 20
"""A translation of a span is looked for in a stretch of at most so many times its words, and so many more."""
_FEWEST_MEANINGS, _LEAST_MEANINGS = 6, 0.4
"""Least number, and least share of the meanings of span or leak, whichever has fewer. Of unrelated paragraphs
of the demo's reports one pair in a thousand shares 0.36 of them, of translated ones half share 0.53."""

Keys = Mapping[str, float]
"""What stands at one place: each key with what it weighs."""


class _Spot(NamedTuple):
    """A place of the original text."""

    start: int
    keys: Keys


def echoed(base: str, spans: Sequence[tuple[int, int]], leak: str) -> tuple[float, ...]:
    """How much of each span (code points of `base`) stands close together in the leak.

    A share of its facts by weight, from 0 to 1: a fact weighs minus the logarithm of its prior (see `facts`).
    Where these weigh too little to tell, the share of the meanings of its words, of which a translation keeps
    half to two thirds; 0 where that tells nothing either. Linear but for sorting.
    """
    words, other = Words(base), Words(leak)
    said, meant = _facts(words), _meanings(words)
    facts_there, meanings_there = _places(other, _facts(other)), _places(other, _meanings(other))
    out = []
    for start, end in spans:
        size = int(((words.spans[:, 0] >= start) & (words.spans[:, 1] <= end)).sum())
        best, total = _best(_inside(said, start, end), facts_there, _LONGER * size + _MORE)
        if best < _LEAST:
            best, total = _best(_inside(meant, start, end), meanings_there, size + _MORE)
            if best < max(_FEWEST_MEANINGS, _LEAST_MEANINGS * min(total, len(meanings_there))):
                best = 0.0
        out.append(min(best / total, 1.0) if best else 0.0)
    return tuple(out)


def _facts(words: Words) -> list[_Spot]:
    spots: dict[int, dict[str, float]] = defaultdict(dict)
    for fact in facts(words):
        at = min(bisect_left(words.ends, fact.start + 1), len(words) - 1)
        spots[at][fact.key] = -math.log(fact.prior)
    return [_Spot(int(words.spans[at, 0]), keys) for at, keys in sorted(spots.items())]


def _meanings(words: Words) -> list[_Spot]:
    return [_Spot(int(words.spans[at, 0]), {key: 1.0}) for at, key, _ in meanings(words)]


def _places(words: Words, spots: Iterable[_Spot]) -> Mapping[str, list[int]]:
    """The numbers of the words at which each key stands."""
    starts = words.spans[:, 0].tolist()
    places: dict[str, list[int]] = defaultdict(list)
    for spot in spots:
        for key in spot.keys:
            places[key].append(bisect_left(starts, spot.start))
    return places


def _inside(spots: Sequence[_Spot], start: int, end: int) -> list[Keys]:
    """What the spots of a span hold; what is told twice counts once."""
    first, stop = (bisect_left(spots, at, key=lambda spot: spot.start) for at in (start, end))
    return [*{frozenset(spot.keys): spot.keys for spot in spots[first:stop]}.values()]


def _best(spots: Iterable[Keys], places: Mapping[str, list[int]], stretch: int) -> tuple[float, float]:
    """The greatest weight of distinct spots within a stretch of the leak, and the weight of all."""
    weights: list[float] = []
    seen: list[tuple[int, int]] = []
    whole = 0.0
    for keys in spots:
        whole += max(keys.values())
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
    return best, whole

"""How likely what is released to one party reaches another, along the edges by which things are passed on.

An officer estimates for each edge, as a range, how likely its giver passes on what it holds. Edges are
independent of each other. Then the likelihood that P's copy reaches X is that of a path of passing edges from
P to X (two-terminal reliability of a directed graph; Colbourn, The Combinatorics of Network Reliability,
1987). It only grows with every edge's, so the low estimates give the low end and the high ones the high end.

A *world* says of every edge whether it passes on. Worlds are bits: one operation on a word is one on 64 of
them. Where few edges matter every world is weighed, and the answer is exact. Else worlds are drawn: each
edge has its own stream of draws, the same for low and high and for whatever else is asked with this seed
(common random numbers), so that a difference between two answers is none of luck.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tearline.terms import BadInput, Party

EXACT = 18
"""With so many edges that matter, or fewer, every world is weighed."""
WORLDS = 10_000
_REDUCE = 400
"""In graphs with more edges nobody looks for those that do not matter."""

_Words = NDArray[np.uint64]
_Pairs = Mapping[tuple[Party, Party], tuple[float, float]]


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """An officer's estimate: `giver` passes on to `taker` what it holds with a likelihood in [low, high]."""

    giver: Party
    taker: Party
    low: float
    high: float
    why: str = ""


class Estimate(msgspec.Struct, frozen=True):
    """A likelihood. `error`: its standard error where worlds were drawn, 0 where it is exact."""

    value: float
    error: float = 0.0


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How likely what `start` is given reaches `target`."""

    start: Party
    target: Party
    low: Estimate
    high: Estimate
    edges: int
    """How many edges matter, after reduction."""
    exact: bool
    path: tuple[Party, ...]
    """The likeliest single way by the high estimates; empty where there is none."""


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """What would be known of a source if a partner leaked everything that it holds."""

    partner: Party
    source: str
    facts: int
    """How many were told to the partner."""
    persons: int
    """In the population."""
    left: int
    """Persons who could be the source, by what this partner was told."""
    left_pooled: int
    """The same if every partner leaked."""
    k: int | None
    """What the source is owed; `None` where the vault is shut."""

    @property
    def bits(self) -> float:
        """What was learnt: the base-2 logarithm of persons / left."""
        return math.log2(self.persons / self.left) if self.left else math.inf


def ranked(found: Iterable[Revealed]) -> tuple[Revealed, ...]:
    """Those about whom most would be known first: fewest persons left, then most facts."""
    return tuple(sorted(found, key=lambda each: (each.left, -each.facts, each.partner, each.source)))


def reach(
    edges: Sequence[Edge],
    starts: Sequence[Party],
    targets: Sequence[Party],
    *,
    worlds: int = WORLDS,
    seed: int = 0,
    most: int = EXACT,
) -> tuple[Reach, ...]:
    """For every start and target. `most`: edges up to which it is exact. Raises `BadInput`."""
    pairs = _checked(edges)
    if worlds < 1:
        raise BadInput("--worlds", str(worlds), "no world is drawn", "give 1 or more")
    found = []
    for target in targets:
        paths = _likeliest(pairs, target)
        drawn: dict[Party, tuple[Estimate, Estimate]] = {}
        for start in starts:
            left = _reduced(pairs, start, target) if len(pairs) <= _REDUCE else pairs
            if len(left) <= most:
                low, high = _weighed(left, start, target)
            else:
                drawn = drawn or _drawn(pairs, target, worlds, seed)
                low, high = drawn.get(start, (Estimate(0.0), Estimate(0.0)))
            found.append(
                Reach(
                    start=start,
                    target=target,
                    low=low,
                    high=high,
                    edges=len(left),
                    exact=len(left) <= most,
                    path=paths.get(start, ()),
                )
            )
    return tuple(found)


def _checked(edges: Sequence[Edge]) -> _Pairs:
    """By giver and taker; edges side by side are one that passes on if either does."""
    pairs: dict[tuple[Party, Party], tuple[float, float]] = {}
    for edge in edges:
        where = f"{edge.giver} to {edge.taker}"
        if not 0 <= edge.low <= edge.high <= 1:
            raise BadInput("edges", where, "its range is none", "give 0 <= low <= high <= 1")
        if edge.giver == edge.taker:
            raise BadInput("edges", where, "it leads nowhere", "name two parties")
        _add(pairs, (edge.giver, edge.taker), (edge.low, edge.high))
    return pairs


def _add(
    pairs: dict[tuple[Party, Party], tuple[float, float]],
    key: tuple[Party, Party],
    chance: tuple[float, float],
) -> None:
    known = pairs.get(key, (0.0, 0.0))
    pairs[key] = (1 - (1 - known[0]) * (1 - chance[0]), 1 - (1 - known[1]) * (1 - chance[1]))


# --- What matters ---------------------------------------------------------------------------------


def _reduced(pairs: _Pairs, start: Party, target: Party) -> dict[tuple[Party, Party], tuple[float, float]]:
    """The edges on ways from start to target; parties in between with one way in and out are skipped."""
    left = dict(pairs)
    while True:
        ahead = _reached(list(left), start)
        behind = _reached([(taker, giver) for giver, taker in left], target)
        left = {
            (giver, taker): chance
            for (giver, taker), chance in left.items()
            if giver in ahead and taker in behind and taker != start and giver != target and chance[1] > 0
        }
        into, out = defaultdict(list), defaultdict(list)
        for giver, taker in left:
            out[giver].append(taker)
            into[taker].append(giver)
        between = next(
            (node for node in into if node != target and len(into[node]) == 1 and len(out[node]) <= 1), None
        )
        if between is None:
            return left
        giver = into[between][0]
        first = left.pop((giver, between))
        for taker in out[between]:
            then = left.pop((between, taker))
            if taker != giver:
                _add(left, (giver, taker), (first[0] * then[0], first[1] * then[1]))


def _reached(pairs: Sequence[tuple[Party, Party]], start: Party) -> set[Party]:
    nexts = defaultdict(list)
    for giver, taker in pairs:
        nexts[giver].append(taker)
    seen, todo = {start}, [start]
    while todo:
        for taker in nexts[todo.pop()]:
            if taker not in seen:
                seen.add(taker)
                todo.append(taker)
    return seen


def _likeliest(pairs: _Pairs, target: Party) -> dict[Party, tuple[Party, ...]]:
    """From every party the single way with the greatest product of high estimates (Dijkstra, backwards)."""
    givers = defaultdict(list)
    for (giver, taker), (_, high) in pairs.items():
        if high > 0:
            givers[taker].append((giver, -math.log(high)))
    queue: list[tuple[float, tuple[Party, ...]]] = [(0.0, (target,))]
    found: dict[Party, tuple[Party, ...]] = {}
    while queue:
        far, path = heapq.heappop(queue)
        if path[0] not in found:
            found[path[0]] = path
            for giver, step in givers[path[0]]:
                if giver not in found:
                    heapq.heappush(queue, (far + step, (giver, *path)))
    return found


# --- Worlds ---------------------------------------------------------------------------------------


def _weighed(pairs: _Pairs, start: Party, target: Party) -> tuple[Estimate, Estimate]:
    """Exactly: the weights of all worlds in which there is a way."""
    keys = sorted(pairs)
    count = 1 << len(keys)
    numbers = np.arange(count, dtype=np.uint32)
    passes = (
        np.stack([_packed((numbers >> bit & 1).astype(bool)) for bit in range(len(keys))])
        if keys
        else (np.zeros((0, 1), np.uint64))
    )
    into = _into(keys, passes, target)
    there = np.unpackbits(into[start].view(np.uint8), bitorder="little")[:count].astype(bool)
    ends = []
    for end in (0, 1):
        weights = np.ones(1)
        for key in keys:
            chance = pairs[key][end]
            weights = np.concatenate([weights * (1 - chance), weights * chance])
        ends.append(Estimate(min(1.0, float(weights[there].sum()))))
    return ends[0], ends[1]


def _drawn(pairs: _Pairs, target: Party, worlds: int, seed: int) -> dict[Party, tuple[Estimate, Estimate]]:
    """From every party, by drawn worlds."""
    keys = sorted(key for key in pairs if key[0] != target and pairs[key][1] > 0)
    size = (worlds + 63) // 64
    passes = np.zeros((2, len(keys), size), np.uint64)
    for number, key in enumerate(keys):
        draws = _stream(key, seed).random(worlds, np.float32)
        for end in (0, 1):
            passes[end, number] = _packed(draws < pairs[key][end])
    found: defaultdict[Party, list[Estimate]] = defaultdict(list)
    for end in (0, 1):
        into = _into(keys, passes[end], target)
        for party in {party for pair in pairs for party in pair} | {target}:
            words = into[party]
            hits = worlds if party == target else int(np.bitwise_count(words).sum())
            found[party].append(_estimate(hits, worlds))
    return {party: (low, high) for party, (low, high) in found.items()}


def _into(keys: Sequence[tuple[Party, Party]], passes: _Words, target: Party) -> Mapping[Party, _Words]:
    """For every party the worlds in which there is a way from it to `target`: `passes` is (edges, words)."""
    size = passes.shape[1]
    into: defaultdict[Party, _Words] = defaultdict(lambda: np.zeros(size, np.uint64))
    into[target] = np.full(size, np.iinfo(np.uint64).max, np.uint64)
    out = defaultdict(list)
    for number, (giver, taker) in enumerate(keys):
        if giver != target:
            out[giver].append((number, taker))
    changed = {target}
    while changed:
        before, changed = changed, set()
        for giver, edges in out.items():
            some = [(number, taker) for number, taker in edges if taker in before]
            if some:
                heads = np.stack([into[taker] for _, taker in some])
                now = into[giver] | np.bitwise_or.reduce(passes[[n for n, _ in some]] & heads, axis=0)
                if not np.array_equal(now, into[giver]):
                    into[giver] = now
                    changed.add(giver)
    return into


def _packed(bits: NDArray[np.bool_]) -> _Words:
    """Bits as words, filled up with zeros."""
    whole = np.zeros((len(bits) + 63) // 64 * 64, bool)
    whole[: len(bits)] = bits
    return np.packbits(whole, bitorder="little").view(np.uint64)


def _stream(key: tuple[Party, Party], seed: int) -> np.random.Generator:
    """Draws of an edge: they depend on its name and the seed, and on no other edge."""
    name = hashlib.sha256("\n".join((*key, str(seed))).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(name[:16], "big")))


def _estimate(hits: int, worlds: int) -> Estimate:
    """The share, and its standard error after Agresti and Coull (1998): none is 0 because of few draws."""
    near = (hits + 2) / (worlds + 4)
    return Estimate(hits / worlds, math.sqrt(near * (1 - near) / (worlds + 4)))

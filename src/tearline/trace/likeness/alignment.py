"""Where the words of a base text stand in a leak: runs of folded-equal words, wherever they have been moved.

1. Three words in a row that stand in both texts are a seed, which is extended to both sides as far as words
   are equal.
2. Greedy tiling (Wise 1993): the longest run first; of the next what is still free, if it is long enough. So
   no word of either text is used twice.
3. Runs that follow one another closely in both texts are a chain. A chain of fewer than six words is dropped:
   three words in a row are shared by chance.
4. Between two runs of a chain single equal words are matched too, in order: they stand between words that
   were changed.

Linear but for sorting: of seeds at many places the first few count, extensions and gaps are bounded.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tearline.scan.keys import mix
from tearline.trace.likeness.words import Hashes, Words
from tearline.trace.terms import Match

_SEED, _PLACES = 3, 4
_LEAST = 2
"""Fewest words of what is left of a run that was found."""
_STEPS_A_WORD = 32
"""So many comparisons are spent on extending, for each word of both texts."""
_CHAIN = 6
_GAP = 40
"""The longest gap, in words, between two runs of a chain."""


class _Run(NamedTuple):
    """Words `base` to `base + size - 1` of the base text are those from `leak` on."""

    base: int
    leak: int
    size: int


def align(base: str, leak: str) -> tuple[Match, ...]:
    """The runs of words that base and leak share, in the order of the base text.

    No word is in two matches. Bounded as the module says; total on any text.
    """
    one, other = Words(base), Words(leak)
    tiles = _tiled(_runs(one.hashes, other.hashes), len(one), len(other))
    chains = [chain for chain in _chains(tiles) if sum(run.size for run in chain) >= _CHAIN]
    runs = [run for chain in chains for run in chain]
    left: list[int | None] = [*one.hashes.tolist()]
    for run in list(runs):
        left[run.base : run.base + run.size] = [None] * run.size
    for chain in chains:
        runs += _between(chain, left, other.hashes.tolist())
    return tuple(_match(run, one, other) for run in _joined(sorted(runs)))


def covered(base: str, spans: Sequence[tuple[int, int]], matches: Sequence[Match]) -> tuple[float, ...]:
    """How much of each span of the base text the matches cover: the share of its letters."""
    words = Words(base).spans
    size = words[:, 1] - words[:, 0]
    inside = np.zeros(len(words), np.bool_)
    for match in matches:
        first = int(np.searchsorted(words[:, 0], match.base, "left"))
        stop = int(np.searchsorted(words[:, 1], match.base + match.base_size, "right"))
        inside[first:stop] = True
    whole = np.concatenate(([0], np.cumsum(size)))
    found = np.concatenate(([0], np.cumsum(size * inside)))
    out = []
    for start, end in spans:
        first = int(np.searchsorted(words[:, 0], start, "left"))
        stop = max(int(np.searchsorted(words[:, 1], end, "right")), first)
        letters = int(whole[stop] - whole[first])
        out.append(float(found[stop] - found[first]) / letters if letters else 0.0)
    return tuple(out)


def _match(run: _Run, one: Words, other: Words) -> Match:
    start, end = one.span(run.base, run.base + run.size)
    at, stop = other.span(run.leak, run.leak + run.size)
    return Match(start, at, end - start, stop - at)


def _runs(base: Hashes, leak: Hashes) -> list[_Run]:
    """Maximal equal runs around seeds; one for each seed, each run once."""
    places: dict[int, list[int]] = {}
    for at, code in enumerate(_seeds(base).tolist()):
        found = places.setdefault(code, [])
        if len(found) < _PLACES:
            found.append(at)
    ends: dict[int, int] = {}
    """For each diagonal where the last run on it ends in the leak."""
    times: dict[int, int] = defaultdict(int)
    out: list[_Run] = []
    left, right = base.tolist(), leak.tolist()
    budget = _STEPS_A_WORD * (len(left) + len(right))
    for at, code in enumerate(_seeds(leak).tolist()):
        if code not in places or times[code] == _PLACES:
            continue
        fresh = [place for place in places[code] if ends.get(at - place, 0) <= at]
        times[code] += bool(fresh)
        for place in fresh:
            run = _extended(left, right, place, at, budget)
            budget -= run.size
            ends[at - place] = run.leak + run.size
            out.append(run)
    return out


def _seeds(hashes: Hashes) -> Hashes:
    count = max(len(hashes) - _SEED + 1, 0)
    sums = np.zeros(count, np.uint64)
    for k in range(_SEED):
        sums = mix(sums + hashes[k : k + count])
    return sums


def _extended(left: list[int], right: list[int], base: int, leak: int, budget: int) -> _Run:
    """The run around a seed, as far as the budget goes."""
    back = 0
    while back < budget and base > back and leak > back and left[base - back - 1] == right[leak - back - 1]:
        back += 1
    size, most = _SEED, min(len(left) - base, len(right) - leak, max(budget, 0))
    while size < most and left[base + size] == right[leak + size]:
        size += 1
    return _Run(base - back, leak - back, size + back)


def _tiled(runs: list[_Run], words: int, others: int) -> list[_Run]:
    """Runs of which no two share a word of either text, the longest first."""
    is_used, is_taken = np.zeros(words, np.bool_), np.zeros(others, np.bool_)
    heap = [(-run.size, run.base, run.leak) for run in set(runs)]
    heapq.heapify(heap)
    out = []
    while heap:
        size, base, leak = heapq.heappop(heap)
        run = _Run(base, leak, -size)
        used = is_used[base : base + run.size] | is_taken[leak : leak + run.size]
        if not used.any():
            is_used[base : base + run.size] = is_taken[leak : leak + run.size] = True
            out.append(run)
            continue
        for first, stop in _free(used):
            if stop - first >= _LEAST:
                heapq.heappush(heap, (first - stop, base + first, leak + first))
    return out


def _free(used: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([True], used, [True])).astype(np.int8)))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _chains(runs: list[_Run]) -> Iterator[list[_Run]]:
    """Runs in the order of the leak, parted where the next is not soon after in both texts."""
    chain: list[_Run] = []
    for run in sorted(runs, key=lambda run: run.leak):
        if chain and not all(0 <= gap <= _GAP for gap in _gaps(chain[-1], run)):
            yield chain
            chain = []
        chain.append(run)
    if chain:
        yield chain


def _gaps(run: _Run, following: _Run) -> tuple[int, int]:
    return following.base - run.base - run.size, following.leak - run.leak - run.size


def _between(chain: list[_Run], left: list[int | None], leak: list[int]) -> list[_Run]:
    """Equal words between the runs of a chain. `left`: the base text without the words that are matched."""
    found = []
    for run, following in pairwise(chain):
        gap, other_gap = _gaps(run, following)
        if gap and other_gap:
            first, at = run.base + run.size, run.leak + run.size
            one, other = left[first : first + gap], leak[at : at + other_gap]
            blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
            found += [_Run(first + block.a, at + block.b, block.size) for block in blocks if block.size]
    for run in found:
        left[run.base : run.base + run.size] = [None] * run.size
    return found


def _joined(runs: list[_Run]) -> Iterator[_Run]:
    """Runs in the order of the base text; those that continue one another as one."""
    last: _Run | None = None
    for run in runs:
        if last and (last.base + last.size, last.leak + last.size) == (run.base, run.leak):
            last = last._replace(size=last.size + run.size)
            continue
        if last:
            yield last
        last = run
    if last:
        yield last

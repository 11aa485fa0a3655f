"""From which forms a leaked text comes: evidence, how much chance could give, and what is left for others.

1. Each feature that leak and form share weighs as `features` says, spread over its words. Of the features at
   one word of the leak only the heaviest counts: what overlaps is not told twice. The sum is the score, in
   nats.
2. What chance gives: for a form that has nothing to do with the leak, whose features are independent,
   P(score >= t) <= min over 0 < s <= 1 of exp(-s t) * prod(1 - p + p^(1 - s)), over all features asked for
   (Chernoff's bound; rule 1 only lowers scores). Times the number of forms it bounds how many unrelated forms
   are expected to score as much: `Candidate.chance`. Features of real texts are not independent, for
   subjects bring their words along; so the bound must be small (`ENOUGH`), and benchmarks/trace_align.py
   measures on real news how often unrelated texts pass it.
3. The best form is a source, if chance does not explain its score. What it explains is taken away, and the
   best of the rest is a further source, if chance does not explain what is left. Forms that score enough
   alone, but have nothing of their own, are alternatives to the source with which they share most.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from tearline.trace.likeness.features import Features, Floats
from tearline.trace.likeness.words import Ints

ENOUGH = 1e-4
"""So many unrelated forms may be expected to score as much as a source."""
_MOST_SOURCES = 32
_STEPS = np.linspace(0.05, 1.0, 20)


class Found(Protocol):
    """What an index answers."""

    @property
    def size(self) -> int:
        """How many forms it has."""

    @property
    def counts(self) -> Ints:
        """How many forms hold each feature."""

    @property
    def shared(self) -> Mapping[str, Ints]:
        """Which features (row numbers of `Features`) the forms hold that weigh most."""


class Index(Protocol):
    """Where the features of forms are kept."""

    def candidates(self, features: Features, limit: int) -> Found:
        """The `limit` forms whose shared features weigh most."""


class Candidate(NamedTuple):
    """A form: its score in nats, and how many unrelated forms may be expected to score as much."""

    form: str
    score: float
    chance: float


class Source(NamedTuple):
    """A form from which the leak, or a part of it, comes; best first the forms that would explain it as well.

    `own`: the score of what no better source explains. `margin`: how far the score is above that of the next
    alternative, or of the best form that is neither, where there is no alternative.
    """

    best: Candidate
    own: float
    margin: float
    alternatives: tuple[Candidate, ...]


def candidates(
    index: Index, features: Features, limit: int = 64, *, enough: float = ENOUGH
) -> tuple[Source, ...]:
    """The forms from which a text comes, the surest first; empty where nothing stands out (not enough).

    `limit` bounds how many forms are looked at. A greater `enough` gives leads, not findings.
    """
    return ranked(features, index.candidates(features, limit), enough=enough)


def ranked(features: Features, found: Found, *, enough: float = ENOUGH) -> tuple[Source, ...]:
    """The sources among the forms that an index found."""
    weights = features.weights(found.counts, found.size)
    tail = _Tail(features.chances(found.counts, found.size)[found.counts > 0], found.size)
    evidence = {form: _by_word(features, rows, weights) for form, rows in found.shared.items()}
    scores = ((form, float(each.sum())) for form, each in evidence.items())
    alone = sorted((Candidate(form, score, tail(score)) for form, score in scores), key=_order)
    sure = [each for each in alone if each.chance <= enough]
    unsure = next((each.score for each in alone if each.chance > enough), 0.0)
    sources: dict[str, tuple[Candidate, float]] = {}
    explained = np.zeros(features.words)
    while len(sources) < _MOST_SOURCES and (left := [each for each in sure if each.form not in sources]):
        own, best = max(
            ((float(np.maximum(evidence[each.form] - explained, 0.0).sum()), each) for each in left),
            key=lambda pair: (pair[0], pair[1].score),
        )
        if tail(own) > enough:
            break
        sources[best.form] = best, own
        explained = np.maximum(explained, evidence[best.form])
    others: dict[str, list[Candidate]] = {form: [] for form in sources}
    for each in sure:
        if each.form not in sources:
            others[max(sources, key=partial(_common, evidence, each.form))].append(each)
    return tuple(
        Source(best, own, best.score - (others[form][0].score if others[form] else unsure), (*others[form],))
        for form, (best, own) in sources.items()
    )


def _common(evidence: Mapping[str, Floats], one: str, other: str) -> float:
    """The evidence that two forms share."""
    return float(np.minimum(evidence[one], evidence[other]).sum())


def _order(candidate: Candidate) -> tuple[float, str]:
    return -candidate.score, candidate.form


def _by_word(features: Features, rows: Ints, weights: Floats) -> Floats:
    """The evidence at each word of the leak."""
    out = np.zeros(features.words)
    first, stop = features.first[rows], features.stop[rows]
    share = weights[rows] / np.maximum(stop - first, 1)
    for step in range(int((stop - first).max(initial=0))):
        inside = first + step < stop
        np.maximum.at(out, first[inside] + step, share[inside])
    return out


class _Tail:
    """How many unrelated forms may be expected to score as much (rule 2)."""

    def __init__(self, chances: Floats, size: int) -> None:
        powers = chances[:, None] ** (1.0 - _STEPS)
        self._logs = np.log1p(powers - chances[:, None]).sum(axis=0)
        self._size = np.log(max(size, 1))

    def __call__(self, score: float) -> float:
        return float(np.exp(min(self._size + float((self._logs - _STEPS * score).min()), self._size)))

"""From which forms a leaked text comes: evidence, how much chance could give, and what is left for others.

1. Each feature that leak and form share weighs as `features` says, spread over its words. Of the features at
   one word of the leak only the heaviest counts: what overlaps is not told twice. What words mean counts only
   where leak and form share no language: between them it is all there is, within one it is a subject, and
   runs of words tell more. A form some times as long as the mean holds each feature that much more likely.
   The sum is the score, in nats.
2. What chance gives: for a form that has nothing to do with the leak, whose features are independent,
   P(score >= t) <= min over 0 < s <= 1 of exp(-s t) * prod(1 - p + p^(1 - s)), over all features asked for
   (Chernoff's bound; rule 1 only lowers scores). Times the number of forms it bounds how many unrelated forms
   are expected to score as much: `Candidate.chance`. In a long leak a short passage would drown, so each
   stretch of it is judged too, and pays for being one of many. The same holds for rule 3.
3. What a subject gives: features of real texts are not independent, for a subject brings its words along.
   Forms on the same subject score alike; how their scores fall off, in the second quarter from above, is
   continued as an exponential tail (its scale from the spacings of ranks, Weissman 1978), and says how many
   of them are expected to score as much: `Source.rivals`. Forms that say the same as the best do not count.
4. The best form is a source, if neither chance nor subject explains its score (`ENOUGH`, `RIVALS`;
   docs/likeness.md says what was measured with them). What it explains is taken away, and the best of the
   rest is a further source, if neither explains what is left. Forms that score enough alone, but have nothing
   of their own, are alternatives to the source with which they share most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tearline.terms import BadInput
from tearline.trace.likeness.features import LANGUAGE, MEANING, Features
from tearline.trace.likeness.words import Ints

Evidence = npt.NDArray[np.float32]
"""Nats: a column a word of the leak; a row a form, if there are several."""

ENOUGH = 1e-3
"""So many unrelated forms may be expected to score as much as a source."""
RIVALS = 0.005
"""So many forms on the same subject may be expected to score as much."""
_SAME = 0.75
"""Forms that share so much of their evidence say the same."""
_STEEPEST = 2.0
"""Nats. What falls off faster is known from too little."""
_FEWEST = 12
"""Of fewer other forms nothing is said about a subject."""
MOST_WORDS = 40_000
_MOST_FORMS = 512
_MOST_SOURCES = 64
_STRETCH = 200
"""Words of a leak."""
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

    @property
    def lengths(self) -> Mapping[str, float]:
        """How many features each of these forms has, by the mean of all forms of the index."""


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

    `own`: the score of what no better source explains. `rivals`: how many forms on the same subject may be
    expected to score as much. `margin`: how far the score is above that of the next alternative, or, where
    there is none, of the best form that did not score enough.
    """

    best: Candidate
    own: float
    rivals: float
    margin: float
    alternatives: tuple[Candidate, ...]


def candidates(
    index: Index, features: Features, limit: int = 64, *, enough: float = ENOUGH
) -> tuple[Source, ...]:
    """The forms from which a text comes, the surest first; empty where nothing stands out (not enough).

    `limit` bounds how many forms are looked at, for each thousand words of the text. A greater `enough` gives
    leads, not findings. Raises `BadInput` for more words than `MOST_WORDS`.
    """
    if features.words > MOST_WORDS:
        raise BadInput("leak", "", f"it has more than {MOST_WORDS:,} words", "trace it in parts")
    most = min(limit * (1 + features.words // 1000), max(limit, _MOST_FORMS))
    return ranked(features, index.candidates(features, most), enough=enough)


def ranked(features: Features, found: Found, *, enough: float = ENOUGH) -> tuple[Source, ...]:
    """The sources among the forms that an index found."""
    if not features.words or not found.shared:
        return ()
    evidence, foreign = _evidence(features, found), _foreign(features, found)
    lengths = _lengths(found)
    bounds = {key: _Chance(features, found, *key) for key in {*zip(foreign, lengths, strict=True)}}

    def chance(row: int, evidence: Evidence) -> float:
        return bounds[foreign[row], lengths[row]](evidence)

    chances = [chance(row, each) for row, each in enumerate(evidence)]
    totals = evidence.sum(axis=1)
    alone = [Candidate(*each) for each in zip(found.shared, totals.tolist(), chances, strict=True)]
    order = sorted(range(len(alone)), key=lambda row: (-alone[row].score, alone[row].form))
    sure = [row for row in order if alone[row].chance <= enough]
    unsure = next((alone[row].score for row in order if alone[row].chance > enough), 0.0)
    sources: dict[int, Source] = {}
    rest = evidence.copy()
    while len(sources) < _MOST_SOURCES and (left := [row for row in sure if row not in sources]):
        best = max(left, key=lambda row: (float(rest[row].sum()), alone[row].score))
        rivals = _rivals(best, rest)
        if chance(best, rest[best]) > enough or rivals > RIVALS * enough / ENOUGH:
            break
        sources[best] = Source(alone[best], float(rest[best].sum()), rivals, alone[best].score - unsure, ())
        told = evidence[best].nonzero()[0]
        rest[:, told] = np.maximum(rest[:, told] - evidence[best, told], 0.0)
    others: dict[int, list[Candidate]] = {row: [] for row in sources}
    for row in sure if sources else ():
        if row not in sources:
            common = {each: float(np.minimum(evidence[row], evidence[each]).sum()) for each in sources}
            others[max(sources, key=common.__getitem__)].append(alone[row])
    return tuple(_with(source, others[row]) for row, source in sources.items())


def _with(source: Source, others: list[Candidate]) -> Source:
    if not others:
        return source
    return source._replace(margin=source.best.score - others[0].score, alternatives=tuple(others))


def _evidence(features: Features, found: Found) -> Evidence:
    """The evidence for each form at each word of the leak (rule 1)."""
    weights = features.weights(found.counts, found.size)
    words = features.stop - features.first
    out = np.zeros((len(found.shared), features.words), np.float32)
    rows = zip(out, found.shared.values(), _foreign(features, found), _lengths(found), strict=True)
    for row, held, is_foreign, length in rows:
        shared = held if is_foreign else held[features.kind[held] != MEANING]
        first, stop = features.first[shared], features.stop[shared]
        share = (np.maximum(weights[shared] - np.log(length), 0.0) / words[shared]).astype(np.float32)
        for step in range(int((stop - first).max(initial=0))):
            inside = first + step < stop
            np.maximum.at(row, first[inside] + step, share[inside])
    return out


def _foreign(features: Features, found: Found) -> list[bool]:
    """Whether a form shares no language with the leak."""
    return [not (features.kind[shared] == LANGUAGE).any() for shared in found.shared.values()]


def _lengths(found: Found) -> list[float]:
    """How much longer than the mean each form is, rounded up by a fifth at most; 1 for short ones."""
    return [2.0 ** (math.ceil(4 * math.log2(max(found.lengths[form], 1.0))) / 4) for form in found.shared]


def _parts(evidence: Evidence) -> Evidence:
    """The evidence in the whole leak, and in each stretch of it if there are several."""
    whole: Evidence = evidence.sum(axis=-1, keepdims=True)
    if evidence.shape[-1] <= _STRETCH:
        return whole
    stretches = np.add.reduceat(evidence, np.arange(0, evidence.shape[-1], _STRETCH), axis=-1)
    return np.concatenate((whole, stretches), axis=-1)


def _rivals(best: int, evidence: Evidence) -> float:
    """How many forms on the same subject may be expected to score as much as this row (rule 3)."""
    parts, told = _parts(evidence), evidence[best].nonzero()[0]
    common = np.minimum(evidence[:, told], evidence[best, told]).sum(axis=1)
    scores = -np.sort(-parts[common < _SAME * np.minimum(parts[:, 0], parts[best, 0])], axis=0)
    if len(scores) < _FEWEST:
        return 0.0
    first, last = len(scores) // 4, len(scores) // 2
    ranks = np.arange(first, last)[:, None]
    scale = np.maximum((ranks * (scores[first - 1 : last - 1] - scores[first:last])).mean(axis=0), _STEEPEST)
    above = np.maximum(parts[best] - scores[first - 1], 0.0)
    return float(len(above) * first * np.exp(-above / scale).min())


class _Chance:
    """How many unrelated forms may be expected to have as much evidence (rule 2).

    `foreign`: forms that share no language with the leak, for which what words mean counts too. `length`:
    how much longer they are than the mean.
    """

    def __init__(self, features: Features, found: Found, foreign: bool, length: float) -> None:
        chances = np.minimum(features.chances(found.counts, found.size) * length, 1.0)
        counts = (found.counts > 0) & (features.kind != LANGUAGE) & (foreign | (features.kind != MEANING))
        logs = np.log1p(chances[:, None] ** (1.0 - _STEPS) - chances[:, None]) * counts[:, None]
        stretches = np.zeros((features.words // _STRETCH + 1, len(_STEPS)))
        np.add.at(stretches, features.first // _STRETCH, logs)
        self._logs = np.concatenate((logs.sum(axis=0, keepdims=True), stretches))
        self._size = found.size

    def __call__(self, evidence: Evidence) -> float:
        """`evidence`: of one form."""
        parts = _parts(evidence)[:, None]
        least = (self._logs[: len(parts)] - _STEPS * parts).min()
        return self._size * min(len(parts) * float(np.exp(min(least, 0.0))), 1.0)

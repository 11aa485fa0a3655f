"""By what a text is found again: hashes of its runs of words, of its facts, and of what its words mean.

Runs of three folded words are thinned by *winnowing* (Schleimer, Wilkerson, Aiken 2003): of every four
neighbouring runs the one with the least hash is stored, so that six words in a row that a leak keeps share at
least one stored run. A leak is asked for all of its runs.

What a feature weighs: minus the logarithm of the chance that a report which has nothing to do with the leak
holds it. That chance comes from the index, by how many forms hold it; where few do, and while the index is
small, from a prior too, as if more forms had been seen. Languages tell nothing: they say only which meanings
count (`concepts`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tearline.scan.keys import mix
from tearline.trace.likeness.concepts import languages, meanings
from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Hashes, Ints, Words

VERSION = 2
"""Of what is stored. An index of another version holds hashes that mean nothing here."""
RUN, FACT, MEANING, LANGUAGE = range(4)
"""Kinds of features."""
Codes = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]

_RUN, _WINDOW = 3, 4
_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
_PRIOR_FORMS, _FEW_FORMS = 500, 10
"""How much the prior counts of what is rare; and of what is not, where a few forms tell more than it."""
_PRIORS_OF_RUNS = np.array([0.1, 0.03, 0.01, 0.003])
_LETTERS = np.array([10, 14, 19])
"""Runs of so many letters and fewer are common: function words."""


class Features(NamedTuple):
    """The distinct features of one text, a row each, in the order of their codes.

    `first` and `stop`: the words of the text at which the feature stands (first place only). `prior`: see
    the module. `is_kept`: whether it is stored where the text is a form of ours. `kind`: what it is.
    """

    codes: Codes
    first: Ints
    stop: Ints
    prior: Floats
    is_kept: npt.NDArray[np.bool_]
    kind: npt.NDArray[np.uint8]
    words: int
    """How many the text has."""

    def stored(self) -> bytes:
        """What an index keeps: codes, ascending, four bytes each, least first."""
        return self.codes[self.is_kept].astype("<u4").tobytes()

    def chances(self, counts: Ints, size: int) -> Floats:
        """How likely a form is to hold each feature by chance, where `counts` of `size` forms hold it.

        One holder may be the form from which the leak is, so it does not count.
        """
        others, forms = np.maximum(counts - 1, 0), max(size - 1, 0)
        rare, common = ((others + self.prior * more) / (forms + more) for more in (_PRIOR_FORMS, _FEW_FORMS))
        return np.maximum(rare, common)

    def weights(self, counts: Ints, size: int) -> Floats:
        """What each feature tells, in nats; nothing where no form holds it."""
        tells = (counts > 0) & (self.kind != LANGUAGE)
        return np.where(tells, -np.log(self.chances(counts, size)), 0.0)


def features(text: str, language: str = "") -> Features:
    """The features of a text. Linear; total. `language` is not needed: no feature depends on it."""
    return features_of(Words(text))


def features_of(words: Words) -> Features:
    """The features of a text that is already in words."""
    runs = _runs(words.hashes)
    lengths = words.ends - words.starts
    letters = sum(lengths[k : k + len(runs)] for k in range(_RUN)) if len(runs) else np.zeros(0, np.int64)
    found = facts(words)
    meant = list(meanings(words))
    told = [f"l:{name}" for name in languages(words)] if len(words) else []
    starts = np.array([fact.start for fact in found], np.int64)
    ends = np.array([fact.end for fact in found], np.int64)
    at = np.arange(len(runs), dtype=np.int64)
    first = np.searchsorted(words.ends, starts, "right")
    stop = np.maximum(np.searchsorted(words.starts, ends, "left"), first + 1)
    places = np.array([k for k, _, _ in meant] + [0] * len(told), np.int64)
    first = np.concatenate((at, np.minimum(first, max(len(words) - 1, 0)), places))
    stop = np.concatenate((at + _RUN, np.minimum(stop, len(words)), places + 1))
    keys = [*(fact.key for fact in found), *(key for _, key, _ in meant), *told]
    codes = np.concatenate((runs, np.array([_code(key) for key in keys], np.uint32)))
    kind = np.repeat(np.arange(4, dtype=np.uint8), (len(runs), len(found), len(meant), len(told)))
    kept = kind != RUN
    kept[_winnowed(runs)] = True
    priors = [*(fact.prior for fact in found), *(prior for _, _, prior in meant), *(1.0 for _ in told)]
    prior = np.concatenate((_PRIORS_OF_RUNS[np.searchsorted(_LETTERS, letters)], priors))
    unique, place, group = np.unique(codes, return_index=True, return_inverse=True)
    is_kept = np.zeros(len(unique), np.bool_)
    is_kept[group[kept]] = True
    return Features(unique, first[place], stop[place], prior[place], is_kept, kind[place], len(words))


def _runs(hashes: Hashes) -> Codes:
    """A code for each run of words."""
    count = max(len(hashes) - _RUN + 1, 0)
    sums = np.zeros(count, np.uint64)
    for k, odd in enumerate(_ODD):
        sums += hashes[k : k + count] * odd
    return (mix(sums) >> np.uint64(32)).astype(np.uint32)


def _winnowed(runs: Codes) -> Ints:
    """Where the least of each window of runs stands, the last one of equals."""
    if not len(runs):
        return np.zeros(0, np.int64)
    width = min(_WINDOW, len(runs))
    windows = np.lib.stride_tricks.sliding_window_view(runs, width)[:, ::-1]
    is_least = np.zeros(len(runs), np.bool_)
    is_least[np.arange(len(windows)) + width - 1 - windows.argmin(axis=1)] = True
    return is_least.nonzero()[0]


@lru_cache(maxsize=1 << 16)
def _code(key: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little"
    )

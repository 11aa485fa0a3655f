"""Words of the tearline maker: what was done to texts, and what an officer has to look at. Never content."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec

from tearline.terms import Reason

CODES = {
    "sanitize.quote": "quoted words or direct speech: perhaps only one person could have said them",
    "sanitize.finer": "a time or a place is still finer than a source is owed",
    "sanitize.place-name": "a name of a place or a distance that may be finer than a source is owed",
    "sanitize.neighbour": "a name-like word stands beside a mask: it may be a part of the identity",
    "sanitize.ambiguous": "an identity that several sources share: the descriptor may be another's",
    "sanitize.reference": "a reference to a numbered paragraph: the numbers are gone",
    "sanitize.unknown-source": "no obligations are known for a source that was found",
    "sanitize.expired": "the obligations of a source have expired",
    "sanitize.language": "no rules for the language of the text",
}
"""Why an officer has to look: closed, and explained in `docs/tearlines.md`. Each refers the tearline."""

DONE = {
    "mask": "identities replaced by a descriptor",
    "note": "weak hits left as they stand",
    "clock": "times of day dropped or brought to the hour",
    "date": "dates and periods coarsened",
    "place": "coordinates rounded or dropped",
    "reference": "references to numbered paragraphs dropped",
}
"""What was done, as it is counted for the officer and the private ledger."""


class Flag(NamedTuple):
    """What an officer has to look at: a span of the sanitized text; empty where the whole text is meant."""

    code: str
    text: int
    """Which text, from 0."""
    start: int
    end: int


class Sanitized(msgspec.Struct, frozen=True, kw_only=True):
    """The texts as they may go. Where there are flags, only once an officer has looked at them."""

    texts: tuple[str, ...]
    done: tuple[dict[str, int], ...]
    """For each text how often what of `DONE` was done."""
    flags: tuple[Flag, ...]
    sources: tuple[str, ...]
    """The cryptonyms of the sources that were masked, sorted."""

    def reasons(self, check: int) -> tuple[Reason, ...]:
        """A reason for each code that was flagged, with how often; for a `Refer`."""
        counts = Counter(flag.code for flag in self.flags)
        return tuple(Reason(check=check, code=code, detail=str(counts[code])) for code in sorted(counts))

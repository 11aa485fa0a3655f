"""What a rule or the lexicon proposes."""

from __future__ import annotations

from typing import NamedTuple

from tearline.trace.terms import SlotKind


class Candidate(NamedTuple):
    """Two wordings of the text from `start` to `end`, the first the one that stands in a sentence's key."""

    start: int
    end: int
    kind: SlotKind
    entry: str
    options: tuple[str, str]


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())

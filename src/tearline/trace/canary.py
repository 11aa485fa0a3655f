"""Reads a canary from a leak: which of the ways to say a detail stands there, in whatever language."""

from __future__ import annotations

from collections.abc import Sequence

from tearline.trace.likeness.facts import facts
from tearline.trace.likeness.words import Words
from tearline.trace.terms import Match

_AROUND = 60
"""Code points on either side of where it must be."""


def window(span: tuple[int, int], matches: Sequence[Match], leak: str) -> str:
    """The part of a leak in which a span of the base text must be; all of it where nothing tells.

    `matches`: of the base text with the leak, in the order of the base text.
    """
    start, end = span
    before = [match for match in matches if match.base < start]
    after = [match for match in matches if match.base + match.base_size > end]
    if not before and not after:
        return leak
    low, high = 0, len(leak)
    if before:
        last = before[-1]
        low = last.leak + min(start - last.base, last.leak_size)
    if after:
        first = after[0]
        high = first.leak + max(end - first.base, 0)
    if high < low:  # what stood together was moved apart
        return leak
    return leak[max(low - _AROUND, 0) : high + _AROUND]


def read(options: Sequence[str], leak: str) -> int | None:
    """The number of the option that stands in a leak; `None` where none does, or more than one.

    By its words; else by the facts (figures, dates, names) that it alone has, which survive translation.
    """
    written = _folded(leak)
    found = [number for number, option in enumerate(options) if _folded(option) in written]
    # One option may stand within another: "40 lorries" in "140 lorries" is none, for words are whole.
    longest = [
        a for a in found if not any(a != b and _folded(options[a]) in _folded(options[b]) for b in found)
    ]
    if longest:
        return longest[0] if len(longest) == 1 else None
    told = [{fact.key for fact in facts(Words(option))} for option in options]
    common = [set().union(*told[:number], *told[number + 1 :]) for number in range(len(options))]
    there = {fact.key for fact in facts(Words(leak))}
    hit = [number for number, keys in enumerate(told) if (keys - common[number]) & there]
    return hit[0] if len(hit) == 1 else None


def _folded(text: str) -> str:
    """Its words, folded, each between spaces."""
    words = Words(text)
    return f" {' '.join(words.word(k).casefold() for k in range(len(words)))} "

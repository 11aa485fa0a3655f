"""A plain alignment by words, for tests of what reads with one."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from tearline.trace.terms import Match

_WORD = re.compile(r"[^\W_]+")


def align(base: str, leak: str, *, least: int = 2) -> tuple[Match, ...]:
    """The runs of at least so many words that both have, in one order."""
    one, other = list(_WORD.finditer(base)), list(_WORD.finditer(leak))
    same = SequenceMatcher(
        None, [word[0].casefold() for word in one], [word[0].casefold() for word in other], autojunk=False
    )
    found = []
    for run in same.get_matching_blocks():
        if run.size >= least:
            first, last = one[run.a], one[run.a + run.size - 1]
            begin, end = other[run.b], other[run.b + run.size - 1]
            sizes = last.end() - first.start(), end.end() - begin.start()
            found.append(Match(first.start(), begin.start(), *sizes))
    return tuple(found)

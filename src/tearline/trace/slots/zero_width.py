"""Marks that cannot be seen, behind sentences: an extra, off by default, and expected to be lost.

Retyping, many editors and every careful recipient take them out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from tearline.trace.slots import guard

MARKS: Final = 1 << 32
"""How many there are."""
_BITS = MARKS.bit_length() - 1
_ZERO, _ONE = "\u200c", "\u200d"
_RUN = re.compile(f"[{_ZERO}{_ONE}]{{{_BITS},}}")


def spots(text: str, keep: Collection[tuple[int, int]] = ()) -> Iterator[int]:
    """Where marks may stand: behind sentences that a slot could stand in, but not behind a quotation, an
    indicator, or whatever else no slot may touch; nor in or at a span of `keep`."""
    for block in guard.blocks(text):
        shut = guard.closed(block.text)
        for _, end in guard.sentences(block.text):
            at = block.start + end
            touched = any(start < end <= last for start, last in shut)
            if not touched and not any(start <= at <= last for start, last in keep):
                yield at


def signs(mark: int) -> str:
    """A mark, from 0 to `MARKS` - 1, as it is written."""
    return "".join(_ONE if mark >> at & 1 else _ZERO for at in range(_BITS))


def hidden(text: str) -> frozenset[int]:
    """The marks that are still whole."""
    return frozenset(
        sum((sign == _ONE) << at for at, sign in enumerate(run[start : start + _BITS]))
        for run in _RUN.findall(text)
        if len(run) % _BITS == 0
        for start in range(0, len(run), _BITS)
    )


def bare(text: str) -> str:
    """`text` without such marks; a sign that joins letters or pictures stays."""
    return _RUN.sub("", text)

"""Marks that cannot be seen, behind sentences: an extra, off by default, and expected to be lost.

Retyping, many editors and every careful recipient take them out. They prove nothing alone: who finds them
in a copy can put them into another.
"""

from __future__ import annotations

import re

from tearline.trace.slots import guard

_ZERO, _ONE = "\u200c", "\u200d"
_RUN = re.compile(f"[{_ZERO}{_ONE}]+")


def hide(text: str, mark: bytes) -> str:
    """`text` with `mark` behind every sentence that a slot could stand in."""
    bits = "".join(_ONE if byte >> at & 1 else _ZERO for byte in mark for at in range(8))
    ends = [block.start + end for block in guard.blocks(text) for _, end in guard.sentences(block.text)]
    parts = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return bits.join(parts)


def hidden(text: str) -> tuple[bytes, ...]:
    """The marks that are still whole, each once, in the order of the text."""
    found: dict[bytes, None] = {}
    for run in _RUN.findall(text):
        if len(run) % 8 == 0:
            octets = (run[at : at + 8] for at in range(0, len(run), 8))
            found[bytes(sum((sign == _ONE) << at for at, sign in enumerate(one)) for one in octets)] = None
    return tuple(found)


def bare(text: str) -> str:
    """`text` without such marks."""
    return _RUN.sub("", text)

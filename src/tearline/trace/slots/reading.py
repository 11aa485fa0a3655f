"""Reads the wordings of a leak, without any key.

The text that is the same in all copies is the anchor: its letters and digits are found in the leak by the
matches. What stands in the leak between two anchors must be what stands there in a copy, with one or the
other wording at each slot between them; or, where the text about it was edited, hold one wording, and not
the other. At the edge of an excerpt one anchor right beside the slot is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tearline.scan.pattern import compiled
from tearline.trace.terms import Bit, Match, Slot

_WORD = compiled(r"[^\W_]+(?:['’ʼ][^\W_]+)*|%")
_WORD_OR_MARK = compiled(r"[^\W_]+(?:['’ʼ][^\W_]+)*|[^\w\s]")
_UNSEEN = compiled("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_SAME = str.maketrans({"ё": "е", "’": "'", "ʼ": "'"})
_FURTHEST, _MOST_SLOTS = 200, 8
"""Letters and digits to an anchor; slots that are read together."""

_Tokens = tuple[str, ...]


class _Gap(NamedTuple):
    """What stands between two anchors: in the base, the places of its slots among all, and in the leak."""

    first: int
    last: int
    slots: range
    leak: str


def _tokens(text: str, pattern: re.Pattern[str]) -> _Tokens:
    seen = _UNSEEN.sub("", text).casefold().translate(_SAME)
    return tuple(pattern.findall(seen))


def read(slots: Sequence[Slot], base: str, leak: str, matches: Sequence[Match]) -> dict[str, Bit]:
    """The bits of the slots that can be read, by key; `matches` as `likeness.align` gives them."""
    anchors = _Anchors(slots, base, leak, matches)
    letters: dict[str, Bit] = {}
    for place, slot in enumerate(slots):
        bit = _bit(anchors, place)
        if bit is not None:
            letters[slot.key] = bit
    return letters


class _Anchors:
    """The letters and digits that no slot holds and that the leak has, each with its place there."""

    def __init__(self, slots: Sequence[Slot], base: str, leak: str, matches: Sequence[Match]) -> None:
        self.slots, self.base, self.leak = slots, base, leak
        own = [-1] * len(base)
        for match in matches:
            here = [
                n
                for n in range(match.base, min(match.base + match.base_size, len(base)))
                if base[n].isalnum()
            ]
            there = [
                n
                for n in range(match.leak, min(match.leak + match.leak_size, len(leak)))
                if leak[n].isalnum()
            ]
            if len(here) != len(there):
                continue
            for at, image in zip(here, there, strict=True):
                if own[at] < 0 and _alike(base[at], leak[image]):
                    own[at] = image
        for slot in slots:
            own[slot.start : slot.end] = [-1] * (slot.end - slot.start)
        self.image = own
        self._before, self._after = _nearest(own), _nearest(own[::-1])[::-1]

    def left(self, at: int) -> int:
        """The last anchor before `at` in the base; -1 where there is none near."""
        found = self._before[at - 1] if at else -1
        return found if at - found <= _FURTHEST else -1

    def right(self, at: int) -> int:
        """The first anchor from `at` on; -1 where there is none near."""
        if at >= len(self.base) or self._after[at] < 0:
            return -1
        found = len(self.base) - 1 - self._after[at]
        return found if found - at <= _FURTHEST else -1


def _nearest(own: Sequence[int]) -> list[int]:
    """For each place the last one up to it that has an image, or -1."""
    found, last = list[int](), -1
    for at, image in enumerate(own):
        last = at if image >= 0 else last
        found.append(last)
    return found


def _alike(one: str, other: str) -> bool:
    return one == other or one.casefold().translate(_SAME) == other.casefold().translate(_SAME)


def _bit(anchors: _Anchors, place: int) -> Bit | None:
    slot = anchors.slots[place]
    left, right = anchors.left(slot.start), anchors.right(slot.end)
    if left >= 0 and right >= 0:
        start, end = anchors.image[left] + 1, anchors.image[right]
        if 0 <= end - start <= 2 * (right - left) + 80:
            within = [n for n, other in enumerate(anchors.slots) if left < other.start and other.end <= right]
            gap = _Gap(left + 1, right, range(within[0], within[-1] + 1), anchors.leak[start:end])
            return _between(anchors, gap, place)
    found = {
        bit
        for bit in (_beside(anchors, place, left, True), _beside(anchors, place, right, False))
        if bit is not None
    }
    return found.pop() if len(found) == 1 else None


def _between(anchors: _Anchors, gap: _Gap, place: int) -> Bit | None:
    """Reads the gap as a copy would have it; failing that, by the one wording that it holds."""
    slot = anchors.slots[place]
    pattern = _pattern(slot)
    told = _tokens(gap.leak, pattern)
    if len(gap.slots) <= _MOST_SLOTS:
        pieces = list(_pieces(anchors, gap, pattern))
        found = {letters[place - gap.slots[0]] for letters in _parses(pieces, told)}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return _held(anchors, gap, place, told) if pattern is _WORD else None


def _pattern(slot: Slot) -> re.Pattern[str]:
    """Marks count only where the words of both wordings are the same."""
    one, other = (_tokens(option, _WORD) for option in slot.options)
    return _WORD if one != other else _WORD_OR_MARK


def _pieces(anchors: _Anchors, gap: _Gap, pattern: re.Pattern[str]) -> Iterator[tuple[_Tokens, ...]]:
    """The gap in turns of what is fixed (one text) and slots (two)."""
    at = gap.first
    for n in gap.slots:
        slot = anchors.slots[n]
        yield (_tokens(anchors.base[at : slot.start], pattern),)
        yield tuple(_tokens(option, pattern) for option in slot.options)
        at = slot.end
    yield (_tokens(anchors.base[at : gap.last], pattern),)


def _parses(pieces: Sequence[tuple[_Tokens, ...]], told: _Tokens) -> Iterator[tuple[Bit, ...]]:
    """All letters with which the pieces say `told`."""
    if not pieces:
        if not told:
            yield ()
        return
    for bit, option in enumerate(pieces[0]):
        if told[: len(option)] == option:
            for rest in _parses(pieces[1:], told[len(option) :]):
                yield rest if len(pieces[0]) == 1 else ((1 if bit else 0), *rest)


def _held(anchors: _Anchors, gap: _Gap, place: int, told: _Tokens) -> Bit | None:
    """The one wording that an edited gap holds, once; where no other slot could have put it."""
    options = [_tokens(option, _WORD) for option in anchors.slots[place].options]
    if any(sum(map(len, option)) < 4 for option in options):
        return None
    for n in gap.slots:
        others = [_tokens(option, _WORD) for option in anchors.slots[n].options]
        if n != place and any(set(one) & set(other) for one in options for other in others):
            return None
    counts = [_count(option, told) for option in options]
    if _count(options[0], options[1]) or _count(options[1], options[0]):
        longer = 0 if len(options[0]) > len(options[1]) else 1
        return (1 if longer else 0) if counts[longer] == 1 else None
    if sorted(counts) != [0, 1] or _count(options[counts.index(1)], _fixed(anchors, gap)):
        return None
    return 1 if counts[1] else 0


def _fixed(anchors: _Anchors, gap: _Gap) -> _Tokens:
    return sum((piece[0] for piece in _pieces(anchors, gap, _WORD) if len(piece) == 1), ())


def _count(part: _Tokens, whole: _Tokens) -> int:
    return sum(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


def _beside(anchors: _Anchors, place: int, anchor: int, is_left: bool) -> Bit | None:
    """The wording right beside one anchor, where neither begins (or ends) as the other."""
    slot = anchors.slots[place]
    if anchor < 0:
        return None
    fixed = anchors.base[anchor + 1 : slot.start] if is_left else anchors.base[slot.end : anchor]
    if _tokens(fixed, _WORD):
        return None
    image, size = anchors.image[anchor], 2 * max(map(len, slot.options)) + 16
    beside = (
        anchors.leak[image + 1 : image + 1 + size] if is_left else anchors.leak[max(0, image - size) : image]
    )
    step = 1 if is_left else -1
    told = _tokens(beside, _WORD)[::step]
    options = [_tokens(option, _WORD)[::step] for option in slot.options]
    if any(not one or one[: len(other)] == other for one, other in (options, options[::-1])):
        return None
    # A word at the very edge may be the rest of another: something must stand behind it.
    found = [told[: len(option)] == option and len(told) > len(option) for option in options]
    return (1 if found[1] else 0) if any(found) else None

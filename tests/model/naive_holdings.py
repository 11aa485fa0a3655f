"""Who holds what by whom, counted item by item: the oracle for `adapters.lake`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from tearline.adapters.lake import Copy, Cut


def left(copy: Copy, cuts: Iterable[Cut]) -> float:
    part = 1.0
    for cut in cuts:
        fits = (
            copy.giver != copy.holder
            and cut.giver in {None, copy.giver}
            and cut.holder in {None, copy.holder}
            and cut.originator in {None, copy.originator}
            and (not cut.categories or copy.category in cut.categories)
            and (not cut.topics or bool(cut.topics & set(copy.topics)))
        )
        part *= 1 - cut.share if fits else 1
    return part


def parts(copies: Sequence[Copy], cuts: Sequence[Cut], gone: Collection[Copy] = ()) -> dict[Copy, float]:
    """What is left of each copy: of one that was passed on no more than its giver has left of it."""
    found = {copy: 0.0 if copy in gone else left(copy, cuts) for copy in copies}
    while True:
        held: defaultdict[tuple[str, str, str], float] = defaultdict(float)
        for copy, part in found.items():
            key = copy.holder, copy.originator, copy.item
            held[key] = max(held[key], part)
        less = {
            copy: min(part, held[copy.giver, copy.originator, copy.item])
            for copy, part in found.items()
            if copy.giver not in {copy.originator, copy.holder}
            and (copy.giver, copy.originator, copy.item) in held
        }
        if all(found[copy] == part for copy, part in less.items()):
            return found
        found |= less


def shares(
    copies: Sequence[Copy], rounds: Sequence[Sequence[Cut]]
) -> dict[tuple[str, str, frozenset[str]], tuple[float, float, tuple[tuple[float, float], ...]]]:
    """(holder, originator, givers) to items, their value (uses + 1), and both after each round."""
    items: defaultdict[tuple[str, str, str], list[Copy]] = defaultdict(list)
    for copy in copies:
        items[copy.holder, copy.originator, copy.item].append(copy)
    found: dict[tuple[str, str, frozenset[str]], list[float]] = {}
    then = [parts(copies, cuts) for cuts in rounds]
    for (holder, originator, _), some in items.items():
        key = holder, originator, frozenset(copy.giver for copy in some)
        sums = found.setdefault(key, [0.0] * (2 + 2 * len(rounds)))
        worth = 1 + max(copy.uses for copy in some)
        stages = [1.0, *(max(stage[copy] for copy in some) for stage in then)]
        for number, part in enumerate(stages):
            sums[2 * number] += part
            sums[2 * number + 1] += part * worth
    return {
        key: (sums[0], sums[1], tuple(zip(sums[2::2], sums[3::2], strict=True)))
        for key, sums in found.items()
    }


def answers(
    copies: Sequence[Copy], holder: str, topic: str, *, whole: bool, cuts: Sequence[Cut]
) -> dict[tuple[str, str], tuple[float, float]]:
    """(originator, month) to the items on this topic that the holder has, now and after the cuts."""
    items: defaultdict[tuple[str, str], list[Copy]] = defaultdict(list)
    for copy in copies:
        if copy.holder == holder:
            items[copy.originator, copy.item].append(copy)
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    then = parts(copies, cuts)
    for (originator, _), some in items.items():
        if topic in some[0].topics and (not whole or any(copy.form == "whole" for copy in some)):
            month = min(copy.at for copy in some).strftime("%Y-%m")
            sums = found[originator, month]
            sums[0] += 1
            sums[1] += max(then[copy] for copy in some)
    return {key: (now, then) for key, (now, then) in found.items()}

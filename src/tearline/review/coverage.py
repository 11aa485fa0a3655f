"""Which requirements are answered, by whose products, and what a scenario would leave open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from tearline.review.requirements import Requirement
from tearline.terms import Party

MOST_FILLERS = 3


class Answering(NamedTuple):
    """Items of one originator and month that fit a requirement; `counts`: at each stage.

    Without a month: what others than the requirement's holder have.
    """

    requirement: int
    originator: Party
    month: str
    counts: tuple[float, ...]


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """How one requirement fares. `covered`: at each stage."""

    requirement: str
    holder: Party
    question: str
    priority: int
    covered: tuple[float, ...]
    gap: float
    originators: tuple[Party, ...]
    """Whose products answer it now, most first."""
    sole: Party
    """The only one of them; empty where there are several, or none."""
    fillers: tuple[Party, ...]
    """Others whose fitting products somebody holds, but not this holder. Most first."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    stages: tuple[str, ...]
    months: tuple[str, ...]
    rows: tuple[Covered, ...]
    """The greatest gap first."""


def coverage(
    requirements: Sequence[Requirement],
    answers: Iterable[Answering],
    months: tuple[str, str],
    stages: Sequence[str],
    own: Party,
) -> Coverage:
    """`months`: the first and the last of the period, such as `2026-11`."""
    by_requirement: defaultdict[int, list[Answering]] = defaultdict(list)
    for answer in answers:
        by_requirement[answer.requirement].append(answer)
    period = tuple(_months(*months))
    rows = [
        _covered(requirement, by_requirement[number], period, len(stages), requirement.holder or own)
        for number, requirement in enumerate(requirements)
    ]
    rows.sort(key=lambda each: (-each.gap, each.priority, each.requirement))
    return Coverage(stages=tuple(stages), months=period, rows=tuple(rows))


def _covered(
    requirement: Requirement, answers: Sequence[Answering], period: Sequence[str], stages: int, holder: Party
) -> Covered:
    last = f"{requirement.latest:%Y-%m}" if requirement.latest else "9999-12"
    asked = [month for month in period if month <= last]
    mine = [answer for answer in answers if answer.month and answer.month <= last]
    covered = []
    for stage in range(stages):
        found: defaultdict[str, float] = defaultdict(float)
        for answer in mine:
            found[answer.month] += answer.counts[stage]
        met = sum(found[month] >= requirement.a_month for month in asked)
        covered.append(met / len(asked) if asked else 1.0)
    now = _by_originator(mine)
    others = _by_originator(answer for answer in answers if not answer.month)
    fillers = [party for party in others if party not in now and party != holder]
    return Covered(
        requirement=requirement.id,
        holder=holder,
        question=requirement.question,
        priority=requirement.priority,
        covered=tuple(covered),
        gap=requirement.weight * (1 - covered[-1]),
        originators=tuple(now),
        sole=now[0] if len(now) == 1 else "",
        fillers=tuple(fillers[:MOST_FILLERS]),
    )


def _by_originator(answers: Iterable[Answering]) -> list[Party]:
    sums: defaultdict[Party, float] = defaultdict(float)
    for answer in answers:
        sums[answer.originator] += answer.counts[0]
    return sorted((party for party in sums if sums[party] > 0), key=lambda party: (-sums[party], party))


def _months(first: str, last: str) -> Iterator[str]:
    year, month = map(int, first.split("-"))
    while f"{year}-{month:02}" <= last:
        yield f"{year}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)

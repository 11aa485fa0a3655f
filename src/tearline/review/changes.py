"""What a revision would change: the result of a replay, as it is stored and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from tearline.agreement import Ruling, Verdict
from tearline.terms import Broken, Category, Party, Topic


class Change(StrEnum):
    """What becomes of an item for a partner."""

    RELEASED = "newly released"
    TO_WHOLE = "tearline becomes whole"
    TO_TEARLINE = "whole becomes tearline"
    WITHHELD = "newly withheld"


CHANGES = tuple(Change)


def counted(counts: Sequence[int]) -> dict[Change, int]:
    """Counts in the order of `CHANGES`, without zeros."""
    return {change: count for change, count in zip(CHANGES, counts, strict=True) if count}


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """How an item fares under one set of agreements."""

    outcome: str
    """`whole`, `tearline` or `withheld`."""
    whole: Ruling | None
    """On its whole form; `None` where label or third-party rule keep the partner out."""
    tearline: Ruling | None
    """On its tearline form; `None` where there is none for the partner, or the whole goes."""


def change_of(before: str, after: str) -> Change | None:
    """What two outcomes differ by; `None` where they are equal."""
    if before == after:
        return None
    if before == "withheld":
        return Change.RELEASED
    if after == "withheld":
        return Change.WITHHELD
    return Change.TO_WHOLE if after == "whole" else Change.TO_TEARLINE


def agree(change: Change, before: Side, after: Side) -> None:
    """Raise `Broken` where Cedar does not find the change that the tables found."""
    if change_of(before.outcome, after.outcome) is not change:
        raise Broken("the tables and Cedar disagree about an item: do not rely on this replay")


WHY_NOT = {
    Verdict.NO_AGREEMENT: "no agreement is in force",
    Verdict.NO_CLAUSE: "no clause permits it",
    Verdict.NO_LEVEL: "the table of levels has no row",
    Verdict.ERROR: "a clause could not be evaluated",
}


def in_words(side: Side) -> str:
    """How an item fares, and because of which clauses."""
    if side.outcome == "whole":
        return f"whole by {_clauses(side.whole)}"
    if side.outcome == "tearline":
        return f"tearline by {_clauses(side.tearline)}"
    asked = [ruling for ruling in (side.whole, side.tearline) if ruling]
    forbidden = [ruling for ruling in asked if ruling.verdict is Verdict.FORBID]
    if forbidden:
        return f"withheld: {_clauses(*forbidden)} forbids it"
    return "withheld: " + ", ".join(dict.fromkeys(WHY_NOT[ruling.verdict] for ruling in asked))


def _clauses(*rulings: Ruling | None) -> str:
    return ", ".join(dict.fromkeys(clause for ruling in rulings if ruling for clause in ruling.clauses))


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One item that a revision would change for one partner, confirmed by Cedar."""

    change: Change
    partner: Party
    id: str
    version: str
    at: datetime
    originator: Party
    category: Category
    topics: tuple[Topic, ...]
    before: Side
    after: Side


class Cell(msgspec.Struct, frozen=True):
    """Changes counted. An item with two topics is in two cells."""

    partner: Party
    month: str
    """Of the instants at which the items were judged, `2026-11`."""
    category: Category
    topic: str
    """Empty for items that have none."""
    counts: dict[Change, int]


class Reason(msgspec.Struct, frozen=True):
    """So many items of this change fare as `now` and would fare as `then`, because of the clauses named."""

    partner: Party
    change: Change
    now: str
    then: str
    items: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Of one partner, each item counted once."""

    partner: Party
    whole: tuple[int, int]
    """Items that go whole: now, and then."""
    tearline: tuple[int, int]
    counts: dict[Change, int]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What the proposed agreements would have changed in the outcomes of the items replayed."""

    own: Party
    present: tuple[str, ...]
    """Versions of the agreements compared, sorted."""
    proposed: tuple[str, ...]
    items: int
    totals: tuple[Totals, ...]
    """One for each partner, in the order of their codes."""
    cells: tuple[Cell, ...]
    """Only those in which something changes."""
    examples: tuple[Example, ...]
    reasons: tuple[Reason, ...] = ()
    """All changes, by what is responsible: by partner, then change, the most items first."""
    notes: tuple[str, ...] = ()
    """What a reader must know of the data, in plain sentences."""

    def count(self, change: Change) -> int:
        """How many items and partners this happens to."""
        return sum(each.counts.get(change, 0) for each in self.totals)

    @property
    def nothing(self) -> bool:
        """Whether no outcome would change."""
        return not any(self.count(change) for change in Change)

"""A review as tables: every way to show it, on paper, in a terminal or to a machine, shows these.

Each table says what its figures mean and by which command they come again.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from tearline.review.changes import CHANGES, Changes, in_words
from tearline.review.coverage import Coverage
from tearline.review.definitions import DEFINITIONS
from tearline.review.dependency import By, Dependency
from tearline.review.exposure import Reach, Revealed
from tearline.review.relations import Relations
from tearline.review.requirements import Seen
from tearline.review.scenario import Scenario
from tearline.review.untying import Untying
from tearline.terms import Party

Value = str | int | float


class Kind(StrEnum):
    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    NUMBER = "number"


class Column(msgspec.Struct, frozen=True):
    name: str
    kind: Kind = Kind.TEXT


class Chart(msgspec.Struct, frozen=True):
    """Bars: one for each value of column `of`, its parts by column `parts`, as long as column `long`."""

    of: str
    long: str
    parts: str = ""
    stacked: bool = True
    """Whether the parts of a bar add up, or stand side by side."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    definition: str
    """What each figure means, in plain sentences."""
    command: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    chart: Chart | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a scenario implies. A part that nothing was known for is `None`, or empty."""

    own: Party
    at: datetime
    scenario: Scenario
    arguments: tuple[str, ...]
    """What `tearline review` was asked with, so that it can be asked again."""
    inputs: tuple[str, ...] = ()
    """What it was read from, in plain sentences."""
    notes: tuple[str, ...] = ()
    changes: Changes | None = None
    dependency: Dependency | None = None
    coverage: Coverage | None = None
    seen: tuple[Seen, ...] = ()
    """Which partners may see the requirements themselves."""
    reaches: tuple[Reach, ...] = ()
    revealed: tuple[Revealed, ...] = ()
    relations: Relations | None = None
    untying: Untying | None = None


def tables(review: Review) -> tuple[Table, ...]:
    """All that there is to show, in order."""
    make = _Maker(review)
    found: list[Table] = []
    if review.changes:
        found += _changes(make, review.changes)
    if review.dependency:
        found += _dependency(make, review.dependency)
    if review.coverage:
        found += _coverage(make, review.coverage)
    if review.seen:
        found.append(_seen(make, review.seen))
    if review.reaches:
        found.append(_reaches(make, review.reaches))
    if review.revealed:
        found.append(_revealed(make, review.revealed))
    if review.untying:
        found += _untying(make, review.untying)
    if review.relations:
        found += _relations(make, review.relations)
    return tuple(found)


def shown(value: Value, kind: Kind) -> str:
    """A figure as people read it."""
    if isinstance(value, str):
        return value
    if kind is Kind.SHARE:
        return f"{100 * value:.1f} %"
    if kind is Kind.COUNT:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:.3g}"


class _Maker:
    def __init__(self, review: Review) -> None:
        self._arguments = review.arguments

    def __call__(
        self,
        name: str,
        title: str,
        columns: Iterable[str | tuple[str, Kind]],
        rows: Iterable[tuple[Value, ...]],
        chart: Chart | None = None,
    ) -> Table:
        heads = (Column(each) if isinstance(each, str) else Column(*each) for each in columns)
        command = shlex.join(["tearline", "review", *self._arguments, "--only", name])
        return Table(
            name=name,
            title=title,
            definition=DEFINITIONS[name],
            command=command,
            columns=tuple(heads),
            rows=tuple(rows),
            chart=chart,
        )


_Make = Callable[..., Table]
_COUNT, _SHARE, _NUMBER = Kind.COUNT, Kind.SHARE, Kind.NUMBER


# --- What changes ---------------------------------------------------------------------------------


def _changes(make: _Make, found: Changes) -> list[Table]:
    return [
        make(
            "changes",
            "What changes for each partner",
            (
                "partner",
                *((head, _COUNT) for head in ("whole now", "whole then", "tearline now", "tearline then")),
                *((str(change), _COUNT) for change in CHANGES),
            ),
            (
                (
                    each.partner,
                    *each.whole,
                    *each.tearline,
                    *(each.counts.get(change, 0) for change in CHANGES),
                )
                for each in found.totals
            ),
        ),
        make(
            "cells",
            "Where it changes",
            ("partner", "month", "category", "topic", "change", ("items", _COUNT)),
            (
                (cell.partner, cell.month, cell.category.value, cell.topic or "no topic", change.value, count)
                for cell in found.cells
                for change, count in cell.counts.items()
            ),
            Chart("partner", "items", "change"),
        ),
        make(
            "clauses",
            "Which clauses are responsible",
            ("partner", "change", "now", "then", ("items", _COUNT)),
            ((each.partner, each.change.value, each.now, each.then, each.items) for each in found.reasons),
        ),
        make(
            "examples",
            "Examples, and the clauses responsible",
            ("item", "version", "partner", "change", "now", "then"),
            (
                (
                    each.id,
                    each.version,
                    each.partner,
                    each.change.value,
                    in_words(each.before),
                    in_words(each.after),
                )
                for each in found.examples
            ),
        ),
    ]


# --- Who depends on whom --------------------------------------------------------------------------


def _dependency(make: _Make, found: Dependency) -> list[Table]:
    return [
        make(
            "dependency",
            "Who depends on allies",
            (
                "holder",
                "stage",
                ("items", _COUNT),
                ("value", _COUNT),
                ("from allies", _SHARE),
                ("from allies by value", _SHARE),
                "biggest",
                ("of all", _SHARE),
                ("concentration", _NUMBER),
                ("single", _SHARE),
            ),
            (
                (
                    each.holder,
                    each.stage,
                    each.items,
                    each.value,
                    each.allies,
                    each.allies_value,
                    each.biggest,
                    each.biggest_share,
                    each.concentration,
                    each.single,
                )
                for each in found.consumers
            ),
            Chart("holder", "from allies", "stage", stacked=False),
        ),
        *(
            make(
                f"shares-by-{by}",
                title,
                (
                    "holder",
                    str(by),
                    ("items", _COUNT),
                    ("share", _SHARE),
                    ("value", _COUNT),
                    ("value share", _SHARE),
                ),
                (
                    (each.holder, each.party, each.items, each.share, each.value, each.value_share)
                    for each in found.shares
                    if each.by is by
                ),
                Chart("holder", "share", str(by)),
            )
            for by, title in (
                (By.ORIGINATOR, "Who made what each party holds"),
                (By.GIVER, "Who gave what each party holds"),
            )
        ),
        make(
            "losses",
            "What is lost if one ally stops",
            (
                "holder",
                "ally",
                ("if it stops making", _SHARE),
                ("by value", _SHARE),
                ("if it stops giving", _SHARE),
                ("of value", _SHARE),
                ("concentration then", _NUMBER),
            ),
            (
                (
                    each.holder,
                    each.ally,
                    each.making,
                    each.making_value,
                    each.giving,
                    each.giving_value,
                    each.concentration,
                )
                for each in found.losses
            ),
        ),
    ]


# --- What is answered -----------------------------------------------------------------------------


def _coverage(make: _Make, found: Coverage) -> list[Table]:
    return [
        make(
            "coverage",
            "Which requirements are answered",
            (
                "requirement",
                "holder",
                "question",
                ("priority", _COUNT),
                *((f"covered {stage}", _SHARE) for stage in found.stages),
                ("gap", _NUMBER),
                "answered by",
                "only by",
                "could be filled by",
            ),
            (
                (
                    each.requirement,
                    each.holder,
                    each.question,
                    each.priority,
                    *each.covered,
                    each.gap,
                    ", ".join(each.originators),
                    each.sole,
                    ", ".join(each.fillers),
                )
                for each in found.rows
            ),
            Chart("requirement", f"covered {found.stages[-1]}"),
        )
    ]


def _seen(make: _Make, found: Iterable[Seen]) -> Table:
    return make(
        "requirements",
        "Who may see the requirements themselves",
        ("requirement", "partner", "would go", "why"),
        ((each.requirement, each.partner, each.outcome, each.why) for each in found),
    )


# --- How it could get out -------------------------------------------------------------------------


def _reaches(make: _Make, found: Iterable[Reach]) -> Table:
    return make(
        "exposure",
        "How likely a release reaches an adversary",
        (
            "partner",
            "adversary",
            ("low", _NUMBER),
            ("high", _NUMBER),
            ("error of low", _NUMBER),
            ("error of high", _NUMBER),
            "by",
            "likeliest way",
        ),
        (
            (
                each.start,
                each.target,
                each.low.value,
                each.high.value,
                each.low.error,
                each.high.error,
                "counting" if each.exact else "drawing",
                " > ".join(each.path),
            )
            for each in sorted(found, key=lambda each: (-each.high.value, each.start, each.target))
        ),
        Chart("partner", "high", "adversary", stacked=False),
    )


def _revealed(make: _Make, found: Iterable[Revealed]) -> Table:
    return make(
        "compromise",
        "What would be known of sources if a partner leaked everything",
        (
            "partner",
            "source",
            ("facts told", _COUNT),
            ("persons", _COUNT),
            ("left", _COUNT),
            ("left if all leak", _COUNT),
            "k",
            ("bits", _NUMBER),
        ),
        (
            (
                each.partner,
                each.source,
                each.facts,
                each.persons,
                each.left,
                each.left_pooled,
                "the vault is shut" if each.k is None else str(each.k),
                each.bits,
            )
            for each in found
        ),
    )


# --- Untying and relations ------------------------------------------------------------------------


def _untying(make: _Make, found: Untying) -> list[Table]:
    return [
        make(
            "untying",
            f"Untying from {found.partner}, with the least loss at each step",
            ("step", "what", ("loss", _SHARE), ("left", _SHARE), "how", "how to come back"),
            (
                (str(number), each.what, each.loss, each.left, each.how, each.back)
                for number, each in enumerate(found.steps, 1)
            ),
        ),
        make(
            "ties",
            f"What ties this node to {found.partner}",
            ("kind", "what", ("count", _COUNT)),
            ((each.kind, each.what, each.count) for each in found.ties),
        ),
    ]


def _relations(make: _Make, found: Relations) -> list[Table]:
    return [
        make(
            "relations",
            "How relations stand",
            ("partner", "domain", ("now", _NUMBER), "since", "before", "why"),
            (
                (each.partner, each.domain, each.score, str(each.at), each.before, each.why)
                for each in found.newest()
            ),
        ),
        make(
            "divergences",
            "Where declared threats differ",
            ("partner", "only ours", "only theirs"),
            ((each.partner, ", ".join(each.ours), ", ".join(each.theirs)) for each in found.divergences()),
        ),
        make(
            "orders",
            "Orders with no known end",
            ("partner", "since", "order"),
            ((each.partner, str(each.since), each.what) for each in found.open()),
        ),
    ]

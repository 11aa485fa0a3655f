"""Faults planted in the encoder, one at a time: the comparison with Cedar at random points finds each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import product
from typing import Any, NamedTuple

import pytest
from cedarpy import pst

from tearline.agreement import Action, Agreement, Agreements, Detail, Facts, Verdict, load
from tearline.agreement.proof import encode, universe
from tearline.agreement.proof.encode import Encoder, Rules
from tearline.agreement.proof.logic import Terms
from tearline.agreement.proof.universe import Case, Universe
from tearline.terms import Category, Level, Reach, Use
from tests import agreements as generated
from tests.agreements import OWN

WORLDS = 60


class Judged(NamedTuple):
    """Agreements, and what Cedar says of some cases."""

    agreements: tuple[Agreement, ...]
    since: datetime
    said: tuple[tuple[Case, Action, bool], ...]


@cache
def judged() -> tuple[Judged, ...]:
    return (
        *(_judge(generated.world(random.Random(seed), facts=10)) for seed in range(WORLDS)),
        _judge(ROWLESS),
    )


# Seldom drawn: a level for which the forbidding agreement has no row, and the permitting one has.
_TEXT = """\
id = "{0}"
title = "{0}"
parties = ["GBR", "USA"]
valid_from = 2020-01-01
valid_until = 2040-01-01
[levels.USA]
SECRET = "SECRET"
"""
ROWLESS = replace(
    generated.world(random.Random(0)),
    agreements=(
        load(
            _TEXT.format("open") + 'CONFIDENTIAL = "CONFIDENTIAL"',
            '@id("a") @reason("All.") permit (principal, action in Action::"share", resource);',
            "open",
        ),
        load(
            _TEXT.format("low"),
            '@id("b") @reason("Low.") forbid (principal, action == Action::"release", resource)'
            " when { resource.level <= 1 };"
            '@id("c") @reason("High.") forbid (principal, action == Action::"releaseTearline", resource)'
            " when { resource.level > 3 };",
            "low",
        ),
    ),
    facts=tuple(
        Facts(
            originator=OWN,
            category=Category.REPORT,
            level=((OWN, level),),
            topics=frozenset(),
            regions=frozenset(),
            disciplines=frozenset(),
            reach=Reach.CLEAR,
            use=Use.CLEAR,
        )
        for level in Level
    ),
    members={"GBR": frozenset()},
    instants=(datetime(2026, 11, 1, tzinfo=UTC),),
)


def _judge(world: generated.World) -> Judged:
    compiled = Agreements(OWN, world.agreements)
    said = tuple(
        (Case(facts, party, world.members[party], now), action, ruling.verdict is Verdict.PERMIT)
        for facts, now, action in product(world.facts, world.instants, Action)
        for party, ruling in compiled.rule(facts, world.members, action, now).items()
    )
    return Judged(world.agreements, min(world.instants), said)


def differences() -> Iterator[tuple[Case, Action]]:
    """Cases of which the encoder does not say what Cedar says."""
    for agreements, since, said in judged():
        encoder = Encoder(Universe(OWN, [each for each in agreements if OWN in each.parties], since, Terms()))
        permitted = {action: encoder.rules(agreements, action).permitted for action in Action}
        truth = encoder.terms.truth([encoder.universe.point(case) for case, _, _ in said])
        yield from (
            (case, action)
            for bit, (case, action, goes) in enumerate(said)
            if bool(truth[permitted[action]] >> bit & 1) is not goes
        )


def test_without_a_fault_there_is_no_difference() -> None:
    assert list(differences()) == []
    goes = [goes for each in judged() for _, _, goes in each.said]
    assert len(goes) > 10_000
    assert 0.05 < sum(goes) / len(goes) < 0.95


# --- Faults ----------------------------------------------------------------------------------------

RULES, READ, TEST, EQUAL = Encoder.rules, Encoder._read, Encoder.test, Encoder.equal
RANK_FROM, SAYS, ABOUT, CLOCK, NUMBER = (
    Encoder.rank_from, Encoder.says, Encoder.about, Encoder.clock, Encoder.number
)  # fmt: skip


def forbid_ignored(encoder: Encoder, agreements: Sequence[Agreement], action: Action) -> Rules:
    rules = RULES(encoder, agreements, action)
    return rules._replace(permitted=encoder.any_matches(rules.permits))


def permit_outweighs(encoder: Encoder, agreements: Sequence[Agreement], action: Action) -> Rules:
    rules = RULES(encoder, agreements, action)
    return rules._replace(permitted=encoder.terms.no(rules.forbidden))


def forbids_for_parties_only(encoder: Encoder, agreement: Agreement, effect: str, action: Action) -> Any:
    for spoken in READ(encoder, agreement, effect, action):
        yield spoken._replace(counts=encoder.terms.every([spoken.counts, encoder.shared(agreement)]))


def forbids_need_a_row(encoder: Encoder, agreement: Agreement, effect: str, action: Action) -> Any:
    for spoken in READ(encoder, agreement, effect, action):
        yield spoken._replace(counts=encoder.terms.every([spoken.counts, encoder.ranked(agreement)]))


def bound_inclusive(encoder: Encoder, agreement: Agreement) -> int:
    first, end = agreement.bounds
    return encoder.universe.when([first <= now <= end for now in encoder.universe.instants])


def start_exclusive(encoder: Encoder, agreement: Agreement) -> int:
    first, end = agreement.bounds
    return encoder.universe.when([first < now < end for now in encoder.universe.instants])


def missing_row_is_lowest(encoder: Encoder, agreement: Agreement, rank: int) -> int:
    rows = {
        policy: {level: row.get(level, Level(0)) for level in Level}
        for policy, row in agreement.levels.items()
    }
    return _rank_from(encoder, rows, rank)


def ranks_without_table(encoder: Encoder, agreement: Agreement, rank: int) -> int:
    rows = {policy: {level: level for level in row} for policy, row in agreement.levels.items()}
    return _rank_from(encoder, rows, rank)


def _rank_from(encoder: Encoder, rows: dict[str, dict[Level, Level]], rank: int) -> int:
    terms = encoder.terms
    return terms.some(
        terms.among(variable, [1 + level for level in Level if rows.get(policy, {}).get(level, 5) >= rank])
        for policy, variable in encoder.universe.levels.items()
    )


def unranked_is_not_above_all(encoder: Encoder, agreement: Agreement, rank: int) -> int:
    if rank == encode.ABOVE_ALL:
        return RANK_FROM(encoder, agreement, rank)
    unranked = RANK_FROM(encoder, agreement, encode.ABOVE_ALL)
    return encoder.terms.every([RANK_FROM(encoder, agreement, rank), encoder.terms.no(unranked)])


def one_policy_only(encoder: Encoder, agreement: Agreement, rank: int) -> int:
    wide, levels = encoder.universe, encoder.universe.levels
    wide.levels = dict(list(levels.items())[-1:])
    try:
        return RANK_FROM(encoder, agreement, rank)
    finally:
        wide.levels = levels


def unless_as_when(encoder: Encoder, agreement: Agreement, tree: pst.Template) -> int:
    conditions = tuple(pst.When(each.expr) for each in tree.clauses)
    return SAYS(encoder, agreement, _with(tree, clauses=conditions))


def head_ignored(encoder: Encoder, agreement: Agreement, tree: pst.Template) -> int:
    return SAYS(encoder, agreement, _with(tree, principal=pst.ScopeAny()))


def first_condition_only(encoder: Encoder, agreement: Agreement, tree: pst.Template) -> int:
    return SAYS(encoder, agreement, _with(tree, clauses=tree.clauses[:1]))


def _with(tree: pst.Template, **changes: Any) -> pst.Template:
    fields = {name: getattr(tree, name) for name in tree.__dataclass_fields__}
    return pst.Template(**fields | changes)


def other_operators(swaps: dict[str, str], encoder: Encoder, agreement: Agreement, expr: pst.Expr) -> int:
    if isinstance(expr, pst.BinaryOp) and expr.op in swaps:
        expr = pst.BinaryOp(swaps[expr.op], expr.left, expr.right)  # type: ignore[arg-type]
    return TEST(encoder, agreement, expr)


def empty_is_full(encoder: Encoder, agreement: Agreement, expr: pst.Expr) -> int:
    found = TEST(encoder, agreement, expr)
    return encoder.terms.no(found) if isinstance(expr, pst.UnaryOp) else found


def joined(swap: dict[str, str]) -> Callable[[Encoder, Agreement, pst.Expr], int]:
    right = Encoder.condition

    def condition(encoder: Encoder, agreement: Agreement, expr: pst.Expr) -> int:
        if isinstance(expr, pst.BinaryOp) and expr.op in swap:
            expr = pst.BinaryOp(swap[expr.op], expr.left, expr.right)  # type: ignore[arg-type]
        if isinstance(expr, pst.UnaryOp) and expr.op in swap:
            expr = expr.arg
        return right(encoder, agreement, expr)

    return condition


def share_is_not_understood(encoder: Encoder, scope: pst.ActionConstraint, action: Action) -> bool:
    return ABOUT(encoder, scope, action) and not (isinstance(scope, pst.ActionIn) and "share" in str(scope))


def any_value_of_kind(attribute: str, encoder: Encoder, name: str, uid: pst.EntityUid) -> int:
    found = encoder._values[name].get((str(uid.type), uid.id), encoder.terms.FALSE)
    return encoder.terms.TRUE if name == attribute else found


def clock_with(swap: dict[str, str], encoder: Encoder, op: str, constant: pst.Expr) -> int:
    return CLOCK(encoder, swap.get(op, op), constant)


def swapped(encoder: Encoder, agreement: Agreement, attribute: str, fits: Callable[[int], bool]) -> int:
    return NUMBER(encoder, agreement, {"reach": "use", "use": "reach"}.get(attribute, attribute), fits)


def upside_down(encoder: Encoder, agreement: Agreement, attribute: str, fits: Callable[[int], bool]) -> int:
    """The classes that media have more of the higher they are, as if it were the other way round."""
    if attribute in {"area", "bandwidth"}:
        return NUMBER(encoder, agreement, attribute, lambda rank: fits(4 - rank))
    return NUMBER(encoder, agreement, attribute, fits)


def one_off(encoder: Encoder, agreement: Agreement, attribute: str, fits: Callable[[int], bool]) -> int:
    off = attribute in Detail._fields
    return NUMBER(encoder, agreement, attribute, lambda rank: fits(max(0, rank - off)))


def changes_without_the_last_millisecond(agreement: Agreement) -> Iterator[datetime]:
    moments = set(CHANGES(agreement))
    yield from (each for each in moments if each - timedelta(milliseconds=1) not in moments)


CHANGES = universe._changes
METHODS: dict[str, tuple[str, Any]] = {
    "a forbid is ignored": ("rules", forbid_ignored),
    "what is not forbidden is permitted": ("rules", permit_outweighs),
    "forbids are for the agreement's parties only": ("_read", forbids_for_parties_only),
    "forbids need a row too": ("_read", forbids_need_a_row),
    "permits are for everybody": ("shared", lambda encoder, agreement: encoder.terms.TRUE),
    "the last day counts": ("in_force", bound_inclusive),
    "the first instant does not count": ("in_force", start_exclusive),
    "it is always in force": ("in_force", lambda encoder, agreement: encoder.terms.TRUE),
    "permits need no row": ("ranked", lambda encoder, agreement: encoder.terms.TRUE),
    "a missing row is rank 0": ("rank_from", missing_row_is_lowest),
    "the table does not raise": ("rank_from", ranks_without_table),
    "no row is not above all": ("rank_from", unranked_is_not_above_all),
    "one policy's level decides": ("rank_from", one_policy_only),
    "unless is when": ("says", unless_as_when),
    "the head's partner is ignored": ("says", head_ignored),
    "only the first condition is read": ("says", first_condition_only),
    "any as all": ("test", partial(other_operators, {"contains_any": "contains_all"})),
    "all as any": ("test", partial(other_operators, {"contains_all": "contains_any"})),
    "<= as <": ("test", partial(other_operators, {"less_eq": "less"})),
    ">= as >": ("test", partial(other_operators, {"greater_eq": "greater"})),
    "> as >=": ("test", partial(other_operators, {"greater": "greater_eq"})),
    "!= as ==": ("equal", lambda encoder, op, same: same),
    "empty is not empty": ("test", empty_is_full),
    "not is dropped": ("condition", joined({"not": ""})),
    "and is or": ("condition", joined({"and": "or"})),
    "or is and": ("condition", joined({"or": "and"})),
    "the action is ignored": ("about", lambda encoder, scope, action: True),
    "share covers nothing": ("about", share_is_not_understood),
    "the coalition is ignored": ("value", partial(any_value_of_kind, "coalitions")),
    "the partner is ignored": ("value", partial(any_value_of_kind, "principal")),
    "the originator is ignored": ("value", partial(any_value_of_kind, "originator")),
    "the category is ignored": ("value", partial(any_value_of_kind, "category")),
    "the discipline is ignored": ("value", partial(any_value_of_kind, "disciplines")),
    "now <= is now <": ("clock", partial(clock_with, {"less_eq": "less"})),
    "now > is now >=": ("clock", partial(clock_with, {"greater": "greater_eq"})),
    "reach is use": ("number", swapped),
    "some classes are upside down": ("number", upside_down),
    "classes are one off": ("number", one_off),
}


@pytest.mark.parametrize("fault", METHODS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, variant = METHODS[fault]

    def planted(*arguments: Any) -> Any:
        return variant(*arguments)

    monkeypatch.setattr(Encoder, name, planted)
    assert next(differences(), None) is not None


def test_a_forgotten_millisecond_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cedar's `now <= moment` turns false one millisecond after the moment."""
    monkeypatch.setattr(universe, "_changes", changes_without_the_last_millisecond)
    assert next(differences(), None) is not None


def test_an_agreement_of_others_must_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def everybodys(self: Encoder, agreement: Agreement, effect: str, action: Action) -> Any:
        own, self.universe.own = self.universe.own, min(agreement.parties)
        try:
            yield from list(READ(self, agreement, effect, action))
        finally:
            self.universe.own = own

    monkeypatch.setattr(Encoder, "_read", everybodys)
    right, held = Universe.__init__, [agreement for each in judged() for agreement in each.agreements]
    monkeypatch.setattr(
        Universe,
        "__init__",
        lambda self, own, agreements, since, terms: right(self, own, held, since, terms),
    )
    assert next(differences(), None) is not None

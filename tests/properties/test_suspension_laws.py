"""Law 7 at the rules: beside any agreements, a suspension stops all that is in scope and nothing else."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from tearline.agreement import Action, Agreements, Facts, Verdict
from tearline.agreement.suspension import Scope, Suspension, compiled
from tearline.terms import Category, Topic
from tests import agreements as drawn

WORLDS = 2_000 if os.environ.get("TEARLINE_LONG") else 32
SINCE = datetime(2026, 10, 1, tzinfo=UTC)


def some_suspensions(draw: random.Random, instants: tuple[datetime, ...]) -> list[Suspension]:
    """One to three orders, about one or two partners; ends lie around the instants of the questions."""
    return [
        Suspension(
            partner=draw.choice(drawn.PARTNERS[:3]),
            scope=_scope(draw),
            since=SINCE + timedelta(seconds=number),
            until=draw.choice([None, *(_second(each) for each in instants)]),
            reason="Drawn.",
            officer="heron-1",
        )
        for number in range(draw.randint(1, 3))
    ]


def _scope(draw: random.Random) -> Scope:
    kind = draw.randrange(3)
    if kind == 0:
        return Scope()
    if kind == 1:
        return Scope(categories=frozenset(draw.sample(list(Category), draw.randint(1, 3))))
    return Scope(topics=frozenset(draw.sample([*drawn.TOPICS, Topic.OTHER], draw.randint(1, 3))))


def _second(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def in_scope(scope: Scope, facts: Facts) -> bool:
    """Said again in other words than in the program."""
    if scope.categories:
        return facts.category in scope.categories
    if scope.topics:
        return any(topic in scope.topics for topic in facts.topics)
    return True


@pytest.mark.parametrize("seed", [1, 2, 3, 7])  # worlds in which enough would go
def test_it_stops_what_is_in_scope_and_nothing_else(seed: int) -> None:
    stopped = let = would_have_gone = 0
    draw = random.Random(seed)
    for _ in range(WORLDS // 4):
        world = drawn.world(draw)
        orders = some_suspensions(draw, world.instants)
        before = Agreements(drawn.OWN, world.agreements)
        after = Agreements(drawn.OWN, [*world.agreements, compiled(drawn.OWN, orders)])
        ends = [order.until for order in orders if order.until is not None]
        around = [end + timedelta(milliseconds=step) for end in ends for step in (-1, 0, 1)]
        for facts in world.facts:
            for now in [*world.instants, *around]:
                for action in Action:
                    old = before.rule(facts, world.members, action, now)
                    new = after.rule(facts, world.members, action, now)
                    for party in world.members:
                        covered = any(
                            order.partner == party
                            and in_scope(order.scope, facts)
                            and (order.until is None or now < order.until)
                            for order in orders
                        )
                        if covered:
                            stopped += 1
                            would_have_gone += old[party].verdict is Verdict.PERMIT
                            assert new[party].verdict is not Verdict.PERMIT
                        else:
                            let += 1
                            assert new[party] == old[party]
    assert min(stopped, let, would_have_gone) > 50, "there was something to stop and something to let be"

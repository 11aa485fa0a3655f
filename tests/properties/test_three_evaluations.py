"""One text, three evaluations: by Cedar, as tables over columns, as terms for the solvers. All say the same.

With TEARLINE_LONG=1 a million decisions of new random agreements.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date

from tearline.agreement import Action, Agreements
from tearline.agreement.proof.encode import Encoder
from tearline.agreement.proof.logic import Terms
from tearline.agreement.proof.universe import Case, Universe
from tearline.agreement.tables import Tables, columns
from tests import agreements as made
from tests.judged import row

LONG = os.environ.get("TEARLINE_LONG") == "1"
DAY = date(2026, 1, 1)

Answers = dict[tuple[Case, Action], bool]


def asked(world: made.World) -> list[Case]:
    """Every fact at every instant, for every partner."""
    facts_at = itertools.product(world.facts, world.instants)
    return [Case(facts, *partner, now) for facts, now in facts_at for partner in world.members.items()]


def by_cedar(world: made.World) -> Answers:
    rules = Agreements(made.OWN, world.agreements)
    answers: Answers = {}
    for facts, now, action in itertools.product(world.facts, world.instants, Action):
        permitted = made.permitted(rules, facts, world.members, action, now)
        for party, coalitions in world.members.items():
            answers[Case(facts, party, coalitions, now), action] = party in permitted
    return answers


def by_tables(world: made.World) -> Answers:
    partners = tuple(world.members)
    pairs = list(itertools.product(world.facts, world.instants))
    tables = Tables(made.OWN, [world.agreements], partners, [(DAY, world.members)])
    judged = tables.judge(columns([row(facts, now, DAY) for facts, now in pairs]))[0]
    return {
        (Case(facts, party, world.members[party], now), action): bool(
            int(judged[of_action, bit // 64, number]) >> bit % 64 & 1
        )
        for number, (facts, now) in enumerate(pairs)
        for bit, party in enumerate(partners)
        for of_action, action in enumerate(Action)
    }


def by_terms(world: made.World) -> Answers:
    held = [each for each in world.agreements if made.OWN in each.parties]
    encoder = Encoder(Universe(made.OWN, held, min(world.instants), Terms()))
    permitted = {action: encoder.rules(world.agreements, action).permitted for action in Action}
    cases = asked(world)
    truth = encoder.terms.truth([encoder.universe.point(case) for case in cases])
    return {
        (case, action): bool(truth[permitted[action]] >> bit & 1)
        for bit, case in enumerate(cases)
        for action in Action
    }


def worlds() -> Iterator[made.World]:
    draw = random.Random(None if LONG else 20261123)
    while True:
        yield made.world(draw, facts=12, instants=5)


def test_they_agree_on_three_hundred_agreements_and_fifty_thousand_decisions() -> None:
    decisions, permitted = (1_000_000, 100_000) if LONG else (50_000, 5_000)
    agreements, seen = 0, Counter[bool]()
    for world in worlds():
        cedar = by_cedar(world)
        assert by_tables(world) == cedar
        assert by_terms(world) == cedar
        agreements += len(world.agreements)
        seen.update(cedar.values())
        if seen.total() >= decisions and agreements >= 300:
            break
    assert seen[True] >= permitted

"""Tables judge as the gate's engine does: random agreements, exhaustive small universes, many partners.

With TEARLINE_LONG=1 a million decisions of new random agreements.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from tearline.agreement import Agreement, Facts, load
from tearline.agreement.tables import judge
from tearline.terms import Category, Discipline, Level, Reach, Region, Topic, Use
from tests import agreements as made
from tests.judged import compare, compare_rows, row, worlds

LONG = os.environ.get("TEARLINE_LONG") == "1"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=made.random_worlds)
def test_tables_and_engine_agree(world: made.World) -> None:
    compare(world)


def test_they_agree_on_three_hundred_agreements_and_fifty_thousand_decisions() -> None:
    decisions, permitted = (1_000_000, 100_000) if LONG else (50_000, 5_000)
    draw = random.Random(None if LONG else 20261123)
    agreements, seen = 0, Counter[bool]()
    while seen.total() < decisions or agreements < 300:
        world = made.world(draw, facts=12, instants=5)
        agreements += len(world.agreements)
        seen += compare(world)
    assert agreements >= 300
    assert seen.total() >= decisions
    assert seen[True] >= permitted


@pytest.mark.parametrize("count", [1, 2, 32, 33, 63, 64, 65, 128, 200])
def test_any_number_of_partners(count: int) -> None:
    seen = sum((compare(world) for world in worlds(count, 3, partners=count)), Counter[bool]())
    assert seen[True] > 0


def test_no_partners_at_all() -> None:
    (world,) = worlds(1, 1)
    assert compare_rows(world.agreements, [row(world.facts[0], NOON, NOON.date())], [], []).total() == 0


def test_rows_are_evaluated_one_by_one_where_there_are_too_many_kinds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judge, "MOST_KINDS", 0)
    assert sum((compare(world) for world in worlds(2, 15)), Counter[bool]())[True] > 40


def test_pieces_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1, 5, 7):
        monkeypatch.setattr(judge, "CHUNK", size)
        assert sum((compare(world) for world in worlds(3, 5)), Counter[bool]())[True] > 5


# --- Small universes, exhaustively ----------------------------------------------------------------

MANIFEST = """\
id = "small"
title = "Small"
parties = ["GBR", "SWE", "USA"]
coalitions = ["FVEY"]
valid_from = 2026-01-01
valid_until = 2026-11-02
[levels.USA]
UNCLASSIFIED = "UNCLASSIFIED"
CONFIDENTIAL = "SECRET"
SECRET = "SECRET"
[levels.UKR]
SECRET = "SECRET"
"""
UNIVERSES = {
    "levels": "resource.level <= 2 || resource.level == 3 && !(resource.use >= 2)",
    "ranks": "!(resource.reach < 2) || resource.level != 0 && resource.reach > 3",
    "sets": 'resource.topics.containsAll([Topic::"air", Topic::"land"]) || resource.regions.isEmpty()',
    "any": '!(resource.topics.containsAny([Topic::"air", Topic::"energy"]) && resource.topics.isEmpty())',
    "names": '[Party::"GBR", Party::"USA"].contains(resource.originator) && principal != Partner::"GBR"',
    "who": 'principal in Coalition::"FVEY" || resource.category != Category::"cyber"',
    "time": """context.now <= datetime("2026-11-01T12:00:00Z")
        || context.now > datetime("2026-11-01T12:00:01Z")""",
}


def universe() -> list[Facts]:
    """Every combination of a few values of each attribute."""
    levels = [(), *(((policy, level),) for policy in ("USA", "UKR") for level in Level)]
    levels.append((("FRA", Level.UNCLASSIFIED), ("USA", Level.UNCLASSIFIED)))
    topics = [frozenset(some) for size in range(3) for some in itertools.combinations(made.TOPICS[:3], size)]
    found = [("USA", Category.CYBER, level, frozenset[Topic](), Reach.CLEAR, Use.RED) for level in levels]
    found += [
        (originator, category, (), some, reach, Use.CLEAR)
        for originator in ("USA", "GBR", "FRA")
        for category in Category
        for some in topics
        for reach in Reach
    ]
    return [
        Facts(
            originator=originator,
            category=category,
            level=level,
            topics=some,
            regions=frozenset({Region.GLOBAL} if reach % 2 else ()),
            disciplines=frozenset({Discipline.OSINT}),
            reach=reach,
            use=use,
        )
        for originator, category, level, some, reach, use in found
    ]


@pytest.mark.parametrize("name", UNIVERSES)
def test_small_universe(name: str) -> None:
    instants = [NOON + timedelta(milliseconds=step) for step in (-1, 0, 1, 999, 1000, 1001)]
    instants += [
        datetime(2026, 11, 2, tzinfo=UTC) - timedelta(microseconds=1),
        datetime(2026, 11, 2, tzinfo=UTC),
    ]
    items = [row(facts, NOON, NOON.date()) for facts in universe()]
    items += [row(facts, now, now.date()) for facts in universe()[:1] for now in instants]
    members = {"GBR": frozenset({"FVEY"}), "SWE": frozenset[str](), "FRA": frozenset({"FVEY"})}
    epochs = [(date(2020, 1, 1), members)]
    for permit, forbid in ((UNIVERSES[name], ""), ("", UNIVERSES[name])):
        seen = compare_rows([small(permit, forbid)], items, tuple(members), epochs)
        assert seen[True] > 0, "nothing is permitted"
        assert seen[False] > len(items), "nothing is withheld from those who share the agreement"


def small(permit: str, forbid: str) -> Agreement:
    when = f"when {{ {permit} }}" if permit else ""
    clauses = f'@id("p") @reason("r") permit (principal, action in Action::"share", resource) {when};'
    if forbid:
        clauses += '@id("f") @reason("r") forbid (principal, action == Action::"release", resource)'
        clauses += f" when {{ {forbid} }};"
    return load(MANIFEST, clauses, "small")

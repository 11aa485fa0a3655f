"""The encoder says what `Agreements.rule` says: at random points, to both solvers, in whole small worlds.

Set TEARLINE_LONG=1 for many more.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import NamedTuple

import pytest

from tearline.agreement import Action, Agreement, Agreements, Facts, Verdict, load
from tearline.agreement.evaluate import Ruling
from tearline.agreement.proof import Proof, Status, prove
from tearline.agreement.proof.encode import Encoder
from tearline.agreement.proof.logic import Point, Terms
from tearline.agreement.proof.revision import SOLVERS
from tearline.agreement.proof.solvers import Solver
from tearline.agreement.proof.universe import Case, Universe
from tearline.terms import Category, Discipline, Level, Reach, Region, Topic, Use
from tests import agreements as generated
from tests.agreements import OWN

MORE = 40 if os.environ.get("TEARLINE_LONG") else 1


def ruled_cases(
    world: generated.World, agreements: Sequence[Agreement]
) -> Iterator[tuple[Case, Action, bool]]:
    """Everything in a world, the node itself as a partner too, and whether Cedar permits it."""
    compiled = Agreements(OWN, agreements)
    members = {**world.members, OWN: frozenset({"NATO"})}
    for facts, now, action in product(world.facts, world.instants, Action):
        for party, ruling in compiled.rule(facts, members, action, now).items():
            yield Case(facts, party, members[party], now), action, ruling.verdict is Verdict.PERMIT


def permits(compiled: Agreements, case: Case, action: Action) -> bool:
    told = compiled.rule(case.facts, {case.partner: case.coalitions}, action, case.now)
    return told[case.partner].verdict is Verdict.PERMIT


def encoded(agreements: tuple[Agreement, ...], since: datetime) -> Encoder:
    return Encoder(Universe(OWN, [each for each in agreements if OWN in each.parties], since, Terms()))


@pytest.mark.parametrize("seed", range(40 * MORE))
def test_at_every_point_the_terms_say_what_cedar_says(seed: int) -> None:
    world = generated.world(random.Random(seed), facts=10)
    encoder = encoded(world.agreements, min(world.instants))
    permitted = {action: encoder.rules(world.agreements, action).permitted for action in Action}
    asked = list(ruled_cases(world, world.agreements))
    truth = encoder.terms.truth([encoder.universe.point(case) for case, _, _ in asked])
    for bit, (case, action, said) in enumerate(asked):
        assert bool(truth[permitted[action]] >> bit & 1) is said, (case, action)


@pytest.mark.parametrize("kind", SOLVERS)
@pytest.mark.parametrize("seed", range(3 * MORE))
def test_a_solver_held_to_one_point_says_what_cedar_says(kind: type[Solver], seed: int) -> None:
    draw = random.Random(seed)
    world = generated.world(draw, facts=8)
    encoder = encoded(world.agreements, min(world.instants))
    permitted = {action: encoder.rules(world.agreements, action).permitted for action in Action}
    solver, terms = kind(encoder.terms, 10.0), encoder.terms
    for case, action, said in draw.sample(list(ruled_cases(world, world.agreements)), 30):
        point = encoder.universe.point(case)
        here = terms.every(
            terms.among(variable, [value]) for variable, value in zip(terms.variables, point, strict=True)
        )
        assert solver.find([here, permitted[action]]) == (point if said else None)


@pytest.mark.parametrize("seed", range(10 * MORE))
def test_a_point_is_read_as_it_was_written(seed: int) -> None:
    draw = random.Random(seed)
    world = generated.world(draw)
    universe = encoded(world.agreements, min(world.instants)).universe
    for _ in range(20):
        point: Point = tuple(draw.randrange(variable.size) for variable in universe.terms.variables)
        assert universe.point(universe.case(point)) == point


# --- Whole small worlds ----------------------------------------------------------------------------

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2027, 6, 30, tzinfo=UTC)
TOPICS = (Topic.AIR, Topic.THREAT_TO_LIFE)
LEVELS = [(), *(((OWN, level),) for level in Level), (("NOR", Level.UNCLASSIFIED),)]
PARTNERS = ("AUS", "GBR", "FIN", OWN)
TESTS = (
    'resource.category == Category::"report"',
    'resource.topics.contains(Topic::"air")',
    'resource.topics.containsAny([Topic::"air", Topic::"threat-to-life"])',
    'resource.topics.containsAll([Topic::"air", Topic::"threat-to-life"])',
    'resource.disciplines.contains(Discipline::"humint")',
    "resource.level <= 2",
    "resource.level == 3",
    "resource.level > 1",
    'principal == Partner::"GBR"',
    'principal in Coalition::"NATO"',
    'context.now < datetime("2027-06-30")',
    'context.now >= datetime("2027-06-30")',
)
ROWS = ("UNCLASSIFIED CONFIDENTIAL SECRET", "UNCLASSIFIED SECRET", "CONFIDENTIAL SECRET TOP_SECRET")


def everything() -> Iterator[tuple[Facts, frozenset[str], datetime]]:
    """One case of each kind that the tests above tell apart, but for the partner."""
    for category, level, names, now in product(
        (Category.REPORT, Category.CYBER), LEVELS, (frozenset[str](), frozenset({"NATO"})), (SINCE, LATER)
    ):
        for air, threat, person in product((False, True), repeat=3):
            facts = Facts(
                originator=OWN,
                category=category,
                level=level,
                topics=frozenset(word for word, there in zip(TOPICS, (air, threat), strict=True) if there),
                regions=frozenset({Region.GLOBAL}),
                disciplines=frozenset({Discipline.HUMINT if person else Discipline.OSINT}),
                reach=Reach.CLEAR,
                use=Use.CLEAR,
            )
            yield facts, names, now


EVERYTHING = list(everything())


class Ruled(NamedTuple):
    """A ruling in a whole world."""

    facts: Facts
    partner: str
    action: Action
    ruling: Ruling

    @property
    def goes(self) -> bool:
        return self.ruling.verdict is Verdict.PERMIT


def ruled(agreements: list[Agreement]) -> list[Ruled]:
    compiled = Agreements(OWN, agreements)
    return [
        Ruled(facts, partner, action, ruling)
        for facts, names, now in EVERYTHING
        for action in Action
        for partner, ruling in compiled.rule(facts, dict.fromkeys(PARTNERS, names), action, now).items()
    ]


def small(draw: random.Random, name: str) -> Agreement:
    def clause(number: int) -> str:
        effect = draw.choice(["permit", "permit", "permit", "forbid"])
        tests = [draw.choice(["", "!"]) + f"({draw.choice(TESTS)})" for _ in range(draw.randint(1, 3))]
        action = draw.choice(['== Action::"release"', '== Action::"releaseTearline"', 'in Action::"share"'])
        head = f'@id("c{number}") @reason("Drawn.") {effect} (principal, action {action}, resource)'
        return f"{head} when {{ {draw.choice([' && ', ' || ']).join(tests)} }};"

    rows = "".join(f'{rank} = "{rank}"\n' for rank in draw.choice(ROWS).split())
    parties = draw.choice(['"AUS", "GBR", "USA"', '"GBR", "USA"'])
    end = draw.choice(["2027-06-30", "2040-01-01"])
    manifest = (
        f'id = "{name}"\ntitle = "Drawn"\nparties = [{parties}]\ncoalitions = ["NATO"]\nothers = ["FIN"]\n'
        f"valid_from = 2020-01-01\nvalid_until = {end}\n[levels.USA]\n{rows}"
    )
    return load(manifest, "\n".join(clause(number) for number in range(draw.randint(1, 4))), name)


def status(proof: Proof, question: str) -> dict[str, Status]:
    return {each.about: each.status for each in proof.answers if each.question == question}


def says(some: bool) -> Status:
    return Status.COUNTEREXAMPLE if some else Status.PROVED


@pytest.mark.parametrize("seed", range(4 * MORE))
def test_in_a_whole_world_every_answer_is_right(seed: int) -> None:
    draw = random.Random(seed)
    other, old, new = small(draw, "other"), small(draw, "deal"), small(draw, "deal")
    proof = prove(OWN, [other, old], new, since=SINCE)
    before, after, alone = ruled([other, old]), ruled([other, new]), ruled([new])
    changed = {
        (will.action, will.goes)
        for was, will in zip(before, after, strict=True)
        if was.goes is not will.goes and will.partner != OWN
    }
    assert status(proof, "releases-more") == {each: says((each, True) in changed) for each in Action}
    assert status(proof, "withholds-more") == {each: says((each, False) in changed) for each in Action}
    broken = any(
        Discipline.HUMINT in each.facts.disciplines and Topic.THREAT_TO_LIFE not in each.facts.topics
        for each in alone
        if each.goes and each.action is Action.RELEASE and each.partner != OWN
    )
    assert status(proof, "charter") == {f"C{n}": says(broken and n == 5) for n in range(1, 6)}
    names = {f"deal/{clause.id}" for clause in new.parsed}
    alive = {name for each in after for name in each.ruling.clauses} & names
    sole = {name for each in after for name in each.ruling.clauses if len(each.ruling.clauses) == 1} & names
    assert set(status(proof, "dead")) == names - alive
    assert set(status(proof, "shadowed")) == alive - sole


@pytest.mark.parametrize("seed", range(10 * MORE))
def test_no_random_case_contradicts_what_is_proved(seed: int) -> None:
    draw = random.Random(seed)
    worlds = [generated.world(draw, agreements=2, facts=6) for _ in range(2)]
    present = [each for each in worlds[0].agreements if OWN in each.parties]
    new = next((each for each in worlds[1].agreements if OWN in each.parties), None)
    if new is None:
        return
    since = min(worlds[0].instants)
    proof = prove(OWN, present, new, since=since, members=worlds[0].members)
    assert not proof.unknown
    after = [*(each for each in present if each.id != new.id), new]
    more, less = status(proof, "releases-more"), status(proof, "withholds-more")
    for world in worlds:
        both = zip(ruled_cases(world, present), ruled_cases(world, after), strict=True)
        for (case, action, was), (_, _, will) in both:
            if case.partner != OWN and case.now >= since:
                assert not (will and not was and more[action] is Status.PROVED), case
                assert not (was and not will and less[action] is Status.PROVED), case
    old, revised = Agreements(OWN, present), Agreements(OWN, after)
    for example, question in ((each.example, each.question) for each in proof.answers):
        if example and question != "charter":
            shown = Case(example.facts, example.partner, example.coalitions, example.at)
            changes = permits(old, shown, example.action), permits(revised, shown, example.action)
            assert changes == ((False, True) if question == "releases-more" else (True, False))

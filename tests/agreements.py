"""Random agreements, facts, partners and instants: all that the profile allows, for differential tests.

Each function draws from a `random.Random`, so that one generator serves both ways: seeded, for long runs
(`world(random.Random(7))`), and through Hypothesis, which shrinks what fails (`random_worlds`). Names are
few and instants lie around the moments at which something changes, so that things meet.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from tearline.agreement import NOT_MEDIA, Action, Agreement, Agreements, Detail, Facts, Verdict, load
from tearline.agreement.profile import moments
from tearline.terms import Category, Discipline, Level, Party, Policy, Reach, Region, Topic, Use

OWN = "USA"
PARTNERS: tuple[Party, ...] = ("AUS", "FIN", "GBR", "SWE", "UKR")
COALITIONS = ("EU", "FVEY", "NATO")
POLICIES: tuple[Policy, ...] = ("JOINT", "UKR", "USA")
TOPICS = (Topic.AIR, Topic.LAND, Topic.MALWARE, Topic.PROLIFERATION)
REGIONS = (Region.EASTERN_EUROPE, Region.GLOBAL, Region.WESTERN_ASIA)
MOMENTS = ("2026-03-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:01Z", "2027-06-30")
DAYS = (date(2020, 1, 1), date(2026, 3, 1), date(2026, 11, 1), date(2026, 11, 2), date(2040, 1, 1))
ORDER, EQUAL = ("<", "<=", ">", ">="), ("==", "!=")
SETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "topics": ("Topic", TOPICS),
    "regions": ("Region", REGIONS),
    "disciplines": ("Discipline", tuple(Discipline)),
}
ACTIONS = (
    'action == Action::"release"',
    'action == Action::"releaseTearline"',
    'action in Action::"share"',
    'action in Action::"release"',
    'action in [Action::"release", Action::"releaseTearline"]',
)
MANIFEST = """\
id = "{id}"
title = "Agreement {id}"
parties = [{parties}]
coalitions = [{coalitions}]
others = [{others}]
valid_from = {first}
valid_until = {end}
[levels]
{levels}
"""

Members = dict[Party, frozenset[str]]


@dataclass(frozen=True)
class World:
    """Agreements of one node, and what to ask them about."""

    agreements: tuple[Agreement, ...]
    facts: tuple[Facts, ...]
    members: Members
    """Partners, each with its coalitions."""
    instants: tuple[datetime, ...]
    epochs: tuple[tuple[date, Members], ...]
    """From which day on partners are in which coalitions: first `members`, then others."""

    def members_on(self, day: date) -> Members:
        return next((members for first, members in reversed(self.epochs) if first <= day), {})


def partners(count: int) -> tuple[Party, ...]:
    """As many parties' codes, of which the first are well known."""
    return (*PARTNERS, *(f"P{number:03}" for number in range(count)))[:count]


def world(
    draw: random.Random, *, agreements: int = 3, facts: int = 6, instants: int = 3, count: int = 5
) -> World:
    """Up to `agreements` agreements with some of `count` partners; so many facts and instants."""
    known = partners(count)
    made = tuple(agreement(draw, f"deal-{number}", known) for number in range(draw.randint(1, agreements)))
    first, then = members(draw, known), members(draw, known)
    return World(
        agreements=made,
        facts=tuple(some_facts(draw) for _ in range(facts)),
        members=first,
        instants=tuple(instant(draw, made) for _ in range(instants)),
        epochs=((DAYS[0], first), (DAYS[2], then)),
    )


def permitted(rules: Agreements, facts: Facts, members: Members, action: Action, now: datetime) -> set[Party]:
    """To whom the action is permitted: what the gate's engine says, by which all others are held."""
    rulings = rules.rule(facts, members, action, now)
    return {party for party, ruling in rulings.items() if ruling.verdict is Verdict.PERMIT}


def agreement(draw: random.Random, name: str, known: Sequence[Party] = PARTNERS) -> Agreement:
    """One that keeps to the profile; mostly with the node and most of the partners, and mostly in force."""
    few = draw.sample(known, draw.choice([1, (len(known) + 1) // 2, *[len(known)] * 4]))
    parties = {OWN, *few} if draw.random() < 0.9 else {*few, "ISL", "NOR"}
    first, end = (DAYS[0], DAYS[-1]) if draw.random() < 0.8 else sorted(draw.sample(DAYS, 2))
    clauses = "\n".join(clause(draw, f"c{number}", known) for number in range(draw.randint(1, 5)))
    manifest = MANIFEST.format(
        id=name,
        parties=_quoted(parties),
        coalitions=_quoted(COALITIONS),
        others=_quoted({OWN, *known} - parties),
        first=first,
        end=end,
        levels="\n".join(_levels(draw)),
    )
    return load(manifest, clauses, name)


def clause(draw: random.Random, name: str, known: Sequence[Party] = PARTNERS) -> str:
    """A permit or forbid; forbids are rarer and narrower, or nothing would ever go."""
    forbid = draw.random() < 0.25
    who = draw.choice(
        ["principal", f"principal == {_partner(draw, known)}", f"principal in {_coalition(draw)}"]
    )
    head = f"{'forbid' if forbid else 'permit'} ({who}, {draw.choice(ACTIONS)}, resource)"
    count = draw.randint(1 + forbid, 2 + forbid) if draw.random() < 0.8 or forbid else 0
    words = [
        f"{'unless' if draw.random() < 0.3 else 'when'} {{ {condition(draw, known)} }}" for _ in range(count)
    ]
    return f'@id("{name}") @reason("Drawn.")\n{head}\n' + "\n".join(words) + ";"


def condition(draw: random.Random, known: Sequence[Party] = PARTNERS, depth: int = 3) -> str:
    """Tests joined by `&&`, `||` and `!`, nested."""
    kind = draw.random()
    if depth == 0 or kind < 0.5:
        return a_test(draw, known)
    if kind < 0.6:
        return f"!({condition(draw, known, depth - 1)})"
    sign = draw.choice(["&&", "||"])
    return f"({condition(draw, known, depth - 1)} {sign} {condition(draw, known, depth - 1)})"


def a_test(draw: random.Random, known: Sequence[Party] = PARTNERS) -> str:
    """One test, of every kind that the profile has."""
    kind = draw.randrange(9)
    if kind <= 1:
        name = draw.choice(["level", "level", "reach", "use", draw.choice(Detail._fields)])
        return f"resource.{name} {draw.choice(ORDER + EQUAL)} {draw.randint(0, 4)}"
    if kind == 2:
        if draw.random() < 0.5:
            return f"resource.category {draw.choice(EQUAL)} {_name('Category', draw.choice(list(Category)))}"
        return f"resource.originator {draw.choice(EQUAL)} {_name('Party', draw.choice([OWN, *known]))}"
    if kind == 3:
        if draw.random() < 0.5:
            return f"{_some(draw, 'Category', list(Category))}.contains(resource.category)"
        return f"{_some(draw, 'Party', [OWN, *known])}.contains(resource.originator)"
    if kind <= 5:
        name = draw.choice(list(SETS))
        sort, values = SETS[name]
        return draw.choice(
            [
                f"resource.{name}.contains({_name(sort, draw.choice(values))})",
                f"resource.{name}.containsAny({_some(draw, sort, values)})",
                f"resource.{name}.containsAll({_some(draw, sort, values)})",
                f"resource.{name}.isEmpty()",
            ]
        )
    if kind == 6:
        return f"principal in {_coalition(draw)}"
    if kind == 7:
        return f"principal {draw.choice(EQUAL)} {_partner(draw, known)}"
    return f'context.now {draw.choice(ORDER)} datetime("{draw.choice(MOMENTS)}")'


def some_facts(draw: random.Random) -> Facts:
    """Facts with none, one or several policies' levels, and sets that may be empty."""
    policies = sorted(draw.sample(POLICIES, draw.choice([0, 1, 1, 1, 2])))
    return Facts(
        originator=draw.choice([OWN, OWN, OWN, *PARTNERS]),
        category=draw.choice(list(Category)),
        level=tuple((policy, draw.choice(list(Level))) for policy in policies),
        topics=frozenset(draw.sample(TOPICS, draw.choice([0, 1, 1, 2, 3]))),
        regions=frozenset(draw.sample(REGIONS, draw.choice([0, 1, 1, 2]))),
        disciplines=frozenset(draw.sample(list(Discipline), draw.choice([0, 1, 1, 2]))),
        reach=draw.choice(list(Reach)),
        use=draw.choice(list(Use)),
        detail=draw.choice([NOT_MEDIA, Detail(*(draw.randrange(5) for _ in Detail._fields))]),
    )


def members(draw: random.Random, known: Sequence[Party] = PARTNERS) -> Members:
    """Partners, the last of many a stranger, each with coalitions: some that clauses name, and another."""
    choices = (*COALITIONS, "ASEAN")
    asked = (*known[:-1], "ZAF") if len(known) > 2 else known
    return {party: frozenset(draw.sample(choices, draw.choice([0, 1, 1, 2]))) for party in asked}


def instant(draw: random.Random, made: Sequence[Agreement]) -> datetime:
    """Mostly at, just before or just after a moment at which something changes."""
    named = sorted({moment for each in made for one in each.parsed for moment in moments(one.tree)})
    bounds = sorted({bound for each in made for bound in each.bounds})
    steps = (
        timedelta(),
        timedelta(microseconds=-1),
        timedelta(microseconds=999),
        timedelta(milliseconds=1),
        timedelta(days=40),
    )
    return draw.choice(named if named and draw.random() < 0.9 else bounds) + draw.choice(steps)


def _levels(draw: random.Random) -> list[str]:
    """One of a few tables, so that agreements have some in common: all rows, raised ones, gaps, no policy."""
    rows: list[dict[Level, Level]] = [
        {level: level for level in Level},
        {level: level for level in Level if level is not Level.TOP_SECRET},
        {level: max(level, Level.CONFIDENTIAL) for level in Level if level <= Level.SECRET},
        {Level.UNCLASSIFIED: Level.UNCLASSIFIED, Level.SECRET: Level.TOP_SECRET},
    ]
    policies = draw.choice([POLICIES, POLICIES, ("USA",), ("JOINT", "USA")])
    same = draw.choice(rows)
    tables = [(policy, same if draw.random() < 0.7 else draw.choice(rows)) for policy in policies]
    return [
        f"{policy}.{old.name} = {_quoted([new.name])}"
        for policy, table in tables
        for old, new in table.items()
    ]


def _quoted(names: set[str] | Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names))


def _name(kind: str, name: str) -> str:
    return f'{kind}::"{name}"'


def _some(draw: random.Random, kind: str, names: Sequence[str]) -> str:
    chosen = draw.sample(names, draw.randint(1, min(3, len(names))))
    return f"[{', '.join(_name(kind, name) for name in chosen)}]"


def _partner(draw: random.Random, known: Sequence[Party]) -> str:
    return _name("Partner", draw.choice(known))


def _coalition(draw: random.Random) -> str:
    return _name("Coalition", draw.choice(COALITIONS))


# --- For Hypothesis ------------------------------------------------------------------------------

randoms = st.randoms(use_true_random=False)
random_worlds = randoms.map(world)
random_agreements = randoms.map(lambda draw: agreement(draw, "drawn"))
random_facts = randoms.map(some_facts)

"""Partners, products and agreements for Hypothesis; agreements as data, rendered to a manifest and clauses.

Vocabularies are kept small, so that things meet: seven parties, three topics, two levels' policies.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from tearline.agreement import Agreement, Agreements, load
from tearline.terms import (
    Category,
    Discipline,
    Label,
    Level,
    MediaForm,
    Partner,
    Portion,
    Product,
    Quarantine,
    Reach,
    Region,
    Role,
    Topic,
    Use,
)

OWN = "USA"
PARTIES = ("AUS", "FIN", "GBR", "SWE", "UKR", "USA")
COALITIONS = ("NATO", "FVEY")
POLICIES = ("JOINT", "UKR", "USA")
TOPICS = (Topic.AIR, Topic.LAND, Topic.MALWARE)
REGIONS = (Region.GLOBAL, Region.EASTERN_EUROPE)
DISCIPLINES = (Discipline.HUMINT, Discipline.OSINT)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SIGNS = ("<", "<=", ">", ">=")

Test = tuple[Any, ...]


@dataclass(frozen=True)
class Clause:
    effect: str
    who: tuple[Test, ...]
    """None for anybody, or one test: a partner or a coalition."""
    actions: tuple[str, ...]
    when: tuple[Test, ...] = ()
    unless: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Deal:
    id: str
    parties: frozenset[str]
    levels: dict[str, dict[Level, Level]]
    clauses: tuple[Clause, ...]
    first: date = date(2020, 1, 1)
    end: date = date(2030, 1, 1)
    forms: tuple[MediaForm, ...] = ()


# --- Strategies ----------------------------------------------------------------------------------

parties = st.sampled_from(PARTIES)
ROWS = [
    (),
    (("USA", Level.UNCLASSIFIED),),
    (("USA", Level.CONFIDENTIAL),),
    (("USA", Level.SECRET),),
    (("UKR", Level.SECRET),),
    (("JOINT", Level.CONFIDENTIAL), ("USA", Level.SECRET)),
]
OPEN = [
    Label(level=rows, reach=reach, owners=frozenset({OWN}))
    for rows in ROWS
    for reach in (Reach.CLEAR, Reach.GREEN)
]
SOME, MORE = frozenset({"AUS", "SWE", "USA"}), frozenset({"AUS", "GBR", "SWE", "UKR", "USA"})
AXES: list[dict[str, Any]] = [
    {"release": frozenset({"USA"}), "display": frozenset({"USA"})},
    {"release": SOME, "display": SOME},
    {"release": SOME, "display": MORE},
    {"release": MORE, "display": MORE},
    {"need": frozenset({"SI"})},
    {"reach": Reach.AMBER},
    {"use": Use.AMBER},
    {"owners": frozenset({"AUS", "USA"})},
    {"consent": frozenset({"UKR"})},
    {"consent": frozenset({OWN})},
    {"duties": frozenset({"FOUO"})},
]
CLOSED = [msgspec.structs.replace(label, **axis) for label in OPEN for axis in AXES]
UNREAD = Quarantine(scheme="capco", mark="XX", reason="unknown")
TITLE, BODY, SOURCE = Role.TITLE, Role.BODY, Role.SOURCE
ROLES = [(), (TITLE, BODY, SOURCE), (BODY, BODY, SOURCE), (BODY, BODY), (TITLE, BODY, BODY), (TITLE, SOURCE)]


def product(draw: random.Random) -> Product:
    """The node's own, mostly; with portions, mostly."""

    usual = draw.choice(OPEN)

    def mark() -> Label | Quarantine:
        if draw.random() < 0.5:
            return usual
        return draw.choice(draw.choices([OPEN, CLOSED, [UNREAD]], [20, 12, 1])[0])

    portions = tuple(
        Portion(text=f"{number}", role=role, marking=None, label=mark())
        for number, role in enumerate(draw.choice(ROLES))
    )
    return Product(
        id="report--1",
        version="2026-10-01T00:00:00.000Z",
        originator=draw.choice([OWN] * 8 + ["AUS", "UKR"]),
        category=draw.choice([Category.REPORT, Category.CYBER]),
        title="Title",
        created=draw.choice([datetime(2026, 10, 1, tzinfo=UTC), datetime(2021, 5, 4, tzinfo=UTC)]),
        topics=frozenset(draw.sample(TOPICS, draw.randint(0, 3))),
        regions=frozenset(draw.sample(REGIONS, draw.randint(0, 2))),
        disciplines=frozenset(draw.sample(DISCIPLINES, draw.randint(1, 2))),
        marking=None,
        label=mark(),
        portions=portions,
        content=b"Text",
    )


# Drawn once: picking one of many is a single draw for Hypothesis, making one would be twenty.
_DRAW = random.Random(20261101)
PRODUCTS = [product(_DRAW) for _ in range(1000)]
products = st.sampled_from(PRODUCTS)


def partner(party: str, *, cleared: bool = True, trusted: bool = True) -> Partner:
    ranks = Level.SECRET if cleared else Level.UNCLASSIFIED
    return Partner(
        party=party,
        name=party,
        tls_key="",
        signing_key="",
        url="",
        clearance=tuple((policy, ranks) for policy in (POLICIES if trusted else POLICIES[1:])),
        needs=frozenset({"SI"} if trusted else ()),
        reach=Reach.AMBER if trusted else Reach.GREEN,
        use=Use.RED if trusted else Use.GREEN,
        duties=frozenset({"FOUO"} if trusted else ()),
    )


def partners(draw: random.Random) -> tuple[Partner, ...]:
    mostly = [True, True, True, False]
    return tuple(
        partner(party, cleared=draw.choice(mostly), trusted=draw.choice(mostly)) for party in PARTIES
    )


partner_lists = st.sampled_from([partners(_DRAW) for _ in range(100)])
consents = st.dictionaries(parties, st.sampled_from([SOME, frozenset({"UKR"})]), max_size=3)
AFTER = NOW + timedelta(milliseconds=1)
instant_pairs = st.sampled_from(
    [
        (NOW, AFTER),
        (AFTER, NOW + timedelta(microseconds=999)),
        (NOW - timedelta(microseconds=1), AFTER),
        (NOW, NOW - timedelta(microseconds=1)),
        (datetime(2029, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)),
    ]
)

whom = st.tuples(st.just("partner"), parties) | st.tuples(st.just("coalition"), st.sampled_from(COALITIONS))
tests = st.recursive(
    st.one_of(
        st.tuples(
            st.just("compare"),
            st.just("level"),
            st.sampled_from([*SIGNS, "<=", "<=", "==", "!="]),
            st.sampled_from([0, 2, 3, 3]),
        ),
        st.tuples(
            st.just("compare"), st.sampled_from(["reach", "use"]), st.sampled_from(SIGNS), st.integers(0, 4)
        ),
        st.tuples(
            st.just("compare"), st.just("category"), st.sampled_from(["==", "!="]), st.sampled_from(Category)
        ),
        st.tuples(st.just("compare"), st.just("originator"), st.sampled_from(["==", "!="]), parties),
        st.tuples(
            st.just("one of"), st.just("originator"), st.lists(parties, min_size=1, max_size=3).map(tuple)
        ),
        st.tuples(
            st.sampled_from(["any of", "all of"]),
            st.just("topics"),
            st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2).map(tuple),
        ),
        st.tuples(
            st.just("any of"), st.just("disciplines"), st.sampled_from(DISCIPLINES).map(lambda one: (one,))
        ),
        st.tuples(st.just("empty"), st.sampled_from(["topics", "regions"])),
        whom,
        whom,
        st.tuples(st.just("now"), st.sampled_from(SIGNS), st.just(NOW)),
        st.tuples(st.just("now"), st.sampled_from(SIGNS), st.just(NOW)),
    ),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner), st.tuples(st.sampled_from(["both", "either"]), inner, inner)
    ),
    max_leaves=3,
)

ACTIONS = [("release",), ("releaseTearline",), ("release", "releaseTearline")]


BROAD = [
    Clause("permit", who, actions, when)
    for when in [(), (("compare", "level", "<=", 3),)]
    for who in [(), (("coalition", "NATO"),)]
    for actions in [("release",), ("releaseTearline",), ("release", "releaseTearline")]
]

BROAD += [
    Clause("permit", (("partner", "SWE"),), ("release", "releaseTearline")),
    Clause("permit", (("partner", "UKR"),), ("releaseTearline",)),
    Clause("permit", (), ("release", "releaseTearline"), (("now", "<=", NOW),)),
    Clause("forbid", (), ("release",), (("compare", "level", ">", 3),)),
    Clause("forbid", (), ("release", "releaseTearline"), (("any of", "topics", (Topic.MALWARE,)),)),
]


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    effect = draw(st.sampled_from(["permit", "permit", "forbid"]))
    # A forbid is narrow, or nothing would ever go.
    few = st.lists(tests, min_size=2 if effect == "forbid" else 0, max_size=2).map(tuple)
    return Clause(
        effect=effect,
        who=draw(st.just(()) | st.tuples(whom)),
        actions=draw(st.sampled_from([("release",), ("releaseTearline",), ("release", "releaseTearline")])),
        when=draw(few),
        unless=draw(st.just(()) | st.tuples(tests)),
    )


@st.composite
def tables(draw: st.DrawFn) -> dict[str, dict[Level, Level]]:
    same = {level: level for level in (Level.UNCLASSIFIED, Level.CONFIDENTIAL, Level.SECRET)}
    up = {**same, Level.CONFIDENTIAL: Level.SECRET}
    gap = {Level.UNCLASSIFIED: Level.UNCLASSIFIED, Level.SECRET: Level.SECRET}
    row = st.sampled_from([same, same, up, gap])
    named = draw(st.sampled_from([POLICIES, POLICIES, ("USA",), ("JOINT", "USA")]))
    return {policy: draw(row) for policy in named}


MEMBERS = [frozenset(PARTIES)] * 3 + [
    frozenset({OWN, "SWE"}),
    frozenset({OWN, "UKR"}),
    frozenset({OWN, "AUS", "GBR"}),
    frozenset({"AUS", "GBR"}),
]


@st.composite
def deals(draw: st.DrawFn) -> tuple[Deal, ...]:
    """Up to three agreements, mostly such as the node and some partner share."""
    made = []
    for number in range(draw(st.sampled_from([3, 2, 1]))):
        made.append(
            Deal(
                id=f"deal-{number}",
                parties=draw(st.sampled_from(MEMBERS)),
                levels=draw(tables()),
                clauses=tuple(draw(st.lists(st.sampled_from(BROAD) | clauses(), min_size=1, max_size=3))),
                end=draw(st.sampled_from([date(2030, 1, 1)] * 4 + [date(2026, 11, 1), date(2026, 11, 2)])),
            )
        )
    return tuple(made)


def _telling() -> list[tuple[Deal, ...]]:
    """Agreements in which the rules that random ones seldom meet decide, with products to match."""
    same = {level: level for level in Level}
    rows, fewer = dict.fromkeys(POLICIES, same), {"USA": same}
    everyone, both = frozenset(PARTIES), ("release", "releaseTearline")
    whole = Deal("whole", everyone, rows, (Clause("permit", (), both),))
    swedes = (("partner", "SWE"),)
    malware, high = (("any of", "topics", (Topic.MALWARE,)),), (("compare", "level", ">", 3),)
    return [
        (whole, Deal("others", frozenset({OWN, "SWE"}), rows, (Clause("forbid", (), both, malware),))),
        (whole, Deal("no-row", everyone, fewer, (Clause("forbid", (), both, high),))),
        (Deal("one", everyone, rows, (Clause("permit", (("partner", "SWE"),), both),)),),
        (Deal("time", everyone, rows, (Clause("permit", (), both, (("now", "<=", NOW),)),)),),
        (Deal("lines", everyone, rows, (Clause("permit", (), ("releaseTearline",)),)),),
        (Deal("new", everyone, rows, (Clause("permit", (("coalition", "NATO"),), both),)),),
        tuple(  # alike but for whom they are with; each speaks of SWE
            Deal(
                f"pair-{party.lower()}", frozenset({OWN, party}), rows, (Clause("permit", (), both, swedes),)
            )
            for party in ("SWE", "UKR")
        ),
    ]


TELLING = _telling()


# --- Rendering -----------------------------------------------------------------------------------


def manifest(deal: Deal) -> str:
    def listed(codes: Any) -> str:
        return "[" + ", ".join(f'"{code}"' for code in sorted(codes)) + "]"

    lines = [
        f'id = "{deal.id}"',
        f'title = "{deal.id}"',
        f"parties = {listed(deal.parties)}",
        f"others = {listed(PARTIES)}",
        f"coalitions = {listed(COALITIONS)}",
        f"valid_from = {deal.first}",
        f"valid_until = {deal.end}",
        "[levels]",
    ]
    for policy, rows in deal.levels.items():
        lines.append(f"[levels.{policy}]")
        lines += [f'{old.name} = "{new.name}"' for old, new in rows.items()]
    for form in deal.forms:
        fields = msgspec.to_builtins(form)
        lines += [f"[forms.{fields.pop('name')}]", f'kind = "{fields.pop("type")}"']
        for key, value in fields.items():
            if isinstance(value, dict):
                lines.append(f"{key} = {{ {', '.join(f'{name} = {at}' for name, at in value.items())} }}")
            elif value is not None and value != "":
                lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines)


def clause_text(number: int, clause: Clause) -> str:
    who = "".join(
        f' == Partner::"{code}"' if kind == "partner" else f' in Coalition::"{code}"'
        for kind, code in clause.who
    )
    one = f' == Action::"{clause.actions[0]}"'
    actions = one if len(clause.actions) == 1 else ' in Action::"share"'
    parts = [
        f'@id("c{number}") @reason("Example.")',
        f"{clause.effect} (principal{who}, action{actions}, resource)",
    ]
    parts += [f"when {{ {condition(test)} }}" for test in clause.when]
    parts += [f"unless {{ {condition(test)} }}" for test in clause.unless]
    return "\n".join(parts) + ";"


KINDS = {"category": "Category", "originator": "Party", "topics": "Topic", "disciplines": "Discipline"}


def condition(test: Test) -> str:
    def names(attribute: str, constants: Any) -> str:
        return "[" + ", ".join(f'{KINDS[attribute]}::"{constant}"' for constant in constants) + "]"

    match test:
        case "not", inner:
            return f"!({condition(inner)})"
        case "both", left, right:
            return f"({condition(left)}) && ({condition(right)})"
        case "either", left, right:
            return f"({condition(left)}) || ({condition(right)})"
        case "now", sign, moment:
            return f'context.now {sign} datetime("{moment:%Y-%m-%dT%H:%M:%SZ}")'
        case "partner", code:
            return f'principal == Partner::"{code}"'
        case "coalition", code:
            return f'principal in Coalition::"{code}"'
        case "compare", ("category" | "originator") as name, sign, constant:
            return f'resource.{name} {sign} {KINDS[name]}::"{constant}"'
        case "compare", name, sign, constant:
            return f"resource.{name} {sign} {constant}"
        case "one of", name, constants:
            return f"{names(name, constants)}.contains(resource.{name})"
        case "any of", name, constants:
            return f"resource.{name}.containsAny({names(name, constants)})"
        case "all of", name, constants:
            return f"resource.{name}.containsAll({names(name, constants)})"
        case "empty", name:
            return f"resource.{name}.isEmpty()"
    raise AssertionError(test)


def agreement(deal: Deal) -> Agreement:
    text = "\n".join(clause_text(number, clause) for number, clause in enumerate(deal.clauses))
    return load(manifest(deal), text, deal.id)


def compiled(deals: tuple[Deal, ...], own: str = OWN) -> Agreements:
    return Agreements(own, [agreement(deal) for deal in deals])

"""The templates: sound for any parties, and giving what `docs/templates.md` says, row by row."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.agreement import Action, Agreement, Agreements, Facts, Verdict, examine
from tearline.agreement.templates import TEMPLATES, made_of, template
from tearline.terms import BadInput, Category, Discipline, Level, Reach, Region, Topic, Use

DOCUMENT = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")
START = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARTS = ("When", "What it does not give", "Change first", "Red lines")
codes = st.from_regex(r"[A-Z][A-Z0-9]{1,4}(-[A-Z]{2})?", fullmatch=True)
circles = st.lists(codes, min_size=2, max_size=5, unique=True)


class Row(NamedTuple):
    level: Level
    category: Category
    topics: frozenset[Topic]
    region: Region
    discipline: Discipline
    giver: str
    taker: str
    goes: str


def section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def rows(name: str) -> list[Row]:
    found = []
    for cells in re.findall(r"^\| ([A-Z_]+) (\w+) \|(.+)\|$", section(name), re.MULTILINE):
        level, category, rest = cells
        on, by, giver, taker, goes = (cell.strip() for cell in rest.split("|"))
        topics, _, region = on.partition(" (")
        found.append(
            Row(
                Level[level],
                Category(category),
                frozenset(Topic(topic) for topic in topics.split(", ")),
                Region(region.rstrip(")").lower()) if region else Region.EASTERN_EUROPE,
                Discipline(by),
                giver,
                taker,
                goes,
            )
        )
    return found


def made(name: str, parties: list[str], start: date = START) -> Agreement:
    return made_of(name, parties[:2] if name == "bilateral" else parties, start=start)


def rules_of(agreement: Agreement) -> dict[str, Agreements]:
    return {party: Agreements(party, [agreement]) for party in agreement.parties}


def allowed(rules: dict[str, Agreements], row: Row, giver: str, taker: str, now: datetime = NOW) -> str:
    """What goes of the giver's own product, in the words of the tables."""
    facts = Facts(
        originator=giver,
        category=row.category,
        level=((giver, row.level),),
        topics=row.topics,
        regions=frozenset({row.region}),
        disciplines=frozenset({row.discipline}),
        reach=Reach.CLEAR,
        use=Use.CLEAR,
    )
    words = [
        word
        for action, word in zip(Action, ("whole", "tearline"), strict=True)
        if rules[giver].rule(facts, {taker: frozenset()}, action, now)[taker].verdict is Verdict.PERMIT
    ]
    return " or ".join(words) or "nothing"


def test_every_template_is_documented_with_all_its_parts() -> None:
    assert re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE) == list(TEMPLATES)
    for name in TEMPLATES:
        for part in PARTS:
            assert f"**{part}.**" in section(name), (name, part)
        forbids = [clause.id for clause in template(name).parsed if clause.tree.effect == "forbid"]
        red_lines = section(name).partition("**Red lines.**")[2]
        assert re.findall(r"`([a-z-]+)`:", red_lines) == forbids


def test_a_table_has_rows_of_every_outcome_its_template_can_give() -> None:
    for name in TEMPLATES:
        goes = {row.goes for row in rows(name)}
        assert len(rows(name)) >= 5
        assert "nothing" in goes
        for word, action in (("whole", "release"), ("tearline", "releaseTearline")):
            permits = [each for each in template(name).parsed if f'"{action}"' in each.text]
            assert any(word in each for each in goes) == bool(permits), (name, word)


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=4, deadline=None)
@given(parties=circles)
def test_it_gives_what_the_table_says(name: str, parties: list[str]) -> None:
    rules = rules_of(made(name, parties))
    first, *others = parties[:2] if name == "bilateral" else parties
    for row in rows(name):
        pairs = {
            ("first", "other"): [(first, other) for other in others],
            ("other", "first"): [(other, first) for other in others],
            ("other", "other"): [(one, two) for one in others for two in others if one != two],
        }[row.giver, row.taker]
        for giver, taker in pairs:
            assert allowed(rules, row, giver, taker) == row.goes, (row, giver, taker)


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=10, deadline=None)
@given(
    parties=circles,
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    coalitions=st.lists(codes, max_size=3, unique=True),
)
def test_it_is_sound_for_any_parties(
    name: str, parties: list[str], start: date, coalitions: list[str]
) -> None:
    circle = parties[:2] if name == "bilateral" else parties
    agreement = made_of(name, circle, start=start, coalitions=coalitions)
    assert agreement.parties == set(circle)
    assert agreement.valid_from == start
    assert [each.code for each in examine(agreement.manifest, agreement.clauses, start)] == []
    left_over = re.search(r"\b(ALPHA|BRAVO)\b", agreement.manifest + agreement.clauses)
    assert left_over is None or left_over[0] in {*circle, *coalitions}


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_person_told_us_goes_whole_only_as_a_warning(name: str) -> None:
    """Charter law C5, on every category, topic and level."""
    rules = rules_of(made(name, ["AAA", "BBB"]))
    whole = set()
    for category, topic, level in product(Category, Topic, Level):
        told = Row(level, category, frozenset({topic}), Region.EASTERN_EUROPE, Discipline.HUMINT, "", "", "")
        for giver, taker in (("AAA", "BBB"), ("BBB", "AAA")):
            if "whole" in allowed(rules, told, giver, taker):
                whole.add(topic)
    assert whole == {Topic.THREAT_TO_LIFE}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_template_itself_is_sound(name: str) -> None:
    shipped = template(name)
    assert shipped.id == name
    assert examine(shipped.manifest, shipped.clauses, date(2026, 1, 15)) == []


def test_days_move_along_and_do_not_lie_behind_the_end() -> None:
    agreement = made_of("crisis", ["USA", "GBR"], start=START)
    assert (agreement.valid_until - START).days == 60
    reviews = {clause.tree.annotations["review"] for clause in agreement.parsed}
    assert reviews == {"2026-12-23"}
    short = made_of("crisis", ["USA", "GBR"], start=START, end=date(2026, 12, 1))
    assert {clause.tree.annotations["review"] for clause in short.parsed} == {"2026-12-01"}
    late = made_of("bilateral", ["USA", "GBR"], start=date(2025, 1, 1), today=START)
    assert {clause.tree.annotations["review"] for clause in late.parsed} == {"2027-11-23"}


def test_members_of_a_coalition_alone() -> None:
    agreement = made_of("threat-to-life", ["USA", "GBR"], start=START, coalitions=["EU", "NATO"])
    facts = Facts(
        originator="USA",
        category=Category.REPORT,
        level=(),
        topics=frozenset({Topic.THREAT_TO_LIFE}),
        regions=frozenset(),
        disciplines=frozenset({Discipline.OSINT}),
        reach=Reach.CLEAR,
        use=Use.CLEAR,
    )
    now = datetime(2026, 12, 1, tzinfo=UTC)
    for member, verdict in (({"EU"}, "permit"), ({"NATO"}, "permit"), (set(), "no-clause")):
        given_to = {"GBR": frozenset(member)}
        ruling = Agreements("USA", [agreement]).rule(facts, given_to, Action.RELEASE, now)["GBR"]
        assert ruling.verdict == verdict


def test_parties_take_their_places_in_one_pass() -> None:
    agreement = made_of("bilateral", ["BRAVO", "ALPHA"], start=START)
    assert agreement.title == "Agreement between BRAVO and ALPHA on warning, defence and cyber security"
    assert 'principal == Partner::"ALPHA"' in agreement.parsed[3].text


@pytest.mark.parametrize(
    ("name", "parties", "reason"),
    [
        ("bilateral", ["USA", "GBR", "UKR"], "is between two"),
        ("multilateral", ["USA"], "two codes or more"),
        ("multilateral", ["USA", "USA"], "two codes or more"),
        ("multilateral", ["USA", "usa"], "Expected"),
        ("pact", ["USA", "GBR"], "no template 'pact'"),
    ],
)
def test_parties_that_do_not_fit_are_refused(name: str, parties: list[str], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        made_of(name, parties, start=START)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(BadInput, match="is not after"):
        made_of("crisis", ["USA", "GBR"], start=START, end=START)

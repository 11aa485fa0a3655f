"""Who could get what kinds: never less than what Cedar permits."""

from __future__ import annotations

from itertools import product

import pytest

from tearline.agreement import Action, Agreement, Agreements, Facts, Verdict, load
from tearline.agreement.kinds import GivenKind, kinds
from tearline.agreement.templates import TEMPLATES, template
from tearline.terms import Category, Discipline, Level, Reach, Region, Topic, Use

HEAD = """
id = "example"
title = "Example"
parties = ["GBR", "USA", "UKR"]
coalitions = ["FVEY"]
valid_from = 2026-01-01
valid_until = 2029-01-01
[levels.GBR]
SECRET = "SECRET"
"""
MEMBERS = {"USA": frozenset({"FVEY"}), "UKR": frozenset[str]()}
PERMIT = 'permit (principal, action == Action::"release", resource)'


def made(*clauses: str) -> Agreement:
    text = "\n".join(
        f'@id("c{number}") @reason("Example.") @review("2027-01-01") {clause}'
        for number, clause in enumerate(clauses)
    )
    found = load(HEAD, text, "example")
    found.must_be_sound()
    return found


def whole(agreement: Agreement) -> set[tuple[str, str]]:
    given = kinds(agreement, "GBR", MEMBERS)
    return {(party, each.category.value) for each in given if each.whole for party in each.partners}


EVERY = {(party, category.value) for party in ("USA", "UKR") for category in Category}


@pytest.mark.parametrize(
    ("clause", "given"),
    [
        (f"{PERMIT};", EVERY),
        (
            f'{PERMIT} when {{ resource.category == Category::"cyber" && resource.level <= 2 }};',
            {("USA", "cyber"), ("UKR", "cyber")},
        ),
        (f'{PERMIT} when {{ resource.category == Category::"cyber" || resource.level <= 2 }};', EVERY),
        (
            f'{PERMIT} unless {{ resource.category != Category::"report" || principal == Partner::"UKR" }};',
            {("USA", "report")},
        ),
        (f'{PERMIT} unless {{ resource.category == Category::"report" && resource.level > 2 }};', EVERY),
        (
            'permit (principal in Coalition::"FVEY", action == Action::"release", resource) when'
            ' { !([Category::"imagery", Category::"intercept"].contains(resource.category)) };',
            {("USA", "cyber"), ("USA", "report")},
        ),
        (f'{PERMIT} when {{ !(principal in Coalition::"FVEY") }};', {e for e in EVERY if e[0] == "UKR"}),
        ('permit (principal, action == Action::"releaseTearline", resource);', set()),
    ],
)
def test_category_and_recipient_decide(clause: str, given: set[tuple[str, str]]) -> None:
    assert whole(made(clause)) == given


def test_clauses_and_red_lines_are_named() -> None:
    agreement = made(
        'permit (principal, action in Action::"share", resource);',
        'forbid (principal == Partner::"USA", action in Action::"share", resource)'
        ' when { resource.category == Category::"cyber" };',
    )
    found = kinds(agreement, "GBR", MEMBERS)
    for partner, red_lines in (("UKR", ()), ("USA", ("c1",))):
        assert (
            GivenKind(
                category=Category.CYBER,
                partners=(partner,),
                whole=("c0",),
                tearline=("c0",),
                red_lines=red_lines,
            )
            in found
        )
    assert [each.partners for each in found if each.category is Category.REPORT] == [("UKR", "USA")]
    assert kinds(agreement, "AUS", MEMBERS) == ()


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_what_cedar_permits_is_among_them(name: str) -> None:
    agreement = template(name)
    own, *others = sorted(agreement.parties)
    told = {(party, each.category): each for each in kinds(agreement, own, {}) for party in each.partners}
    rules = Agreements(own, [agreement])
    members = dict.fromkeys(others, frozenset[str]())
    permitted = 0
    for category, topic, originator in product(Category, Topic, (own, others[0])):
        facts = Facts(
            originator=originator,
            category=category,
            level=((own, Level.UNCLASSIFIED),),
            topics=frozenset({topic}),
            regions=frozenset(Region),
            disciplines=frozenset({Discipline.OSINT}),
            reach=Reach.CLEAR,
            use=Use.CLEAR,
        )
        for action in Action:
            for party, ruling in rules.rule(facts, members, action, agreement.bounds[0]).items():
                if ruling.verdict is Verdict.PERMIT:
                    kind = told[party, category]
                    clauses = kind.whole if action is Action.RELEASE else kind.tearline
                    assert {each.partition("/")[2] for each in ruling.clauses} <= set(clauses)
                    permitted += 1
    assert permitted

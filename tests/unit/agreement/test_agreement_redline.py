"""Red lines: the clause made of options stops what is meant, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.agreement import Action, Agreement, Agreements, Facts, Verdict, check, load, sentence
from tearline.agreement.redline import FOR_EVER, RedLine, appended, in_words, manifest_for, red_line
from tearline.terms import BadInput, Category, Discipline, Level, Reach, Refused, Region, Topic, Use
from tests.unit.agreement.test_agreement_manifest import CLAUSES, MANIFEST

TODAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = date(2026, 12, 1)
TWO = load(MANIFEST, CLAUSES, "two")


def line(**what: Any) -> RedLine:
    return RedLine(**{"reason": "Example.", "review": LATER, **what})


def empty(red: RedLine) -> Agreement:
    return load(manifest_for(["USA", "GBR", "FIN"], "red", red, TODAY), "", "red")


def test_the_sentence_of_the_issue() -> None:
    made = line(
        topics=frozenset({Topic.PROLIFERATION}),
        disciplines=frozenset({Discipline.HUMINT}),
        partners=frozenset({"GBR"}),
    )
    assert red_line(made, TODAY) == (
        '@id("no-humint-proliferation-to-gbr")\n'
        '@reason("Example.")\n'
        '@review("2026-12-01")\n'
        'forbid (principal == Partner::"GBR", action in Action::"share", resource)\n'
        "when {\n"
        '  resource.topics.contains(Topic::"proliferation")'
        ' && resource.disciplines.contains(Discipline::"humint")\n'
        "};\n"
    )
    words = "Never releases whole or as a tearline, to GBR: products on proliferation, from human sources."
    assert in_words(appended(TWO, made, TODAY)) == words


@st.composite
def lines(draw: st.DrawFn) -> RedLine:
    def some(words: Any) -> frozenset[Any]:
        return frozenset(draw(st.lists(st.sampled_from(list(words)), max_size=2)))

    return line(
        partners=some(["GBR", "FIN"]),
        topics=some([Topic.AIR, Topic.LAND]),
        disciplines=some([Discipline.HUMINT, Discipline.OSINT]),
        regions=some([Region.GLOBAL]),
        categories=some([Category.REPORT, Category.CYBER]),
        above=draw(st.none() | st.sampled_from(list(Level)[:-1])),
        until=draw(st.sampled_from([None, LATER])),
        reason=draw(st.sampled_from(["Example.", 'A "quoted" \\ reason; // {', "Причина."])),
    )


facts = st.builds(
    Facts,
    originator=st.just("USA"),
    category=st.sampled_from([Category.REPORT, Category.CYBER]),
    level=st.sampled_from([(), *(((("USA", level),)) for level in Level), (("XYZ", Level.RESTRICTED),)]),
    topics=st.frozensets(st.sampled_from([Topic.AIR, Topic.LAND, Topic.SPACE]), max_size=2),
    regions=st.frozensets(st.sampled_from([Region.GLOBAL, Region.CARIBBEAN]), max_size=1),
    disciplines=st.frozensets(st.sampled_from([Discipline.HUMINT, Discipline.SIGINT]), min_size=1),
    reach=st.just(Reach.CLEAR),
    use=st.just(Use.CLEAR),
)


def stops(red: RedLine, product: Facts, partner: str, now: datetime) -> bool:
    """What a red line means, said directly."""
    rank = product.level[0][1] if product.level else Level.UNCLASSIFIED
    unknown = bool(product.level) and product.level[0][0] == "XYZ"
    return (
        (not red.partners or partner in red.partners)
        and (not red.topics or bool(red.topics & product.topics))
        and (not red.disciplines or bool(red.disciplines & product.disciplines))
        and (not red.regions or bool(red.regions & product.regions))
        and (not red.categories or product.category in red.categories)
        and (red.above is None or unknown or rank > red.above)
        and (red.until is None or now.date() < red.until)
    )


@settings(max_examples=60, deadline=None)
@given(red=lines(), product=facts, partner=st.sampled_from(["GBR", "FIN"]), later=st.booleans())
def test_it_stops_what_is_meant_and_nothing_else(
    red: RedLine, product: Facts, partner: str, later: bool
) -> None:
    everything = red.is_for_everything and not red.partners
    made = appended(empty(msgspec.structs.replace(red, until=None)), red, TODAY, everything=everything)
    assert check(made) == []
    assert made.parsed[-1].tree.annotations["reason"] == red.reason
    now = datetime(2026, 12, 1, tzinfo=UTC) if later else NOW
    for action in Action:
        verdict = (
            Agreements("USA", [made]).rule(product, {partner: frozenset()}, action, now)[partner].verdict
        )
        assert (verdict is Verdict.FORBID) == stops(red, product, partner, now)


def test_the_level_named_is_the_highest_that_still_goes() -> None:
    made = appended(TWO, line(above=Level.CONFIDENTIAL), TODAY)
    assert "resource.level > 2" in made.parsed[-1].text
    assert in_words(made) == "Never releases whole or as a tearline, to anybody: products above CONFIDENTIAL."


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({}, "stop everything, to everybody"),
        ({"topics": frozenset({Topic.AIR}), "review": None}, "neither an end nor a day of review"),
        ({"topics": frozenset({Topic.AIR}), "review": TODAY}, "2026-11-01 has passed"),
        ({"topics": frozenset({Topic.AIR}), "until": date(2026, 10, 1)}, "2026-10-01 has passed"),
        ({"topics": frozenset({Topic.AIR}), "until": date(2026, 11, 2)}, "reviewed after its end"),
        ({"topics": frozenset({Topic.AIR}), "reason": " "}, "gives its reason"),
        ({"topics": frozenset({Topic.AIR}), "reason": "two\nlines"}, "gives its reason"),
        ({"above": Level.TOP_SECRET}, "nothing lies above TOP_SECRET"),
        ({"topics": frozenset({Topic.AIR}), "review": date(2027, 1, 2)}, "the agreement ends on 2027-01-01"),
        ({"topics": frozenset({Topic.AIR}), "id": "whole"}, "there is a clause whole already"),
    ],
)
def test_what_makes_no_sense_is_refused(what: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        appended(TWO, line(**what), TODAY)


def test_everything_must_be_asked_for_and_stands_alone() -> None:
    clause = red_line(line(), TODAY, everything=True)
    assert 'forbid (principal, action in Action::"share", resource);' in clause
    with pytest.raises(BadInput, match="beside what narrows"):
        red_line(line(topics=frozenset({Topic.AIR})), TODAY, everything=True)
    assert "to-gbr" in red_line(line(partners=frozenset({"GBR"})), TODAY)


def test_the_same_line_is_not_drawn_twice() -> None:
    red = line(topics=frozenset({Topic.AIR, Topic.LAND}))
    once = appended(TWO, red, TODAY)
    with pytest.raises(BadInput, match="no-air-land says this already"):
        appended(once, msgspec.structs.replace(red, id="other", reason="Another."), TODAY)


def test_partners_that_the_agreement_does_not_know_are_declared() -> None:
    red = line(partners=frozenset({"FIN", "GBR"}), topics=frozenset({Topic.AIR}))
    made = appended(TWO, red, TODAY)
    assert made.names == TWO.names | {"FIN"}
    assert made.parties == TWO.parties
    again = appended(made, line(partners=frozenset({"SWE"}), topics=frozenset({Topic.AIR})), TODAY)
    assert 'others = ["FIN", "SWE"]' in again.manifest
    assert again.clauses.startswith(made.clauses.rstrip())


def test_a_manifest_that_cannot_be_mended_is_left_to_its_author() -> None:
    odd = load(MANIFEST.replace('["AUS", "GBR"]', '["AUS", # us\n"GBR"]'), CLAUSES, "odd")
    with pytest.raises(BadInput, match="FIN is not declared"):
        appended(odd, line(partners=frozenset({"FIN"})), TODAY)


def test_an_agreement_with_findings_gets_no_red_line() -> None:
    with pytest.raises(Refused, match="E012"):
        appended(load(MANIFEST, CLAUSES.replace("3", "30"), "two"), line(above=Level.SECRET), TODAY)


def test_an_agreement_of_its_own_lasts_as_long_as_the_line() -> None:
    red = line(topics=frozenset({Topic.AIR}))
    assert appended(empty(red), red, TODAY).valid_until == FOR_EVER
    ending = msgspec.structs.replace(red, until=LATER, review=None)
    made = appended(empty(ending), ending, TODAY)
    assert made.valid_until == LATER
    assert "before 2026-12-01" in sentence(made.parsed[0].tree)

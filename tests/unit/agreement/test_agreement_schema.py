"""The schema says what the words say, and what products are built with."""

from __future__ import annotations

import re

import cedarpy
import pytest

from tearline.agreement import Facts, cedar, evaluate
from tearline.agreement.profile import RANKS
from tearline.terms import Category, Discipline, Label, Level, Reach, Region, Topic, Use

SCHEMA = cedar.schema_text()


@pytest.mark.parametrize("words", [Category, Discipline, Topic, Region])
def test_a_closed_vocabulary_is_that_of_the_terms(words: type) -> None:
    found = re.search(rf"entity {words.__name__} enum \[(.*?)\]", SCHEMA, re.DOTALL)
    assert found
    assert re.findall(r'"([^"]+)"', found[1]) == [word.value for word in words]  # type: ignore[attr-defined]


def test_ranks_are_those_of_the_terms() -> None:
    assert set(RANKS) == set(Level) == set(Reach)
    assert set(Use) <= set(RANKS)
    assert evaluate.ABOVE_ALL not in RANKS


def test_facts_have_every_attribute_and_all_are_required() -> None:
    product = re.search(r"entity Product = \{(.*?)\n\};", SCHEMA, re.DOTALL)
    assert product
    attributes = re.findall(r"^  (\w+\??):", product[1], re.MULTILINE)
    facts = evaluate._attributes(FACTS, None)
    assert sorted(attributes) == sorted(facts)


def test_a_misspelt_name_is_refused_as_an_enum_but_would_pass_as_a_string() -> None:
    clause = 'permit (principal, action == Action::"release", resource) when { resource.x == %s };'
    rest = "entity P; action release appliesTo {principal: P, resource: R};"
    loose = "entity R = {x: String};" + rest
    strict = 'entity X enum ["air"]; entity R = {x: X};' + rest
    assert cedarpy.validate_policies(clause % '"aire"', loose).validation_passed
    assert not cedarpy.validate_policies(clause % 'X::"aire"', strict).validation_passed


FACTS = Facts(
    originator="USA",
    category=Category.REPORT,
    level=(("USA", Level.SECRET),),
    topics=frozenset({Topic.AIR}),
    regions=frozenset(),
    disciplines=frozenset({Discipline.OSINT}),
    reach=Label().reach,
    use=Label().use,
)

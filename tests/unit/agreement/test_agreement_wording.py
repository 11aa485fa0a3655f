"""Clauses in plain English."""

from __future__ import annotations

import pytest
from cedarpy import pst

from tearline.agreement import cedar, sentence

NOTES = '@id("one") @reason("Example.") '
FORBID = 'forbid (principal, action in Action::"share", resource)'
PERMIT = 'permit (principal, action == Action::"release", resource)'


def said(clause: str) -> str:
    return sentence(cedar.parse(NOTES + clause))


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        (f"{PERMIT};", "Releases whole, to each party: everything."),
        (f"{FORBID};", "Never releases whole or as a tearline, to anybody: everything."),
        (
            'permit (principal in Coalition::"FVEY", action == Action::"release", resource)'
            ' when { resource.category == Category::"cyber" && resource.level <= 3 }'
            ' unless { resource.disciplines.contains(Discipline::"humint") };',
            "Releases whole, to members of FVEY: cyber products up to SECRET, unless from human sources.",
        ),
        (
            'permit (principal == Partner::"CERT-UA", action == Action::"releaseTearline", resource)'
            ' when { resource.topics.containsAny([Topic::"threat-to-life", Topic::"air"]) };',
            "Releases as a tearline, to CERT-UA: products on air or threat to life.",
        ),
        (
            'permit (principal, action in [Action::"release", Action::"releaseTearline"], resource)'
            " unless { resource.level > 3 } unless { resource.reach >= 3 || resource.use >= 3 };",
            "Releases whole or as a tearline, to each party: everything, unless above SECRET, "
            "unless marked TLP:AMBER+STRICT or narrower or marked PAP:RED or narrower.",
        ),
    ],
)
def test_a_clause_is_one_sentence(clause: str, words: str) -> None:
    assert said(clause) == words


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("resource.level < 3", "products below SECRET"),
        ("resource.level >= 1", "products from RESTRICTED up"),
        ("resource.level == 4", "products at TOP SECRET"),
        ("resource.level != 0", "products not at UNCLASSIFIED"),
        ("!(resource.level <= 2)", "products above CONFIDENTIAL"),
        ("resource.reach <= 2", "products marked TLP:AMBER or wider"),
        ("resource.use < 4", "products marked wider than PAP:4"),
        ('resource.category != Category::"report"', "products that are not reports"),
        (
            '[Category::"imagery", Category::"intercept"].contains(resource.category)',
            "imagery or intercepts",
        ),
        ('resource.originator == Party::"GBR"', "products made by GBR"),
        ('!([Party::"GBR", Party::"AUS"].contains(resource.originator))', "products not made by AUS or GBR"),
        ('resource.topics.containsAll([Topic::"air", Topic::"land"])', "products on all of air and land"),
        (
            '!(resource.topics.containsAll([Topic::"air", Topic::"land"]))',
            "products not on all of air and land",
        ),
        ("resource.topics.isEmpty()", "products without a topic"),
        ("!(resource.disciplines.isEmpty())", "products with a discipline"),
        ('resource.regions.contains(Region::"western-asia")', "products about Western Asia"),
        ('resource.regions.contains(Region::"global")', "products about the whole world"),
        ('principal != Partner::"GBR"', "products to others than GBR"),
        ('!(principal in Coalition::"EU")', "products to others than members of EU"),
        ('context.now < datetime("2027-06-30")', "products before 2027-06-30"),
        ('context.now <= datetime("2027-06-30")', "products until the start of 2027-06-30"),
        ('context.now > datetime("2027-06-30T12:00:00Z")', "products after 2027-06-30 12:00:00 UTC"),
        (
            "!(resource.level <= 2 && resource.use <= 1)",
            "products either above CONFIDENTIAL or marked narrower than PAP:GREEN",
        ),
        (
            "resource.level <= 2 && (resource.use <= 1 || resource.reach == 0 && resource.use == 3)",
            "products up to CONFIDENTIAL, either marked PAP:GREEN or wider or "
            "(marked TLP:CLEAR and marked PAP:RED)",
        ),
    ],
)
def test_a_test_in_words(test: str, words: str) -> None:
    assert said(f"{PERMIT} when {{ {test} }};") == f"Releases whole, to each party: {words}."


@pytest.mark.parametrize(
    "clause",
    [
        "permit (principal, action, resource);",
        f"{PERMIT} when {{ true }};",
        f'{PERMIT} when {{ resource.title like "x" }};',
        f"{PERMIT} when {{ resource.level <= resource.use }};",
        'permit (principal is Partner, action == Action::"release", resource);',
    ],
)
def test_what_is_outside_the_profile_is_not_put_into_words(clause: str) -> None:
    tree: pst.Template = cedar.parse(clause)
    with pytest.raises(ValueError, match=r"profile|head"):
        sentence(tree)

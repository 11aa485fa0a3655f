"""The one layout: what it looks like, and that comments keep their places."""

from __future__ import annotations

import pytest

from tearline.agreement import formatted, load
from tearline.agreement.templates import TEMPLATES, template
from tearline.terms import BadInput
from tests.unit.agreement.test_agreement_manifest import MANIFEST

HEAD = 'permit (principal, action == Action::"release", resource)'
NOTES = '@id("one")\n@reason("Example.")\n'
TOPICS = ", ".join(f'Topic::"{name}"' for name in ("air", "land", "maritime", "missile", "space", "energy"))


def laid_out(*body: str) -> str:
    return NOTES + HEAD + "\n" + "\n".join(body) + "\n"


@pytest.mark.parametrize(
    ("written", "layout"),
    [
        ("when{resource.level<=3&&resource.use!=1};", ["when { resource.level <= 3 && resource.use != 1 };"]),
        ("when { ! ( resource . level == 3 ) } ;", ["when { !(resource.level == 3) };"]),
        ("when { resource.level > -1 };", ["when { resource.level > -1 };"]),
        ("when { resource.level - 1 < -1 };", ["when { resource.level - 1 < -1 };"]),
        (
            'when { principal in [Coalition :: "FVEY",Coalition::"NATO"] };',
            ['when { principal in [Coalition::"FVEY", Coalition::"NATO"] };'],
        ),
        (
            'when { [Topic::"air"] . contains ( resource.x ) } unless { resource.topics.isEmpty( ) };',
            ['when { [Topic::"air"].contains(resource.x) }', "unless { resource.topics.isEmpty() };"],
        ),
        (
            f"when {{ resource.topics.containsAny([{TOPICS}, {TOPICS}]) && resource.level <= 3 }};",
            [
                "when {",
                "  resource.topics.containsAny([",
                '    Topic::"air", Topic::"land", Topic::"maritime", Topic::"missile", Topic::"space",'
                ' Topic::"energy",',
                '    Topic::"air", Topic::"land", Topic::"maritime", Topic::"missile", Topic::"space",'
                ' Topic::"energy"',
                "  ])",
                "  && resource.level <= 3",
                "};",
            ],
        ),
        (
            'when { resource.level <= 3 && (resource.category == Category::"cyber" || resource.category =='
            ' Category::"report" || resource.category == Category::"imagery") };',
            [
                "when {",
                "  resource.level <= 3",
                "  && (",
                '    resource.category == Category::"cyber"',
                '    || resource.category == Category::"report"',
                '    || resource.category == Category::"imagery"',
                "  )",
                "};",
            ],
        ),
    ],
)
def test_what_fits_stands_on_a_line_and_what_does_not_is_opened(written: str, layout: list[str]) -> None:
    assert formatted(f'@id("one")@reason("Example.") {HEAD} {written}', "x") == laid_out(*layout)


COMMENTED = """\
// The file.

// A heading


// One:
@id("one") // its id
@reason("Example.")
permit (principal, // who
  action == Action::"release", resource)
when { // what
  resource.level <= 3 // up to SECRET
  // and then
  && resource.topics.containsAny([Topic::"air", // above
  Topic::"land" ]) }; // the end
// Another heading
"""
COMMENTED_LAID_OUT = """\
// The file.

// A heading

// One:
@id("one") // its id
@reason("Example.")
permit (
  principal, // who
  action == Action::"release", resource
)
when { // what
  resource.level <= 3 // up to SECRET
  // and then
  && resource.topics.containsAny([
    Topic::"air", // above
    Topic::"land"
  ])
}; // the end

// Another heading
"""


def test_comments_stay_where_they_are() -> None:
    assert formatted(COMMENTED, "x") == COMMENTED_LAID_OUT
    assert formatted(COMMENTED_LAID_OUT, "x") == COMMENTED_LAID_OUT


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_ends_of_lines_become_one(end: str) -> None:
    assert formatted(COMMENTED.replace("\n", end), "x") == COMMENTED_LAID_OUT


def test_strings_that_look_like_comments_and_ends_are_strings() -> None:
    text = '@id("one") @reason("a; b // c \\" {") ' + HEAD + ";"
    assert '@reason("a; b // c \\" {")\n' in formatted(text, "x")


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_templates_are_laid_out(name: str) -> None:
    assert formatted(template(name).clauses, name) == template(name).clauses


def test_the_version_does_not_change() -> None:
    clauses = f"{NOTES}{HEAD} when{{resource.level<=3}};"
    assert load(MANIFEST, formatted(clauses, "x"), "x").version == load(MANIFEST, clauses, "x").version


def test_what_is_not_cedar_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput, match="agreement, line 2, column 4: this is not Cedar"):
        formatted("permit (principal, action, resource)\nif true;", "agreement")


def test_an_empty_file_stays_empty() -> None:
    assert formatted("\n \n", "x") == ""

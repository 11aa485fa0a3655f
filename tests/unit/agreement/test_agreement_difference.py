"""What a revision changes, in words."""

from __future__ import annotations

import pytest

from tearline.agreement import Change, Kind, difference, load
from tearline.terms import Refused
from tests.unit.agreement.test_agreement_manifest import MANIFEST

FIRST = """\
// Whole.
@id("whole")
@reason("Example.")
@review("2027-06-30")
permit (principal, action == Action::"release", resource)
when { resource.level <= 2 && resource.topics.containsAny([Topic::"air", Topic::"land"]) }
unless { resource.disciplines.contains(Discipline::"humint") || resource.reach == 4 };
"""
SECOND = """
@id("lines")
@reason("Example.")
permit (principal, action == Action::"releaseTearline", resource)
when { resource.level <= 3 };
"""


def changes(old: str, new: str) -> list[Change]:
    return list(difference(load(MANIFEST, old, "old"), load(MANIFEST, new, "new")).clauses)


def parts(before: str, after: str, text: str = FIRST) -> tuple[str, ...]:
    """What is said of the clause in `text` where `before` became `after`."""
    assert before in text
    (change,) = changes(text, text.replace(before, after))
    assert change.kind is Kind.CHANGED
    return change.parts


def test_nothing_changes_between_a_text_and_itself() -> None:
    found = difference(load(MANIFEST, FIRST, "old"), load(MANIFEST, FIRST, "new"))
    assert not found
    assert found.manifest == found.clauses == ()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("level <= 2", "level <= 3", "up to SECRET instead of up to CONFIDENTIAL"),
        ("level <= 2", "level < 2", "below CONFIDENTIAL instead of up to CONFIDENTIAL"),
        ('[Topic::"air"', '[Topic::"maritime", Topic::"air"', "now also topics maritime"),
        ('[Topic::"air", ', "[", "no longer topics air"),
        ('Topic::"air"', 'Topic::"space"', "now also topics space, no longer topics air"),
        (
            'Discipline::"humint"',
            'Discipline::"sigint"',
            "exception now also disciplines signals, exception no longer disciplines human sources",
        ),
        (" || resource.reach == 4", "", "no longer an exception: marked TLP:RED"),
        (
            " || resource.reach == 4",
            " || resource.reach == 4 || resource.use == 3",
            "a new exception: marked PAP:RED",
        ),
        ("resource.level <= 2 && ", "", "no longer required: up to CONFIDENTIAL"),
        (
            "resource.level <= 2",
            "resource.level <= 2 && resource.use < 2",
            "required too: marked wider than PAP:AMBER",
        ),
        ("principal,", 'principal == Partner::"GBR",', "to GBR instead of each party"),
        ('== Action::"release"', 'in Action::"share"', "whole or as a tearline instead of whole"),
        ('== Action::"release"', '== Action::"releaseTearline"', "as a tearline instead of whole"),
    ],
)
def test_what_changed_in_a_clause(before: str, after: str, words: str) -> None:
    assert "; ".join(parts(before, after)).replace(", no longer dis", ", exception no longer dis") == words


def test_a_permit_that_becomes_a_forbid() -> None:
    assert parts("permit", "forbid")[0] == "forbids instead of permitting"


def test_all_that_changed_is_said_with_what_the_clause_does_now() -> None:
    new = FIRST.replace("<= 2", "<= 3").replace("2027", "2028").replace("// Whole.", "// Half.")
    (change,) = changes(FIRST, new)
    assert change.parts == (
        "up to SECRET instead of up to CONFIDENTIAL",
        "review date is now “2028-06-30”, was “2027-06-30”",
        "comments changed",
    )
    assert change.sentence.startswith(
        "Releases whole, to each party: products up to SECRET, on air or land, unless"
    )


def test_clauses_come_and_go() -> None:
    (added,) = changes(FIRST, FIRST + SECOND)
    (removed,) = changes(FIRST + SECOND, FIRST)
    assert (added.kind, removed.kind) == (Kind.ADDED, Kind.REMOVED)
    assert added.clause == removed.clause == "lines"
    assert (
        added.sentence == removed.sentence == "Releases as a tearline, to each party: products up to SECRET."
    )


def test_another_id_is_a_new_name_where_the_clause_says_the_same() -> None:
    (change,) = changes(
        FIRST + SECOND, FIRST + SECOND.replace('"lines"', '"the-lines"').replace("Example", "Other")
    )
    assert (change.kind, change.clause, change.was) == (Kind.RENAMED, "the-lines", "lines")
    assert change.parts == ("reason is now “Other.”, was “Example.”",)
    new = FIRST + SECOND.replace('"lines"', '"the-lines"').replace("<= 3", "<= 2")
    assert [each.kind for each in changes(FIRST + SECOND, new)] == [Kind.ADDED, Kind.REMOVED]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("Example.", "Another.", "reason is now “Another.”, was “Example.”"),
        ('@review("2027-06-30")\n', "", "review date taken away, was “2027-06-30”"),
        ("// Whole.", "// Entire.", "comments changed"),
        (
            "when { resource.level <= 2 &&",
            "when { resource.level <= 2 } when {",
            "written another way, it says the same",
        ),
        (
            'Topic::"air", Topic::"land"',
            'Topic::"land", Topic::"air"',
            "written another way, it says the same",
        ),
        ("resource.level <= 2", "!(resource.level > 2)", "written another way, it says the same"),
        (" || resource.reach", " } unless { resource.reach", "written another way, it says the same"),
    ],
)
def test_the_same_in_other_words(before: str, after: str, words: str) -> None:
    assert before in FIRST
    (change,) = changes(FIRST, FIRST.replace(before, after))
    assert (change.kind, change.parts) == (Kind.REWORDED, (words,))


def test_layout_and_order_are_no_change() -> None:
    assert changes(FIRST + SECOND, SECOND + FIRST) == []
    assert changes(FIRST, FIRST.replace("\n", "\n  ").replace("  // ", "// ")) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"AUS", "GBR"', '"AUS", "GBR", "NZL"', "party added: NZL"),
        ('"AUS", "GBR"', '"CAN", "GBR"', "party added: CAN; party removed: AUS"),
        ("2027-01-01", "2027-01-02", "valid until 2027-01-02, 1 day longer (was 2027-01-01)"),
        ("2027-01-01", "2026-12-01", "valid until 2026-12-01, 31 days shorter (was 2027-01-01)"),
        ("2026-01-01", "2026-02-01", "valid from 2026-02-01, was 2026-01-01"),
        ("Agreement of two", "Pact", "the title is now 'Pact', was 'Agreement of two'"),
        ('"two"', '"three"', "the id is now three, was two: this is another agreement"),
        ("valid_from", 'others = ["FIN"]\nvalid_from', "name that clauses may use added: FIN"),
        ('RESTRICTED = "CONFIDENTIAL"\n', "", "GBR RESTRICTED is no longer shared: its row is gone"),
        (
            'RESTRICTED = "CONFIDENTIAL"',
            'RESTRICTED = "SECRET"',
            "GBR RESTRICTED counts as SECRET instead of CONFIDENTIAL",
        ),
        (
            "RESTRICTED",
            'UNCLASSIFIED = "UNCLASSIFIED"\nRESTRICTED',
            "GBR UNCLASSIFIED is now shared, as UNCLASSIFIED",
        ),
        (
            "[levels.GBR]",
            '[levels.AUS]\nSECRET = "SECRET"\n[levels.GBR]',
            "AUS gets a table of levels: SECRET as SECRET",
        ),
    ],
)
def test_what_changed_in_the_manifest(before: str, after: str, words: str) -> None:
    assert before in MANIFEST
    found = difference(load(MANIFEST, FIRST, "x"), load(MANIFEST.replace(before, after), FIRST, "x"))
    assert found.clauses == ()
    assert "; ".join(found.manifest) == words


def test_a_text_with_findings_is_not_compared() -> None:
    with pytest.raises(Refused, match="E012"):
        changes(FIRST, FIRST.replace("<= 2", "<= 20"))

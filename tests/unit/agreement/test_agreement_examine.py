"""All findings at once: on both files, each at its place."""

from __future__ import annotations

from datetime import date

import pytest

from tearline.agreement import Finding, examine

TODAY = date(2026, 11, 1)
MANIFEST = """\
id = "two"
title = "Agreement of two"
parties = ["AUS", "GBR"]
others = ["NZL"]
valid_from = 2026-01-01
valid_until = 2027-01-01

[levels.AUS]
SECRET = "SECRET"

[levels.GBR]
RESTRICTED = "CONFIDENTIAL"
SECRET = "SECRET"  # and no more
"""
CLAUSES = """\
// Example.
@id("red")
@reason("Example.")
@review("2027-06-30")
forbid (principal == Partner::"NZL", action in Action::"share", resource)
when { resource.level > 2 };
"""


def meant(finding: Finding, manifest: str, clauses: str) -> str:
    text = {"agreement.toml": manifest, "clauses.cedar": clauses}[finding.file]
    line = text.split("\n")[finding.line - 1]
    return line[finding.column - 1 : finding.column - 1 + finding.length]


def found(manifest: str = MANIFEST, clauses: str = CLAUSES) -> list[tuple[str, str]]:
    """Code and what is meant, in the order given."""
    return [(each.code, meant(each, manifest, clauses)) for each in examine(manifest, clauses, TODAY)]


def test_nothing_is_found_in_what_is_sound() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("old", "new", "code", "mark"),
    [
        ('id = "two"', 'id = "Two!"', "E023", 'id = "Two!"'),
        ('parties = ["AUS", "GBR"]', 'parties = ["AUS"]', "E023", 'parties = ["AUS"]'),
        ('"NZL"]', '"nzl"]', "E023", 'others = ["nzl"]'),
        ("valid_from = 2026-01-01", 'valid_from = "soon"', "E023", 'valid_from = "soon"'),
        ("valid_until = 2027", "valid_until = 2025", "E024", "valid_until = 2025-01-01"),
        ('id = "two"', 'id = "two"\naim = "x"', "E022", 'aim = "x"'),
        ('SECRET"  # and', 'RESTRICTED"  # and', "E025", 'SECRET = "RESTRICTED"  # and no more'),
        ('RESTRICTED = "CONF', 'RESTRICTE = "CONF', "E025", 'RESTRICTE = "CONFIDENTIAL"'),
        ('RESTRICTED = "CONFIDENTIAL"', 'RESTRICTED = "TOP_SECRET"', "E025", "[levels.GBR]"),
        ('id = "two"', 'id = two"', "E020", "t"),
        ("valid_until = 2027", "valid_until = 2026-11-01 #", "W006", "valid_until = 2026-11-01 #-01-01"),
        ('"AUS", "GBR"', '"AUS", "GBR", "FRA"', "W007", '"FRA"'),
        ('others = ["NZL"]', 'others = ["NZL", "FRA"]', "W004", '"FRA"'),
    ],
)
def test_a_finding_on_the_manifest_has_its_place(old: str, new: str, code: str, mark: str) -> None:
    assert old in MANIFEST
    manifest = MANIFEST.replace(old, new)
    assert (code, mark) in found(manifest)


def test_a_missing_field_is_named() -> None:
    (finding,) = examine(MANIFEST.replace('title = "Agreement of two"\n', ""), CLAUSES, TODAY)
    assert (finding.code, finding.message) == ("E021", "title is missing")


def test_everything_is_said_at_once_in_order() -> None:
    manifest = MANIFEST.replace('title = "Agreement of two"\n', "").replace('"two"', '"Two"')
    clauses = CLAUSES.replace("> 2", "> 20") + CLAUSES.replace('"NZL"', '"NLZ"').replace('"red"', '"two"')
    assert found(manifest, clauses) == [
        ("E021", "i"),
        ("E023", 'id = "Two"'),
        ("E012", "20"),
        ("E013", 'Partner::"NLZ"'),
    ]


def test_names_are_those_of_the_manifest_even_where_it_has_faults() -> None:
    """A fault elsewhere in the manifest must not make every party unknown."""
    assert [code for code, _ in found(MANIFEST.replace('"two"', '"Two"'))] == ["E023"]


def test_without_a_manifest_that_can_be_read_names_are_not_doubted() -> None:
    assert [code for code, _ in found("parties = [")] == ["E020"]
    assert [code for code, _ in found("parties = [", CLAUSES.replace("> 2", "> 20"))] == ["E020", "E012"]


def test_a_clause_with_an_error_has_no_warnings_and_its_neighbour_has() -> None:
    clauses = CLAUSES.replace("> 2", "> 20").replace('@review("2027-06-30")\n', "") + CLAUSES.replace(
        "2027-06-30", "2026-11-01"
    ).replace('"red"', '"next"')
    assert found(clauses=clauses) == [("E012", "20"), ("W001", '@review("2026-11-01")')]


def test_a_party_that_is_none_is_warned_of_in_permits_alone() -> None:
    permit = CLAUSES.replace("forbid", "permit")
    assert found(clauses=permit) == [("W003", 'Partner::"NZL"')]
    in_condition = permit.replace(' == Partner::"NZL"', "").replace(
        "when {", 'when { principal != Partner::"NZL" &&'
    )
    assert found(clauses=in_condition) == [("W003", 'Partner::"NZL"')]


@pytest.mark.parametrize(
    ("test", "is_over"),
    [
        ('context.now < datetime("2026-10-31")', True),
        ('context.now <= datetime("2026-10-31T23:59:59Z")', True),
        ('context.now < datetime("2026-11-01")', False),
        ('context.now >= datetime("2026-10-31")', False),
    ],
)
def test_a_time_that_is_over(test: str, is_over: bool) -> None:
    clauses = CLAUSES.replace("resource.level > 2", f"resource.level > 2 && {test}")
    assert found(clauses=clauses) == ([("W008", test)] if is_over else [])


def test_warnings_do_not_stop_adoption() -> None:
    findings = examine(MANIFEST, CLAUSES.replace('@review("2027-06-30")\n', ""), TODAY)
    assert [(each.code, each.is_error) for each in findings] == [("W002", False)]

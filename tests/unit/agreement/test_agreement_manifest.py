"""Reading an agreement: the manifest, its table of levels, the version, and the text for another pair."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tearline.agreement import Agreement, Agreements, between, check, load
from tearline.terms import BadInput, Level, Refused

MANIFEST = """
id = "two"
title = "Agreement of two"
parties = ["AUS", "GBR"]
valid_from = 2026-01-01
valid_until = 2027-01-01

[levels.GBR]
RESTRICTED = "CONFIDENTIAL"
SECRET = "SECRET"
"""
CLAUSES = """
@id("whole")
@reason("Example.")
permit (principal == Partner::"GBR", action == Action::"release", resource)
when { resource.level <= 3 };
"""


def read(manifest: str = MANIFEST, clauses: str = CLAUSES) -> Agreement:
    return load(manifest, clauses, "two")


def test_a_read_agreement_has_what_its_files_say() -> None:
    agreement = read()
    assert (agreement.id, agreement.title, agreement.parties) == ("two", "Agreement of two", {"AUS", "GBR"})
    assert agreement.bounds == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert (agreement.manifest, agreement.clauses) == (MANIFEST, CLAUSES)
    assert check(agreement) == []
    agreement.must_be_sound()


@pytest.mark.parametrize(
    ("level", "common"),
    [
        ((), Level.UNCLASSIFIED),
        ((("GBR", Level.SECRET),), Level.SECRET),
        ((("GBR", Level.RESTRICTED),), Level.CONFIDENTIAL),
        ((("GBR", Level.CONFIDENTIAL),), None),
        ((("AUS", Level.UNCLASSIFIED),), None),
        ((("AUS", Level.UNCLASSIFIED), ("GBR", Level.SECRET)), None),
    ],
)
def test_a_level_is_put_on_the_common_scale_and_no_row_means_no(
    level: tuple[tuple[str, Level], ...], common: Level | None
) -> None:
    assert read().common_rank(level) == common


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ('id = "two"', 'id = "Two!"', "$.id", "match"),
        ('id = "two"', "", "agreement.toml", "id"),
        ('parties = ["AUS", "GBR"]', 'parties = ["AUS"]', "$.parties", "length"),
        ('parties = ["AUS", "GBR"]', 'parties = "AUS"', "$.parties", "array"),
        ('"GBR"]', '"gbr"]', "$.parties", "match"),
        ("valid_from", "validfrom", "agreement.toml", "validfrom"),
        ("2027-01-01", "2026-01-01", "valid_until", "not after"),
        ("2027-01-01", '"soon"', "$.valid_until", "date"),
        ('SECRET = "SECRET"', 'SECRET = "RESTRICTED"', "levels.GBR.SECRET", "lowers SECRET to RESTRICTED"),
        ('SECRET = "SECRET"', 'SECRE = "SECRET"', "levels.GBR.SECRE", "names no rank"),
        ('RESTRICTED = "CONFIDENTIAL"', 'RESTRICTED = "TOP_SECRET"', "levels.GBR", "below a lower one"),
        ("[levels.GBR]", "[levels.GBR", "agreement.toml", "not TOML"),
    ],
)
def test_a_manifest_that_is_none_is_refused_with_place_and_reason(
    old: str, new: str, place: str, reason: str
) -> None:
    assert old in MANIFEST
    with pytest.raises(BadInput) as caught:
        read(MANIFEST.replace(old, new))
    assert place in caught.value.place
    assert reason in caught.value.reason


def test_clauses_that_are_not_cedar_are_refused_with_their_place() -> None:
    with pytest.raises(BadInput, match="line 6, column 1: this is not Cedar"):
        read(clauses=CLAUSES + "give (everything);")


def test_a_string_with_a_line_break_is_quoted_in_one_sentence() -> None:
    with pytest.raises(BadInput) as refused:
        load(MANIFEST, 'permit (principal "a\nb");', "agreement")
    assert "\n" not in str(refused.value)


def test_an_unsound_agreement_is_read_but_never_in_force() -> None:
    agreement = read(clauses=CLAUSES.replace("<= 3", "<= 30"))
    assert [finding.code for finding in check(agreement)] == ["E012"]
    with pytest.raises(Refused, match="line 5, column 26: E012"):
        agreement.must_be_sound()
    with pytest.raises(Refused, match="E012"):
        Agreements("AUS", [agreement])


def test_two_versions_of_one_agreement_are_never_in_force() -> None:
    with pytest.raises(Refused, match="two versions"):
        Agreements("AUS", [read(), read(clauses=CLAUSES.replace("<= 3", "<= 2"))])


@pytest.mark.parametrize(
    ("manifest", "clauses"),
    [
        (MANIFEST.replace("\n\n", "\n# A comment.\n\n").replace(" = ", "="), CLAUSES),
        (MANIFEST.replace('["AUS", "GBR"]', '["GBR", "AUS"]'), CLAUSES),
        (MANIFEST, "// A comment.\n" + CLAUSES.replace("\n", "\n  ")),
    ],
)
def test_layout_comments_and_order_do_not_change_the_version(manifest: str, clauses: str) -> None:
    assert read(manifest, clauses).version == read().version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Agreement of two", "Agreement of 2"),
        ('["AUS", "GBR"]', '["AUS", "GBR", "NZL"]'),
        ("2027-01-01", "2027-01-02"),
        ('SECRET = "SECRET"', 'SECRET = "TOP_SECRET"'),
        ("valid_from", 'others = ["NZL"]\nvalid_from'),
        ("<= 3", "<= 2"),
        ("permit", "forbid"),
        ("Example.", "Another."),
        ("when", "unless"),
    ],
)
def test_whatever_has_a_meaning_changes_the_version(old: str, new: str) -> None:
    assert old in MANIFEST + CLAUSES
    changed = read(MANIFEST.replace(old, new), CLAUSES.replace(old, new))
    assert changed.version != read().version


def test_a_number_beyond_json_is_refused_and_not_rounded() -> None:
    with pytest.raises(BadInput, match="a number is too large"):
        read(clauses=CLAUSES.replace("<= 3", "<= 9007199254740993"))


def test_the_text_for_another_pair_replaces_both_names_as_whole_words() -> None:
    manifest = MANIFEST.replace('"two"', '"aus-gbr"').replace("of two", "of AUS and GBR, not AUSTRIA")
    other = between(read(manifest), ("AUS", "GBR"), ("GBR", "NZL"))
    assert (other.id, other.title, other.parties) == (
        "gbr-nzl",
        "Agreement of GBR and NZL, not AUSTRIA",
        {"GBR", "NZL"},
    )
    assert list(other.levels) == ["NZL"]
    assert 'Partner::"NZL"' in other.clauses
    assert check(other) == []
    assert between(other, ("GBR", "NZL"), ("AUS", "GBR")).version == read(manifest).version

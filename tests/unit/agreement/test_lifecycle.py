from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tearline.agreement import Action, Agreement, Agreements, Facts, Verdict, check, load
from tearline.agreement.lifecycle import Notice, kept, notices, red_lines
from tearline.terms import Broken, Category, Discipline, Reach, Topic, Use

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANIFEST = """\
id = "pair"
title = "A pair"
parties = ["GBR", "USA"]
valid_from = 2026-01-01
valid_until = 2027-01-01
levels = {}
"""
CLAUSES = """\
// What is given; a comment with "permit" in it.
@id("all") @reason("Example; with a semicolon.") @review("2026-11-22")
permit (principal, action in Action::"share", resource);
@id("no-air") @reason("Example.") @review("2026-11-23")
forbid (principal, action in Action::"share", resource) when { resource.topics.contains(Topic::"air") };
"""


def facts(*topics: Topic) -> Facts:
    return Facts(
        originator="GBR",
        category=Category.CYBER,
        level=(),
        topics=frozenset(topics),
        regions=frozenset(),
        disciplines=frozenset({Discipline.UNKNOWN}),
        reach=Reach.GREEN,
        use=Use.CLEAR,
    )


def other(**changes: str) -> Agreement:
    manifest = MANIFEST.replace('"pair"', f'"{changes.pop("id", "other")}"')
    for old, new in (("2027-01-01", changes.pop("until", "2027-01-01")),):
        manifest = manifest.replace(old, new)
    return load(manifest, changes.pop("clauses", CLAUSES), "other")


def test_suspended_an_agreement_permits_nothing_and_forbids_as_before() -> None:
    whole = load(MANIFEST, CLAUSES, "pair")
    lines = red_lines(whole)
    assert [clause.id for clause in lines.parsed] == ["no-air"]
    assert check(lines) == []
    assert (lines.id, lines.parties, lines.bounds) == (whole.id, whole.parties, whole.bounds)
    both = Agreements("GBR", [lines, other()])
    (ruling,) = both.rule(facts(Topic.AIR), {"USA": frozenset()}, Action.RELEASE, NOW).values()
    assert (ruling.verdict, ruling.clauses) == (Verdict.FORBID, ("other/no-air", "pair/no-air"))
    (ruling,) = both.rule(facts(), {"USA": frozenset()}, Action.RELEASE, NOW).values()
    assert (ruling.verdict, ruling.clauses) == (Verdict.PERMIT, ("other/all",))
    alone = Agreements("GBR", [lines])
    (ruling,) = alone.rule(facts(), {"USA": frozenset()}, Action.RELEASE, NOW).values()
    assert ruling.verdict is Verdict.NO_CLAUSE


def test_suspended_its_forms_stay_in_their_place() -> None:
    """Else another's sharper form could come first, and suspending would release more."""
    coarse = '\n[forms.coarse]\nkind = "imagery"\ngsd_m = 30\n'
    whole = load(MANIFEST + coarse, CLAUSES, "pair")
    assert [form.name for form in whole.forms] == ["coarse"]
    assert red_lines(whole).forms == whole.forms
    assert Agreements("GBR", [red_lines(whole)]).forms("USA", NOW) == whole.forms


def test_without_forbids_nothing_is_left() -> None:
    lines = red_lines(other(clauses=CLAUSES.partition('@id("no-air")')[0]))
    assert lines.parsed == ()
    (ruling,) = Agreements("GBR", [lines]).rule(facts(), {"USA": frozenset()}, Action.RELEASE, NOW).values()
    assert ruling.verdict is Verdict.NO_CLAUSE


def test_a_kept_text_is_the_one_that_was_kept() -> None:
    whole = load(MANIFEST, CLAUSES, "pair")
    assert kept(whole.version, MANIFEST, CLAUSES) == whole
    with pytest.raises(Broken, match="was changed"):
        kept(whole.version, MANIFEST, CLAUSES.replace("forbid", "permit"))
    with pytest.raises(Broken, match="was changed"):
        kept(whole.version, MANIFEST.replace("2027", "2028"), CLAUSES)


def told(*agreements: Agreement, at: datetime = NOW, days: int = 60) -> list[str]:
    return [notice.sentence(at.date()) for notice in notices(agreements, at, timedelta(days=days))]


def test_what_is_announced() -> None:
    assert told(load(MANIFEST, CLAUSES, "pair")) == [
        "pair/all should have been reviewed by 2026-11-22, 1 day ago",
        "pair expires on 2027-01-01, 39 days from now",
    ]
    assert told(other(clauses="", until="2027-01-23")) == []
    assert told(other(clauses="", until="2027-01-22")) == ["other expires on 2027-01-22, 60 days from now"]
    assert told(other(clauses="", until="2026-11-24"), days=0) == []
    assert told(other(clauses="", until="2026-11-24"), days=1) == [
        "other expires on 2026-11-24, 1 day from now"
    ]


def test_what_is_over_comes_first_and_nags_no_more() -> None:
    over = datetime(2027, 1, 1, tzinfo=UTC)
    assert told(other(until="2027-02-01", id="next"), load(MANIFEST, CLAUSES, "pair"), at=over)[:2] == [
        "pair has expired on 2027-01-01: it permits nothing any more",
        "next/all should have been reviewed by 2026-11-22, 40 days ago",
    ]
    assert told(load(MANIFEST, CLAUSES, "pair"), at=over - timedelta(milliseconds=1))[-1] == (
        "pair expires on 2027-01-01, 1 day from now"
    )
    assert notices([load(MANIFEST, CLAUSES, "pair")], over, timedelta(0)) == [
        Notice("pair", "expired", date(2027, 1, 1))
    ]

"""A suspension as an agreement of nothing but forbids: its words, its clause, its bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tearline.agreement import Action, Agreements, Facts, Verdict, check
from tearline.agreement.suspension import ID, Scope, Suspension, compiled, read_moment
from tearline.terms import BadInput, Category, Discipline, Reach, Topic, Use
from tests.releases import report

NOW = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)
END = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)

scopes = st.one_of(
    st.just(Scope()),
    st.frozensets(st.sampled_from(Category), min_size=1).map(lambda names: Scope(categories=names)),
    st.frozensets(st.sampled_from(Topic), min_size=1, max_size=4).map(lambda names: Scope(topics=names)),
)


def order(scope: Scope = Scope(), **more: Any) -> Suspension:  # noqa: B008 - frozen
    given = {"partner": "UKR", "since": NOW, "until": None, "reason": "Example.", "officer": "heron-1"}
    return Suspension(scope=scope, **(given | more))


def facts(category: Category = Category.CYBER, *topics: Topic) -> Facts:
    return Facts(
        originator="USA",
        category=category,
        level=(),
        topics=frozenset(topics),
        regions=frozenset(),
        disciplines=frozenset({Discipline.UNKNOWN}),
        reach=Reach.CLEAR,
        use=Use.CLEAR,
    )


def is_stopped(suspension: Suspension, what: Facts, now: datetime = NOW) -> bool:
    """Whether its clause forbids; asked of the engine, beside an agreement that permits everything."""
    rules = Agreements("USA", [compiled("USA", [suspension]), everything()])
    rulings = rules.rule(what, {"UKR": frozenset(), "GBR": frozenset()}, Action.RELEASE, now)
    assert rulings["GBR"].verdict is Verdict.PERMIT
    assert rulings["UKR"].verdict in {Verdict.PERMIT, Verdict.FORBID}
    return rulings["UKR"].verdict is Verdict.FORBID


def everything() -> Any:
    from tearline.agreement import load

    manifest = (
        'id = "all"\ntitle = "All"\nparties = ["USA", "UKR", "GBR"]\n'
        "valid_from = 2020-01-01\nvalid_until = 2040-01-01\n[levels]\n"
    )
    clause = '@id("all") @reason("Example.") permit (principal, action in Action::"share", resource);'
    return load(manifest, clause, "all")


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("all", Scope()),
        ("category=cyber", Scope(categories=frozenset({Category.CYBER}))),
        ("category=cyber, report", Scope(categories=frozenset({Category.CYBER, Category.REPORT}))),
        ("topic=air,threat-to-life", Scope(topics=frozenset({Topic.AIR, Topic.THREAT_TO_LIFE}))),
    ],
)
def test_scopes_are_read(text: str, scope: Scope) -> None:
    assert Scope.read(text) == scope
    assert Scope.read(str(scope)) == scope


@pytest.mark.parametrize(
    "text",
    ["", "ALL", "none", "category", "category=", "category=cyber,", "topic=cyber", "topics=air", "=air"],
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--scope"):
        Scope.read(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-01", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01T12:00:00Z", datetime(2027, 1, 1, 12, tzinfo=UTC)),
        ("2027-01-01T12:00:00+02:00", datetime(2027, 1, 1, 10, tzinfo=UTC)),
    ],
)
def test_moments_are_read(text: str, moment: datetime) -> None:
    assert read_moment("--until", text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2027-02-30", "2027-01-01T12:00:00", "2027-01-01T12:00:00.5Z", "20270101", "2027-W01-1"],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--until"):
        read_moment("--until", text)


@given(scopes, st.none() | st.just(END), st.none() | st.just(date(2027, 1, 1)), st.text())
def test_it_keeps_to_the_profile_whatever_the_officer_says(
    scope: Scope, until: datetime | None, review: date | None, reason: str
) -> None:
    made = compiled("USA", [order(scope, until=until, review=review, reason=reason), order(partner="USA")])
    assert check(made) == []
    assert {clause.tree.effect for clause in made.parsed} == {"forbid"}
    assert made.id == ID
    assert made.parties & {"UKR", "GBR"} == set(), "it makes nobody a partner"


@given(scopes, st.sampled_from(Category), st.frozensets(st.sampled_from(Topic), max_size=3))
def test_the_clause_and_the_scope_say_the_same(
    scope: Scope, category: Category, topics: frozenset[Topic]
) -> None:
    product = msgspec.structs.replace(report(content="x", own=None), category=category, topics=topics)
    assert scope.covers(product) is is_stopped(order(scope), facts(category, *topics))


def test_it_ends_at_the_moment_and_not_before() -> None:
    order_ = order(until=END)
    millisecond = timedelta(milliseconds=1)
    assert is_stopped(order_, facts(), END - millisecond)
    assert not is_stopped(order_, facts(), END)
    assert is_stopped(order(), facts(), END)


def test_it_holds_before_it_was_ordered_too() -> None:
    """A clock that is set back does not open it."""
    assert is_stopped(order(), facts(), NOW - timedelta(days=1000))


def test_its_id_is_of_all_that_it_says() -> None:
    said = [
        order(),
        order(Scope.read("category=cyber")),
        order(partner="GBR"),
        order(since=NOW + timedelta(microseconds=1)),
        order(until=END),
        order(review=date(2027, 1, 1)),
        order(reason="Other."),
        order(officer="heron-2"),
    ]
    assert len({each.id for each in said}) == len(said)
    assert order().id == order().id
    # The instant counts, not how it is written.
    assert order(since=datetime.fromisoformat("2026-11-23T12:00:00.123456+02:00")).id == order().id

"""Rulings: who counts as what, forbids for all, levels without a row, the clock, many partners at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tearline.agreement import Action, Agreements, Facts, Ruling, Verdict, evaluate
from tearline.terms import Category, Discipline, Level, Reach, Region, Topic, Use
from tests import strategies_gate as made

ROWS = {"USA": {level: level for level in Level}}
ALL = ("release", "releaseTearline")
PERMIT = made.Clause("permit", (), ALL)
GBR, AUS, NZL = "GBR", "AUS", "NZL"


def facts(level: Level | None = Level.SECRET, *, policy: str = "USA", topic: Topic = Topic.AIR) -> Facts:
    return Facts(
        originator="USA",
        category=Category.REPORT,
        level=() if level is None else ((policy, level),),
        topics=frozenset({topic}),
        regions=frozenset({Region.GLOBAL}),
        disciplines=frozenset({Discipline.OSINT}),
        reach=Reach.CLEAR,
        use=Use.CLEAR,
    )


def deal(
    name: str, *clauses: made.Clause, parties: str = "USA GBR", levels: object = None, **rest: date
) -> made.Deal:
    rows = ROWS if levels is None else levels
    return made.Deal(name, frozenset(parties.split()), rows, clauses, **rest)  # type: ignore[arg-type]


def rule(
    *deals: made.Deal,
    about: Facts | None = None,
    action: Action = Action.RELEASE,
    now: datetime = made.NOW,
    partner: str = GBR,
    coalitions: frozenset[str] = frozenset(),
) -> Ruling:
    return made.compiled(deals).rule(about or facts(), {partner: coalitions}, action, now)[partner]


def test_a_permit_is_named_with_its_agreement() -> None:
    assert rule(deal("a", PERMIT), deal("b", PERMIT)) == Ruling(Verdict.PERMIT, ("a/c0", "b/c0"))


def test_an_agreement_counts_only_between_its_parties() -> None:
    assert rule(deal("a", PERMIT, parties="USA AUS")).verdict is Verdict.NO_AGREEMENT
    assert rule(deal("a", PERMIT, parties="GBR AUS")).verdict is Verdict.NO_AGREEMENT
    assert (
        rule(deal("a", PERMIT, parties="USA AUS"), deal("b", parties="USA GBR")).verdict is Verdict.NO_CLAUSE
    )


def test_without_a_clause_nothing_is_permitted() -> None:
    assert rule(deal("a")).verdict is Verdict.NO_CLAUSE
    assert rule().verdict is Verdict.NO_AGREEMENT


def test_a_forbid_is_global() -> None:
    """It holds for a partner with whom its agreement is not, and over every permit."""
    forbid = made.Clause("forbid", (), ALL, (("any of", "topics", (Topic.AIR,)),))
    deals = deal("open", PERMIT), deal("red", forbid, parties="USA AUS")
    assert rule(*deals) == Ruling(Verdict.FORBID, ("red/c0",))
    assert rule(*deals, about=facts(topic=Topic.LAND)).verdict is Verdict.PERMIT
    apart = deal("red", forbid, parties="USA AUS", levels={"USA": {Level.SECRET: Level.TOP_SECRET}})
    assert rule(deals[0], apart) == Ruling(Verdict.FORBID, ("red/c0",))


def test_a_forbid_of_an_agreement_that_is_not_the_nodes_does_not_count() -> None:
    assert (
        rule(deal("a", PERMIT), deal("b", made.Clause("forbid", (), ALL), parties="AUS NZL")).verdict
        is Verdict.PERMIT
    )


def test_each_agreement_sees_the_level_on_its_own_scale() -> None:
    up_to_confidential = made.Clause("permit", (), ALL, (("compare", "level", "<=", 2),))
    kept = deal("kept", up_to_confidential)
    raised = deal("raised", up_to_confidential, levels={"USA": {Level.CONFIDENTIAL: Level.SECRET}})
    assert rule(raised, about=facts(Level.CONFIDENTIAL)).verdict is Verdict.NO_CLAUSE
    assert rule(raised, kept, about=facts(Level.CONFIDENTIAL)) == Ruling(Verdict.PERMIT, ("kept/c0",))


def test_a_level_without_a_row_is_above_all_ranks_for_forbids_and_has_no_permits() -> None:
    high = made.Clause("forbid", (), ALL, (("compare", "level", ">", 4),))
    # The profile has no rank 5: `> 4` can only be a level without a row.
    fewer = {"USA": {Level.UNCLASSIFIED: Level.UNCLASSIFIED}}
    assert rule(deal("a", PERMIT, levels=fewer)).verdict is Verdict.NO_LEVEL
    assert rule(deal("a", PERMIT), deal("b", PERMIT, levels=fewer)) == Ruling(Verdict.PERMIT, ("a/c0",))
    assert rule(deal("a", PERMIT), deal("b", high, levels=fewer)) == Ruling(Verdict.FORBID, ("b/c0",))
    assert rule(deal("a", PERMIT), about=facts(policy="FRA")).verdict is Verdict.NO_LEVEL
    assert rule(deal("a", PERMIT), about=facts(None)).verdict is Verdict.PERMIT


def test_whole_and_tearline_are_ruled_apart() -> None:
    only = deal("a", made.Clause("permit", (), ("releaseTearline",)))
    assert rule(only).verdict is Verdict.NO_CLAUSE
    assert rule(only, action=Action.RELEASE_TEARLINE).verdict is Verdict.PERMIT


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (datetime.fromisoformat("2026-10-31T23:59:59.999999+00:00"), Verdict.NO_AGREEMENT),
        (datetime.fromisoformat("2026-11-01T00:00:00+00:00"), Verdict.PERMIT),
        (datetime.fromisoformat("2026-11-01T01:00:00+02:00"), Verdict.NO_AGREEMENT),
        (datetime.fromisoformat("2026-11-01T23:59:59.999999+00:00"), Verdict.PERMIT),
        (datetime.fromisoformat("2026-11-02T00:00:00+00:00"), Verdict.NO_AGREEMENT),
    ],
)
def test_an_agreement_holds_from_its_first_day_up_to_its_end(now: datetime, verdict: Verdict) -> None:
    assert rule(deal("a", PERMIT, first=date(2026, 11, 1), end=date(2026, 11, 2)), now=now).verdict is verdict


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rule(deal("a", PERMIT), now=datetime(2026, 11, 1))


@pytest.mark.parametrize("sign", made.SIGNS)
def test_what_is_remembered_knows_the_moments_that_clauses_name(sign: str) -> None:
    """The same facts, asked in turn around a moment in both orders: as if each were asked alone."""
    around = [timedelta(microseconds=us) for us in (-1000, -1, 0, 1, 999, 1000, 1001, -1000)]
    timed = made.Clause("permit", (), ALL, (("now", sign, made.NOW),))
    together = made.compiled((deal("a", timed),))
    for after in [*around, *reversed(around)]:
        now = made.NOW + after
        alone = rule(deal("a", timed), now=now)
        assert together.rule(facts(), {GBR: frozenset()}, Action.RELEASE, now)[GBR] == alone
        milliseconds = now.replace(microsecond=now.microsecond // 1000 * 1000)
        holds = {"<": milliseconds < made.NOW, "<=": milliseconds <= made.NOW}
        expected = holds[sign] if sign in holds else not holds[{">": "<=", ">=": "<"}[sign]]
        assert (alone.verdict is Verdict.PERMIT) == expected


def test_many_partners_at_once_are_ruled_as_each_alone() -> None:
    clauses = (
        made.Clause("permit", (("partner", AUS),), ("release",)),
        made.Clause("permit", (("coalition", "FVEY"),), ("release",)),
        made.Clause("forbid", (("partner", GBR),), ("release",), (("coalition", "NATO"),)),
    )
    deals = (deal("a", *clauses, parties="USA AUS GBR SWE FIN UKR"),)
    partners = {
        AUS: frozenset[str](),
        GBR: frozenset({"NATO", "FVEY"}),
        "SWE": frozenset({"NATO"}),
        "FIN": frozenset({"FVEY"}),
        "UKR": frozenset({"OTHER"}),
        NZL: frozenset({"FVEY"}),
    }
    expected = {party: rule(*deals, partner=party, coalitions=groups) for party, groups in partners.items()}
    assert {ruling.verdict for ruling in expected.values()} == {
        Verdict.PERMIT,
        Verdict.FORBID,
        Verdict.NO_CLAUSE,
        Verdict.NO_AGREEMENT,
    }
    compiled = made.compiled(deals)
    for _ in range(2):
        assert compiled.rule(facts(), partners, Action.RELEASE, made.NOW) == expected
    left = {**partners, "FIN": frozenset[str]()}
    assert compiled.rule(facts(), left, Action.RELEASE, made.NOW)["FIN"].verdict is Verdict.NO_CLAUSE


def test_an_error_outweighs_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product is not there: clauses that read it fail, the others permit or forbid."""
    monkeypatch.setattr(evaluate.cedar, "with_products", lambda base, _: base)
    broken = made.Clause("forbid", (), ALL, (("compare", "use", ">", 2),))
    forbid = made.Clause("forbid", (), ALL)
    assert rule(deal("a", PERMIT)).verdict is Verdict.PERMIT
    assert rule(deal("a", PERMIT, broken)) == Ruling(Verdict.ERROR)
    assert rule(deal("a", PERMIT, forbid, broken)) == Ruling(Verdict.ERROR)
    apart = deal("b", broken, parties="USA AUS", levels={"USA": {Level.SECRET: Level.TOP_SECRET}})
    assert rule(deal("a", PERMIT), apart) == Ruling(Verdict.ERROR)


def test_memory_stays_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "REMEMBERED", 3)
    rules = made.compiled((deal("a", PERMIT),))
    for topic in Topic:
        assert (
            rules.rule(facts(topic=topic), {GBR: frozenset()}, Action.RELEASE, made.NOW)[GBR].verdict
            is Verdict.PERMIT
        )
    (span,) = rules._spans.values()
    assert len(span._known) <= 3


def test_rules_of_a_node_without_agreements() -> None:
    assert Agreements("USA", []).rule(facts(), {GBR: frozenset()}, Action.RELEASE, made.NOW) == {
        GBR: Ruling(Verdict.NO_AGREEMENT)
    }

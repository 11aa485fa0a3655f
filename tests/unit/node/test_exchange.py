"""What was exchanged with partners, counted; the state of the lines; what a suspension would do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.deliver import Scope as ConsentScope
from tearline.node import Node, consent, consider, counts, exchange, receive
from tearline.node.counts import Counts
from tearline.node.suspend import standing, suspend
from tearline.node.suspension_effect import effect
from tearline.review import requirements
from tearline.terms import Category, Refused, Topic
from tests.unit.node.world import EVERYTHING, GREEN, REPORT, bundle, malware, nodes, page, take, work

ALL, CYBER = Scope(), Scope(categories=frozenset({Category.CYBER}))
MARITIME = Scope(topics=frozenset({Topic.MARITIME}))
BY = "heron-1"


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        gbr = made[0]
        take(gbr, REPORT.encode())
        take(gbr, bundle(malware("one", GREEN), malware("two", GREEN)))
        work(gbr)
        yield made


def test_counts_are_by_partner_and_messages_are_none(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(usa, bundle(malware("theirs", GREEN)))
    work(usa)
    receive(usa, "GBR", page(gbr, usa))
    work(usa)
    receive(gbr, "USA", page(usa, gbr))
    found = exchange.summaries(gbr)
    assert (found["USA"].given.given, found["USA"].given.unreceipted, found["USA"].taken.taken) == (3, 0, 1)
    assert (found["CAN"].given.given, found["CAN"].given.unreceipted, found["CAN"].taken.taken) == (3, 3, 0)
    assert exchange.summaries(gbr, "CAN") == {"CAN": found["CAN"]}


def test_what_a_suspension_stopped_was_not_given(three: list[Node]) -> None:
    gbr = three[0]
    suspend(gbr, "USA", CYBER, officer=BY, reason="Example.")
    given = exchange.summaries(gbr)["USA"].given
    assert (given.given, given.waiting, given.stopped, given.unreceipted) == (1, 0, 2, 1)
    _, flows = exchange.flows(gbr, "USA")
    assert {each.category: each.given for each in flows} == {"report": 1}


def test_the_months_are_whole_and_end_today(three: list[Node]) -> None:
    months, flows = exchange.flows(three[0], "USA")
    assert (months[0], months[-1], len(months)) == ("2025-12", "2026-11", 12)
    assert {(each.month, each.category): each.given for each in flows} == {
        ("2026-11", "cyber"): 2,
        ("2026-11", "report"): 1,
    }


def test_the_line_tells_how_far_the_post_is(three: list[Node]) -> None:
    gbr = three[0]
    line = exchange.line(gbr, "USA")
    assert (line.pushed_to, line.pulled_to, line.to_push, line.unserved) == (None, None, True, 3)
    assert line.certificate_until is not None
    assert line.certificate_until > gbr.clock() + timedelta(days=100)
    while gbr.view("USA").has_to_push():
        _, pushed = gbr.view("USA").push(50)
        gbr.view("USA").pushed(pushed)
    line = exchange.line(gbr, "USA")
    assert (line.to_push, line.unserved) == (False, 0)
    assert line.pushed_to is not None
    with pytest.raises(Refused, match="not a partner"):
        exchange.line(gbr, "FRA")


# --- What a suspension would do -------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "of_each"), [(ALL, (1, 2, 2)), (CYBER, (1, 1, 1)), (MARITIME, (0, 1, 1))])
def test_what_is_foretold_is_what_happens(
    three: list[Node], scope: Scope, of_each: tuple[int, int, int]
) -> None:
    gbr = three[0]
    served = gbr.view("USA").serve(OUT, EVERYTHING, after=-1, limit=2)  # definitions go first
    assert len(served.items) == 2
    take(gbr, bundle(malware("waits", GREEN)))
    consider(gbr)
    told = effect(gbr, "USA", scope)
    suspend(gbr, "USA", scope, officer=BY, reason="Example.")
    stopped = sum(each.stopped for each in standing(gbr))
    assert stopped == sum(told.stopped.values()) + sum(told.held_back.values())
    assert sum(told.stopped.values()) == of_each[0]
    given = exchange.summaries(gbr)["USA"].given.given
    in_scope = {"all": 3, "category=cyber": 2, "topic=maritime": 1}[str(scope)]
    assert told.served == in_scope - sum(told.held_back.values())
    assert given == 3 - sum(told.held_back.values())


def test_what_would_no_longer_go_is_counted_once_each(three: list[Node]) -> None:
    told = effect(three[0], "USA", ALL)
    assert told.withheld == {("2026-11", "cyber"): 2, ("2026-11", "report"): 1}
    assert effect(three[0], "USA", MARITIME).withheld == {("2026-11", "report"): 1}
    with pytest.raises(Refused):
        effect(three[0], "FRA", ALL)


def test_consents_that_would_be_revoked_are_counted(three: list[Node]) -> None:
    gbr = three[0]
    consent.give_standing(gbr, "CAN", "USA", ConsentScope(), officer=BY)
    assert (effect(gbr, "USA", ALL).consents, effect(gbr, "CAN", ALL).consents) == (1, 0)


def test_requirements_that_lose_are_named(three: list[Node]) -> None:
    gbr = three[0]
    text = '[[requirement]]\nid = "R-1"\nquestion = "Barges?"\nmarking = "TLP:RED"\nholder = "USA"\n'
    wanted = requirements.read(text, "r.toml", date(2026, 11, 23))
    (lost,) = effect(gbr, "USA", ALL, wanted).coverage
    assert lost.requirement == "R-1"
    assert lost.covered[0] > lost.covered[1] == 0
    assert not effect(gbr, "CAN", ALL, wanted).coverage


def test_counts_that_took_long_are_told_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], list[int]()
    monkeypatch.setattr(counts, "monotonic", lambda: now[0])
    kept: Counts[int] = Counts()

    def count() -> int:
        now[0] += 2 if asked else 0.1
        asked.append(0)
        return len(asked)

    assert [kept.get("a", count) for _ in range(3)] == [1, 2, 2], "the first was quick"
    now[0] += 19
    assert kept.get("a", count) == 2
    now[0] += 2
    assert kept.get("a", count) == 3

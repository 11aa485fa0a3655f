"""Law 7: after a suspension is on the ledger, nothing in scope goes out; and what else it must not touch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.adapters import store
from tearline.adapters.view import OUT, Closing
from tearline.agreement.suspension import Inbound, Scope
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, receive, reconsider, take_inbox, verify_ledger
from tearline.node.suspend import (
    attend,
    end_due,
    notices,
    refused_givers,
    resume,
    settle,
    standing,
    suspend,
)
from tearline.terms import BadInput, Category, Refused, Topic
from tests.adoption import OFFICERS, approve
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    REPORT,
    add_to_inbox,
    bundle,
    codes,
    entries,
    held,
    malware,
    names,
    nodes,
    page,
    page_of,
    releases,
    take,
    work,
)

ALL = Scope()
CYBER = Scope(categories=frozenset({Category.CYBER}))
MARITIME = Scope(topics=frozenset({Topic.MARITIME}))


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def stop(node: Node, partner: str = "USA", scope: Scope = ALL, **more: Any) -> str:
    given = {"officer": OFFICERS[0], "reason": "Example."} | more
    return suspend(node, partner, scope, **given).id


def end(node: Node, partner: str, name: str) -> None:
    approve(node, "resume-partner", f"{partner}@{name}")
    resume(node, partner, name, officer=OFFICERS[1], why="Example.")


def serve(node: Node, party: str, limit: int = 1000) -> list[bytes]:
    """What the door sends to a partner that asks."""
    return node.view(party).serve(OUT, EVERYTHING, after=-1, limit=limit).items


def crash(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def crash_once_after(monkeypatch: pytest.MonkeyPatch, where: str) -> Callable[[], bool]:
    """In the place of `is_closing`, which `settle` asks first: from then on `where` is the end."""

    def is_closing() -> bool:
        monkeypatch.setattr(where, crash)
        return True

    return is_closing


# --- what is stopped ------------------------------------------------------------------------------


def test_what_is_taken_in_later_goes_to_the_others_only(three: list[Node]) -> None:
    gbr, usa, can = three
    stop(gbr)
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    assert page(gbr, usa) == []
    assert names(page(gbr, can)) == ["a"]
    assert codes(gbr) == {("USA", "withhold", "agreement.forbid"): 1, ("CAN", "whole", "agreement.permit"): 1}


def test_what_waits_in_the_outbox_stays_there(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    stop(gbr)
    work(gbr)
    assert page(gbr, usa) == []
    assert names(page(gbr, can)) == ["a"]
    (one,) = standing(gbr)
    assert (one.suspension.partner, one.stopped) == ("USA", 1)
    (told,) = entries(gbr, Act.RELEASES_STOPPED)
    assert told.body["partner"] == "USA"
    assert len(told.body["releases"]) == 1


def test_what_was_never_served_is_held_back_and_what_was_served_stays(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    seen = serve(gbr, "USA")
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "b"]
    stop(gbr)
    assert page_of(gbr, "USA") == seen
    assert sorted(names(page(gbr, can))) == ["a", "b"]
    assert gbr.view("USA").held_back() == {one for party, one, _, _, at in releases(gbr) if at is None}
    assert standing(gbr)[0].stopped == 1
    assert verify_ledger(gbr)[1] == []


def test_markings_and_identities_nobody_names_any_more_are_held_back_too(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    stop(gbr)
    assert page_of(gbr, "USA") == []
    assert len(page_of(gbr, "CAN")) > 1


def test_what_a_release_names_that_still_goes_is_not_held_back(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    take(gbr, REPORT.encode())
    work(gbr)
    stop(gbr, scope=CYBER)
    left = page(gbr, usa)
    there = {item["id"] for item in left}
    (report,) = [item for item in left if item["type"] == "report"]
    named = {report["created_by_ref"], *report["object_marking_refs"], *report["extensions"]}
    assert named <= there
    assert there == named | {report["id"]}, "what only the other release named is gone"


@pytest.mark.parametrize(
    ("scope", "left"),
    [(ALL, []), (CYBER, ["Barges at Velna"]), (MARITIME, ["a"])],
    ids=["all", "category", "topic"],
)
@pytest.mark.parametrize("when", ["before", "queued", "delivered"])
def test_only_what_is_in_scope_is_stopped(
    three: list[Node], scope: Scope, left: list[str], when: str
) -> None:
    gbr, usa, can = three
    if when == "before":
        stop(gbr, scope=scope)
    take(gbr, bundle(malware("a", GREEN)))
    take(gbr, REPORT.encode())
    if when != "before":
        consider(gbr)
    if when == "delivered":
        work(gbr)
    if when != "before":
        stop(gbr, scope=scope)
    work(gbr)
    assert names(page(gbr, usa)) == left
    assert sorted(names(page(gbr, can))) == ["Barges at Velna", "a"]
    assert verify_ledger(gbr)[1] == []


def test_what_is_ordered_about_one_partner_holds_nothing_back_from_another(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    take(gbr, REPORT.encode())
    work(gbr)
    stop(gbr, "CAN", CYBER)
    stop(gbr, "USA", MARITIME)
    assert names(page(gbr, usa)) == ["a"]
    assert names(page(gbr, can)) == ["Barges at Velna"]


def test_an_outcome_judged_just_before_is_not_queued(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    real = gate.consider

    def with_a_suspension_after_it(*given: Any, **more: Any) -> Any:
        monkeypatch.undo()
        answer = real(*given, **more)
        with Node.open(gbr.home.folder) as other:
            stop(other)
        return answer

    monkeypatch.setattr(gate, "consider", with_a_suspension_after_it)
    work(gbr)
    assert page(gbr, usa) == []
    assert [row for row in releases(gbr) if row[0] == "USA"] == []


def test_a_suspension_waits_for_a_delivery_under_way_and_holds_it_back(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has read what waits; the command comes before it has sealed: one of them must wait."""
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    consider(gbr)
    module = import_module("tearline.node.hand_over")  # its function has the same name
    tried: list[str] = []
    real = module._seal_rows

    def sealing(node: Node, party: str, rows: Any) -> None:
        if not tried:
            with closing(sqlite3.connect(gbr.home.database, timeout=0)) as other:
                with suppress(sqlite3.OperationalError):
                    other.execute("BEGIN IMMEDIATE")
                    tried.append("no lock was held")
                tried.append("asked")
        real(node, party, rows)

    monkeypatch.setattr(module, "_seal_rows", sealing)
    hand_over(gbr)
    assert tried == ["asked"]
    stop(gbr)
    assert page(gbr, usa) == []


def test_a_consent_to_onward_release_does_not_reach_a_suspended_partner(three: list[Node]) -> None:
    """What an ally made and consents to pass on does not go to the suspended one either."""
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    (ours,) = [one.product for one in held(gbr)]
    label = msgspec.structs.replace(ours.label, owners=frozenset({"AUS"}))
    theirs = msgspec.structs.replace(ours, originator="AUS", label=label)
    partners = list(gbr.partners.values())
    consents = {party: frozenset({"AUS"}) for party in gbr.partners}

    def answers() -> dict[str, str]:
        outcomes = gate.consider(theirs, partners, gbr.rules, gbr.clock(), consents)
        return {party: type(outcome).__name__ for party, outcome in outcomes.items()}

    assert answers() == {"USA": "Whole", "CAN": "Whole"}
    stop(gbr)
    assert answers() == {"USA": "Withhold", "CAN": "Whole"}


# --- the door meanwhile ---------------------------------------------------------------------------


def test_nothing_is_read_while_a_view_closes(three: list[Node]) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    view = gbr.view("USA")
    with view.begin() as writer:
        writer.set_closing(True)
    for read in (view.page, view.served, view.serve, view.manifest):
        with pytest.raises(Closing):
            read(OUT, EVERYTHING, after=-1, limit=9)
    assert view.page("in", EVERYTHING, after=-1, limit=9).items == []
    assert attend(gbr) == 1
    assert len(serve(gbr, "USA")) > 1


# --- killed in between ----------------------------------------------------------------------------


def test_killed_before_the_ledger_nothing_has_changed(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    before = page_of(gbr, "USA")
    with Node.open(gbr.home.folder) as other:
        monkeypatch.setattr(other.log, "append", crash)
        monkeypatch.setattr("tearline.node.suspend.settle", lambda *_: False)
        with pytest.raises(KeyboardInterrupt):
            stop(other)
    monkeypatch.undo()
    assert gbr.view("USA").is_closing()
    attend(gbr)
    assert standing(gbr) == []
    assert page_of(gbr, "USA") == before
    assert entries(gbr, Act.PARTNER_SUSPENDED) == []
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "b"]


@pytest.mark.parametrize(
    "where",
    [
        "tearline.adapters.store.suspensions",
        "tearline.node.suspend._hold_back",
        "tearline.adapters.view.Writer.hold_back",
        "tearline.adapters.view.Writer.hold_back_unnamed",
        "tearline.adapters.store.stop",
    ],
)
def test_killed_after_the_ledger_it_holds_and_is_finished(
    three: list[Node], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    work(gbr)
    with Node.open(gbr.home.folder) as other:
        monkeypatch.setattr(other.view("USA"), "is_closing", crash_once_after(monkeypatch, where))
        with pytest.raises(KeyboardInterrupt):
            stop(other)
    monkeypatch.undo()
    assert len(entries(gbr, Act.PARTNER_SUSPENDED)) == 1
    with pytest.raises(Closing):
        page_of(gbr, "USA")
    attend(gbr)
    assert page_of(gbr, "USA") == []
    assert standing(gbr)[0].stopped == 2
    assert settle(gbr, "USA") is False
    assert verify_ledger(gbr)[1] == []


def test_a_suspension_that_comes_while_another_settles_is_not_opened(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    take(gbr, bundle(malware("a", GREEN)))
    take(gbr, REPORT.encode())
    work(gbr)
    module = import_module("tearline.node.suspend")
    real, done = module._hold_back, []

    def with_another(*given: Any) -> None:
        real(*given)
        if not done:
            done.append(True)
            with Node.open(gbr.home.folder) as other:
                monkeypatch.setattr(module, "settle", lambda *_: False)  # killed before it could settle
                stop(other, scope=MARITIME)
                monkeypatch.setattr(module, "settle", settle)

    monkeypatch.setattr(module, "_hold_back", with_another)
    stop(gbr, scope=CYBER)
    assert page_of(gbr, "USA") == []
    assert [one.stopped for one in standing(gbr)] == [1, 1]


# --- how it ends ----------------------------------------------------------------------------------


def test_it_takes_the_quorum_to_resume(three: list[Node]) -> None:
    gbr = three[0]
    name = stop(gbr)
    for given in ([], [OFFICERS[0]]):
        for officer in given:
            approve(gbr, "resume-partner", f"USA@{name}", officer)
        with pytest.raises(Refused, match=f"{len(given)} of 2 officers"):
            resume(gbr, "USA", name, officer=OFFICERS[0], why="Example.")
        assert len(standing(gbr)) == 1
    approve(gbr, "resume-partner", f"CAN@{name}", OFFICERS[1])
    approve(gbr, "resume-partner", "USA@000000000000", OFFICERS[1])
    with pytest.raises(Refused, match="1 of 2"):
        resume(gbr, "USA", name, officer=OFFICERS[0], why="Example.")
    approve(gbr, "resume-partner", f"USA@{name}", OFFICERS[1])
    resume(gbr, "USA", officer=OFFICERS[0], why="Example.")
    assert standing(gbr) == []
    (told,) = entries(gbr, Act.PARTNER_RESUMED)
    assert told.body["approved_by"] == list(OFFICERS)
    with pytest.raises(Refused, match="is not suspended"):
        resume(gbr, "USA", name, officer=OFFICERS[0], why="Example.")


def test_what_was_stopped_goes_once_the_gate_has_said_so(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    take(gbr, bundle(malware("b", GREEN)))
    consider(gbr)
    last = gbr.view("CAN").manifest(OUT, EVERYTHING, after=-1, limit=99).last
    name = stop(gbr)
    work(gbr)
    assert page(gbr, usa) == []
    end(gbr, "USA", name)
    assert page(gbr, usa) == []
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "b"]
    assert gbr.view("USA").manifest(OUT, EVERYTHING, after=last, limit=99).items, "no reader has passed it"
    assert len({item["id"] for item in page(gbr, usa)}) == len(page(gbr, usa))
    assert gbr.view("USA").held_back() == set()
    assert all(at for *_, at in releases(gbr))
    assert len(entries(gbr, Act.RELEASES_CONTINUED)) == 1
    assert verify_ledger(gbr)[1] == []
    assert receive(usa, "GBR", page(gbr, usa)) == 2


def test_what_the_gate_would_not_release_today_stays_stopped(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    take(gbr, bundle(malware("b", GREEN)))
    consider(gbr)
    first, second = stop(gbr), stop(gbr, scope=CYBER)
    end(gbr, "USA", first)
    work(gbr)
    assert page(gbr, usa) == []
    assert [(one.suspension.id, one.stopped) for one in standing(gbr)] == [(second, 2)]
    end(gbr, "USA", second)
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "b"]


def test_an_officer_may_ask_again_about_all_that_was_withheld_meanwhile(three: list[Node]) -> None:
    gbr, usa, _ = three
    name = stop(gbr)
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    end(gbr, "USA", name)
    work(gbr)
    assert page(gbr, usa) == []
    reconsider(gbr)
    work(gbr)
    assert names(page(gbr, usa)) == ["a"]


def test_resuming_and_asking_again_about_all_meet(three: list[Node]) -> None:
    """The gate is asked about what was stopped and about the same product for everybody: told once."""
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    end(gbr, "USA", stop(gbr))
    reconsider(gbr)
    work(gbr)
    assert names(page(gbr, usa)) == names(page(gbr, can)) == ["a"]
    assert codes(gbr) == {(party, "whole", "agreement.permit"): 1 for party in ("USA", "CAN")}


def test_asking_again_during_a_suspension_lets_nothing_go(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    stop(gbr)
    reconsider(gbr)
    work(gbr)
    assert page(gbr, usa) == []


def test_it_ends_by_itself_only_where_the_officer_said_so(three: list[Node]) -> None:
    gbr, usa, _ = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    end_at = datetime(2026, 12, 24, tzinfo=UTC)
    stop(gbr, until=end_at)
    gbr.clock.now = end_at - timedelta(milliseconds=10)  # type: ignore[attr-defined]
    assert end_due(gbr) == 0
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    assert page(gbr, usa) == []
    gbr.clock.now = end_at  # type: ignore[attr-defined]
    take(gbr, bundle(malware("c", GREEN)))
    attend(gbr)
    work(gbr)
    assert sorted(names(page(gbr, usa))) == ["a", "c"]
    assert standing(gbr) == []
    (told,) = entries(gbr, Act.PARTNER_RESUMED)
    assert (told.body["why"], told.body["approved_by"]) == ("its end has come", [])
    stop(gbr)
    gbr.clock.now = datetime(2060, 1, 1, tzinfo=UTC)  # type: ignore[attr-defined]
    attend(gbr)
    assert len(standing(gbr)) == 1


def test_a_clock_set_back_does_not_open_it(three: list[Node]) -> None:
    gbr, usa, _ = three
    stop(gbr)
    gbr.clock.now -= timedelta(days=30)  # type: ignore[attr-defined]
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    assert page(gbr, usa) == []


def test_ends_and_reviews_are_announced(three: list[Node]) -> None:
    gbr = three[0]
    soon, review = datetime(2026, 12, 1, tzinfo=UTC), date(2026, 12, 2)
    stop(gbr, until=soon)
    stop(gbr, "CAN", review=review)
    assert [f"{soon:%Y-%m-%d}" in sentence for sentence in notices(gbr)] == [True]
    gbr.clock.now = datetime(2026, 12, 3, tzinfo=UTC)  # type: ignore[attr-defined]
    end_due(gbr)
    (nag,) = notices(gbr)
    assert "should have been reviewed by 2026-12-02" in nag


# --- who and how ----------------------------------------------------------------------------------


def test_what_cannot_be_ordered_is_refused_and_changes_nothing(three: list[Node]) -> None:
    gbr = three[0]
    before = len(entries(gbr))
    past = datetime(2026, 1, 1, tzinfo=UTC)
    for error, wrong in (
        (Refused, {"officer": "nobody-1"}),
        (Refused, {"partner": "FRA"}),
        (BadInput, {"until": past}),
        (BadInput, {"review": past.date()}),
        (BadInput, {"reason": "  "}),
    ):
        with pytest.raises(error):
            stop(gbr, **wrong)  # type: ignore[arg-type]
    assert len(entries(gbr)) == before
    assert standing(gbr) == []
    assert not gbr.view("USA").is_closing()


def test_the_ledger_tells_who_when_and_why(three: list[Node]) -> None:
    gbr = three[0]
    name = stop(gbr, scope=CYBER, reason="The channel leaks.", until=datetime(2027, 1, 1, tzinfo=UTC))
    (told,) = entries(gbr, Act.PARTNER_SUSPENDED)
    assert told.body["since"][:10] == "2026-11-23"
    assert told.body | {"since": ""} == {
        "suspension": name,
        "partner": "USA",
        "scope": "category=cyber",
        "since": "",
        "until": "2027-01-01T00:00:00Z",
        "review": "",
        "reason": "The channel leaks.",
        "officer": OFFICERS[0],
        "inbound": "accept",
    }


def test_what_it_gives_is_taken_in_unless_the_officer_refuses(three: list[Node]) -> None:
    gbr = three[0]
    stop(gbr)
    add_to_inbox(gbr, "USA", malware("a", GREEN))
    assert take_inbox(gbr) == 1
    name = stop(gbr, inbound=Inbound.REFUSE)
    assert refused_givers(gbr) == {"USA"}
    add_to_inbox(gbr, "USA", malware("b", GREEN))
    assert take_inbox(gbr) == 0
    end(gbr, "USA", name)
    assert take_inbox(gbr) == 1


def test_suspensions_outlast_the_process(three: list[Node]) -> None:
    gbr, usa, _ = three
    stop(gbr, until=datetime(2027, 1, 1, tzinfo=UTC))
    with Node.open(gbr.home.folder) as again:
        assert again.suspensions == gbr.suspensions
        take(again, bundle(malware("a", GREEN)))
        work(again)
    assert page(gbr, usa) == []
    with gbr.reading() as db:
        assert len(store.suspensions(db, "CAN")) == 0

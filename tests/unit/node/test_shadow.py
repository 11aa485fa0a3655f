"""Law 6: what runs in shadow is seen by officers and changes nothing; what goes wrong in it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tearline import gate
from tearline.adapters import store
from tearline.agreement import Agreement, Agreements, load
from tearline.ledger import Act
from tearline.node import Node, agreements, consider, shadow
from tearline.terms import BadInput, Refused
from tests.adoption import OFFICERS, adopt
from tests.unit.node.world import (
    GREEN,
    REPORT,
    bundle,
    entries,
    five_eyes,
    malware,
    nodes,
    releases,
    state,
    take,
    work,
)

WHY = {"officer": OFFICERS[0], "why": "Example."}
UNTIL = datetime(2026, 12, 24, tzinfo=UTC)
NOTHING_FOR_USA = """
@id("nothing-for-usa") @reason("Example.")
forbid (principal == Partner::"USA", action in Action::"share", resource) when {
  resource.category == Category::"cyber" };
"""
REPORTS_TO_CAN = """
@id("reports-to-can") @reason("Example.")
permit (principal == Partner::"CAN", action == Action::"release", resource) when {
  resource.category == Category::"report" };
"""


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def start(node: Node, agreement: Agreement, until: datetime = UNTIL) -> str:
    agreements.propose(node, agreement, **WHY)
    shadow.start(node, agreement.version, until, **WHY)
    return agreement.version


def test_differences_are_counted_by_clause_and_partner(three: list[Node]) -> None:
    gbr = three[0]
    version = start(gbr, five_eyes(NOTHING_FOR_USA + REPORTS_TO_CAN))
    take(gbr, bundle(malware("a", GREEN), malware("b", GREEN)))
    take(gbr, REPORT.replace("REL TO USA, FVEY", "NF").encode())
    take(gbr, REPORT.encode())
    work(gbr)
    shown = shadow.show(gbr, version)
    assert (shown.run.products, shown.run.errors, shown.running) == (4, 0, True)
    assert shown.counts == [("five-eyes/nothing-for-usa", "USA", "whole", "withhold", 2)]
    ((name, _, example),) = shown.examples
    assert name.startswith("malware--")
    assert (example.partner, example.form_then) == ("USA", "withhold")
    assert len([row for row in releases(gbr) if row[0] == "USA"]) == 3


def test_what_would_go_newly_is_put_down_to_the_clause_that_permits_it(three: list[Node]) -> None:
    gbr = three[0]
    now = five_eyes()
    proposed = load(now.manifest, now.clauses.replace("permit", "forbid", 1), "five-eyes")
    version = start(gbr, proposed)
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    first = shadow.show(gbr, version).counts
    assert {row[1:4] for row in first} == {("CAN", "whole", "withhold"), ("USA", "whole", "withhold")}
    assert {row[0].partition("/")[0] for row in first} == {"five-eyes"}
    agreements.withdraw(gbr, version, **WHY)
    adopt(gbr, proposed)
    again = start(gbr, load(now.manifest, now.clauses + "\n// more\n" + REPORTS_TO_CAN, "five-eyes"))
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    counts = shadow.show(gbr, again).counts
    assert {row[1:4] for row in counts} == {("CAN", "withhold", "whole"), ("USA", "withhold", "whole")}
    assert all(clause.startswith("five-eyes/") for clause, *_ in counts)


def test_a_run_ends_by_itself_and_what_it_saw_stays(three: list[Node]) -> None:
    gbr = three[0]
    version = start(gbr, five_eyes(NOTHING_FOR_USA))
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    gbr.clock.now = UNTIL - timedelta(milliseconds=1)  # type: ignore[attr-defined]
    take(gbr, bundle(malware("b", GREEN)))
    work(gbr)
    shown = shadow.show(gbr, version)
    assert (shown.run.products, shown.running) == (1, False)
    assert len(shown.counts) == 1


def test_only_a_proposal_runs_and_only_while_it_is_one(three: list[Node]) -> None:
    gbr = three[0]
    with pytest.raises(Refused, match="not proposed"):
        shadow.start(gbr, five_eyes().version, UNTIL, **WHY)
    version = start(gbr, five_eyes(NOTHING_FOR_USA))
    agreements.withdraw(gbr, version, **WHY)
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    shown = shadow.show(gbr, version)
    assert (shown.run.products, shown.running) == (0, False)
    with pytest.raises(Refused, match="never ran"):
        shadow.show(gbr, five_eyes().version)


def test_who_starts_it_is_an_officer_and_says_why(three: list[Node]) -> None:
    gbr = three[0]
    proposed = agreements.propose(gbr, five_eyes(NOTHING_FOR_USA), **WHY)
    for error, wrong in (
        (Refused, WHY | {"officer": "nobody-1"}),
        (BadInput, WHY | {"why": ""}),
    ):
        with pytest.raises(error):
            shadow.start(gbr, proposed.version, UNTIL, **wrong)
    with pytest.raises(BadInput):
        shadow.start(gbr, proposed.version, datetime(2026, 1, 1, tzinfo=UTC), **WHY)
    assert entries(gbr, Act.AGREEMENT_SHADOWED) == []
    shadow.start(gbr, proposed.version, UNTIL, **WHY)
    (told,) = entries(gbr, Act.AGREEMENT_SHADOWED)
    assert told.body["officer"] == OFFICERS[0]


@pytest.mark.parametrize("where", ["text", "rules", "gate", "store"])
def test_what_goes_wrong_in_it_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    histories = []
    for run in ("with", "without"):
        with monkeypatch.context() as patched, nodes(tmp_path / run, "GBR", "USA", "CAN") as (gbr, *_):
            version = start(gbr, five_eyes(NOTHING_FOR_USA))
            if run == "with":
                _break(patched, gbr, where)
            else:
                gbr.shadows = ()
            take(gbr, bundle(malware("a", GREEN)))
            take(gbr, REPORT.encode())
            work(gbr)
            if run == "with" and where != "store":
                assert shadow.show(gbr, version).run.errors == 2
            rows, size, *rest = _comparable(gbr)
            histories.append((rows, size, rest))
    assert histories[0] == histories[1]


def _break(patched: pytest.MonkeyPatch, node: Node, where: str) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise MemoryError

    if where == "text":
        (run,) = node.shadows
        node.shadows = (msgspec.structs.replace(run, clauses="permit"),)
    elif where == "rules":
        patched.setattr(shadow, "Agreements", fail)
    elif where == "store":
        patched.setattr(store, "add_seen", fail)
    else:
        broken = Agreements(node.party, ())
        patched.setattr(broken, "rule", fail)  # the gate is total: it answers `error`
        node.shadow_rules[node.shadows[0].version] = broken


def _comparable(node: Node) -> tuple[Any, ...]:
    rows, size, received, sent, tally, _ = state(node)
    forms = sorted((partner, product, form) for partner, _, product, form, _ in sent)
    return rows, size, received, forms, tally


def test_one_shadow_costs_one_more_question_a_product(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    start(gbr, five_eyes(NOTHING_FOR_USA))
    take(gbr, bundle(*(malware(f"m{number}", GREEN) for number in range(5))))
    real, asked = gate.consider, []

    def counted(*arguments: Any, **named: Any) -> Any:
        asked.append(arguments[0])
        return real(*arguments, **named)

    monkeypatch.setattr(gate, "consider", counted)
    consider(gbr)
    assert len(asked) == 2 * 5


def test_consider_keeps_what_it_saw_in_the_transaction_of_the_outcomes(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    gbr = three[0]
    version = start(gbr, five_eyes(NOTHING_FOR_USA))
    take(gbr, bundle(malware("a", GREEN)))

    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(store, "mark_considered", fail)
    with pytest.raises(MemoryError):
        consider(gbr)
    monkeypatch.undo()
    assert shadow.show(gbr, version).run.products == 0
    consider(gbr)
    assert shadow.show(gbr, version).run.products == 1

"""Law 6: whatever is proposed, reviewed, approved or tried in shadow, outcomes and views stay the same."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.agreement.proof import Status
from tearline.node import Node, agreements, consider, hand_over, shadow, tally
from tearline.terms import Refused
from tests import adoption
from tests.adoption import OFFICERS, WHY, proved, replayed
from tests.unit.node.world import GREEN, RED, REPORT, bundle, five_eyes, malware, nodes, releases, take

BY = OFFICERS[0]
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEXTS = [
    '@id("no") @reason("Example.") forbid (principal, action in Action::"share", resource);',
    '@id("more") @reason("Example.") permit (principal, action in Action::"share", resource)'
    ' unless { resource.disciplines.contains(Discipline::"humint") };',
]
PROPOSED = [five_eyes(text) for text in TEXTS]

items = st.tuples(st.sampled_from("abc"), st.sampled_from([GREEN, RED]), st.booleans())
work = st.one_of(
    st.tuples(st.just("take"), st.lists(items, min_size=1, max_size=3)),
    st.tuples(st.just("report"), st.sampled_from(["Velna", "Osk"])),
    st.tuples(st.just("consider"), st.none()),
    st.tuples(st.just("hand over"), st.none()),
)
idle = st.tuples(
    st.sampled_from(["propose", "review", "shadow", "approve", "withdraw", "refused adoption"]),
    st.integers(0, len(PROPOSED) - 1),
)


def do(node: Node, act: str, what: Any) -> None:
    match act:
        case "take":
            take(node, bundle(*(malware(name, mark, is_family=family) for name, mark, family in what)))
        case "report":
            take(node, REPORT.replace("Velna", what).encode())
        case "consider":
            consider(node)
        case "hand over":
            hand_over(node)


def idle_about(node: Node, act: str, number: int) -> None:
    """A step short of adoption, if it can be taken."""
    agreement = PROPOSED[number]
    with suppress(Refused):
        match act:
            case "propose":
                agreements.propose(node, agreement, officer=BY, why=WHY)
            case "review":
                agreements.review(node, agreement.version, officer=BY, why=WHY, prove=proved, replay=replayed)
            case "shadow":
                until = node.clock() + timedelta(days=1)
                shadow.start(node, agreement.version, until, officer=BY, why=WHY)
            case "approve":
                adoption.approve(node, "adopt", agreement.version)
            case "withdraw":
                agreements.withdraw(node, agreement.version, officer=BY, why=WHY)
            case "refused adoption":
                with pytest.raises(Refused):
                    agreements.adopt(node, agreement.version, officer=BY, why=WHY, prove=unknown)


def unknown(node: Node, agreement: Any) -> Any:
    return proved(node, agreement, Status.UNKNOWN)


def rows(database: Path) -> dict[str, list[Any]]:
    """Every row of a database."""
    with closing(sqlite3.connect(database)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: sorted(db.execute(f'SELECT * FROM "{name}"'), key=repr) for name in tables}


def run(folder: Path, acts: list[tuple[str, Any]], idle_acts: dict[int, list[tuple[str, int]]]) -> Any:
    """What came of it: outcomes, releases, and all that the partners' views hold."""
    now = START

    def clock() -> datetime:
        return now

    with Node.open(folder) as node:
        node.clock = clock
        for number, (act, what) in enumerate(acts):
            now = START + timedelta(seconds=number)
            for each in idle_acts.get(number, ()):
                idle_about(node, *each)
            do(node, act, what)
        views = {party: rows(node.home.view(party)) for party in node.partners}
        with node.reading() as db:
            outcomes = db.exec_driver_sql("SELECT * FROM outcome").fetchall()
        return tally(node), releases(node), outcomes, views


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pattern")
    with nodes(folder, "GBR", "USA"):
        pass
    return folder / "GBR"


@settings(max_examples=20, deadline=None)
@given(
    acts=st.lists(work, min_size=3, max_size=8),
    idle_acts=st.dictionaries(st.integers(0, 7), st.lists(idle, min_size=1, max_size=4), min_size=1),
)
def test_two_runs_with_and_without_proposals_are_equal(
    pattern: Path, acts: list[tuple[str, Any]], idle_acts: dict[int, list[tuple[str, int]]]
) -> None:
    acts = [*acts, ("consider", None), ("hand over", None)]
    with tempfile.TemporaryDirectory() as name:
        without, beside = Path(name) / "without", Path(name) / "beside"
        for folder in (without, beside):
            shutil.copytree(pattern, folder)
        assert run(without, acts, {}) == run(beside, acts, idle_acts)


def test_adopting_does_something(pattern: Path, tmp_path: Path) -> None:
    """The comparison would notice: the same run with the proposal adopted is another one."""
    acts: list[tuple[str, Any]] = [
        ("take", [("a", GREEN, False)]),
        ("consider", None),
        ("hand over", None),
    ]
    found = []
    for number, act in enumerate([lambda node: None, lambda node: adoption.adopt(node, PROPOSED[0])]):
        folder = tmp_path / str(number)
        shutil.copytree(pattern, folder)
        with Node.open(folder) as node:
            prepare: Callable[[Node], object] = act
            prepare(node)
        found.append(run(folder, acts, {}))
    assert found[0] != found[1]

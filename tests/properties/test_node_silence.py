"""Laws 5, 6 and 7 at a whole node: two histories from one folder, compared by what partners read.

Proposals and shadows change no outcome, no release and no byte that a partner sees. A suspension changes
nothing for the others; and for the suspended partner it is as though what it stops had never been taken in.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.node import Node, agreements, consider, hand_over, shadow, tally
from tearline.node.agreement_record import versions
from tearline.node.suspend import suspend
from tearline.terms import Category, Topic
from tests.adoption import OFFICERS
from tests.unit.node.world import EVERYTHING, GREEN, REPORT, bundle, five_eyes, malware, nodes, releases, take

EXAMPLES = 150 if os.environ.get("TEARLINE_LONG") else 4
PARTNERS = ("USA", "CAN")
WHY = {"officer": OFFICERS[0], "why": "Example."}
PROPOSALS = [
    '@id("none") @reason("Example.") forbid (principal, action in Action::"share", resource);',
    '@id("more") @reason("Example.") permit (principal, action in Action::"share", resource);',
    '@id("no-can") @reason("Example.") '
    'forbid (principal == Partner::"CAN", action in Action::"share", resource);',
]
SCOPES = [
    Scope(),
    Scope(categories=frozenset({Category.CYBER})),
    Scope(topics=frozenset({Topic.MARITIME})),
]

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["cyber", "report", "narrow", "consider", "hand over", "read a page"]),
        st.integers(0, 5),
    ),
    max_size=10,
)
RICH: list[Step] = [
    *[("cyber", 1), ("report", 1), ("consider", 0), ("hand over", 0), ("read a page", 2), ("read a page", 1)],
    *[("cyber", 2), ("narrow", 2), ("consider", 0), ("hand over", 0), ("cyber", 3), ("consider", 0)],
]
"""Something served, something delivered and not served, something queued."""
modest = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all histories begin from: the same keys, the same secret."""
    folder = tmp_path_factory.mktemp("origin")
    with nodes(folder, "GBR", *PARTNERS):
        pass
    return folder / "GBR"


@contextmanager
def history(origin: Path, place: Path) -> Iterator[Node]:
    """A node in a copy of the folder, whose clock stands still within a step."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(origin, place)
    with Node.open(place) as node:
        at(node, 0)
        yield node


def at(node: Node, number: int) -> None:
    node.clock = lambda: datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=number)


def live(node: Node, given: list[Step], start: int = 0, skip: Callable[[str], bool] | None = None) -> None:
    for number, (act, value) in enumerate(given, start):
        at(node, number + 1)
        if skip is not None and skip(act):
            continue
        if act == "cyber":
            take(node, bundle(malware(f"m{value}", GREEN), malware(f"n{number}", GREEN)))
        elif act == "report":
            take(node, REPORT.replace("Velna", f"Velna {value}").encode())
        elif act == "narrow":  # goes as a tearline
            take(
                node,
                REPORT.replace("(//GBR S) SOURCE", f"(//GBR S) Pier {value}.\n\n(//GBR S) SOURCE").encode(),
            )
        elif act == "consider":
            consider(node)
        elif act == "hand over":
            hand_over(node)
        else:
            read(node, PARTNERS[value % 2], 1 + value)


def finish(node: Node) -> None:
    at(node, 1_000)
    while consider(node) + hand_over(node):
        pass


def read(node: Node, party: str, limit: int = 10_000) -> list[bytes]:
    return node.view(party).serve(OUT, EVERYTHING, after=-1, limit=limit).items


def everything_read(node: Node, party: str) -> tuple[Any, ...]:
    """Every byte that the door would send, with the times and versions that its headers and lists tell."""
    view = node.view(party)
    listed = view.manifest(OUT, EVERYTHING, after=-1, limit=10_000)
    return view.serve(OUT, EVERYTHING, after=-1, limit=10_000), listed


@modest
@given(
    given_=steps,
    proposals=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 2), st.booleans()), max_size=4),
)
@example(given_=RICH, proposals=[(0, 0, True), (3, 1, True), (7, 2, False)])
def test_proposals_and_shadows_change_nothing(
    origin: Path, tmp_path: Path, given_: list[Step], proposals: list[tuple[int, int, bool]]
) -> None:
    found = []
    for with_proposals in (False, True):
        with history(origin, tmp_path / "node") as node:
            for number, step in enumerate(given_):
                for when, which, shadowed in proposals if with_proposals else []:
                    if when == number:
                        _propose(node, PROPOSALS[which], shadowed=shadowed)
                live(node, [step], number)
            finish(node)
            seen = [everything_read(node, party) for party in PARTNERS]
            found.append((seen, tally(node), releases(node)))
    assert found[0] == found[1]


def _propose(node: Node, clause: str, *, shadowed: bool) -> None:
    agreement = five_eyes(clause)
    if agreement.version not in {each.agreement.version for each in versions(node)}:
        agreements.propose(node, agreement, **WHY)
    if shadowed:
        shadow.start(node, agreement.version, datetime(2027, 1, 1, tzinfo=UTC), **WHY)


@modest
@given(before=steps, after=steps, scope=st.sampled_from(SCOPES))
@example(before=RICH, after=RICH, scope=SCOPES[0])
@example(before=RICH, after=RICH, scope=SCOPES[1])
def test_a_suspension_changes_nothing_for_the_others(
    origin: Path, tmp_path: Path, before: list[Step], after: list[Step], scope: Scope
) -> None:
    found = []
    for suspended in (True, False):
        with history(origin, tmp_path / "node") as node:
            live(node, before)
            if suspended:
                order(node, scope)
            live(node, after, 100)
            finish(node)
            found.append((everything_read(node, "CAN"), [row for row in tally(node) if row[0] == "CAN"]))
    assert found[0] == found[1]


@modest
@given(before=steps, after=steps, scope=st.sampled_from(SCOPES))
@example(before=RICH, after=RICH, scope=SCOPES[0])
@example(before=RICH, after=RICH, scope=SCOPES[1])
def test_a_suspension_is_as_though_nothing_in_scope_had_been_taken_in_since(
    origin: Path, tmp_path: Path, before: list[Step], after: list[Step], scope: Scope
) -> None:
    """Where the partner had read all that was released until then: to the byte, proofs and all."""
    found = []
    for suspended in (True, False):
        with history(origin, tmp_path / "node") as node:
            live(node, before)
            finish(node)
            read(node, "USA")
            if suspended:
                order(node, scope)
            live(node, after, 2_000, None if suspended else lambda act: act in ACTS_IN[str(scope)])
            finish(node)
            found.append(everything_read(node, "USA"))
    assert found[0] == found[1]


@modest
@given(before=steps, after=steps, scope=st.sampled_from(SCOPES))
@example(before=RICH, after=RICH, scope=SCOPES[0])
@example(before=RICH, after=RICH, scope=SCOPES[1])
def test_of_what_is_in_scope_only_what_was_read_before_is_read_afterwards(
    origin: Path, tmp_path: Path, before: list[Step], after: list[Step], scope: Scope
) -> None:
    with history(origin, tmp_path / "node") as node:
        live(node, before)
        had = read_by(node, "USA")
        order(node, scope)
        live(node, after, 100)
        finish(node)
        now = read(node, "USA")
    assert set(had) <= set(now), "what was read stays"
    kinds = KINDS_IN[str(scope)]
    fresh = [orjson.loads(body) for body in set(now) - set(had)]
    assert not kinds & {item["type"] for item in fresh}


ACTS_IN = {
    "all": {"cyber", "report", "narrow"},
    "category=cyber": {"cyber"},
    "topic=maritime": {"report", "narrow"},
}
KINDS_IN = {
    "all": {"malware", "report", "identity", "marking-definition", "extension-definition"},
    "category=cyber": {"malware"},
    "topic=maritime": {"report"},
}


def order(node: Node, scope: Scope) -> None:
    suspend(node, "USA", scope, officer=OFFICERS[0], reason="Example.")


def read_by(node: Node, party: str) -> list[bytes]:
    """What a partner was served until now: what is not among the unserved."""
    view = node.view(party)
    page = view.page(OUT, EVERYTHING, after=-1, limit=10_000)
    with closing(sqlite3.connect(node.home.view(party))) as db:
        unserved = {added for (added,) in db.execute("SELECT added FROM unserved")}
    return [body for added, body in zip(page.added, page.items, strict=True) if added not in unserved]

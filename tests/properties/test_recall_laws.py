"""The laws of recalls at one node, over random histories.

- Nothing that was recalled before it left ever leaves.
- Who was served it is told, by an object that revokes what it has; who was not hears of nothing.
- A recall for one partner alone changes no byte for the others.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.ledger import Act
from tearline.node import Node, consider, hand_over, reconsider, verify_ledger
from tearline.node.recall import recall
from tearline.node.suspend import end_due, suspend
from tearline.terms import Refused
from tests.adoption import OFFICERS
from tests.properties.test_node_silence import at, history
from tests.unit.node.world import EVERYTHING, GREEN, REPORT, bundle, entries, malware, nodes, take

EXAMPLES = 300 if os.environ.get("TEARLINE_LONG") else 12
PARTNERS = ("USA", "CAN")
REPORT_ID = "report--3f1a9d0e-5d0f-4c57-9c9a-0d3c8f3b5c11"
PRODUCTS = (malware("m0")["id"], malware("m1")["id"], REPORT_ID)

Step = tuple[str, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "take",
                "take",
                "consider",
                "hand over",
                "serve",
                "recall",
                "recall one",
                "suspend",
                "reconsider",
            ]
        ),
        st.integers(0, 5),
    ),
    min_size=4,
    max_size=14,
)
RICH: list[Step] = [
    *[("take", 0), ("take", 1), ("take", 2), ("consider", 0), ("hand over", 0), ("serve", 0)],
    *[
        ("take", 3),
        ("consider", 0),
        ("recall", 0),
        ("recall one", 1),
        ("recall", 2),
        ("take", 5),
        ("serve", 1),
    ],
]
slow = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recalls")
    with nodes(folder, "GBR", *PARTNERS):
        pass
    return folder / "GBR"


def product(number: int, step: int) -> bytes:
    """A product of three, in a version of its own."""
    if number % 3 == 2:
        text = REPORT.replace("Topics", f"Id: {REPORT_ID}\nTopics")
        text = text.replace("2026-10-02T05:00:00Z", f"{2026 + number // 3}-10-02T05:00:{step:02}Z")
        return text.replace("Nine", f"{step % 2}").encode()
    year = 2026 + number // 3  # some come after every recall: they are the only way back
    stamp = f"{year}-12-01T00:00:{step:02}.000Z"
    return bundle(malware(f"m{number % 3}", GREEN, modified=stamp, description=f"{step}"))


class Told:
    """What each partner was served, and what was recalled from it before."""

    def __init__(self) -> None:
        self.served: dict[str, dict[str, dict[str, Any]]] = {party: {} for party in PARTNERS}
        self.products: dict[str, str] = {}
        """By release: the product and version."""
        self.recalled: list[tuple[str, str, str, frozenset[str]]] = []
        """(product, before, partner, what it had been served by then)."""

    def serve(self, node: Node, party: str) -> None:
        for body in node.view(party).serve(OUT, EVERYTHING, after=-1, limit=10_000).items:
            item = orjson.loads(body)
            if item["type"] in {"malware", "report"}:
                self.served[party][f"{item['id']} {item['modified']}"] = item

    def recall(self, node: Node, name: str, to: list[str] | None) -> None:
        with suppress(Refused):
            order = recall(
                node,
                name,
                kind=RecallKind.ADMINISTRATIVE_RECALL,
                reason=RecallReason.LEGAL,
                actions=[RecallAction.DESTROY],
                officer=OFFICERS[0],
                to=to,
            )
            for party in to or PARTNERS:
                self.recalled.append((name, order.before, party, frozenset(self.served[party])))


def live(node: Node, given: list[Step], told: Told, skip: frozenset[str] = frozenset()) -> None:
    for number, (act, value) in enumerate(given):
        at(node, number + 1)
        party = PARTNERS[value % 2]
        if act in skip:
            continue
        if act == "take":
            take(node, product(value, number))
        elif act == "consider":
            consider(node)
        elif act == "hand over":
            hand_over(node)
        elif act == "serve":
            told.serve(node, party)
        elif act == "recall":
            told.recall(node, PRODUCTS[value % 3], None)
        elif act == "recall one":
            told.recall(node, PRODUCTS[value % 3], ["USA"])
        elif act == "reconsider":
            reconsider(node)
        elif act == "suspend":
            until = node.clock().replace(microsecond=0)
            at(node, number)
            suspend(node, party, Scope(), officer=OFFICERS[0], reason="Example.", until=until)
            at(node, number + 1)


def finish(node: Node, told: Told) -> None:
    at(node, 1_000)
    end_due(node)
    for _ in range(2):
        while consider(node) + hand_over(node):
            pass
    for party in PARTNERS:
        told.serve(node, party)


@slow
@given(steps)
@example(RICH)
def test_what_was_recalled_does_not_leave_and_who_has_it_is_told(
    origin: Path, tmp_path: Path, given: list[Step]
) -> None:
    told = Told()
    with history(origin, tmp_path / "GBR") as node:
        live(node, given, told)
        finish(node, told)
        assert verify_ledger(node)[1] == []
        whose = released(node)
    for name, before, party, had in told.recalled:
        mine = {key: item for key, item in told.served[party].items() if not item.get("revoked")}
        meant = {key for key, item in mine.items() if means(whose, party, item, name, before)}
        assert meant <= had, "what was recalled left after its recall"
        gone = {item["id"] for item in told.served[party].values() if item.get("revoked")}
        assert {mine[key]["id"] for key in meant} <= gone, "who has it was not told"
    for party in PARTNERS:
        items = told.served[party].values()
        assert {i["id"] for i in items if i.get("revoked")} <= {
            i["id"] for i in items if not i.get("revoked")
        }


def released(node: Node) -> dict[tuple[str, str, str], set[tuple[str, str]]]:
    """(product, version) of each release, by partner, object and, where it is the product's, its version."""
    found: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for entry in entries(node, Act.PRODUCT_RELEASED):
        body = entry.body
        key = body["partner"], body["object"], body["version"] if body["form"] == "whole" else ""
        found.setdefault(key, set()).add((body["product"], body["version"]))
    return found


def means(
    whose: dict[tuple[str, str, str], set[tuple[str, str]]],
    party: str,
    item: dict[str, Any],
    name: str,
    before: str,
) -> bool:
    """Whether a recall of a product means the object that a partner was served."""
    rows = whose.get((party, item["id"], item["modified"])) or whose.get((party, item["id"], ""), set())
    return any(product == name and version < before for product, version in rows)


@slow
@given(steps)
@example(RICH)
def test_a_recall_for_one_partner_changes_no_byte_for_another(
    origin: Path, tmp_path: Path, given: list[Step]
) -> None:
    seen = []
    for skip in (frozenset[str](), frozenset({"recall one"})):
        told = Told()
        with history(origin, tmp_path / "GBR") as node:
            live(node, given, told, skip)
            finish(node, told)
            view = node.view("CAN")
            page = view.page(OUT, EVERYTHING, after=-1, limit=10_000)
            record = view.manifest(OUT, EVERYTHING, after=-1, limit=10_000)
            with view.begin() as writer:
                seen.append((page, record, writer.checkpoint(OUT)))
    assert seen[0] == seen[1]

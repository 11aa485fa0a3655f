"""Recall and revision: what was given goes to nobody any more, and exactly those who have it are told."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from tearline.adapters.view import OUT
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.extension import RECALL
from tearline.node import Node, receive, reconsider, verify_ledger
from tearline.node.recall import Order, recall, revise
from tearline.node.recall_record import recalls
from tests.adoption import OFFICERS
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    RED,
    bundle,
    codes,
    held,
    malware,
    nodes,
    page,
    take,
    work,
)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        yield made


def call_back(node: Node, product: str, **more: Any) -> Order:
    given: dict[str, Any] = {
        "kind": RecallKind.SUBSTANTIVE_RECALL,
        "reason": RecallReason.FACTUAL_ERROR,
        "actions": [RecallAction.DESTROY],
        "officer": OFFICERS[0],
    }
    return recall(node, product, **(given | more))


def put_right(node: Node, product: str, new: bytes, **more: Any) -> Order:
    given: dict[str, Any] = {
        "kind": RecallKind.SUBSTANTIVE_REVISION,
        "reason": RecallReason.FACTUAL_ERROR,
        "actions": [RecallAction.REPLACE],
        "officer": OFFICERS[0],
    }
    return revise(node, product, BytesIO(new), "new", **(given | more))


def serve(node: Node, party: str) -> list[dict[str, Any]]:
    """What the door sends to a partner that asks for everything."""
    served = node.view(party).serve(OUT, EVERYTHING, after=-1, limit=10_000).items
    return [orjson.loads(body) for body in served]


def deliver_to(giver: Node, *takers: Node) -> None:
    for taker in takers:
        receive(taker, giver.party, serve(giver, taker.party), None)
        work(taker)


def versions(objects: list[dict[str, Any]], name: str) -> list[tuple[str, bool]]:
    """(modified, revoked) of each version of an object."""
    return [(item["modified"], item.get("revoked", False)) for item in objects if item["id"] == name]


A = malware("a")["id"]
OLD, NEW = "2026-03-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"


def test_who_has_it_is_told_and_nobody_else(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa)  # CAN never asked
    order = call_back(gbr, A)
    work(gbr)
    (first, second) = versions(page(gbr, usa), A)
    assert first == (OLD, False)
    assert second == (order.before, True)
    assert versions(page(gbr, can), A) == []
    assert {line.partner: line.state for line in recalls(gbr)[0].lines} == {
        "USA": "given",
        "CAN": "never-left",
    }
    assert verify_ledger(gbr)[1] == []
    deliver_to(gbr, usa)
    reconsider(usa)
    work(usa)
    assert codes(usa)["CAN", "withhold", "product.recalled"] == 1
    assert recalls(usa)[0].order.giver == "GBR"
    assert [item.product.version for item in held(usa)] == [OLD]
    assert verify_ledger(usa)[1] == []


def test_a_revision_takes_the_place_of_the_old(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    put_right(gbr, A, bundle(malware("a", GREEN, modified=NEW, description="Corrected.")))
    work(gbr)
    assert versions(page(gbr, usa), A) == [(OLD, False), (NEW, False)]
    notice = page(gbr, usa)[-1]["extensions"][RECALL]
    assert (notice["kind"], notice["actions"]) == ("substantive-revision", ["replace"])
    deliver_to(gbr, usa, can)
    assert [item.product.version for item in held(usa)] == [OLD, NEW]
    assert verify_ledger(gbr)[1] == verify_ledger(usa)[1] == []


def test_who_may_not_have_the_new_version_hears_of_a_recall_only(three: list[Node]) -> None:
    gbr, usa, can = three
    take(gbr, bundle(malware("a", GREEN)))
    work(gbr)
    deliver_to(gbr, usa, can)
    put_right(
        gbr, A, bundle(malware("a", RED, modified=NEW, description="More.")), instruction="See the new one."
    )
    work(gbr)
    (_, told) = versions(page(gbr, usa), A)
    assert told == ("2026-03-01T00:00:00.000001Z", True)
    assert page(gbr, usa)[-1]["extensions"][RECALL] == {
        "extension_type": "property-extension",
        "kind": "substantive-recall",
        "date": recalls(gbr)[0].order.notice.date,
        "reason": "factual-error",
        "actions": ["destroy"],
        "object": A,
        "before": "2026-03-01T00:00:00.001Z",
    }

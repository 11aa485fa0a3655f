"""A recall follows what was passed on: GBR made it, USA holds it, CAN and AUS have it through others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tearline.adapters.view import OUT
from tearline.deliver import RecallAction, RecallKind, RecallReason, core_digest
from tearline.deliver.extension import RECALL
from tearline.ledger import Act
from tearline.node import Node, reconsider, verify_ledger
from tearline.node.recall import recall
from tearline.node.recalled import Recalled
from tests.unit.node.test_consent import BY, carry, given, got, granted
from tests.unit.node.world import EVERYTHING, GREEN, bundle, entries, held, malware, nodes, page, take, work


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


def serve(giver: Node, *takers: Node) -> None:
    """As `carry`, and it counts as served."""
    work(giver)
    for taker in takers:
        giver.view(taker.party).serve(OUT, EVERYTHING, after=-1, limit=1000)
    carry(giver, *takers)


def is_recalled(node: Node) -> list[bool]:
    with node.reading() as db:
        found = Recalled(db, [each.product for each in held(node)])
    return [found.wholly(each.product) for each in held(node)]


def call_back(node: Node, product: str) -> None:
    recall(
        node,
        product,
        kind=RecallKind.SUBSTANTIVE_RECALL,
        reason=RecallReason.FABRICATED,
        actions=[RecallAction.DESTROY],
        officer=BY,
    )
    work(node)


def test_a_recall_reaches_those_who_have_it_through_another(four: list[Node]) -> None:
    gbr, usa, can, aus = four
    (product,) = given(gbr, usa)
    gbr.view("USA").serve(OUT, EVERYTHING, after=-1, limit=1000)
    granted(gbr, usa, product)
    serve(usa, can)
    assert is_recalled(can) == [False]
    before = page(usa, aus)
    call_back(gbr, product)
    serve(gbr, usa)
    assert is_recalled(usa) == [True]
    serve(usa, can)
    assert is_recalled(can) == [True]
    assert [item.get("revoked") for item in page(usa, can) if item["type"] == "malware"] == [None, True]
    assert page(usa, aus) == before
    for node in (usa, can):
        reconsider(node)
        work(node)
        assert verify_ledger(node)[1] == []
    assert got(can, aus) == []


def test_who_passed_nothing_on_recalls_nothing(four: list[Node]) -> None:
    """AUS has nothing of GBR's, and says that it takes GBR's object back: CAN keeps its copy."""
    gbr, usa, can, aus = four
    (product,) = given(gbr, usa)
    granted(gbr, usa, product)
    serve(usa, can)
    take(aus, bundle(malware("a", GREEN)))
    serve(aus, can)
    call_back(aus, product)
    serve(aus, can)
    assert is_recalled(can) == [False]
    assert entries(can, Act.RELEASE_REFUSED)


def test_what_a_giver_says_of_its_release_is_not_what_the_originator_signed() -> None:
    """A revision announced onward must not break the originator's statement on the object."""
    item = malware("a", GREEN)
    plain = core_digest(item)
    assert core_digest(item | {"extensions": {RECALL: {"kind": "administrative-revision"}}}) == plain
    assert core_digest(item | {"extensions": {"extension-definition--of-others": {"more": 1}}}) != plain

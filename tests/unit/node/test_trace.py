"""Traces: the right recipient of a leak, with its doubt; nobody where that is not enough; never an innocent."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tearline.adapters import store
from tearline.ledger import Act
from tearline.node import Node, verify_ledger
from tearline.node.trace import Case, catch_up, trace
from tearline.terms import BadInput, Refused
from tearline.trace.leak import Leak, read_leak
from tearline.trace.terms import Held
from tests.adoption import OFFICERS
from tests.traced import TEXTS, body, mark, report, reports
from tests.unit.node.test_consent import carry
from tests.unit.node.world import entries, nodes, take, work

BY = OFFICERS[0]


@pytest.fixture
def four(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as made:
        yield made


def leak(text: str, name: str = "leak.txt") -> Leak:
    return read_leak(name, text.encode())


def given(gbr: Node, *others: Node) -> None:
    """Two reports, each to all of the others."""
    mark(gbr)
    take(gbr, report(TEXTS[:2], name="velna-1").encode())
    take(
        gbr, report(TEXTS[2:], title="The old pier", narrow="Nine barges lay there.", name="pier-1").encode()
    )
    carry(gbr, *others)
    for other in others:
        carry(other, gbr)


def copies(gbr: Node, taker: Node) -> list[str]:
    return [body(item) for item in reports(gbr, taker)]


def asked(gbr: Node, *leaks: Leak, **how: float) -> Case:
    return trace(gbr, leaks, officer=BY, **how)  # type: ignore[arg-type]


def test_whoever_leaked_all_is_named_and_nobody_else(four: list[Node]) -> None:
    gbr, *others = four
    given(gbr, *others)
    for guilty in others:
        case = asked(gbr, *(leak(text) for text in copies(gbr, guilty)))
        best, *rest = case.verdict.suspects
        assert (best.partner, best.agree) == (guilty.party, best.slots)
        assert case.named == (guilty.party,), case.verdict.says
        assert all(not each.accused for each in rest)
        assert case.verdict.held[Held.ALL] == ("AUS", "CAN", "USA")
    assert verify_ledger(gbr)[1] == []

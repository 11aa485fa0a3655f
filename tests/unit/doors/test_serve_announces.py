"""A serving node says once a day what is due, and puts the end of an agreement on the ledger once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tearline.agreement import load
from tearline.doors.serve import _Server
from tearline.ledger import Act
from tearline.node import Node
from tests.adoption import adopt
from tests.unit.node.world import Clock, entries, five_eyes, nodes

END = datetime(2027, 1, 20, tzinfo=UTC)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with nodes(tmp_path, "GBR") as (made,):
        five = five_eyes(
            '@id("look") @reason("Example.") @review("2026-11-25") forbid (principal, action in '
            'Action::"share", resource) when { resource.level == 4 };'
        )
        adopt(made, load(five.manifest.replace("2040-01-01", "2027-01-20"), five.clauses, "x"))
        yield made


def said(server: _Server) -> list[str]:
    """What one round of the worker logs."""
    with capture_logs() as logs:
        server._step()
    found: list[Any] = [entry["what"] for entry in logs if entry["event"] == "agreement due"]
    return found


def test_what_is_due_is_logged_once_a_day(node: Node) -> None:
    clock = node.clock
    assert isinstance(clock, Clock)
    server = _Server(node.home, node)
    assert said(server) == [], "the address of the door comes first"
    server.is_ready = True
    assert said(server) == ["five-eyes expires on 2027-01-20, 58 days from now"]
    assert said(server) == []
    clock.now += timedelta(days=3)
    assert said(server) == [
        "five-eyes/look should have been reviewed by 2026-11-25, 1 day ago",
        "five-eyes expires on 2027-01-20, 55 days from now",
    ]
    clock.now = END - timedelta(seconds=1)
    assert "five-eyes expires on 2027-01-20, 1 day from now" in said(server)
    assert entries(node, Act.AGREEMENT_EXPIRED) == []
    clock.now = END
    assert said(server) == ["five-eyes has expired on 2027-01-20: it permits nothing any more"]
    assert said(server) == []
    clock.now += timedelta(days=1)
    assert said(server) == ["five-eyes has expired on 2027-01-20: it permits nothing any more"]
    assert len(entries(node, Act.AGREEMENT_EXPIRED)) == 1
    assert node.agreements == ()

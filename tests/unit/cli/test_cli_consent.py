"""`tearline consent`, as officers at two nodes use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tearline.cli import main
from tearline.node import Node
from tests.unit.node.test_consent import carry, got
from tests.unit.node.world import GREEN, bundle, malware, nodes, take

BY = ("--officer", "heron-1")


@pytest.fixture
def three(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        take(made[0], bundle(malware("a", GREEN)))
        carry(made[0], made[1])
        yield made


def run(node: Node, *words: str) -> str:
    result = CliRunner().invoke(main, ["--home", str(node.home.folder), "consent", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(node: Node, *words: str) -> str:
    result = CliRunner().invoke(main, ["--home", str(node.home.folder), "consent", *words])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_asked_granted_listed_revoked(three: list[Node]) -> None:
    gbr, usa, can = three
    product = malware("a")["id"]
    said = run(usa, "request", product, "--for", "CAN", "--why", "They are hit too.")
    assert said.endswith(f": GBR is asked whether CAN may have {product}.\n")
    name = said.partition(":")[0]
    carry(usa, gbr)
    (row,) = [line for line in run(gbr, "requests").splitlines() if name in line]
    assert all(word in row for word in ("USA", "CAN", product, "They are hit too."))
    granted = run(gbr, "grant", name, *BY, "--until", "2099-12-31")
    assert f"USA may give {product} to CAN until 2099-12-31T00:00:00Z." in granted
    serial = granted.partition(":")[0]
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    listed = json.loads(run(usa, "list", "--json"))
    assert [(each["consent"], each["side"], each["state"]) for each in listed["consents"]] == [
        (serial, "held", "in force")
    ]
    assert [each["answer"] for each in listed["asked"]] == ["granted"]
    assert "in force" in run(gbr, "list")
    assert "USA is told" in run(gbr, "revoke", serial, *BY, "--why", "Example.")
    carry(gbr, usa)
    assert "ended by GBR" in run(usa, "list")
    assert "ended by heron-1" in run(gbr, "list")
    assert "no consent of this node is in force" in refused(gbr, "revoke", serial, *BY, "--why", "Again.")


def test_standing_and_refused(three: list[Node]) -> None:
    gbr, usa, can = three
    name = run(usa, "request", malware("a")["id"], "--for", "CAN").partition(":")[0]
    carry(usa, gbr)
    assert run(gbr, "refuse", name, *BY) == "USA is told no.\n"
    assert "no request waits" in refused(gbr, "refuse", name, *BY)
    carry(gbr, usa)
    assert got(usa, can) == []
    to = ("--holder", "USA", "--for", "CAN", *BY)
    assert "is no scope" in refused(gbr, "standing", *to, "--scope", "some")
    assert "may give category=cyber of ours to CAN" in run(gbr, "standing", *to, "--scope", "category=cyber")
    carry(gbr, usa)
    assert got(usa, can) == ["a"]
    assert "is not a partner" in refused(usa, "request", malware("a")["id"], "--for", "FRA")

"""`tearline ledger verify --partner`, `export`, `fork`: what they say, and their exit status."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from tearline.adapters.view import OUT
from tearline.cli import main
from tearline.node import Node, hand_over, receive
from tests.adoption import OFFICERS
from tests.unit.node.world import EVERYTHING, GREEN, Clock, bundle, malware, nodes, take, work


def run(node: Node, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(node.home.folder), "ledger", *arguments])


def carry(giver: Node, taker: Node) -> None:
    view = giver.view(taker.party)
    page = view.serve(OUT, EVERYTHING, after=-1, limit=1_000)
    receive(taker, giver.party, [orjson.loads(body) for body in page.items])


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA") as made:
        take(made[0], bundle(malware("a", GREEN), malware("b", GREEN)))
        work(made[0])
        yield made


def test_what_is_open_is_said_and_is_no_failure(pair: list[Node]) -> None:
    gbr, usa = pair
    carry(gbr, usa)
    said = run(gbr, "verify", "--partner", "USA")
    assert said.exit_code == 0, said.output
    assert "2 releases, 0 receipted" in said.output
    assert "0 differ, 2 open. A missing receipt proves nothing" in said.output
    hand_over(usa)
    carry(usa, gbr)
    said = run(gbr, "verify", "--partner", "USA", "--json")
    record = json.loads(said.output)
    assert (said.exit_code, record["given"]["receipted"], record["open"]) == (0, 2, [])


def test_both_sides_compare(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    carry(gbr, usa)
    hand_over(usa)
    carry(usa, gbr)
    path = tmp_path / "export.jsonl"
    assert run(usa, "export", "--partner", "GBR", "--output", str(path)).exit_code == 0
    said = run(gbr, "verify", "--partner", "USA", "--other", str(path))
    assert said.exit_code == 0, said.output
    assert "Compared with what USA exported at" in said.output
    path.write_bytes(path.read_bytes()[:-2])
    said = run(gbr, "verify", "--partner", "USA", "--other", str(path))
    assert (said.exit_code, "did not sign it as it stands" in said.output) == (1, True)


def test_a_fork_is_shown_and_settled(pair: list[Node], tmp_path: Path) -> None:
    gbr, usa = pair
    shutil.copytree(gbr.home.folder, tmp_path / "copy")
    with Node.open(tmp_path / "copy") as copy:
        copy.clock = Clock()
        copy.clock.now += timedelta(hours=1)
        for node, name in ((gbr, "c"), (copy, "d")):
            take(node, bundle(malware(name, GREEN)))
            work(node)
            carry(node, usa)
    said = run(usa, "verify", "--partner", "GBR")
    assert said.exit_code == 1
    assert "its log has two histories" in said.output
    status = CliRunner().invoke(main, ["--home", str(usa.home.folder), "status"])
    assert "the log of GBR has two histories" in status.output
    assert "open" in run(usa, "fork", "list").output
    why = "They restored an old copy."
    assert run(usa, "fork", "settle", "GBR", "--officer", "nobody", "--why", why).exit_code == 1
    assert run(usa, "fork", "settle", "GBR", "--officer", OFFICERS[0], "--why", why).exit_code == 0
    assert why in run(usa, "fork", "list").output
    assert run(usa, "verify", "--partner", "GBR").exit_code == 0
    assert run(usa, "fork", "settle", "GBR", "--officer", OFFICERS[0], "--why", why).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--json"),
        ("verify", "--partner", "XXX"),
        ("verify", "--partner", "GBR"),
        ("export", "--partner", "XXX"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(pair: list[Node], arguments: tuple[str, ...]) -> None:
    said = run(pair[0], *arguments)
    assert said.exit_code == 1
    assert said.output.startswith("tearline: ")
    assert said.output.count("\n") == 1

"""`tearline referral`, as an officer uses it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from tearline.cli import main
from tearline.node import Node, reconsider, referral
from tests.adoption import approve
from tests.unit.node.test_protect import NAME
from tests.unit.node.test_referral import MASKED, Clock, desk, given, refer, vault
from tests.unit.node.world import GREEN, bundle, malware, take

__all__ = ["desk", "vault"]
BY = ("--officer", "heron-1", "--why", "he said so on the radio too")


def run(node: Node, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["--home", str(node.home.folder), "referral", *words])
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def test_listed_shown_released_undone(desk: tuple[Node, Clock]) -> None:
    node, _ = desk
    assert run(node, "list") == "Nothing waits for an officer.\n"
    product = refer(node)
    assert "sanitize.quote" in run(node, "list")
    shown = run(node, "show", product, "USA")
    assert MASKED in shown
    assert NAME not in shown
    assert "hold" in shown
    said = run(node, "release", product, "USA", *BY)
    number = said.split(":")[0].removeprefix("Decision ")
    assert f"referral undo {number}" in said
    assert f"{number}, undone until" in run(node, "list")
    assert "is undone" in run(node, "undo", number, "--officer", "heron-2")
    assert "cannot be undone" in run(node, "undo", number, "--officer", "heron-2", status=1)


def test_in_other_words_of_a_file(desk: tuple[Node, Clock], tmp_path: Path) -> None:
    node, clock = desk
    product = refer(node)
    shown = json.loads(run(node, "show", product, "USA", "--json"))
    words = tmp_path / "words.json"
    words.write_text(json.dumps([shown["portions"][0], "Somebody saw it.", *shown["portions"][2:]]))
    run(node, "release", product, "USA", *BY, "--seal", shown["seal"], "--text", str(words))
    clock.at = datetime.now(UTC) + timedelta(seconds=60)  # the command has the clock of the machine
    assert "Somebody saw it." in given(node)
    words.write_text("Somebody saw it.")
    assert "not a JSON list" in run(node, "release", product, "CAN", *BY, "--text", str(words), status=1)


def test_withheld_and_cleared(desk: tuple[Node, Clock]) -> None:
    node, clock = desk
    take(node, bundle(malware("Kettle", GREEN, description=f"Sold by {NAME}.")))
    assert given(node) == ""
    (product, *_) = {each.product for each in referral.queue(node)}
    assert "withheld from USA" in run(node, "withhold", product, "USA", *BY)
    clock.at = datetime.now(UTC) + timedelta(seconds=60)
    given(node)
    (hit,) = json.loads(run(node, "show", product, "CAN", "--json"))["hits"]
    assert NAME not in str(hit)
    refused = run(node, "clear", product, "CAN", hit["id"][:12], *BY, status=1)
    assert f"tearline officer approve clear-hits {product}@" in refused
    approve(node, referral.CLEAR, refused.rsplit(" ", 1)[1].strip())
    assert "1 cleared" in run(node, "clear", product, "CAN", hit["id"][:12], *BY)
    assert NAME in given(node, "CAN")
    reconsider(node)
    assert NAME in given(node), "it was withheld as a referral, and is none any more"


def test_asked_for_what_is_our_own(desk: tuple[Node, Clock]) -> None:
    node, _ = desk
    assert "nobody can be asked" in run(node, "ask", refer(node), "USA", status=1)


@pytest.mark.parametrize("command", ["show", "withhold", "release"])
def test_what_is_not_referred(desk: tuple[Node, Clock], command: str) -> None:
    node, _ = desk
    more = () if command == "show" else BY
    assert "is not referred for USA" in run(node, command, "report--none", "USA", *more, status=1)

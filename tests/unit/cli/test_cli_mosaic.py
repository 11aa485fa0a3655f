"""`tearline mosaic`, and the example of docs/mosaic.md, run as it stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.node import Node, mosaic, verify_ledger
from tearline.terms import Refused
from tearline.vault import Obligations, Standing
from tearline.vault.source import State
from tests.unit.node.world import held, nodes, take

PAGE = Path(__file__).parents[3] / "docs" / "mosaic.md"


class OpenVault:
    """What the vault's process answers."""

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sources(self) -> tuple[Standing, ...]:
        owed = Obligations(k=3)
        return (Standing(cryptonym="FALCON-RIVER", obligations=owed, state=State.ACTIVE, rows=1),)


class Desk:
    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.folder = node, folder

    def run(self, *words: str) -> Result:
        arguments = ["--home", str(self.node.home.folder), *words]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    def done(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        return result.stderr.splitlines()[-1].removeprefix("tearline: ")

    def file(self, content: str, name: str = "harbour.csv") -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    with nodes(tmp_path, "GBR", "USA") as made:
        yield Desk(made[0], tmp_path)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_example_runs_as_it_stands(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaic, "ask_vault", OpenVault)
    desk.file(*blocks("csv"))
    take(desk.node, blocks("report")[0].encode())
    shown = []
    for transcript in blocks("console"):
        for step in transcript.removeprefix("$ ").split("\n$ "):
            command, _, output = step.partition("\n")
            said = desk.done(*shlex.split(command)[1:])
            assert [line.rstrip() for line in said.splitlines()] == output.splitlines(), command
            shown.append(said)
    assert len(shown) == 6
    assert verify_ledger(desk.node)[1] == []


def test_without_the_vault_k_is_not_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.done("mosaic", "population", "add", "harbour", desk.file(blocks("csv")[0]))
    desk.done("mosaic", "source", "FALCON-RIVER", "--population", "harbour")
    said = desk.done("mosaic", "show", "FALCON-RIVER", "--if", "trade", "--partner", "USA")
    assert "owed what the vault says: it is shut, or does not know the source" in said
    assert re.search(r"USA +│ 9 +│ 9 +│ trade +│ 4 +│ 4 ", said)

    def shut(*_: Any) -> Any:
        raise Refused("the vault is not open")

    monkeypatch.setattr(mosaic, "ask_vault", shut)
    assert desk.done("mosaic", "show", "FALCON-RIVER", "--if", "trade", "--partner", "USA") == said


def test_lists(desk: Desk) -> None:
    path = desk.file(blocks("csv")[0])
    assert "is kept: 9 persons" in desk.done("mosaic", "population", "add", "harbour", path)
    assert "was kept already" in desk.done("mosaic", "population", "add", "harbour", path)
    assert re.search(r"harbour +│ 9 +│ [0-9a-f]{12} ", desk.done("mosaic", "population", "list"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("population", "add", "harbour", "none.csv"), "none.csv: No such file or directory"),
        (("population", "add", "harbour", "harbour.csv", "--coarser", "town"), "--coarser: this is no pair"),
        (
            ("population", "add", "harbour", "harbour.csv", "--coarser", "town=trade"),
            "harbour.csv, town Lumen: ",
        ),
        (("population", "show", "none"), "there is no population of this name"),
        (("source", "FALCON-RIVER", "--population", "none"), "there is no population of this name"),
        (("show", "FALCON-RIVER"), "the source is in no population"),
        (("show", "Sorvat"), "source: this is not a cryptonym"),
        (("facts", "report--none"), "report--none is not held"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(desk: Desk, words: tuple[str, ...], said: str) -> None:
    desk.file(blocks("csv")[0])
    assert said in desk.refused("mosaic", *words)


def test_a_fact_needs_an_officer_of_the_node(desk: Desk) -> None:
    take(desk.node, blocks("report")[0].encode())
    product = held(desk.node)[0].product.id
    words = ["mosaic", "fact", product, "--portion", "3", "--source", "OAK-HILL", "--fact", "Town=Osk"]
    assert "nobody" in desk.refused(*words, "--officer", "nobody", "--why", "x")
    desk.done(*words, "--officer", "heron-1", "--why", "x")
    assert "OAK-HILL: town=Osk" in desk.done("mosaic", "facts", product)

"""Requirements go to partners as all products do: by the gate, or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from tearline.adapters import store
from tearline.cli import main
from tearline.node import Node, receive
from tearline.node.requirements import seen_by, send
from tearline.node.review import Inputs, review
from tearline.node.take_in import TakenIn
from tearline.review.report import tables
from tearline.review.requirements import Requirement, report
from tearline.review.scenario import Scenario
from tearline.terms import Refused, Topic
from tests.unit.node import world

OPEN = Requirement(
    id="R-1",
    question="Which barges leave Velna?",
    elements=("names", "loads"),
    marking="//GBR SECRET//REL TO USA, GBR",
    topics=frozenset({Topic.MARITIME}),
)
CLOSED = Requirement(id="R-2", question="Who pays?", marking="//GBR SECRET", topics=OPEN.topics)
RED_LINE = msgspec.structs.replace(OPEN, id="R-3", topics=frozenset({Topic.COUNTERINTELLIGENCE}))


def outcomes(node: Node) -> dict[tuple[str, str], str]:
    """What the gate did answer, by title and partner."""
    titles = {each.seq: each.product.title for each in world.held(node)}
    outcome = store.metadata.tables["outcome"].c
    with node.reading() as db:
        rows = db.execute(select(outcome.product, outcome.partner, outcome.kind)).all()
    return {(titles[product], partner): kind for product, partner, kind in rows}


def test_what_is_said_beforehand_is_what_the_gate_then_does(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA", "AUS") as (gbr, usa, aus):
        asked = (OPEN, CLOSED, RED_LINE)
        seen = {(each.requirement, each.partner): each.outcome for each in seen_by(gbr, asked)}
        assert seen["R-1", "USA"] == "whole"
        assert {way for (name, partner), way in seen.items() if (name, partner) != ("R-1", "USA")} == {
            "withhold"
        }
        answers = [answer for _, answer in send(gbr, asked)]
        assert all(isinstance(answer, TakenIn) and answer.quarantine is None for answer in answers)
        world.work(gbr)
        assert {(f"R-{title[-1]}", partner): kind for (title, partner), kind in outcomes(gbr).items()} == seen
        assert world.names(world.page(gbr, usa)) == ["Requirement R-1"]
        assert world.page(gbr, aus) == []
        receive(usa, "GBR", world.page(gbr, usa))
        (kept,) = world.held(usa)
        assert b"Which barges leave Velna?" in kept.product.content


def test_sent_again_it_is_a_new_version_of_one_product(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        ((_, first),) = send(gbr, [OPEN])
        now = gbr.clock()
        gbr.clock = lambda: now + timedelta(days=1)
        ((_, again),) = send(gbr, [msgspec.structs.replace(OPEN, priority=1)])
        assert isinstance(first, TakenIn)
        assert isinstance(again, TakenIn)
        assert first.product_id == again.product_id
        assert len({each.product.version for each in world.held(gbr)}) == 2


def test_what_is_in_a_requirement_says_nothing_in_its_header(tmp_path: Path) -> None:
    sly = Requirement(
        id="R-9\nOriginator: USA",
        question="Who?\n\n//GBR UNCLASSIFIED",
        elements=("a\nSOURCE: b",),
        marking="//GBR SECRET",
    )
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        text = report(sly, gbr.clock())
        assert "\nOriginator" not in text
        assert "\nSOURCE" not in text
        assert {each.outcome for each in seen_by(gbr, [sly])} == {"withhold"}


def test_another_partys_requirement_is_not_ours_to_send(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        theirs = msgspec.structs.replace(OPEN, holder="USA")
        assert seen_by(gbr, [theirs]) == ()
        with pytest.raises(Refused, match="only its holder sends it"):
            list(send(gbr, [OPEN, theirs]))
        assert world.held(gbr) == []


def test_a_review_says_who_may_see_them(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA", "AUS") as (gbr, *_):
        world.take(gbr, world.bundle(world.malware("Heron")))
        made = review(gbr, Scenario(title="x"), Inputs(requirements=(OPEN,)))
        (table,) = (each for each in tables(made) if each.name == "requirements")
        assert [row[:3] for row in table.rows] == [("R-1", "AUS", "withhold"), ("R-1", "USA", "whole")]
        assert "five-eyes/" in str(table.rows[1][3])


TOML = """
[[requirement]]
id = "R-1"
question = "Barges?"
marking = "//GBR SECRET//REL TO USA, GBR"
topics = ["maritime"]
"""


def test_the_commands(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        folder = gbr.home.folder
    path = tmp_path / "needs.toml"
    path.write_text(TOML)

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--home", str(folder), "requirement", *arguments])
        return done.exit_code, done.output

    code, shown = run("list", str(path))
    assert code == 0, shown
    assert "whole" in shown
    assert run("send", str(path), "--id", "R-7")[0] == 1
    code, shown = run("send", str(path), "--id", "R-1")
    assert code == 0, shown
    assert "R-1 is taken in as report--" in shown
    assert "the gate will decide" in shown

"""A review over real nodes: its figures are those of the gate, of a recount, and of a real suspension."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tearline.adapters import items, store
from tearline.agreement.suspension import Scope
from tearline.cli import main
from tearline.handout.charts import page
from tearline.node import Node, agreements, receive, suspend
from tearline.node.replay import export
from tearline.node.review import Inputs, copies, export_holdings, review, supposed
from tearline.review import Change
from tearline.review.dependency import By
from tearline.review.report import Review, tables
from tearline.review.scenario import Answer, Expire, Scenario, Suspend, adoption_of, suspension_of
from tearline.terms import Refused
from tests.adoption import proved
from tests.model import naive_holdings as naive
from tests.unit.node import world
from tests.unit.node.test_replay import fill, without_clauses


def held_by(node: Node, partner: str) -> int:
    """Items that the node gave to a partner, counted copy by copy."""
    every = [copy for batch in copies(node) for copy in batch]
    return len({(copy.originator, copy.item) for copy in every if copy.holder == partner})


def consumer(made: Review, holder: str, stage: str) -> tuple[float, float]:
    assert made.dependency is not None
    (found,) = (each for each in made.dependency.consumers if (each.holder, each.stage) == (holder, stage))
    return found.items, found.allies


def test_a_suspension_in_a_review_is_what_the_gate_then_does(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA", "AUS") as (gbr, *_):
        fill(gbr, 1, 8)
        made = review(gbr, suspension_of("USA", "category=report"))
        assert made.changes is not None
        (usa_now,) = (each for each in made.changes.totals if each.partner == "USA")
        (aus_now,) = (each for each in made.changes.totals if each.partner == "AUS")
        assert aus_now.counts == {}
        assert usa_now.counts[Change.WITHHELD] > 0
        every = [copy for batch in copies(gbr) for copy in batch]
        reports = sum(copy.holder == "USA" and copy.category == "report" for copy in every)
        assert usa_now.counts[Change.WITHHELD] == reports
        assert consumer(made, "USA", "now")[0] - consumer(made, "USA", "after")[0] == reports
        assert consumer(made, "AUS", "now") == consumer(made, "AUS", "after")
    with world.nodes(tmp_path / "then", "GBR", "USA", "AUS") as (gbr, *_):
        suspend.suspend(gbr, "USA", Scope.read("category=report"), officer="heron-1", reason="r")
        fill(gbr, 1, 8)
        for party in ("USA", "AUS"):
            assert held_by(gbr, party) == consumer(made, party, "after")[0]
        assert any("Suspended already" in note for note in review(gbr, suspension_of("USA")).notes)


def test_figures_are_a_recount(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA", "AUS") as (gbr, usa, aus):
        fill(gbr, 3, 6)
        receive(usa, "GBR", world.page(gbr, usa))
        world.work(usa)
        fill(usa, 4, 3)
        receive(gbr, "USA", world.page(usa, gbr))
        files = []
        for node in (gbr, usa):
            files.append(tmp_path / f"{node.party}.parquet")
            assert export_holdings(node, files[-1]) > 5
        every = [copy for node in (gbr, usa) for batch in copies(node) for copy in batch]
        made = review(gbr, suspension_of("USA"), Inputs(holdings=tuple(files)))
        assert made.dependency is not None
        for holder in ("GBR", "USA", "AUS"):
            expected = naive.shares(every, ())
            total = sum(now for (who, _, _), (now, _, _) in expected.items() if who == holder)
            assert consumer(made, holder, "now")[0] == total
            for share in made.dependency.shares:
                if (share.holder, share.by) == (holder, By.ORIGINATOR):
                    some = sum(
                        now
                        for (who, by, _), (now, _, _) in expected.items()
                        if (who, by) == (holder, share.party)
                    )
                    assert share.share == pytest.approx(some / total)
        # What GBR gave to USA stands in both exports, and counts once.
        given = {(copy.holder, copy.item) for copy in every if copy.giver == "GBR" and copy.holder == "USA"}
        assert consumer(made, "USA", "now")[0] - consumer(made, "USA", "after")[0] == len(given)
        # The answer in kind costs GBR what USA gave.
        theirs = {copy.item for copy in every if copy.giver == "USA" and copy.holder == "GBR"}
        assert len(theirs) > 0
        lost = consumer(made, "GBR", "after")[0] - consumer(made, "GBR", "after the answer")[0]
        assert lost == len(theirs)
        del aus


def test_a_version_and_an_end(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA", "AUS") as (gbr, _, _):
        fill(gbr, 5, 6)
        nothing = agreements.propose(gbr, without_clauses(world.five_eyes()), officer="heron-1", why="w")
        adopted = review(gbr, adoption_of(nothing.version))
        ended = review(gbr, Scenario(title="x", expire=(Expire(agreement="five-eyes"),)))
        for made in (adopted, ended):
            assert made.changes is not None
            assert consumer(made, "USA", "after") == (0, 0)
            assert made.changes.count(Change.WITHHELD) == held_by(gbr, "USA") + held_by(gbr, "AUS")
        export(gbr, tmp_path / "items.parquet")
        files = review(gbr, adoption_of(nothing.version), Inputs(items=(tmp_path / "items.parquet",)))
        assert files.changes is not None
        assert adopted.changes is not None
        assert files.changes.totals == adopted.changes.totals
        assert consumer(files, "USA", "after") == consumer(files, "USA", "now")
        assert any("are from files" in note for note in files.notes)
        # The stored review says the same.
        stored = agreements.review(gbr, nothing.version, officer="heron-1", why="w", prove=proved)
        assert stored.changes.totals == adopted.changes.totals
        assert stored.changes.cells == adopted.changes.cells


def test_what_is_newly_released_is_held_then(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        fill(gbr, 6, 6)
        more = """
        @id("everything-too") @reason("Example.")
        permit (principal, action in Action::"share", resource);"""
        wider = agreements.propose(gbr, world.five_eyes(more), officer="heron-1", why="w")
        made = review(gbr, adoption_of(wider.version))
        assert made.changes is not None
        new = made.changes.count(Change.RELEASED)
        assert new > 0
        assert consumer(made, "USA", "after")[0] - consumer(made, "USA", "now")[0] == new


def test_a_period_counts_what_was_judged_in_it(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        fill(gbr, 7, 3)
        whole, path = review(gbr, suspension_of("USA")), tmp_path / "items.parquet"
        export(gbr, path)
        for since, share in ((date(2026, 1, 1), 1), (date(2026, 12, 1), 0)):
            some = Scenario(title="x", since=since, suspend=(Suspend(partner="USA"),))
            for inputs in (Inputs(), Inputs(items=(path,))):
                made = review(gbr, some, inputs)
                assert made.changes is not None
                assert whole.changes is not None
                assert made.changes.items == share * whole.changes.items
                assert made.changes.count(Change.WITHHELD) == share * whole.changes.count(Change.WITHHELD)
        assert items.count(path) > 0


def test_what_is_not_known_here_is_refused(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        for odd, reason in (
            (suspension_of("FRA"), "FRA is not a partner"),
            (Scenario(title="x", answer=(Answer(partner="FRA"),)), "FRA is not a partner"),
            (Scenario(title="x", expire=(Expire(agreement="four-eyes"),)), "no agreement four-eyes"),
        ):
            with pytest.raises(Refused, match=reason):
                review(gbr, odd)
        assert supposed(gbr, Scenario(title="x")) == tuple(gbr.agreements)


def test_a_review_decides_and_stores_nothing(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (gbr, _):
        fill(gbr, 8, 2)
        with gbr.reading() as db:
            before = gbr.log.size(db), store.generation(db), store.suspensions(db)
        review(gbr, suspension_of("USA"))
        with gbr.reading() as db:
            assert (gbr.log.size(db), store.generation(db), store.suspensions(db)) == before


# --- The command ----------------------------------------------------------------------------------


ESTIMATES = (
    'adversaries = ["NORTHGATE"]\n[[edge]]\nfrom = "USA"\nto = "NORTHGATE"\nlow = 0.1\nhigh = 0.2\nwhy = "w"'
)
REQUIREMENTS = '[[requirement]]\nid = "R-1"\nquestion = "Barges?"\nmarking = "TLP:RED"\ntopics = ["maritime"]'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    with world.nodes(folder, "GBR", "USA") as (gbr, _):
        fill(gbr, 9, 6)
    (folder / "estimates.toml").write_text(ESTIMATES)
    (folder / "requirements.toml").write_text(REQUIREMENTS)
    return folder / "GBR"


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), "review", *arguments])


def asked(home: Path) -> list[str]:
    folder = home.parent
    return [
        *("--suspend", "USA", "--estimates", str(folder / "estimates.toml")),
        *("--requirements", str(folder / "requirements.toml")),
    ]


def test_every_form_has_the_same_figures(home: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"review.{end}" for end in ("html", "json", "csv", "parquet")]
    done = run(home, *asked(home), *(text for path in paths for text in ("--output", str(path))))
    assert done.exit_code == 0, done.output
    told = json.loads(paths[1].read_text())
    figures: dict[tuple[str, int, str], str | float] = {
        (table["name"], number, column): value
        for table in told["tables"]
        for number, row in enumerate(table["rows"])
        for column, value in row.items()
    }
    assert len(figures) > 100
    with paths[2].open() as file:
        rows = [tuple(row) for row in csv.reader(file)]
    assert rows[0] == ("table", "row", "column", "value")
    assert {(t, int(n), c): v for t, n, c, v in rows[1:]} == {
        key: str(value) for key, value in figures.items()
    }
    parquet = pq.read_table(paths[3]).to_pylist()
    assert {
        (row["table"], row["row"], row["column"]): row["text"] if row["number"] is None else row["number"]
        for row in parquet
    } == figures
    html = paths[0].read_text()
    numbers = Counter(str(value) for value in figures.values() if not isinstance(value, str))
    assert Counter(re.findall(r'data-value="([^"]*)"', html)) == numbers
    # Each table says what it means and how to get it again; the command does.
    for table in told["tables"]:
        assert f'id="{table["name"]}"' in html
        assert table["definition"]
    for name in ("dependency", "exposure"):
        (command,) = (table["command"] for table in told["tables"] if table["name"] == name)
        arguments = command.removeprefix("tearline review ").split()
        again = run(home, *arguments, "--output", str(tmp_path / "again.json"))
        assert again.exit_code == 0, again.output
        (found,) = json.loads((tmp_path / "again.json").read_text())["tables"]
        assert found == next(table for table in told["tables"] if table["name"] == name)
    assert all(oct(path.stat().st_mode)[-3:] == "600" for path in paths)


def test_the_terminal_shows_it(home: Path) -> None:
    done = run(home, *asked(home))
    assert done.exit_code == 0, done.output
    for title in (
        "What changes",
        "Who depends on allies",
        "Which requirements",
        "reaches an adversary",
        "Untying",
    ):
        assert title in done.output
    only = run(home, *asked(home), "--only", "exposure")
    assert "Again by: tearline review --suspend USA" in only.output
    assert "USA > NORTHGATE" in only.output


def test_the_page_runs_nothing_and_fetches_nothing_of_what_is_in_it(home: Path) -> None:
    with Node.open(home) as node:
        made = review(node, Scenario(title="</script><script>alert(1)</script>{{echarts}}", answer=()))
    text = page(made)
    assert text.count("<script") == 2
    assert "alert(1)" in text
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy[1].split("script-src")[1].split(";")[0]
    assert not re.search(r'(?:src|href)="(?!#)', re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))
    assert [table.name for table in tables(made)] == [
        "dependency",
        "shares-by-originator",
        "shares-by-giver",
        "losses",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("five-eyes", "--suspend", "USA"), "more than one question"),
        (("--output", "review.pdf"), "no such form"),
        (("--only", "weather"), "there is no such table"),
        (("--suspend", "FRA"), "FRA is not a partner"),
        (("--scenario", "none.toml"), "No such file"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(
    home: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = run(home, *arguments)
    assert done.exit_code == 1
    assert reason in done.output
    assert "Traceback" not in done.output


def test_holdings_go_from_node_to_node(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "GBR.parquet"
    assert "copies are written" in run(home, "--export-holdings", str(path)).output
    mine, theirs = tmp_path / "1.json", tmp_path / "2.json"
    assert run(home, "--only", "dependency", "--output", str(mine)).exit_code == 0
    done = run(home, "--holdings", str(path), "--only", "dependency", "--output", str(theirs))
    assert done.exit_code == 0, done.output
    one, other = (json.loads(each.read_text())["tables"][0]["rows"] for each in (mine, theirs))
    assert one == other

"""Replay over a real node: the present agreements over its history give what its gate gave."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from tearline.adapters import items, store
from tearline.agreement import Agreement, load
from tearline.cli import main
from tearline.node import Node, reconsider
from tearline.node.replay import epochs, export, replay, replay_files
from tearline.review import Change, Changes
from tearline.terms import Reason, Refused
from tests.adoption import adopt
from tests.unit.node import world

MARKS = ("//GBR S", "//GBR C", "//GBR U", "//GBR S//REL TO USA, FVEY", "//GBR U//REL TO USA, GBR", "//GBR TS")
TOPICS = ("maritime", "counterintelligence", "threat-to-life", "proliferation", "air")
EVERYTHING = 10**6


def report(draw: random.Random, number: int) -> bytes:
    """A report with a title, some paragraphs and a source line, each marked on its own."""
    marks = [draw.choice(MARKS) for _ in range(draw.randint(1, 4))]
    paragraphs = "\n\n".join(
        f"({mark}) Barge {number} lay at berth {berth}." for berth, mark in enumerate(marks)
    )
    banner = draw.choice(["//GBR SECRET", "//GBR SECRET", "//GBR TOP SECRET"])
    return f"""\
{banner}
Title: ({draw.choice(MARKS[:3])}) Barges {number}
Date: 2026-10-02T05:00:00Z
Topics: {", ".join(draw.sample(TOPICS, draw.randint(1, 2)))}
Regions: eastern-europe
Discipline: {draw.choice(["humint", "sigint", "osint"])}

{paragraphs}

(//GBR S) SOURCE: A harbour pilot.

{banner}
""".encode()


def fill(node: Node, seed: int, count: int) -> None:
    """Take in reports and malware, and let the gate answer."""
    draw = random.Random(seed)
    for number in range(count):
        world.take(node, report(draw, seed * 1000 + number))
        marks = draw.sample([world.GREEN, world.RED], draw.randint(0, 1))
        world.take(node, world.bundle(world.malware(f"heron {seed} {number}", *marks)))
    world.work(node)


def timed(edit: str) -> Agreement:
    """The five-party agreement, with one more clause."""
    return world.five_eyes(f"\n{edit}\n")


def without_clauses(agreement: Agreement) -> Agreement:
    """The same agreement, permitting nothing."""
    nothing = """@id("nothing") @reason("Example.")
        forbid (principal, action in Action::"share", resource);"""
    return load(agreement.manifest, nothing, agreement.id)


def given(node: Node) -> dict[tuple[str, str, str], tuple[str, frozenset[str]]]:
    """What went by the gate's answers: (product, version, partner) to the form and the clauses."""
    outcome, product = (store.metadata.tables[name] for name in ("outcome", "product"))
    query = select(
        product.c.id, product.c.version, outcome.c.partner, outcome.c.kind, outcome.c.reasons
    ).join_from(outcome, product)
    found = {}
    with node.reading() as db:
        for name, version, partner, kind, reasons in db.execute(query):
            if kind in {"whole", "tearline"}:
                permits = msgspec.json.decode(reasons, type=tuple[Reason, ...])
                clauses = frozenset(each.clause for each in permits if each.code == "agreement.permit")
                found[name, version, partner] = (kind, clauses)
    return found


def replayed(changes: Changes) -> dict[tuple[str, str, str], tuple[str, frozenset[str]]]:
    """The same from a replay in which everything is withheld afterwards."""
    return {
        (each.id, each.version, each.partner): (
            each.before.outcome,
            frozenset(
                clause
                for ruling in (each.before.whole, each.before.tearline)
                if ruling and ruling.verdict == "permit"
                for clause in ruling.clauses
            ),
        )
        for each in changes.examples
    }


def assert_reproduced(node: Node) -> int:
    changes = replay(node, without_clauses(world.five_eyes()), examples=EVERYTHING)
    expected = given(node)
    assert replayed(changes) == expected
    assert changes.count(Change.WITHHELD) == len(expected)
    for each in changes.totals:
        kinds = [kind for (_, _, partner), (kind, _) in expected.items() if partner == each.partner]
        assert (each.whole[0], each.tearline[0]) == (kinds.count("whole"), kinds.count("tearline"))
        assert (each.whole[1], each.tearline[1]) == (0, 0)
    with node.reading() as db:
        assert changes.items == sum(1 for _ in store.held(db))
    return len(expected)


@pytest.mark.parametrize("seed", range(3))
def test_the_present_agreements_give_what_the_gate_gave(tmp_path: Path, seed: int) -> None:
    with world.nodes(tmp_path, "GBR", "AUS", "USA") as (node, *_):
        fill(node, seed, 25)
        assert assert_reproduced(node) > 20
        kinds = {kind for kind, _ in given(node).values()}
        assert kinds == {"whole", "tearline"}


def test_each_product_is_judged_at_its_own_time(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "AUS", "USA") as (node, *_):
        edit = """@id("for-a-day") @reason("Example.")
            forbid (principal == Partner::"AUS", action in Action::"share", resource)
            when { context.now >= datetime("2026-11-24") && context.now < datetime("2026-11-25") };"""
        adopt(node, timed(edit))
        fill(node, 1, 6)
        before = assert_reproduced(node)
        node.clock.now = datetime(2026, 11, 24, 3, tzinfo=UTC)
        fill(node, 2, 6)
        node.clock.now = datetime(2026, 11, 25, 3, tzinfo=UTC)
        fill(node, 3, 6)
        assert assert_reproduced(node) > before
        days = {
            (each.partner, each.at.day)
            for each in replay(node, without_clauses(world.five_eyes()), examples=99).examples
        }
        assert ("AUS", 24) not in days
        assert {("AUS", 23), ("USA", 24), ("AUS", 25)} <= days


def test_what_was_considered_again_is_judged_at_the_later_time(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (node, _):
        edit = """@id("soon") @reason("Example.")
            forbid (principal, action in Action::"share", resource)
            when { context.now >= datetime("2026-11-24") };"""
        adopt(node, timed(edit))
        fill(node, 1, 4)
        assert assert_reproduced(node) > 0
        node.clock.now += timedelta(days=2)
        reconsider(node)
        world.work(node)
        assert assert_reproduced(node) == 0


def test_what_waits_for_the_gate_is_judged_now(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (node, _):
        world.take(node, world.bundle(world.malware("one", world.GREEN)))
        changes = replay(node, without_clauses(world.five_eyes()))
        assert [each.at.date() for each in changes.examples] == [node.clock().date()]


def test_what_is_in_quarantine_and_what_others_made_goes_to_nobody(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (node, _):
        world.take(
            node,
            b"//GBR SECRET//ODD\nTitle: (//GBR U) One\nDate: 2026-10-02T05:00:00Z\n\n(//GBR U//ODD) Text.\n",
        )
        changes = replay(node, without_clauses(world.five_eyes()))
        assert changes.nothing


def test_a_revision_is_told_by_partner_category_and_topic(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "AUS", "USA") as (node, *_):
        fill(node, 4, 20)
        edit = """@id("at-sea") @reason("Example.")
            forbid (principal == Partner::"AUS", action in Action::"share", resource)
            when { resource.topics.contains(Topic::"maritime") };"""
        changes = replay(node, timed(edit), examples=EVERYTHING)
        expected = {key for key, _ in given(node).items() if key[2] == "AUS"}
        gone = {(each.id, each.version, each.partner) for each in changes.examples}
        assert gone
        assert gone < expected
        assert {change for each in changes.totals for change in each.counts} == {Change.WITHHELD}
        assert {(cell.partner, cell.month, cell.category) for cell in changes.cells} == {
            ("AUS", "2026-11", "report")
        }
        assert max(changes.cells, key=lambda cell: cell.counts[Change.WITHHELD]).topic == "maritime"
        for each in changes.examples:
            assert "maritime" in each.topics
            asked = [ruling for ruling in (each.after.whole, each.after.tearline) if ruling]
            assert {clause for ruling in asked for clause in ruling.clauses} == {"five-eyes/at-sea"}


def test_an_export_is_replayed_to_the_same(tmp_path: Path) -> None:
    with world.nodes(tmp_path / "nodes", "GBR", "AUS", "USA") as (node, *_):
        fill(node, 5, 12)
        path, seen = tmp_path / "items.parquet", list[tuple[int, int]]()
        proposed = without_clauses(world.five_eyes())
        written = export(node, path, progress=lambda *done: seen.append(done))
        assert written == items.count(path)
        assert seen[-1][0] == seen[-1][1] > 0
        assert replay_files(node, proposed, [path]) == replay(node, proposed)
        twice = replay_files(node, proposed, [path, path], progress=lambda *done: seen.append(done))
        assert twice.items == 2 * replay(node, proposed).items
        assert seen[-1] == (2 * written, 2 * written)


def test_for_some_partners_only(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "AUS", "USA") as (node, *_):
        fill(node, 6, 3)
        changes = replay(node, world.five_eyes(), partners=["AUS"])
        assert [each.partner for each in changes.totals] == ["AUS"]
        with pytest.raises(Refused, match="UKR is not a partner"):
            replay(node, world.five_eyes(), partners=["AUS", "UKR"])


def test_replaying_leaves_no_trace(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "USA") as (node, _):
        fill(node, 7, 3)
        before = world.state(node)
        replay(node, without_clauses(world.five_eyes()))
        assert world.state(node) == before


def test_coalitions_are_those_of_the_day() -> None:
    days = epochs(["FIN", "USA"])
    assert [day for day, _ in days] == sorted(day for day, _ in days)
    nato = {day: "NATO" in members["FIN"] for day, members in days}
    assert not nato[min(nato)]
    assert nato[max(nato)]


# --- The command ----------------------------------------------------------------------------------


def run(home: Path, *arguments: object) -> str:
    result = CliRunner().invoke(main, ["--home", str(home), "agreement", "replay", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command(tmp_path: Path) -> None:
    with world.nodes(tmp_path / "nodes", "GBR", "AUS") as (node, _):
        fill(node, 8, 8)
        world.take(node, world.bundle(world.malware("goes whole", world.GREEN)))
        world.work(node)
    home, folder, out = tmp_path / "nodes" / "GBR", tmp_path / "proposed", tmp_path / "items.parquet"
    proposed = without_clauses(world.five_eyes())
    folder.mkdir()
    (folder / "agreement.toml").write_text(proposed.manifest)
    (folder / "clauses.cedar").write_text(proposed.clauses)

    shown = run(home, folder, "--examples", 99)
    assert re.search(r"withheld: five-eyes/nothing forbids it", shown)
    assert re.search(r"whole by five-eyes/[a-z-]+", shown)
    assert re.search(r"tearline by five-eyes/[a-z-]+", shown)
    assert "newly withheld" in shown

    assert "rows are written" in run(home, "--export", out)
    counts = tmp_path / "counts.parquet"
    told = orjson.loads(run(home, folder, "--items", out, "--json", "--parquet", counts))
    assert told["proposed"] == [proposed.version]
    assert told["totals"][0]["partner"] == "AUS"
    import pyarrow.parquet as pq

    rows = pq.read_table(counts).to_pylist()
    assert sum(row["items"] for row in rows) == sum(
        amount for cell in told["cells"] for amount in cell["counts"].values()
    )
    (version,) = (each.version for each in [world.five_eyes()])
    assert "Nothing would have changed." in run(home, version[:12])


def test_the_command_asks_for_one_thing(tmp_path: Path) -> None:
    with world.nodes(tmp_path, "GBR", "AUS"):
        pass
    result = CliRunner().invoke(main, ["--home", str(tmp_path / "GBR"), "agreement", "replay"])
    assert result.exit_code == 1
    assert "give an agreement to replay, or --export FILE" in result.output

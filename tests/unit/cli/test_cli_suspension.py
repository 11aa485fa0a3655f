"""`tearline partner suspend`, `resume`, `suspensions` and `tearline agreement shadow`, as they are typed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.node import Node, agreements
from tests.adoption import approve
from tests.unit.node.world import GREEN, REPORT, bundle, five_eyes, malware, nodes, take, work

WHO = ("--officer", "heron-1")
NOTHING = '@id("nothing") @reason("Example.") forbid (principal, action in Action::"share", resource);'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, *_):
        take(gbr, bundle(malware("a", GREEN)))
        take(gbr, REPORT.encode())
        work(gbr)
    return tmp_path / "GBR"


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *words], catch_exceptions=False)


def done(home: Path, *words: str) -> str:
    result = run(home, *words)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(home: Path, *words: str) -> str:
    result = run(home, *words)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_suspend_show_approve_resume(home: Path) -> None:
    order = ("partner", "suspend", "USA", "--scope", "category=cyber", "--reason", "It leaks.", *WHO)
    said = done(home, *order, "--review", "2099-01-01", "--inbound", "refuse")
    found = re.match(r"USA/([0-9a-f]{12}): nothing of category=cyber goes to USA any more\.", said)
    assert found, said
    assert "1 releases were on their way" in said
    name = found[1]
    shown = done(home, "partner", "suspensions")
    for word in (f"USA/{name}", "category=cyber", "2099-01-01", "refuse", "heron-1", "It leaks."):
        assert word in shown
    end = ("partner", "resume", f"USA/{name}", "--why", "Mended.", *WHO)
    assert f"tearline officer approve resume-partner USA@{name}" in refused(home, *end)
    with Node.open(home) as node:
        approve(node, "resume-partner", f"USA@{name}")
    assert "has ended" in done(home, *end)
    assert name not in done(home, "partner", "suspensions")
    assert "is not suspended" in refused(home, *end)


def test_what_ends_soon_is_announced(home: Path) -> None:
    order = ("partner", "suspend", "USA", "--scope", "all", "--reason", "x", *WHO)
    with Node.open(home) as node:
        day = (node.clock() + timedelta(days=10)).date()
    said = done(home, *order, "--until", f"{day}T12:00:00Z")
    assert f"by itself at {day}T12:00:00Z" in said
    assert f"ends by itself at {day}T12:00:00Z" in done(home, "partner", "suspensions")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("USA", "--scope", "topic=spies", *WHO), "'spies' is no topic"),
        (("USA", "--scope", "some", *WHO), "'some' is no scope"),
        (("FRA", "--scope", "all", *WHO), "FRA is not a partner"),
        (("USA", "--scope", "all", "--officer", "nobody"), "nobody is not an officer"),
        (("USA", "--scope", "all", "--until", "soon", *WHO), "'soon' is not a day or a second"),
        (("USA", "--scope", "all", "--until", "2020-01-01", *WHO), "this has passed"),
    ],
)
def test_what_cannot_be_ordered_says_why(home: Path, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(home, "partner", "suspend", *words, "--reason", "x")
    assert "USA/" not in done(home, "partner", "suspensions")


def test_two_suspensions_are_told_apart(home: Path) -> None:
    for scope in ("all", "topic=air"):
        done(home, "partner", "suspend", "USA", "--scope", scope, "--reason", "x", *WHO)
    said = refused(home, "partner", "resume", "USA", "--why", "x", *WHO)
    assert len(re.findall(r"USA/[0-9a-f]{12}", said)) == 2


def test_a_shadow_is_started_and_shown(home: Path) -> None:
    with Node.open(home) as node:
        version = agreements.propose(node, five_eyes(NOTHING), officer="heron-1", why="x").version
    shadow = ("agreement", "shadow", version[:12])
    assert "never ran" in refused(home, *shadow, "--show")
    assert "all are needed" in refused(home, *shadow)
    assert "decides nothing" in done(home, *shadow, "--until", "2099-01-01", "--why", "x", *WHO)
    assert "nothing otherwise" in done(home, *shadow, "--show")
    assert "shadow" in done(home, "agreement", "list")
    with Node.open(home) as node:
        take(node, bundle(malware("b", GREEN)))
        work(node)
    shown = done(home, *shadow, "--show")
    assert "saw 1 products" in shown
    assert shown.count("five-eyes/nothing") == 4, "two partners, counted and with an example each"

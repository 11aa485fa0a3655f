"""Ten simulated node-years of traffic, with everything going wrong that can, and no law broken."""

from __future__ import annotations

import json

import msgspec
import pytest
from click.testing import CliRunner

from tearline.cli import main
from tearline.simulate import Plan, run

YEARS = Plan(nodes=8, days=457, products=0.06, deeds=0.01, stress=0.5)


def test_ten_node_years() -> None:
    report = run(YEARS)
    assert report.breaches == ()
    assert report.node_years >= 10
    assert report.events > 1_000_000
    assert report.received > 500
    for fault in (
        "lost",
        "duplicated",
        "reordered",
        "cut off",
        "crash",
        "power cut",
        "unsynced commits lost",
    ):
        assert report.faults[fault] > 0, fault
    assert {"partition", "clock skew", "vault shut", "post room stopped"} <= report.faults.keys()
    assert sum(count for fault, count in report.faults.items() if fault.startswith("cheat")) > 20


def test_a_large_coalition() -> None:
    report = run(Plan(nodes=64, days=0.1, products=1, deeds=0.2, stress=20, poll_minutes=60, samples=0))
    assert report.breaches == ()
    assert report.received > 0


def test_the_command_says_how_to_see_a_breach_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.simulator import outbox_row_is_lost

    asked = ["simulate", "--nodes", "3", "--days", "5", "--products", "3", "--seed", "2", "--faults", "none"]
    fine = CliRunner().invoke(main, [*asked, "--json"])
    assert fine.exit_code == 0, fine.output
    assert json.loads(fine.stdout)["breaches"] == []
    outbox_row_is_lost(monkeypatch)
    broken = CliRunner().invoke(main, asked)
    assert broken.exit_code == 1
    assert "BROKEN: law" in broken.stdout
    assert "--seed 2" in broken.stdout.splitlines()[-1]


def test_an_unknown_fault_is_refused() -> None:
    answer = CliRunner().invoke(main, ["simulate", "--faults", "network,gremlins"])
    assert answer.exit_code == 1
    assert "'gremlins' is no fault" in answer.stderr


def test_a_plan_survives_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(YEARS), type=Plan) == YEARS

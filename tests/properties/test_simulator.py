"""The coalition simulator: the same seed is the same run; and planted faults are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import msgspec
import pytest

from tearline.simulate import Plan, Report, run
from tests import simulator
from tests.simulator import DENSE, PLANTED, found_by

LONG = os.environ.get("TEARLINE_LONG") == "1"
QUICK = {
    simulator.label_lets_anybody_in,
    simulator.proposals_decide,
    simulator.anything_is_adopted,
    simulator.outbox_row_is_lost,
    simulator.ledger_after_effect,
    simulator.commits_are_not_synced,
    simulator.suspension_is_no_forbid,
    simulator.unverified_is_accepted,
    simulator.passed_on_without_consent,
    simulator.source_lines_in_tearlines,
    simulator.numbers_run_over_all_partners,
}
"""Those that are found with the first or second seed; the others take longer, and TEARLINE_LONG=1."""
SHORT = msgspec.structs.replace(DENSE, days=6, samples=0)


def same(one: Report, other: Report) -> bool:
    """Whether two runs were the same to the byte, whatever time they took."""
    return msgspec.structs.replace(one, cpu_seconds=0, wall_seconds=0) == msgspec.structs.replace(
        other, cpu_seconds=0, wall_seconds=0
    )


def elsewhere(plan: Plan) -> str:
    """The digest of a run in a process of its own, in which sets have another order than here."""
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    code = (
        "import sys, msgspec; from tearline.simulate import Plan, run;"
        "print(run(msgspec.json.decode(sys.argv[1], type=Plan)).digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, msgspec.json.encode(plan).decode()],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_seed_replays_exactly() -> None:
    traces: list[list[str]] = [[], []]
    reports = [run(SHORT, trace=trace.append) for trace in traces]
    assert traces[0] == traces[1]
    assert same(*reports)
    assert not same(reports[0], run(msgspec.structs.replace(SHORT, seed=8)))


def test_a_seed_replays_in_another_process() -> None:
    assert elsewhere(SHORT) == run(SHORT).digest


def test_the_first_events_can_be_run_alone() -> None:
    """That is how a failing seed is made smaller."""
    whole: list[str] = []
    part: list[str] = []
    run(SHORT, trace=whole.append)
    report = run(msgspec.structs.replace(SHORT, events=400), trace=part.append)
    assert report.breaches == ()
    assert 0 < len(part) < len(whole)
    assert part == whole[: len(part)]


def test_without_faults_nothing_goes_wrong() -> None:
    report = run(msgspec.structs.replace(SHORT, faults=()))
    assert (report.faults, report.breaches) == ({}, ())
    assert report.releases == report.received > 0


def test_a_report_is_json() -> None:
    report = run(msgspec.structs.replace(SHORT, days=0.5))
    assert json.loads(msgspec.json.encode(report))["plan"]["seed"] == SHORT.seed


@pytest.mark.parametrize(
    "plant", [plant for plant in PLANTED if LONG or plant in QUICK], ids=lambda plant: plant.__name__
)
def test_a_planted_fault_is_found(plant: simulator.Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert found_by(DENSE, laws=PLANTED[plant])


def test_what_is_planted_is_what_is_found() -> None:
    """The seeds that find planted faults find nothing without them."""
    for seed in range(1, 4 if not LONG else 1 + simulator.FEW):
        assert run(msgspec.structs.replace(DENSE, seed=seed)).breaches == ()

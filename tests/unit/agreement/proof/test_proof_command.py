"""`tearline agreement prove`: plain words, JSON, a stored version, and the exit status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.adapters.home import Config
from tearline.agreement import Agreement
from tearline.agreement.proof import revision
from tearline.cli import main
from tearline.cli.agreement.prove import QUESTIONS
from tearline.node import Node, agreements
from tests.adoption import OFFICERS, adopt
from tests.unit.agreement.proof.test_proof_unknown import slow
from tests.unit.agreement.proof.texts import NO_PERSON, agreement, clause

KEEPS = agreement(clause("reports", f"resource.level <= 2 && {NO_PERSON}"))
BREAKS = agreement(clause("reports", "resource.level <= 2"), clause("odd", "resource.use > 3"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Node.create(tmp_path / "usa", Config(party="USA", name="Desk USA", port=4455)).close()
    return tmp_path / "usa"


def written(home: Path, agreement: Agreement) -> str:
    folder = home.parent / agreement.version[:12]
    folder.mkdir()
    (folder / "agreement.toml").write_text(agreement.manifest)
    (folder / "clauses.cedar").write_text(agreement.clauses)
    return str(folder)


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(
        main, ["--home", str(home), "agreement", "prove", *words], catch_exceptions=False
    )


def lines(result: Result) -> Sequence[str]:
    return [line.strip() for line in result.stdout.splitlines() if line.strip()]


def test_what_keeps_the_charter_is_said_to(home: Path) -> None:
    result = run(home, written(home, KEEPS))
    assert (result.exit_code, result.stderr) == (0, "")
    told = lines(result)
    assert told[0].startswith(f"club {KEEPS.version[:12]} at USA, from 2")
    assert told[1] == "with what is in force: nothing."
    assert [line for line in told if line in QUESTIONS.values()] == list(QUESTIONS.values())
    assert told[3] == (
        "counter-example: A cyber product, from originator USA, would newly go whole to AUS"
        " (by clause club/reports)."
    )
    assert sum(line.startswith("proved C") for line in told) == 5
    assert told[-1] == told[-3] == "None."


def test_what_breaks_it_ends_with_status_1(home: Path) -> None:
    result = run(home, written(home, BREAKS))
    assert (result.exit_code, result.stderr) == (1, "")
    told = lines(result)
    (broken,) = (line for line in told if line.startswith("counter-example C"))
    assert broken.startswith(
        "counter-example C5: A cyber product, of discipline humint, from originator USA,"
    )
    assert "proved: Clause club/odd never decides: nothing ever meets its conditions, from now on." in told


def test_a_stored_version_is_compared_with_what_is_in_force(home: Path) -> None:
    wider = agreement(clause("reports", f"resource.level <= 3 && {NO_PERSON}"))
    with Node.open(home) as node:
        adopt(node, wider)
        agreements.propose(node, KEEPS, officer=OFFICERS[0], why="Example.")
    result = run(home, KEEPS.version[:10])
    assert result.exit_code == 0
    told = lines(result)
    assert told[1] == f"with what is in force: club {wider.version[:12]}."
    assert "proved: Nothing would newly go whole." in told
    assert (
        "counter-example: A SECRET cyber product, from originator USA, would no longer go whole to AUS"
        " (now by clause club/reports; then no clause permits it)."
    ) in told


def test_json_has_everything(home: Path) -> None:
    told = json.loads(run(home, written(home, BREAKS), "--json").stdout)
    assert (told["own"], told["agreement"], told["version"]) == ("USA", "club", BREAKS.version)
    assert (told["keeps_charter"], told["unknown"], told["against"]) == (False, False, [])
    broken = next(answer for answer in told["answers"] if answer["about"] == "C5")
    assert (broken["question"], broken["status"]) == ("charter", "counter-example")
    assert broken["example"]["facts"]["disciplines"] == ["humint"]
    assert broken["example"]["clauses"] == ["club/reports"]


def test_what_is_unknown_ends_with_status_1(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "_PROOFS", {})
    monkeypatch.setitem(revision.prove.__kwdefaults__, "solvers", tuple(map(slow, revision.SOLVERS)))
    result = run(home, written(home, KEEPS))
    assert result.exit_code == 1
    assert "unknown C1: Z3 did not decide within 60 seconds." in lines(result)


def test_what_cannot_be_read_or_is_not_ours_is_refused(home: Path) -> None:
    for words, sentence in (
        ("nowhere", "no version is 'nowhere'"),
        (written(home, agreement(parties=("AUS", "GBR"))), "club is not an agreement of USA"),
    ):
        result = run(home, words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert sentence in result.stderr

"""`tearline recall` and `tearline revise`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.node import Node
from tests.unit.node.test_recall import serve
from tests.unit.node.world import GREEN, bundle, malware, nodes, take, work

A = malware("a")["id"]
SAID = ("--kind", "substantive", "--reason", "factual-error", "--action", "destroy", "--officer", "heron-1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with nodes(tmp_path, "GBR", "USA", "CAN") as (gbr, *_):
        take(gbr, bundle(malware("a", GREEN)))
        work(gbr)
        serve(gbr, "USA")
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


def test_recall_list_show(home: Path) -> None:
    said = done(home, "recall", A, *SAID, "--text", "Ask us.")
    name = said.partition(":")[0]
    assert "1 never-left, 1 queued" in said
    assert "1 queued" in done(home, "recall", "list", "--open")
    with Node.open(home) as node:
        work(node)
    (shown,) = json.loads(done(home, "recall", "list", "--json"))
    assert [(line["partner"], line["state"]) for line in shown["lines"]] == [
        ("CAN", "never-left"),
        ("USA", "given"),
    ]
    assert (shown["open"], shown["order"]["notice"]["reason"]) == (True, "factual-error")
    told = done(home, "recall", "show", name)
    assert "ordered by heron-1: something that it says is wrong (factual-error)" in told
    assert "Text: Ask us." in told


def test_one_partner_alone(home: Path) -> None:
    done(home, "recall", f"{A}@2026-03-01T00:00:00.000Z", *SAID, "--to", "USA")
    (shown,) = json.loads(done(home, "recall", "list", "--json"))
    assert [line["partner"] for line in shown["lines"]] == ["USA"]


def test_revise(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.json"
    file.write_bytes(bundle(malware("a", GREEN, modified="2026-04-01T00:00:00.000Z", description="So.")))
    done(home, "revise", A, "--with", str(file), *SAID[:5], "replace", *SAID[6:])
    with Node.open(home) as node:
        work(node)
    (shown,) = json.loads(done(home, "recall", "list", "--json"))
    assert {line["partner"]: line["replaced"] for line in shown["lines"]} == {"CAN": False, "USA": True}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("malware--7", *SAID), "is not held"),
        ((f"{A}@2020-01-01T00:00:00.000Z", *SAID), "is not held in the version"),
        ((A, *SAID[:-1], "nobody"), "nobody is not an officer"),
        ((A, *SAID, "--to", "UKR"), "UKR is not a partner of this node"),
        ((A, "--kind", "administrative", *SAID[2:]), "no reason of the administrative kind"),
        ((A, *SAID, "--action", "replace"), "replace needs a new version"),
        ((A, *SAID, "--text", "\x1b[2J"), "not plain text"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(home: Path, words: tuple[str, ...], why: str) -> None:
    assert why in refused(home, "recall", *words)
    assert json.loads(done(home, "recall", "list", "--json")) == []


def test_a_revision_that_is_none(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.json"
    file.write_bytes(bundle(malware("a", GREEN)))
    words = ("revise", A, "--with", str(file), *SAID)
    assert "not newer" in refused(home, *words)
    file.write_bytes(bundle(malware("b", GREEN), malware("c", GREEN)))
    assert "holds 2 products" in refused(home, *words)
    file.write_bytes(bundle(malware("a", modified="2026-04-01T00:00:00.000Z")))
    assert "cannot read its marking" in refused(home, *words)

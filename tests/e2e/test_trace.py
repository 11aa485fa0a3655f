"""A leak between real nodes: served, receipted, leaked by one, and traced from the command line."""

from __future__ import annotations

import json
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from tearline.adapters import store
from tearline.node import Node, take_in
from tests.adoption import OFFICERS
from tests.coalition import make_nodes, serve, stop, tearline, until
from tests.traced import TEXTS, report

PARTIES = ("GBR", "USA", "CAN")


def texts(home: Path) -> list[str]:
    """What a node got from GBR, as it has it."""
    with Node.open(home) as node, node.reading() as db:
        got = [each.product for each in store.held(db) if each.product.originator == "GBR"]
    return [orjson.loads(each.content)["description"] for each in got]


def receipted(home: Path) -> int:
    """How many releases the partners of a node receipted."""
    with Node.open(home) as node, node.reading() as db:
        return sum(1 for party in PARTIES[1:] for _ in store.receipts(db, party))


def asked(home: Path, *files: Path) -> dict[str, Any]:
    words = ("trace", *map(str, files), "--officer", OFFICERS[0], "--json")
    done = subprocess.run(tearline(home, *words), capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_leak_is_traced_to_its_recipient(tmp_path: Path) -> None:
    homes = make_nodes(tmp_path, *PARTIES)
    toml = homes["GBR"] / "node.toml"
    toml.write_text(toml.read_text("utf-8") + "\n[marks]\ntext = true\n", encoding="utf-8")
    running = [serve(home) for home in homes.values()]
    try:
        with Node.open(homes["GBR"]) as gbr:
            one, two = report(TEXTS[:2]), report(TEXTS[2:], narrow="Nine barges lay there.")
            for text in (one, two):
                assert len(list(take_in(gbr, BytesIO(text.encode()), "report"))) == 1
        until(lambda: all(len(texts(homes[party])) == 2 for party in PARTIES[1:]), "all have both reports")
        until(lambda: receipted(homes["GBR"]) >= 2, "all have receipted them")
    finally:
        for each in running:
            stop(each)
    copies = {party: texts(homes[party]) for party in PARTIES[1:]}
    for guilty, both in copies.items():
        files = [tmp_path / f"{guilty}-{number}.txt" for number in range(2)]
        for file, text in zip(files, both, strict=True):
            file.write_text(f"Posted by a friend:\n\n{text.upper()}\n", encoding="utf-8")
        told = asked(homes["GBR"], *files)
        assert told["named"] == [guilty], told["verdict"]["says"]
        assert {each["partner"]: each["agree"] == each["slots"] for each in told["verdict"]["suspects"]} == {
            party: party == guilty for party in PARTIES[1:]
        }
        assert all(each["made_again"] for each in told["copies"])
        assert any(each["partner"] == guilty and each["receipt"] for each in told["copies"])
    excerpt = tmp_path / "excerpt.txt"
    excerpt.write_text(copies["CAN"][0].partition(". ")[0], encoding="utf-8")
    told = asked(homes["GBR"], excerpt)
    assert (told["named"], len(told["pieces"])) == ([], 1)
    subprocess.run(tearline(homes["GBR"], "ledger", "verify"), capture_output=True, check=True)

"""A leak between real nodes: served, receipted, leaked by one, and traced from the command line."""

from __future__ import annotations

import json
import re
import subprocess
from difflib import SequenceMatcher
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.node import Node, take_in
from tests.adoption import OFFICERS
from tests.coalition import make_nodes, serve, stop, tearline, until
from tests.traced import TEXTS, report
from tests.unit.node.world import EVERYTHING

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


# --- Several who compare their copies -------------------------------------------------------------

FOUR = (*PARTIES, "AUS")
WIDE = "//GBR SECRET//REL TO USA, AUS, CAN, GBR, NZL"
CHANGED = (
    (r"(?m)^(?:[A-Z]*//|TLP:).*$", WIDE),
    (r"\((?:[^()\n]*//|TLP:)[^()\n]*\)|\((?:U|C|S)\)", f"({WIDE.replace('SECRET', 'S')})"),
    (r"(?m)^Originator:.*\n", ""),
    (r"(?m)^Topics:.*$", "Topics: land"),
    (r"(?m)^Regions:.*$", "Regions: eastern-europe"),
    (r"(?m)^Discipline:.*$", "Discipline: osint"),
)


def prose() -> list[bytes]:
    """The demo's Ukrainian reports, for all parties alike: together they have places enough."""
    found = []
    for path in sorted((files("tearline.demo") / "reports").iterdir(), key=lambda each: each.name):
        if path.name.endswith(".uk.md"):
            text = path.read_text("utf-8")
            for pattern, new in CHANGED:
                text = re.sub(pattern, new, text)
            found.append(text.encode())
    return found


def lying(home: Path, party: str) -> list[dict[str, Any]]:
    """The reports that lie ready for a partner, behind its door."""
    with Node.open(home) as node:
        items = map(orjson.loads, node.view(party).page(OUT, EVERYTHING, after=-1, limit=1000).items)
        return [item for item in items if item["type"] == "report"]


def mixed(one: str, other: str) -> str:
    """What two make of their copies: where they differ, now the words of one and now those of the other."""
    here, there = re.findall(r"\s+|\S+", one), re.findall(r"\s+|\S+", other)
    parts, turn = [], 0
    for tag, a, b, c, d in SequenceMatcher(None, here, there, autojunk=False).get_opcodes():
        parts += here[a:b] if tag == "equal" or turn else there[c:d]
        turn ^= tag != "equal"
    return "".join(parts)


def test_two_who_mix_their_copies_are_traced_and_the_third_is_not(tmp_path: Path) -> None:
    homes = make_nodes(tmp_path, *FOUR)
    toml = homes["GBR"] / "node.toml"
    toml.write_text(
        toml.read_text("utf-8") + '\n[marks]\ntext = true\nmode = "collusion"\n', encoding="utf-8"
    )
    given = prose()
    running = serve(homes["GBR"])  # how copies are fetched is shown above; here they lie ready
    try:
        with Node.open(homes["GBR"]) as gbr:
            for text in given:
                assert len(list(take_in(gbr, BytesIO(text), "report"))) == 1
        for party in FOUR[1:]:
            until(lambda party=party: len(lying(homes["GBR"], party)) == len(given), f"{party} may have all")
    finally:
        stop(running)
    usa, can = (
        {item["name"]: item["description"] for item in lying(homes["GBR"], party)} for party in ("USA", "CAN")
    )
    leaks = []
    for number, title in enumerate(sorted(usa)):
        assert usa[title] != can[title]
        leaks.append(tmp_path / f"mixed-{number}.txt")
        leaks[-1].write_text(mixed(usa[title], can[title]), encoding="utf-8")
    told = asked(homes["GBR"], *leaks)
    assert len({piece["product"] for piece in told["pieces"]}) == len(given)
    assert told["named"], told["verdict"]["says"]
    assert set(told["named"]) <= {"USA", "CAN"}
    assert told["verdict"]["tests"] == 6, "two models for each of three recipients, and all are counted"
    innocent = next(each for each in told["verdict"]["suspects"] if each["partner"] == "AUS")
    assert innocent["chance"] > told["verdict"]["threshold"]
    assert told["verdict"]["held"]["all"] == ["AUS", "CAN", "USA"]

"""`tearline trace`, as it is typed; and its page, which shows what is in a leak and obeys none of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.cli import main
from tearline.ledger import Act
from tearline.node import Node
from tearline.node.marks import short
from tearline.node.variants import variants
from tests.adoption import OFFICERS
from tests.traced import TEXTS, report
from tests.unit.cli.test_source import Desk, desk
from tests.unit.node.test_trace import copies, given
from tests.unit.node.world import GREEN, bundle, entries, held, malware, nodes, take

__all__ = ["desk"]

ASKED = ("--officer", OFFICERS[0])
SAID = (*ASKED, "--why", "Example.")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """GBR, which gave two reports to three partners; the copies of USA have leaked."""
    with nodes(tmp_path, "GBR", "USA", "CAN", "AUS") as (gbr, usa, *others):
        given(gbr, usa, *others)
        for number, text in enumerate(copies(gbr, usa)):
            (tmp_path / f"leak-{number}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "GBR"


def run(home: Path, *words: str, sent: str | None = None) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *words], input=sent, catch_exceptions=False)


def done(home: Path, *words: str, sent: str | None = None) -> str:
    result = run(home, *words, sent=sent)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(home: Path, *words: str) -> str:
    result = run(home, *words)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def leaks(home: Path) -> list[str]:
    return [str(path) for path in sorted(home.parent.glob("leak-*.txt"))]


def test_it_names_the_recipient(home: Path) -> None:
    said = done(home, "trace", *leaks(home), *ASKED)
    assert "leak-0.txt: report--" in said
    assert "Lorries at Velna; portions 1 (" in said
    assert re.search(r"^USA \(\d.*e-\d+\): in brackets the chance", said, re.MULTILINE)
    rows = {line.split("│")[1].strip(): line for line in said.splitlines() if line.startswith("│")}
    assert "accused" in rows["USA"]
    assert not any("accused" in rows[party] for party in ("AUS", "CAN"))


def test_not_enough_is_an_answer_like_any_other(home: Path) -> None:
    text = Path(leaks(home)[0]).read_text("utf-8")
    said = done(home, "trace", "-", *ASKED, sent=text.partition(". ")[0])
    assert "Not enough evidence" in said
    assert "accused" not in said
    said = done(home, "trace", "-", *ASKED, sent="Nobody ever released this sentence to any partner of ours.")
    assert said == "Nothing that was released is like it: it cannot be traced.\n"


def test_json_holds_no_texts_and_is_the_same_again(home: Path) -> None:
    first, second = (done(home, "trace", *leaks(home), *ASKED, "--json") for _ in range(2))
    assert first == second
    told = json.loads(first)
    assert (told["named"], told["verdict"]["accused"]) == (["USA"], ["USA"])
    assert [set(each) for each in told["leaks"]] == [{"name", "digest"}] * 2
    assert "lorries were seen" not in first
    with Node.open(home) as node:
        assert [entry.body["case"] for entry in entries(node, Act.TRACED)] == [told["id"]] * 2


def test_a_picture_is_tried_against_pictures(home: Path) -> None:
    """None was given here: so there is nothing that it could be."""
    picture = home.parent / "leak.png"
    picture.write_bytes(b"\x89PNG")
    said = done(home, "trace", str(picture), *ASKED)
    assert said == "Nothing that was released is like it: it cannot be traced.\n"
    told = json.loads(done(home, "trace", str(picture), *leaks(home), *ASKED, "--json"))
    assert (told["named"], told["media"][0]["name"]) == (["USA"], "leak.png")


def test_only_officers_ask(home: Path) -> None:
    assert "not an officer" in refused(home, "trace", *leaks(home), "--officer", "nobody-1")


def test_what_was_thought_before_moves_the_odds_alone(home: Path) -> None:
    file = home.parent / "prior.toml"
    file.write_text("# he was seen with the paper\nCAN = 1000\nsomebody-else = 2\n", encoding="utf-8")
    (text, *_) = leaks(home)
    told = [
        json.loads(done(home, "trace", text, *ASKED, "--json", *more))
        for more in ((), ("--prior", str(file)))
    ]
    plain, moved = ({each["partner"]: each for each in one["verdict"]["suspects"]} for one in told)
    assert told[0]["named"] == told[1]["named"]
    assert [each["partner"] for each in told[0]["verdict"]["suspects"]] == [
        each["partner"] for each in told[1]["verdict"]["suspects"]
    ]
    for party, weight in (("CAN", 1000), ("USA", 1), ("AUS", 1)):
        assert moved[party]["prior"] == pytest.approx(weight / 1004)
        assert moved[party]["chance"] == plain[party]["chance"]
    assert moved["CAN"]["odds"] > plain["CAN"]["odds"]
    page = home.parent / "trace.html"
    said = done(home, "trace", text, *ASKED, "--prior", str(file), "--report", str(page))
    assert " to 1 " in said or " 1 to " in said
    assert f"--prior {file} --json" in page.read_text("utf-8")
    file.write_bytes(b"\xff\xfe")
    said = refused(home, "trace", text, *ASKED, "--prior", str(file))
    assert said.startswith(f"tearline: {file}: it is not a text")


def test_the_page_has_the_evidence_and_runs_nothing(home: Path) -> None:
    page = home.parent / "trace.html"
    said = done(home, "trace", *leaks(home), *ASKED, "--report", str(page))
    assert said.endswith(f"The evidence is in {page}.\n")
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text("utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"<(?:script|link|img|iframe|object|form|a)\b|\son\w+=|url\(|@import", text)
    assert "<b>Accused: USA.</b>" in text
    assert text.count('class="slot read"') > 20
    assert 'class="alike"' in text
    with Node.open(home) as node:
        for item in held(node):
            assert item.product.id in text
        for digest in ("statement", "object"):
            assert f"{digest}, SHA-256" in text
        statements = re.findall(r"<code>([0-9a-f]{64})</code>", text)
        assert len(set(statements)) >= 12  # of six copies: the object's, and the statement's
    assert "not at hand" not in text
    assert "NO</td>" not in text


def test_what_is_in_a_leak_is_shown_and_not_obeyed(home: Path) -> None:
    page = home.parent / "trace.html"
    leak = home.parent / "<b>leak.txt"
    copy = Path(leaks(home)[0]).read_text("utf-8")
    leak.write_text(f"<script>alert(1)</script> {{{{body}}}} {copy}", encoding="utf-8")
    done(home, "trace", str(leak), *ASKED, "--report", str(page))
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{body}}" in text
    assert "<b>leak" not in text


def test_an_officer_sees_what_is_varied_and_switches_it_off(home: Path) -> None:
    with Node.open(home) as node:
        product = held(node)[0].product.id
        (variant, *_) = variants(node, product)
    slot = variant.slots[0]
    said = done(home, "trace", "slots", product)
    assert short(slot) in said
    assert slot.entry in said
    assert f"{len(variant.slots)} places, released. Switched off everywhere: nothing." in said
    done(home, "trace", "off", slot.entry, *SAID)
    (row, *_) = json.loads(done(home, "trace", "slots", product, "--json"))
    assert (row["slot"], row["entry"], row["off"], row["released"]) == (short(slot), slot.entry, True, True)
    assert f"Switched off everywhere: {slot.entry}." in done(home, "trace", "slots", product)
    assert "switched off already" in refused(home, "trace", "off", slot.entry, *SAID)
    done(home, "trace", "on", slot.entry, *SAID)
    assert "is not switched off" in refused(home, "trace", "on", slot.entry, *SAID)
    assert "nothing is varied by this name" in refused(home, "trace", "off", "en.nothing", *SAID)
    assert "no such product" in refused(home, "trace", "slots", "report--none")


def test_marks_that_cannot_be_seen_are_told_of_and_switched_off(home: Path) -> None:
    toml = home / "node.toml"
    toml.write_text(f"{toml.read_text('utf-8')}\n[marks]\ntext = true\nzero_width = true\n", encoding="utf-8")
    with Node.open(home) as node:
        product = held(node)[0].product.id
    assert "cannot be seen go behind sentences too" in done(home, "trace", "slots", product)
    done(home, "trace", "off", "zero-width", *SAID)
    said = done(home, "trace", "slots", product)
    assert "cannot be seen" not in said
    assert "Switched off everywhere: zero-width." in said


def test_a_file_is_looked_at_before_it_is_taken_in(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    file.write_text(report(TEXTS[1:]), encoding="utf-8")
    said = done(home, "trace", "slots", str(file))
    assert "places, not released yet" in said


# --- Canaries -------------------------------------------------------------------------------------

PHRASE = ("--phrase", "40 lorries")


def test_canaries_live_in_the_vault(desk: Desk) -> None:
    desk.done("vault", "init")
    told = ("trace", "canary", "add", "report--1", *PHRASE, "43 lorries", "46 lorries")
    assert "text = true" in desk.refused(*told)
    toml = desk.home / "node.toml"
    toml.write_text(toml.read_text() + "\n[marks]\ntext = true\n")
    said = desk.done(*told, "--give", "USA=2")
    name = re.findall(r"Canary ([0-9a-f]{12}): 3 ways", said)[0]
    more = desk.file("more", "41 barges\n\n42 barges\n")
    desk.done("trace", "canary", "add", "report--1", "--phrase", "40 barges", "--alternatives", more)
    assert "a canary already" in desk.refused(*told)
    assert "not of the form" in desk.refused(*told, "--give", "USA")
    assert "the vault is not open" in desk.refused("trace", "canary", "list", unlocked=False)
    desk.done("trace", "canary", "remove", name)
    assert "no such canary" in desk.refused("trace", "canary", "remove", name)
    acts = [(act, body) for act, body in desk.acts() if str(act).startswith("canary")]
    assert [(str(act), body["canary"] == name) for act, body in acts] == [
        ("canary-added", True),
        ("canary-added", False),
        ("canary-removed", True),
    ]
    assert "lorries" not in str(desk.acts())
    for path in desk.home.rglob("*"):
        if path.is_file():
            assert b"43 lorries" not in path.read_bytes(), path


def test_the_phrase_must_stand_in_the_product(desk: Desk) -> None:
    desk.done("vault", "init")
    toml = desk.home / "node.toml"
    toml.write_text(toml.read_text() + "\n[marks]\ntext = true\n")
    with Node.open(desk.home) as node:
        take(node, report(TEXTS[:1]).encode())
        product = held(node)[0].product.id
        take(node, bundle(malware("a", GREEN, description="40 lorries")))
        machines = held(node)[1].product.id
    assert "does not stand" in desk.refused("trace", "canary", "add", product, "--phrase", "41 lorries", "a")
    assert "only a report in words" in desk.refused("trace", "canary", "add", machines, *PHRASE, "41 lorries")
    desk.done("trace", "canary", "add", product, *PHRASE, "41 lorries")

"""`tearline vault`, `tearline source`: identities go in by prompt or file, and come out by `show` alone."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tearline.adapters.home import Config
from tearline.adapters.vault import VaultFile
from tearline.cli import main
from tearline.cli import vault as vault_commands
from tearline.ledger import Act
from tearline.node import Node, ledger_tail, verify_ledger
from tearline.vault import sealed as sealing
from tearline.vault.cryptonym import FIRST, SECOND
from tests.coalition import tearline, until
from tests.unit.vault.world import CHEAP, WORDS

PEOPLE = """\
id,name,kind,lang
p1,Tibor Quendlewick,person,en
p1,Тібор Квендлевік,person,uk
p1,+380 44 555 01 73,phone,
,Звенислава Чорнолозюк,person,uk
p2,Ostrella Vankhorne,person,en
"""
IDENTITIES = ("uendlewick", "Квендлевік", "555 01 73", "Чорнолозюк", "Vankhorne", "Marisk")


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "gbr"
        self.words = self.file("passphrase", WORDS + "\n")
        Node.create(self.home, Config(party="GBR", name="Desk GBR")).close()

    def file(self, name: str, content: str, mode: int = 0o600) -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        path.chmod(mode)
        return str(path)

    def run(self, *words: str, typed: str | None = None, unlocked: bool = True) -> Result:
        given = ("--passphrase-file", self.words) if unlocked else ()
        arguments = ["--home", str(self.home), *words, *given]
        return CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)

    def done(self, *words: str, typed: str | None = None, unlocked: bool = True) -> str:
        result = self.run(*words, typed=typed, unlocked=unlocked)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *words: str, typed: str | None = None, unlocked: bool = True) -> str:
        result = self.run(*words, typed=typed, unlocked=unlocked)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr.splitlines()[-1].removeprefix("tearline: ")

    def added(self, *words: str, typed: str | None = None) -> list[str]:
        return [
            line.removeprefix("added ")
            for line in self.done("source", "add", *words, typed=typed).splitlines()
        ]

    def acts(self) -> list[tuple[Act, dict[str, object]]]:
        with Node.open(self.home) as node:
            assert verify_ledger(node)[1] == []
            return [(entry.act, entry.body) for _, entry in ledger_tail(node, 100)]

    def one(self) -> str:
        """A vault with one source, told by its cryptonym."""
        self.done("vault", "init")
        (name,) = self.added(typed="Tibor Quendlewick\nperson\nen\n\n")
        return name


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(sealing, "COST", CHEAP)
    monkeypatch.setattr(vault_commands, "harden", lambda: ())  # it would close the test's own process
    monkeypatch.setattr(vault_commands.signal, "signal", lambda *_: None)
    return Desk(tmp_path)


# --- The passphrase --------------------------------------------------------------------------------


def test_the_passphrase_can_be_typed(desk: Desk) -> None:
    desk.done("vault", "init", typed=f"{WORDS}\n{WORDS}\n", unlocked=False)
    desk.done("source", "add", typed=f"{WORDS}\nTibor Quendlewick\n\nen\n\n", unlocked=False)
    said = desk.refused("source", "add", typed="wrong words here\nOstrella Vankhorne\n\n\n\n", unlocked=False)
    assert said == "the passphrase is wrong, or the vault's file was changed"
    assert (Act.VAULT_REFUSED, {"by": vault_commands.who()}) in desk.acts()


def test_the_passphrase_can_come_from_a_descriptor(desk: Desk) -> None:
    read, write = os.pipe()
    os.write(write, WORDS.encode())
    os.close(write)
    desk.done("vault", "init", "--passphrase-fd", str(read), unlocked=False)
    assert desk.added(typed="Tibor Quendlewick\n\nen\n\n")


def test_a_passphrase_that_others_can_read_is_not_taken(desk: Desk) -> None:
    open_to_all = desk.file("open", WORDS, 0o644)
    said = desk.refused("vault", "init", "--passphrase-file", open_to_all, unlocked=False)
    assert said.endswith("open: others can read this file; chmod 600 it")


@pytest.mark.parametrize("content", ["", "\n", "x" * 1_025, "short"])
def test_passphrases_that_are_none(desk: Desk, content: str) -> None:
    path = desk.file("words", content)
    assert "passphrase: " in desk.refused("vault", "init", "--passphrase-file", path, unlocked=False)


def test_no_option_or_variable_takes_the_passphrase_itself() -> None:
    for group in ("vault", "source"):
        for command in main.commands[group].commands.values():  # type: ignore[attr-defined]
            for parameter in command.params:
                assert not parameter.envvar
                assert "passphrase" not in parameter.name or parameter.name.endswith(("_file", "_fd"))


def test_the_passphrase_can_be_changed(desk: Desk) -> None:
    name = desk.one()
    new = desk.file("new", "another twelve")
    desk.done("vault", "passphrase", "--new-passphrase-file", new)
    assert "the passphrase is wrong" in desk.refused("source", "show", name)
    shown = desk.done("source", "show", name, "--passphrase-file", new, unlocked=False)
    assert "Tibor Quendlewick" in shown
    assert desk.acts()[-4][0] is Act.PASSPHRASE_CHANGED


# --- Adding -----------------------------------------------------------------------------------------


def test_what_is_typed_is_shown_again_with_the_passphrase_alone(desk: Desk) -> None:
    desk.done("vault", "init")
    (name,) = desk.added(typed="Tibor Quendlewick\n\nen\n+380 44 555 01 73\nphone\n\n\n")
    first, second = name.split("-")
    assert first in FIRST
    assert second in SECOND
    shown = desk.done("source", "show", name)
    assert f"{name}, active" in shown
    assert "Tibor Quendlewick" in shown
    assert "+380 44 555 01 73" in shown
    listed = desk.done("source", "list")
    assert name in listed
    assert not any(identity in listed for identity in IDENTITIES)


def test_a_bad_row_can_be_typed_again(desk: Desk) -> None:
    desk.done("vault", "init")
    result = desk.run(
        "source", "add", typed="12.3.61\nbirth-date\n\n1961-03-12\nbirth-date\n\nAnna Marisk\n\nen\n\n"
    )
    assert result.exit_code == 0
    assert "this is not a date" in result.stderr
    name = result.stdout.removeprefix("added ").strip()
    assert "1961-03-12" in desk.done("source", "show", name)


def test_a_file_of_several_sources(desk: Desk) -> None:
    desk.done("vault", "init")
    names = desk.added("--from", desk.file("people.csv", PEOPLE))
    assert len(set(names)) == 3
    shown = [desk.done("source", "show", name) for name in names]
    assert ["Квендлевік" in one and "555 01 73" in one for one in shown] == [True, False, False]
    assert [sum(identity in one for one in shown) for identity in IDENTITIES] == [1, 1, 1, 1, 1, 0]
    assert "p1" not in "".join(shown)


def test_a_cryptonym_in_a_file_adds_to_that_source(desk: Desk) -> None:
    name = desk.one()
    more = desk.file("more.csv", f"id,name,kind,lang\n{name},Tib the Lamp,alias,en\n,Anna Marisk,person,en\n")
    extended, added = desk.done("source", "add", "--from", more).splitlines()
    assert extended == f"extended {name}"
    assert added.startswith("added ")
    assert "Tib the Lamp" in desk.done("source", "show", name)


def test_a_source_can_be_extended(desk: Desk) -> None:
    name = desk.one()
    assert desk.done("source", "extend", name, typed="Vespid Seven\ncallsign\n\n\n") == f"extended {name}\n"
    assert "Vespid Seven" in desk.done("source", "show", name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "line 1: its columns are not id,name,kind,lang"),
        ("name,id,kind,lang\n", "line 1: its columns are not id,name,kind,lang"),
        ("id,name,kind,lang\n", "it holds no rows"),
        ("id,name,kind,lang\np,Anna Marisk,person\n", "line 2: it does not have 4 cells"),
        ("id,name,kind,lang\np,Anna Marisk,human,en\n", "line 2: its kind is not known"),
        ("id,name,kind,lang\n\np,Anna Marisk,person,en\n", "line 2: it does not have 4 cells"),
        ('id,name,kind,lang\np,"Anna Marisk,person,en\n', "it is not a sound CSV file"),
    ],
)
def test_a_file_that_cannot_be_taken(desk: Desk, content: str, sentence: str) -> None:
    desk.done("vault", "init")
    said = desk.refused("source", "add", "--from", desk.file("bad.csv", content))
    assert sentence in said
    assert "Marisk" not in said
    assert [act for act, _ in desk.acts()].count(Act.SOURCE_ADDED) == 0


def test_a_given_cryptonym(desk: Desk) -> None:
    desk.done("vault", "init")
    typed = "Tibor Quendlewick\n\nen\n\n"
    assert desk.added("--cryptonym", "SOLAR-WAGON", typed=typed) == ["SOLAR-WAGON"]
    assert "was used before" in desk.refused("source", "add", "--cryptonym", "SOLAR-WAGON", typed=typed)
    telling = desk.refused("source", "add", "--cryptonym", "TIBOR-QUENDLEWICK", typed=typed)
    assert telling == "the scanner finds an identity in this cryptonym; choose another"
    assert "words of capitals" in desk.refused("source", "add", "--cryptonym", "solar", typed=typed)
    path = desk.file("people.csv", PEOPLE)
    assert "by chance" in desk.refused("source", "add", "--cryptonym", "SOLAR-WAGON", "--from", path)


def test_what_the_scanner_will_not_find_is_said(desk: Desk) -> None:
    desk.done("vault", "init")
    result = desk.run("source", "add", typed="Anna Marisk\n\nen\nit\nother\n\n\n")
    assert result.exit_code == 0
    assert re.search(r"warning: the scanner does not stop on row 2 of [A-Z-]+\n", result.stderr)
    assert "row 1" not in result.stderr.split("warning")[1]


# --- Obligations, retirement, the ledger --------------------------------------------------------------


def test_obligations_are_set_one_by_one(desk: Desk) -> None:
    name = desk.one()
    desk.done(
        *("source", "obligation", name, "--k", "25", "--forbid", "USA", "--forbid", "CERT-UA"),
        *("--time", "month", "--place", "country", "--expires", "2027-06-30", "--ask", "desk chief"),
        *("--descriptor", "a port worker"),
    )
    desk.done("source", "obligation", name, "--k", "30")
    line = next(row for row in desk.done("source", "list").splitlines() if name in row)
    cells = [cell.strip() for cell in line.strip("│").split("│")]
    owed = ["30", "CERT-UA USA", "month", "country", "2027-06-30", "desk chief", "a port worker"]
    assert cells == [name, "active", "1", *owed]
    desk.done("source", "obligation", name, "--forbid", "none", "--ask", "none", "--expires", "never")
    line = next(row for row in desk.done("source", "list").splitlines() if name in row)
    assert "USA" not in line
    assert "never ends" in line


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "nothing is to be changed"),
        (("--k", "1"), "not between 2 and 1000000"),
        (("--forbid", "usa"), "not an organisation's code"),
        (("--expires", "soon"), "this is not a date"),
        (
            ("--descriptor", "a man called Quendlewick, Tibor"),
            "the scanner finds an identity in the descriptor",
        ),
        (("--ask", "Tibor Quendlewick"), "the scanner finds an identity"),
        (("--descriptor", ""), "not one line"),
    ],
)
def test_obligations_that_are_refused(desk: Desk, options: tuple[str, ...], sentence: str) -> None:
    name = desk.one()
    said = desk.refused("source", "obligation", name, *options)
    assert sentence in said
    assert "uendlewick" not in said


def test_a_retired_source_stays_protected(desk: Desk) -> None:
    name = desk.one()
    assert "still scanned for" in desk.done("source", "retire", name)
    assert "retired" in desk.done("source", "list")
    assert "retired already" in desk.refused("source", "retire", name)
    telling = desk.refused("source", "add", "--cryptonym", "TIBOR-QUENDLEWICK", typed="Anna Marisk\n\nen\n\n")
    assert "finds an identity" in telling


def test_every_act_is_on_the_ledger_by_cryptonym(desk: Desk) -> None:
    name = desk.one()
    desk.done("source", "extend", name, typed="Vespid Seven\ncallsign\n\n\n")
    desk.done("source", "obligation", name, "--k", "30", "--descriptor", "a port worker")
    desk.done("source", "show", name)
    desk.done("source", "retire", name)
    acts = desk.acts()
    by = vault_commands.who()
    about = [(act, body) for act, body in acts if "source" in body]
    assert about == [
        (act, {"source": name, "by": by})
        for act in (
            Act.SOURCE_ADDED,
            Act.SOURCE_EXTENDED,
            Act.SOURCE_OBLIGED,
            Act.SOURCE_SHOWN,
            Act.SOURCE_RETIRED,
        )
    ]
    written = [body["version"] for act, body in acts if act is Act.VAULT_WRITTEN]
    assert written == [1, 2, 3, 4, 5]


def test_what_is_not_on_the_ledger_is_not_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    name = desk.one()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "node.db")

    monkeypatch.setattr(Node, "record", full)
    assert "No space left" in desk.refused("source", "show", name)


def test_an_unknown_source(desk: Desk) -> None:
    desk.one()
    for words in (("show",), ("retire",), ("obligation", "--k", "9")):
        assert "no source has this cryptonym" in desk.refused("source", words[0], "NO-SUCH", *words[1:])


# --- The file ------------------------------------------------------------------------------------------


def test_without_a_vault_everything_says_so(desk: Desk) -> None:
    for words in (("source", "list"), ("source", "show", "A"), ("vault", "serve"), ("vault", "passphrase")):
        assert "there is no vault; run `tearline vault init` first" in desk.refused(
            *words, typed="x" * 12 + "\n" + "x" * 12
        )
    assert "not open" in desk.refused("vault", "status", unlocked=False)


def test_a_second_vault_is_refused(desk: Desk) -> None:
    name = desk.one()
    assert "has a vault already" in desk.refused("vault", "init")
    VaultFile(desk.home).path.unlink()
    assert "has a vault already" in desk.refused("vault", "init")
    assert "ledger tells of" in desk.refused("source", "show", name)


def test_an_older_file_is_found_out_and_can_be_restored(desk: Desk) -> None:
    name = desk.one()
    path = VaultFile(desk.home).path
    older = desk.folder / "kept"
    older.write_bytes(path.read_bytes())
    desk.added(typed="Anna Marisk\n\nen\n\n")
    path.write_bytes(older.read_bytes())
    for words in (("list",), ("show", name), ("retire", name)):
        assert "not the vault's file that the ledger tells of" in desk.refused("source", *words)
    desk.done("vault", "restore", str(older))
    assert desk.done("source", "list").count("active") == 1
    assert [body["version"] for act, body in desk.acts() if act is Act.VAULT_WRITTEN] == [1, 2, 3, 4]


def test_a_restored_copy_needs_its_passphrase(desk: Desk) -> None:
    desk.one()
    kept = desk.folder / "kept"
    kept.write_bytes(VaultFile(desk.home).path.read_bytes())
    wrong = desk.file("wrong", "entirely wrong words")
    refused = desk.refused("vault", "restore", str(kept), "--passphrase-file", wrong, unlocked=False)
    assert "the passphrase is wrong" in refused
    assert "not the file of a vault" in desk.refused("vault", "restore", desk.file("no", "no vault"))


# --- The process -----------------------------------------------------------------------------------------


def test_the_vault_is_served_and_asked(desk: Desk) -> None:
    name = desk.one()
    said = desk.folder / "said"
    with said.open("w") as out:
        words = tearline(desk.home, "vault", "serve", "--passphrase-file", desk.words)
        vault = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
    try:
        until(lambda: "the vault is open: 1 sources" in said.read_text(), "the vault is open")
        status = desk.done("vault", "status", unlocked=False)
        assert "open at version 2: 1 sources, 1 identity rows" in status
        assert "no core dumps" in status
        assert name in desk.done("source", "list", unlocked=False), "no passphrase is asked for"
        assert (Act.VAULT_OPENED, {"version": 2, "by": vault_commands.who()}) in desk.acts()
        assert "another process holds" in desk.refused("vault", "serve")
        desk.done("source", "extend", name, typed="Vespid Seven\ncallsign\n\n\n")
        assert "open at version 3: 1 sources, 2 identity rows" in desk.done("vault", "status", unlocked=False)
    finally:
        vault.terminate()
        assert vault.wait(20) == 0
    assert not VaultFile(desk.home).socket.exists()
    assert "not open" in desk.refused("vault", "status", unlocked=False)
    assert not any(identity in said.read_text() for identity in IDENTITIES)

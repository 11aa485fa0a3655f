"""The life of an agreement by commands, as officers type them; each on a machine of one's own where told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tearline.node import Node
from tests.coalition import AGREEMENTS
from tests.unit.cli.test_cli import Desk

FIVE = str(AGREEMENTS / "five-eyes")
BY = ("--officer", "heron-1", "--why", "Example.")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A node with two officers, whose keys are in files."""
    desk = Desk(tmp_path)
    desk.done("init", "--party", "GBR", "--name", "Desk GBR")
    desk.file("phrase", "a long passphrase\n")
    for name, how in (("heron-1", "--no-passphrase"), ("heron-2", f"--passphrase-file={tmp_path}/phrase")):
        key = str(tmp_path / f"{name}.pem")
        made = desk.run("officer", "key", "--output", key, how, home="no node at all")
        assert made.exit_code == 0, made.stderr
        assert ("not encrypted" in made.stderr) == (how == "--no-passphrase")
        desk.done("officer", "add", name, "--key", f"{key}.pub", "--why", "The founding.")
    return desk


def signing(desk: Desk, name: str) -> tuple[str, ...]:
    phrase = ("--passphrase-file", str(desk.folder / "phrase")) if name == "heron-2" else ()
    return ("--officer", name, "--key", str(desk.folder / f"{name}.pem"), *phrase)


def approve(desk: Desk, version: str) -> None:
    for name in ("heron-1", "heron-2"):
        desk.done("agreement", "approve", version, *signing(desk, name), "--why", "Example.")


def adopted(desk: Desk, folder: str = FIVE) -> str:
    """The version that is in force then."""
    desk.done("agreement", "propose", folder, *BY)
    with Node.open(desk.folder / "gbr") as node:
        before = {each.version for each in node.agreements}
    desk.done("agreement", "review", "five-eyes", *BY)
    approve(desk, "five-eyes")
    desk.done("agreement", "adopt", "five-eyes", *BY)
    with Node.open(desk.folder / "gbr") as node:
        (version,) = {each.version for each in node.agreements} - before
    return version


def revised(desk: Desk, text: str, *, until: str = "2040-01-01") -> str:
    """A folder with the five-party agreement and one clause more."""
    folder = desk.folder / "revised"
    folder.mkdir(exist_ok=True)
    for name, edit in (
        ("agreement.toml", lambda whole: whole.replace("2040-01-01", until)),
        ("clauses.cedar", lambda whole: f"{whole}\n{text}"),
    ):
        edited: Callable[[str], str] = edit
        (folder / name).write_text(edited((AGREEMENTS / "five-eyes" / name).read_text()))
    return str(folder)


CLAUSE = (
    '@id("no-air") @reason("Example.") @review("2020-02-02")\n'
    'forbid (principal, action in Action::"share", resource)\n'
    'when { resource.topics.contains(Topic::"air") };\n'
)


def state(desk: Desk, version: str) -> str:
    (line,) = [line for line in desk.done("agreement", "list").splitlines() if version[:12] in line]
    return line.split("│")[3].strip()


def test_from_draft_to_force_and_back(desk: Desk) -> None:
    said = desk.done("agreement", "propose", FIVE, *BY)
    version = said.split()[2]
    assert said == f"five-eyes version {version} is proposed. Nothing has changed yet.\n"
    assert state(desk, version) == "proposed"
    assert "no review" not in desk.refused("agreement", "adopt", version[:8], *BY)
    assert "keep the charter" in desk.done("agreement", "review", version[:8], *BY)
    desk.done("agreement", "approve", version[:8], *signing(desk, "heron-1"), "--why", "Example.")
    assert "1 of 2 officers have approved" in desk.refused("agreement", "adopt", "five-eyes", *BY)
    said = desk.done("agreement", "approve", version[:8], *signing(desk, "heron-2"), "--why", "Example.")
    assert said == "2 of 2 officers have approved.\n"
    assert state(desk, version) == "approved"
    assert desk.done("agreement", "adopt", "five-eyes", *BY) == (
        f"five-eyes version {version[:12]} is in force.\n"
    )
    shown = desk.done("agreement", "show", "five-eyes", "--text")
    for part in (version, "State: adopted", "heron-1, heron-2", "keeps the charter", '@id("cyber-whole")'):
        assert part in shown
    desk.done("agreement", "suspend", "five-eyes", *BY)
    assert state(desk, version) == "suspended"
    sentence = desk.refused("agreement", "resume", "five-eyes", *BY)
    act, subject = sentence.partition("officer approve ")[2].split()
    for name in ("heron-1", "heron-2"):
        desk.done("officer", "approve", act, subject, *signing(desk, name), "--why", "Example.")
    desk.done("agreement", "resume", "five-eyes", *BY)
    assert state(desk, version) == "adopted"
    rows = [line.split("│") for line in desk.done("agreement", "history", "five-eyes").splitlines()]
    steps = [row[3].strip() for row in rows if len(row) > 3]
    assert steps == ["propose", "review", "approve", "approve", "adopt", "suspend", "resume"]
    assert "every entry is as it was written" in desk.done("ledger", "verify")


def test_a_revision_takes_the_place_of_the_old(desk: Desk) -> None:
    old = adopted(desk)
    new = adopted(desk, revised(desk, CLAUSE))
    assert (state(desk, old), state(desk, new)) == ("superseded", "adopted")
    assert "superseded by" in desk.done("agreement", "history", "five-eyes")


def test_an_approval_in_two_parts(desk: Desk) -> None:
    version = desk.done("agreement", "propose", FIVE, *BY).split()[2]
    words = ("agreement", "approve", version, *signing(desk, "heron-2"), "--sign-only", "GBR")
    approval = desk.done(*words, home="no node at all")
    assert not (desk.folder / "no node at all").exists()
    assert json.loads(approval)["subject"] == version
    file = desk.file("approval.json", approval)
    taken = ("agreement", "approve", "--approval", file)
    assert desk.done(*taken, "--why", "Example.") == "1 of 2 officers have approved.\n"
    assert desk.done(*taken, "--why", "Example.") == "1 of 2 officers have approved.\n"
    forged = desk.file("forged.json", approval.replace("heron-2", "heron-1"))
    assert "signature of heron-1" in desk.refused(*taken[:3], forged, "--why", "Example.")
    assert "not an approval" in desk.refused(*taken[:3], desk.file("x", "{}"), "--why", "Example.")
    assert "it is missing" in desk.refused(*taken)
    short = ("agreement", "approve", version[:8], *signing(desk, "heron-2"), "--sign-only", "GBR")
    assert "the whole version" in desk.refused(*short)


def test_what_approving_needs(desk: Desk) -> None:
    version = desk.done("agreement", "propose", FIVE, *BY).split()[2]
    words = ("agreement", "approve", version)
    assert "--key" in desk.refused(*words, "--officer", "heron-1", "--why", "x")
    assert "--officer" in desk.refused(*words, *signing(desk, "heron-1")[2:], "--why", "x")
    assert "--why" in desk.refused(*words, *signing(desk, "heron-1"))
    assert "no reason" in desk.refused(*words, *signing(desk, "heron-1"), "--why", "")
    wrong = signing(desk, "heron-2")[2:4]
    assert "passphrase is not" in desk.refused(
        *words, "--officer", "heron-2", *wrong, "--passphrase-file", desk.file("p", "wrong"), "--why", "x"
    )
    typed = desk.run(*words, "--officer", "heron-2", *wrong, "--why", "x", typed="a long passphrase\n")
    assert typed.exit_code == 0
    assert "a long passphrase" not in typed.output


def test_every_human_step_says_who_and_why(desk: Desk) -> None:
    for words in (("propose", FIVE), ("review", "x"), ("adopt", "x"), ("suspend", "x"), ("withdraw", "x")):
        for options in (BY[:2], BY[2:]):
            result = desk.run("agreement", *words, *options)
            assert (result.exit_code, "Missing option" in result.stderr) == (2, True)
    assert "not an officer" in desk.refused("agreement", "propose", FIVE, "--officer", "x", "--why", "x")


def test_adopting_a_folder_is_no_longer_a_way(desk: Desk) -> None:
    assert "no version is" in desk.refused("agreement", "adopt", FIVE, *BY)


def test_a_broken_charter_is_shown_and_refused(desk: Desk) -> None:
    clause = CLAUSE.replace("forbid", "permit")
    desk.done("agreement", "propose", revised(desk, clause), *BY)
    assert "C5" in desk.done("agreement", "review", "five-eyes", *BY)
    approve(desk, "five-eyes")
    assert "breaks the charter" in desk.refused("agreement", "adopt", "five-eyes", *BY)
    assert "breaks the charter" in desk.done("agreement", "show", "five-eyes")
    assert desk.done("agreement", "withdraw", "five-eyes", *BY).endswith("is withdrawn.\n")


def test_what_is_due_is_said(desk: Desk) -> None:
    adopted(desk, revised(desk, CLAUSE, until="2039-01-01"))
    toml = desk.folder / "gbr" / "node.toml"
    for words in (("status",), ("agreement", "list"), ("agreement", "show", "five-eyes")):
        said = desk.done(*words)
        assert "five-eyes/no-air should have been reviewed by 2020-02-02" in said
        assert "expires" not in said
    toml.write_text(toml.read_text().replace("announce_days = 60", "announce_days = 9999"))
    assert "five-eyes expires on 2039-01-01" in desk.done("status")


def test_unknown_agreements(desk: Desk) -> None:
    for words in (("show", "nine"), ("history", "nine")):
        assert "nine" in desk.refused("agreement", *words)


def test_officers(desk: Desk) -> None:
    listed = desk.done("officer", "list")
    assert "heron-1" in listed
    assert "2 of them" in listed
    third = str(desk.folder / "heron-3.pem")
    public = desk.run("officer", "key", "--output", third, "--no-passphrase").stdout.strip()
    for name, mode in (("heron-1.pem", 0o600), ("heron-2.pem", 0o600)):
        assert (desk.folder / name).stat().st_mode & 0o777 == mode
    assert b"ENCRYPTED" in (desk.folder / "heron-2.pem").read_bytes()
    add = ("officer", "add", "heron-3", "--key", public, *BY)
    act, subject = desk.refused(*add).partition("officer approve ")[2].split(" ", 1)
    subject = subject.strip("'")
    for name in ("heron-1", "heron-2"):
        signed = desk.done("officer", "approve", act, subject, *signing(desk, name), "--sign-only", "GBR")
        file = desk.file(f"{name}.json", signed)
        desk.done("officer", "approve", "--approval", file, "--why", "Example.")
    assert desk.done(*add) == "heron-3 is an officer. There are 3.\n"
    assert "0 of 2" in desk.refused("officer", "remove", "heron-3", *BY)
    assert "SUBJECT" in desk.refused("officer", "approve", "x", *signing(desk, "heron-1"), "--why", "x")


@pytest.mark.parametrize("file", ["heron-1.pem", "heron-1.pem.pub"])
def test_a_key_is_never_overwritten(desk: Desk, file: str) -> None:
    output = file.removesuffix(".pub")
    if output == file:
        (desk.folder / f"{file}.pub").unlink()
    else:
        (desk.folder / output).unlink()
    before = (desk.folder / file).read_bytes()
    words = ("officer", "key", "--output", str(desk.folder / output), "--no-passphrase")
    assert "a file already" in desk.refused(*words)
    assert (desk.folder / file).read_bytes() == before


def test_a_passphrase_is_long_enough(desk: Desk) -> None:
    words = ("officer", "key", "--output", str(desk.folder / "new.pem"))
    assert "fewer than 12" in desk.refused(*words, "--passphrase-file", desk.file("p", "short"))
    assert not (desk.folder / "new.pem").exists()
    asked = desk.run(*words, typed="a long passphrase\na long passphrase\n")
    assert asked.exit_code == 0, asked.stderr
    assert "not encrypted" not in asked.stderr


@pytest.mark.parametrize("content", [b"", b"\xff", b"-----BEGIN ENCRYPTED PRIVATE KEY-----"])
def test_what_is_no_key(desk: Desk, content: bytes) -> None:
    file = desk.file("bad.pem", content)
    words = ("officer", "approve", "x", "y", "--officer", "heron-1", "--key", file, "--why", "x")
    phrase = ("--passphrase-file", str(desk.folder / "phrase"))
    assert "it is no key" in desk.refused(*words, *phrase)
    assert "none.pem" in desk.refused(*words[:7], str(desk.folder / "none.pem"), "--why", "x")

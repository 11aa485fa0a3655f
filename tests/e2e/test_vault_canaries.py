"""Law 10: nothing outside the vault's process holds an identity. Planted names, and a search of everything.

A vault is filled with invented names in three scripts and served; a node serves and takes in products; a
third process asks the vault about texts that name the same people in other letters. Then errors of every kind
are caused, and every file, every output and the memory of both processes are searched for the names as they
stand in the vault, in every form that a program would write them in. The same search finds them in the
vault's process, and finds each form where it is planted: so it could fail.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner

from tearline.adapters.vault import talk
from tearline.cli import main
from tearline.cli import vault as vault_commands
from tearline.vault import sealed as sealing
from tests.coalition import make_nodes, tearline, until
from tests.unit.node.world import REPORT
from tests.unit.vault.world import CHEAP

WORDS = "seven brindled storks at Ulverdine"
NAMES = {
    "latin": ("Quibbertine", "Vashmolander"),
    "cyrillic": ("Звенимирка", "Чорнолозюцька"),
    "greek": ("Ξενοφιλώνα", "Κραμβοπούλιδα"),
}
"""Every part is invented and long, so that a part alone would be noticed too."""
CANARIES = (*chain.from_iterable(NAMES.values()), "0173558842", "Ulverdine")
"""What is searched for; the last is of the passphrase."""
PEOPLE = f"""\
id,name,kind,lang
a,{" ".join(NAMES["latin"])},person,en
a,+380 44 0173558842,phone,
b,{" ".join(NAMES["cyrillic"])},person,uk
c,{" ".join(NAMES["greek"])},alias,el
known,Osbertine Wexcombe,person,en
"""
OTHERWISE = {
    "transliterated": "On Friday Zvenymyrka Chornoloziutska was seen at Velna.",
    "inflected": "У п'ятницю бачили Звенимирку Чорнолозюцьку, у Вельні.".replace("Звенимирку", "Звенимирці"),
    "in Cyrillic": "Вчора Квіббертін Вашмоландер прибув до Вельни.",
}
"""Texts that name the people in the vault in other letters than those of the vault."""
KNOWN = "Osbertine Wexcombe met the pilot."
CLEAN = "Nine barges lay at Velna on 1 October."

ASKER = """
import json, sys
from pathlib import Path
from tearline.adapters.vault import VaultClient
from tearline.terms import TearlineError
with VaultClient(Path(sys.argv[1]), timeout=float(sys.argv[2])) as vault:
    for line in sys.stdin:
        try:
            asked = json.loads(line)
            hits = vault.scan(asked) if asked else []
            said = [[[hit.start, hit.end, hit.id, hit.disposition, hit.why] for hit in one] for one in hits]
        except TearlineError as error:
            said = f"{type(error).__name__}: {error}"
        print(json.dumps(said), flush=True)
"""


# --- The search --------------------------------------------------------------------------------------


def forms(canary: str) -> dict[str, bytes]:
    """The ways in which a program would hold or write a name."""
    found = {}
    for how, text in (("", canary), ("lower ", canary.lower()), ("upper ", canary.upper())):
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            found[how + coding] = text.encode(coding)
    plain = canary.encode()
    found["utf-32-le"] = canary.encode("utf-32-le")
    found["hex"], found["HEX"] = plain.hex().encode(), plain.hex().upper().encode()
    if not canary.isascii():
        escaped = json.dumps(canary)[1:-1]
        found["JSON"] = escaped.encode()
        found["JSON, upper"] = escaped.upper().replace("\\U", "\\u").encode()
        found["percent"] = "".join(f"%{byte:02X}" for byte in plain).encode()
    for shift in range(3):  # base64 reads three bytes at a time: where the name begins, it looks otherwise
        whole = base64.b64encode(b"\0" * shift + plain + b"\0" * 3)
        found[f"base64+{shift}"] = whole[4 if shift else 0 : (shift + len(plain)) // 3 * 4]
    return found


PATTERNS = {
    form: (canary, how) for canary in CANARIES for how, form in forms(canary).items() if len(form) >= 8
}


def search(data: bytes) -> set[tuple[str, str]]:
    return {what for form, what in PATTERNS.items() if form in data}


def memory(pid: int) -> Iterator[bytes]:
    """What a process has in its memory, piece by piece; its programs' own code left out."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, _, _, inode, *name = line.split(maxsplit=5)
            if not rights.startswith("r") or (inode != "0" and "w" not in rights) or "[v" in "".join(name):
                continue
            start, end = (int(part, 16) for part in where.split("-"))
            piece, step, overlap = start, 1 << 20, 512
            while piece < end:
                with suppress(OSError):  # a page that went meanwhile
                    mem.seek(piece)
                    yield mem.read(min(step + overlap, end - piece))
                piece += step


def in_memory(pid: int) -> set[tuple[str, str]]:
    return set().union(*(search(piece) for piece in memory(pid) if piece.strip(b"\0")))


def in_files(folders: Iterable[Path]) -> set[tuple[str, str, str]]:
    return {
        (str(path.relative_to(folder)), *what)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
        for what in search(path.read_bytes())
    }


def test_the_search_finds_every_form(tmp_path: Path) -> None:
    for at, (form, what) in enumerate(PATTERNS.items()):
        assert what in search(b"x" * (at % 7) + form + b"x")
        assert len(form) >= 8
    for canary in CANARIES:
        for shift in range(3):
            text = base64.b64encode(f"{'.' * shift}{canary} and more".encode())
            assert (canary, f"base64+{shift}") in search(text)
        assert search(json.dumps({"name": f"the {canary}"}).encode()), canary
        assert search(json.dumps(f"the {canary}", ensure_ascii=False).encode()), canary
        (tmp_path / "planted").write_text(f"it was {canary.upper()}", encoding="utf-16-le")
        assert {found for _, found, _ in in_files([tmp_path])} == {canary}
    assert search(b"".join(text.encode() for text in (*OTHERWISE.values(), KNOWN, CLEAN))) == set()


# --- The world -----------------------------------------------------------------------------------------


class World:
    """A node, its vault and somebody who asks, each a process of its own; all that they say is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = folder / "said"
        self.said.mkdir()
        homes = make_nodes(folder / "nodes", "GBR", "USA")
        self.home = homes["GBR"]
        self.words = self.secret("passphrase", WORDS)
        self.running: list[subprocess.Popen[str]] = []

    def secret(self, name: str, content: str) -> str:
        """A file that holds secrets rightly: outside of all that is searched."""
        (self.folder / "secrets").mkdir(exist_ok=True)
        path = self.folder / "secrets" / name
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    def run(self, *words: str, typed: str = "", keep: bool = True, unlock: bool = True) -> tuple[int, str]:
        """One command to its end: its status and all that it said."""
        given = ["--passphrase-file", self.words] if unlock else []
        done = CliRunner().invoke(main, ["--home", str(self.home), *words, *given], input=typed)
        assert done.exception is None or isinstance(done.exception, SystemExit), "a traceback would be shown"
        if keep:
            with (self.said / "commands").open("a", encoding="utf-8") as said:
                said.write(done.output)
        return done.exit_code, done.output

    def start(self, name: str, ready: str, *words: str) -> subprocess.Popen[str]:
        path = self.said / name
        with path.open("w") as out:
            process = subprocess.Popen(
                tearline(self.home, *words), stdout=out, stderr=subprocess.STDOUT, text=True
            )
        self.running.append(process)
        until(lambda: ready in path.read_text(encoding="utf-8"), f"{name} is ready")
        return process

    def serve_vault(self, name: str) -> subprocess.Popen[str]:
        return self.start(name, "the vault is open", "vault", "serve", "--passphrase-file", self.words)

    def asker(self, timeout: float = 60) -> subprocess.Popen[str]:
        with (self.said / f"asker-{len(self.running)}").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, "-c", ASKER, str(self.home), str(timeout)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self.running.append(process)
        return process

    def ask(self, asker: subprocess.Popen[str], *texts: str) -> object:
        assert asker.stdin is not None
        assert asker.stdout is not None
        asker.stdin.write(json.dumps(texts) + "\n")
        asker.stdin.flush()
        line = asker.stdout.readline()
        with (self.said / "answers").open("a") as answers:
            answers.write(line)
        return json.loads(line)

    def end(self) -> None:
        for process in self.running:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Commands that end run in this process, which knows the names anyhow, and must not be closed.
    monkeypatch.setattr(vault_commands, "harden", lambda: ())
    monkeypatch.setattr(sealing, "COST", CHEAP)
    world = World(tmp_path)
    yield world
    world.end()


def test_nothing_outside_the_vaults_process_holds_an_identity(world: World) -> None:
    assert world.run("vault", "init")[0] == 0
    code, said = world.run("source", "add", "--from", world.secret("people.csv", PEOPLE))
    assert code == 0, said
    names = [line.removeprefix("added ") for line in said.splitlines() if line.startswith("added ")]
    assert len(names) == 4
    vault = world.serve_vault("vault-1")
    node = world.start("node", "serving", "serve")
    asker = world.asker()

    # The vault does its work: people are found, whichever letters they are written in.
    clean, known, *otherwise = world.ask(asker, CLEAN, KNOWN, *OTHERWISE.values())
    assert clean == []
    assert [(start, end, name) for start, end, name, *_ in known] == [(0, 18, names[3])]
    assert [{name for _, _, name, *_ in hits} for hits in otherwise] == [{names[1]}, {names[1]}, {names[0]}]

    reports = []
    for number, text in enumerate((CLEAN, KNOWN, *OTHERWISE.values())):
        reports.append(world.folder / f"{number}.md")
        reports[-1].write_text(REPORT.replace(CLEAN, text), encoding="utf-8")
    assert world.run("intake", *map(str, reports), unlock=False)[0] == 0
    until(lambda: "5 considered" in world.run("status", unlock=False)[1], "all products are considered")

    provoke(world, names[0])
    vault = errors_of_the_process(world, vault, asker)
    assert len(world.ask(asker, KNOWN)[0]) == 1

    look_everywhere(world, vault, [node, asker])

    # An officer who unlocks a second time does see them.
    for name, script in zip(names, NAMES.values(), strict=False):
        code, shown = world.run("source", "show", name, keep=False)
        assert code == 0
        assert " ".join(script) in shown
    assert in_files([world.home, world.said]) == set(), "showing leaves no trace but the ledger's"


def provoke(world: World, name: str) -> None:
    """Errors of every command, with identities in what is given to it."""
    both = " ".join(NAMES["latin"])
    bad = {
        "kind": f"id,name,kind,lang\nx,{both},human,en\n",
        "cells": f"id,name,kind,lang\nx,{both},person\n",
        "language": f"id,name,kind,lang\nx,{both},person,English\n",
        "quote": f'id,name,kind,lang\nx,"{both},person,en\n',
        "head": f"{both},name,kind,lang\n",
        "date": f"id,name,kind,lang\nx,{both},birth-date,\n",
        "long": f"id,name,kind,lang\nx,{both * 20},person,en\n",
    }
    for what, content in bad.items():
        code, said = world.run("source", "add", "--from", world.secret(f"bad-{what}.csv", content))
        assert code == 1, what
        assert search(said.encode()) == set()
    binary = Path(world.secret("binary.csv", ""))
    binary.write_bytes(f"id,name,kind,lang\n,{NAMES['cyrillic'][0]},person,uk\n".encode("utf-16"))
    wrong = world.secret("wrong", "entirely wrong words")
    kept = world.home / "vault" / "sources.vault"
    for words in (
        ("source", "add", "--from", str(binary)),
        ("source", "add", "--cryptonym", NAMES["latin"][0].upper(), "--from", str(binary)),
        ("source", "show", "NO-SUCH-SOURCE"),
        ("source", "obligation", name, "--descriptor", f"a friend of {both}"),
        ("source", "obligation", name, "--ask", both),
        ("vault", "restore", str(binary)),
        ("vault", "init"),
    ):
        assert world.run(*words)[0] == 1, words
    for words in (("source", "show", name), ("source", "list"), ("vault", "restore", str(kept))):
        code, _ = world.run(*words, "--passphrase-file", wrong, unlock=False)
        assert code == (0 if "list" in words else 1)
    typed = f"{both}\nhuman\nperson\nen\n\x00{both}\nperson\nen\n"  # ends before it is done
    assert world.run("source", "extend", name, typed=typed, keep=False)[0] == 1
    assert world.run("intake", str(binary), unlock=False)[0] == 1


def errors_of_the_process(
    world: World, vault: subprocess.Popen[str], asker: subprocess.Popen[str]
) -> subprocess.Popen[str]:
    """The vault's process gets nonsense, is stopped, shown a changed file, killed, and served again."""
    for nonsense in (b"\xff\xff\xff\xff", b"\0\0\0\3abc", b"\0\0\0\0", os.urandom(64)):
        with socket.socket(socket.AF_UNIX) as rude:
            with talk.short_path(world.home / "vault" / "socket") as path:
                rude.connect(path)
            rude.sendall(nonsense)
            rude.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError), (world.said / "nonsense").open("ab") as answers:
                answers.write(rude.recv(1 << 16))
    assert "Refused" in str(world.ask(asker, "\ud800"))

    vault.send_signal(signal.SIGSTOP)
    impatient = world.asker(timeout=0.3)
    assert "does not answer within 0.3 s" in str(world.ask(impatient, KNOWN))
    vault.send_signal(signal.SIGCONT)

    file = world.home / "vault" / "sources.vault"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "Broken" in str(world.ask(asker, KNOWN))
    assert world.run("source", "list")[0] == 1
    file.write_bytes(whole)
    assert len(world.ask(asker, KNOWN)[0]) == 1

    vault.send_signal(signal.SIGABRT)
    vault.wait(20)
    assert "not open" in str(world.ask(asker, KNOWN))
    again = world.serve_vault("vault-2")
    until(lambda: "Refused" not in str(world.ask(asker, KNOWN)), "the vault answers again")
    return again


def look_everywhere(world: World, vault: subprocess.Popen[str], others: list[subprocess.Popen[str]]) -> None:
    begun = time.monotonic()
    assert in_files([world.home, world.folder / "nodes" / "USA", world.said]) == set()
    assert not list(world.folder.rglob("core*"))
    for process in others:
        assert in_memory(process.pid) == set()
    for process in (vault, *others):
        assert search(Path(f"/proc/{process.pid}/cmdline").read_bytes()) == set()
        with suppress(PermissionError):  # the vault has closed its own to all but root
            assert search(Path(f"/proc/{process.pid}/environ").read_bytes()) == set()
    limits = Path(f"/proc/{vault.pid}/limits").read_text(encoding="ascii").splitlines()
    assert next(line.split()[4:6] for line in limits if line.startswith("Max core")) == ["0", "0"]

    held = {canary for canary, _ in in_memory(readable(world, vault))}
    assert held >= set(CANARIES[:-1]), "the search would not have found them"
    print(f"searched in {time.monotonic() - begun:.1f} s")


def readable(world: World, vault: subprocess.Popen[str]) -> int:
    """The vault's process where this test may look into it (as root), else one that did not close itself."""
    if os.geteuid() == 0:
        return vault.pid
    with pytest.raises(PermissionError):
        Path(f"/proc/{vault.pid}/mem").read_bytes()
    program = (
        "import sys; from pathlib import Path; from tearline.vault import Keeper, Passphrase, unseal;"
        "vault = Keeper(unseal(Path(sys.argv[1]).read_bytes(), Passphrase(Path(sys.argv[2]).read_text())));"
        "print('open', flush=True); sys.stdin.read()"
    )
    file = world.home / "vault" / "sources.vault"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(file), world.words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    world.running.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process.pid

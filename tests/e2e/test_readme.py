"""The README's commands do what the README says: they are run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.coalition import free_port, until

ROOT = Path(__file__).parents[2]
REPORT = """\
//GBR SECRET//REL TO USA, GBR
Title: Night traffic at Velna junction
Date: 2026-10-02T05:00:00Z
Originator: GBR
Topics: logistics
Regions: eastern-europe
Discipline: geoint
Language: en

(//GBR S//REL TO USA, GBR) Eleven goods trains passed Velna junction between 22:00 and 04:00.

//GBR SECRET//REL TO USA, GBR
"""


PHRASE = "lusab-babad-gutih-tugad"
"""What the README has where desks say the true one."""


def commands() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def invitation(line: str) -> str:
    return next(word for word in line.split() if word.endswith(".invitation"))


def test_the_two_commands_are_the_makefiles() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert [command for command in commands() if command.startswith("make")] == ["make run", "make test"]
    assert {"run", "test"} <= set(targets)


def test_a_node_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text(REPORT, encoding="utf-8")
    (tmp_path / "src").symlink_to(ROOT / "src")
    ports = {"8443": str(free_port()), "8444": str(free_port())}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    lines = [command for command in commands() if command.startswith(("tearline", "cp"))]
    assert len(lines) >= 10
    phrases: dict[str, str] = {}
    for line in lines:
        for port, free in ports.items():
            line = line.replace(port, free)  # noqa: PLW2901
        words, _, target = line.partition(" > ")
        arguments = [phrases[invitation(words)] if each == PHRASE else each for each in shlex.split(words)]
        if arguments[-1] == "serve":
            serving = subprocess.Popen(
                arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
            )
            assert serving.stdout is not None
            assert serving.stdout.readline().startswith("serving partners at https://")
            break
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
        if found := re.search(r"(\S+\.invitation) .* phrase: (\S+)", done.stdout):
            phrases[found[1]] = found[2]
        if target:
            (tmp_path / target).write_text(done.stdout)

    def run(*arguments: str) -> str:
        command = ["tearline", "--home", "gbr", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout

    until(lambda: "1 delivered" in run("status"), "the report is in the partner's view")
    assert "every entry is as it was written" in run("ledger", "verify")
    serving.terminate()
    serving.wait(20)
    serving.stdout.close()

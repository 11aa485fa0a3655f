"""The documentation is complete: what the program can say is explained."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.testing import CliRunner

from tearline.cli import main
from tearline.gate.decide import CODES

DOCS = Path(__file__).parents[3] / "docs"


def test_every_outcome_code_is_explained() -> None:
    explained = re.findall(r"^\| `([a-z.-]+)` \|", (DOCS / "outcomes.md").read_text(), flags=re.MULTILINE)
    assert explained == list(CODES)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


def test_every_command_and_option_has_help() -> None:
    for path, command in commands(main):
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help or parameter.name == "help", (path, parameter.name)
        assert CliRunner().invoke(main, [*path, "--help"]).exit_code == 0


def test_links_between_pages_lead_somewhere() -> None:
    for page in (DOCS.parent / "README.md", *DOCS.rglob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(page.name[:4]) for page in (DOCS / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))

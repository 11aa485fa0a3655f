"""Findings as a compiler shows them: the code, the place, the line, what is meant in it, the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len

from tearline.agreement import Finding
from tearline.cli.show import plain


def shown(finding: Finding, path: Path, text: str) -> str:
    """The message on a finding in the file at `path`, which holds `text`; coloured by ANSI codes."""
    lines = re.split(r"\r\n|\r|\n", text)
    line = plain(lines[finding.line - 1].replace("\t", " ")) if finding.line <= len(lines) else ""
    before, meant = (
        line[: finding.column - 1],
        line[finding.column - 1 : finding.column - 1 + finding.length],
    )
    colour = "red" if finding.is_error else "yellow"
    head = click.style(f"{_severity(finding)}[{finding.code}]", fg=colour, bold=True)
    number = str(finding.line)
    margin = " " * len(number)
    bar = click.style("|", fg="blue", bold=True)
    carets = click.style("^" * max(1, cell_len(meant)), fg=colour, bold=True)
    return "\n".join(
        [
            f"{head}: {plain(finding.message)}",
            f"{margin}--> {plain(str(path))}:{finding.line}:{finding.column}",
            f"{margin} {bar}",
            f"{click.style(number, fg='blue', bold=True)} {bar} {line}",
            f"{margin} {bar} {' ' * cell_len(before)}{carets}",
            f"{margin} = {click.style('help', bold=True)}: {plain(finding.instead)}",
        ]
    )


def as_data(finding: Finding, path: Path) -> dict[str, Any]:
    """For editors. Lines and columns count from 1, in characters; `end_column` is the one after the last."""
    return {
        "file": str(path),
        "line": finding.line,
        "column": finding.column,
        "end_column": finding.column + finding.length,
        "severity": _severity(finding),
        "code": finding.code,
        "message": finding.message,
        "help": finding.instead,
    }


def counted(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`; empty where there are none."""
    kinds = [_severity(finding) for finding in findings]
    counts = ((kinds.count(kind), kind) for kind in ("error", "warning"))
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for count, kind in counts if count)


def coloured_diff(lines: Sequence[str]) -> str:
    """A unified diff: what goes is red, what comes is green."""
    colours = {"-": "red", "+": "green", "@": "cyan"}
    return "\n".join(click.style(plain(line), fg=colours.get(line[:1])) for line in lines)


def _severity(finding: Finding) -> str:
    return "error" if finding.is_error else "warning"

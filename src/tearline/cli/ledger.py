"""`tearline ledger`: every act of this node, and whether anybody changed the record."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tearline.node import Node, ledger_tail, verify_ledger
from tearline.node import checkpoint as sign_checkpoint


@click.group()
def ledger() -> None:
    """Verify and show the ledger."""


@ledger.command()
@click.option(
    "--known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere: finds a log that was cut back or rewritten whole.",
)
@click.pass_obj
def verify(home: Path, known: tuple[Path, ...]) -> None:
    """Recompute every log of this node: each changed, missing or reordered entry is named."""
    notes = [path.read_text(encoding="utf-8") for path in known]
    with Node.open(home) as node:
        logs, findings = verify_ledger(node, notes)
    for name, size in logs.items():
        click.echo(f"{name}: {size} entries")
    for finding in findings:
        click.echo(str(finding), err=True)
    if findings:
        click.echo(f"{len(findings)} finding(s): the ledger was changed", err=True)
        sys.exit(1)
    click.echo("every entry is as it was written")


@ledger.command()
@click.pass_obj
def checkpoint(home: Path) -> None:
    """Print a signed checkpoint of the private log: keep it elsewhere, pass it to `verify --known` later."""
    with Node.open(home) as node:
        click.echo(sign_checkpoint(node), nl=False)


@ledger.command()
@click.option("--last", default=20, show_default=True, help="How many entries, the newest last.")
@click.pass_obj
def show(home: Path, last: int) -> None:
    """Show the newest entries of the node's private log."""
    table = Table("entry", "at", "act", "what")
    with Node.open(home) as node:
        for number, entry in ledger_tail(node, last):
            what = " ".join(
                f"{key}={value}" for key, value in entry.body.items() if isinstance(value, str | int)
            )
            table.add_row(str(number), entry.at, entry.act, what)
    Console().print(table)

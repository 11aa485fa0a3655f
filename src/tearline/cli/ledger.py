"""`tearline ledger`: every act of this node, and whether anybody changed the record."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from tearline.cli.show import plain
from tearline.node import Node, ledger_tail, verify_ledger
from tearline.node import checkpoint as sign_checkpoint
from tearline.terms import BadInput


@click.group()
def ledger() -> None:
    """Verify and show the ledger."""


@ledger.command()
@click.option(
    "--known",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere: finds a log that was cut back or rewritten whole.",
)
@click.pass_obj
def verify(home: Path, known: tuple[Path, ...]) -> None:
    """Recompute every log of this node: each changed, missing or reordered entry is named."""
    notes = [_note(path) for path in known]
    with Node.open(home) as node:
        logs, findings = verify_ledger(node, notes)
    for name, size in logs.items():
        click.echo(f"{name}: {size} entries")
    for finding in findings:
        click.echo(plain(str(finding)), err=True)
    if findings:
        click.echo(f"{len(findings)} finding(s): the record was changed", err=True)
        sys.exit(1)
    click.echo("every entry is as it was written")


def _note(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(str(path), "", "this is not a checkpoint") from None


@ledger.command()
@click.pass_obj
def checkpoint(home: Path) -> None:
    """Print a signed checkpoint of the private log: keep it elsewhere, pass it to `verify --known` later."""
    with Node.open(home) as node:
        click.echo(sign_checkpoint(node), nl=False)


@ledger.command()
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many entries, the newest last.",
)
@click.pass_obj
def show(home: Path, last: int) -> None:
    """Show the newest entries of the node's private log, each as one line: number, time, act, what."""
    with Node.open(home) as node:
        for number, entry in ledger_tail(node, last):
            click.echo(plain(f"{number} {entry.at} {entry.act} {orjson.dumps(entry.body).decode()}"))

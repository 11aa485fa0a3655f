"""`tearline intake` and `tearline quarantine`: what comes in, and what could not be read."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tearline.intake import Fault
from tearline.node import AlreadyHeld, Node, TakenIn, quarantined, take_in
from tearline.node import resolve as resolve_quarantine
from tearline.terms import BadInput

MAX_FAULTS_SHOWN = 50


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--marking", help="The marking of products that carry none, such as TLP:GREEN.")
@click.pass_obj
def intake(home: Path, files: tuple[Path, ...], marking: str | None) -> None:
    """Take in products: STIX 2.1, MISP galaxies, marked reports (Markdown or text), zip archives of these.

    Bad items are named and left out; their good neighbours are taken in. Ends with status 1 if any was bad.
    """
    counts: Counter[str] = Counter()
    console = Console(stderr=True)
    with (
        Node.open(home) as node,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar,
    ):
        task = bar.add_task("files", total=len(files))
        for path in files:
            bar.update(task, description=path.name)
            for item in _take_in(node, path, marking):
                if isinstance(item, TakenIn):
                    counts["quarantined" if item.quarantine else "taken in"] += 1
                    sentence = item.quarantine
                elif isinstance(item, AlreadyHeld):
                    counts["held already"] += 1
                    sentence = None
                else:
                    counts[item.severity] += 1
                    sentence = str(item)
                if sentence and counts["shown"] < MAX_FAULTS_SHOWN:
                    counts["shown"] += 1
                    bar.console.print(sentence, style="yellow", markup=False, highlight=False)
            bar.advance(task)
    click.echo(
        f"{counts['taken in']} taken in, {counts['quarantined']} in quarantine, "
        f"{counts['held already']} held already, {counts['error']} bad, {counts['warning']} warnings"
    )
    if counts["error"]:
        sys.exit(1)


def _take_in(node: Node, path: Path, marking: str | None) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    try:
        with path.open("rb") as stream:
            yield from take_in(node, stream, str(path), marking=marking)
    except OSError as error:
        raise BadInput(str(path), "", os.strerror(error.errno or 0).lower()) from None


@click.group()
def quarantine() -> None:
    """What could not be read whole: it goes to nobody until an officer resolves it."""


@quarantine.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the products in quarantine and the mark that could not be read."""
    table = Table("product", "version", "why")
    with Node.open(home) as node:
        for product_id, version, reason in quarantined(node):
            table.add_row(product_id, version, reason)
    Console().print(table)


@quarantine.command()
@click.argument("product_id")
@click.option("--marking", required=True, help="The marking that the product should bear, such as TLP:AMBER.")
@click.pass_obj
def resolve(home: Path, product_id: str, marking: str) -> None:
    """Give PRODUCT_ID the marking that its originator meant; the gate then considers it."""
    with Node.open(home) as node:
        resolve_quarantine(node, product_id, marking)
    click.echo(f"{product_id} is out of quarantine.")

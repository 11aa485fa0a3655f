"""Commands that take an agreement through its life at this node."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.cli.show import table
from tearline.node import Node, adopt_agreement, read_agreement


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def adopt(home: Path, folder: Path) -> None:
    """Put the agreement in FOLDER in force at this node, in the place of its earlier version.

    It decides on what is taken in from now on.
    """
    with Node.open(home) as node:
        adopted = adopt_agreement(node, read_agreement(folder))
    click.echo(f"{adopted.id} version {adopted.version[:12]} is in force.")


@click.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the agreements in force."""
    with Node.open(home) as node:
        rows = [
            (
                row.id,
                row.version[:12],
                row.title,
                " ".join(sorted(row.parties)),
                str(row.valid_from),
                str(row.valid_until),
            )
            for row in node.agreements
        ]
    table(("id", "version", "title", "parties", "from", "until"), rows)

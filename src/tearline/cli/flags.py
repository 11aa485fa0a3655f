"""`tearline flags`: products that seem to name persons whom the vault does not know."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path

import click

from tearline.cli.show import table
from tearline.gate.sanitize import is_installed
from tearline.node import Node, persons


@click.command()
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many products to show."
)
@click.pass_obj
def flags(home: Path, limit: int) -> None:
    """List the newest products that seem to name persons whom the vault does not know.

    The names are read off the products here and now; they are kept nowhere else. Nothing is decided by them.
    """
    with Node.open(home) as node:
        found = persons.flagged(node, limit)
    if not found:
        none = "No product seems to name a person whom the vault does not know."
        click.echo(none if is_installed() else sentence(0))
        return
    rows = []
    for product, spans in found:
        texts = persons.texts_of(product)
        for portion, group in groupby(spans, key=itemgetter(0)):
            names = [texts[portion][start:end] for _, start, end in group]
            rows.append((product.id, str(portion + 1), str(len(names)), "; ".join(names)))
    table(("product", "portion", "names", "which"), rows)


def sentence(count: int) -> str:
    """What `tearline status` says of flags."""
    if count:
        return f"{count} products seem to name persons whom the vault does not know: `tearline flags`"
    if is_installed():
        return ""
    return "Unknown persons are not looked for: no recogniser is installed"

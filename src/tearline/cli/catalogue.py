"""`tearline catalogue`: what pictures and recordings a partner was given."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.cli.atlas import page
from tearline.node import Node
from tearline.terms import Refused


@click.group()
def catalogue() -> None:
    """Look at the pictures and recordings that partners were given."""


@catalogue.command("map")
@click.argument("partner")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where to write the page.",
)
@click.pass_obj
def map_(home: Path, partner: str, output: Path) -> None:
    """Draw what PARTNER was given on a map, as one page that needs no network."""
    with Node.open(home) as node:
        if partner not in node.partners:
            raise Refused(f"{partner} is no partner")
        items = node.view(partner).given_scenes()
        output.write_text(page(f"{node.party} to {partner}: what was given", items), encoding="utf-8")
    click.echo(f"{output} shows {len(items)} {'scene' if len(items) == 1 else 'scenes'}.")

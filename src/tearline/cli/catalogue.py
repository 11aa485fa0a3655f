"""`tearline catalogue`: what pictures and recordings a partner was given."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from tearline.cli.show import plain
from tearline.deliver.scene import SHA2_256, THUMBNAIL
from tearline.handout.map import page
from tearline.node import Node
from tearline.terms import Party, Refused


@click.group()
def catalogue() -> None:
    """Look at the pictures and recordings that partners were given."""


@catalogue.command("list")
@click.argument("partner")
@click.pass_obj
def list_(home: Path, partner: str) -> None:
    """Show what PARTNER was given: time, title, size, and whether there is a preview."""
    with Node.open(home) as node:
        items = [orjson.loads(item) for item in _given(node, partner)]
    for item in items:
        told, assets = item["properties"], item["assets"]
        time = told["datetime"] or f"{told['start_datetime']} to {told['end_datetime']}"
        size = assets.get("data", {}).get("file:size", 0)
        previews = ", ".join(name for name in assets if name != "data") or "no preview"
        click.echo(plain(f"{item['id']}  {time}  {told.get('title', '')}  {size:,} bytes, {previews}"))
    if not items:
        click.echo(f"{partner} was given no pictures or recordings.")


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
    """Draw what PARTNER was given on a map with its previews, as one page that needs no network."""
    with Node.open(home) as node:
        items = _given(node, partner)
        found = {
            name: path.read_bytes()
            for (name, role), path in _previews(node, partner).items()
            if role == THUMBNAIL
        }
        output.write_text(page(f"{node.party} to {partner}: what was given", items, found), encoding="utf-8")
    click.echo(f"{output} shows {len(items)} {'scene' if len(items) == 1 else 'scenes'}.")


@catalogue.command("previews")
@click.argument("partner")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where to write them; it is made if need be.",
)
@click.pass_obj
def previews_(home: Path, partner: str, folder: Path) -> None:
    """Write the previews of what PARTNER was given into a folder: what it sees, and no more than that."""
    with Node.open(home) as node:
        _given(node, partner)
        folder.mkdir(parents=True, exist_ok=True)
        found = _previews(node, partner)
        for (name, role), path in found.items():
            (folder / f"{name}.{role}.png").write_bytes(path.read_bytes())
    click.echo(f"{len(found)} {'picture is' if len(found) == 1 else 'pictures are'} in {folder}.")


def _given(node: Node, partner: Party) -> list[bytes]:
    if partner not in node.partners:
        raise Refused(f"{partner} is no partner")
    return node.view(partner).given_scenes()


def _previews(node: Node, partner: Party) -> dict[tuple[str, str], Path]:
    """By item and role: the previews of what is in the partner's catalogue."""
    digests = {
        (item["id"], role): asset["file:checksum"].removeprefix(SHA2_256)
        for item in map(orjson.loads, node.view(partner).given_scenes())
        for role, asset in item["assets"].items()
        if role != "data"
    }
    return {which: node.blobs.local(digest) for which, digest in digests.items()}

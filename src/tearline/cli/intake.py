"""`tearline intake` and `tearline quarantine`: what comes in, and what could not be read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from tearline.cli.show import plain
from tearline.intake import Fault
from tearline.node import AlreadyHeld, Node, TakenIn, quarantined, take_in
from tearline.node import resolve as resolve_quarantine
from tearline.node.take_in_file import About, is_media_file, take_in_file
from tearline.terms import Region, Topic

MAX_FAULTS_SHOWN = 50


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--marking", help="The marking of products that carry none, such as TLP:GREEN.")
@click.option(
    "--topic", "topics", multiple=True, type=click.Choice([*map(str, Topic)]), help="What pictures are about."
)
@click.option(
    "--region", "regions", multiple=True, type=click.Choice([*map(str, Region)]), help="The same: where."
)
@click.pass_obj
def intake(
    home: Path,
    files: tuple[Path, ...],
    marking: str | None,
    topics: tuple[str, ...],
    regions: tuple[str, ...],
) -> None:
    """Take in products: STIX 2.1, MISP galaxies, marked reports (Markdown or text), zip archives of these;
    pictures (GeoTIFF, NITF, JPEG 2000), SigMF recordings, and STAC items and collections with their files.

    Topics and regions are for pictures and recordings, which do not tell them themselves.

    Bad items are named and left out; their good neighbours are taken in. Ends with status 1 if any was bad.
    """
    counts: Counter[str] = Counter()
    about = About(
        marking=marking, topics=frozenset(map(Topic, topics)), regions=frozenset(map(Region, regions))
    )
    console = Console(stderr=True)
    with (
        Node.open(home) as node,
        Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar,
    ):
        task = bar.add_task("files", total=len(files))
        for path in files:
            bar.update(task, description=plain(path.name))
            for item in _take_in(node, path, about):
                if isinstance(item, TakenIn):
                    counts["quarantined" if item.quarantine else "taken in"] += 1
                    sentence = item.quarantine
                elif isinstance(item, AlreadyHeld):
                    counts["held already"] += 1
                    sentence = None
                else:
                    counts[item.severity] += 1
                    sentence = str(item)
                if sentence:
                    counts["sentences"] += 1
                if sentence and counts["sentences"] <= MAX_FAULTS_SHOWN:
                    bar.console.print(Text(sentence, style="yellow"), soft_wrap=True)
            bar.advance(task)
    if counts["sentences"] > MAX_FAULTS_SHOWN:
        click.echo(f"... and {counts['sentences'] - MAX_FAULTS_SHOWN} more like these", err=True)
    click.echo(
        f"{counts['taken in']} taken in, {counts['quarantined']} in quarantine, "
        f"{counts['held already']} held already, {counts['error']} bad, {counts['warning']} warnings"
    )
    if counts["error"]:
        sys.exit(1)


def _take_in(node: Node, path: Path, about: About) -> Iterator[TakenIn | AlreadyHeld | Fault]:
    try:
        if is_media_file(path):
            yield from take_in_file(node, path, about)
            return
        with path.open("rb") as stream:
            yield from take_in(node, stream, str(path), marking=about.marking)
    except OSError as error:
        yield Fault(where=str(path), place="", reason=f"cannot be read ({error.strerror})")


@click.group()
def quarantine() -> None:
    """What could not be read whole: it goes to nobody until an officer resolves it."""


@quarantine.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the products in quarantine and the mark that could not be read."""
    with Node.open(home) as node:
        waiting = quarantined(node)
    for _, version, sentence in waiting:
        click.echo(plain(f"{sentence} (version {version})"))
    if not waiting:
        click.echo("Nothing is in quarantine.")


@quarantine.command()
@click.argument("product_id")
@click.option("--marking", required=True, help="The marking that the product should bear, such as TLP:AMBER.")
@click.pass_obj
def resolve(home: Path, product_id: str, marking: str) -> None:
    """Give PRODUCT_ID the marking that its originator meant; the gate then considers it."""
    with Node.open(home) as node:
        resolve_quarantine(node, product_id, marking)
    click.echo(f"{product_id} is out of quarantine.")

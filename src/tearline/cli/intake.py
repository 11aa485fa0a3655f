"""`tearline intake` and `tearline quarantine`: what comes in, and what could not be read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from tearline.cli.show import plain
from tearline.intake import Fault, stac
from tearline.node import AlreadyHeld, Node, TakenIn, quarantined, take_in
from tearline.node import resolve as resolve_quarantine
from tearline.node.take_in_file import About, is_media_file, take_in_file
from tearline.node.take_in_stac import partner_at, site_of, take_in_stac
from tearline.terms import Region, Topic

MAX_FAULTS_SHOWN = 50


_Answer = TakenIn | AlreadyHeld | Fault


class _Intake(click.Group):
    """`intake FILE...` is short for `intake files FILE...`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["files", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Intake, subcommand_metavar="FILE... | stac URL")
def intake() -> None:
    """Take in products from files, which is what `tearline intake FILE...` does; or from a STAC server."""


def _about(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what files do not say themselves."""
    for option in (
        click.option("--region", "regions", multiple=True, type=click.Choice([*map(str, Region)]),
                     help="The same: where."),
        click.option("--topic", "topics", multiple=True, type=click.Choice([*map(str, Topic)]),
                     help="What pictures and recordings are about."),
        click.option("--marking", help="The marking of products that carry none, such as TLP:GREEN."),
    ):  # fmt: skip
        command = option(command)
    return command


@intake.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_about
@click.pass_obj
def files(
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
    about = About(
        marking=marking, topics=frozenset(map(Topic, topics)), regions=frozenset(map(Region, regions))
    )
    with Node.open(home) as node, _progress(MofNCompleteColumn()) as bar:
        told = _Told(bar.console)
        task = bar.add_task("files", total=len(files))
        for path in files:
            bar.update(task, description=plain(path.name))
            told.all(_take_in(node, path, about))
            bar.advance(task)
    told.end()


@intake.command("stac")
@click.argument("url")
@click.option("--collection", "collections", multiple=True, help="Only items of this collection.")
@click.option("--bbox", help="Only items that touch WEST,SOUTH,EAST,NORTH, in degrees.")
@click.option("--datetime", "period", help="Only items of this time, such as 2026-03-01/2026-03-31.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Items in all, at most."
)
@click.option("--partner", help="The partner whose server it is; else it is told by host and port.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority (PEM) that vouches for a server that is no partner's; else those of this machine.",
)
@_about
@click.pass_obj
def stac_(
    home: Path,
    url: str,
    collections: tuple[str, ...],
    bbox: str | None,
    period: str | None,
    limit: int,
    partner: str | None,
    ca: Path | None,
    marking: str | None,
    topics: tuple[str, ...],
    regions: tuple[str, ...],
) -> None:
    """Take in pictures and recordings from the STAC server at URL: an API, a collection, or an item.

    Files come by https and from that same host alone. What broke off goes on when this is run again. What a
    partner's server has stays the partner's: it goes to nobody else.

    A bad item is named and left out; its good neighbours are taken in. Ends with status 1 if any was bad.
    """
    asked = stac.Asked(
        collections=collections,
        bbox=stac.read_bbox(bbox) if bbox else (),
        datetime=stac.read_period(period) if period else "",
    )
    with Node.open(home) as node, _progress(DownloadColumn(), TransferSpeedColumn()) as bar:
        giver = partner or partner_at(node, url)
        about = About(
            marking=marking,
            giver=giver,
            topics=frozenset(map(Topic, topics)),
            regions=frozenset(map(Region, regions)),
        )
        site = site_of(node, url, giver, ca.read_text(encoding="utf-8", errors="replace") if ca else "")
        told, task = _Told(bar.console), bar.add_task("asking", total=None)

        def tell(name: str, done: int, size: int | None) -> None:
            bar.update(task, description=plain(name.rpartition("/")[2]), completed=done, total=size)

        told.all(take_in_stac(node, site, url, asked, limit, about, tell))
    told.end()


def _progress(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}", markup=False), BarColumn(), *columns, TimeElapsedColumn())
    return Progress(*shown, console=console, transient=True, disable=not console.is_terminal)


class _Told:
    """What became of items: counted, and what is to be said of them said."""

    def __init__(self, console: Console) -> None:
        self._console, self._counts = console, Counter[str]()

    def all(self, answers: Iterable[_Answer]) -> None:
        for item in answers:
            sentence = None
            if isinstance(item, TakenIn):
                self._counts["quarantined" if item.quarantine else "taken in"] += 1
                sentence = item.quarantine
            elif isinstance(item, AlreadyHeld):
                self._counts["held already"] += 1
            else:
                self._counts[item.severity] += 1
                sentence = str(item)
            self._counts["sentences"] += sentence is not None
            if sentence is not None and self._counts["sentences"] <= MAX_FAULTS_SHOWN:
                self._console.print(Text(plain(sentence), style="yellow"), soft_wrap=True)

    def end(self) -> None:
        """Say how many of each there were; end with status 1 if any was bad."""
        counts = self._counts
        if counts["sentences"] > MAX_FAULTS_SHOWN:
            click.echo(f"... and {counts['sentences'] - MAX_FAULTS_SHOWN} more like these", err=True)
        click.echo(
            f"{counts['taken in']} taken in, {counts['quarantined']} in quarantine, "
            f"{counts['held already']} held already, {counts['error']} bad, {counts['warning']} warnings"
        )
        if counts["error"]:
            sys.exit(1)


def _take_in(node: Node, path: Path, about: About) -> Iterator[_Answer]:
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

"""`tearline agreement replay`: what an agreement would have changed in what was considered so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import msgspec
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from tearline.adapters import items
from tearline.agreement import Agreement
from tearline.cli.show import table
from tearline.node import Node, agreement_record, read_agreement
from tearline.node.replay import EXAMPLES, export, replay, replay_files
from tearline.review import Change, Changes, in_words
from tearline.terms import BadInput

COUNTS = ("partner", "month", "category", "topic", "change", "items")
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("replay")
@click.argument("reference", metavar="FOLDER|VERSION", required=False)
@click.option(
    "--items", "files", type=FILE, multiple=True, help="Items of a Parquet file, not of the ledger."
)
@click.option("--partner", "partners", multiple=True, help="For this partner only; may be given again.")
@click.option("--examples", default=EXAMPLES, show_default=True, help="For each partner and kind of change.")
@click.option("--json", "as_json", is_flag=True, help="Give all of it as JSON.")
@click.option("--parquet", type=FILE, help="Write the counts by partner, month, category and topic here.")
@click.option("--export", "out", type=FILE, help="Write the node's own history as such a file of items.")
@click.pass_obj
def replay_(
    home: Path,
    reference: str | None,
    files: tuple[Path, ...],
    partners: tuple[str, ...],
    examples: int,
    as_json: bool,
    parquet: Path | None,
    out: Path | None,
) -> None:
    """Show what an agreement would have changed: for whom, in which categories and on which topics.

    It is compared with what is in force at this node, over every product that the node holds, each at the
    time at which it was considered; or over the items of files (docs/items-format.md). VERSION is one that
    the node keeps, by its first digits or its agreement's id. Nothing is decided and nothing is stored.
    """
    if (reference is None) == (out is None):
        raise BadInput("FOLDER|VERSION", "", "give an agreement to replay, or --export FILE")
    with Node.open(home) as node:
        if out is not None:
            with progress_bar("writing") as bar:
                written = export(node, out, progress=bar.told)
            click.echo(f"{written} rows are written to {out}.")
            return
        proposed = _agreement(node, reference or "")
        with progress_bar("replaying") as bar:
            run = partial(replay_files, files=files) if files else replay
            changes = run(node, proposed, partners=partners, examples=examples, progress=bar.told)
    if parquet is not None:
        items.write_table(parquet, COUNTS, _counts(changes))
    if as_json:
        told = msgspec.to_builtins(changes, str_keys=True)
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        show(changes, proposed)


def show(changes: Changes, proposed: Agreement) -> None:
    """Print what would have changed."""
    for note in changes.notes:
        click.echo(f"Note: {note}")
    click.echo(f"{changes.items} items under {proposed.id} {proposed.version[:12]} and what is in force.")
    table(
        ("partner", "whole now", "then", "tearline now", "then", *Change),
        (
            (each.partner, *map(str, (*each.whole, *each.tearline, *(each.counts.get(c, 0) for c in Change))))
            for each in changes.totals
        ),
    )
    if changes.nothing:
        click.echo("Nothing would have changed.")
        return
    sums: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * len(Change))
    for cell in changes.cells:
        for number, change in enumerate(Change):
            sums[cell.partner, cell.category, cell.topic or "no topic"][number] += cell.counts.get(change, 0)
    table(
        ("partner", "category", "topic", *Change), ((*key, *map(str, counts)) for key, counts in sums.items())
    )
    if changes.examples:
        table(
            ("for example", "version", "partner", "what happens", "now", "then"),
            (
                (
                    each.id,
                    each.version,
                    each.partner,
                    each.change,
                    in_words(each.before),
                    in_words(each.after),
                )
                for each in changes.examples
            ),
        )


def _counts(changes: Changes) -> list[tuple[str | int, ...]]:
    """Rows of `COUNTS`."""
    return [
        (cell.partner, cell.month, cell.category.value, cell.topic, change.value, count)
        for cell in changes.cells
        for change, count in cell.counts.items()
    ]


def _agreement(node: Node, reference: str) -> Agreement:
    if Path(reference).is_dir():
        return read_agreement(Path(reference))
    version = agreement_record.find(node, reference)
    with node.reading() as db:
        return agreement_record.agreement_of(db, version)


class Shown:
    """A bar on the error output, where that is a terminal."""

    def __init__(self, bar: Bar, doing: str) -> None:
        self._bar, self._task = bar, bar.add_task(doing, total=None)

    def told(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def doing(self, what: str) -> None:
        """Something else, of which nobody knows how long it takes."""
        self._bar.update(self._task, description=what, completed=0, total=None)


@contextmanager
def progress_bar(doing: str) -> Iterator[Shown]:
    """Progress, for as long as it is open."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Shown(bar, doing)

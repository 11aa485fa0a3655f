"""`tearline demo`: a coalition of eight nodes shares real products."""

from __future__ import annotations

import re
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import click
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.live import Live

from tearline.demo.audit import audit
from tearline.demo.desk import open_desk, with_most_to_see
from tearline.demo.run import run
from tearline.demo.summary import desk_hint, live, nodes_hint, show

_SVG = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""A picture that fetches no font from anywhere."""
MAX_FAULTS_SHOWN = 20
WIDTH = 110


@click.command()
@click.option(
    "--products",
    multiple=True,
    metavar="FILE",
    help="Also share this file (STIX 2.1 bundle, MISP galaxy, report, picture, recording, STAC item); the "
    "American node takes it in, or the one you name: GBR=FILE. What is unmarked is taken as TLP:GREEN, and "
    "pictures and recordings as being about war on land. May be given several times.",
)
@click.option("--seed", default=7, show_default=True, help="Who holds which profile, and how it is marked.")
@click.option("--keep", is_flag=True, help="Leave the nodes up until Ctrl-C, with a desk; keep the folder.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the nodes live. [default: a folder that is removed at the end]",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also draw the summary into this file (SVG).",
)
def demo(products: tuple[str, ...], seed: int, keep: bool, folder: Path | None, picture: Path | None) -> None:
    """Run a coalition of eight nodes on this machine and say who got how much of what from whom.

    Each node is a process with its own database, keys and TAXII door over mutual TLS on loopback. They share
    threat-actor profiles of the MISP galaxy, reports in English, Ukrainian and Russian, and invented pictures
    and recordings. Ends with status 1 if a law of the design was broken or anything was lost.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what it started ends
    console = Console(width=None if sys.stdout.isatty() and not picture else WIDTH, record=bool(picture))
    with ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="tearline-")) if keep else None
        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tearline-")))
        console.print("Eight nodes, each a process with its own keys, database and door:")
        with Live(
            "making keys, agreements and doors ...", console=console, refresh_per_second=4, transient=True
        ) as display:
            finished, end = run(where, products, seed, lambda now: display.update(live(now)), keep=keep)
        stack.callback(end)
        for sentence in finished.faults[:MAX_FAULTS_SHOWN]:
            console.print(sentence, style="yellow", markup=False, highlight=False)
        if len(finished.faults) > MAX_FAULTS_SHOWN:
            console.print(f"... and {len(finished.faults) - MAX_FAULTS_SHOWN} more", style="yellow")
        show(finished, console)
        breaches = audit(finished.homes)
        for breach in breaches:
            console.print(breach, style="bold red", markup=False)
        if not breaches:
            console.print(
                "No law was broken and nothing was lost: laws 1, 2 (source lines), 4, 5 (lists), 8 and 9, "
                "checked on what nodes and views hold, and on every file that was given.",
                highlight=False,
            )
        if picture:
            console.save_svg(str(picture), title="tearline demo", code_format=_SVG)
        if keep:
            console.print(nodes_hint(finished.homes), highlight=False)
            desk = stack.enter_context(open_desk(where, with_most_to_see(finished.homes)))
            for line in desk_hint(desk):
                click.echo(line)
            _until_told()
    if breaches:
        sys.exit(1)


def _until_told() -> None:
    """Until Ctrl-C or SIGTERM; what comes after that is left to end in its order."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    told.wait()

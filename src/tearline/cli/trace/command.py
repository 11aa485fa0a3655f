"""`tearline trace`: asks whose copy a leak is, and shows what copies differ in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tearline.cli.show import plain, table
from tearline.cli.trace.canary import canary
from tearline.intake import Context, read
from tearline.node import Node
from tearline.node.marks import ZERO_WIDTH, short
from tearline.node.variants import Variant, previews, switch_off, switch_on, switched_off, variants
from tearline.terms import BadInput, Product
from tearline.trace.leak import Leak, read_leak
from tearline.trace.prior import read_prior
from tearline.trace.terms import told

if TYPE_CHECKING:
    from tearline.node.trace import Case

MEDIA = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".jp2", ".ntf", ".nitf", ".sigmf", ".tar")
"""How the last parts of the names of pictures and recordings begin."""
SOON = 1.0
"""Seconds after which progress is shown."""


class _Trace(click.Group):
    """`tearline trace FILE...` is short for `tearline trace files FILE...`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        known = args and (args[0] in self.commands or args[0] in {"-h", "--help"})
        return super().resolve_command(ctx, args if known else ["files", *args])


@click.group(cls=_Trace)
def trace() -> None:
    """Whose copy was it? `tearline trace FILE...` reads leaked files; or see what copies differ in."""


trace.add_command(canary)


@trace.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--officer", required=True, help="Who asks. It is put on the ledger.")
@click.option(
    "--prior",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What was thought before: a TOML file of lines PARTY = WEIGHT. Without it, all are alike.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-6,
    show_default=True,
    help="How likely it may be that any innocent is accused.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON, without texts.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with all the evidence side by side. It holds the texts: keep it as they are kept.",
)
@click.pass_obj
def files(
    home: Path,
    files: tuple[Path, ...],
    officer: str,
    prior: Path | None,
    alpha: float,
    as_json: bool,
    report: Path | None,
) -> None:
    """Ask whose copy leaked FILES are, taken together for one recipient's work; `-` is the standard input.

    Text, Markdown, HTML, JSON (STIX), pictures and recordings. "Not enough evidence" is a proper answer, and
    ends with status 0 like any other. See docs/tracing.md for what the figures mean.
    """
    from tearline.node.trace import trace as ask  # noqa: PLC0415 - numpy, which the others need not wait for

    media = [path for path in files if path.suffix.lower().startswith(MEDIA)]
    leaks = [_leak(path) for path in files if path not in media]
    with Node.open(home) as node, _progress() as tell:
        before = _prior(prior, node) if prior else {}
        how: dict[str, Any] = {"prior": before, "alpha": alpha, "draw": report is not None}
        case = ask(node, leaks, media, officer=officer, tell=tell, **how)
        party, at = node.party, node.clock()
    if report is not None:
        from tearline.handout.trace import page  # noqa: PLC0415

        shown = page(case, party=party, officer=officer, at=at, files=files, prior=prior)
        report.write_text(shown, encoding="utf-8")
        report.chmod(0o600)
    if as_json:
        click.echo(orjson.dumps(case.summary(), option=orjson.OPT_INDENT_2).decode())
    else:
        _say(case)
    if report is not None:
        click.echo(f"The evidence is in {report}.", err=as_json)


def _say(case: Case) -> None:
    if not case.pieces and not any(each.tried for each in case.media):
        click.echo("Nothing that was released is like it: it cannot be traced.")
        return
    for piece in case.pieces:
        leaked = ", ".join(f"{at + 1} ({share:.0%})" for at, share in piece.portions)
        like = "word for word" if piece.matches else "by its facts, as a translation is"
        name = case.leaks[piece.leak].name
        click.echo(
            plain(f"{name}: {piece.product} {piece.version}, {piece.title}; portions {leaked}, {like}")
        )
    click.echo(plain(case.says))
    if not case.canaries_read:
        click.echo("The vault is shut: no canary was looked for.")
    held = {party: how for how, parties in case.verdict.held.items() for party in parties}
    suspects = {each.partner: each for each in case.verdict.suspects}
    rows = []
    for party in [*suspects, *sorted(held.keys() - suspects)]:
        found = suspects.get(party)
        rows.append(
            (
                party,
                str(held.get(party, "")),
                f"{found.agree} of {found.slots}" if found else "",
                told(found.chance) if found else "",
                f"{found.ratio:+.1f}" if found else "",
                f"{found.prior:.3f}" if found else "",
                found.stands if found else "",
                "accused" if party in case.named else "",
            )
        )
    table(
        (
            "recipient",
            "held of it",
            "marks agree",
            "chance if innocent",
            "ratio (log10)",
            "before",
            "odds",
            "",
        ),
        rows,
    )
    receipted = {each.partner for each in case.copies if each.receipt}
    for party in case.named:
        if party not in receipted:
            click.echo(
                f"{party} gave no receipt for it: what shows that it had this copy is our own log alone."
            )


def _leak(path: Path) -> Leak:
    if str(path) == "-":
        return read_leak("standard input", sys.stdin.buffer.read())
    return read_leak(path.name, path.read_bytes())


def _prior(path: Path, node: Node) -> dict[str, float]:
    try:
        return read_prior(str(path), path.read_text("utf-8"), sorted(node.partners))
    except UnicodeDecodeError:
        raise BadInput(str(path), "", "it is not a text", "write a line `PARTY = WEIGHT` for each") from None


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    start = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", visible=False)

        def tell(done: int, whole: int) -> None:
            late = time.monotonic() - start > SOON
            bar.update(task, completed=done, total=whole, visible=late)

        yield tell


# --- What copies differ in ------------------------------------------------------------------------


@trace.command()
@click.argument("what", metavar="PRODUCT|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def slots(home: Path, what: str, as_json: bool) -> None:
    """Show every place of a product, or of reports in a file, at which copies differ or would differ.

    What each partner's copy says is not shown: that is told by a trace alone.
    """
    with Node.open(home) as node:
        path = Path(what)
        found = previews(node, _products(node, path)) if path.is_file() else variants(node, what)
        off = switched_off(node)
        unseen = node.home.config.marks.zero_width and ZERO_WIDTH not in off
    rows = [row for each in found for row in _rows(each)]
    if as_json:
        names = ("slot", "entry", "kind", "options", "where", "released", "off")
        click.echo(orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode())
        return
    if not rows:
        click.echo("Nothing in it is varied.")
        return
    shown = [
        (name, entry, kind, " | ".join(repr(each) for each in options), where, "off" if is_off else "")
        for name, entry, kind, options, where, _, is_off in rows
    ]
    table(("slot", "entry", "kind", "either", "where", ""), shown)
    released = "released" if any(row[5] for row in rows) else "not released yet"
    click.echo(f"{len(rows)} places, {released}. Switched off everywhere: {', '.join(off) or 'nothing'}.")
    if unseen:
        click.echo(f"Marks that cannot be seen go behind sentences too; `{ZERO_WIDTH}` switches them off.")


def _products(node: Node, path: Path) -> list[Product]:
    context = Context(party=node.party, at=node.clock(), default_marking=None)
    with path.open("rb") as stream:
        return [each for each in read(stream, str(path), context=context) if isinstance(each, Product)]


def _rows(variant: Variant) -> Iterator[tuple[str, str, str, Sequence[str], str, bool, bool]]:
    for slot in variant.slots:
        around = variant.text[max(slot.start - 30, 0) : slot.end + 30]
        where = " ".join(around.split())
        name = short(slot)
        yield name, slot.entry, slot.kind, slot.options, where, variant.released, name in variant.off


@trace.command()
@click.argument("what", metavar="ENTRY|SLOT")
@click.option("--officer", required=True, help="Who says so.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def off(home: Path, what: str, officer: str, why: str) -> None:
    """Vary this no more: an entry of the lexicon everywhere, or a single place. For all partners alike.

    What was released keeps its wording, and is still read in leaks.
    """
    with Node.open(home) as node:
        switch_off(node, what, officer=officer, why=why)
    click.echo(f"{what} is varied no more.")


@trace.command()
@click.argument("what", metavar="ENTRY|SLOT")
@click.option("--officer", required=True, help="Who says so.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def on(home: Path, what: str, officer: str, why: str) -> None:
    """Vary again what was switched off."""
    with Node.open(home) as node:
        switch_on(node, what, officer=officer, why=why)
    click.echo(f"{what} is varied again.")

"""`tearline trace canary`: a harmless detail that each recipient is told in another way."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.cli.show import table
from tearline.cli.vault import unlock, unlocking, who
from tearline.node import Node
from tearline.node.canaries import add_canary, canaries, given, remove_canary, too_late_for
from tearline.terms import BadInput
from tearline.vault import Canary


@click.group()
def canary() -> None:
    """A harmless detail that each recipient is told in another way, and that survives translation."""


@canary.command()
@click.argument("product")
@click.option("--phrase", required=True, help="The words as they stand in the product's text.")
@click.option(
    "--alternatives",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with an alternative on each line.",
)
@click.option("--give", multiple=True, metavar="PARTY=NUMBER", help="Choose by hand; 0 is the phrase itself.")
@click.argument("more", nargs=-1, metavar="[ALTERNATIVE]...")
@unlocking
@click.pass_obj
def add(
    home: Path,
    product: str,
    phrase: str,
    alternatives: Path | None,
    give: tuple[str, ...],
    more: tuple[str, ...],
    passphrase_file: Path | None,
    passphrase_fd: int | None,
) -> None:
    """Tell a detail of PRODUCT to each recipient in another way, from the next release on.

    Choose what nobody acts on, and what a translator keeps: a figure, a date, a name. What was released
    before stays as it is. Other users of this machine may see the words that you type here; a file is safer.
    """
    options = [phrase, *more]
    if alternatives is not None:
        options += [line for line in alternatives.read_text("utf-8").splitlines() if line.strip()]
    by_hand = dict(_chosen(each) for each in give)
    with Node.open(home) as node:
        made = add_canary(node, unlock(passphrase_file, passphrase_fd), product, options, by_hand, who())
        rows, late = _rows(node, made), too_late_for(node, made)
    click.echo(f"Canary {made.id}: {len(made.options)} ways to say it.")
    if late:
        names = ", ".join(sorted(late))
        click.echo(
            f"Released already to {names}, without it: what they hold is not changed. They are told in the "
            "next version of the report, if the phrase still stands in it."
        )
    table(("partner", "is told", ""), rows)


def _rows(node: Node, canary: Canary) -> list[tuple[str, str, str]]:
    late = too_late_for(node, canary)
    return [
        (party, said, "in the next version" if party in late else "")
        for party, said in given(node, canary).items()
    ]


def _chosen(text: str) -> tuple[str, int]:
    party, _, number = text.partition("=")
    if not number.isdecimal():
        raise BadInput("--give", repr(text), "it is not of the form PARTY=NUMBER")
    return party, int(number)


@canary.command("list")
@click.option("--product", help="Of this product alone.")
@click.pass_obj
def list_(home: Path, product: str | None) -> None:
    """Show the canaries and who is told what. The vault must be open (`tearline vault serve`)."""
    with Node.open(home) as node:
        rows = [
            (each.id, each.product, *row)
            for each in canaries(node, [product] if product else [])
            for row in _rows(node, each)
        ]
    table(("canary", "product", "partner", "is told", ""), rows)


@canary.command()
@click.argument("name", metavar="CANARY")
@unlocking
@click.pass_obj
def remove(home: Path, name: str, passphrase_file: Path | None, passphrase_fd: int | None) -> None:
    """No later release has this canary. What was given keeps it, and it is no longer read in leaks."""
    with Node.open(home) as node:
        remove_canary(node, unlock(passphrase_file, passphrase_fd), name, who())
    click.echo(f"Canary {name} is removed.")

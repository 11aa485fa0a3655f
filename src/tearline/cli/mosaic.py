"""`tearline mosaic`: who a source could be by all that was told of it. No identity is known here."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console

from tearline.cli.show import plain, table
from tearline.cli.vault import who
from tearline.gate.mosaic import Plan
from tearline.node import Node
from tearline.node import mosaic as acts
from tearline.terms import BadInput

_BEGINNING = 60
"""Characters of a portion by which an officer knows it."""


@click.group()
def mosaic() -> None:
    """Count how many persons each source could be, and say who they could be."""


@mosaic.group()
def population() -> None:
    """The tables of who a source could be."""


@population.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--coarser",
    multiple=True,
    metavar="FINE=COARSE",
    help="An attribute, and the one that says the same less exactly, such as town=district.",
)
@click.pass_obj
def add(home: Path, name: str, file: Path, coarser: tuple[str, ...]) -> None:
    """Keep FILE, a table in CSV or Parquet, as the population NAME; an older one of this name is replaced.

    A row is a person, a column an attribute. A column `id` is left out; an empty cell means: not known.
    """
    ladders = {name: above.casefold() for name, above in _pairs("--coarser", coarser).items()}
    with Node.open(home) as node, Console(stderr=True).status("reading the persons"):
        kept, changed = acts.keep_population(node, name, file, ladders, who())
    done = "is kept" if changed else "was kept already"
    click.echo(f"{name} {done}: {kept.size} persons, version {kept.digest[:12]}.")


@population.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the populations."""
    with Node.open(home) as node:
        rows = [(each.name, str(each.size), each.digest[:12], each.at) for each in acts.populations(node)]
    table(("population", "persons", "version", "since"), rows)


@population.command("show")
@click.argument("name")
@click.pass_obj
def show_population(home: Path, name: str) -> None:
    """Show the attributes of the population NAME, and how many persons each value leaves."""
    with Node.open(home) as node:
        kept, sizes = acts.show_population(node, name)
    click.echo(f"{name}: {kept.size} persons, version {kept.digest[:12]}.")
    rows = [
        (
            attribute,
            str(len(of)),
            str(of[0]),
            str(of[-1]),
            str(kept.size - sum(of)),
            kept.coarser.get(attribute, ""),
        )
        for attribute, of in sorted(sizes.items())
    ]
    table(("attribute", "values", "fewest persons", "most persons", "not known", "coarser"), rows)


@mosaic.command()
@click.argument("cryptonym")
@click.option("--population", "name", required=True, help="The population that the source is a person of.")
@click.pass_obj
def source(home: Path, cryptonym: str, name: str) -> None:
    """Say in which population the source CRYPTONYM is. Until then no facts about it are told."""
    with Node.open(home) as node:
        acts.link_source(node, cryptonym, name, who())
    click.echo(f"{cryptonym} is one of {name}.")


@mosaic.command()
@click.argument("product_id")
@click.option("--portion", type=int, required=True, help="The portion, counted from 1: see `mosaic facts`.")
@click.option("--source", "cryptonym", required=True, help="The source that the facts are about.")
@click.option(
    "--fact", multiple=True, required=True, metavar="ATTRIBUTE=VALUE", help="What the portion tells."
)
@click.option("--version", help="The product's version; the newest where none is given.")
@click.option("--officer", required=True, help="Who says so.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def fact(
    home: Path,
    product_id: str,
    portion: int,
    cryptonym: str,
    fact: tuple[str, ...],
    version: str | None,
    officer: str,
    why: str,
) -> None:
    """Say what a portion of PRODUCT_ID tells about a source; the gate considers the product again.

    Facts can be added only. What went out already has told them: they are counted at once.
    """
    facts = _pairs("--fact", fact)
    with Node.open(home) as node:
        told = acts.add_fact(
            node, product_id, portion, cryptonym, facts, officer=officer, why=why, version=version
        )
    counted = f" It was told already to {', '.join(told)}, and is counted." if told else ""
    click.echo(f"Portion {portion} of {product_id} tells of {cryptonym} what you said.{counted}")


@mosaic.command()
@click.argument("product_id")
@click.option("--version", help="The product's version; the newest where none is given.")
@click.pass_obj
def facts(home: Path, product_id: str, version: str | None) -> None:
    """Show the portions of PRODUCT_ID, and what each tells about sources."""
    with Node.open(home) as node:
        product = acts.facts_of(node, product_id, version)
    rows = []
    for number, portion in enumerate(product.portions, start=1):
        mark = portion.marking.text if portion.marking else ""
        told = [f"{name}: {'; '.join(f'{key}={value}' for key, value in of)}" for name, of in portion.facts]
        rows.append((str(number), mark, " ".join(portion.text[:_BEGINNING].split()), ", ".join(told)))
    rests_on = ", ".join(sorted(product.sources)) or "no source"
    click.echo(f"{product_id}, version {product.version}; rests on {rests_on}.")
    table(("portion", "mark", "begins", "tells"), rows)


@mosaic.command()
@click.argument("cryptonym")
@click.option("--partner", help="This partner alone.")
@click.option(
    "--if", "names", metavar="ATTRIBUTE,...", help="Show also what telling these would leave at least."
)
@click.pass_obj
def show(home: Path, cryptonym: str, partner: str | None, names: str | None) -> None:
    """Show how many persons CRYPTONYM could be, for each partner and for all together.

    With --if: how far these attributes may be told, and how many persons that leaves in the worst case,
    whoever the source is.
    """
    asked = [name.strip().casefold() for name in (names or "").split(",") if name.strip()]
    with Node.open(home) as node:
        found = acts.count(node, cryptonym, asked, partner)
    owed = (
        f"owed {found.k}" if found.k else "owed what the vault says: it is shut, or does not know the source"
    )
    click.echo(f"{plain(cryptonym)} is one of {found.persons} persons of {found.population}; {owed}.")
    columns = ["partner", "could be", "could be, all pooled"]
    if asked:
        columns += ["may be told" if found.k else "if it is told", "then at least", "then at least, pooled"]
    table(columns, [(party, *_cells(made, bool(asked))) for party, made in found.plans.items()])


def _cells(made: Plan, asked: bool) -> Iterable[str]:
    yield from map(str, made.before)
    if asked:
        told = [
            instead if instead == name else f"{instead} for {name}"
            for name, instead in made.told_as.items()
            if instead
        ]
        yield ", ".join(told) or "nothing"
        yield from map(str, made.after)


def _pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` options. Raises `BadInput` where one is none, or a name comes twice."""
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = (
            " ".join(part.split()) for part in unicodedata.normalize("NFC", text).partition("=")
        )
        name = name.casefold()
        if not (name and equals and value) or name in pairs:
            raise BadInput(option, "", "this is no pair, or its name comes twice", "write it as NAME=VALUE")
        pairs[name] = value
    return pairs

"""`tearline search`: what the node holds, by words, marks and dates."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from tearline.cli.show import plain, table
from tearline.node import Node
from tearline.node import search as searching
from tearline.terms import Category, Party, Region, Topic

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("words", nargs=-1)
@click.option("--topic", type=click.Choice([each.value for each in Topic]), help="About this topic.")
@click.option("--region", type=click.Choice([each.value for each in Region]), help="About this region.")
@click.option("--level", help='Policy and rank, such as "GBR SECRET".')
@click.option("--tlp", help="RED, AMBER+STRICT, AMBER, GREEN or CLEAR.")
@click.option("--rel", help='A party that the label lets be given it, or "everyone".')
@click.option("--originator", help="Who made it.")
@click.option("--category", type=click.Choice([each.value for each in Category]), help="Of this kind.")
@click.option("--from", "since", type=_DAY, help="The first day of its date.")
@click.option("--to", "until", type=_DAY, help="The last day.")
@click.option("--newest", is_flag=True, help="The newest first, not what fits best.")
@click.option(
    "--limit", type=click.IntRange(1, searching.MOST), default=20, show_default=True, help="How many."
)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def search(
    home: Path,
    words: tuple[str, ...],
    topic: str | None,
    region: str | None,
    level: str | None,
    tlp: str | None,
    rel: str | None,
    originator: Party | None,
    category: str | None,
    since: datetime | None,
    until: datetime | None,
    newest: bool,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """Search the products that the node holds.

    All WORDS must be in it, in any order; "a phrase" as it stands; a star ends a word of which only the
    beginning is known; a minus stands before what must not be in it (write -- before the words then).
    """
    asked = searching.Asked(
        words=" ".join(f'"{word}"' if " " in word else word for word in words),
        topic=None if topic is None else Topic(topic),
        region=None if region is None else Region(region),
        level=level,
        tlp=tlp,
        rel=rel,
        originator=originator,
        category=None if category is None else Category(category),
        since=None if since is None else since.date(),
        until=None if until is None else until.date(),
        newest=newest,
        offset=offset,
        limit=limit,
    )
    with Node.open(home) as node:
        found = searching.search(node, asked)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    if not found.hits:
        click.echo("Nothing was found.")
        return
    table(
        ("product", "title", "from", "date", "marking"),
        [
            (
                each.product,
                plain("".join(piece.text for piece in each.title)),
                each.originator,
                f"{each.created:%Y-%m-%d}",
                each.mark,
            )
            for each in found.hits
        ],
    )
    click.echo(f"{offset + 1} to {offset + len(found.hits)} of {found.total}.")

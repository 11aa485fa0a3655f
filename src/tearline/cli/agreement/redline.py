"""`tearline agreement redline`: what must not go, made from options into a clause to be reviewed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import click

from tearline.agreement import Agreement, load
from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.redline import RedLine, appended, in_words, manifest_for
from tearline.cli.show import plain
from tearline.node import Node, read_agreement
from tearline.terms import BadInput, Category, Discipline, Level, Refused, Region, Topic

_DAY = click.DateTime(["%Y-%m-%d"])
_Word = TypeVar("_Word", bound=StrEnum)


def _choice(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words], case_sensitive=False)


@click.command()
@click.option(
    "--topic", "topics", multiple=True, type=_choice(Topic), help="On this topic, or another given."
)
@click.option("--discipline", "disciplines", multiple=True, type=_choice(Discipline), help="Collected so.")
@click.option("--partner", "partners", multiple=True, metavar="PARTY", help="To this party; else to anybody.")
@click.option("--region", "regions", multiple=True, type=_choice(Region), help="About this region.")
@click.option("--category", "categories", multiple=True, type=_choice(Category), help="Of this category.")
@click.option(
    "--max-level",
    type=click.Choice([level.name for level in Level], case_sensitive=False),
    help="Only what lies above this level of the agreement's scale is stopped.",
)
@click.option("--until", type=_DAY, help="It ends at the beginning of this day, UTC.")
@click.option("--review", type=_DAY, help="The day by which it is looked at again; required without --until.")
@click.option("--reason", required=True, help="Why, in one sentence.")
@click.option("--id", "ident", default="", help="The clause's id; made of what it says when not given.")
@click.option("--everything", is_flag=True, help="Stop everything, to everybody.")
@click.option(
    "--parties", default="", help="Of a new agreement: codes with commas; this node's when not given."
)
@click.option(
    "--folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="The agreement."
)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.pass_obj
def redline(
    home: Path,
    topics: tuple[str, ...],
    disciplines: tuple[str, ...],
    partners: tuple[str, ...],
    regions: tuple[str, ...],
    categories: tuple[str, ...],
    max_level: str | None,
    until: datetime | None,
    review: datetime | None,
    reason: str,
    ident: str,
    everything: bool,
    parties: str,
    folder: Path,
    yes: bool,
) -> None:
    """Add a red line to the agreement in --folder: what must not go, whatever permits it.

    Of one option given several times one is enough; different options must all hold. A folder that is not
    there is made, with an agreement of its own. The clause decides nothing before it is adopted.
    """
    line = RedLine(
        partners=frozenset(map(str.upper, partners)),
        topics=_words(Topic, topics),
        disciplines=_words(Discipline, disciplines),
        regions=_words(Region, regions),
        categories=_words(Category, categories),
        above=None if max_level is None else Level[max_level],
        until=until.date() if until else None,
        review=review.date() if review else None,
        reason=reason,
        id=ident,
    )
    today = datetime.now(UTC).date()
    is_new = not folder.exists()
    before = _new(home, folder, parties, line, today) if is_new else read_agreement(folder)
    made = appended(before, line, today, everything=everything)
    click.echo(f"{plain(in_words(made))}\n\n{made.parsed[-1].text}\n")
    if not (yes or click.confirm(f"Write it to {folder}?")):
        raise Refused("nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((MANIFEST, made.manifest), (CLAUSES, made.clauses)):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"Written. It decides nothing yet: next, tearline agreement propose {folder}")


def _words(kind: type[_Word], given: tuple[str, ...]) -> frozenset[_Word]:
    return frozenset(kind(word) for word in given)


def _new(home: Path, folder: Path, parties: str, line: RedLine, today: date) -> Agreement:
    """An agreement without clauses, of the parties given, or else of the node and those whom it names."""
    codes = [code.strip().upper() for code in parties.split(",") if code.strip()]
    if not codes and home.is_dir():
        with Node.open(home) as node:
            codes = [node.party]
    if codes[:1] and codes[0] in line.partners:
        raise BadInput("red line", "--partner", f"{codes[0]} is the node itself", "name another party")
    if len({*codes, *line.partners}) < 2:
        reason = "a new agreement has two parties or more"
        raise BadInput("red line", "--parties", reason, "give their codes, your own first: USA,GBR")
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "red-lines"
    return load(manifest_for(codes, name, line, today), "", str(folder))

"""`tearline agreement template`: agreements to begin with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from tearline.agreement import Agreement, sentence
from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.templates import TEMPLATES, made_of
from tearline.agreement.templates import template as shipped
from tearline.cli.show import plain, table
from tearline.terms import BadInput

_NAME = click.argument("name", type=click.Choice(list(TEMPLATES)))
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def template() -> None:
    """Begin an agreement with one that ships; docs/templates.md tells when to use which."""


@template.command("list")
def list_() -> None:
    """Show the templates and what each is for."""
    table(("template", "for"), TEMPLATES.items())


@template.command()
@_NAME
def show(name: str) -> None:
    """Show both files of the template NAME, and what each clause says."""
    model = shipped(name)
    click.echo(f"{model.manifest}\n{model.clauses}\nIn words:\n")
    _tell(model)


@template.command()
@_NAME
@click.option("--parties", required=True, help="Their codes with commas; the first is ALPHA of the template.")
@click.option(
    "--folder", required=True, type=click.Path(path_type=Path), help="Where to write it; a new one."
)
@click.option("--from", "start", type=_DAY, help="The first day, UTC; today when not given.")
@click.option("--until", type=_DAY, help="The first day on which it no longer holds.")
@click.option(
    "--coalition", "coalitions", multiple=True, help="Only its members receive; repeat for several."
)
@click.option("--id", "ident", default="", help="The agreement's id; made of template and parties otherwise.")
def new(
    name: str,
    parties: str,
    folder: Path,
    start: datetime | None,
    until: datetime | None,
    coalitions: tuple[str, ...],
    ident: str,
) -> None:
    """Write an agreement between --parties after the template NAME into a new folder."""
    if folder.exists():
        raise BadInput(str(folder), "", "this is there already", "give a new folder")
    today = datetime.now(UTC).date()
    made = made_of(
        name,
        [code.strip().upper() for code in parties.split(",")],
        start=_day(start) or today,
        end=_day(until),
        coalitions=tuple(map(str.upper, coalitions)),
        ident=ident,
        today=today,
    )
    folder.mkdir(parents=True)
    for file, text in ((MANIFEST, made.manifest), (CLAUSES, made.clauses)):
        (folder / file).write_text(text, encoding="utf-8", newline="\n")
    _tell(made)
    click.echo(f"\nWritten. It is a draft: change it, then tearline agreement check {folder}")


def _tell(agreement: Agreement) -> None:
    click.echo(f"{plain(agreement.title)}, {agreement.valid_from} until {agreement.valid_until}.")
    for clause in agreement.parsed:
        click.echo(f"{clause.id}: {plain(sentence(clause.tree))}")


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None

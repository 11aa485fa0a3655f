"""`tearline review`: what a revision, a suspension or a scenario would imply. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from tearline.adapters.lake import Lake
from tearline.cli.agreement.replay import progress_bar
from tearline.cli.show import plain
from tearline.cli.show import table as show_table
from tearline.handout import figures
from tearline.node import Node
from tearline.node.review import EXAMPLES, Inputs, export_holdings
from tearline.node.review import review as reviewed
from tearline.review import estimates, relations, requirements, scenario
from tearline.review.exposure import WORLDS
from tearline.review.report import Review, Table, shown, tables
from tearline.review.scenario import Scenario
from tearline.terms import BadInput

FILE = click.Path(dir_okay=False, path_type=Path)
OUTPUTS = tuple(f".{form}" for form in figures.FORMS)
MOST = 25
"""Rows of a table that a terminal is shown, unless it is asked for."""


@click.command()
@click.argument("version", metavar="AGREEMENT-VERSION", required=False)
@click.option(
    "--suspend", metavar="PARTNER", help="Suppose that this partner is suspended, and answers in kind."
)
@click.option(
    "--scope", default="all", show_default=True, help="Of --suspend: all, category=... or topic=..."
)
@click.option("--scenario", "scenario_file", type=FILE, help="Suppose what this TOML file says.")
@click.option("--items", type=FILE, multiple=True, help="Replay these files of items, not what is held.")
@click.option(
    "--holdings", type=FILE, multiple=True, help="Who holds what, by these files; several nodes' exports."
)
@click.option("--requirements", "requirements_file", type=FILE, help="Collection requirements: TOML or CSV.")
@click.option(
    "--estimates", "estimates_file", type=FILE, help="Who may pass things on, how likely, to whom: TOML."
)
@click.option("--relations", "relations_file", type=FILE, help="How relations stand: TOML. It only informs.")
@click.option("--partner", "partners", multiple=True, help="For this partner only; may be given again.")
@click.option("--examples", default=EXAMPLES, show_default=True, help="For each partner and kind of change.")
@click.option(
    "--worlds", default=WORLDS, show_default=True, help="How many to draw where counting takes too long."
)
@click.option(
    "--seed", default=0, show_default=True, help="Of the draws: the same seed gives the same figures."
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What asks the files of holdings.",
)
@click.option("--only", metavar="TABLE", help="Show this table alone, whole.")
@click.option(
    "--output", type=FILE, multiple=True, help="Write a file: .html to hand round, .json, .csv or .parquet."
)
@click.option(
    "--export-holdings", "export", type=FILE, help="Write what this node knows of who holds what, and end."
)
@click.pass_obj
def review(
    home: Path,
    version: str | None,
    suspend: str | None,
    scope: str,
    scenario_file: Path | None,
    items: tuple[Path, ...],
    holdings: tuple[Path, ...],
    requirements_file: Path | None,
    estimates_file: Path | None,
    relations_file: Path | None,
    partners: tuple[str, ...],
    examples: int,
    worlds: int,
    seed: int,
    engine: str,
    only: str | None,
    output: tuple[Path, ...],
    export: Path | None,
) -> None:
    """Show what AGREEMENT-VERSION, a suspension or a scenario would imply; without any, how things stand.

    What changes for each partner; who depends on whom; which requirements are left open; how likely a release
    gets out; how to come loose. docs/review.md tells what each figure means.
    """
    for path in output:
        if path.suffix not in OUTPUTS:
            raise BadInput("--output", str(path), "no such form", f"end it in {', '.join(OUTPUTS)}")
    with Node.open(home) as node:
        if export is not None:
            click.echo(f"{export_holdings(node, export)} copies are written to {export}.")
            return
        today = node.clock().date()
        edges, adversaries = estimates.read(*_text(estimates_file)) if estimates_file else ((), ())
        inputs = Inputs(
            items=items,
            holdings=holdings,
            requirements=requirements.read(*_text(requirements_file), today) if requirements_file else (),
            edges=edges,
            adversaries=adversaries,
            relations=relations.read(*_text(relations_file), node.party, today) if relations_file else None,
            worlds=worlds,
            seed=seed,
        )
        with progress_bar("reviewing") as bar:
            made = reviewed(
                node,
                _scenario(version, suspend, scope, scenario_file),
                inputs,
                partners=partners,
                arguments=_arguments(click.get_current_context()),
                engine=getattr(Lake, engine),
                examples=examples,
                progress=bar.told,
                doing=bar.doing,
            )
    found = tables(made)
    if only is not None:
        found = tuple(each for each in found if each.name == only)
        if not found:
            names = ", ".join(each.name for each in tables(made))
            raise BadInput("--only", only, "there is no such table here", f"give one of {names}")
    for path in output:
        path.write_bytes(figures.written(path.suffix[1:], made, found))
        path.chmod(0o600)
        click.echo(f"{path} is written.")
    if not output:
        _tell(made, found, MOST if only is None else None)


def _scenario(version: str | None, suspend: str | None, scope: str, file: Path | None) -> Scenario:
    if sum(each is not None for each in (version, suspend, file)) > 1:
        raise BadInput("review", "", "this is more than one question", "put all of it in one --scenario")
    if file is not None:
        return scenario.read(*_text(file))
    if suspend is not None:
        return scenario.suspension_of(suspend, scope)
    return scenario.adoption_of(version) if version is not None else Scenario(title="How things stand")


def _text(path: Path) -> tuple[str, str]:
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except UnicodeDecodeError:
        raise BadInput(str(path), "", "it is not UTF-8", "save it as UTF-8 text") from None


def _arguments(context: click.Context) -> list[str]:
    """What was asked, without where the answer goes: to be asked again."""
    found = []
    for parameter in context.command.params:
        value, name = context.params.get(parameter.name or ""), parameter.opts[-1]
        if parameter.name in {"only", "output", "export"} or value in (None, (), parameter.default):
            continue
        for each in value if isinstance(value, tuple) else (value,):
            found += [str(each)] if isinstance(parameter, click.Argument) else [name, str(each)]
    return found


# --- Showing --------------------------------------------------------------------------------------


def _tell(made: Review, found: Sequence[Table], most: int | None) -> None:
    click.secho(plain(made.scenario.title), bold=True)
    for sentence in (*made.inputs, *made.notes):
        click.echo(plain(sentence))
    for each in found:
        click.secho(f"\n{each.title}", bold=True)
        if most is None:
            click.echo(f"{each.definition}\nAgain by: {plain(each.command)}")
        kinds = [column.kind for column in each.columns]
        show_table(
            [column.name for column in each.columns],
            (
                [shown(value, kind) for value, kind in zip(row, kinds, strict=True)]
                for row in each.rows[:most]
            ),
        )
        if most is not None and len(each.rows) > most:
            click.echo(f"and {len(each.rows) - most:,} more rows: --only {each.name}")

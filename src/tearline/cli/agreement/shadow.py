"""`tearline agreement shadow`: a proposed version beside what decides, on live traffic."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.agreement.lifecycle import Step
from tearline.agreement.suspension import read_moment
from tearline.cli.show import table
from tearline.node import Node, shadow
from tearline.node.agreement_record import find
from tearline.terms import BadInput


@click.command("shadow")
@click.argument("version")
@click.option("--until", metavar="DAY|SECOND", help="Run it until then (UTC).")
@click.option("--officer", help="Who starts it.")
@click.option("--why", help="Why, in one sentence.")
@click.option("--show", is_flag=True, help="Show what it has seen so far.")
@click.pass_obj
def shadow_(
    home: Path, version: str, until: str | None, officer: str | None, why: str | None, show: bool
) -> None:
    """Run the proposed VERSION beside what decides, or --show what it would have decided otherwise.

    It decides nothing, and nothing that it permits leaves. Started again, it forgets what it found before.
    """
    with Node.open(home) as node:
        found = find(node, version, None if show else Step.REVIEW)  # what can be reviewed is proposed
        if show:
            _show(shadow.show(node, found))
            return
        if until is None or officer is None or why is None:
            raise BadInput("--until, --officer, --why", "", "all are needed to start it", "or use --show")
        shadow.start(node, found, read_moment("--until", until), officer=officer, why=why)
    click.echo(f"{found[:12]} runs in shadow until {until}. It decides nothing.")


def _show(shown: shadow.Shown) -> None:
    run = shown.run
    goes_on = "it goes on until" if shown.running else "it was to run until"
    click.echo(
        f"{run.version[:12]} saw {run.products} products since {run.since:%Y-%m-%d %H:%M:%SZ}; {goes_on} "
        f"{run.until:%Y-%m-%d %H:%M:%SZ}. {run.errors} of them it could not judge."
    )
    if not shown.counts:
        click.echo("It would have decided nothing otherwise.")
        return
    rows = [(clause or "no clause", *rest, str(count)) for clause, *rest, count in shown.counts]
    table(("because of", "partner", "now", "then", "products"), rows)
    examples = [
        (name, version, each.partner, each.form_now, each.form_then, each.clause or "no clause")
        for name, version, each in shown.examples
    ]
    table(("for example", "version", "partner", "now", "then", "because of"), examples)

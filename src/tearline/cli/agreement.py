"""`tearline agreement`: the sharing agreements of this node."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.agreement import check as check_profile
from tearline.cli.show import table
from tearline.node import Node, adopt_agreement, read_agreement
from tearline.terms import Refused

_folder = click.argument("folder", type=click.Path(path_type=Path))


@click.group()
def agreement() -> None:
    """Check, adopt and list agreements.

    Proposals, proof, review, approval by several officers, suspension: not built yet.
    """


@agreement.command()
@_folder
def check(folder: Path) -> None:
    """Check that the agreement in FOLDER (agreement.toml, clauses.cedar) keeps to the profile."""
    read = read_agreement(folder)
    findings = check_profile(read)
    for finding in findings:
        click.echo(f"{folder / 'clauses.cedar'}:{finding.line}:{finding.column}: {finding.code} {finding}")
    if findings:
        raise Refused(f"{len(findings)} finding(s): the agreement cannot be adopted")
    click.echo(f"{read.id} keeps to the profile. Its version is {read.version}.")


@agreement.command()
@_folder
@click.pass_obj
def adopt(home: Path, folder: Path) -> None:
    """Put the agreement in FOLDER in force at this node, in the place of its earlier version.

    It decides on what is taken in from now on.
    """
    with Node.open(home) as node:
        adopted = adopt_agreement(node, read_agreement(folder))
    click.echo(f"{adopted.id} version {adopted.version[:12]} is in force.")


@agreement.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the agreements in force."""
    with Node.open(home) as node:
        rows = [
            (
                row.id,
                row.version[:12],
                row.title,
                " ".join(sorted(row.parties)),
                str(row.valid_from),
                str(row.valid_until),
            )
            for row in node.agreements
        ]
    table(("id", "version", "title", "parties", "from", "until"), rows)

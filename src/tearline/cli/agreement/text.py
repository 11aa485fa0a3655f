"""Commands on an agreement's text alone: nothing of a node is read."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.agreement import check as check_profile
from tearline.node import read_agreement
from tearline.terms import Refused


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Check that the agreement in FOLDER (agreement.toml, clauses.cedar) keeps to the profile."""
    read = read_agreement(folder)
    findings = check_profile(read)
    for finding in findings:
        click.echo(f"{folder / 'clauses.cedar'}:{finding.line}:{finding.column}: {finding.code} {finding}")
    if findings:
        raise Refused(f"{len(findings)} finding(s): the agreement cannot be adopted")
    click.echo(f"{read.id} keeps to the profile. Its version is {read.version}.")

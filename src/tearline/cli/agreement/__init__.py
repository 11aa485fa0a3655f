"""`tearline agreement`: the sharing agreements of this node."""

from __future__ import annotations

import click

from tearline.cli.agreement import steps, text


@click.group()
def agreement() -> None:
    """Write, check, adopt and list agreements."""


for command in (text.check, steps.adopt, steps.list_):
    agreement.add_command(command)

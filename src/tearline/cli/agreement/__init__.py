"""`tearline agreement`: the sharing agreements of this node."""

from __future__ import annotations

import click

from tearline.cli.agreement import prove, record, redline, replay, shadow, steps, template, text


@click.group()
def agreement() -> None:
    """Write, check, propose, review, approve and adopt agreements."""


for command in (
    text.check,
    text.fmt,
    text.diff,
    redline.redline,
    template.template,
    prove.prove_,
    replay.replay_,
    steps.propose,
    steps.review,
    steps.approve,
    shadow.shadow_,
    steps.adopt,
    steps.suspend,
    steps.resume,
    steps.withdraw,
    record.list_,
    record.show,
    record.history_,
):
    agreement.add_command(command)

"""`tearline requirement`: who may see our questions, and sending them through the gate."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.cli.show import plain, table
from tearline.intake import Fault
from tearline.node import AlreadyHeld, Node
from tearline.node.requirements import seen_by
from tearline.node.requirements import send as sent
from tearline.review.requirements import Requirement, read
from tearline.terms import BadInput

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def requirement() -> None:
    """Collection requirements (docs/review.md): sensitive themselves, so they go to partners by the gate."""


@requirement.command("list")
@click.argument("file", type=FILE)
@click.pass_obj
def list_(home: Path, file: Path) -> None:
    """Show which partners may see each requirement of FILE: what the gate would answer. Nothing is sent."""
    with Node.open(home) as node:
        found = seen_by(node, _read(node, file))
    table(
        ("requirement", "partner", "would go", "why"),
        ((each.requirement, each.partner, each.outcome, each.why) for each in found),
    )


@requirement.command()
@click.argument("file", type=FILE)
@click.option("--id", "ids", multiple=True, help="Only this requirement; may be given again.")
@click.pass_obj
def send(home: Path, file: Path, ids: tuple[str, ...]) -> None:
    """Take the requirements of FILE in as reports. The gate then decides for each partner."""
    with Node.open(home) as node:
        every = _read(node, file)
        if unknown := set(ids) - {each.id for each in every}:
            raise BadInput("--id", ", ".join(sorted(unknown)), f"{file} has none", "give an id that is there")
        for each, answer in sent(node, [each for each in every if not ids or each.id in ids]):
            if isinstance(answer, Fault):
                says = str(answer)
            elif isinstance(answer, AlreadyHeld):
                says = f"{each.id}: it is held already"
            else:
                says = f"{each.id} is taken in as {answer.product_id}"
                says += f": {answer.quarantine}" if answer.quarantine else "; the gate will decide"
            click.echo(plain(says))


def _read(node: Node, file: Path) -> tuple[Requirement, ...]:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(str(file), "", "it is not UTF-8", "save it as UTF-8 text") from None
    return read(text, str(file), node.clock().date())

"""`tearline agreement prove`: what an agreement would change for any item there can be."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path

import click
import msgspec
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from tearline.agreement import Agreement
from tearline.agreement.proof import Answer, Proof, Status
from tearline.cli.show import plain
from tearline.node import Node, agreement_record, read_agreement
from tearline.node.agreements import proved

QUESTIONS = {
    "releases-more": "Does anything newly go?",
    "forms": "Which forms of imagery and signals are new?",
    "withholds-more": "Does anything no longer go?",
    "charter": "Does it keep the charter (docs/charter.md)?",
    "dead": "Which clauses never decide?",
    "shadowed": "Which clauses decide nothing that others do not?",
}
SOON = 1.0
"""After how many seconds progress is shown."""


@click.command("prove")
@click.argument("reference", metavar="FOLDER|VERSION")
@click.option("--seconds", default=60.0, show_default=True, help="What is not known by then stays unknown.")
@click.option("--json", "as_json", is_flag=True, help="Give the answers as JSON.")
@click.pass_obj
def prove_(home: Path, reference: str, seconds: float, as_json: bool) -> None:
    """Prove what an agreement would change if it were adopted, and that it keeps the charter.

    It is compared with what is in force at this node, from today on, for every item, partner and instant.
    VERSION is one that the node keeps, by its first digits or its agreement's id. Ends with status 1 where
    the charter is not proved to hold, or something is unknown.
    """
    with Node.open(home) as node:
        proposed = _agreement(node, reference)
        with _bar() as bar:
            proof = proved(node, proposed, seconds=seconds, progress=_Shown(bar).progress)
    if as_json:
        told = {
            "keeps_charter": proof.keeps_charter,
            "unknown": proof.unknown,
            **msgspec.to_builtins(proof, builtin_types=(datetime,)),
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        show(proof)
    if proof.unknown or not proof.keeps_charter:
        sys.exit(1)


def show(proof: Proof) -> None:
    """Print the answers in plain words."""
    against = ", ".join(f"{name} {version[:12]}" for name, version in map(str.split, proof.against))
    click.echo(
        f"{proof.agreement} {proof.version[:12]} at {proof.own}, from {proof.since:%Y-%m-%d} on, compared"
    )
    click.echo(f"with what is in force: {against or 'nothing'}.")
    for code, question in QUESTIONS.items():
        click.echo(f"\n{click.style(question, bold=True)}")
        answers = [answer for answer in proof.answers if answer.question == code]
        for answer in answers:
            law = f" {answer.about}" if code == "charter" else ""
            click.echo(f"  {_found(answer)}{law}: {plain(answer.sentence)}")
        if not answers:
            click.echo("  None.")


def _found(answer: Answer) -> str:
    """The status, coloured by whether it is good news."""
    if answer.status is Status.UNKNOWN:
        colour = "magenta"
    elif answer.question in {"dead", "shadowed", "forms"}:
        colour = "yellow"
    else:
        colour = "green" if answer.status is Status.PROVED else "red"
    return click.style(answer.status, fg=colour)


def _agreement(node: Node, reference: str) -> Agreement:
    if Path(reference).is_dir():
        return read_agreement(Path(reference))
    version = agreement_record.find(node, reference)
    with node.reading() as db:
        return agreement_record.agreement_of(db, version)


def _bar() -> Bar:
    console = Console(stderr=True)
    columns = (TextColumn("proving"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Bar(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Shown:
    """Progress that shows itself once it takes its time."""

    def __init__(self, bar: Bar) -> None:
        self._bar, self._task = bar, bar.add_task("proving", visible=False)
        self._start = time.monotonic()

    def progress(self, done: int, questions: int) -> None:
        late = time.monotonic() - self._start > SOON
        self._bar.update(self._task, completed=done, total=questions, visible=late)

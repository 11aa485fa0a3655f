"""`tearline ledger`: every act of this node, what partners receipted, and whether the record was changed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
import orjson

from tearline.adapters import store
from tearline.cli.show import plain, table
from tearline.node import Node, ledger_tail, verify_ledger
from tearline.node import checkpoint as sign_checkpoint
from tearline.node.export import export as export_lines
from tearline.node.export import verify_with
from tearline.node.partner_record import Record, age, verify_partner
from tearline.node.receipts import notices, settle_fork
from tearline.terms import BadInput

NOTE = (
    "A missing receipt proves nothing: it may be late, lost, or never given. "
    "What is open may still come; what differs is contradicted by signed evidence."
)


@click.group()
def ledger() -> None:
    """Verify and show the ledger."""


@ledger.command()
@click.option(
    "--known",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A checkpoint kept elsewhere: finds a log that was cut back or rewritten whole.",
)
@click.option("--partner", metavar="PARTY", help="Compare all that there is about the exchange with PARTY.")
@click.option(
    "--other",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --partner: the export that PARTY made for this node, to be checked line by line.",
)
@click.option("--json", "as_json", is_flag=True, help="With --partner: print the comparison as JSON.")
@click.pass_obj
def verify(
    home: Path, known: tuple[Path, ...], partner: str | None, other: Path | None, as_json: bool
) -> None:
    """Recompute every log of this node: each changed, missing or reordered entry is named.

    With --partner, compare what was given and receipted, what was taken, and what was seen of the partner's
    log. Nobody is asked: it works offline. Exit status 1 where something differs, 0 where something is open.
    """
    if partner is None:
        if other is not None or as_json:
            raise BadInput("--other, --json", "", "they go with --partner")
        _verify_all(home, known)
        return
    with Node.open(home) as node:
        record = verify_partner(node, partner) if other is None else verify_with(node, partner, other)
        if as_json:
            click.echo(orjson.dumps(msgspec.to_builtins(record), option=orjson.OPT_INDENT_2).decode())
        else:
            _show(node, record)
    if record.differences:
        sys.exit(1)


def _show(node: Node, record: Record) -> None:
    given, taken = record.given, record.taken
    click.echo(
        f"Given to {record.partner}: {given.releases} releases, {given.receipted} receipted, "
        f"{given.not_fetched} not fetched yet; {given.waiting} wait or are held back."
    )
    click.echo(
        f"Taken from {record.partner}: {taken.releases} releases, {taken.receipted} receipted by us. "
        f"Of its log {taken.checkpoints} checkpoints were seen, the widest of {taken.widest} entries; "
        f"{taken.open_checkpoints} open, {taken.forks} forks, {taken.forks_open} of them not settled."
    )
    for name, size in record.logs.items():
        click.echo(f"{name}: {size} entries")
    if record.other is not None:
        click.echo(f"Compared with what {record.partner} exported at {plain(record.other)}.")
    now = node.clock()
    for heading, findings in (("differs", record.differences), ("open", record.open)):
        rows = [(each.kind, each.about, each.says, age(each.since, now)) for each in findings]
        if rows:
            table((heading, "release or receipt", "what", "age"), rows)
    click.echo(f"{len(record.differences)} differ, {len(record.open)} open. {NOTE}")


def _verify_all(home: Path, known: tuple[Path, ...]) -> None:
    notes = [_note(path) for path in known]
    with Node.open(home) as node:
        logs, findings = verify_ledger(node, notes)
    for name, size in logs.items():
        click.echo(f"{name}: {size} entries")
    for finding in findings:
        click.echo(plain(str(finding)), err=True)
    if findings:
        click.echo(f"{len(findings)} finding(s): the record was changed", err=True)
        sys.exit(1)
    click.echo("every entry is as it was written")


def _note(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(str(path), "", "this is not a checkpoint") from None


@ledger.command()
@click.pass_obj
def checkpoint(home: Path) -> None:
    """Print a signed checkpoint of the private log: keep it elsewhere, pass it to `verify --known` later."""
    with Node.open(home) as node:
        click.echo(sign_checkpoint(node), nl=False)


@ledger.command()
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many entries, the newest last.",
)
@click.pass_obj
def show(home: Path, last: int) -> None:
    """Show the newest entries of the node's private log, each as one line: number, time, act, what."""
    with Node.open(home) as node:
        for number, entry in ledger_tail(node, last):
            click.echo(plain(f"{number} {entry.at} {entry.act} {orjson.dumps(entry.body).decode()}"))


@ledger.command()
@click.option("--partner", required=True, metavar="PARTY", help="For whom.")
@click.option("--output", type=click.File("wb"), default="-", help="Where to write it; else it is printed.")
@click.pass_obj
def export(home: Path, partner: str, output: BinaryIO) -> None:
    """Write what PARTY may compare with its own record: `tearline ledger verify --partner US --other FILE`.

    Each line is evidence that one of the two signed. It tells PARTY nothing that it was not given before.
    """
    with Node.open(home) as node:
        for line in export_lines(node, partner):
            output.write(line)


@ledger.group()
def fork() -> None:
    """Partners whose log was found to have two histories."""


@fork.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show every fork that was found, and who settled it."""
    with Node.open(home) as node:
        with node.reading() as db:
            found = store.forks(db)
        due = notices(node)
    rows = [
        (
            str(each.number),
            each.giver,
            each.rule,
            each.found_at,
            each.settled_at or "open",
            each.officer or "",
            each.why or "",
        )
        for each in found
    ]
    table(("fork", "party", "found by", "found", "settled", "by", "why"), rows)
    for sentence in due:
        click.secho(plain(sentence), fg="yellow")


@fork.command()
@click.argument("party")
@click.option("--officer", required=True, help="Who settles it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def settle(home: Path, party: str, officer: str, why: str) -> None:
    """Take from PARTY again, after its log was found to have two histories.

    Speak with it first, by another way. The evidence is kept; what was seen of the old log is not held
    against the new one.
    """
    with Node.open(home) as node:
        settle_fork(node, party, officer=officer, why=why)
    click.echo(f"What {party} gives is taken again.")

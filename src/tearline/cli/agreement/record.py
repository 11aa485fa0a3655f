"""Commands that show what is written down of agreements: their texts, states, reviews and history."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.adapters.store import StepRow
from tearline.agreement.clauses import CLAUSES, MANIFEST
from tearline.agreement.proof import Status
from tearline.cli.agreement.text import show as show_words
from tearline.cli.show import plain, table
from tearline.node import Node, quorum, read_agreement, suspend
from tearline.node.agreement_record import Review, Version, find, history, newest_review, notices, versions
from tearline.review import Change
from tearline.terms import Refused

SHORT = 12
"""How many digits of a version are shown where a whole one is not needed."""


@click.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show every version that this node knows of, its state and its days, and what is due."""
    with Node.open(home) as node:
        rows = [
            (
                row.agreement.id,
                row.agreement.version[:SHORT],
                row.state,
                " ".join(sorted(row.approved_by)),
                str(row.agreement.valid_from),
                str(row.agreement.valid_until),
                " ".join(sorted(row.agreement.parties)),
                row.agreement.title,
            )
            for row in versions(node)
        ]
        table(("id", "version", "state", "approved by", "from", "until", "parties", "title"), rows)
        announce(node)


@click.command()
@click.argument("reference", metavar="FOLDER|VERSION")
@click.option("--text", "as_text", is_flag=True, help="Also print both files as they stand.")
@click.pass_obj
def show(home: Path, reference: str, as_text: bool) -> None:
    """Say in words what an agreement gives and forbids, clause by clause.

    Of a version that the node keeps (its first digits, or its agreement's id) also say how it stands: its
    state, who approved it, its review, and what is due. An id means the version in force, or the only one.
    """
    if Path(reference).is_dir():
        agreement = read_agreement(Path(reference))
        show_words(agreement)
    else:
        with Node.open(home) as node:
            version = find(node, reference)
            (found,) = [each for each in versions(node) if each.agreement.version == version]
            agreement = found.agreement
            show_words(agreement)
            click.echo()
            _stands(found, quorum(node))
            if review := newest_review(node, version):
                click.echo(f"Reviewed at {review.at:%Y-%m-%d %H:%M:%SZ}: {_came_to(review)}.")
            announce(node, agreement.id)
    if as_text:
        for name, text in ((MANIFEST, agreement.manifest), (CLAUSES, agreement.clauses)):
            click.secho(f"\n--- {name} ---", bold=True)
            for line in text.expandtabs(2).splitlines():
                click.echo(plain(line))


@click.command("history")
@click.argument("agreement_id", metavar="ID")
@click.pass_obj
def history_(home: Path, agreement_id: str) -> None:
    """Show every step of every version of the agreement ID: when, who and why."""
    with Node.open(home) as node:
        steps = history(node, agreement_id)
    if not steps:
        raise Refused(f"this node knows of no agreement {agreement_id!r}")
    table(("at", "version", "step", "officer", "why"), [_row(step) for step in steps])


def announce(node: Node, agreement_id: str | None = None) -> None:
    """Print what is due: agreements that expire or have expired, clauses to be reviewed; suspensions too,
    where it is not about one agreement."""
    today = node.clock().date()
    due = [each.sentence(today) for each in notices(node) if agreement_id in {None, each.agreement}]
    for sentence in due + (suspend.notices(node) if agreement_id is None else []):
        click.secho(plain(sentence), fg="yellow")


def _stands(found: Version, needed: int) -> None:
    last = found.steps[-1]
    by = f": {', '.join(sorted(found.approved_by))}" if found.approved_by else ""
    click.echo(f"State: {found.state}. Approved by {len(found.approved_by)} of {needed} officers{by}.")
    click.echo(f"Last step: {last.step} at {last.at} by {last.officer or 'the node'}: {plain(last.why)}")


def _came_to(review: Review) -> str:
    """What a review found, in one sentence."""
    if review.proof.unknown:
        proof = "not everything could be proved"
    else:
        newly = any(
            answer.question == "forms"
            or (answer.question == "releases-more" and answer.status is Status.COUNTEREXAMPLE)
            for answer in review.proof.answers
        )
        kept = "keeps the charter" if review.proof.keeps_charter else "breaks the charter"
        proof = f"it {kept}, and releases {'more' if newly else 'nothing more'} than what was in force"
    changed = sum(review.changes.count(change) for change in Change)
    return f"{proof}; of {review.changes.items} items held, {changed} decisions would have been other"


def _row(row: StepRow) -> tuple[str, ...]:
    return row.at, row.version[:SHORT], row.step, row.officer or "the node", row.why

"""Commands that take an agreement through its life at this node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tearline.agreement import Agreement
from tearline.agreement.lifecycle import Step
from tearline.cli.agreement.prove import show as show_proof
from tearline.cli.agreement.record import SHORT
from tearline.cli.agreement.replay import show as show_changes
from tearline.cli.officer import Signing, say_count, signed
from tearline.node import Node, agreements
from tearline.node.agreement_record import ADOPT, agreement_of, find
from tearline.terms import BadInput


def step(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what every human step has: who, and why."""
    who = click.option("--officer", required=True, help="Who does it.")
    return who(click.option("--why", required=True, help="Why, in one sentence.")(command))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@step
@click.pass_obj
def propose(home: Path, folder: Path, officer: str, why: str) -> None:
    """Propose the agreement in FOLDER (agreement.toml, clauses.cedar): it decides nothing yet.

    Until then it is a draft, of which no node knows.
    """
    with Node.open(home) as node:
        proposed = agreements.propose(node, agreements.read_agreement(folder), officer=officer, why=why)
    click.echo(f"{proposed.id} version {proposed.version} is proposed. Nothing has changed yet.")


@click.command()
@click.argument("version")
@step
@click.pass_obj
def review(home: Path, version: str, officer: str, why: str) -> None:
    """Review VERSION before it is adopted: what would change, for every item there can be, and what would
    have changed for the items that this node has considered. It is kept, and adoption asks for it.
    """
    with Node.open(home) as node:
        wanted = find(node, version, Step.REVIEW)
        made = agreements.review(node, wanted, officer=officer, why=why)
        with node.reading() as db:
            agreement = agreement_of(db, wanted)
    show_proof(made.proof)
    click.secho("\nWhat would have changed in what is held?", bold=True)
    show_changes(made.changes, agreement)
    click.echo(f"\nWho would depend on whom, and what would be left open: tearline review {wanted[:SHORT]}")


@click.command()
@click.argument("version", required=False)
@signed
@click.pass_obj
def approve(home: Path, version: str | None, how: Signing) -> None:
    """Approve exactly VERSION: with the officer's key here, or in two parts.

    On the officer's own machine, --sign-only needs no node, and the whole VERSION, as `tearline agreement
    check` prints it. Here, --approval takes in what it printed.
    """
    if how.sign_only is not None:
        if version is None or len(version) != 64:
            reason = "without the node, the whole version must be given"
            raise BadInput("VERSION", "", reason, "`tearline agreement check FOLDER` prints it")
        click.echo(how.sign_elsewhere(ADOPT, version.lower()))
        return
    with Node.open(home) as node:
        approval = how.approval_for(node, lambda: (ADOPT, find(node, version or "", Step.REVIEW)))
        say_count(node, agreements.approve(node, approval, how.reason))


@click.command()
@click.argument("version")
@step
@click.pass_obj
def adopt(home: Path, version: str, officer: str, why: str) -> None:
    """Put VERSION in force, in the place of the version of its agreement that is in force now.

    It needs the quorum of approvals, a recent review, and a proof, which is made now, that it keeps the
    charter. It decides on what is taken in from now on.
    """
    with Node.open(home) as node:
        adopted = agreements.adopt(node, find(node, version, Step.ADOPT), officer=officer, why=why)
    click.echo(f"{_named(adopted)} is in force.")


@click.command()
@click.argument("version")
@step
@click.pass_obj
def suspend(home: Path, version: str, officer: str, why: str) -> None:
    """Let an agreement in force permit nothing from now on. What it forbids stays forbidden.

    VERSION may be the agreement's id.
    """
    with Node.open(home) as node:
        stopped = agreements.suspend(node, find(node, version, Step.SUSPEND), officer=officer, why=why)
    click.echo(f"{_named(stopped)} is suspended: it permits nothing, and its red lines stand.")


@click.command()
@click.argument("version")
@step
@click.pass_obj
def resume(home: Path, version: str, officer: str, why: str) -> None:
    """Put a suspended agreement in force again. It needs the quorum of approvals and a new proof.

    VERSION may be the agreement's id.
    """
    with Node.open(home) as node:
        resumed = agreements.resume(node, find(node, version, Step.RESUME), officer=officer, why=why)
    click.echo(f"{_named(resumed)} is in force again.")


@click.command()
@click.argument("version")
@step
@click.pass_obj
def withdraw(home: Path, version: str, officer: str, why: str) -> None:
    """End VERSION: a proposal goes without more; one in force needs the quorum of approvals.

    VERSION may be the agreement's id where one version can be withdrawn.
    """
    with Node.open(home) as node:
        ended = agreements.withdraw(node, find(node, version, Step.WITHDRAW), officer=officer, why=why)
    click.echo(f"{_named(ended)} is withdrawn.")


def _named(agreement: Agreement) -> str:
    return f"{agreement.id} version {agreement.version[:SHORT]}"

"""`tearline partner`: whom we share with, and what they have undertaken."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import click

from tearline.cli.show import table
from tearline.doors.partner import hash_password
from tearline.node import Card, Node, Terms, add_login, add_partner
from tearline.terms import BadInput, Level, Policy, Reach, Use

MIN_PASSWORD = 12


@click.group()
def partner() -> None:
    """Add and list partners."""


@partner.command()
@click.argument("card", type=click.Path(path_type=Path))
@click.option(
    "--clearance", multiple=True, metavar="POLICY=LEVEL", help="Such as USA=SECRET. No row means no."
)
@click.option("--need", multiple=True, help="A compartment that the partner is read into, such as SI.")
@click.option(
    "--duty", multiple=True, help="A duty that the partner has undertaken, such as FOUO or STATEMENT."
)
@click.option(
    "--reach",
    type=click.Choice([reach.name for reach in Reach], case_sensitive=False),
    default=Reach.GREEN.name,
    show_default=True,
    help="The narrowest TLP that the partner handles.",
)
@click.option(
    "--use",
    type=click.Choice([use.name for use in Use], case_sensitive=False),
    default=Use.RED.name,
    show_default=True,
    help="The narrowest PAP that the partner keeps to.",
)
@click.pass_obj
def add(
    home: Path,
    card: Path,
    clearance: tuple[str, ...],
    need: tuple[str, ...],
    duty: tuple[str, ...],
    reach: str,
    use: str,
) -> None:
    """Add the partner whose CARD this is (made on its side with `tearline card`).

    Compare the key that is printed with the partner by another way (by telephone, say) before you share.
    What you take in from now on is considered for it. Adding it again changes what is granted to it.
    """
    terms = Terms(
        clearance=_clearances(clearance),
        needs=frozenset(map(str.upper, need)),
        duties=frozenset(map(str.upper, duty)),
        reach=Reach[reach.upper()],
        use=Use[use.upper()],
    )
    with Node.open(home) as node:
        added = add_partner(node, Card.read(card), terms)
    click.echo(f"{added.party} ({added.name}) added. Its key is {added.tls_key[:32]} {added.tls_key[32:]}.")


@partner.command()
@click.argument("party")
@click.argument("user")
@click.password_option(help="Asked for when not given.")
@click.pass_obj
def login(home: Path, party: str, user: str, password: str) -> None:
    """Let PARTY in at the password door as USER, for clients that cannot show a certificate."""
    if len(password) < MIN_PASSWORD:
        raise BadInput("password", "", f"it has fewer than {MIN_PASSWORD} characters", "choose a longer one")
    if ":" in user or not user.isprintable() or not user:
        raise BadInput("user", "", "its name is empty, or holds a colon or a control character")
    with Node.open(home) as node:
        add_login(node, party, user, hash_password(password))
    click.echo(f"{party} may come in as {user}.")


@partner.command("list")
@click.pass_obj
def list_(home: Path) -> None:
    """Show the partners and what they have undertaken."""
    with Node.open(home) as node:
        rows = [
            (
                row.party,
                row.name,
                ", ".join(f"{policy} {rank.name}" for policy, rank in row.clearance),
                " ".join(sorted(row.needs)),
                row.reach.name,
                " ".join(sorted(row.duties)),
                row.url,
            )
            for row in node.partners.values()
        ]
    table(("party", "name", "clearance", "needs", "TLP up to", "duties", "door"), rows)


def _clearances(given: tuple[str, ...]) -> tuple[tuple[Policy, Level], ...]:
    rows = sorted(_clearance(row) for row in given)
    for (policy, _), (again, _) in pairwise(rows):
        if policy == again:
            raise BadInput("--clearance", "", f"{policy} is given twice", "give each policy one level")
    return tuple(rows)


def _clearance(row: str) -> tuple[Policy, Level]:
    policy, _, level = row.partition("=")
    name = level.strip().upper().replace(" ", "_")
    if not policy or name not in Level.__members__:
        levels = ", ".join(level.name for level in Level)
        raise BadInput("--clearance", "", f"{row!r} is not POLICY=LEVEL", f"levels are {levels}")
    return policy.strip().upper(), Level[name]

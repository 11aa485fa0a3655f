"""`tearline partner`: whom we share with, and what they have undertaken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

import click

from tearline.agreement.suspension import Inbound, Scope, read_moment
from tearline.cli.show import plain, table
from tearline.doors.partner import hash_password
from tearline.node import Node, Terms, add_login, add_partner, add_server, remove_partner
from tearline.node.invitation import accepted, invite, read_invitation
from tearline.node.keys import revoke as revoke_keys
from tearline.node.suspend import notices, standing
from tearline.node.suspend import resume as resume_partner
from tearline.node.suspend import suspend as suspend_partner
from tearline.terms import BadInput, Level, Policy, Reach, Use

MIN_PASSWORD = 12


_GRANTS = (
    click.option(
        "--clearance", multiple=True, metavar="POLICY=LEVEL", help="Such as USA=SECRET. No row means no."
    ),
    click.option("--need", multiple=True, help="A compartment that the partner is read into, such as SI."),
    click.option(
        "--duty", multiple=True, help="A duty that the partner has undertaken, such as FOUO or STATEMENT."
    ),
    click.option(
        "--reach",
        type=click.Choice([reach.name for reach in Reach], case_sensitive=False),
        default=Reach.GREEN.name,
        show_default=True,
        help="The narrowest TLP that the partner handles.",
    ),
    click.option(
        "--use",
        type=click.Choice([use.name for use in Use], case_sensitive=False),
        default=Use.RED.name,
        show_default=True,
        help="The narrowest PAP that the partner keeps to.",
    ),
)


def _granting(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is granted to a partner, put together as `terms`."""

    @wraps(command)
    def granting(
        *rest: Any, clearance: tuple[str, ...], need: tuple[str, ...], duty: tuple[str, ...],
        reach: str, use: str, **more: Any,
    ) -> None:  # fmt: skip
        terms = Terms(
            clearance=_clearances(clearance),
            needs=frozenset(map(str.upper, need)),
            duties=frozenset(map(str.upper, duty)),
            reach=Reach[reach.upper()],
            use=Use[use.upper()],
        )
        command(*rest, terms=terms, **more)

    for option in reversed(_GRANTS):
        granting = option(granting)
    return granting


@click.group()
def partner() -> None:
    """Invite, add, list, suspend, resume, revoke and remove partners."""


@partner.command("invite")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Where to write it.")
@click.option("--for", "recipient", default="", metavar="PARTY", help="Whom it is for; else for anybody.")
@click.option("--days", type=click.IntRange(1, 365), default=14, show_default=True, help="How long it holds.")
@click.pass_obj
def invite_(home: Path, output: Path, recipient: str, days: int) -> None:
    """Write an invitation: your keys, address and the state of your ledger, for a partner to add.

    Send the file in any way, and read its phrase to the partner in another one, by telephone say: nobody can
    have replaced the file where the phrase is right.
    """
    with Node.open(home) as node:
        output.write_bytes(invite(node, recipient=recipient, valid=timedelta(days=days)))
    _, phrase = read_invitation(output)
    click.echo(f"{output} holds for {days} days. Its phrase: {phrase}")


@partner.command()
@click.argument("invitation", type=click.Path(path_type=Path))
@click.option("--phrase", help="What the partner read to you; asked for when not given.")
@_granting
@click.pass_obj
def add(
    home: Path,
    invitation: Path,
    phrase: str | None,
    terms: Terms,
) -> None:
    """Add the partner whose INVITATION this is (made on its side with `tearline partner invite`).

    Its phrase you get from the partner by another way than the file, by telephone say. What you take in from
    now on is considered for it. Adding it again, with a new invitation, changes what is granted to it, and
    its keys where they are new.
    """
    read, expected = read_invitation(invitation)
    heard = phrase or click.prompt(f"The phrase that {plain(read.card.name)} read to you")
    with Node.open(home) as node:
        added = add_partner(node, accepted(node, read, expected, heard), terms, checkpoint=read.checkpoint)
    click.echo(f"{added.party} ({added.name}) added.")


@partner.command("add-server")
@click.argument("party")
@click.option("--url", required=True, help="Its API root, such as https://taxii.example/api1/.")
@click.option("--collection", required=True, help="The id of the collection that gets the releases.")
@click.option("--user", default="", help="Who you are there; without, nobody asks.")
@click.option("--password", help="Asked for when not given.")
@click.option("--password-file", type=click.File(), help="A file whose first line is the password.")
@click.option(
    "--ca", type=click.File(), help="Certificates (PEM) that vouch for it; without, those the system trusts."
)
@_granting
@click.pass_obj
def add_server_(
    home: Path,
    party: str,
    url: str,
    collection: str,
    user: str,
    password: str | None,
    password_file: TextIO | None,
    ca: TextIO | None,
    terms: Terms,
) -> None:
    """Add a plain TAXII 2.1 server as the partner PARTY: releases are pushed to it.

    It gives no receipts, and nothing is taken from it. What it shows to whom is for its owner to say.
    """
    if user and password_file is not None:
        password = password_file.readline().rstrip("\n")
    if user and password is None:
        password = click.prompt(f"The password of {user}", hide_input=True)
    with Node.open(home) as node:
        authority = "" if ca is None else ca.read()
        add_server(node, party, url, collection, terms, authority=authority, login=(user, password or ""))
    click.echo(f"{party} added: releases to it are pushed to {url}.")


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


@partner.command()
@click.argument("party")
@click.option("--officer", required=True, help="Who orders it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def revoke(home: Path, party: str, officer: str, why: str) -> None:
    """Trust PARTY's keys no more, at once: others may have got hold of them. One officer is enough.

    Nothing that they signed is taken in any more, whenever it was signed; what was taken in stays. PARTY may
    not come in, until you `add` it with a new invitation, which has new keys.
    """
    with Node.open(home) as node:
        revoke_keys(node, party, officer=officer, why=why)
    click.echo(f"The keys of {party} are revoked. It needs new ones, and you a new invitation.")


@partner.command()
@click.argument("party")
@click.option("--officer", required=True, help="Who orders it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def remove(home: Path, party: str, officer: str, why: str) -> None:
    """End the relation with PARTY: nothing more goes to it or is taken from it.

    What it was served stays with it, what it gave stays here as its own, and so do the logs of both.
    """
    with Node.open(home) as node:
        remove_partner(node, party, officer=officer, why=why)
    click.echo(f"{party} is no partner any more. What was on its way to it is stopped.")


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


@partner.command()
@click.argument("party")
@click.option(
    "--scope", required=True, metavar="SCOPE", help="all, category=cyber,report,... or topic=air,..."
)
@click.option("--until", metavar="DAY|SECOND", help="When it ends by itself (UTC); else by approvals alone.")
@click.option("--review", type=click.DateTime(["%Y-%m-%d"]), help="From when on you are reminded of it.")
@click.option("--reason", required=True, help="Why, in one sentence.")
@click.option("--officer", required=True, help="Who orders it.")
@click.option(
    "--inbound",
    type=click.Choice([each.value for each in Inbound]),
    default=Inbound.ACCEPT.value,
    show_default=True,
    help="Whether what the partner gives is still taken in, or waits.",
)
@click.pass_obj
def suspend(
    home: Path,
    party: str,
    scope: str,
    until: str | None,
    review: datetime | None,
    reason: str,
    officer: str,
    inbound: str,
) -> None:
    """Let nothing in SCOPE go to PARTY from now on, queued deliveries included. One officer is enough.

    What PARTY was served already stays where it can read it; it is told nothing. Telling third parties who
    pass on what is yours comes with their consents, which are not built yet: nobody can pass it on today.
    """
    with Node.open(home) as node:
        made = suspend_partner(
            node,
            party,
            Scope.read(scope),
            officer=officer,
            reason=reason,
            until=None if until is None else read_moment("--until", until),
            review=None if review is None else review.date(),
            inbound=Inbound(inbound),
        )
        stopped = sum(each.stopped for each in standing(node) if each.suspension == made)
    ends = f"by itself at {made.until:%Y-%m-%dT%H:%M:%SZ}" if made.until else "when the quorum approves"
    click.echo(
        f"{party}/{made.id}: nothing of {made.scope} goes to {party} any more. It ends {ends}. "
        f"{stopped} releases were on their way and are stopped."
    )


@partner.command()
@click.argument("which", metavar="PARTY[/ID]")
@click.option("--officer", required=True, help="Who does it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def resume(home: Path, which: str, officer: str, why: str) -> None:
    """End a suspension. It needs the approvals of the quorum: of `resume-partner PARTY@ID`.

    What it stopped goes if the gate says so today. What was taken in meanwhile was withheld, and stays so
    until `tearline reconsider`.
    """
    party, _, name = which.partition("/")
    with Node.open(home) as node:
        ended = resume_partner(node, party, name, officer=officer, why=why)
    click.echo(f"{party}/{ended.id} has ended: {ended.scope} may go to {party} again.")


@partner.command()
@click.pass_obj
def suspensions(home: Path) -> None:
    """Show the suspensions in force, how much they stopped, and what is due."""
    with Node.open(home) as node:
        rows = [
            (
                f"{row.suspension.partner}/{row.suspension.id}",
                str(row.suspension.scope),
                f"{row.suspension.since:%Y-%m-%d %H:%M:%SZ}",
                f"{row.suspension.until:%Y-%m-%d %H:%M:%SZ}" if row.suspension.until else "approved",
                str(row.suspension.review or ""),
                row.suspension.inbound,
                str(row.stopped),
                " ".join(sorted(row.approved_by)),
                row.suspension.officer,
                row.suspension.reason,
            )
            for row in standing(node)
        ]
        due = notices(node)
    heads = ("suspension", "scope", "since", "until", "review", "inbound", "stopped", "approved by")
    table((*heads, "ordered by", "reason"), rows)
    for sentence in due:
        click.secho(plain(sentence), fg="yellow")


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

"""`tearline consent`: may a partner pass on what we made, and may we pass on what another made?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from tearline.agreement.suspension import Scope as Words
from tearline.agreement.suspension import read_moment
from tearline.cli.show import plain, table
from tearline.deliver import Form, Scope
from tearline.node import Node
from tearline.node import consent as acts
from tearline.terms import Party

_officer = click.option("--officer", required=True, help="Who does it.")
_until = click.option(
    "--until", metavar="DAY|SECOND", help=f"When it ends (UTC); {acts.DAYS} days from now if not given."
)


@click.group()
def consent() -> None:
    """Ask, grant, refuse and revoke consent to onward release."""


@consent.command()
@click.argument("product_id", metavar="PRODUCT")
@click.option("--for", "recipient", required=True, metavar="PARTY", help="Who is to have it.")
@click.option("--why", default="", help="Why, in one line; the originator reads it.")
@click.pass_obj
def request(home: Path, product_id: str, recipient: Party, why: str) -> None:
    """Ask the originator of PRODUCT whether a partner of ours may have it too."""
    with Node.open(home) as node:
        made = acts.request(node, product_id, recipient, why=why)
    click.echo(f"{made.id}: {made.party} is asked whether {recipient} may have {product_id}.")


@consent.command()
@click.pass_obj
def requests(home: Path) -> None:
    """Show what waits for an officer here: who asks, for whom, and what is in the way."""
    with Node.open(home) as node:
        rows = [
            (
                each.request.id,
                each.request.party,
                each.request.recipient,
                each.request.object_id,
                each.title,
                each.request.why,
                each.request.at,
                each.obstacle,
            )
            for each in acts.requests(node)
        ]
    table(("request", "holder", "for", "product", "title", "why", "since", "cannot be granted"), rows)


@consent.command()
@click.argument("request_id", metavar="REQUEST")
@_officer
@_until
@click.pass_obj
def grant(home: Path, request_id: str, officer: str, until: str | None) -> None:
    """Consent to what was asked."""
    with Node.open(home) as node:
        made = acts.grant(
            node, request_id, officer=officer, until=None if until is None else read_moment("--until", until)
        )
    click.echo(
        f"{made.serial}: {made.holder} may give {made.subject} to {made.recipient} until "
        f"{made.until:%Y-%m-%dT%H:%M:%SZ}."
    )


@consent.command()
@click.argument("request_id", metavar="REQUEST")
@_officer
@click.pass_obj
def refuse(home: Path, request_id: str, officer: str) -> None:
    """Answer no to what was asked. Who asked is told no more than that."""
    with Node.open(home) as node:
        asked = acts.refuse(node, request_id, officer=officer)
    click.echo(f"{asked.party} is told no.")


@consent.command()
@click.option("--holder", required=True, metavar="PARTY", help="Who may pass on what it has from us.")
@click.option("--for", "recipient", required=True, metavar="PARTY", help="To whom.")
@click.option(
    "--scope",
    required=True,
    metavar="SCOPE",
    help="all, category=cyber,report or topic=air,..., as it travels.",
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    type=click.Choice([form.value for form in Form]),
    default=(Form.WHOLE.value,),
    show_default=True,
    help="Whole as we signed it, or as a tearline that the holder makes. May be given twice.",
)
@_officer
@_until
@click.pass_obj
def standing(
    home: Path,
    holder: Party,
    recipient: Party,
    scope: str,
    forms: tuple[str, ...],
    officer: str,
    until: str | None,
) -> None:
    """Consent in advance to all in SCOPE that the holder has from us, or will have."""
    words = Words.read(scope)
    with Node.open(home) as node:
        made = acts.give_standing(
            node,
            holder,
            recipient,
            Scope(categories=words.categories, topics=words.topics),
            officer=officer,
            until=None if until is None else read_moment("--until", until),
            forms=frozenset(map(Form, forms)),
        )
    click.echo(
        f"{made.serial}: {holder} may give {made.subject} of ours to {recipient} until "
        f"{made.until:%Y-%m-%dT%H:%M:%SZ}."
    )


@consent.command()
@click.argument("serial", metavar="ID")
@_officer
@click.option("--why", required=True, help="Why, in one sentence; it stays here.")
@click.pass_obj
def revoke(home: Path, serial: str, officer: str, why: str) -> None:
    """End a consent that we gave. Its holder is told, and stops what it has not sealed yet."""
    with Node.open(home) as node:
        ended = acts.revoke(node, serial, officer=officer, why=why)
    click.echo(f"{ended.serial} has ended: {ended.holder} is told.")


@consent.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(home: Path, *, as_json: bool) -> None:
    """Show the consents given and held, and what this node asked for."""
    with Node.open(home) as node:
        found, asked = acts.listed(node)
    if as_json:
        click.echo(
            json.dumps({"consents": [_told(each) for each in found], "asked": list(map(_asked, asked))})
        )
        return
    heads = ("consent", "side", "originator", "holder", "for", "subject", "forms", "until", "state")
    table(heads, [tuple(_told(each).values()) for each in found])
    if asked:
        table(tuple(_asked(asked[0])), [tuple(_asked(each).values()) for each in asked])


def _told(each: acts.Listed) -> dict[str, str]:
    said = each.consent
    return {
        "consent": said.serial,
        "side": "given" if each.side == acts.GIVEN else "held",
        "originator": said.originator,
        "holder": said.holder,
        "for": said.recipient,
        "subject": plain(str(said.subject)),
        "forms": " ".join(sorted(said.forms)),
        "until": f"{said.until:%Y-%m-%dT%H:%M:%SZ}",
        "state": each.state,
    }


def _asked(each: acts.Asked) -> dict[str, str]:
    return {
        "request": each.id,
        "originator": each.party,
        "for": each.recipient,
        "product": each.object_id,
        "at": each.at,
        "answer": each.answer or "waits",
    }

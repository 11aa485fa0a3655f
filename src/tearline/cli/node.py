"""`tearline init | status | serve`: the node itself."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import click
from uvloop import new_event_loop

from tearline.adapters.home import Config, Home, Marks
from tearline.cli.agreement.record import announce
from tearline.cli.flags import sentence
from tearline.cli.show import plain, table
from tearline.doors.serve import serve as serve_node
from tearline.node import Node, persons, progress, referral, tally
from tearline.node import reconsider as ask_again
from tearline.node.receipts import notices
from tearline.node.sources import ask_vault, has_vault
from tearline.terms import BadInput, Broken, Refused

_PORT = click.IntRange(1, 65_535)
_HOST = re.compile(r"[A-Za-z0-9.:-]+")


@click.command()
@click.option("--party", required=True, help="Your organisation's code, such as GBR or CERT-UA.")
@click.option("--name", required=True, help="Your organisation's name, as partners will see it.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address that partners reach you at."
)
@click.option("--port", type=_PORT, default=8443, show_default=True, help="The port of the partner door.")
@click.option("--password-port", type=_PORT, help="Also open a plain-TLS password door on this port.")
@click.option(
    "--pull-interval",
    type=click.FloatRange(min=0.01, max=86_400),
    default=5.0,
    show_default=True,
    help="Seconds between looks at partners' doors.",
)
@click.pass_obj
def init(
    home: Path, party: str, name: str, host: str, port: int, password_port: int | None, pull_interval: float
) -> None:
    """Make a node: its folder, keys and ledger."""
    if _HOST.fullmatch(host) is None:
        raise BadInput("--host", "", f"{host!r} is not a host's name or address", "write it in ASCII")
    config = Config(
        party=party,
        name=name,
        host=host,
        port=port,
        password_port=password_port,
        pull_interval=pull_interval,
        marks=Marks(text=True, media=True),
    )
    Node.create(home, config).close()
    click.echo(
        f"Node {party} made in {home}. Invite partners: "
        f"tearline --home {shlex.quote(str(home))} partner invite --output {party}.invitation"
    )


@click.command()
@click.pass_obj
def status(home: Path) -> None:
    """Show how far the node has come, what is due, and what was decided for whom."""
    with Node.open(home) as node:
        so_far = progress(node)
        click.echo(
            f"{node.party}: {so_far.products} products, {so_far.considered} considered, "
            f"{so_far.released} releases, {so_far.delivered} delivered, {so_far.received} received"
        )
        decided = tally(node)
        if said := sentence(persons.count(node)):
            click.echo(said)
        if waiting := referral.count(node):
            click.echo(f"{waiting} wait for an officer: `tearline referral list`")
        announce(node)
        for notice in notices(node):
            click.secho(plain(notice), fg="yellow")
        if has_vault(node) and so_far.products > so_far.considered:
            try:
                with ask_vault(node) as vault:
                    vault.status()
            except (Broken, Refused) as shut:
                click.secho(f"Products wait for the vault: {shut}", fg="yellow")
    if decided:
        rows = [(*what, str(count)) for *what, count in decided]
        table(("partner", "outcome", "because", "clause", "products"), rows)
    elif so_far.products > so_far.considered:
        click.echo("Nothing is decided yet: `tearline serve` considers what was taken in.")


@click.command()
@click.pass_obj
def reconsider(home: Path) -> None:
    """Ask the gate again about all that is held: what a new partner or agreement may now have then goes.

    Products that were considered before are not opened to a newcomer by themselves. Forms of pictures and
    recordings that could not be made are tried again: say it when a sanitizer was installed or repaired.
    """
    with Node.open(home) as node:
        click.echo(f"{ask_again(node)} products wait for the gate")


@click.command()
@click.option("--ready-file", type=click.Path(path_type=Path), hidden=True)
@click.pass_obj
def serve(home: Path, ready_file: Path | None) -> None:
    """Run the node: the partner door, the gate, delivery, and looking at partners' doors. Ends on SIGTERM."""

    def ready(address: str) -> None:
        click.echo(f"serving partners at {address}")
        if ready_file is not None:
            part = ready_file.with_suffix(".part")
            part.write_text(address, encoding="utf-8")
            part.rename(ready_file)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve_node(Home(home), ready))

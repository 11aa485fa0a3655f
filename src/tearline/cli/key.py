"""`tearline key`: the keys of this node."""

from __future__ import annotations

from pathlib import Path

import click

from tearline.adapters.home import Home
from tearline.node import Node
from tearline.node.keys import renew_tls
from tearline.node.keys import rotate as rotate_key


@click.group()
def key() -> None:
    """Change the keys of this node."""


@key.command()
@click.option("--tls", is_flag=True, help="The key of the TLS certificate instead of the signing key.")
@click.option("--officer", required=True, help="Who orders it.")
@click.option("--why", required=True, help="Why, in one sentence.")
@click.pass_obj
def rotate(home: Path, tls: bool, officer: str, why: str) -> None:
    """Sign with a new key from now on. The node must not be serving meanwhile, nor a desk be open.

    Partners are told by the old key and follow by themselves; all that the old key signed still holds. If
    others may have got hold of the old key, that is not enough: then ask every partner to `partner revoke`
    you, rotate both keys, and send new invitations.

    With --tls it is the key that connections prove. Partners know you by it, so each needs a new invitation;
    until a partner has added it, what is for it waits.
    """
    place = Home(home)
    with place.lock(), place.no_desk(), Node(place) as node:
        if tls:
            renew_tls(node, officer=officer, why=why)
            click.echo("This node has a new certificate. Send each partner a new invitation.")
        else:
            new = rotate_key(node, officer=officer, why=why)
            click.echo(
                f"This node signs with {new} from now on. Serve it again, so that partners hear of it."
            )

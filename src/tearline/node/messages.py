"""Messages between nodes: queued in the transaction of what they tell of; taken in like every release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.deliver import Kind, Message, Opened
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import Broken, Party


class Taken(msgspec.Struct, frozen=True):
    """A message as it came: who said it, what, and the release that proves it."""

    giver: Party
    message: Message
    release: Opened


Handler = Callable[[Node, Connection, Taken], None]
"""What a kind of message brings about, in the transaction in which it is received. Raises `Broken` where the
message does not hold; then nothing of it stays."""

HANDLERS: dict[Kind, Handler] = {}
"""Filled in `node/__init__`, where all that can handle a message is known."""


def send(node: Node, db: Connection, party: Party, kind: Kind, body: dict[str, Any], *, about: str) -> str:
    """Queue a message to `party` in the caller's transaction (law 9); returns its release id.

    The same `about` is said once. A plain TAXII server is sent none: nobody there would understand it.
    """
    message = Message(kind, body)
    draft = deliver.compose_message(
        message, recipient=party, about=about, node=node.identity, issued=node.tick(node.clock())
    )
    if party in node.partners and node.partners[party].kind == "taxii":
        return draft.release_id
    if store.add_message(db, party, draft.release_id, kind, msgspec.json.encode(draft)):
        entry = {"partner": party, "release": draft.release_id, "kind": kind.value, "digest": draft.digest}
        node.record(Act.MESSAGE_SENT, entry)
    return draft.release_id


def take_message(node: Node, db: Connection, giver: Party, release: Opened) -> None:
    """Do what a message from `giver` says. Raises `Broken` where it does not hold."""
    message = deliver.read_message(release.object)
    handler = HANDLERS.get(message.kind)
    if handler is None:
        raise Broken(f"a message of the kind {message.kind} is not known here")
    with node.attempting(db):
        handler(node, db, Taken(giver, message, release))
    statement = release.statement
    entry = {"giver": giver, "release": statement.release_id, "kind": message.kind.value}
    node.record(Act.MESSAGE_RECEIVED, entry | {"digest": statement.digest})

"""What partners release to us: each verified, each once, and held as its giver's (third-party rule)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver, intake, label
from tearline.adapters import store
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.node.take_in import hold
from tearline.terms import Broken, Category, Label, Partner, Party, Product

BATCH = 100
"""Objects taken from one inbox in one transaction."""

DEFINITIONS = {"marking-definition", "extension-definition"}


def pulled_to(node: Node, giver: Party) -> str | None:
    """The date-added up to which `giver`'s releases have been taken."""
    with node.reading() as db:
        return store.pulled_to(db, giver)


def receive(node: Node, giver: Party, objects: Sequence[Mapping[str, Any]], pulled_to: str | None) -> int:
    """Take in a page of `giver`'s releases. Returns how many were new.

    A release that does not verify is recorded and left out; it never stops its neighbours.
    """
    now = node.clock()
    with node.writing() as db:
        _keep_definitions(db, giver, objects)
        releases = [item for item in objects if deliver.is_release(item)]
        new = sum(_receive(node, db, node.partners[giver], item, now) for item in releases)
        if pulled_to is not None:
            store.set_pulled_to(db, giver, pulled_to)
    return new


def take_inbox(node: Node) -> int:
    """Take in what partners added to their inboxes here; returns how many objects."""
    return sum(_take_inbox_of(node, party) for party in node.partners)


def _take_inbox_of(node: Node, party: Party) -> int:
    with node.reading() as db:
        seen = store.inbox_seen(db, party)
    added = node.view(party).inbox_after(seen, BATCH)
    if not added:
        return 0
    now = node.clock()
    objects = [orjson.loads(body) for _, body in added]
    with node.writing() as db:
        _keep_definitions(db, party, objects)
        for item in objects:
            if deliver.is_release(item):
                _receive(node, db, node.partners[party], item, now)
            elif item.get("type") not in DEFINITIONS:
                # Not signed as a release: the connection's certificate says whose it is.
                _hold_all(node, db, party, item, now, f"inbox of {party}")
        store.set_inbox_seen(db, party, added[-1][0])
    return len(added)


def _keep_definitions(db: Connection, giver: Party, objects: Sequence[Mapping[str, Any]]) -> None:
    for item in objects:
        if item.get("type") in DEFINITIONS:
            store.put_definition(db, giver, str(item.get("id")), orjson.dumps(item))


def _receive(node: Node, db: Connection, giver: Partner, item: Mapping[str, Any], now: datetime) -> bool:
    try:
        key = deliver.public_key(giver.signing_key)
        opened = deliver.open_release(item, giver=giver.party, key=key, recipient=node.party)
    except Broken as error:
        node.record(Act.RELEASE_REFUSED, {"giver": giver.party, "reason": str(error)})
        return False
    statement = opened.statement
    if store.is_received(db, statement.release_id):
        return False
    entry = {"giver": giver.party, "release": statement.release_id, "digest": statement.digest}
    node.record(Act.RELEASE_RECEIVED, entry)
    store.add_received(
        db,
        release_id=statement.release_id,
        giver=giver.party,
        object_id=statement.object_id,
        at=store.stamp(now),
        issued=statement.issued,
    )
    _hold_all(node, db, giver.party, opened.object, now, statement.release_id)
    return True


def _hold_all(
    node: Node, db: Connection, giver: Party, item: Mapping[str, Any], now: datetime, received_as: str
) -> None:
    for product in _products(db, giver, item, now):
        hold(node, db, product, f"from {giver}", received_as=received_as)


def _products(db: Connection, giver: Party, item: Mapping[str, Any], now: datetime) -> Iterator[Product]:
    """The product in a received object. Whatever the object says of itself, it is its giver's."""
    marks = store.definitions(db, giver, item.get("object_marking_refs", []))
    envelope = b'{"objects":[' + b",".join([*marks, orjson.dumps(item)]) + b"]}"
    context = intake.Context(party=giver, at=now, default_marking=None)
    for product in intake.read(BytesIO(envelope), f"from {giver}", context=context):
        if isinstance(product, Product):
            owned = product.label
            if isinstance(owned, Label):
                owned = label.join(owned, Label(owners=frozenset({giver})))
            category = Category.REPORT if item.get("type") == "report" else product.category
            yield msgspec.structs.replace(product, originator=giver, label=owned, category=category)

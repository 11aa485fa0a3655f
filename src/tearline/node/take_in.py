"""The first step: products and their ledger entries in one transaction; then intake is acknowledged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import msgspec
from sqlalchemy import Connection

from tearline import deliver, intake, label
from tearline.adapters import store
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.node.references import note_names
from tearline.terms import BadInput, Label, Marking, Media, Party, Product, Quarantine, Refused

BATCH = 100
"""Products in one transaction."""


class TakenIn(msgspec.Struct, frozen=True):
    """A product is on the ledger and will be considered. `quarantine`: why it goes to nobody, or None."""

    product_id: str
    quarantine: str | None


class AlreadyHeld(msgspec.Struct, frozen=True):
    product_id: str


def take_in(
    node: Node, stream: BinaryIO, name: str, *, marking: str | None = None
) -> Iterator[TakenIn | AlreadyHeld | intake.Fault]:
    """Take in every good product of `stream`. What is yielded as `TakenIn` is durable."""
    context = intake.Context(party=node.party, at=node.clock(), default_marking=marking)
    items = intake.read(stream, name, context=context)
    while batch := list(islice(items, BATCH)):
        with node.writing() as db:
            answers = [
                item if isinstance(item, intake.Fault) else hold(node, db, item, name) for item in batch
            ]
        yield from answers


def hold(
    node: Node,
    db: Connection,
    product: Product,
    name: str,
    received_as: str | None = None,
    via: Party | None = None,
) -> TakenIn | AlreadyHeld | intake.Fault:
    """Hold one product, with its ledger entry, in the caller's transaction. `via`: who passed it on."""
    known = store.held_version(db, product)
    if known is not None:
        return _again(node, db, product, name, *known)
    body = store.encode_product(product)
    digest = hashlib.sha256(body).hexdigest()
    quarantine = None
    if isinstance(product.label, Quarantine):
        mark, why = product.label.mark, product.label.reason
        quarantine = f"{product.id}: " + (f"cannot read the mark {mark!r}: {why}" if mark else why)
    entry = {"product": product.id, "version": product.version, "digest": digest}
    if received_as is not None:
        entry["received"] = received_as
    if via is not None:
        entry["via"] = via
    node.record(Act.PRODUCT_TAKEN_IN, entry)
    seq = store.add_product(db, product, body, digest, quarantine=quarantine, received_as=received_as)
    if deliver.is_media(product):
        store.add_file(db, seq, msgspec.json.decode(product.content, type=Media).sha256)
    note_names(db, product)
    return TakenIn(product.id, quarantine)


def _again(
    node: Node, db: Connection, product: Product, name: str, known: store.Held, quarantined: bool
) -> TakenIn | AlreadyHeld | intake.Fault:
    """What comes a second time stays as it is held; but a marking takes it out of quarantine."""
    if known.product.content != product.content:
        return intake.Fault(
            where=name,
            place=product.id,
            reason=f"version {product.version} is held already with other content",
            remedy="a change needs a new `modified` time",
        )
    if not quarantined or known.received_as is not None or isinstance(product.label, Quarantine):
        return AlreadyHeld(product.id)
    _release_from_quarantine(node, db, known.seq, product)
    return TakenIn(product.id, None)


def _release_from_quarantine(node: Node, db: Connection, seq: int, product: Product) -> None:
    digest = hashlib.sha256(store.encode_product(product)).hexdigest()
    marking = product.marking.text if product.marking else ""
    entry = {"product": product.id, "version": product.version, "digest": digest, "marking": marking}
    node.record(Act.QUARANTINE_RESOLVED, entry)
    store.replace_product(db, seq, product, digest)


def quarantined(node: Node) -> list[tuple[str, str, str]]:
    """(id, version, reason) of each product in quarantine."""
    with node.reading() as db:
        return store.quarantined(db)


def resolve(node: Node, product_id: str, text: str) -> None:
    """Give a quarantined product the marking that its originator meant. It is considered again.

    Raises `BadInput` for a marking that cannot be read, `Refused` where nothing waits under that id.
    """
    marking, read = label.parse(text, at=node.clock().date())
    if isinstance(read, Quarantine):
        raise BadInput("--marking", repr(read.mark), read.reason)
    with node.writing() as db:
        found = store.in_quarantine(db, product_id)
        if not found:
            raise Refused(f"{product_id} is not in quarantine")
        for item in found:
            product = _resolved(node, item.product, marking, read)
            _release_from_quarantine(node, db, item.seq, product)


def _resolved(node: Node, product: Product, marking: Marking, read: Label) -> Product:
    """A portion that can be read keeps its own label; the others, and the banner, take the officer's.

    Whoever resolves it, what another made stays its originator's (third-party rule).
    """
    portions = tuple(
        msgspec.structs.replace(portion, marking=marking, label=read)
        if isinstance(portion.label, Quarantine)
        else portion
        for portion in product.portions
    )
    labels = [portion.label for portion in portions if isinstance(portion.label, Label)]
    if product.originator != node.party:
        labels.append(Label(owners=frozenset({product.originator})))
    return msgspec.structs.replace(
        product, marking=marking, label=label.join_all([read, *labels]), portions=portions
    )

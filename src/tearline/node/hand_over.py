"""The third and fourth steps: what waits in the outbox is sealed into the partners' views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import OUT, Item, Writer
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import Broken, Party

BATCH = 100
"""Releases to one partner in one transaction of its view."""


def hand_over(node: Node) -> int:
    """Write what waits in the outbox into the partners' views; returns how many releases.

    One transaction for each partner's view, then one that marks all of them delivered.
    """
    with node.reading() as db:
        waiting = {party: store.waiting(db, party, BATCH) for party in store.parties_with_waiting(db)}
    stuck = [row for party, rows in waiting.items() for row in _hand_over_to(node, party, rows)]
    seqs = {row.seq for rows in waiting.values() for row in rows}
    if seqs:
        with node.writing() as db:
            for row in stuck:
                node.record(Act.RELEASE_STUCK, {"release": row.release_id})
                store.mark_stuck(db, row.seq)
            done = sorted(seqs - {row.seq for row in stuck})
            store.mark_delivered(db, done, store.stamp(node.clock()))
    return len(seqs)


def _hand_over_to(node: Node, party: Party, rows: list[store.Waiting]) -> list[store.Waiting]:
    """Seal these into the view of `party`. Returns those that the view refuses; the good ones do not wait."""
    try:
        _seal_rows(node, party, rows)
    except Broken:
        if len(rows) == 1:
            return rows
        return [stuck for row in rows for stuck in _hand_over_to(node, party, [row])]
    return []


def _seal_rows(node: Node, party: Party, rows: list[store.Waiting]) -> None:
    drafts = [msgspec.json.decode(row.draft, type=deliver.Draft) for row in rows]
    with node.view(party).begin() as view:
        there = view.has_release([draft.release_id for draft in drafts])
        fresh = [draft for draft in drafts if draft.release_id not in there]
        if fresh:
            _seal_into(node, view, party, fresh)


def _seal_into(node: Node, view: Writer, party: Party, drafts: list[deliver.Draft]) -> None:
    """Log the statements, sign the log, and add the sealed objects with what they refer to."""
    key = node.home.signing_key
    envelopes = [deliver.sign_draft(draft, giver=node.party, key=key) for draft in drafts]
    log = view.logs[OUT]
    indexes = log.append(view.db, [envelope.payload for envelope in envelopes])
    checkpoint = view.checkpoint(OUT)
    proofs = log.inclusions(view.db, indexes, indexes.stop)
    items: dict[tuple[str, str | None], Item] = {}
    for draft, envelope, index, proof in zip(drafts, envelopes, indexes, proofs, strict=True):
        for support in draft.supporting:
            version = support.get("modified", support.get("created"))
            items.setdefault((support["id"], version), _item(None, support, version, orjson.dumps(support)))
        sealed = deliver.seal(draft, envelope, checkpoint=checkpoint, index=index, proof=proof)
        # A supporting object may also be released as a product: the release is what counts.
        items[draft.object_id, draft.version] = _item(draft.release_id, draft.object, draft.version, sealed)
    view.add(OUT, list(items.values()), node.clock())


def _item(release: str | None, item: Mapping[str, Any], version: str | None, body: bytes) -> Item:
    return Item(release, item["id"], item["type"], version, item.get("spec_version", "2.1"), body)

"""The third and fourth steps: what waits in the outbox is sealed into the partners' views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import OUT, Item, Writer
from tearline.ledger import Act
from tearline.node.consent import stop_lapsed
from tearline.node.opened import Node
from tearline.terms import Broken, Party

BATCH = 100
"""Releases to one partner in one transaction of its view."""


MOST = 400
"""Releases, to all partners, in one transaction of `node.db`: suspensions and intake wait as long."""


def hand_over(node: Node) -> int:
    """Write what waits for partners into their views, messages too; returns how much that was.

    All of it happens under the write lock of `node.db`, in which what waits is read and in which a suspension
    stops what waits: so what goes into a view is never what a suspension on the ledger has stopped. A crash
    between a view's commit and that of `node.db` is mended by the next time, which finds the releases there.
    """
    with node.reading() as db:
        if not _parties_with_something(db):
            return 0
    with node.writing() as db:
        stop_lapsed(node, db)
        done = 0
        for party in _parties_with_something(db):
            if done < MOST:
                messages = store.waiting_messages(db, party, BATCH)
                rows = store.waiting(db, party, BATCH)
                _hand_over_to(node, db, party, messages, rows)
                done += len(messages) + len(rows)
        return done


def _parties_with_something(db: Connection) -> list[Party]:
    return sorted({*store.parties_with_waiting(db), *store.parties_with_messages(db)})


def _hand_over_to(
    node: Node,
    db: Connection,
    party: Party,
    messages: Sequence[store.WaitingMessage],
    rows: Sequence[store.Waiting],
) -> None:
    """Seal these into the view of `party` and mark them. What the view refuses is stuck; the rest goes."""
    try:
        _seal_rows(node, party, [*messages, *rows])
    except Broken:
        if len(messages) + len(rows) > 1:
            for message in messages:
                _hand_over_to(node, db, party, [message], [])
            for row in rows:
                _hand_over_to(node, db, party, [], [row])
        elif rows:
            node.record(Act.RELEASE_STUCK, {"release": rows[0].release_id})
            store.mark_stuck(db, rows[0].seq)
        else:
            raise
    else:
        at = store.stamp(node.clock())
        store.mark_messages_delivered(db, [message.seq for message in messages], at)
        store.mark_delivered(db, [row.seq for row in rows], at)


def _seal_rows(node: Node, party: Party, rows: Sequence[store.Waiting | store.WaitingMessage]) -> None:
    names = [row.release_id for row in rows]
    with node.view(party).begin() as view:
        view.put_back(names, node.clock())
        there = view.has_release(names)
        fresh = [row for row in rows if row.release_id not in there]
        if fresh:
            drafts = [msgspec.json.decode(row.draft, type=deliver.Draft) for row in fresh]
            _seal_into(node, view, party, drafts)


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

"""The third and fourth steps: what waits in the outbox is sealed into the partners' views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import OUT, Item, Writer
from tearline.ledger import Act
from tearline.node import files, previews
from tearline.node.consent import stop_lapsed
from tearline.node.opened import Node
from tearline.node.receipts import earlier
from tearline.terms import Broken, Party

BATCH = 100
"""Releases under one write lock, and to one partner in one transaction of its view; suspensions and intake
wait as long."""

_Row = store.Waiting | store.WaitingMessage
_Signed = tuple[deliver.Draft, deliver.Envelope]


def hand_over(node: Node, tell: Callable[[Party], None] = lambda _: None) -> int:
    """Write what waits for partners into their views, messages too; returns how much that was.

    `tell` is told of each partner that has something new.

    It happens under the write lock of `node.db`, in which what waits is read and in which a suspension stops
    what waits: so what goes into a view is never what a suspension on the ledger stopped. What takes long and
    needs no lock, the signing, comes before. A crash between a view's commit and that of `node.db`, or one
    that undoes the latter, is mended by the next time, which finds the releases there.
    """
    with node.reading() as db:
        parties = sorted({*store.parties_with_waiting(db), *store.parties_with_messages(db)})
    done = at = 0
    while at < len(parties):
        served, count = _hand_over_to(node, parties[at:], tell)
        at, done = at + served, done + count
    return done


def _hand_over_to(node: Node, parties: Sequence[Party], tell: Callable[[Party], None]) -> tuple[int, int]:
    """To so many of these partners as make a batch: how many they are, and how much it was."""
    read: dict[Party, dict[str, _Row]] = {}
    with node.reading() as db:
        for party in parties:
            read[party] = {row.release_id: row for row in _waiting(db, party)}
            if sum(map(len, read.values())) >= BATCH:
                break
    signed = {name: _sign(node, row) for rows in read.values() for name, row in rows.items()}
    done = 0
    with node.writing(durable=False) as db:
        stop_lapsed(node, db)
        for party, before in read.items():
            # What rests on another consent since then was not signed as it is now.
            rows = [row for row in _waiting(db, party) if before.get(row.release_id) == row]
            _put_into_view(node, db, party, rows, signed)
            tell(party)
            done += len(rows)
    return len(read), done


def _waiting(db: Connection, party: Party) -> list[_Row]:
    return [*store.waiting_messages(db, party, BATCH), *store.waiting(db, party, BATCH)]


def _sign(node: Node, row: _Row) -> _Signed | None:
    """`None` for what was in the view already, and was held back there: of that no draft is kept."""
    if not row.draft:
        return None
    draft = msgspec.json.decode(row.draft, type=deliver.Draft)
    files.bring(node, draft)
    return draft, deliver.sign_draft(draft, giver=node.party, key=node.home.signing_key)


def _put_into_view(
    node: Node, db: Connection, party: Party, rows: Sequence[_Row], signed: Mapping[str, _Signed | None]
) -> None:
    """Seal these into the view of `party` and mark them. What the view refuses is stuck; the rest goes."""
    if not rows:
        return
    try:
        _seal_rows(node, party, {row.release_id: signed[row.release_id] for row in rows})
    except Broken:
        if len(rows) > 1:
            for row in rows:
                _put_into_view(node, db, party, [row], signed)
        elif isinstance(rows[0], store.Waiting):
            node.record(Act.RELEASE_STUCK, {"release": rows[0].release_id})
            store.mark_stuck(db, rows[0].seq)
        else:
            raise
    else:
        at = store.stamp(node.clock())
        messages = [row.seq for row in rows if isinstance(row, store.WaitingMessage)]
        store.mark_messages_delivered(db, messages, at)
        previews.want(node, db, [each[0] for row in rows if (each := signed[row.release_id])])
        store.mark_delivered(db, [row.seq for row in rows if isinstance(row, store.Waiting)], at)


def _seal_rows(node: Node, party: Party, signed: Mapping[str, _Signed | None]) -> None:
    names = list(signed)
    with node.view(party).begin() as view:
        files.reopen(node, view, party, view.put_back(names, node.tick(node.clock())))
        there = view.has_release(names)
        fresh = [each for name, each in signed.items() if name not in there]
        if None in fresh:
            raise Broken("a release that was held back is gone from the view")
        if fresh:
            _seal_into(node, view, party, [each for each in fresh if each])


def _seal_into(node: Node, view: Writer, party: Party, signed: Sequence[_Signed]) -> None:
    """Log each statement, sign the log, and add the sealed objects with what they refer to.

    Each release has a checkpoint of its own. One for all that are at hand would tell how the node's work on
    everybody's products fell into rounds (law 5).
    """
    log = view.logs[OUT]
    indexes = log.append(view.db, [envelope.payload for _, envelope in signed])
    view.checkpoint(OUT)  # of them all: it is what the next must agree with
    asked = earlier(node, party, indexes.stop)
    sizes = [min(asked, index) for index in indexes]
    steps = log.steps(view.db, node.home.signing_key, list(zip(sizes, indexes, strict=True)))
    items: dict[tuple[str, str | None], Item] = {}
    for (draft, envelope), index, size, step in zip(signed, indexes, sizes, steps, strict=True):
        for support in draft.supporting:
            version = support.get("modified", support.get("created"))
            items.setdefault((support["id"], version), _item(None, support, version, orjson.dumps(support)))
        before = deliver.Previous(size, step.before, step.consistency)
        sealed = deliver.seal(
            draft, envelope, checkpoint=step.note, index=index, proof=step.inclusion, previous=before
        )
        # A supporting object may also be released as a product: the release is what counts.
        items[draft.object_id, draft.version] = _item(draft.release_id, draft.object, draft.version, sealed)
    view.add(OUT, list(items.values()), node.tick(node.clock()))
    files.release(node, view, party, [draft for draft, _ in signed])


def _item(release: str | None, item: Mapping[str, Any], version: str | None, body: bytes) -> Item:
    return Item(release, item["id"], item["type"], version, item.get("spec_version", "2.1"), body)

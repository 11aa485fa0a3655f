"""The third and fourth steps: what waits in the outbox is sealed into the partners' views."""

from __future__ import annotations

import msgspec

from tearline import deliver
from tearline.adapters import store
from tearline.node.opened import Node
from tearline.terms import Party

BATCH = 100
"""Releases to one partner in one transaction of its view."""


def hand_over(node: Node) -> int:
    """Write what waits in the outbox into the partners' views; returns how many releases."""
    with node.reading() as db:
        parties = store.parties_with_waiting(db)
    return sum(_hand_over_to(node, party) for party in parties)


def _hand_over_to(node: Node, party: Party) -> int:
    with node.reading() as db:
        waiting = store.waiting(db, party, BATCH)
    drafts = [msgspec.json.decode(row.draft, type=deliver.Draft) for row in waiting]
    now = node.clock()
    with node.view(party).begin() as view:
        there = view.has_release([draft.release_id for draft in drafts])
        fresh = [draft for draft in drafts if draft.release_id not in there]
        if fresh:
            _seal_into(node, view, party, fresh, now)
    with node.writing() as db:
        store.mark_delivered(db, [row.seq for row in waiting], store.stamp(now))
    return len(waiting)

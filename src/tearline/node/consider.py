"""The second step: the gate's answers, their ledger entries, and the outbox rows of what is to go."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from tearline import deliver, gate
from tearline.adapters import store
from tearline.ledger import Act
from tearline.node.opened import Node
from tearline.terms import BadInput, Outcome, Party, Quarantine, Reason, Refer, Refused, Tearline, Whole

DECISIONS = 2_000
"""Decisions, products times partners, in one transaction."""


def consider(node: Node) -> int:
    """Let the gate answer for the next products; returns how many. What may go is in the outbox then."""
    node.refresh()
    partners = list(node.partners.values())
    with node.reading() as db:
        waiting = store.pending(db, 1 + DECISIONS // (1 + len(partners)))
    if not waiting:
        return 0
    now = node.clock()
    answers = [(held, gate.consider(held.product, partners, node.rules, now)) for held in waiting]
    drafts = [
        (held, outcomes, draft)
        for held, outcomes in answers
        for party in list(outcomes)
        if (draft := _compose(node, held, outcomes, party, now))
    ]
    with node.writing() as db:
        if store.generation(db) != node.generation or _resolved_meanwhile(db, waiting):
            return len(waiting)  # what the gate was asked about is no longer so: ask it again
        known = store.known_in_outbox(db, [draft.release_id for _, _, draft in drafts])
        # Two versions can have one tearline: it is released once.
        fresh = {found[2].release_id: found for found in drafts if found[2].release_id not in known}.values()
        for held, outcomes in answers:
            node.record(Act.PRODUCT_CONSIDERED, _considered(held, outcomes.values()))
        for held, outcomes, draft in fresh:
            node.record(Act.PRODUCT_RELEASED, _released(held, outcomes, draft))
        store.add_outcomes(
            db, [(held.seq, outcome) for held, outcomes in answers for outcome in outcomes.values()]
        )
        store.add_to_outbox(db, [_row(held, outcomes, draft) for held, outcomes, draft in fresh])
        store.mark_considered(db, [held.seq for held in waiting])
    return len(waiting)


def reconsider(node: Node) -> int:
    """Let the gate answer again for all that is held: for a new partner or agreement, by an officer's act.

    What was released stays released and is not released twice. Returns how many products wait.
    """
    with node.writing() as db:
        waiting = store.reconsider(db)
        node.record(Act.ALL_RECONSIDERED, {"products": waiting})
    return waiting


def _resolved_meanwhile(db: Connection, waiting: Iterable[store.Held]) -> bool:
    """Whether an officer took one of these out of quarantine since they were read."""
    return any(
        isinstance(held.product.label, Quarantine) and store.known_digest(db, held.product) != held.digest
        for held in waiting
    )


def _compose(
    node: Node, held: store.Held, outcomes: dict[Party, Outcome], party: Party, now: datetime
) -> deliver.Draft | None:
    """The draft for a partner that gets something. What cannot be written goes to an officer instead."""
    outcome = outcomes[party]
    if not isinstance(outcome, Whole | Tearline):
        return None
    try:
        return deliver.compose(held.product, outcome, node=node.identity, issued=now)
    except (BadInput, Refused):
        outcomes[party] = Refer(partner=party, reasons=(Reason(check=7, code="release.not-composed"),))
        return None


def _row(
    held: store.Held, outcomes: dict[Party, Outcome], draft: deliver.Draft
) -> tuple[Party, str, int, str, bytes]:
    form = _form(outcomes[draft.recipient])
    return draft.recipient, draft.release_id, held.seq, form, msgspec.json.encode(draft)


def _form(outcome: Outcome) -> str:
    return str(outcome.__struct_config__.tag)


def _considered(held: store.Held, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    return {
        "product": held.product.id,
        "version": held.product.version,
        "digest": held.digest,
        "outcomes": {
            outcome.partner: [
                _form(outcome),
                *(f"{reason.check} {reason.code} {reason.clause}".strip() for reason in outcome.reasons),
            ]
            for outcome in outcomes
        },
    }


def _released(held: store.Held, outcomes: dict[Party, Outcome], draft: deliver.Draft) -> dict[str, Any]:
    return {
        "partner": draft.recipient,
        "release": draft.release_id,
        "product": held.product.id,
        "version": held.product.version,
        "form": _form(outcomes[draft.recipient]),
        "object": draft.object_id,
        "digest": draft.digest,
    }

"""The second step: the gate's answers, their ledger entries, and the outbox rows of what is to go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from tearline import deliver, gate
from tearline.adapters import store
from tearline.ledger import Act
from tearline.node import mosaic, references, shadow
from tearline.node.opened import Node
from tearline.node.protect import Guard, VaultShut
from tearline.node.references import Drafted
from tearline.terms import (
    BadInput,
    Outcome,
    Partner,
    Party,
    Quarantine,
    Reason,
    Refer,
    Refused,
    Tearline,
    Whole,
)

_Answer = tuple[store.Held, dict[Party, Outcome]]

DECISIONS = 2_000
"""Decisions, products times partners, in one transaction."""
STOPPED = 500
"""Stopped releases in one transaction."""


def consider(node: Node) -> int:
    """Let the gate answer for the next products; returns how many. What may go is in the outbox then.

    While the vault is shut, or does not answer, everything waits: `node.held_up` says why, in one sentence.
    """
    node.refresh()
    try:
        with Guard(node) as guard:
            done = _ask_about_stopped(node, guard) + _consider_next(node, guard)
    except VaultShut as error:
        node.held_up = str(error)
        return 0
    node.held_up = ""
    return done


def _consider_next(node: Node, guard: Guard) -> int:
    now = node.clock()
    partners = list(node.partners.values())
    with node.reading() as db:
        late = store.due(db, store.stamp(now), STOPPED)
        waiting = [] if late else _one_telling(store.pending(db, 1 + DECISIONS // (1 + len(partners))))
        around = references.circle(db, late, waiting)
    if not (late or waiting):
        return 0
    answers, exposures = _answers(node, guard, waiting, {held.seq: partners for held in waiting}, now)
    seen = shadow.observe(node, answers, exposures, partners, now)
    parked_for = {seq: [node.partners[each] for each in sorted(its)] for seq, its in around.parties().items()}
    again, _ = _answers(node, guard, list(around.products.values()), parked_for, now)
    drafts = _drafts(node, guard, answers, now)
    order, known = _ordered(node, guard, drafts, _drafts(node, guard, again, now), around, now)
    by_seq = {held.seq: outcomes for held, outcomes in (*answers, *again)}
    references.mark_waiting(order.parked, by_seq)
    with node.writing() as db:
        if store.generation(db) != node.generation or _resolved_meanwhile(db, waiting):
            return len(waiting) + len(late)  # what the gate was asked about is no longer so: ask it again
        # Two versions can have one tearline: it is released once.
        fresh = {found[2].release_id: found for found in order.going}.values()
        for held, outcomes in answers:
            node.record(Act.PRODUCT_CONSIDERED, _considered(held, outcomes.values()))
        for held, outcomes in again:
            settled = [outcomes[party] for party in sorted(outcomes) if (party, held.seq) in order.settled]
            if settled:
                node.record(Act.PRODUCT_CONSIDERED, _considered(held, settled))
            for outcome in settled:
                store.replace_outcome(db, held.seq, outcome)
        for held, outcomes, draft in fresh:
            node.record(Act.PRODUCT_RELEASED, _released(held, outcomes, draft))
        store.add_outcomes(
            db, [(held.seq, outcome) for held, outcomes in answers for outcome in outcomes.values()]
        )
        store.add_to_outbox(db, [_row(held, outcomes, draft) for held, outcomes, draft in fresh])
        references.keep(db, order, [held.seq for held in waiting])
        told = [found for found in drafts if found[2].release_id in known]
        for _, outcomes, draft in (*fresh, *told):  # those too: what is known of it may be more now
            if isinstance(outcome := outcomes[draft.recipient], Tearline):
                mosaic.tell(node, db, draft.recipient, draft.release_id, outcome.portions)
        _let_go(node, db, known)
        shadow.keep(db, seen)
        store.mark_considered(db, [held.seq for held in waiting])
    return len(waiting) + len(late)


def _answers(
    node: Node,
    guard: Guard,
    waiting: Sequence[store.Held],
    partners: Mapping[int, Sequence[Partner]],
    now: datetime,
) -> tuple[list[_Answer], list[gate.Exposure]]:
    """The gate's answers about products, each for its partners, and what it was told that they show."""
    exposures = guard.exposures([held.product for held in waiting])
    return [
        (held, gate.consider(held.product, partners[held.seq], node.rules, now, exposure=exposure))
        for held, exposure in zip(waiting, exposures, strict=True)
    ], exposures


def _drafts(node: Node, guard: Guard, answers: Iterable[_Answer], now: datetime) -> list[Drafted]:
    """The drafts of what may go, with all that they refer to."""
    drafts = [
        (held, outcomes, draft)
        for held, outcomes in answers
        for party in list(outcomes)
        if (draft := _compose(node, held, outcomes, party, now))
    ]
    return _unless_betraying(guard, drafts)


def _ordered(
    node: Node,
    guard: Guard,
    drafts: Sequence[Drafted],
    called: Sequence[Drafted],
    around: references.Circle,
    now: datetime,
) -> tuple[references.Order, set[str]]:
    """Who goes and who waits; and the ids of those releases among `drafts` that were queued before."""

    def let_go(products: Sequence[store.Held]) -> dict[Party, set[str]]:
        found: dict[Party, set[str]] = {}
        everyone = {held.seq: list(node.partners.values()) for held in products}
        for held, outcomes in _answers(node, guard, products, everyone, now)[0]:
            for party, outcome in outcomes.items():
                if isinstance(outcome, Whole):
                    found.setdefault(party, set()).add(held.product.id)
        return found

    with node.reading() as db:
        known = store.known_in_outbox(db, [draft.release_id for _, _, draft in drafts])
        fresh = [found for found in drafts if found[2].release_id not in known]
        objects = {held.seq: draft.object for held, _, draft in (*fresh, *called)}
        refs = {ref for item in objects.values() for ref in deliver.mentioned(item)}
        named = references.Named(db, [*fresh, *called], let_go)
        order = references.Order(node.identity, store.given(db, refs), around, named, now)
    late_first = {key: number for number, key in enumerate(around.parked)}
    order.run(fresh, sorted(called, key=lambda found: late_first[found[2].recipient, found[0].seq]))
    return order, known


def _one_telling(waiting: Sequence[store.Held]) -> Sequence[store.Held]:
    """The first of these, up to one that tells facts about a source: the next must know what it told."""
    for number, held in enumerate(waiting):
        if any(portion.facts for portion in held.product.portions):
            return waiting[: max(number, 1)]
    return waiting


def _unless_betraying(guard: Guard, drafts: Sequence[Drafted]) -> list[Drafted]:
    """The last look (law 2): a draft in which a protected identity is found goes to an officer instead."""
    betraying = guard.betrays([draft for _, _, draft in drafts])
    for _, outcomes, draft in drafts:
        if draft.release_id in betraying:
            reasons = (*outcomes[draft.recipient].reasons, Reason(check=7, code="source.found"))
            outcomes[draft.recipient] = Refer(partner=draft.recipient, reasons=reasons)
    return [drafted for drafted in drafts if drafted[2].release_id not in betraying]


def _ask_about_stopped(node: Node, guard: Guard) -> int:
    """Ask the gate again about releases whose suspension has ended, each for its partner alone.

    Only what it would release today, in the same form, goes after all. Returns how many were asked about.
    """
    with node.reading() as db:
        stopped = store.to_ask_about(db, STOPPED)
    if not stopped:
        return 0
    now = node.clock()
    answers = [(each, *_answer_for(node, guard, each, now)) for each in stopped]
    with node.writing() as db:
        if store.generation(db) != node.generation:
            return len(stopped)
        for each, outcome, _ in answers:
            node.record(Act.PRODUCT_CONSIDERED, _considered(each.held, [outcome]))
            store.replace_outcome(db, each.held.seq, outcome)
        _let_go(node, db, [each.release_id for each, _, goes in answers if goes])
        store.settle_stopped(db, [each.release_id for each, _, goes in answers if not goes], go=False)
    return len(stopped)


def _answer_for(node: Node, guard: Guard, stopped: store.Stopped, now: datetime) -> tuple[Outcome, bool]:
    """The gate's answer today, and whether it is the release that was stopped."""
    partner, held = node.partners[stopped.partner], stopped.held
    (exposure,) = guard.exposures([held.product])
    outcomes = gate.consider(held.product, [partner], node.rules, now, exposure=exposure)
    draft = _compose(node, held, outcomes, partner.party, now)
    good = _unless_betraying(guard, [(held, outcomes, draft)] if draft else [])
    return outcomes[partner.party], any(each.release_id == stopped.release_id for _, _, each in good)


def _let_go(node: Node, db: Connection, releases: Collection[str]) -> None:
    """Those of these that were stopped go after all: the gate has said so."""
    if continued := store.settle_stopped(db, releases, go=True):
        node.record(Act.RELEASES_CONTINUED, {"releases": continued})
        store.wake(db, continued, store.stamp(node.clock()))


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
        return deliver.compose(
            held.product, outcome, node=node.identity, issued=node.tick(now), given=deliver.EVERYTHING
        )
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

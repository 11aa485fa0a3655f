"""The second step: the gate's answers, their ledger entries, and the outbox rows of what is to go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.gate import Exposure
from tearline.ledger import Act
from tearline.node import custody, mosaic, shadow
from tearline.node.consent import ask_for
from tearline.node.opened import Node
from tearline.node.permits import Permit, permits, rests_on
from tearline.node.protect import Guard, VaultShut
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
    Withhold,
)

_Drafted = tuple[store.Held, dict[Party, Outcome], deliver.Draft]

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
            done = _ask_about_stopped(node, guard) + _ask_again(node, guard) + _consider_next(node, guard)
    except VaultShut as error:
        node.held_up = str(error)
        return 0
    node.held_up = ""
    return done


def _consider_next(node: Node, guard: Guard) -> int:
    partners = list(node.partners.values())
    with node.reading() as db:
        waiting = _one_telling(store.pending(db, 1 + DECISIONS // (1 + len(partners))))
        now = node.clock()
        allowed = permits(node, db, waiting, now)
    if not waiting:
        return 0
    exposures = guard.exposures([held.product for held in waiting])
    answers = [
        (held, allowed[held.seq].judge(held.product, partners, node.rules, now, exposure))
        for held, exposure in zip(waiting, exposures, strict=True)
    ]
    wishes = _wishes(node, answers, exposures, partners, allowed)
    seen = shadow.observe(node, answers, exposures, partners, now, allowed)
    drafts = [
        (held, outcomes, draft)
        for held, outcomes in answers
        for party in list(outcomes)
        if (draft := _compose(node, held, outcomes, party, now, allowed[held.seq]))
    ]
    drafts = _under_custody(node, _unless_betraying(guard, drafts), allowed)
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
        _keep_custody(node, db, drafts)
        for _, outcomes, draft in drafts:  # those released before too: what is known of it may be more now
            if isinstance(outcome := outcomes[draft.recipient], Tearline):
                mosaic.tell(node, db, draft.recipient, draft.release_id, outcome.portions)
        _let_go(node, db, known)
        for received_as, parties in wishes:
            ask_for(node, db, received_as, parties)
        shadow.keep(db, seen)
        store.mark_considered(db, [held.seq for held in waiting])
    return len(waiting)


def _wishes(
    node: Node,
    answers: Sequence[tuple[store.Held, dict[Party, Outcome]]],
    exposures: Sequence[Exposure],
    partners: Sequence[Partner],
    allowed: Mapping[int, Permit],
) -> list[tuple[str, list[Party]]]:
    """(release it came by, partners) where the node is to ask by itself: only consent is missing."""
    if node.home.config.ask_consent != "automatic":
        return []
    return [
        (held.received_as, parties)
        for (held, outcomes), exposure in zip(answers, exposures, strict=True)
        if held.received_as is not None
        and (parties := allowed[held.seq].wanting(held.product, partners, node.rules, exposure, outcomes))
    ]


def _one_telling(waiting: Sequence[store.Held]) -> Sequence[store.Held]:
    """The first of these, up to one that tells facts about a source: the next must know what it told."""
    for number, held in enumerate(waiting):
        if any(portion.facts for portion in held.product.portions):
            return waiting[: max(number, 1)]
    return waiting


def _unless_betraying(guard: Guard, drafts: Sequence[_Drafted]) -> list[_Drafted]:
    """The last look (law 2): a draft in which a protected identity is found goes to an officer instead."""
    betraying = guard.betrays([draft for _, _, draft in drafts])
    for _, outcomes, draft in drafts:
        if draft.release_id in betraying:
            reasons = (*outcomes[draft.recipient].reasons, Reason(check=7, code="source.found"))
            outcomes[draft.recipient] = Refer(partner=draft.recipient, reasons=reasons)
    return [drafted for drafted in drafts if drafted[2].release_id not in betraying]


def _under_custody(node: Node, drafts: Iterable[_Drafted], allowed: Mapping[int, Permit]) -> list[_Drafted]:
    """The drafts with their custody and consents: the last step, after which nothing of them changes."""
    found = []
    for held, outcomes, draft in drafts:
        outcome, permit = outcomes[draft.recipient], allowed[held.seq]
        chained = (
            permit.chained(held.product, outcome, draft, node.home.signing_key)
            if isinstance(outcome, Whole | Tearline)
            else None
        )
        if chained is not None:
            found.append((held, outcomes, chained))
        else:
            reasons = (Reason(check=7, code="consent.custody"),)
            outcomes[draft.recipient] = Withhold(partner=draft.recipient, reasons=reasons)
    return found


def _ask_about_stopped(node: Node, guard: Guard) -> int:
    """Ask the gate again about releases whose suspension has ended, each for its partner alone.

    Only what it would release today, in the same form, goes after all. Returns how many were asked about.
    """
    with node.reading() as db:
        stopped = store.to_ask_about(db, STOPPED)
    if not stopped:
        return 0
    now = node.clock()
    answers = [(each, *_answer_for(node, guard, each.partner, each.held, now)) for each in stopped]
    with node.writing() as db:
        if store.generation(db) != node.generation:
            return len(stopped)
        for each, outcome, _ in answers:
            node.record(Act.PRODUCT_CONSIDERED, _considered(each.held, [outcome]))
            store.replace_outcome(db, each.held.seq, outcome)
        going = [
            (each, outcome, draft)
            for each, outcome, draft in answers
            if draft is not None and draft.release_id == each.release_id
        ]
        _keep_custody(
            node, db, [(each.held, {each.partner: outcome}, draft) for each, outcome, draft in going]
        )
        goes = {each.release_id for each, _, _ in going}
        _let_go(node, db, goes)
        store.settle_stopped(db, {each.release_id for each, _, _ in answers} - goes, go=False)
    return len(stopped)


def _answer_for(
    node: Node, guard: Guard, party: Party, held: store.Held, now: datetime
) -> tuple[Outcome, deliver.Draft | None]:
    """The gate's answer today for one partner, and what would go."""
    partner = node.partners[party]
    with node.reading() as db:
        permit = permits(node, db, [held], now)[held.seq]
    (exposure,) = guard.exposures([held.product])
    outcomes = permit.judge(held.product, [partner], node.rules, now, exposure)
    draft = _compose(node, held, outcomes, party, now, permit)
    good = _unless_betraying(guard, [(held, outcomes, draft)] if draft else [])
    good = _under_custody(node, good, {held.seq: permit})
    return outcomes[party], good[0][2] if good else None


def _ask_again(node: Node, guard: Guard) -> int:
    """Ask the gate again about products on which a consent came or ended, each for one partner alone.

    One after the other, for what goes may tell of sources. Returns how many were asked about.
    """
    with node.reading() as db:
        asked = store.to_ask_again(db, STOPPED)
    for party, held in asked:
        now = node.clock()
        known = party in node.partners
        outcome, draft = _answer_for(node, guard, party, held, now) if known else (None, None)
        with node.writing() as db:
            if store.generation(db) != node.generation:
                break
            store.asked_again(db, [(held.seq, party)])
            if outcome is not None:
                node.record(Act.PRODUCT_CONSIDERED, _considered(held, [outcome]))
                store.replace_outcome(db, held.seq, outcome)
            if outcome is not None and draft is not None:
                _queue(node, db, (held, {party: outcome}, draft))
    return len(asked)


def _queue(node: Node, db: Connection, drafted: _Drafted) -> None:
    """Queue one release, or let it go where it was stopped."""
    held, outcomes, draft = drafted
    outcome = outcomes[draft.recipient]
    if not store.known_in_outbox(db, [draft.release_id]):
        node.record(Act.PRODUCT_RELEASED, _released(held, outcomes, draft))
        store.add_to_outbox(db, [_row(held, outcomes, draft)])
    _keep_custody(node, db, [drafted])
    if isinstance(outcome, Tearline):
        mosaic.tell(node, db, draft.recipient, draft.release_id, outcome.portions)
    _let_go(node, db, [draft.release_id])


def _keep_custody(node: Node, db: Connection, drafts: Sequence[_Drafted]) -> None:
    """Write down what was signed of these, and on which consents they rest: of those queued before too."""
    given = []
    for held, outcomes, draft in drafts:
        outcome = outcomes[draft.recipient]
        given.append((outcome.label if isinstance(outcome, Tearline) else held.product.label, draft))
        if consents := rests_on(draft):
            store.rest_on(db, draft.release_id, msgspec.json.encode(draft), consents)
    custody.keep_given(node, db, given)


def _let_go(node: Node, db: Connection, releases: Collection[str]) -> None:
    """Those of these that were stopped go after all: the gate has said so."""
    if continued := store.settle_stopped(db, releases, go=True):
        node.record(Act.RELEASES_CONTINUED, {"releases": continued})


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
    node: Node,
    held: store.Held,
    outcomes: dict[Party, Outcome],
    party: Party,
    now: datetime,
    permit: Permit,
) -> deliver.Draft | None:
    """The draft for a partner that gets something, under its custody.

    What cannot be written goes to an officer instead; what lacks custody or consent is withheld.
    """
    outcome = outcomes[party]
    if not isinstance(outcome, Whole | Tearline):
        return None
    try:
        product = permit.product_for(held.product, party)
        draft = deliver.compose(product, outcome, node=node.identity, issued=node.tick(now))
    except (BadInput, Refused):
        outcomes[party] = Refer(partner=party, reasons=(Reason(check=7, code="release.not-composed"),))
        return None
    if missing := permit.missing(product, outcome, draft):
        outcomes[party] = Withhold(partner=party, reasons=(Reason(check=7, code=missing),))
        return None
    return draft


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
        **({"consents": [serial for _, serial in rests]} if (rests := rests_on(draft)) else {}),
    }

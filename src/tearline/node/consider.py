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
from tearline.node import custody, forms, mosaic, recall, references, referral, shadow
from tearline.node.consent import ask_for
from tearline.node.marks import Marker
from tearline.node.opened import Node
from tearline.node.permits import Permit, permits, rests_on
from tearline.node.protect import Guard, VaultShut
from tearline.node.recalled import Recalled, Revisions, note_changed_markings
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
    Withhold,
)

_Answer = tuple[store.Held, dict[Party, Outcome]]

DECISIONS = 2_000
"""Decisions, products times partners, in one transaction."""
STOPPED = 500
"""Stopped releases in one transaction."""


def consider(node: Node) -> int:
    """Let the gate answer for the next products; returns how many. What may go is in the outbox then.

    While the vault is shut, or does not answer, everything waits but recalls: `node.held_up` says why, in one
    sentence.
    """
    done = recall.attend(node) + referral.attend(node)
    node.refresh()
    try:
        with Guard(node) as guard:
            done += _ask_about_stopped(node, guard) + _consider_next(node, guard)
    except VaultShut as error:
        node.held_up = str(error)
        return done
    node.held_up = ""
    return done


def _consider_next(node: Node, guard: Guard) -> int:
    now = node.clock()
    partners = list(node.partners.values())
    with node.reading() as db:
        late = store.due(db, store.stamp(now), STOPPED)
        waiting = [] if late else _one_telling(store.pending(db, 1 + DECISIONS // (1 + len(partners))))
    if changed := note_changed_markings(node, [held.product for held in waiting]):
        return changed
    with node.reading() as db:
        revisions = Revisions(db, waiting)
        waiting = [held for held in waiting if held.seq not in revisions.unsettled()]
        around = references.circle(db, late, waiting)
    if not (late or waiting):
        return 0
    answers, exposures, allowed = _answers(
        node, guard, waiting, {held.seq: partners for held in waiting}, now
    )
    wishes = _wishes(node, answers, exposures, partners, allowed)
    seen = shadow.observe(node, answers, exposures, partners, now, allowed)
    parked_for = {seq: [node.partners[each] for each in sorted(its)] for seq, its in around.parties().items()}
    parked = list(around.products.values())
    again, exposures_again, allowed_again = _answers(node, guard, parked, parked_for, now)
    allowed = {**allowed, **allowed_again}
    marker = Marker(node, guard, [*waiting, *parked], [*exposures, *exposures_again])
    drafts, called = (_drafts(node, guard, marker, each, now, allowed) for each in (answers, again))
    order, known = _ordered(node, guard, drafts, called, around, now)
    announced = [
        (held, outcomes, revisions.announced(held.seq, draft)) for held, outcomes, draft in order.going
    ]
    going = _under_custody(node, announced, allowed)
    told = [found for found in (*drafts, *called) if found[2].release_id in known]
    by_seq = {held.seq: outcomes for held, outcomes in (*answers, *again)}
    references.mark_waiting(order.parked, by_seq)
    without_file = forms.park(
        forms.waiting(node, answers, again, around, (*drafts, *called), now), order, by_seq
    )
    for held, outcomes in (*answers, *again):
        allowed[held.seq].withhold(held.product, outcomes)
    with node.writing() as db:
        if store.generation(db) != node.generation or _resolved_meanwhile(db, waiting):
            return len(waiting) + len(late)  # what the gate was asked about is no longer so: ask it again
        # Two versions can have one tearline: it is released once.
        fresh = {found[2].release_id: found for found in going}.values()
        _keep_outcomes(node, db, answers, again, order)
        for held, outcomes, draft in fresh:
            node.record(Act.PRODUCT_RELEASED, _released(held, outcomes, draft) | marker.told(draft))
        store.add_to_outbox(db, [_row(held, outcomes, draft) for held, outcomes, draft in fresh])
        marker.keep(db, fresh)
        references.keep(db, order, [held.seq for held in waiting])
        forms.keep_waiting(db, without_file)
        queued = _under_custody(node, _as_queued(db, told), allowed)
        _keep_custody(node, db, [*fresh, *queued], marker)
        for _, outcomes, draft in (*fresh, *told):  # those too: what is known of it may be more now
            if isinstance(outcome := outcomes[draft.recipient], Tearline):
                mosaic.tell(node, db, draft.recipient, draft.release_id, outcome.portions)
        _let_go(node, db, known)
        _revive(node, db, known)
        revisions.settle(db, _by_product([*going, *(each for each in drafts if each[2].release_id in known)]))
        for received_as, parties in wishes:
            ask_for(node, db, received_as, parties)
        shadow.keep(db, seen)
        store.mark_considered(db, [held.seq for held in waiting])
    return len(waiting) + len(late)


def _keep_outcomes(
    node: Node,
    db: Connection,
    answers: Sequence[_Answer],
    again: Sequence[_Answer],
    order: references.Order,
) -> None:
    """Record the answers, and of those that were parked what is settled now."""
    for held, outcomes in answers:
        node.record(Act.PRODUCT_CONSIDERED, _considered(held, outcomes.values()))
    for held, outcomes in again:
        settled = [outcomes[party] for party in sorted(outcomes) if (party, held.seq) in order.settled]
        if settled:
            node.record(Act.PRODUCT_CONSIDERED, _considered(held, settled))
        for outcome in settled:
            store.replace_outcome(db, held.seq, outcome)
    store.add_outcomes(
        db, [(held.seq, outcome) for held, outcomes in answers for outcome in outcomes.values()]
    )


def _answers(
    node: Node,
    guard: Guard,
    waiting: Sequence[store.Held],
    partners: Mapping[int, Sequence[Partner]],
    now: datetime,
) -> tuple[list[_Answer], list[Exposure], dict[int, Permit]]:
    """The gate's answers about products, each for its partners, and what it was told that they show."""
    with node.reading() as db:
        allowed = permits(node, db, waiting, now)
    exposures = guard.exposures(waiting)
    with node.reading() as db:
        recalled = Recalled(db, [held.product for held in waiting])
    answers = []
    for held, exposure in zip(waiting, exposures, strict=True):
        product, its = held.product, partners[held.seq]
        from_whom = recalled.of(product, [each.party for each in its])
        outcomes = allowed[held.seq].judge(product, its, node.rules, now, exposure, from_whom)
        answers.append((held, outcomes))
    return answers, exposures, allowed


def _drafts(
    node: Node,
    guard: Guard,
    marker: Marker,
    answers: Iterable[_Answer],
    now: datetime,
    allowed: Mapping[int, Permit],
) -> list[Drafted]:
    """The drafts of what may go, with all that they refer to, each with the marks of its recipient."""
    drafts = [
        (held, outcomes, draft)
        for held, outcomes in answers
        for party in list(outcomes)
        if (draft := _compose(node, held, outcomes, party, now, allowed[held.seq]))
    ]
    return _unless_betraying(guard, marker, marker.put(_anew(node, drafts, now, allowed)))


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
        known = store.known_in_outbox(db, [draft.release_id for _, _, draft in (*drafts, *called)])
        called = [found for found in called if found[2].release_id not in known]
        fresh = [found for found in drafts if found[2].release_id not in known]
        objects = {held.seq: draft.object for held, _, draft in (*fresh, *called)}
        refs = {ref for item in objects.values() for ref in deliver.mentioned(item)}
        named = references.Named(db, [*fresh, *called], let_go)
        order = references.Order(node.identity, store.given(db, refs), around, named, now)
    late_first = {key: number for number, key in enumerate(around.parked)}
    order.run(fresh, sorted(called, key=lambda found: late_first[found[2].recipient, found[0].seq]))
    return order, known


def _anew(
    node: Node, drafts: Sequence[Drafted], now: datetime, allowed: Mapping[int, Permit]
) -> list[Drafted]:
    """The drafts; a tearline that was recalled from its partner before goes as another object."""
    with node.reading() as db:
        spent = store.spent(db, [draft.release_id for _, _, draft in drafts])
    if not spent:
        return list(drafts)
    kept = [drafted for drafted in drafts if drafted[2].release_id not in spent]
    again = [
        (held, outcomes, anew)
        for held, outcomes, draft in drafts
        if (after := spent.get(draft.release_id))
        and (anew := _compose(node, held, outcomes, draft.recipient, now, allowed[held.seq], after))
        and anew.release_id != draft.release_id
    ]
    return kept + _anew(node, again, now, allowed)


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


def _unless_betraying(guard: Guard, marker: Marker, drafts: Sequence[Drafted]) -> list[Drafted]:
    """The last look (law 2): a draft in which a protected identity is found goes to an officer instead.

    Unless its marks made it: then it goes without them.
    """
    if betraying := guard.betrays([(held, draft) for held, _, draft in drafts]):
        drafts = marker.without(drafts, betraying)
        betraying = guard.betrays(
            [(held, draft) for held, _, draft in drafts if draft.release_id in betraying]
        )
    for _, outcomes, draft in drafts:
        if draft.release_id in betraying:
            reasons = (*outcomes[draft.recipient].reasons, Reason(check=7, code="source.found"))
            outcomes[draft.recipient] = Refer(partner=draft.recipient, reasons=reasons)
    return [drafted for drafted in drafts if drafted[2].release_id not in betraying]


def _under_custody(node: Node, drafts: Iterable[Drafted], allowed: Mapping[int, Permit]) -> list[Drafted]:
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
    recalls = [each for each in stopped if each.form == "recall"]
    with node.reading() as db:
        allowed = permits(node, db, [each.held for each in stopped], now)
        recalled = Recalled(db, [each.held.product for each in stopped])
    answers = [
        (each, *_answer_for(node, guard, each, now, allowed[each.held.seq], recalled))
        for each in stopped
        if each not in recalls
    ]
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
        drafted = [(each.held, {each.partner: outcome}, draft) for each, outcome, draft in going]
        _keep_custody(node, db, _under_custody(node, _as_queued(db, drafted), allowed))
        go = {each.release_id for each, _, _ in going}
        # A recall gives nothing: it is not for the gate, but goes when nothing keeps it back any more.
        for each in recalls:
            if not recall.must_wait(node, store.suspensions(db, each.partner), each.held.product):
                go.add(each.release_id)
        _let_go(node, db, go)
        store.settle_stopped(db, {each.release_id for each in stopped} - go, go=False)
    return len(stopped)


def _answer_for(
    node: Node, guard: Guard, stopped: store.Stopped, now: datetime, permit: Permit, recalled: Recalled
) -> tuple[Outcome, deliver.Draft | None]:
    """The gate's answer today for the partner, and what would go."""
    partner, held = node.partners[stopped.partner], stopped.held
    (exposure,) = guard.exposures([held])
    from_it = recalled.of(held.product, [partner.party])
    outcomes = permit.judge(held.product, [partner], node.rules, now, exposure, from_it)
    draft = _compose(node, held, outcomes, partner.party, now, permit)
    marker = Marker(node, guard, [held], [exposure])
    good = _unless_betraying(guard, marker, marker.put([(held, outcomes, draft)] if draft else []))
    permit.withhold(held.product, outcomes)
    return outcomes[partner.party], good[0][2] if good else None


def _by_product(drafts: Iterable[Drafted]) -> dict[tuple[int, Party], deliver.Draft]:
    return {(held.seq, draft.recipient): draft for held, _, draft in drafts}


def _as_queued(db: Connection, drafts: Iterable[Drafted]) -> list[Drafted]:
    """These as they wait in the outbox; without those that are sealed."""
    found = list(drafts)
    waiting = store.drafts(db, [draft.release_id for _, _, draft in found])
    return [
        (held, outcomes, msgspec.json.decode(waiting[draft.release_id], type=deliver.Draft))
        for held, outcomes, draft in found
        if draft.release_id in waiting
    ]


def _keep_custody(
    node: Node, db: Connection, drafts: Sequence[Drafted], marker: Marker | None = None
) -> None:
    """Write down what was signed of these, and on which consents they rest: of those queued before too."""
    given = []
    for held, outcomes, draft in drafts:
        outcome = outcomes[draft.recipient]
        own = outcome.label if isinstance(outcome, Tearline) else held.product.label
        given.append((own, draft, marker.plain(draft).object if marker else draft.object))
        if consents := rests_on(draft):
            store.rest_on(db, draft.release_id, msgspec.json.encode(draft), consents)
    custody.keep_given(node, db, given)


def _let_go(node: Node, db: Connection, releases: Collection[str]) -> None:
    """Those of these that were stopped go after all: the gate has said so.

    Not what still rests on a consent that is over: it was sealed with that one, and is kept back for good.
    """
    over = store.lapsed_among(db, store.stamp(node.clock()), releases)
    if continued := store.settle_stopped(db, set(releases) - over, go=True):
        node.record(Act.RELEASES_CONTINUED, {"releases": continued})
        store.wake(db, continued, store.stamp(node.clock()))


def _revive(node: Node, db: Connection, releases: Collection[str]) -> None:
    """Those of these that a revision cancelled go after all: the new version says the same to them."""
    if revived := store.revive(db, releases):
        node.record(Act.RELEASES_CONTINUED, {"releases": revived})


def reconsider(node: Node) -> int:
    """Let the gate answer again for all that is held: for a new partner or agreement, by an officer's act.

    What was released stays released and is not released twice. Forms that could not be made, or may not go,
    are made again where the gate asks for them. Returns how many products wait.
    """
    with node.writing() as db:
        store.forget_failed_variants(db)
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
    after: str = "",
) -> deliver.Draft | None:
    """The draft for a partner that gets something, under its custody.

    What cannot be written goes to an officer instead; what lacks custody or consent is withheld.
    """
    outcome = outcomes[party]
    if not isinstance(outcome, Whole | Tearline):
        return None
    try:
        product = permit.product_for(held.product, party)
        draft = deliver.compose(
            product,
            outcome,
            node=node.identity,
            issued=node.tick(now),
            given=deliver.EVERYTHING,
            after=after,
            content=forms.content_for(node, product, outcome, now) if deliver.is_media(product) else None,
        )
    except forms.Waits:
        return None
    except forms.Found as found:
        forms.refer(outcomes, party, found)
        return None
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

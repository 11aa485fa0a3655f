"""Referrals: what the gate leaves to an officer, and what the officer decides.

An officer can

- let the sanitized tearline go, as the gate made it or in their own words (`decide`, `Choice.TEARLINE`);
- withhold it (`Choice.WITHHOLD`);
- say that a hit of the scanner is somebody or something else (`clear`); the gate then judges anew, and the
  product goes whole where nothing else stands against it. What the scanner would *hold* takes the quorum;
- ask the originator, where the product is another's (`consent.request`).

Where an agreement in force with the partner says `four_eyes`, a tearline goes with the approvals of the
quorum.

A decision waits `undo_seconds` before it counts, and can be taken back so long; nothing of it is outside till
then. It counts for exactly what was looked at (`gate.seal`), and it never lets more go than label, agreements
and mosaic do. What goes is scanned again, as everything is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import Connection

from tearline import gate
from tearline.adapters import store
from tearline.gate import Choice, Decision
from tearline.ledger import Act
from tearline.node import officers
from tearline.node.opened import Node
from tearline.node.permits import permits
from tearline.node.protect import Guard, texts_of, told_apart
from tearline.node.recalled import Recalled
from tearline.scan import Disposition
from tearline.terms import (
    BadInput,
    Category,
    Outcome,
    Party,
    Portion,
    Product,
    Reason,
    Refer,
    Refused,
    Topic,
)

CLEAR = "clear-hits"
"""What officers approve where the scanner would hold; the subject is `PRODUCT@VERSION`."""
RELEASE = "release-tearline"
"""What officers approve where an agreement wants four eyes; the subject is `PARTY:SHA-256`,
of the decision."""
LONGEST_TEXT = 200_000
"""Code points of a tearline in an officer's words."""


class Waiting(msgspec.Struct, frozen=True):
    """A referral in the queue. `decided`: the decision that still can be undone, or that waits for the
    approval of others, if there is one."""

    number: int
    """The product's number here: the older, the lower."""
    product: str
    version: str
    originator: Party
    category: Category
    title: str
    partner: Party
    reasons: tuple[Reason, ...]
    topics: frozenset[Topic]
    created: datetime
    decided: store.Decided | None


class Found(msgspec.Struct, frozen=True):
    """A hit of the scanner, for an officer to look at: where it is, never what the vault has there."""

    id: str
    """By which `clear` takes it. Hits of one source in the same words have one."""
    source: str
    """The cryptonym."""
    disposition: Disposition
    score: float
    why: str
    """The scanner's codes (`docs/scanner.md`)."""
    text: str
    """All of the text in which it is, as it came in."""
    start: int
    end: int
    cleared: bool


class Referral(msgspec.Struct, frozen=True):
    """Everything an officer has to see of one product for one partner."""

    product: Product
    partner: Party
    outcome: Outcome
    """What the gate says of it now. Where that is no `Refer`, there is nothing to decide any more."""
    seal: str
    hits: tuple[Found, ...]

    @property
    def portions(self) -> tuple[Portion, ...]:
        """The tearline that would go; none where an officer cannot let it go."""
        return self.outcome.portions if isinstance(self.outcome, Refer) else ()


class Proposal(msgspec.Struct, frozen=True):
    """A tearline that wants four eyes, and those who approved it so far."""

    decision: Decision
    approved: frozenset[str]
    by: str
    """Who proposed it."""
    why: str
    at: str


def queue(node: Node) -> list[Waiting]:
    """What waits for an officer, the oldest first."""
    with node.reading() as db:
        return _listed(store.referred(db), store.decisions(db, store.WAITING))


def page(
    node: Node,
    *,
    partner: Party | None = None,
    category: Category | None = None,
    code: str | None = None,
    after: tuple[int, Party] | None = None,
    offset: int = 0,
    limit: int,
) -> list[Waiting]:
    """What waits and nobody decided yet, the oldest first: all, or of one kind; `after`: one in the queue."""
    with node.reading() as db:
        rows = store.undecided(
            db, partner=partner, category=category, code=code, after=after, offset=offset, limit=limit
        )
        return _listed(rows, store.decisions(db, store.PROPOSED))


def counts(node: Node) -> list[store.Counted]:
    """What waits and nobody decided yet, counted by partner, category and reason."""
    with node.reading() as db:
        return store.count_undecided(db)


def undoable(node: Node, officer: str | None = None) -> list[Waiting]:
    """What was decided, by this officer or by whomever, and can still be undone; the newest first."""
    now = store.stamp(node.clock())
    with node.reading() as db:
        made = [
            each
            for each in reversed(store.decisions(db, store.WAITING))
            if each.due > now and officer in {None, each.officer}
        ]
        held = store.numbered(db, [each.product for each in made])
        rows = [store.Referred(held[each.product], each.partner, b"[]") for each in made]
        return _listed(rows, made)


def _listed(rows: Iterable[store.Referred], decisions: Iterable[store.Decided]) -> list[Waiting]:
    made = {(each.product, each.partner): each for each in decisions}
    return [
        Waiting(
            number=row.held.seq,
            product=row.held.product.id,
            version=row.held.product.version,
            originator=row.held.product.originator,
            category=row.held.product.category,
            title=row.held.product.title,
            partner=row.partner,
            reasons=msgspec.json.decode(row.reasons, type=tuple[Reason, ...]),
            topics=row.held.product.topics,
            created=row.held.product.created,
            decided=made.get((row.held.seq, row.partner)),
        )
        for row in rows
    ]


def count(node: Node) -> int:
    """How many wait for an officer: products times partners."""
    with node.reading() as db:
        return store.count_referred(db)


def number(node: Node, product_id: str, partner: Party) -> int:
    """The product's number in the queue. Raises `Refused` where it is not referred for this partner."""
    return _referred(node, product_id, partner).seq


def show(node: Node, product_id: str, partner: Party) -> Referral:
    """What an officer has to see. Raises `Refused` where nothing is referred, or the vault is shut."""
    node.refresh()
    return _look(node, _referred(node, product_id, partner), partner)


def decide(
    node: Node,
    product_id: str,
    partner: Party,
    choice: Choice,
    *,
    officer: str,
    why: str,
    seal: str | None = None,
    texts: Sequence[str] | None = None,
) -> store.Decided:
    """Take an officer's decision. It counts once the time to undo it is over.

    `seal`: of the referral that the officer saw; where it has changed since, they look again. `texts`: the
    portions in the officer's words. Raises `Refused` where there is nothing to decide or the officer is none,
    `BadInput` where a text is not fit to go.
    """
    officers.must_say_why(why)
    decision = _made(node, show(node, product_id, partner), choice, seal, texts)
    held = _referred(node, product_id, partner)
    now = node.clock()
    made = {"officer": officer, "why": why, "at": store.stamp(now)}
    due = store.stamp(now + timedelta(seconds=node.home.config.undo_seconds))
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        by = {officer}
        if choice is Choice.TEARLINE and wants_four_eyes(node, partner):
            by |= officers.must_be_approved(node, db, act=RELEASE, subject=_subject(partner, decision))
        about = {"product": product_id, "version": held.product.version, "partner": partner}
        node.record(
            Act.REFERRAL_DECIDED,
            about
            | {"choice": choice.value, "seal": decision.seal, "reworded": texts is not None}
            | {"officers": sorted(by), "why": why, "due": due},
        )
        number = store.add_decision(db, held.seq, partner, store.encode(decision), **made, due=due)
    return store.Decided(
        number, held.seq, partner, store.encode(decision), officer, why, made["at"], due, "waiting"
    )


def wants_four_eyes(node: Node, partner: Party) -> bool:
    """Whether an agreement in force with a partner lets a referred tearline go with the quorum only."""
    now = node.clock()
    return any(
        agreement.four_eyes
        and partner in agreement.parties
        and agreement.bounds[0] <= now < agreement.bounds[1]
        for agreement in node.agreements
    )


def release_subject(
    node: Node, product_id: str, partner: Party, *, seal: str | None, texts: Sequence[str] | None = None
) -> str:
    """What officers approve who let this tearline go, in these words. Raises as `decide` does."""
    made = _made(node, show(node, product_id, partner), Choice.TEARLINE, seal, texts)
    return _subject(partner, made)


def propose(
    node: Node,
    product_id: str,
    partner: Party,
    approval: store.Approval,
    *,
    why: str,
    seal: str | None,
    texts: Sequence[str] | None = None,
) -> frozenset[str]:
    """Approve a tearline that wants four eyes; returns who did so far.

    With the quorum it can be decided. Until then it is kept, so that the others see what they are asked to
    approve. `approval`: of `release_subject`. Raises as `decide` does.
    """
    decision = _made(node, show(node, product_id, partner), Choice.TEARLINE, seal, texts)
    if (approval.act, approval.subject) != (RELEASE, subject := _subject(partner, decision)):
        raise Refused("the approval is of something else: look at it again")
    held, body = _referred(node, product_id, partner), store.encode(decision)
    with node.writing() as db:
        officers.take_approval(node, db, approval, why)
        given = officers.standing(node, db, act=RELEASE, subject=subject)
        known = {each.body for each in _proposals(db, held, partner)}
        if len(given) < officers.quorum(node) and body not in known:
            made = {"officer": approval.officer, "why": why, "at": store.stamp(node.clock()), "due": ""}
            store.add_decision(db, held.seq, partner, body, **made, state=store.PROPOSED)
    return given


def proposed(node: Node, product_id: str, partner: Party, *, seal: str) -> Proposal | None:
    """The tearline that waits for the approval of further officers; none where it is not of this `seal`."""
    held = _referred(node, product_id, partner)
    with node.reading() as db:
        for each in _proposals(db, held, partner):
            decision = msgspec.json.decode(each.body, type=Decision)
            if decision.seal == seal:
                given = officers.standing(node, db, act=RELEASE, subject=_subject(partner, decision))
                return Proposal(decision, given, each.officer, each.why, each.at)
    return None


def _proposals(db: Connection, held: store.Held, partner: Party) -> list[store.Decided]:
    made = store.decisions(db, store.PROPOSED)
    return [each for each in made if (each.product, each.partner) == (held.seq, partner)]


def _subject(partner: Party, decision: Decision) -> str:
    """What is approved is this tearline in these words."""
    return f"{partner}:{sha256(store.encode(decision)).hexdigest()}"


def undo(node: Node, number: int, *, officer: str) -> None:
    """Take a decision back. Raises `Refused` once it counts: what went is recalled, not undone."""
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        known = {each.id: each for each in store.decisions(db)}
        if number not in known:
            raise Refused(f"there is no decision {number}")
        if known[number].state != "waiting" or known[number].due <= store.stamp(node.clock()):
            raise Refused("it cannot be undone any more: recall what went, or decide anew")
        node.record(Act.DECISION_UNDONE, {"decision": number, "officer": officer})
        store.set_decision(db, number, store.UNDONE)


def clear(
    node: Node, product_id: str, partner: Party, hits: Collection[str], *, officer: str, why: str
) -> int:
    """Say of hits in a product that they are none of the source's; returns how many that were.

    `hits`: ids of `Found`. It holds for this version of the product alone, for all partners; the gate judges
    it anew. Raises `Refused` where a hit is not there, or the quorum has not approved what would be held.
    """
    officers.must_say_why(why)
    referral = show(node, product_id, partner)
    found = {hit.id: hit for hit in referral.hits if hit.id in set(hits)}
    if missing := set(hits) - found.keys():
        raise Refused(f"there is no hit {min(missing)[:12]} in it: look at it again")
    held = _referred(node, product_id, partner)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        by = {officer}
        if any(hit.disposition is Disposition.HOLD for hit in found.values()):
            by |= officers.must_be_approved(node, db, act=CLEAR, subject=subject(held.product))
        entry = {"product": product_id, "version": held.product.version, "hits": sorted(found)}
        sources = sorted({hit.source for hit in found.values()})
        node.record(Act.HITS_CLEARED, entry | {"sources": sources, "officers": sorted(by), "why": why})
        store.clear(db, held.seq, found, officers=" ".join(sorted(by)), why=why, at=store.stamp(node.clock()))
        store.consider_again(db, held.seq)
    return len(found)


def subject(product: Product) -> str:
    """What officers approve who clear hits that would be held."""
    return f"{product.id}@{product.version}"


def attend(node: Node) -> int:
    """Let the decisions count that can no longer be undone; returns how many those are."""
    now = store.stamp(node.clock())
    with node.reading() as db:
        if not store.decisions_due(db, now):
            return 0
    with node.writing() as db:
        due = store.decisions_due(db, now)
        for number, _, _ in due:
            store.set_decision(db, number, store.STANDING)
        store.ask_again(db, [(product, partner) for _, product, partner in due])
    return len(due)


# --- Looking --------------------------------------------------------------------------------------


def _referred(node: Node, product_id: str, partner: Party) -> store.Held:
    with node.reading() as db:
        rows = [row for row in store.referred(db, product_id) if row.partner == partner]
    if not rows:
        raise Refused(f"{product_id} is not referred for {partner}: `tearline referral list` tells what is")
    return rows[-1].held


def _look(node: Node, held: store.Held, partner: Party) -> Referral:
    """Ask the gate as the worker does, without the decisions that wait."""
    now, product = node.clock(), held.product
    with Guard(node) as guard:
        (exposure,) = guard.exposures([held])
        texts = texts_of(product)
        found = guard.hits(texts)
    with node.reading() as db:
        permit = permits(node, db, [held], now)[held.seq]
        recalled = Recalled(db, [product])
        known = store.cleared(db, [held.seq]).get(held.seq, frozenset())
        (kept,) = (row for row in store.referred(db, product.id) if row.partner == partner)
    asked = permit.judge(
        product, [node.partners[partner]], node.rules, now, exposure, recalled.of(product, [partner])
    )
    outcome = asked[partner]
    if not isinstance(outcome, Refer):
        # It was referred after the gate had let it go: by the last scan, or because it could not be written.
        reasons = msgspec.json.decode(kept.reasons, type=tuple[Reason, ...])
        outcome = Refer(partner=partner, reasons=reasons)
    hits = tuple(
        Found(
            id=(name := told_apart(node, held, text, hit)),
            source=hit.id,
            disposition=hit.disposition,
            score=hit.score,
            why=hit.why,
            text=text,
            start=hit.start,
            end=hit.end,
            cleared=name in known,
        )
        for text, its in zip(texts, found, strict=True)
        for hit in its
        if hit.disposition is not Disposition.NOTE
    )
    return Referral(product, partner, outcome, gate.seal(product, outcome), hits)


def _made(
    node: Node, referral: Referral, choice: Choice, seal: str | None, texts: Sequence[str] | None
) -> Decision:
    """The decision, where it can be made."""
    if not isinstance(referral.outcome, Refer):
        named = f"{referral.product.id} is no longer referred for {referral.partner}"
        raise Refused(f"{named}: the gate answers otherwise now")
    if seal is not None and seal != referral.seal:
        raise Refused("it has changed since it was shown: look at it again")
    if choice is Choice.TEARLINE:
        _must_be_fit(node, referral, texts)
    return Decision(choice=choice, seal=referral.seal, texts=None if texts is None else tuple(texts))


def _must_be_fit(node: Node, referral: Referral, texts: Sequence[str] | None) -> None:
    """Raises where what is to go cannot: nothing to go, other portions, or a protected identity in it."""
    if not referral.portions:
        codes = ", ".join(sorted({each.code for each in referral.outcome.reasons if not each.clause}))
        raise Refused(
            f"no tearline can be let go ({codes}): clear the hits if they are wrong, or withhold it"
        )
    if texts is None:
        return
    if len(texts) != len(referral.portions):
        raise BadInput("the text", "", f"it has {len(texts)} portions and not {len(referral.portions)}")
    if sum(map(len, texts)) > LONGEST_TEXT or not all(text.strip() for text in texts):
        raise BadInput("the text", "", "a portion is empty, or it is too long")
    with Guard(node) as guard:
        if any(guard.finds(text) for text in texts):
            raise Refused("a protected identity stands in the new text: nothing was decided")

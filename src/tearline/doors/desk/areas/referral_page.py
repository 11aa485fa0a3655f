"""One referral as it is shown: what was found, hidden; and the tearline that would go, beside the product."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tearline import node as nodes
from tearline.doors.desk.compare import TextPiece, compared, pieces, places
from tearline.doors.desk.endpoint import At
from tearline.gate import CODES
from tearline.node import consent, mosaic, referral
from tearline.node.masked import Masked, masked, numbered
from tearline.scan import CODES as HIT_CODES
from tearline.scan import Disposition
from tearline.terms import Category, Label, Marking, Party, Quarantine, Reason, Refer, Topic


class QueueReason(msgspec.Struct, frozen=True):
    """Why. `clause`: `AGREEMENT/CLAUSE`, where one is responsible."""

    code: str
    says: str
    clause: str
    detail: str


class ReferralHit(msgspec.Struct, frozen=True, kw_only=True):
    """What the scanner found. `why`: its codes, with what they mean."""

    number: int
    id: str
    source: str
    disposition: Disposition
    score: float
    why: tuple[tuple[str, str], ...]
    cleared: bool


class ReferralLine(msgspec.Struct, frozen=True, kw_only=True):
    """A portion, and what would go of it: `tearline` is None where nothing does."""

    mark: str
    role: str
    original: tuple[TextPiece, ...]
    tearline: tuple[TextPiece, ...] | None
    text: str
    """What would go, as it stands or as it was proposed."""


class ReferralField(msgspec.Struct, frozen=True):
    """A text of a product without portions, by the path that leads to it."""

    path: str
    text: tuple[TextPiece, ...]


class ReferralProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A tearline that was approved and waits for another officer; `reworded`: in that officer's words."""

    by: str
    why: str
    at: str
    reworded: bool
    approved: tuple[str, ...]
    mine: bool
    """Whether the person who looks has approved it."""


class ReferralConsent(msgspec.Struct, frozen=True):
    """What the originator was asked, and says: `granted`, `refused`, or nothing yet."""

    at: str
    answer: str | None


class ReferralPage(msgspec.Struct, frozen=True, kw_only=True):
    product: str
    version: str
    number: int
    partner: Party
    originator: Party
    category: Category
    created: datetime
    title: tuple[TextPiece, ...]
    urgent: bool
    topics: tuple[str, ...]
    regions: tuple[str, ...]
    mark: str
    """The marking as it came in; of a tearline the label says it."""
    seal: str
    """Of what is shown: a decision is on exactly this."""
    open: bool
    """False where the gate answers otherwise by now: there is nothing to decide."""
    reasons: tuple[QueueReason, ...]
    hits: tuple[ReferralHit, ...]
    lines: tuple[ReferralLine, ...]
    fields: tuple[ReferralField, ...]
    has_tearline: bool
    exposed: tuple[mosaic.Left, ...]
    """Of the sources that the tearline (without one: the product) tells facts about."""
    quorum: int
    four_eyes: bool
    proposal: ReferralProposal | None
    clear_approved: tuple[str, ...]
    """Who approved that hits are cleared which would be held."""
    can_ask: bool
    asked: ReferralConsent | None
    undo_seconds: float


def page_of(at: At, product_id: str, partner: Party) -> ReferralPage:
    node = at.node
    found = referral.show(node, product_id, partner)
    product, texts = found.product, masked(found.product, found.hits)
    proposal = referral.proposed(node, product_id, partner, seal=found.seal)
    asked = consent.asked_about(node, product_id, partner)
    clearing = nodes.approvers(node, act=referral.CLEAR, subject=referral.subject(product))
    return ReferralPage(
        product=product.id,
        version=product.version,
        number=referral.number(node, product_id, partner),
        partner=partner,
        originator=product.originator,
        category=product.category,
        created=product.created,
        title=pieces(texts.title),
        urgent=Topic.THREAT_TO_LIFE in product.topics,
        topics=tuple(sorted(product.topics)),
        regions=tuple(sorted(product.regions)),
        mark=mark_of(product.marking, product.label),
        seal=found.seal,
        open=isinstance(found.outcome, Refer),
        reasons=reasons_of(found.outcome.reasons),
        hits=_hits(found),
        lines=tuple(_lines(found, texts, proposal)),
        fields=tuple(ReferralField(path, pieces(text)) for path, text in texts.fields),
        has_tearline=bool(found.portions),
        exposed=tuple(mosaic.left_after(node, found.portions or product.portions, partner)),
        quorum=nodes.quorum(node),
        four_eyes=referral.wants_four_eyes(node, partner),
        proposal=_proposal(proposal, at.person.name),
        clear_approved=tuple(sorted(clearing)),
        can_ask=product.originator != node.party,
        asked=None if asked is None else ReferralConsent(asked.at, asked.answer),
        undo_seconds=node.home.config.undo_seconds,
    )


def mark_of(marking: Marking | None, label: Label | Quarantine) -> str:
    """A marking as it came in; of what has none, nothing."""
    if marking is not None:
        return marking.text.strip()
    return label.mark if isinstance(label, Quarantine) else ""


def _hits(found: referral.Referral) -> tuple[ReferralHit, ...]:
    numbers, told = numbered(found.hits), dict[str, ReferralHit]()
    for hit in found.hits:
        why = tuple((code, HIT_CODES.get(code, "")) for code in hit.why.split(","))
        row = ReferralHit(
            number=numbers[hit.id],
            id=hit.id,
            source=hit.source,
            disposition=hit.disposition,
            score=hit.score,
            why=why,
            cleared=hit.cleared,
        )
        if hit.id not in told or told[hit.id].score < hit.score:
            told[hit.id] = row
    return tuple(told.values())


def _lines(found: referral.Referral, texts: Masked, proposal: referral.Proposal | None) -> list[ReferralLine]:
    product, goes = found.product, dict[int, str]()
    told = None if proposal is None else proposal.decision.texts
    for number, at in enumerate(places(product.portions, found.portions)):
        goes[at] = found.portions[number].text if told is None else told[number]
    lines = []
    for at, (portion, text) in enumerate(zip(product.portions, texts.portions, strict=True)):
        beside = compared(text, goes[at]) if at in goes else (pieces(text), None)
        lines.append(
            ReferralLine(
                mark=mark_of(portion.marking, portion.label),
                role=portion.role.value,
                original=beside[0],
                tearline=beside[1],
                text=goes.get(at, ""),
            )
        )
    return lines


def _proposal(found: referral.Proposal | None, person: str) -> ReferralProposal | None:
    return (
        None
        if found is None
        else ReferralProposal(
            by=found.by,
            why=found.why,
            at=found.at,
            reworded=found.decision.texts is not None,
            approved=tuple(sorted(found.approved)),
            mine=person in found.approved,
        )
    )


def reasons_of(reasons: tuple[Reason, ...]) -> tuple[QueueReason, ...]:
    """What speaks against it first: the clauses that permit it stand last."""
    said = [QueueReason(each.code, CODES.get(each.code, ""), each.clause, each.detail) for each in reasons]
    return tuple(dict.fromkeys(sorted(said, key=lambda each: each.code.startswith("agreement."))))

"""The queue: what the gate leaves to an officer, one referral after the other, one key for each decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec

from tearline import node as nodes
from tearline.adapters.store import Decided
from tearline.doors.desk.areas.referral_page import QueueReason, ReferralPage, page_of, reasons_of
from tearline.doors.desk.endpoint import N_, Area, At
from tearline.doors.desk.person import OFFICERS, Role
from tearline.gate import Choice
from tearline.node import consent, referral
from tearline.scan import Disposition
from tearline.terms import BadInput, Category, Party, Refused, Topic

area = Area("referrals", title=N_("Queue"), path="/referrals", order=10, key="q")
LOOKERS = OFFICERS | {Role.SOURCE_HANDLER}
ROWS = 50
"""On a page of the queue."""
_Page = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class QueueAsked(msgspec.Struct, frozen=True, kw_only=True):
    partner: Party | None = None
    category: Category | None = None
    code: str | None = None
    """The code of the reason that decides."""
    page: _Page = 1


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    product: str
    version: str
    partner: Party
    originator: Party
    category: Category
    title: str
    created: datetime
    """The product's own date."""
    urgent: bool
    """Whether it is about a threat to life."""
    reasons: tuple[QueueReason, ...]
    proposed_by: str
    """Who approved a tearline of it that waits for another officer; empty where nobody did."""


class Undoable(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of one's own that can still be undone."""

    number: int
    product: str
    partner: Party
    title: str
    choice: Choice
    seconds: int


class QueueChoice(msgspec.Struct, frozen=True):
    """What the queue can be narrowed to, and how many there are of it."""

    value: str
    count: int


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for an officer, the oldest first. `total`: of what was asked for."""

    rows: tuple[QueueRow, ...]
    total: int
    all: int
    pages: int
    partners: tuple[QueueChoice, ...]
    categories: tuple[QueueChoice, ...]
    codes: tuple[QueueChoice, ...]
    undoable: tuple[Undoable, ...]


@area.shows("/referrals", "referrals/queue.html", roles=LOOKERS)
def queue(at: At, asked: QueueAsked) -> Queue:
    """What waits for an officer, the oldest first, and what can still be undone."""
    kinds = referral.counts(at.node)
    wanted = {"partner": asked.partner, "category": asked.category, "code": asked.code}
    total = sum(
        each.number
        for each in kinds
        if all(value in {None, getattr(each, name)} for name, value in wanted.items())
    )
    rows = referral.page(
        at.node,
        partner=asked.partner,
        category=asked.category,
        code=asked.code,
        offset=ROWS * (asked.page - 1),
        limit=ROWS,
    )
    return Queue(
        rows=tuple(map(_row, rows)),
        total=total,
        all=sum(each.number for each in kinds),
        pages=max(1, -(-total // ROWS)),
        partners=_choices((each.partner, each.number) for each in kinds),
        categories=_choices((each.category, each.number) for each in kinds),
        codes=_choices((each.code, each.number) for each in kinds),
        undoable=_undoable(at),
    )


def _row(each: referral.Waiting) -> QueueRow:
    return QueueRow(
        product=each.product,
        version=each.version,
        partner=each.partner,
        originator=each.originator,
        category=each.category,
        title=each.title,
        created=each.created,
        urgent=Topic.THREAT_TO_LIFE in each.topics,
        reasons=reasons_of(each.reasons),
        proposed_by="" if each.decided is None else each.decided.officer,
    )


def _choices(found: Iterable[tuple[str, int]]) -> tuple[QueueChoice, ...]:
    counted: dict[str, int] = {}
    for value, count in found:
        counted[value] = counted.get(value, 0) + count
    return tuple(QueueChoice(value, count) for value, count in sorted(counted.items()))


def _undoable(at: At) -> tuple[Undoable, ...]:
    now = at.node.clock()
    return tuple(
        Undoable(
            number=each.decided.id,
            product=each.product,
            partner=each.partner,
            title=each.title,
            choice=msgspec.json.decode(each.decided.body, type=_Made).choice,
            seconds=max(0, int((datetime.fromisoformat(each.decided.due) - now).total_seconds())),
        )
        for each in referral.undoable(at.node, at.person.name)
        if each.decided is not None
    )


class _Made(msgspec.Struct, frozen=True):
    choice: Choice


# --- One referral ---------------------------------------------------------------------------------


class ReferralAsked(msgspec.Struct, frozen=True, kw_only=True):
    product: str
    partner: Party


class NextAsked(msgspec.Struct, frozen=True, kw_only=True):
    after: int = 0
    """The number of the product before it in the queue."""
    partner: Party = ""


class ReferralOpened(msgspec.Struct, frozen=True, kw_only=True):
    """`referral`: none where nothing waits."""

    referral: ReferralPage | None
    waiting: int
    undoable: tuple[Undoable, ...]


@area.shows("/referrals/next", "referrals/one.html", roles=LOOKERS)
def following(at: At, asked: NextAsked) -> ReferralOpened:
    """The next referral in the queue; after the last the first."""
    found = referral.page(at.node, after=(asked.after, asked.partner), limit=1)
    found = found or referral.page(at.node, limit=1)
    return _opened(at, found[0].product, found[0].partner) if found else _opened(at, None, "")


@area.shows("/referrals/{product}/{partner}", "referrals/one.html", roles=LOOKERS)
def show(at: At, asked: ReferralAsked) -> ReferralOpened:
    """One referral: why, what was found (hidden), and the tearline that would go beside the product."""
    return _opened(at, asked.product, asked.partner)


def _opened(at: At, product: str | None, partner: Party) -> ReferralOpened:
    waiting = sum(each.number for each in referral.counts(at.node))
    shown = None if product is None else page_of(at, product, partner)
    return ReferralOpened(referral=shown, waiting=waiting, undoable=_undoable(at))


# --- Deciding -------------------------------------------------------------------------------------


class Deciding(msgspec.Struct, frozen=True, kw_only=True):
    """`seal`: of what was seen; where it has changed since, nothing is decided."""

    product: str
    partner: Party
    why: str = ""
    seal: str


class TearlineAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`texts`: what is to go, one for each portion of the tearline; as it stands where none are given.
    `portions`: how many texts were shown, so that none that was emptied is taken for one that was not given.
    `passphrase`: of the officer's key, where an agreement wants four eyes."""

    product: str
    partner: Party
    why: str = ""
    seal: str
    texts: tuple[str, ...] = ()
    portions: int = 0
    passphrase: str = ""


class ClearAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`hits`: the ids of those that are somebody or something else. `passphrase`: of the officer's key, where
    one of them would be held."""

    product: str
    partner: Party
    why: str = ""
    hits: tuple[str, ...] = ()
    passphrase: str = ""


class AskAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`why`: the originator reads it."""

    product: str
    partner: Party
    why: str = ""


class DecidedHere(msgspec.Struct, frozen=True, kw_only=True):
    """`decision`: its number, by which it can be undone; none while it waits for the approval of others, and
    of what cannot be undone. `approved` of `needed` officers said yes."""

    number: int
    """The product's, in the queue."""
    decision: int | None
    due: str
    """From when on it counts, RFC 3339; empty where there is no decision."""
    approved: int = 1
    needed: int = 1


_NEXT = "/referrals/next?after={number}&partner={partner}"


@area.does(
    "/referrals/{product}/{partner}/tearline",
    roles=OFFICERS,
    then=_NEXT,
    says=N_("The tearline for {partner}: {approved} of {needed} officers said yes."),
)
def tearline(at: At, asked: TearlineAsked) -> DecidedHere:
    """Let the tearline go, as it stands or in other words. Where an agreement wants four eyes it is approved;
    the last of the quorum decides."""
    node, product, partner = at.node, asked.product, asked.partner
    why, seal, texts = asked.why, asked.seal, _reworded(at, asked)
    number = referral.number(node, product, partner)
    approved = needed = 1
    if referral.wants_four_eyes(node, partner):
        subject = referral.release_subject(node, product, partner, seal=seal, texts=texts)
        approval = at.sign(referral.RELEASE, subject, asked.passphrase)
        given = referral.propose(node, product, partner, approval, why=why, seal=seal, texts=texts)
        approved, needed = len(given), nodes.quorum(node)
        if approved < needed:
            return DecidedHere(number=number, decision=None, due="", approved=approved, needed=needed)
    made = referral.decide(
        node, product, partner, Choice.TEARLINE, officer=at.person.name, why=why, seal=seal, texts=texts
    )
    return _made(number, made, approved, needed)


def _reworded(at: At, asked: TearlineAsked) -> tuple[str, ...] | None:
    """The officer's words; none where they are those of the tearline."""
    if not asked.texts:
        if asked.portions:
            raise BadInput("the text", "", "all of it was taken out", "withhold it, or say what is to go")
        return None
    shown = referral.show(at.node, asked.product, asked.partner)
    return None if asked.texts == tuple(each.text for each in shown.portions) else asked.texts


@area.does(
    "/referrals/{product}/{partner}/withhold",
    roles=OFFICERS,
    then=_NEXT,
    says=N_("It is withheld from {partner}."),
)
def withhold(at: At, asked: Deciding) -> DecidedHere:
    """Withhold it from this partner."""
    number = referral.number(at.node, asked.product, asked.partner)
    made = referral.decide(
        at.node,
        asked.product,
        asked.partner,
        Choice.WITHHOLD,
        officer=at.person.name,
        why=asked.why,
        seal=asked.seal,
    )
    return _made(number, made)


@area.does(
    "/referrals/{product}/{partner}/clear",
    roles=OFFICERS,
    then=_NEXT,
    says=N_(
        "The hits are cleared by {approved} of {needed} officers; with all of them the gate judges anew."
    ),
)
def clear(at: At, asked: ClearAsked) -> DecidedHere:
    """Say of hits that somebody or something else is meant: the gate judges anew, for all partners, and lets
    the product go whole where nothing else stands against it. It counts at once. Of a hit that would be held
    the quorum decides: whoever is not the last of it approves."""
    node = at.node
    found = referral.show(node, asked.product, asked.partner)
    number, approved, needed = referral.number(node, asked.product, asked.partner), 1, 1
    if not asked.hits:
        raise Refused("no hit was chosen: say which are somebody or something else")
    if any(hit.disposition is Disposition.HOLD for hit in found.hits if hit.id in asked.hits):
        needed = nodes.quorum(node)
        approval = at.sign(referral.CLEAR, referral.subject(found.product), asked.passphrase)
        approved = nodes.approve(node, approval, asked.why)
    if approved >= needed:
        referral.clear(node, asked.product, asked.partner, asked.hits, officer=at.person.name, why=asked.why)
    return DecidedHere(number=number, decision=None, due="", approved=approved, needed=needed)


@area.does(
    "/referrals/{product}/{partner}/ask",
    roles=OFFICERS,
    then=_NEXT,
    says=N_("The originator is asked whether {partner} may have it."),
)
def ask(at: At, asked: AskAsked) -> DecidedHere:
    """Ask the originator of what another gave whether this partner may have it. It waits meanwhile."""
    number = referral.number(at.node, asked.product, asked.partner)
    consent.request(at.node, asked.product, asked.partner, why=asked.why)
    return DecidedHere(number=number, decision=None, due="")


def _made(number: int, made: Decided, approved: int = 1, needed: int = 1) -> DecidedHere:
    return DecidedHere(number=number, decision=made.id, due=made.due, approved=approved, needed=needed)


class UndoAsked(msgspec.Struct, frozen=True, kw_only=True):
    number: int


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    product: str
    partner: Party


@area.does(
    "/referrals/decisions/{number}/undo",
    roles=OFFICERS,
    then="/referrals/{product}/{partner}",
    says=N_("It is undone: it waits for an officer again."),
)
def undo(at: At, asked: UndoAsked) -> Undone:
    """Take back a decision that does not count yet."""
    known = {each.decided.id: each for each in referral.undoable(at.node) if each.decided is not None}
    referral.undo(at.node, asked.number, officer=at.person.name)
    return Undone(product=known[asked.number].product, partner=known[asked.number].partner)

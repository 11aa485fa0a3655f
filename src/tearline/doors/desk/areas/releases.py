"""What one partner was given, newest first; what of it no receipt came for; and recalls."""

from __future__ import annotations

import msgspec

from tearline.adapters.store.exchange import Sent
from tearline.deliver import RecallAction, RecallKind, RecallReason
from tearline.deliver.recall import ACTIONS, FOR_REVISIONS, REASONS
from tearline.doors.desk.endpoint import N_, Area, At
from tearline.doors.desk.person import OFFICERS, OVERSIGHT
from tearline.node import exchange
from tearline.node.partner_record import age
from tearline.node.recall import recall
from tearline.node.recall_record import show
from tearline.terms import Party

MOST = 50
"""Rows on one page."""
area = Area("releases")


class ReleasesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: those with lower numbers. `unreceipted`: those alone for which no receipt came."""

    party: Party
    before: int | None = None
    unreceipted: bool = False


class ReleasedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One release. `state`: `waits`, `stopped` by a suspension, `given`, or what its receipt says: `held`,
    `quarantined`, `refused`, `recalled`, `differs`."""

    number: int
    release: str
    product: str
    version: str
    title: str
    category: str
    form: str
    given_at: str | None
    state: str
    age: str
    """Of what waits for a receipt: since when, in words."""


class PartnerReleases(msgspec.Struct, frozen=True, kw_only=True):
    """`before`: what to ask for to see the next; none at the end."""

    party: Party
    unreceipted: bool
    rows: tuple[ReleasedRow, ...]
    before: int | None


class RecallAsked(msgspec.Struct, frozen=True):
    party: Party
    product: str


class RecallForm(msgspec.Struct, frozen=True):
    """What can be said, with what it means."""

    party: Party
    product: str
    reasons: dict[str, str]
    actions: dict[str, str]


class RecallWish(msgspec.Struct, frozen=True, kw_only=True):
    """A recall of all versions of a product: from this partner alone, or from all who were given it."""

    party: Party
    product: str
    reason: RecallReason
    actions: tuple[RecallAction, ...]
    kind: RecallKind = RecallKind.SUBSTANTIVE_RECALL
    everybody: bool = False
    instruction: str = ""


class Recalled(msgspec.Struct, frozen=True):
    """`told`: partners who had it, and hear of it; the others never saw it."""

    recall: str
    told: int


@area.shows("/partners/{party}/releases", "partners/releases.html", roles=OVERSIGHT)
def releases(at: At, asked: ReleasesAsked) -> PartnerReleases:
    """What a partner was given, the newest first."""
    exchange.must_be_partner(at.node, asked.party)
    found = exchange.sent(at.node, asked.party, MOST + 1, before=asked.before, unreceipted=asked.unreceipted)
    rows = tuple(_row(at, each) for each in found[:MOST])
    return PartnerReleases(
        party=asked.party,
        unreceipted=asked.unreceipted,
        rows=rows,
        before=rows[-1].number if len(found) > MOST else None,
    )


def _row(at: At, each: Sent) -> ReleasedRow:
    state = "stopped" if each.stopped else "given" if each.delivered_at else "waits"
    state = "differs" if each.differs else each.became or state
    return ReleasedRow(
        number=each.number,
        release=each.release,
        product=each.product.id,
        version=each.product.version,
        title=each.product.title,
        category=each.product.category,
        form=each.form,
        given_at=each.delivered_at,
        state=state,
        age=age(each.delivered_at or "", at.node.clock()) if state == "given" else "",
    )


@area.shows("/partners/{party}/recall", "partners/recall.html", roles=OFFICERS)
def recall_form(at: At, asked: RecallAsked) -> RecallForm:
    """What can be said of a recall."""
    exchange.must_be_partner(at.node, asked.party)
    return RecallForm(
        asked.party,
        asked.product,
        {reason: told for reason, (told, _) in REASONS.items()},
        {action: told for action, told in ACTIONS.items() if action not in FOR_REVISIONS},
    )


@area.does(
    "/partners/{party}/recall",
    roles=OFFICERS,
    then="/partners/{party}/releases",
    says=N_("{product} is recalled ({recall}); partners who had it and hear of it: {told}."),
)
def order_recall(at: At, asked: RecallWish) -> Recalled:
    """Recall a product. From now on it goes to nobody, or not to this partner; there is no way back."""
    exchange.must_be_partner(at.node, asked.party)
    made = recall(
        at.node,
        asked.product,
        kind=asked.kind,
        reason=asked.reason,
        actions=asked.actions,
        officer=at.person.name,
        to=None if asked.everybody else (asked.party,),
        instruction=asked.instruction,
    )
    lines = show(at.node, made.id)[0].lines
    return Recalled(made.id, len({each.partner for each in lines if each.state != "never-left"}))

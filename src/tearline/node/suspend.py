"""Suspending a partner, at once (law 7): after it is on the ledger nothing in scope goes out any more.

What could still go out, and what stops it:

- **What the gate has not judged.** The suspensions in force are forbids beside the agreements
  (`Node.refresh`); what was judged without them is not queued (`consider` looks at the generation under the
  write lock).
- **What waits in the outbox.** It is stopped in the transaction of the ledger entry. `hand_over` reads what
  waits, and seals it, in one transaction of `node.db` too: so it comes before that one or finds nothing.
- **What stands in the partner's view and was never served.** It is held back there.

The order of `suspend`, so that it can be killed at any instant:

1. Take the write lock of `node.db`. Write the suspension, its ledger entry and what it stops.
2. Raise the flag `closing` in the view, and commit that: the door gives no releases now, its answers wait.
3. Commit `node.db`. Here the suspension is on the ledger, and it holds.
4. `settle`: hold back in the view what is in scope, stop its outbox rows, lower the flag.

Killed before 3, the flag is up and no suspension tells why: `settle` finds nothing to hold back, and nothing
has changed. Killed after 3, `settle` goes on where it was. The worker of a serving node settles every view
whose flag is up. The flag comes before the ledger entry, other than law 9 asks of acts: it only withholds,
for the moment that a commit takes; the other way round there would be a moment in which a suspension is on
the ledger and the door does not know.

Locks are taken in the order node.db, view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.agreement.suspension import Inbound, Scope, Suspension
from tearline.ledger import Act
from tearline.node import consent, files, officers
from tearline.node.opened import Node
from tearline.terms import BadInput, Party, Product, Refused

RESUME = "resume-partner"
"""What officers approve; the subject is `PARTY@ID`."""
CHUNK = 500
"""Releases in one transaction of a view, and in one ledger entry."""


class Standing(msgspec.Struct, frozen=True):
    """A suspension in force. `stopped`: how many releases in its scope it keeps back."""

    suspension: Suspension
    stopped: int
    approved_by: frozenset[str]
    """The officers who approved that it ends."""


def suspend(
    node: Node,
    partner: Party,
    scope: Scope,
    *,
    officer: str,
    reason: str,
    until: datetime | None = None,
    review: date | None = None,
    inbound: Inbound = Inbound.ACCEPT,
) -> Suspension:
    """Let nothing in scope go to `partner` from now on: one officer is enough.

    `until`: when it ends by itself, a whole second. Raises `Refused` where partner or officer is not known
    here, `BadInput` where `until` or `review` has passed.
    """
    node.refresh()
    if partner not in node.partners:
        raise Refused(f"{partner} is not a partner of this node")
    must_be_sound(node, reason=reason, until=until, review=review)
    suspension = Suspension(
        partner=partner,
        scope=scope,
        since=node.clock().astimezone(UTC),
        until=until,
        review=review,
        reason=reason,
        officer=officer,
        inbound=inbound,
    )
    try:
        with node.writing() as db:
            officers.must_be_officer(db, officer)
            node.record(Act.PARTNER_SUSPENDED, suspension.told() | {"suspension": suspension.id})
            store.add_suspension(db, suspension)
            consent.suspended(node, db, suspension)
            _stop(node, db, partner, _covered(store.waiting_products(db, partner), [suspension]))
            with node.view(partner).begin() as view:
                view.set_closing(True)
    finally:
        settle(node, partner)
    node.refresh()
    return suspension


def must_be_sound(node: Node, *, reason: str, until: datetime | None, review: date | None) -> None:
    """Raises `BadInput` where a suspension could not be ordered so now."""
    now = node.clock()
    if until is not None and until <= now:
        raise BadInput("--until", "", "this has passed", "give a moment to come, or none")
    if review is not None and review <= now.date():
        raise BadInput("--review", "", "this day has passed", "give a day to come")
    officers.must_say_why(reason)


def settle(node: Node, partner: Party) -> bool:
    """Hold back in a view that is closing what suspensions cover, what was recalled and what rests on a
    consent that is over; then open it.

    Tells whether it was closing.

    Each part can be repeated; a suspension that comes in between is seen before the flag is lowered.
    """
    view = node.view(partner)
    if not view.is_closing():
        return False
    while True:
        with node.reading() as db:
            generation = store.generation(db)
            standing = store.suspensions(db, partner)
            recalled = store.open_recalled(db, partner)
        _hold_back(node, partner, standing, recalled)
        files.settle(node, partner)
        with node.writing() as db:
            _stop(node, db, partner, sorted(view.held_back() - recalled))
        with node.writing() as db:
            if store.generation(db) == generation:
                with view.begin() as writer:
                    writer.set_closing(False)
                return True


def _hold_back(
    node: Node, partner: Party, standing: Sequence[Suspension], recalled: AbstractSet[str]
) -> None:
    view, after = node.view(partner), -1
    while rows := view.unserved(after, CHUNK):
        after = rows[-1][0]
        releases = [release for _, release in rows]
        with node.reading() as db:
            products = store.products_of(db, releases)
            lapsed = store.lapsed_among(db, store.stamp(node.clock()), releases)
        covered = recalled | lapsed | set(_covered(products.items(), standing))
        with view.begin() as writer:
            writer.hold_back([added for added, release in rows if release in covered])
    with view.begin() as writer:
        writer.hold_back_unnamed()


def resume(node: Node, partner: Party, suspension_id: str = "", *, officer: str, why: str) -> Suspension:
    """End a suspension that the quorum has approved to end. What it stopped goes if the gate says so today.

    Without `suspension_id` it is the only one of the partner. Raises `Refused` where that names none or
    several, or approvals are missing.
    """
    officers.must_say_why(why)
    with _settled(node, partner) as db:
        officers.must_be_officer(db, officer)
        suspension = _find(store.suspensions(db, partner), partner, suspension_id)
        subject = f"{partner}@{suspension.id}"
        given = officers.must_be_approved(node, db, act=RESUME, subject=subject)
        _end(node, db, suspension, {"officer": officer, "why": why, "approved_by": sorted(given)})
    node.refresh()
    return suspension


def end_due(node: Node) -> int:
    """End the suspensions whose end has come, as their officers ordered; returns how many."""
    over = [each for each in node.suspensions if each.until is not None and each.until <= node.clock()]
    for suspension in over:
        with _settled(node, suspension.partner) as db:
            if suspension in store.suspensions(db, suspension.partner):
                body = {"officer": suspension.officer, "why": "its end has come", "approved_by": []}
                _end(node, db, suspension, body)
    if over:
        node.refresh()
    return len(over)


def attend(node: Node) -> int:
    """What a serving node does about suspensions from time to time; returns how much it was.

    It finishes what a killed command began, holds back what rests on consents that are over, and ends what
    is due.
    """
    node.refresh()
    for partner in node.partners:
        _close_where_lapsed(node, partner)
    return sum(settle(node, partner) for partner in node.partners) + end_due(node)


def _close_where_lapsed(node: Node, partner: Party) -> None:
    """Close a view in which something was never served that rests on a consent that is over (law 4), or in
    which a file does, served or not."""
    view, after = node.view(partner), -1
    if files.has_lapsed(node, partner):
        with view.begin() as writer:
            writer.set_closing(True)
        return
    while rows := view.unserved(after, CHUNK):
        after = rows[-1][0]
        with node.reading() as db:
            lapsed = store.lapsed_among(db, store.stamp(node.clock()), [release for _, release in rows])
        if lapsed:
            with view.begin() as writer:
                writer.set_closing(True)
            return


def standing(node: Node) -> list[Standing]:
    """The suspensions in force, the oldest first."""
    with node.reading() as db:
        found = store.suspensions(db)
        stopped = {partner: list(store.stopped_products(db, partner)) for partner in _partners(found)}
    return [
        Standing(
            suspension=each,
            stopped=sum(1 for _ in _covered(stopped[each.partner], [each])),
            approved_by=officers.approvers(node, act=RESUME, subject=f"{each.partner}@{each.id}"),
        )
        for each in found
    ]


def notices(node: Node) -> list[str]:
    """What officers should hear of: suspensions that end soon, and those whose day of review has passed."""
    now = node.clock()
    announce = timedelta(days=node.home.config.announce_days)
    sentences = []
    for each in node.suspensions:
        what = f"the suspension of {each.partner} ({each.scope}, {each.id})"
        if each.until is not None and each.until - now <= announce:
            sentences.append(f"{what} ends by itself at {each.until:%Y-%m-%dT%H:%M:%SZ}")
        if each.review is not None and each.review < now.date():
            sentences.append(f"{what} should have been reviewed by {each.review}")
    return sentences


def refused_givers(node: Node) -> frozenset[Party]:
    """The partners from whom nothing is taken in at the moment: by an officer's order, or after a fork."""
    refused = [each for each in node.suspensions if each.inbound is Inbound.REFUSE]
    ordered = {each.partner for each in refused if each.until is None or node.clock() < each.until}
    return node.forked | ordered


@contextmanager
def _settled(node: Node, partner: Party) -> Iterator[Connection]:
    """A transaction in which the partner's view is settled."""
    while True:
        settle(node, partner)
        with node.writing() as db:
            if not node.view(partner).is_closing():
                yield db
                break
    files.settle(node, partner)


def _end(node: Node, db: Connection, suspension: Suspension, body: dict[str, Any]) -> None:
    asked = store.ask_about_stopped(db, suspension.partner)
    entry = {"partner": suspension.partner, "suspension": suspension.id, "asked_about": asked}
    node.record(Act.PARTNER_RESUMED, entry | body)
    store.end_suspension(db, suspension.id, store.stamp(node.clock()))
    consent.resumed(node, db, suspension)


def _stop(node: Node, db: Connection, partner: Party, releases: Iterable[str]) -> None:
    stopped = store.stop(db, list(releases))
    for start in range(0, len(stopped), CHUNK):
        some = stopped[start : start + CHUNK]
        node.record(Act.RELEASES_STOPPED, {"partner": partner, "releases": some})


def _covered(products: Iterable[tuple[str, Product]], by: Sequence[Suspension]) -> Iterator[str]:
    """The releases whose product is in the scope of one of these suspensions."""
    return (release for release, product in products if any(each.scope.covers(product) for each in by))


def _partners(found: Iterable[Suspension]) -> set[Party]:
    return {each.partner for each in found}


def _find(found: Sequence[Suspension], partner: Party, suspension_id: str) -> Suspension:
    fitting = [each for each in found if not suspension_id or each.id == suspension_id]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        which = f" by {suspension_id}" if suspension_id else ""
        raise Refused(f"{partner} is not suspended{which}")
    ids = ", ".join(f"{partner}/{each.id}" for each in fitting)
    raise Refused(f"{partner} is suspended more than once: say which of {ids}")

"""Suspensions of partners: looked at first, then ordered; and how they end.

`look` counts what one would do, and `order` applies exactly what was looked at, unless partners, agreements
or suspensions have changed since. What is released in the meantime does not count as a change: on a busy node
nobody could ever order anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from tearline.agreement.suspension import Inbound, Scope, read_moment
from tearline.doors.desk.areas.partners import OfPartner
from tearline.doors.desk.endpoint import N_, Area, At, Upload
from tearline.doors.desk.person import OFFICERS
from tearline.node import approve, exchange, quorum, suspend
from tearline.node.suspension_effect import effect
from tearline.review import requirements as requirement_files
from tearline.review.requirements import Requirement
from tearline.terms import BadInput, Category, Party, Refused, Topic

LOOK_HOLDS = timedelta(minutes=30)
"""For how long what was looked at may be ordered."""
area = Area("suspensions")


class SuspensionForm(msgspec.Struct, frozen=True):
    """What can be chosen."""

    party: Party
    name: str
    categories: tuple[Category, ...]
    topics: tuple[Topic, ...]


class SuspensionWish(msgspec.Struct, frozen=True, kw_only=True):
    """A suspension to be looked at. Neither categories nor topics: everything."""

    party: Party
    reason: str
    categories: tuple[Category, ...] = ()
    topics: tuple[Topic, ...] = ()
    until: str = ""
    """A day, or an instant with its time zone, when it ends by itself."""
    review: date | None = None
    inbound: Inbound = Inbound.ACCEPT
    requirements: Upload | None = None
    """Collection requirements (docs/review.md), to see which would be covered less."""

    @property
    def scope(self) -> Scope:
        if self.categories and self.topics:
            raise BadInput("scope", "", "it is both by category and by topic", "choose one of the two")
        return Scope(categories=frozenset(self.categories), topics=frozenset(self.topics))


class CategoryCount(msgspec.Struct, frozen=True):
    category: str
    count: int


class WithheldMonth(msgspec.Struct, frozen=True):
    """Products held that went, or would have gone, and would not any more."""

    month: str
    count: int


class LostCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement, and which share of the months it is met in, now and then: 0 to 1."""

    requirement: str
    holder: Party
    priority: int
    now: float
    then: float


class SuspensionEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What a suspension would do, and the suspension itself as it would be ordered."""

    party: Party
    scope: str
    reason: str
    until: datetime | None
    review: date | None
    inbound: Inbound
    at: datetime
    generation: int
    stopped: tuple[CategoryCount, ...]
    held_back: tuple[CategoryCount, ...]
    served: int
    consents: int
    months: tuple[WithheldMonth, ...]
    """The last of them, by when they were judged."""
    categories: tuple[CategoryCount, ...]
    """Of all time."""
    coverage: tuple[LostCoverage, ...]
    asked_coverage: bool


class SeenEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and whether it may still be ordered as it is."""

    job: str
    effect: SuspensionEffect
    holds: bool


class OfLook(msgspec.Struct, frozen=True):
    party: Party
    job: str


class Ordered(msgspec.Struct, frozen=True):
    """`stopped`: releases that were on their way."""

    id: str
    scope: str
    stopped: int


@area.shows("/partners/{party}/suspend", "partners/suspend.html", roles=OFFICERS)
def suspension_form(at: At, asked: OfPartner) -> SuspensionForm:
    """What can be chosen for a suspension."""
    exchange.must_be_partner(at.node, asked.party)
    return SuspensionForm(asked.party, at.node.partners[asked.party].name, tuple(Category), tuple(Topic))


@area.does(
    "/partners/{party}/suspend",
    roles=OFFICERS,
    slow=True,
    then="/partners/{party}/suspend/{job}",
    says=N_("What it would do to suspend {party}"),
)
def look(at: At, asked: SuspensionWish) -> SuspensionEffect:
    """Count what a suspension would do. It changes nothing."""
    scope = asked.scope
    until = read_moment("until", asked.until) if asked.until else None
    suspend.must_be_sound(at.node, reason=asked.reason, until=until, review=asked.review)
    wanted = _requirements(at, asked.requirements)
    found = effect(at.node, asked.party, scope, wanted, progress=at.progress, doing=at.doing)
    by_month, months = _summed(found.withheld, 0), exchange.last_months(found.at)
    return SuspensionEffect(
        party=asked.party,
        scope=str(scope),
        reason=asked.reason,
        until=until,
        review=asked.review,
        inbound=asked.inbound,
        at=found.at,
        generation=found.generation,
        stopped=_counts(found.stopped),
        held_back=_counts(found.held_back),
        served=found.served,
        consents=found.consents,
        months=tuple(WithheldMonth(month, by_month.get(month, 0)) for month in months),
        categories=_counts(_summed(found.withheld, 1)),
        coverage=tuple(
            LostCoverage(
                requirement=each.requirement,
                holder=each.holder,
                priority=each.priority,
                now=each.covered[0],
                then=each.covered[1],
            )
            for each in found.coverage
        ),
        asked_coverage=bool(wanted),
    )


@area.shows("/partners/{party}/suspend/{job}", "partners/effect.html", roles=OFFICERS)
def seen(at: At, asked: OfLook) -> SeenEffect:
    """What was found by looking."""
    found = _looked(at, asked)
    return SeenEffect(job=asked.job, effect=found, holds=_holds(at, found))


@area.does(
    "/partners/{party}/suspend/{job}",
    roles=OFFICERS,
    then="/partners/{party}",
    says=N_("Nothing of {scope} goes to {party} any more. Releases that were on their way: {stopped}."),
)
def order(at: At, asked: OfLook) -> Ordered:
    """Order the suspension that was looked at, exactly as it was shown. One officer is enough."""
    found = _looked(at, asked)
    if not _holds(at, found):
        raise Refused("partners, agreements or suspensions have changed since you looked: look again")
    made = suspend.suspend(
        at.node,
        found.party,
        Scope.read(found.scope),
        officer=at.person.name,
        reason=found.reason,
        until=found.until,
        review=found.review,
        inbound=found.inbound,
    )
    stopped = sum(each.stopped for each in suspend.standing(at.node) if each.suspension == made)
    return Ordered(made.id, found.scope, stopped)


def _looked(at: At, asked: OfLook) -> SuspensionEffect:
    found = at.kept(asked.job)
    if not isinstance(found, SuspensionEffect) or found.party != asked.party:
        raise Refused("this is not what a suspension of this partner would do: look again")
    return found


def _holds(at: At, found: SuspensionEffect) -> bool:
    return at.node.generation == found.generation and at.node.clock() - found.at <= LOOK_HOLDS


def _counts(found: Mapping[str, int]) -> tuple[CategoryCount, ...]:
    return tuple(CategoryCount(category, count) for category, count in sorted(found.items()))


def _summed(found: Mapping[tuple[str, str], int], place: int) -> dict[str, int]:
    """By month (0) or by category (1), in order."""
    sums = Counter[str]()
    for key, count in found.items():
        sums[key[place]] += count
    return dict(sorted(sums.items()))


def _requirements(at: At, file: Upload | None) -> tuple[Requirement, ...]:
    if file is None:
        return ()
    try:
        text = file.body.decode()
    except UnicodeDecodeError:
        raise BadInput("requirements", "", "it is not UTF-8", "save it as UTF-8 text") from None
    return requirement_files.read(text, file.name, at.node.clock().date())


# --- How one ends -----------------------------------------------------------------------------------


class EndApproval(msgspec.Struct, frozen=True):
    """An officer's yes to the end of a suspension, and the passphrase of the officer's key."""

    party: Party
    suspension: str
    why: str
    passphrase: str


class EndApproved(msgspec.Struct, frozen=True):
    """How many officers have approved, and how many must."""

    approvals: int
    quorum: int


class EndOrder(msgspec.Struct, frozen=True):
    party: Party
    suspension: str
    why: str


class Ended(msgspec.Struct, frozen=True):
    scope: str


@area.does(
    "/partners/{party}/suspensions/{suspension}/approve",
    roles=OFFICERS,
    then="/partners/{party}",
    says=N_("You approved that it ends: {approvals} of {quorum} officers have."),
)
def approve_end(at: At, asked: EndApproval) -> EndApproved:
    """Approve that a suspension ends, with your signature."""
    found = [each.suspension for each in suspend.standing(at.node)]
    if (asked.party, asked.suspension) not in {(each.partner, each.id) for each in found}:
        raise Refused(f"{asked.party} is not suspended by {asked.suspension}")
    approval = at.sign(suspend.RESUME, f"{asked.party}@{asked.suspension}", asked.passphrase)
    return EndApproved(approve(at.node, approval, asked.why), quorum(at.node))


@area.does(
    "/partners/{party}/suspensions/{suspension}/resume",
    roles=OFFICERS,
    then="/partners/{party}",
    says=N_("It has ended: {scope} may go to {party} again."),
)
def resume(at: At, asked: EndOrder) -> Ended:
    """End a suspension that the quorum has approved to end."""
    ended = suspend.resume(at.node, asked.party, asked.suspension, officer=at.person.name, why=asked.why)
    return Ended(str(ended.scope))

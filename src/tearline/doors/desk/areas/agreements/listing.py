"""The list of agreements: how each version stands, what it lacks, and the calendar of their days."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated

import msgspec

from tearline.agreement.lifecycle import IN_FORCE, Need, State
from tearline.doors.desk.areas.agreements.area import SEES, area, review_day
from tearline.doors.desk.endpoint import At
from tearline.node import Node, agreement_record, agreements, quorum
from tearline.node.agreement_record import Version
from tearline.terms import BadInput

PAGE = 50
"""How many versions that have ended are shown at a time."""
SOON = 12
"""How many days of the calendar are listed from today on."""
_OPEN = (State.APPROVED, State.SHADOW, State.PROPOSED)
_RANKS = {state: rank for rank, state in enumerate((*_OPEN, State.SUSPENDED, State.EXPIRED, State.ADOPTED))}
_MONTH = "^(2[01][0-9][0-9]-(0[1-9]|1[0-2]))?$"
_ENDED = frozenset({State.SUPERSEDED, State.WITHDRAWN})


class AgreementsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`month`: of the calendar, `2027-06`, this one where it is not given; `offset`: of the versions that
    have ended."""

    month: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": _MONTH})] = ""
    offset: int = 0


class AgreementBrief(msgspec.Struct, frozen=True, kw_only=True):
    """How one version of an agreement stands. `version`: the SHA-256 of its text, hex."""

    id: str
    version: str
    title: str
    state: State
    parties: tuple[str, ...]
    valid_from: date
    valid_until: date
    """The first day on which it no longer holds."""
    four_eyes: bool
    approved_by: tuple[str, ...]
    lacks: tuple[Need, ...]
    """What a proposed version still needs to be adopted."""


class AgreementDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of an agreement. `what`: `begins`, `ends` or `review` (of `clause`)."""

    day: date
    what: str
    agreement: str
    version: str
    clause: str
    past: bool
    """It has passed, and asks for somebody."""


class CalendarDay(msgspec.Struct, frozen=True):
    """A day in the month's grid. `outside`: it is of the month before or after."""

    day: date
    outside: bool
    events: tuple[AgreementDay, ...]


class AgreementList(msgspec.Struct, frozen=True, kw_only=True):
    """Versions that are proposed or in force, the most urgent first; those that have ended, in part."""

    current: tuple[AgreementBrief, ...]
    ended: tuple[AgreementBrief, ...]
    ended_count: int
    offset: int
    quorum: int
    notices: tuple[str, ...]
    today: date
    month: date
    earlier: str
    later: str
    weeks: tuple[tuple[CalendarDay, ...], ...]
    """The month by weeks, from Monday on."""
    days: tuple[AgreementDay, ...]
    """What has passed and was not looked after, then what comes next."""


@area.shows("/agreements", "agreements/list.html", roles=SEES)
def versions(at: At, asked: AgreementsAsked) -> AgreementList:
    """Every version of every agreement, what it lacks, and the calendar of expiries and review dates."""
    known, today = agreement_record.versions(at.node), at.node.clock().date()
    month = _month(asked.month) if asked.month else today.replace(day=1)
    current = [each for each in known if each.state not in _ENDED]
    current.sort(key=lambda each: (_RANKS[each.state], each.agreement.valid_until, each.agreement.id))
    ended = [each for each in reversed(known) if each.state in _ENDED]
    offset = min(max(0, asked.offset), max(0, len(ended) - 1)) // PAGE * PAGE
    events = sorted(
        (event for each in current for event in _days(each, today)), key=lambda e: (e.day, e.agreement)
    )
    past = [each for each in events if each.past]
    return AgreementList(
        current=tuple(brief(at.node, each) for each in current),
        ended=tuple(brief(at.node, each) for each in ended[offset : offset + PAGE]),
        ended_count=len(ended),
        offset=offset,
        quorum=quorum(at.node),
        notices=tuple(each.sentence(today) for each in agreement_record.notices(at.node)),
        today=today,
        month=month,
        earlier=f"{month - timedelta(days=1):%Y-%m}",
        later=f"{month + timedelta(days=31):%Y-%m}",
        weeks=tuple(_weeks(month, events)),
        days=tuple(past + [each for each in events if each.day >= today and not each.past][:SOON]),
    )


def brief(node: Node, found: Version) -> AgreementBrief:
    agreement = found.agreement
    is_open = found.state in _OPEN
    return AgreementBrief(
        id=agreement.id,
        version=agreement.version,
        title=agreement.title,
        state=found.state,
        parties=tuple(sorted(agreement.parties)),
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
        four_eyes=agreement.four_eyes,
        approved_by=tuple(sorted(found.approved_by)),
        lacks=tuple(agreements.lacking(node, agreement.version)) if is_open else (),
    )


def _days(found: Version, today: date) -> Iterator[AgreementDay]:
    agreement, nags = found.agreement, found.state in IN_FORCE | {State.EXPIRED}

    def event(day: date, what: str, clause: str = "", *, past: bool = False) -> AgreementDay:
        return AgreementDay(
            day=day, what=what, agreement=agreement.id, version=agreement.version, clause=clause, past=past
        )

    yield event(agreement.valid_from, "begins")
    yield event(agreement.valid_until, "ends", past=nags and agreement.valid_until <= today)
    for clause in agreement.parsed if found.state is not State.EXPIRED else ():
        if day := review_day(clause.tree.annotations.get("review")):
            yield event(day, "review", clause.id, past=nags and day < today)


def _month(text: str) -> date:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        found = date.min
    if not 2000 <= found.year < 2200:
        raise BadInput("month", "", f"{text!r} is no month", "write 2027-06")
    return found


def _weeks(month: date, events: Sequence[AgreementDay]) -> Iterator[tuple[CalendarDay, ...]]:
    for week in Calendar().monthdatescalendar(month.year, month.month):
        yield tuple(
            CalendarDay(day, day.month != month.month, tuple(each for each in events if each.day == day))
            for day in week
        )

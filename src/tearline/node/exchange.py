"""What this node gives and gets, partner by partner, and how the line to each of them stands.

For officers: it reads what is here, asks nobody and decides nothing. `partner_record` proves with signatures
what here is only counted.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec

from tearline.adapters import store, tls
from tearline.adapters.store import exchange as kept
from tearline.adapters.store.exchange import GivenTo, Sent, TakenFrom
from tearline.adapters.view.post import Notice
from tearline.node import consent, officers, receipts, suspend
from tearline.node.counts import Counts
from tearline.node.opened import Node
from tearline.terms import BadInput, Party, Refused

MONTHS = 12
"""Months that are shown, today's among them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TROUBLES = 20
_Counts = tuple[dict[Party, GivenTo], dict[Party, TakenFrom], dict[Party, int]]
_counted: Counts[_Counts] = Counts()


class Summary(msgspec.Struct, frozen=True):
    """One partner, counted. `forked`: since when its log has two histories, if it has."""

    given: GivenTo
    taken: TakenFrom
    referred: int
    forked: str | None


class Flow(msgspec.Struct, frozen=True):
    """Products of one category that went and came in one month, `2026-11`; by when they did here."""

    month: str
    category: str
    """Empty for what came and was held already, or is only a definition."""
    given: int = 0
    taken: int = 0


class Line(msgspec.Struct, frozen=True):
    """How the connection to a partner stands, as far as it is on disk.

    How long the post waits before it tries again (its breaker) is in the memory of the post room alone.
    """

    pushed_to: datetime | None
    """Everything that was put into its view until then was pushed and acknowledged."""
    pulled_to: datetime | None
    """Everything that it put out for us until then, by its clock, is here."""
    to_push: bool
    """Whether something waits to be pushed."""
    unserved: int
    """Releases in its view that never went out."""
    closing: bool
    """Whether nothing is served at the moment, because what may go is being sorted."""
    troubles: list[Notice]
    """What the post room told and the node has not put on the ledger yet."""
    certificate_until: datetime | None
    """Of its TLS certificate; None for a plain server, which others vouch for."""


def summaries(node: Node, party: Party | None = None) -> dict[Party, Summary]:
    """Every partner of today, or that one; counts of a while ago where there are millions of releases."""
    node.refresh()

    def count() -> _Counts:
        with node.reading() as db:
            return kept.given_to(db, party), kept.taken_from(db), kept.referred_to(db)

    given, taken, referred = _counted.get((node.home.database, party), count)
    with node.reading() as db:
        forked = store.forked(db)
    return {
        party: Summary(
            given.get(party, GivenTo()),
            taken.get(party, TakenFrom()),
            referred.get(party, 0),
            forked.get(party),
        )
        for party in ([party] if party else node.partners)
    }


def flows(node: Node, party: Party, months: int = MONTHS) -> tuple[list[str], list[Flow]]:
    """The last `months`, the oldest first, and what went and came in them."""
    wanted = last_months(node.clock(), months)
    with node.reading() as db:
        given = kept.given_by_month(db, party, wanted[0])
        taken = kept.taken_by_month(db, party, wanted[0])
    went, came = (
        Counter({(month, category): count for month, category, count in rows}) for rows in (given, taken)
    )
    keys = sorted(went.keys() | came.keys())
    return wanted, [Flow(*key, went[key], came[key]) for key in keys]


def line(node: Node, party: Party) -> Line:
    """Raises `Refused` where it is no partner."""
    must_be_partner(node, party)
    view = node.view(party)
    with node.reading() as db:
        heard = store.troubles_heard(db, party)
        certificate = store.partners(db)[party][1]
    return Line(
        pushed_to=_moment(view.pushed_to()),
        pulled_to=_moment(view.pulled_to()),
        to_push=view.has_to_push(),
        unserved=view.count_unserved(),
        closing=view.is_closing(),
        troubles=view.troubles(heard, _TROUBLES),
        certificate_until=_until(certificate) if node.partners[party].kind == "node" else None,
    )


def sent(
    node: Node, party: Party, limit: int, *, before: int | None = None, unreceipted: bool = False
) -> list[Sent]:
    """The newest releases to a partner: see `adapters.store.exchange.sent_to`."""
    with node.reading() as db:
        return kept.sent_to(db, party, limit, before=before, unreceipted=unreceipted)


def differing(node: Node, party: Party) -> int:
    """How many lines of its receipts differ from what was sent."""
    with node.reading() as db:
        return kept.differing(db, party)


def forks(node: Node, party: Party) -> list[store.Fork]:
    """Every fork of its log that was found, and how it stands."""
    with node.reading() as db:
        return store.forks(db, party)


def consents(node: Node, party: Party) -> tuple[list[consent.Listed], list[store.Request]]:
    """The consents that a partner gave, holds or is the recipient of; and all requests to it and of it."""
    given, asked = consent.listed(node)
    with node.reading() as db:
        asked_of_us = store.requests(db, store.THEIRS)
    about = [
        each
        for each in given
        if party in {each.consent.originator, each.consent.holder, each.consent.recipient}
    ]
    return about, [each for each in (*asked, *asked_of_us) if each.party == party]


def notices(node: Node) -> list[str]:
    """What officers should hear of partners: forks, and suspensions that end or should be looked at."""
    return [*receipts.notices(node), *suspend.notices(node)]


def must_be_partner(node: Node, party: Party) -> None:
    """Raises `Refused` where it is none."""
    if party not in node.partners:
        raise Refused(f"{party} is not a partner of this node")


def may_resume(node: Node, suspension: suspend.Standing) -> bool:
    """Whether the quorum has approved that it ends."""
    return len(suspension.approved_by) >= officers.quorum(node)


def last_months(now: datetime, count: int = MONTHS) -> list[str]:
    """The months up to today's, the oldest first: `2026-11`."""
    last = now.year * 12 + now.month - 1
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(last - count + 1, last + 1)]


def _moment(added: int) -> datetime | None:
    return None if added < 0 else _EPOCH + timedelta(microseconds=added)


def _until(certificate: str) -> datetime | None:
    try:
        return tls.valid_until(certificate)
    except BadInput:
        return None

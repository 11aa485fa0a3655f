"""Partners: what each gets and gives, how the line to it stands, what is in force with it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from tearline.agreement.suspension import Scope
from tearline.doors.desk.endpoint import N_, Area, At, Nothing
from tearline.doors.desk.person import OFFICERS, OVERSIGHT, Role
from tearline.node import exchange, quorum, receipts, suspend
from tearline.terms import Partner, Party

LOOKERS = OVERSIGHT | {Role.ADMINISTRATOR}
MOST = 50
"""Rows on one page."""
area = Area("partners", title=N_("Partners"), path="/partners", order=30, key="a")


# --- All partners ---------------------------------------------------------------------------------


class PartnerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One partner in short. Times are RFC 3339."""

    party: Party
    name: str
    kind: str
    """`node`, or `taxii` for a plain server, which gives nothing and no receipts."""
    troubles: tuple[str, ...]
    """Of `forked`, `revoked`, `suspended`, `partly-suspended`, `unreceipted`."""
    given: int
    taken: int
    waiting: int
    stopped: int
    unreceipted: int
    oldest_unreceipted: str | None
    referred: int
    last_given: str | None
    last_taken: str | None


class PartnerList(msgspec.Struct, frozen=True):
    """All partners, those with troubles first, and what officers should hear of them."""

    partners: tuple[PartnerLine, ...]
    notices: tuple[str, ...]


@area.shows("/partners", "partners/list.html", roles=LOOKERS)
def partners(at: At, asked: Nothing) -> PartnerList:
    """All partners: what went and came, and what is wrong."""
    found = exchange.summaries(at.node)
    lines = [_line(at, partner, found[party]) for party, partner in at.node.partners.items()]
    lines.sort(key=lambda each: (_worst(each), each.party))
    return PartnerList(tuple(lines), tuple(exchange.notices(at.node)))


_ORDER = ("forked", "revoked", "suspended", "partly-suspended", "unreceipted")


def _worst(each: PartnerLine) -> int:
    return _ORDER.index(each.troubles[0]) if each.troubles else len(_ORDER)


def _line(at: At, partner: Partner, found: exchange.Summary) -> PartnerLine:
    receipts_due = found.given.unreceipted if partner.kind == "node" else 0
    scopes = [each.scope for each in at.node.suspensions if each.partner == partner.party]
    troubles = {
        "forked": found.forked is not None,
        "revoked": partner.tls_key in partner.revoked_tls or partner.signing_key in partner.revoked_keys,
        "suspended": Scope() in scopes,
        "partly-suspended": bool(scopes) and Scope() not in scopes,
        "unreceipted": receipts_due > 0,
    }
    return PartnerLine(
        party=partner.party,
        name=partner.name,
        kind=partner.kind,
        troubles=tuple(name for name in _ORDER if troubles[name]),
        given=found.given.given,
        taken=found.taken.taken,
        waiting=found.given.waiting,
        stopped=found.given.stopped,
        unreceipted=receipts_due,
        oldest_unreceipted=found.given.oldest if receipts_due else None,
        referred=found.referred,
        last_given=found.given.last,
        last_taken=found.taken.last,
    )


# --- One partner ----------------------------------------------------------------------------------


class OfPartner(msgspec.Struct, frozen=True):
    party: Party


class MonthFlow(msgspec.Struct, frozen=True):
    """Products in one month: `given` to the partner, `taken` from it."""

    month: str
    given: int
    taken: int


class CategoryFlow(msgspec.Struct, frozen=True):
    """The same by category, over these months. An empty category: held already, or a definition."""

    category: str
    given: int
    taken: int


class PartnerLink(msgspec.Struct, frozen=True, kw_only=True):
    """How the connection stands, as far as it is on disk."""

    pushed_to: datetime | None
    pulled_to: datetime | None
    to_push: bool
    unserved: int
    closing: bool
    troubles: tuple[str, ...]
    certificate_until: datetime | None
    certificate_ends_soon: bool


class PartnerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted to it, what it has undertaken, and the keys by which it is known."""

    clearance: dict[str, str]
    needs: tuple[str, ...]
    reach: str
    use: str
    duties: tuple[str, ...]
    url: str
    tls_key: str
    signing_key: str
    former_keys: int
    revoked_keys: int


class PartnerAgreement(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str
    version: str
    valid_until: date
    four_eyes: bool


class PartnerSuspension(msgspec.Struct, frozen=True, kw_only=True):
    """A suspension in force. `stopped`: releases that it keeps back."""

    id: str
    scope: str
    since: datetime
    until: datetime | None
    review: date | None
    inbound: str
    reason: str
    officer: str
    stopped: int
    approved_by: tuple[str, ...]
    """Officers who approved that it ends."""
    may_end: bool


class PartnerFork(msgspec.Struct, frozen=True, kw_only=True):
    """Its log was found to have two histories. `settled_at`, `officer`, `why`: once it is settled."""

    number: int
    found_at: str
    rule: str
    settled_at: str | None
    officer: str | None
    why: str | None


class PartnerConsent(msgspec.Struct, frozen=True, kw_only=True):
    """A yes to onward release, given or had."""

    serial: str
    originator: Party
    holder: Party
    recipient: Party
    about: str
    until: datetime
    state: str


class PartnerRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for such a yes: `ours` to the partner, or its own to us."""

    id: str
    ours: bool
    recipient: Party
    object: str
    at: str
    answer: str | None


class PartnerPage(msgspec.Struct, frozen=True, kw_only=True):
    """All of one partner. Consents and requests are empty for administrators, who see no content."""

    partner: PartnerLine
    notices: tuple[str, ...]
    months: tuple[MonthFlow, ...]
    categories: tuple[CategoryFlow, ...]
    link: PartnerLink
    differing: int
    """Lines of its receipts that differ from what was sent."""
    terms: PartnerTerms
    agreements: tuple[PartnerAgreement, ...]
    suspensions: tuple[PartnerSuspension, ...]
    quorum: int
    forks: tuple[PartnerFork, ...]
    consents: tuple[PartnerConsent, ...]
    requests: tuple[PartnerRequest, ...]


@area.shows("/partners/{party}", "partners/partner.html", roles=LOOKERS)
def partner(at: At, asked: OfPartner) -> PartnerPage:
    """One partner: what it gets and gives, the line to it, what is in force with it."""
    node, party = at.node, asked.party
    exchange.must_be_partner(node, party)
    its = node.partners[party]
    months, flows = exchange.flows(node, party)
    consents, requests = exchange.consents(node, party) if at.person.may(OVERSIGHT) else ([], [])
    return PartnerPage(
        partner=_line(at, its, exchange.summaries(node, party)[party]),
        notices=tuple(each for each in exchange.notices(node) if f" of {party} " in each),
        months=tuple(
            MonthFlow(
                month,
                sum(each.given for each in flows if each.month == month),
                sum(each.taken for each in flows if each.month == month),
            )
            for month in months
        ),
        categories=tuple(
            CategoryFlow(
                category,
                sum(each.given for each in flows if each.category == category),
                sum(each.taken for each in flows if each.category == category),
            )
            for category in sorted({each.category for each in flows})
        ),
        link=_link(at, party),
        differing=exchange.differing(node, party),
        terms=_terms(its),
        agreements=tuple(
            PartnerAgreement(
                id=each.id,
                title=each.title,
                version=each.version,
                valid_until=each.valid_until,
                four_eyes=each.four_eyes,
            )
            for each in node.agreements
            if party in each.parties
        ),
        suspensions=tuple(
            _suspension(at, each) for each in suspend.standing(node) if each.suspension.partner == party
        ),
        quorum=quorum(node),
        forks=tuple(
            PartnerFork(
                number=each.number,
                found_at=each.found_at,
                rule=each.rule,
                settled_at=each.settled_at,
                officer=each.officer,
                why=each.why,
            )
            for each in exchange.forks(node, party)
        ),
        consents=tuple(
            PartnerConsent(
                serial=each.consent.serial,
                originator=each.consent.originator,
                holder=each.consent.holder,
                recipient=each.consent.recipient,
                about=getattr(each.consent.subject, "object_id", "") or str(each.consent.subject),
                until=each.consent.until,
                state=each.state,
            )
            for each in consents[:MOST]
        ),
        requests=tuple(
            PartnerRequest(
                id=each.id,
                ours=each.side == "ours",
                recipient=each.recipient,
                object=each.object_id,
                at=each.at,
                answer=each.answer,
            )
            for each in requests[-MOST:]
        ),
    )


def _link(at: At, party: Party) -> PartnerLink:
    found = exchange.line(at.node, party)
    announce = timedelta(days=at.node.home.config.announce_days)
    until = found.certificate_until
    return PartnerLink(
        pushed_to=found.pushed_to,
        pulled_to=found.pulled_to,
        to_push=found.to_push,
        unserved=found.unserved,
        closing=found.closing,
        troubles=tuple(f"{each.trouble} {each.what}: {each.why}" for each in found.troubles),
        certificate_until=until,
        certificate_ends_soon=until is not None and until - at.node.clock() <= announce,
    )


def _terms(its: Partner) -> PartnerTerms:
    return PartnerTerms(
        clearance={policy: level.name for policy, level in its.clearance},
        needs=tuple(sorted(its.needs)),
        reach=its.reach.name,
        use=its.use.name,
        duties=tuple(sorted(its.duties)),
        url=its.url,
        tls_key=its.tls_key,
        signing_key=its.signing_key,
        former_keys=len(its.former_keys),
        revoked_keys=len(its.revoked_keys) + len(its.revoked_tls),
    )


def _suspension(at: At, found: suspend.Standing) -> PartnerSuspension:
    each = found.suspension
    return PartnerSuspension(
        id=each.id,
        scope=str(each.scope),
        since=each.since,
        until=each.until,
        review=each.review,
        inbound=each.inbound,
        reason=each.reason,
        officer=each.officer,
        stopped=found.stopped,
        approved_by=tuple(sorted(found.approved_by)),
        may_end=exchange.may_resume(at.node, found),
    )


# --- Forks ----------------------------------------------------------------------------------------


class ForkSettled(msgspec.Struct, frozen=True):
    """Why what was seen of the partner's log until now is not to be held against it."""

    party: Party
    why: str


@area.does(
    "/partners/{party}/settle-fork",
    roles=OFFICERS,
    then="/partners/{party}",
    says=N_("What {party} gives is taken in again."),
)
def settle_fork(at: At, asked: ForkSettled) -> Nothing:
    """Take from a partner again whose log had two histories."""
    receipts.settle_fork(at.node, asked.party, officer=at.person.name, why=asked.why)
    return Nothing()

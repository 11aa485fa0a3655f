"""Consent at the node: asked for by who holds a product, given or not by who made it (law 4).

The holder asks its originator (`request`). There an officer sees what is asked (`requests`) and grants or
refuses it, or consents in advance to all in a scope (`give_standing`); and may revoke it. The holder keeps
what it was granted. `permits` feeds it to the gate; what was queued on a consent that ended is stopped, as by
a suspension, before it is sealed (`stop_lapsed`).

Who asks learns yes or no. Whether this node has what was asked about, and why not, it is not told: a request
that does not fit waits for the officer like every other, and is refused in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from sqlalchemy import Connection

from tearline import deliver, label
from tearline.adapters import store
from tearline.adapters.home import PARTY
from tearline.agreement.suspension import Suspension
from tearline.deliver import Consent, Envelope, Form, Kind, Scope, Subject
from tearline.gate import recipient_of
from tearline.ledger import Act, Entry
from tearline.node import officers
from tearline.node.custody import trusted
from tearline.node.messages import Taken, send
from tearline.node.opened import Node
from tearline.terms import BadInput, Broken, Category, Label, Party, Recipient, Refused

DAYS = 30
"""How long a consent holds where its officer does not say: none is for ever."""
MOST_WAITING = 500
"""Requests of one holder that wait at a time; what comes beyond is not taken."""
LONGEST_WHY = 500

_Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
_T = TypeVar("_T")
Asked = store.Request
GIVEN = store.OURS
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_WHY)]


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request: ids that the holder has from the originator, and nothing else it knows."""

    request: _Id
    recipient: Annotated[str, msgspec.Meta(pattern=PARTY.pattern + r"\Z")]
    object_id: _Text
    version: _Text | None
    core: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    why: _Text


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an answer. `request` where it answers one; `serial` of what is revoked."""

    answer: Literal["granted", "refused", "revoked"]
    request: _Id | None = None
    serial: _Id | None = None
    consent: Envelope | None = None


class Waiting(msgspec.Struct, frozen=True):
    """A request that waits for an officer. `obstacle`: why it cannot be granted; empty where it can."""

    request: store.Request
    title: str
    obstacle: str


class Listed(msgspec.Struct, frozen=True):
    """A consent, given or held. `state`: `in force`, `over`, or by whom or what it was ended."""

    side: str
    consent: Consent
    state: str


# --- The holder -----------------------------------------------------------------------------------


def request(node: Node, product_id: str, recipient: Party, *, why: str = "") -> store.Request:
    """Ask the originator of a product that it gave to us whether `recipient` may have it.

    The same is asked once, until it was answered. Raises `Refused` where there is nobody to ask.
    """
    node.refresh()
    if len(why) > LONGEST_WHY or not why.isprintable():
        raise BadInput("--why", "", f"it is not one line of at most {LONGEST_WHY} characters")
    with node.writing() as db:
        return _request(node, db, _newest_taken(node, db, product_id), recipient, why)


def asked_about(node: Node, product_id: str, recipient: Party) -> store.Request | None:
    """The last request of ours whether `recipient` may have a product, answered or not."""
    with node.reading() as db:
        rows = store.requests(db, store.OURS, object_id=product_id)
    return next((each for each in reversed(rows) if each.recipient == recipient), None)


def _newest_taken(node: Node, db: Connection, product_id: str) -> store.Custodian:
    taken = [row for row in store.custody_of_object(db, store.THEIRS, product_id) if row.verified]
    if not taken:
        raise Refused(f"{product_id} was not received from a node that made it, so nobody can be asked")
    return max(taken, key=lambda row: (row.version or "", row.release_id))


def _request(node: Node, db: Connection, row: store.Custodian, recipient: Party, why: str) -> store.Request:
    if row.originator not in node.partners:
        raise Refused(f"its originator, {row.originator}, is not a partner of this node: ask by another way")
    if recipient not in node.partners:
        raise Refused(f"{recipient} is not a partner of this node")
    if recipient == row.originator:
        raise Refused(f"{recipient} made it: it needs no consent, and no copy")
    about = (row.originator, recipient, row.object_id, row.version or "", row.core)
    before = [
        each
        for each in store.requests(db, store.OURS, object_id=row.object_id)
        if (each.party, each.recipient, each.object_id, each.version or "", each.core) == about
    ]
    if before and before[-1].answer is None:
        return before[-1]
    made = store.Request(
        side=store.OURS,
        party=row.originator,
        id=node.identity.opaque("consent-request", *about, str(len(before))).hex()[:32],
        recipient=recipient,
        object_id=row.object_id,
        version=row.version,
        core=row.core,
        why=why,
        at=store.stamp(node.clock()),
    )
    body = _Asked(made.id, recipient, row.object_id, row.version, row.core, why)
    entry = {"request": made.id, "originator": row.originator, "recipient": recipient}
    node.record(Act.CONSENT_REQUESTED, entry | {"object": row.object_id, "why": why})
    store.add_request(db, made)
    send(node, db, row.originator, Kind.CONSENT_REQUEST, msgspec.to_builtins(body), about=made.id)
    return made


def ask_for(node: Node, db: Connection, release_id: str, recipients: Collection[Party]) -> None:
    """Ask by itself for what came by a release (`ask_consent = "automatic"`), once for all."""
    row = store.custody_of_releases(db, store.THEIRS, [release_id]).get(release_id)
    if row is None or not row.verified or row.originator not in node.partners:
        return
    asked = {
        each.recipient
        for each in store.requests(db, store.OURS, object_id=row.object_id)
        if (each.party, each.object_id, each.version, each.core)
        == (row.originator, row.object_id, row.version, row.core)
    }
    for recipient in sorted(set(recipients) - asked - {row.originator}):
        _request(node, db, row, recipient, "")


def stop_lapsed(node: Node, db: Connection) -> None:
    """Stop what waits in the outbox on a consent that has ended, or whose time is over.

    The gate is asked again about it, for another consent may let it go. To be called under the write lock, in
    the transaction that would seal it.
    """
    found = store.lapsed(db, store.stamp(node.clock()))
    by_partner: dict[Party, list[str]] = {}
    for partner, _, release in found:
        by_partner.setdefault(partner, []).append(release)
    for partner, releases in sorted(by_partner.items()):
        stopped = store.stop(db, releases)
        node.record(Act.RELEASES_STOPPED, {"partner": partner, "releases": stopped, "by": "consent"})
    store.ask_again(db, [(product, partner) for partner, product, _ in found])


def take_answer(node: Node, db: Connection, taken: Taken) -> None:
    """What an originator says to us about a consent."""
    answer = _body(taken, _Answer)
    match answer:
        case _Answer(answer="granted", consent=Envelope() as envelope, serial=None):
            keys = {*trusted(node.partners[taken.giver]), taken.release.key}
            _take_grant(node, db, taken.giver, keys, envelope, answer.request)
        case _Answer(answer="refused", request=str() as name, consent=None, serial=None):
            if not store.answer_request(db, store.OURS, taken.giver, name, "refused"):
                raise Broken("an answer is to no request of this node")
            node.record(Act.CONSENT_DENIED, {"originator": taken.giver, "request": name})
        case _Answer(answer="revoked", serial=str() as serial, consent=None, request=None):
            at = store.stamp(node.clock())
            node.record(Act.CONSENT_ENDED, {"originator": taken.giver, "serial": serial})
            store.end_consent(db, store.THEIRS, taken.giver, serial, at, taken.giver, known_only=False)
            stop_lapsed(node, db)
        case _:
            raise Broken("an answer about a consent is not whole")


def _take_grant(
    node: Node,
    db: Connection,
    giver: Party,
    keys: Collection[str],
    envelope: Envelope,
    request_id: str | None,
) -> None:
    consent = deliver.read_consent(envelope, giver, [deliver.public_key(key) for key in keys])
    if consent.holder != node.party:
        raise Broken("a consent is for another holder")
    if request_id is not None:
        store.answer_request(db, store.OURS, giver, request_id, "granted")
    kept = store.KeptConsent(
        side=store.THEIRS,
        originator=giver,
        serial=consent.serial,
        until=store.stamp(consent.until.astimezone(UTC)),
        envelope=msgspec.json.encode(envelope),
    )
    if not store.add_consent(db, kept):
        return
    node.record(Act.CONSENT_RECEIVED, _told(consent))
    if consent.recipient in node.partners:
        store.ask_again(db, [(seq, consent.recipient) for seq in _concerned(db, consent)])


def _concerned(db: Connection, consent: Consent) -> Iterator[int]:
    """The products that a consent may be about."""
    subject = consent.subject
    if isinstance(subject, Subject):
        rows = store.custody_of_object(db, store.THEIRS, subject.object_id)
        same = [
            row.release_id for row in rows if (row.originator, row.core) == (consent.originator, subject.core)
        ]
        yield from store.products_received_as(db, same)
    else:
        yield from store.products_of_originator(db, consent.originator)


# --- The originator -------------------------------------------------------------------------------


def requests(node: Node) -> list[Waiting]:
    """What waits for an officer here, oldest first."""
    node.refresh()
    with node.reading() as db:
        return [
            Waiting(each, *_looked_at(node, db, each))
            for each in store.requests(db, store.THEIRS, waiting=True)
        ]


def grant(node: Node, request_id: str, *, officer: str, until: datetime | None = None) -> Consent:
    """Consent to what was asked. Raises `Refused` where it cannot be, or nothing waits under that id."""
    node.refresh()
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        asked = _waiting(db, request_id)
        _, obstacle = _looked_at(node, db, asked)
        if obstacle:
            raise Refused(f"this cannot be granted: {obstacle}")
        subject = Subject(asked.object_id, asked.version, asked.core)
        forms = frozenset({Form.WHOLE})
        consent = _made(node, asked.party, asked.recipient, subject, forms, until)
        store.answer_request(db, store.THEIRS, asked.party, asked.id, "granted")
        _give(node, db, consent, {"officer": officer, "request": asked.id})
    node.refresh()
    return consent


def refuse(node: Node, request_id: str, *, officer: str) -> store.Request:
    """Answer no. Who asked is not told why. Raises `Refused` where nothing waits under that id."""
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        asked = _waiting(db, request_id)
        store.answer_request(db, store.THEIRS, asked.party, asked.id, "refused")
        node.record(Act.CONSENT_REFUSED, {"request": asked.id, "holder": asked.party, "officer": officer})
        _answer(node, db, asked.party, _Answer("refused", request=asked.id), f"refused {asked.id}")
    return asked


def give_standing(
    node: Node,
    holder: Party,
    recipient: Party,
    scope: Scope,
    *,
    officer: str,
    until: datetime | None = None,
    forms: frozenset[Form] = frozenset({Form.WHOLE}),
) -> Consent:
    """Consent to all in a scope that `holder` has from us, or will have. Raises `Refused` and `BadInput`."""
    node.refresh()
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        if PARTY.fullmatch(recipient) is None:
            raise BadInput("--for", "", f"{recipient!r} is not an organisation's code")
        if holder not in node.partners:
            raise Refused(f"{holder} is not a partner of this node")
        if recipient in {holder, node.party}:
            raise Refused(f"{recipient} needs no consent of this node")
        if not forms:
            raise BadInput("--form", "", "a consent allows one form at least")
        consent = _made(node, holder, recipient, scope, forms, until)
        for each in store.suspensions(db, recipient):
            if _reaches(db, consent, each):
                raise Refused(f"{recipient} is suspended here ({each.scope}, {each.id})")
        _give(node, db, consent, {"officer": officer})
    node.refresh()
    return consent


def revoke(node: Node, serial: str, *, officer: str, why: str) -> Consent:
    """End a consent of this node: its holder is told, and stops. Raises `Refused` where none is in force."""
    officers.must_say_why(why)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        consent = next((each for each in _given(node, db) if each.serial == serial), None)
        if consent is None:
            raise Refused(f"no consent of this node is in force under {serial}; see `tearline consent list`")
        _end(node, db, consent, officer, {"officer": officer, "why": why})
    node.refresh()
    return consent


def take_request(node: Node, db: Connection, taken: Taken) -> None:
    """A holder asks. Whether it fits is for the officer to see; it is not answered here."""
    asked = _body(taken, _Asked)
    waiting = [each for each in store.requests(db, store.THEIRS, waiting=True) if each.party == taken.giver]
    if len(waiting) >= MOST_WAITING:
        raise Broken(f"{taken.giver} has {MOST_WAITING} requests waiting already")
    made = store.Request(
        side=store.THEIRS,
        party=taken.giver,
        id=asked.request,
        recipient=asked.recipient,
        object_id=asked.object_id,
        version=asked.version,
        core=asked.core,
        why=asked.why,
        at=store.stamp(node.clock()),
    )
    if store.add_request(db, made):
        entry = {"request": made.id, "holder": taken.giver, "recipient": made.recipient}
        node.record(Act.CONSENT_ASKED_FOR, entry | {"object": made.object_id})


def _waiting(db: Connection, request_id: str) -> store.Request:
    found = [each for each in store.requests(db, store.THEIRS, waiting=True) if each.id == request_id]
    if len(found) != 1:
        raise Refused(f"no request waits under {request_id}; see `tearline consent requests`")
    return found[0]


def _looked_at(node: Node, db: Connection, asked: store.Request) -> tuple[str, str]:
    """The title of what is asked about, and why it cannot be granted (empty where it can)."""
    same = [
        row
        for row in store.custody_of_object(db, store.OURS, asked.object_id)
        if (row.version, row.core) == (asked.version, asked.core)
    ]
    direct = [row for row in same if row.party == asked.party]
    subject = Subject(asked.object_id, asked.version, asked.core)
    through = any(each.recipient == asked.party and _is_about(db, each, same) for each in _given(node, db))
    if not same or not (direct or through):
        return "", f"{asked.party} was not given this by this node, nor with its consent"
    row = (direct or same)[0]
    released = store.product_of_release(db, row.release_id)
    title = released[0].title if released else ""
    if asked.recipient in {asked.party, node.party}:
        return title, f"{asked.recipient} needs no consent"
    if row.label is None or (axes := _bars(node, row.label, asked.recipient)):
        return title, f"the label does not let {asked.recipient} in ({', '.join(axes)})"
    probe = _made(node, asked.party, asked.recipient, subject, frozenset(), None)
    for each in store.suspensions(db, asked.recipient):
        if _reaches(db, probe, each):
            return title, f"{asked.recipient} is suspended here ({each.scope}, {each.id})"
    return title, ""


def _is_about(db: Connection, consent: Consent, rows: Collection[store.Custodian]) -> bool:
    """Whether a consent covers one of these objects of ours."""
    if isinstance(consent.subject, Subject):
        return any(consent.subject == Subject(row.object_id, row.version, row.core) for row in rows)
    released = [(row, store.product_of_release(db, row.release_id)) for row in rows]
    return any(
        consent.subject.covers(deliver.category_of(row.object_id), found[0].topics)
        for row, found in released
        if found is not None
    )


def _bars(node: Node, own: Label, recipient: Party) -> tuple[str, ...]:
    """The axes on which our own label keeps a recipient out: of one we do not know, its lists alone tell."""
    partner = node.partners.get(recipient)
    if partner is not None:
        return label.bars(own, recipient_of(partner, frozenset({node.party})))
    unknown = Recipient(party=recipient, consents=frozenset({node.party}))
    return tuple(axis for axis in label.bars(own, unknown) if axis in {"release", "owners"})


def _made(
    node: Node,
    holder: Party,
    recipient: Party,
    subject: Subject | Scope,
    forms: frozenset[Form],
    until: datetime | None,
) -> Consent:
    now = node.clock().astimezone(UTC)
    until = until.astimezone(UTC) if until else now.replace(microsecond=0) + timedelta(days=DAYS)
    if until <= now:
        raise BadInput("--until", "", "this has passed", "give a moment to come")
    says = msgspec.json.encode(subject, order="deterministic").decode()
    serial = node.identity.opaque("consent", holder, recipient, says, store.stamp(now)).hex()[:32]
    return Consent(
        serial=serial,
        originator=node.party,
        holder=holder,
        recipient=recipient,
        subject=subject,
        forms=forms,
        granted_at=now,
        until=until,
    )


def _give(node: Node, db: Connection, consent: Consent, by: dict[str, Any]) -> None:
    envelope = deliver.sign_consent(consent, node.home.signing_key)
    node.record(Act.CONSENT_GRANTED, _told(consent) | by)
    store.add_consent(
        db,
        store.KeptConsent(
            side=store.OURS,
            originator=node.party,
            serial=consent.serial,
            until=store.stamp(consent.until),
            envelope=msgspec.json.encode(envelope),
        ),
    )
    answer = _Answer("granted", request=by.get("request"), consent=envelope)
    _answer(node, db, consent.holder, answer, f"granted {consent.serial}")


def _end(node: Node, db: Connection, consent: Consent, by: str, told: dict[str, Any]) -> None:
    at = store.stamp(node.clock())
    node.record(Act.CONSENT_REVOKED, {"serial": consent.serial, "holder": consent.holder} | told)
    store.end_consent(db, store.OURS, node.party, consent.serial, at, by)
    _answer(node, db, consent.holder, _Answer("revoked", serial=consent.serial), f"revoked {consent.serial}")


def _answer(node: Node, db: Connection, holder: Party, answer: _Answer, about: str) -> None:
    if holder in node.partners:
        body = {name: value for name, value in msgspec.to_builtins(answer).items() if value is not None}
        send(node, db, holder, Kind.CONSENT_ANSWER, body, about=about)


def _given(node: Node, db: Connection) -> list[Consent]:
    """The consents of this node that are in force."""
    kept = store.consents(db, store.OURS, in_force_at=store.stamp(node.clock()))
    return [_in(each) for each in kept]


# --- A recipient that is suspended here -----------------------------------------------------------


def suspended(node: Node, db: Connection, suspension: Suspension) -> None:
    """Revoke what would let others give to a partner what it is not given here any more."""
    for consent in ended_by(node, db, suspension):
        _end(node, db, consent, suspension.id, {"suspension": suspension.id})


def ended_by(node: Node, db: Connection, suspension: Suspension) -> list[Consent]:
    """The consents of this node in force that a suspension revokes, or would."""
    given = (each for each in _given(node, db) if each.recipient == suspension.partner)
    return [each for each in given if _reaches(db, each, suspension)]


def resumed(node: Node, db: Connection, suspension: Suspension) -> None:
    """Consent anew to what a suspension that ends had revoked, unless another one is in the way."""
    others = [each for each in store.suspensions(db, suspension.partner) if each.id != suspension.id]
    for kept in store.consents(db, store.OURS):
        consent = _in(kept)
        if kept.ended_by != suspension.id or consent.until <= node.clock():
            continue
        still = next((each for each in others if _reaches(db, consent, each)), None)
        if still is not None:
            store.ended_otherwise(db, consent.serial, still.id)
            continue
        store.ended_otherwise(db, consent.serial, f"{suspension.id}, renewed")
        again = _made(node, consent.holder, consent.recipient, consent.subject, consent.forms, consent.until)
        _give(node, db, again, {"suspension": suspension.id, "renews": consent.serial})


def _reaches(db: Connection, consent: Consent, suspension: Suspension) -> bool:
    """Whether consent and suspension can have a product in common. Where that cannot be told: yes."""
    stopped, subject = suspension.scope, consent.subject
    if isinstance(subject, Subject):
        rows = store.custody_of_object(db, store.OURS, subject.object_id)
        found = [store.product_of_release(db, row.release_id) for row in rows]
        return not rows or any(each is None or stopped.covers(each[0]) for each in found)
    # A picture travels as a report.
    travelling = {each if each is Category.CYBER else Category.REPORT for each in stopped.categories}
    return not (subject.categories and travelling and subject.categories.isdisjoint(travelling))


# --- Both -----------------------------------------------------------------------------------------


def listed(node: Node) -> tuple[list[Listed], list[store.Request]]:
    """All consents given and held, those that end last first; and what this node asked for."""
    now = node.clock()
    with node.reading() as db:
        kept = [*store.consents(db, store.OURS), *store.consents(db, store.THEIRS)]
        asked = store.requests(db, store.OURS)
    return [Listed(each.side, consent := _in(each), _state(each, consent, now)) for each in kept], asked


def _state(kept: store.KeptConsent, consent: Consent, now: datetime) -> str:
    if kept.ended_at is not None:
        return f"ended by {kept.ended_by}"
    return "in force" if consent.is_valid(now) else "over"


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where the consents that are kept are not those that the ledger tells of."""
    told: dict[tuple[str, str, str], bool] = {}
    for entry in entries:
        body = entry.body
        if entry.act in {Act.CONSENT_GRANTED, Act.CONSENT_RECEIVED}:
            side = store.OURS if entry.act is Act.CONSENT_GRANTED else store.THEIRS
            told[side, body["originator"], body["serial"]] = True
        elif entry.act is Act.CONSENT_REVOKED:
            told[store.OURS, entry.actor, body["serial"]] = False
        elif entry.act is Act.CONSENT_ENDED:
            told[store.THEIRS, body["originator"], body["serial"]] = False
    kept = {
        (each.side, each.originator, each.serial): each.ended_at is None
        for side in (store.OURS, store.THEIRS)
        for each in store.consents(db, side, ended_before=True)
    }
    for name in sorted(told.keys() | kept.keys()):
        if told.get(name) != kept.get(name):
            yield f"the consent {name[2]} of {name[1]} is not as it was recorded"


def _in(kept: store.KeptConsent) -> Consent:
    if kept.envelope is None:
        raise Broken("a consent is not held")
    return deliver.consent_in(msgspec.json.decode(kept.envelope, type=Envelope))


def _told(consent: Consent) -> dict[str, Any]:
    """What the ledger says of a consent."""
    subject = consent.subject
    about = {"object": subject.object_id} if isinstance(subject, Subject) else {"scope": str(subject)}
    return about | {
        "serial": consent.serial,
        "originator": consent.originator,
        "holder": consent.holder,
        "recipient": consent.recipient,
        "forms": sorted(consent.forms),
        "until": store.stamp(consent.until),
    }


def _body(taken: Taken, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(taken.message.body, kind)
    except msgspec.ValidationError:
        raise Broken("a message about a consent cannot be read") from None

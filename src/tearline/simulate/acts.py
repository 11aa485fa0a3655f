"""What officers do at a node in a simulated year: drawn beforehand as data, so that it can be done again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from random import Random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.agreement import Agreement
from tearline.agreement.lifecycle import State
from tearline.agreement.proof import Answer, Proof, Status
from tearline.agreement.suspension import Scope
from tearline.ledger import Act
from tearline.node import Node, agreements, officers, quarantined, reconsider, resolve, sign_approval, suspend
from tearline.node.agreement_record import ADOPT, states_of
from tearline.review import Changes
from tearline.simulate.deals import KEEPS_CHARTER, TEXTS, Deal, agreement
from tearline.terms import Party, TearlineError

OFFICERS = ("heron-1", "heron-2", "heron-3")
WHY = "Simulated."
END = date(2999, 1, 1)
SCOPES = ("all", "category=cyber", "topic=maritime", "topic=land,maritime")
QUORUM = 2
KINDS = {
    "suspend": 6,
    "resume": 5,
    "propose": 3,
    "adopt": 4,
    "adopt-alone": 1,
    "adopt-unreviewed": 1,
    "suspend-agreement": 1,
    "resume-agreement": 2,
    "withdraw-proposal": 1,
    "reconsider": 2,
    "resolve": 4,
}
"""What officers do, and how often."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that officers of a node set out to do. Whether the node lets them is another matter."""

    kind: str
    partner: Party = ""
    scope: str = "all"
    days: int = 0
    """For how long; 0 is until officers end it."""
    deal: Deal | None = None


class World(msgspec.Struct, frozen=True):
    """Who could be a party to what at one node: its partners, and the deals that there are from the start."""

    party: Party
    partners: tuple[Party, ...]
    deals: tuple[Deal, ...]


def draw_deed(draw: Random, world: World) -> Deed:
    kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
    partner = draw.choice(world.partners)
    deal = draw.choice(world.deals)
    # Many texts, so that a version is seldom proposed twice: a clause that means nothing tells them apart.
    text = draw.choice(list(TEXTS))
    first = deal.first + timedelta(days=draw.randrange(400))
    return Deed(
        kind=kind,
        partner=partner,
        scope=draw.choice(SCOPES),
        days=draw.choice((0, 0, 3, 20)),
        deal=msgspec.structs.replace(deal, clauses=TEXTS[text], first=first),
    )


def do(node: Node, deed: Deed) -> str:
    """Do it; returns "" where it was done, and the node's sentence where it was not let."""
    try:
        _DOERS[deed.kind](node, deed)
    except TearlineError as error:
        return str(error)
    return ""


def found(node: Node) -> None:
    """The founding of a node's register of officers."""
    for name in OFFICERS:
        key = deliver.public_key_text(key_of(node.party, name).public_key())
        if len(officers.officers(node)) < QUORUM:
            officers.add_officer(node, name, key, by="founding", why=WHY)


def key_of(party: Party, officer: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"officer {party} {officer}".encode()).digest())


def adopt(node: Node, deal: Deal) -> None:
    """The whole life of a version up to its adoption."""
    _propose(node, deal)
    _review(node, deal)
    _approve(node, deal, *OFFICERS[:QUORUM])
    _adopt(node, deal)


# --- Steps ----------------------------------------------------------------------------------------


def _propose(node: Node, deal: Deal) -> None:
    agreements.propose(node, agreement(deal), officer=OFFICERS[0], why=WHY)


def _review(node: Node, deal: Deal) -> None:
    version = agreement(deal).version
    agreements.review(node, version, officer=OFFICERS[0], why=WHY, prove=_prove, replay=_replay)


def _approve(node: Node, deal: Deal, *names: str) -> None:
    version = agreement(deal).version
    for name in names:
        agreements.approve(node, _signed(node, name, ADOPT, version), WHY)


def _adopt(node: Node, deal: Deal) -> None:
    agreements.adopt(node, agreement(deal).version, officer=OFFICERS[0], why=WHY, prove=_prove)


def _signed(node: Node, name: str, act: str, subject: str) -> store.Approval:
    key = key_of(node.party, name)
    return sign_approval(node.party, name, key, act=act, subject=subject, at=node.clock())


def _prove(node: Node, proposed: Agreement) -> Proof:
    """What the solvers said beforehand of this text; see `deals.KEEPS_CHARTER`."""
    (name,) = (name for name, clauses in _BY_CLAUSES.items() if clauses == proposed.clauses)
    status = Status.PROVED if KEEPS_CHARTER[name] else Status.COUNTEREXAMPLE
    return Proof(
        own=node.party,
        agreement=proposed.id,
        version=proposed.version,
        against=tuple(sorted(f"{each.id} {each.version}" for each in node.deciding)),
        since=datetime.combine(node.clock().astimezone(UTC).date(), datetime.min.time(), UTC),
        answers=(Answer(question="charter", about="C5", status=status, sentence=WHY),),
    )


_BY_CLAUSES = {
    name: agreement(Deal("any", ("AAA", "BBB"), clauses, date(2020, 1, 1), END)).clauses
    for name, clauses in TEXTS.items()
}


def _replay(node: Node, proposed: Agreement) -> Changes:
    """A replay tells officers what would change; it decides nothing, and is left out."""
    return Changes(
        own=node.party, present=(), proposed=(proposed.version,), items=0, totals=(), cells=(), examples=()
    )


# --- Deeds ----------------------------------------------------------------------------------------


def _suspend(node: Node, deed: Deed) -> None:
    now = node.clock().replace(microsecond=0)
    until = now + timedelta(days=deed.days) if deed.days else None
    scope = Scope.read(deed.scope)
    suspend.suspend(node, deed.partner, scope, officer=OFFICERS[0], reason=WHY, until=until)


def _resume(node: Node, deed: Deed) -> None:
    for each in node.suspensions:
        if each.partner == deed.partner:
            subject = f"{each.partner}@{each.id}"
            for name in OFFICERS[:QUORUM]:
                officers.approve(node, _signed(node, name, suspend.RESUME, subject), WHY)
            suspend.resume(node, each.partner, each.id, officer=OFFICERS[0], why=WHY)
            return


def _deal(deed: Deed) -> Deal:
    if deed.deal is None:
        raise ValueError(f"{deed.kind} is about a deal")
    return deed.deal


def _adopt_alone(node: Node, deed: Deed) -> None:
    """One officer approves, twice: that is not a quorum."""
    deal = _deal(deed)
    _propose(node, deal)
    _review(node, deal)
    _approve(node, deal, OFFICERS[1])
    _adopt(node, deal)


def _adopt_unreviewed(node: Node, deed: Deed) -> None:
    deal = _deal(deed)
    _propose(node, deal)
    _approve(node, deal, *OFFICERS[:QUORUM])
    _adopt(node, deal)


def _suspend_agreement(node: Node, deed: Deed) -> None:
    for each in node.agreements:
        if each.id == _deal(deed).id:
            agreements.suspend(node, each.version, officer=OFFICERS[0], why=WHY)


def _resume_agreement(node: Node, deed: Deed) -> None:
    """What is approved is named by the version and the number of its last step, as in the command."""
    with node.reading() as db:
        steps, of_id = store.steps(db), dict(store.versions(db))
    for version, state in states_of(steps).items():
        if state is State.SUSPENDED and of_id[version] == _deal(deed).id:
            last = max(number for number, row in enumerate(steps) if row.version == version)
            for name in OFFICERS[:QUORUM]:
                officers.approve(node, _signed(node, name, agreements.RESUME, f"{version}@{last}"), WHY)
            agreements.resume(node, version, officer=OFFICERS[0], why=WHY, prove=_prove)


def _withdraw_proposal(node: Node, deed: Deed) -> None:
    deal = _deal(deed)
    _propose(node, deal)
    agreements.withdraw(node, agreement(deal).version, officer=OFFICERS[0], why=WHY)


def _resolve(node: Node, _: Deed) -> None:
    for product, _version, _reason in quarantined(node):
        resolve(node, product, "TLP:GREEN")


_DOERS = {
    "suspend": _suspend,
    "resume": _resume,
    "propose": lambda node, deed: _propose(node, _deal(deed)),
    "adopt": lambda node, deed: adopt(node, _deal(deed)),
    "adopt-alone": _adopt_alone,
    "adopt-unreviewed": _adopt_unreviewed,
    "suspend-agreement": _suspend_agreement,
    "resume-agreement": _resume_agreement,
    "withdraw-proposal": _withdraw_proposal,
    "reconsider": lambda node, _: reconsider(node),
    "resolve": _resolve,
}


def note_vault(node: Node, db: Connection) -> None:
    """That the node has a vault: from then on nothing goes unscanned."""
    state = {"version": 1, "sha256": "0" * 64, "by": OFFICERS[0]}
    node.record(Act.VAULT_WRITTEN, state)
    store.put_vault_state(db, 1, "0" * 64)

"""What this node has in hand about its exchange with one partner, compared offline (laws 8 and 9).

A *difference* is what signed evidence contradicts: a receipt for what was never sent or was other, a changed
record, a fork. What is *open* proves nothing: a missing receipt may be late, lost, or never given, and a
checkpoint may wait for releases that are late or held back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.view import Released
from tearline.deliver import Opened, Proof, Statement, receipt, witness
from tearline.deliver.message import TYPE
from tearline.ledger import Checkpoint
from tearline.node.opened import Node
from tearline.node.receipts import decode_proof
from tearline.terms import Broken, Party, Refused


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be: its kind, the release or receipt, what is said, since when."""

    kind: str
    about: str
    says: str
    since: str = ""


class Given(msgspec.Struct, frozen=True):
    """What we gave a partner: counts, and how many the partner has not fetched yet."""

    releases: int = 0
    receipted: int = 0
    not_fetched: int = 0
    waiting: int = 0
    """Not in its view yet, or held back by a suspension."""


class Taken(msgspec.Struct, frozen=True):
    """What a partner gave us: releases (messages aside), those that we receipted, checkpoints of its log."""

    releases: int = 0
    receipted: int = 0
    checkpoints: int = 0
    widest: int = 0
    open_checkpoints: int = 0
    forks: int = 0
    forks_open: int = 0


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The whole comparison."""

    partner: Party
    given: Given
    taken: Taken
    logs: dict[str, int]
    differences: list[Finding]
    open: list[Finding]
    other: str | None = None
    """When the partner made the export that all this was compared with, if it was."""


class Keys:
    """All that a partner, today's or a former one, ever signed with. Raises `Refused` for a stranger."""

    def __init__(self, node: Node, party: Party) -> None:
        with node.reading() as db:
            partner = store.former_partner(db, party)
        if partner is None:
            raise Refused(f"{party} is not a partner of this node")
        self._node, self._party = node, party
        signed = (partner.signing_key, *partner.former_keys, *partner.revoked_keys)
        self.signing = [deliver.public_key(key) for key in dict.fromkeys(signed)]
        self.own = [node.home.signing_key.public_key(), *node.home.former_keys]

    def proved(self, proof: Proof) -> tuple[Statement, Checkpoint]:
        """What a proof of theirs proves. Raises `Broken`."""
        return deliver.open_proof(proof, giver=self._party, keys=self.signing, recipient=self._node.party)

    def proved_ours(self, proof: Proof) -> tuple[Statement, Checkpoint]:
        """What a proof of ours proves to them. Raises `Broken`."""
        return deliver.open_proof(proof, giver=self._node.party, keys=self.own, recipient=self._party)

    def opened(self, item: Mapping[str, Any], *, ours: bool = False) -> Opened:
        """A release of theirs, or of ours to them. Raises `Broken`."""
        giver, recipient = (self._node.party, self._party) if ours else (self._party, self._node.party)
        keys = self.own if ours else self.signing
        return deliver.open_release(item, giver=giver, keys=keys, recipient=recipient)


def verify_partner(node: Node, party: Party) -> Record:
    """Compare all that this node has about `party`: it asks nobody."""
    keys = Keys(node, party)
    sizes, findings = node.view(party).verify(node.home.signing_key.public_key())
    differences = [Finding("log", finding.origin, str(finding)) for finding in findings]
    open_: list[Finding] = []
    with node.reading() as db:
        given = _given(node, db, party, keys, differences, open_)
        taken = _taken(db, party, keys, differences, open_)
    return Record(partner=party, given=given, taken=taken, logs=sizes, differences=differences, open=open_)


# --- what we gave --------------------------------------------------------------------------------


def _given(
    node: Node,
    db: Connection,
    party: Party,
    keys: Keys,
    differences: list[Finding],
    open_: list[Finding],
) -> Given:
    receipted: set[str] = set()
    for name, got, lines in receipts_of(node, db, party, keys, differences):
        receipted |= {release for release, found in lines.items() if found is None}
        differences += [
            Finding("receipt", release, _DIFFERS[found], f"{got.at}, receipt {name[:12]}")
            for release, found in lines.items()
            if found is not None
        ]
    there = [row for row in node.view(party).released() if not is_message(row)]
    open_ += [
        Finding(
            "no-receipt",
            row.release,
            "given, no receipt came" if row.served else "given, not fetched yet",
            store.stamp(row.added),
        )
        for row in there
        if row.release not in receipted
    ]
    names = {row.release for row in there}
    queued = [release for partner, release, *_ in store.releases(db) if partner == party]
    return Given(
        releases=len(there),
        receipted=len(names & receipted),
        not_fetched=sum(not row.served for row in there),
        waiting=len(set(queued) - names),
    )


_DIFFERS = {
    receipt.Difference.OTHER_LOG: "receipted and never sent: our log never was as the receipt has it",
    receipt.Difference.OTHER_STATEMENT: "the receipt differs from what was sent",
    receipt.Difference.OTHER_RELEASE: "receipted and never sent: our log has another release there",
}


def receipts_of(
    node: Node, db: Connection, party: Party, keys: Keys, differences: list[Finding]
) -> Iterator[tuple[str, receipt.Receipt, dict[str, receipt.Difference | None]]]:
    """Each receipt that a partner gave: opened again, and compared again with our log as it is now."""
    for name, sealed in store.receipts(db, party):
        try:
            got = receipt_in(keys.opened(orjson.loads(sealed)))
        except (Broken, orjson.JSONDecodeError) as error:
            differences.append(Finding("evidence", name, f"a receipt that we keep does not hold: {error}"))
            continue
        yield name, got, compared(node, party, got)


def receipt_in(opened: Opened) -> receipt.Receipt:
    """The receipt in a message. Raises `Broken` where it is none."""
    return receipt.read_receipt(deliver.read_message(opened.object).body)


def compared(node: Node, party: Party, got: receipt.Receipt) -> dict[str, receipt.Difference | None]:
    """A receipt against our log to its giver as it is now."""
    indexes, sizes = {line.index for line in got.releases}, {state.size for state in got.checkpoints}
    return receipt.compare(got, *node.view(party).logged(indexes, sizes))


def is_message(row: Released) -> bool:
    """Whether what stands in a view is a message and not a product."""
    return bool(deliver.is_message(orjson.loads(row.body)))


# --- what we took --------------------------------------------------------------------------------


def _taken(
    db: Connection, party: Party, keys: Keys, differences: list[Finding], open_: list[Finding]
) -> Taken:
    receipted: dict[str, bool] = {}
    proved: set[str] = set()
    for release, _, sighting in sightings_of(db, party, keys, differences):
        proved.add(release.release_id)
        if not release.object_id.startswith(f"{TYPE}--"):
            before = receipted.get(release.release_id, False)
            receipted[release.release_id] = before or sighting.receipt is not None
    differences += [
        Finding("evidence", release, "it is recorded as taken, and what proved it is gone")
        for release, giver, *_ in store.received(db)
        if giver == party and release not in proved
    ]
    forks = store.forks(db, party)
    for fork in forks:
        differences += _fork(keys, fork)
    checkpoints = store.checkpoints(db, party)
    open_ += [
        Finding(
            "checkpoint", str(size), "no later checkpoint that we saw proves that it grew out of this", at
        )
        for size, at in checkpoints.open
    ]
    open_ += [
        Finding("not-receipted", release, "taken, and we gave no receipt")
        for release, ours in receipted.items()
        if not ours
    ]
    return Taken(
        releases=len(receipted),
        receipted=sum(receipted.values()),
        checkpoints=checkpoints.seen,
        widest=checkpoints.widest,
        open_checkpoints=len(checkpoints.open),
        forks=len(forks),
        forks_open=sum(fork.settled_at is None for fork in forks),
    )


def sightings_of(
    db: Connection, party: Party, keys: Keys, differences: list[Finding]
) -> Iterator[tuple[Statement, Proof, store.Sighting]]:
    """What a partner gave us, each proved again by what we keep of it."""
    for sighting in store.sightings(db, party):
        try:
            proof = decode_proof(sighting.proof)
            statement, _ = keys.proved(proof)
        except (Broken, msgspec.DecodeError) as error:
            about = sighting.release_id
            differences.append(Finding("evidence", about, f"a proof that we keep does not hold: {error}"))
            continue
        if statement.release_id != sighting.release_id:
            differences.append(
                Finding("evidence", sighting.release_id, "what we keep proves another release")
            )
        yield statement, proof, sighting


def _fork(keys: Keys, fork: store.Fork) -> Iterator[Finding]:
    """A fork that is open, or whose evidence no longer holds. One that is settled is no difference."""
    before, now = decode_proof(fork.before), decode_proof(fork.now)
    try:
        proved = witness.contradict(before, keys.proved(before)[1], now, keys.proved(now)[1])
    except Broken:
        proved = False
    if not proved:
        yield Finding("evidence", f"fork {fork.number}", "what we keep of a fork does not prove it")
    elif fork.settled_at is None:
        yield Finding("fork", f"fork {fork.number}", "its log has two histories, both signed", fork.found_at)


def age(since: str, now: datetime) -> str:
    """How long ago an RFC 3339 instant was, in words; empty where none is given."""
    try:
        days = (now - datetime.fromisoformat(since.partition(",")[0])).total_seconds() / 86_400
    except ValueError:
        return ""
    if days >= 2:
        return f"{days:.0f} days"
    return f"{days * 24:.0f} h" if days * 24 >= 1 else f"{max(days * 1440, 0):.0f} min"

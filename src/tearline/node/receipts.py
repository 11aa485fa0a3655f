"""Receipts, given and taken; and whether a giver's log is still the one that we saw.

Whatever a partner gives is first held against all that was seen of its log (`deliver.witness`). A fork is
recorded with the two proofs that contradict each other, each with its signed note; then nothing more is taken
from that giver until an officer settles it: what came waits where it is, in its view or in our inbox. With
that a new era of the log begins, in which the old one is not held against it any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
from sqlalchemy import Connection

from tearline import intake
from tearline.adapters import store
from tearline.deliver import Kind, Opened, Proof, receipt, sealed_again, witness
from tearline.deliver.receipt import BATCH, Became
from tearline.deliver.witness import Fork, Seen, Witness
from tearline.ledger import Act, Checkpoint, Entry
from tearline.node import officers
from tearline.node.messages import Taken, send
from tearline.node.opened import Node
from tearline.node.take_in import AlreadyHeld, TakenIn
from tearline.terms import Party, Refused

encode_proof = msgspec.msgpack.Encoder().encode
decode_proof = msgspec.msgpack.Decoder(Proof).decode


# --- The giver's log ------------------------------------------------------------------------------


def is_forked(db: Connection, giver: Party) -> bool:
    """Whether the log of this giver has two histories and no officer has settled it."""
    return store.standing_of_log(db, giver)[1]


def admit(
    node: Node, db: Connection, giver: Party, releases: Sequence[Opened], known: Collection[str]
) -> dict[str, int]:
    """Hold releases against what was seen of their giver's log; returns those that may be taken.

    By release id, with the number of each sighting. After a fork they are those that came before it, and none
    from the next call on. `known`: the ids of those that were taken before; these may tell of a fork too.
    """
    era, forked, first = store.standing_of_log(db, giver)
    if forked:
        return {}
    batches: dict[Checkpoint, list[tuple[int, Opened]]] = {}
    for number, release in enumerate(_unseen(db, giver, releases, known), first):
        batches.setdefault(release.log, []).append((number, release))
    telling = {
        log: witness.told(log, ((number, release.proof) for number, release in batch))
        for log, batch in batches.items()
    }
    before = recall(db, giver, era, telling)
    now, fork, admitted = before.copy(), None, dict[int, Opened]()
    for log, batch in batches.items():
        fork = now.see(log, telling[log], batch[0][0])
        if fork is not None:
            proofs = {number: release.proof for batch in batches.values() for number, release in batch}
            _keep_fork(node, db, giver, fork, proofs)
            break
        admitted.update(batch)
    store.add_sightings(db, giver, (_row(number, release) for number, release in admitted.items()))
    _remember(db, giver, era, before, now, store.stamp(node.clock()))
    return {release.statement.release_id: number for number, release in admitted.items()}


def _unseen(
    db: Connection, giver: Party, releases: Sequence[Opened], known: Collection[str]
) -> Iterable[Opened]:
    """What is new, and of what was taken before what is under a checkpoint that was never seen."""
    again = {release.log.size for release in releases if release.statement.release_id in known}
    roots = store.seen_roots(db, giver, again) if again else frozenset()
    for release in releases:
        if release.statement.release_id not in known or (release.log.size, release.log.root) not in roots:
            yield release


def _row(number: int, release: Opened) -> tuple[int, str, int, bytes]:
    return number, release.statement.release_id, release.log.size, encode_proof(release.proof)


def recall(db: Connection, giver: Party, era: int, telling: Mapping[Checkpoint, witness.Told]) -> Witness:
    """That part of what is known which decides about these checkpoints."""
    sizes, nodes = set[int](), set[tuple[int, int]]()
    for log, told in telling.items():
        more_sizes, more_nodes = witness.wanted(log, told)
        sizes |= more_sizes
        nodes |= more_nodes
    seen = store.seen_checkpoints(db, giver, era, sizes)
    return Witness(
        {size: Seen(*row) for size, row in seen.items()}, store.seen_subtrees(db, giver, era, nodes)
    )


def _remember(db: Connection, giver: Party, era: int, before: Witness, now: Witness, at: str) -> None:
    store.add_seen_log(
        db,
        giver,
        era,
        at,
        checkpoints=[
            (size, seen.root, seen.by, seen.linked)
            for size, seen in now.seen.items()
            if size not in before.seen
        ],
        linked=[size for size, seen in before.seen.items() if now.seen[size].linked and not seen.linked],
        subtrees=[(*at, *told) for at, told in now.nodes.items() if at not in before.nodes],
    )


def _keep_fork(node: Node, db: Connection, giver: Party, fork: Fork, proofs: Mapping[int, Proof]) -> None:
    now = proofs[fork.now]
    before = proofs.get(fork.before) or decode_proof(store.sighting_proof(db, fork.before))
    notes = [_note(before), _note(now)]
    node.record(Act.FORK_FOUND, {"giver": giver, "rule": fork.rule, "notes": notes})
    at = store.stamp(node.clock())
    store.add_fork(db, giver, fork.rule, encode_proof(before), encode_proof(now), at)


def settle_fork(node: Node, giver: Party, *, officer: str, why: str) -> None:
    """Take from this giver again. What was seen of its log until now is kept, and not held against it.

    Raises `Refused` where its log is not forked or the officer is not known here.
    """
    officers.must_say_why(why)
    with node.writing() as db:
        officers.must_be_officer(db, officer)
        if not store.settle_fork(db, giver, store.stamp(node.clock()), officer, why):
            raise Refused(f"no fork of the log of {giver} is open")
        node.record(Act.FORK_SETTLED, {"giver": giver, "officer": officer, "why": why})
    node.refresh()


def notices(node: Node) -> list[str]:
    """What officers should hear of: forks that are not settled."""
    with node.reading() as db:
        forked = store.forked(db)
    return [
        f"the log of {giver} has two histories, since {at}: nothing is taken from it until an officer has "
        f"spoken with it and settles it (tearline ledger fork settle {giver})"
        for giver, at in sorted(forked.items())
    ]


def earlier(node: Node, party: Party, index: int) -> int:
    """The size of our log to `party` that a release with this index goes on from, or an earlier one it asked
    for."""
    with node.reading() as db:
        asked = store.asked(db, party)
    return index if asked is None else min(asked, index)


# --- Receipts -------------------------------------------------------------------------------------


def fate(answer: TakenIn | AlreadyHeld | intake.Fault) -> Became:
    """What a receipt says of a release whose product was answered so."""
    if isinstance(answer, intake.Fault):
        return Became.REFUSED
    quarantined = isinstance(answer, TakenIn) and answer.quarantine is not None
    return Became.QUARANTINED if quarantined else Became.HELD


def give(
    node: Node,
    db: Connection,
    giver: Party,
    releases: Sequence[tuple[Opened, Became]],
    admitted: Mapping[str, int],
) -> None:
    """Receipt what was newly taken, in the transaction in which it was."""
    at = store.stamp(node.clock())
    for start in range(0, len(releases), BATCH):
        some = releases[start : start + BATCH]
        asks = store.first_open(db, giver)
        first = some[0][0].statement.release_id  # receipted this once, so it names this receipt
        body = receipt.receipt_for(some, at, asks).to_body()
        said = send(node, db, giver, Kind.RECEIPT, body, about=first)
        marks = [(admitted[release.statement.release_id], became) for release, became in some]
        store.mark_receipted(db, marks, said)


def take(node: Node, db: Connection, taken: Taken) -> None:
    """Keep a receipt, and record where it differs from what we sent. Raises `Broken` where it is none."""
    got = receipt.read_receipt(taken.message.body)
    indexes, sizes = {line.index for line in got.releases}, {state.size for state in got.checkpoints}
    statements, roots = node.view(taken.giver).logged(indexes, sizes)
    differences = receipt.compare(got, statements, roots)
    name, at = taken.release.statement.release_id, store.stamp(node.clock())
    lines = {line.release: (line.became, differences[line.release]) for line in got.releases}
    store.add_receipt(db, name, taken.giver, at, sealed_again(taken.release), lines)
    store.set_asked(db, taken.giver, got.asks)
    wrong = {release: found for release, found in differences.items() if found is not None}
    if wrong:
        entry = {"partner": taken.giver, "receipt": name, "differences": wrong}
        node.record(Act.RECEIPT_DIFFERS, entry)


# --- The record -----------------------------------------------------------------------------------


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where what is kept of receipts, of what was taken and of forks is not what the ledger tells."""
    told: Counter[tuple[str, ...]] = Counter()
    for entry in entries:
        body = entry.body
        if entry.act is Act.RELEASE_RECEIVED:
            told["release taken", body["giver"], body["release"]] += 1
        elif entry.act is Act.MESSAGE_RECEIVED and body["kind"] == Kind.RECEIPT:
            told["receipt", body["giver"], body["release"]] += 1
        elif entry.act is Act.FORK_FOUND:
            told["fork", body["giver"], *body["notes"]] += 1
        elif entry.act is Act.FORK_SETTLED:
            told["settled fork", body["giver"], body["officer"]] += 1
    there: Counter[tuple[str, ...]] = Counter(
        ("release taken", giver, release) for release, giver, *_ in store.received(db)
    )
    there.update(("receipt", partner, name) for partner, name in store.receipt_names(db))
    for fork in store.forks(db):
        there["fork", fork.giver, *(_note(decode_proof(proof)) for proof in (fork.before, fork.now))] += 1
        if fork.settled_at is not None:
            there["settled fork", fork.giver, fork.officer or ""] += 1
    for kind, party, *name in sorted((told - there) + (there - told)):
        wrong = (
            "is recorded, but not held"
            if (kind, party, *name) in told - there
            else "is held, but not recorded"
        )
        yield f"a {kind} of {party} ({' '.join(part[:12] for part in name)}) {wrong}"


def _note(proof: Proof) -> str:
    return sha256(proof.checkpoint.encode()).hexdigest()

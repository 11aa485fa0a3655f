"""Reading and verifying what the node has written down."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from sqlalchemy import Connection

from tearline.adapters import store
from tearline.adapters.log import Finding
from tearline.adapters.log_audit import Fault
from tearline.ledger import Act, Entry
from tearline.node import consent, marks, mosaic, recall_record, receipts
from tearline.node.agreement_record import mismatches
from tearline.node.opened import Node
from tearline.terms import Broken, Party


def verify_ledger(node: Node, known: Sequence[str] = ()) -> tuple[dict[str, int], list[Finding]]:
    """Recompute every log here: the size of each by its origin, and what was found changed.

    What is held, queued and delivered must also be what the ledger tells of (law 9).
    `known`: checkpoints of the private log that were kept elsewhere.
    """
    key = node.home.signing_key.public_key()
    with node.reading() as db:
        everyone = store.parties_ever(db)  # who left has left a history
        sizes = {node.log.origin: node.log.size(db)}
        findings = list(node.log.verify(db, key, known=known))
        findings += _stores(node, db)
        every = (
            mismatches,
            mosaic.mismatches,
            recall_record.mismatches,
            receipts.mismatches,
            consent.mismatches,
            marks.mismatches,
        )
        for mismatched in every:
            findings += (_odd(node, sentence) for sentence in mismatched(db, _entries(node, db)))
        taken = {party: store.inbox_signed(db, party) for party in everyone}
    for party, signed in taken.items():
        view_sizes, view_findings = node.view(party).verify(key, taken=signed)
        sizes |= view_sizes
        findings += view_findings
    return sizes, findings


def _stores(node: Node, db: Connection) -> Iterator[Finding]:
    """Where products, outbox and views hold what the ledger does not tell of, or lack what it does."""
    told, digests, vault = _told(_entries(node, db))
    if store.vault_state(db) != vault:
        yield _odd(node, "the vault's file is not noted as it was recorded")
    there: Counter[tuple[str, str]] = Counter()
    for held in store.held(db):
        there["product", held.product.id] += 1
        body = hashlib.sha256(store.encode_product(held.product)).hexdigest()
        if held.digest != body or body not in digests:
            yield _odd(node, f"the product {held.product.id} is not as it was recorded")
    delivered: dict[Party, list[str]] = {}
    releases = [("release", partner, release, at) for partner, release, _, _, at in store.releases(db)]
    messages = [("message", partner, release, at) for partner, release, _, at in store.messages(db)]
    for kind, partner, release, at in [*releases, *messages]:
        there[kind, release] += 1
        if at is not None:
            delivered.setdefault(partner, []).append(release)
    for kind, name in sorted((told - there) | (there - told)):
        wrong = "is recorded, but not held" if told[kind, name] else "is held, but not recorded"
        yield _odd(node, f"the {kind} {name} {wrong}")
    for partner, names in delivered.items():
        with node.view(partner).begin() as view:
            for release in sorted(set(names) - view.has_release(names)):
                yield _odd(node, f"the release {release} was delivered, but is not in the view of {partner}")


def _told(
    entries: Iterable[Entry],
) -> tuple[Counter[tuple[str, str]], set[str], tuple[int, str] | None]:
    """How often the ledger tells of each thing by its kind, digests of products, and the vault's state."""
    told: Counter[tuple[str, str]] = Counter()
    digests: set[str] = set()
    vault: tuple[int, str] | None = None
    for entry in entries:
        if entry.act in {Act.PRODUCT_RELEASED, Act.RECALL_SENT}:
            told["release", entry.body["release"]] += 1
        elif entry.act is Act.MESSAGE_SENT:
            told["message", entry.body["release"]] += 1
        elif entry.act is Act.PRODUCT_TAKEN_IN:
            told["product", entry.body["product"]] += 1
        elif entry.act is Act.VAULT_WRITTEN:
            vault = entry.body["version"], entry.body["sha256"]
        if entry.act in {Act.PRODUCT_TAKEN_IN, Act.QUARANTINE_RESOLVED, Act.FACTS_ADDED}:
            digests.add(entry.body["digest"])
    return told, digests, vault


def _odd(node: Node, detail: str) -> Finding:
    return Finding(f"{node.party}/node", Fault.CHANGED, 0, 1, detail)


def _entries(node: Node, db: Connection) -> Iterator[Entry]:
    """Those entries of the private log that can be read; `Log.verify` names the others."""
    for data in node.log.entries(db, 0, node.log.size(db)):
        with suppress(Broken):
            yield Entry.read(data)


def checkpoint(node: Node) -> str:
    """A signed checkpoint of the private log as it stands."""
    with node.writing() as db:
        return node.log.checkpoint(db, node.home.signing_key)


def ledger_tail(node: Node, count: int) -> list[tuple[int, Entry]]:
    """The newest entries of the private log, the newest last."""
    with node.reading() as db:
        size = node.log.size(db)
        start = max(0, size - count)
        return [
            (number, Entry.read(data)) for number, data in enumerate(node.log.entries(db, start, size), start)
        ]


def releases_on_ledger(node: Node) -> set[str]:
    """The release ids that the private log records."""
    with node.reading() as db:
        entries = _entries(node, db)
        return {str(entry.body["release"]) for entry in entries if entry.act is Act.PRODUCT_RELEASED}


def consents_on_ledger(node: Node) -> dict[str, set[str]]:
    """By release id: the serials of the consents on which it was passed on, as the ledger tells it."""
    with node.reading() as db:
        return {
            str(entry.body["release"]): set(entry.body["consents"])
            for entry in _entries(node, db)
            if entry.act is Act.PRODUCT_RELEASED and "consents" in entry.body
        }


def progress(node: Node) -> store.Progress:
    """How far the node has come."""
    with node.reading() as db:
        return store.progress(db)


def tally(node: Node, *, own: bool = False) -> list[tuple[Party, str, str, str, int]]:
    """Outcomes counted: (partner, kind, code, clause, how many); `own`: of its own products alone."""
    with node.reading() as db:
        return store.tally(db, own=node.party if own else None)

"""Reading and verifying what the node has written down."""

from __future__ import annotations

from collections.abc import Sequence

from tearline.adapters import store
from tearline.adapters.log import Finding
from tearline.ledger import Act, Entry
from tearline.node.opened import Node
from tearline.terms import Party


def verify_ledger(node: Node, known: Sequence[str] = ()) -> tuple[dict[str, int], list[Finding]]:
    """Recompute every log here: the size of each by its origin, and what was found changed.

    `known`: checkpoints of the private log that were kept elsewhere.
    """
    key = node.home.signing_key.public_key()
    with node.reading() as db:
        sizes = {node.log.origin: node.log.size(db)}
        findings = list(node.log.verify(db, key, known=known))
    for party in node.partners:
        view_sizes, view_findings = node.view(party).verify(key)
        sizes |= view_sizes
        findings += view_findings
    return sizes, findings


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
        entries = map(Entry.read, node.log.entries(db, 0, node.log.size(db)))
        return {str(entry.body["release"]) for entry in entries if entry.act is Act.PRODUCT_RELEASED}


def progress(node: Node) -> store.Progress:
    """How far the node has come."""
    with node.reading() as db:
        return store.progress(db)


def tally(node: Node, *, own: bool = False) -> list[tuple[Party, str, str, str, int]]:
    """Outcomes counted: (partner, kind, code, clause, how many); `own`: of its own products alone."""
    with node.reading() as db:
        return store.tally(db, own=node.party if own else None)

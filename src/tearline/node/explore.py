"""Looking through the private ledger: its entries, the newest first, and the proof of each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from tearline.adapters import store
from tearline.ledger import Act, Entry
from tearline.node.opened import Node
from tearline.terms import Broken, Refused

CHUNK = 2_000
"""Entries that are read at once."""
FURTHEST = 200_000
"""Entries that one look goes through at most: then it tells where it stopped."""


class Recorded(msgspec.Struct, frozen=True):
    """An entry and its number. None where it cannot be read: then the record was changed."""

    number: int
    entry: Entry | None


class Looked(msgspec.Struct, frozen=True):
    """What was found, the newest first."""

    found: tuple[Recorded, ...]
    before: int | None
    """The number to go on below, where there may be more."""
    size: int
    """Entries of the whole ledger."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; what is not given does not matter."""

    act: Act | None = None
    words: str = ""
    """All of these stand somewhere in the entry: a party, a product, an officer, a person."""
    since: datetime | None = None
    until: datetime | None = None


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """What proves one entry to somebody who has the node's key alone (RFC 6962, section 2.1; C2SP notes)."""

    number: int
    data: bytes
    """The entry as it was written: the bytes that are hashed."""
    size: int
    """Entries under the checkpoint."""
    path: tuple[bytes, ...]
    """Hashes from the leaf's neighbour up."""
    checkpoint: str
    vkey: str
    """The node's verifier key."""


def look(node: Node, sought: Sought, *, before: int | None = None, limit: int = 50) -> Looked:
    """Entries below the number `before` that are as sought, the newest first, at most `limit`."""
    is_sought = _matcher(sought)
    found: list[Recorded] = []
    with node.reading() as db:
        size = node.log.size(db)
        at = size if before is None else min(before, size)
        last = max(0, at - FURTHEST)
        while at > last and len(found) < limit:
            start = max(last, at - CHUNK)
            chunk = list(node.log.entries(db, start, at))
            for number in range(start + len(chunk) - 1, start - 1, -1):
                at = number
                if is_sought(data := chunk[number - start]):
                    found.append(Recorded(number, _read(data)))
                    if len(found) == limit:
                        break
            at = min(at, start + len(chunk)) if chunk else start
    return Looked(tuple(found), at if at > 0 else None, size)


def proof_of(node: Node, number: int) -> Proved:
    """The proof of one entry under a checkpoint of now. Raises `Refused` where there is no such entry."""
    with node.writing() as db:  # a checkpoint is signed where the newest is older than the newest entry
        note = node.log.checkpoint(db, node.home.signing_key)
        size = node.log.size(db)
        data = node.log.entries_at(db, [number]).get(number)
        if data is None or number >= size:
            raise Refused(f"the ledger has no entry {number}")
        path = node.log.inclusion(db, number, size)
    return Proved(number=number, data=data, size=size, path=tuple(path), checkpoint=note, vkey=node.vkey)


def _read(data: bytes) -> Entry | None:
    with suppress(Broken):
        return Entry.read(data)
    return None


def _matcher(sought: Sought) -> Callable[[bytes], bool]:
    """Tells of the bytes of an entry whether it is sought; what cannot be read always is."""
    words = [word.casefold() for word in sought.words.split()]
    act = None if sought.act is None else b'"act":"' + sought.act.value.encode() + b'"'
    since = None if sought.since is None else store.stamp(sought.since)
    until = None if sought.until is None else store.stamp(sought.until)

    def is_sought(data: bytes) -> bool:
        if act is not None and act not in data:
            return False
        entry = _read(data)
        if entry is None:
            return True
        if act is not None and entry.act is not sought.act:
            return False
        if (since is not None and entry.at < since) or (until is not None and entry.at >= until):
            return False
        text = data.decode("utf-8", "replace").casefold() if words else ""
        return all(word in text for word in words)

    return is_sought

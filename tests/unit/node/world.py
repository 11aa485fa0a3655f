"""Nodes in one process, with a clock of our own; their pages are carried by hand."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from tearline import deliver
from tearline.adapters import store
from tearline.adapters.home import Config
from tearline.adapters.view import IN, OUT, Item
from tearline.agreement import load
from tearline.deliver.taxii import Query
from tearline.intake import Fault
from tearline.ledger import Act, Entry
from tearline.node import (
    AlreadyHeld,
    Card,
    Node,
    TakenIn,
    Terms,
    add_partner,
    consider,
    hand_over,
    ledger_tail,
    receipts,
    take_in,
    tally,
)
from tearline.terms import Level, Reach
from tests.adoption import adopt
from tests.coalition import AGREEMENTS

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
EVERYTHING = Query(versions=("all",))
TERMS = Terms(
    clearance=tuple((party, Level.SECRET) for party in ("AUS", "CAN", "GBR", "USA")),
    reach=Reach.AMBER,
    duties=frozenset({"FOUO", "STATEMENT"}),
)
REPORT = """\
//GBR SECRET
Title: (//GBR U) Barges at Velna
Date: 2026-10-02T05:00:00Z
Topics: maritime
Regions: eastern-europe
Discipline: humint

(//GBR S//REL TO USA, FVEY) Nine barges lay at Velna on 1 October.

(//GBR S) SOURCE: A harbour pilot with direct access.

//GBR SECRET
"""


_PATTERNS = TemporaryDirectory(prefix="tearline-tests-")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@contextmanager
def nodes(folder: Path, *parties: str) -> Iterator[list[Node]]:
    """Nodes that know one another and have the five-party agreement in force."""
    made = [_copied(_pattern(parties) / party, folder / party) for party in parties]
    try:
        yield made
    finally:
        for one in made:
            one.close()


def _copied(pattern: Path, folder: Path) -> Node:
    shutil.copytree(pattern, folder)
    node = Node.open(folder)
    node.clock = Clock()
    node.clock.now += timedelta(seconds=1)
    return node


@cache
def _pattern(parties: tuple[str, ...]) -> Path:
    """Such nodes, made once: each test gets a copy."""
    folder = Path(_PATTERNS.name) / "-".join(parties)
    made = [make(folder / party, party) for party in parties]
    for one in made:
        for other in made:
            if one is not other:
                add_partner(one, Card.of(other), TERMS)
        adopt(one, five_eyes())
    for one in made:
        one.close()
    return folder


def make(folder: Path, party: str) -> Node:
    Node.create(folder, Config(party=party, name=f"Desk {party}", port=1)).close()
    node = Node.open(folder)
    node.clock = Clock()
    return node


def five_eyes(edit: str = "") -> Any:
    folder = AGREEMENTS / "five-eyes"
    clauses = (folder / "clauses.cedar").read_text(encoding="utf-8")
    return load((folder / "agreement.toml").read_text(encoding="utf-8"), clauses + edit, "five-eyes")


def malware(name: str, *marks: str, **more: Any) -> dict[str, Any]:
    item = {
        "type": "malware",
        "spec_version": "2.1",
        "id": f"malware--{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "name": name,
        "is_family": False,
        "object_marking_refs": list(marks),
    }
    if not marks:
        del item["object_marking_refs"]
    return item | more


def bundle(*items: Any) -> bytes:
    return json.dumps({"type": "bundle", "id": f"bundle--{uuid.UUID(int=5)}", "objects": items}).encode()


def take(node: Node, content: bytes, marking: str | None = None) -> list[TakenIn | AlreadyHeld | Fault]:
    return list(take_in(node, BytesIO(content), "file", marking=marking))


def work(node: Node) -> None:
    while consider(node) + hand_over(node):
        pass


def page(giver: Node, taker: Node) -> list[dict[str, Any]]:
    """All that stands in the giver's view of the taker."""
    return [
        orjson.loads(body)
        for body in giver.view(taker.party).page(OUT, EVERYTHING, after=-1, limit=10_000).items
    ]


def entries(node: Node, act: Act | None = None) -> list[Entry]:
    return [entry for _, entry in ledger_tail(node, 10_000) if act is None or entry.act is act]


def releases(node: Node) -> list[tuple[str, str, int, str, str | None]]:
    with node.reading() as db:
        return store.releases(db)


def held(node: Node) -> list[store.Held]:
    with node.reading() as db:
        return list(store.held(db))


def codes(node: Node) -> dict[tuple[str, str, str], int]:
    """(partner, kind, code) of the gate's answers, counted."""
    found: dict[tuple[str, str, str], int] = {}
    for partner, kind, code, _, count in tally(node):
        found[partner, kind, code] = found.get((partner, kind, code), 0) + count
    return found


def names(objects: Sequence[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in objects if item["type"] in {"malware", "report"}]


def state(node: Node) -> tuple[Any, ...]:
    """All that a node holds and has written down, for comparison."""
    with node.reading() as db:
        rows = [(item.seq, item.digest, item.received_as) for item in store.held(db)]
        size, received = node.log.size(db), sorted(store.received(db))
    views = {party: page_of(node, party) for party in node.partners}
    return rows, size, received, releases(node), tally(node), views


def page_of(node: Node, party: str) -> list[bytes]:
    return node.view(party).page(OUT, EVERYTHING, after=-1, limit=10_000).items


def sealed_in_log(giver: Node, drafts: Sequence[deliver.Draft]) -> list[bytes]:
    """The drafts, signed and logged by their giver: what one gets who changes the program, not the log."""
    party, key = drafts[0].recipient, giver.home.signing_key
    with giver.view(party).begin() as view:
        envelopes = [deliver.sign_draft(draft, giver=giver.party, key=key) for draft in drafts]
        log = view.logs[OUT]
        batch = log.append(view.db, [envelope.payload for envelope in envelopes])
        view.checkpoint(OUT)
        size = receipts.earlier(giver, party, batch.start)
        steps = log.steps(view.db, key, [(size, index) for index in batch])
        return [
            deliver.seal(
                draft,
                envelope,
                checkpoint=step.note,
                index=index,
                proof=step.inclusion,
                previous=deliver.Previous(size, step.before, step.consistency),
            )
            for draft, envelope, index, step in zip(drafts, envelopes, batch, steps, strict=True)
        ]


def add_to_inbox(node: Node, party: str, *items: dict[str, Any]) -> None:
    """What a partner posted to its inbox at a node."""
    rows = [
        Item(None, item["id"], item["type"], item["modified"], "2.1", orjson.dumps(item)) for item in items
    ]
    with node.view(party).begin() as view:
        view.add(IN, rows, node.clock())

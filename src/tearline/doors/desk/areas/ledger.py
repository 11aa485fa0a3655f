"""The ledger: every act of the node, who did it, and the proof that it stands there as it was written."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

import msgspec

from tearline.doors.desk.endpoint import N_, Area, At, Download, Nothing
from tearline.doors.desk.person import OVERSIGHT, Role
from tearline.ledger import Act
from tearline.node import checkpoint, partner_record, verify_ledger
from tearline.node.explore import Sought, look, proof_of
from tearline.terms import Party

area = Area("ledger", title=N_("Ledger"), path="/ledger", order=60, key="l")
EXPORTERS = frozenset({Role.AUDITOR})


class LedgerAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for. `before`: go on below this number."""

    act: Act | None = None
    words: Annotated[str, msgspec.Meta(max_length=200)] = ""
    since: date | None = None
    until: date | None = None
    before: Annotated[int, msgspec.Meta(ge=0)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One act. What cannot be read has no `act`: the record was changed."""

    number: int
    at: str = ""
    act: Act | None = None
    person: str = ""
    """Who did it at the desk, or the officer whom the entry names."""
    body: dict[str, Any] = {}


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first."""

    entries: tuple[LedgerEntry, ...]
    before: int | None
    """Where to go on; none at the end."""
    size: int
    acts: tuple[Act, ...] = tuple(Act)


class EntryAsked(msgspec.Struct, frozen=True):
    number: Annotated[int, msgspec.Meta(ge=0)]


class EntryProof(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with what proves it (RFC 6962, section 2.1): everything to check it without this desk."""

    entry: LedgerEntry
    data: str
    """The entry's bytes, base64: its leaf hash is SHA-256 over a zero byte and these."""
    size: int
    path: tuple[str, ...]
    """Hashes, base64, from the leaf's neighbour up."""
    checkpoint: str
    vkey: str


class LedgerFinding(msgspec.Struct, frozen=True):
    """What was found changed, in one sentence."""

    origin: str
    says: str


class LedgerChecked(msgspec.Struct, frozen=True, kw_only=True):
    """Every log of the node, recomputed."""

    sizes: dict[str, int]
    findings: tuple[LedgerFinding, ...]


class CheckedAsked(msgspec.Struct, frozen=True):
    job: str


class ExchangeAsked(msgspec.Struct, frozen=True):
    partner: Party


@area.shows("/ledger", "ledger/entries.html", roles=OVERSIGHT)
def entries(at: At, asked: LedgerAsked) -> LedgerPage:
    """Look through the ledger."""
    sought = Sought(
        act=asked.act,
        words=asked.words,
        since=_midnight(asked.since),
        until=None if asked.until is None else _midnight(asked.until + timedelta(days=1)),
    )
    found = look(at.node, sought, before=asked.before, limit=asked.limit)
    return LedgerPage(
        entries=tuple(_entry(each.number, each.entry) for each in found.found),
        before=found.before,
        size=found.size,
    )


@area.shows("/ledger/{number:int}", "ledger/entry.html", roles=OVERSIGHT)
def entry(at: At, asked: EntryAsked) -> EntryProof:
    """One entry and its proof."""
    found = proof_of(at.node, asked.number)
    (looked,) = look(at.node, Sought(), before=asked.number + 1, limit=1).found
    return EntryProof(
        entry=_entry(looked.number, looked.entry),
        data=base64.b64encode(found.data).decode(),
        size=found.size,
        path=tuple(base64.b64encode(each).decode() for each in found.path),
        checkpoint=found.checkpoint,
        vkey=found.vkey,
    )


@area.shows("/ledger/checkpoint", roles=OVERSIGHT)
def newest_checkpoint(at: At, asked: Nothing) -> Download:
    """A signed checkpoint of now, to keep elsewhere."""
    name = f"{at.node.party}-{at.node.clock():%Y-%m-%dT%H%M%SZ}.checkpoint"
    return Download(name, "text/plain; charset=utf-8", checkpoint(at.node).encode())


@area.does(
    "/ledger/check",
    roles=OVERSIGHT,
    slow=True,
    then="/ledger/checked/{job}",
    says=N_("Every log of this node is recomputed"),
)
def check(at: At, asked: Nothing) -> LedgerChecked:
    """Recompute every log of this node, and compare the stores with it."""
    sizes, findings = verify_ledger(at.node)
    return LedgerChecked(
        sizes=sizes, findings=tuple(LedgerFinding(each.origin, str(each)) for each in findings)
    )


@area.shows("/ledger/checked/{job}", "ledger/checked.html", roles=OVERSIGHT)
def checked(at: At, asked: CheckedAsked) -> LedgerChecked:
    """What a check of the ledger found."""
    found: LedgerChecked = at.kept(asked.job)
    return found


@area.shows("/ledger/exchange/{partner}", "ledger/exchange.html", roles=OVERSIGHT)
def exchange(at: At, asked: ExchangeAsked) -> partner_record.Record:
    """Compare all that this node has in hand about its exchange with one partner."""
    return partner_record.verify_partner(at.node, asked.partner)


def _entry(number: int, found: Any) -> LedgerEntry:
    if found is None:
        return LedgerEntry(number=number)
    body = dict(found.body)
    person = body.get("person") or body.get("officer") or body.get("by") or ""
    return LedgerEntry(number=number, at=found.at, act=found.act, person=str(person), body=body)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)

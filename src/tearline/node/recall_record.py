"""What became of recalls: who was told, who confirmed it, what could not be confirmed and for how long."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from tearline.adapters import store
from tearline.ledger import Act, Entry
from tearline.node.opened import Node
from tearline.node.recall import Order, read_order
from tearline.terms import Party, Refused


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One object that a partner has, or would have had.

    `state`: `never-left`; `open` (not yet known whether it was read); `served` (waits for the gate's answer
    on the new version); `queued`; `stopped` (by a suspension, or stuck); `given` (stands in the partner's
    view); `confirmed` (a receipt came); `lost` (the view does not have it). `replaced`: by the new version of
    the same object, and not by a recall of it.
    """

    partner: Party
    state: str
    object_id: str | None
    release_id: str | None
    replaced: bool
    given_at: str | None
    confirmed_at: str | None

    @property
    def is_open(self) -> bool:
        return self.state not in {"never-left", "confirmed"}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A recall, for officers. `held`: the versions here that it means; `title`: of the newest of them."""

    id: str
    order: Order
    title: str
    held: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def is_open(self) -> bool:
        """Whether something that was to happen could not be confirmed."""
        return any(line.is_open for line in self.lines)

    def age(self, now: datetime) -> timedelta:
        """How long ago it was ordered."""
        return now - datetime.fromisoformat(self.order.notice.date)


def recalls(node: Node, *, open_only: bool = False) -> list[Shown]:
    """Every recall, the oldest first; `open_only`: those of which something is not confirmed."""
    with node.reading() as db:
        shown = [_shown(db, kept) for kept in store.recalls(db)]
    return [each for each in shown if each.is_open or not open_only]


def show(node: Node, recall_id: str) -> tuple[Shown, list[str]]:
    """A recall, and the ids of the products here that name what was recalled. Raises `Refused` for none."""
    with node.reading() as db:
        for kept in store.recalls(db):
            if kept.id == recall_id:
                return _shown(db, kept), list(_derived(db, kept))
    raise Refused(f"there is no recall {recall_id}; see `tearline recall list`")


def _shown(db: Connection, kept: store.Recall) -> Shown:
    affected = store.affected(db, kept.id)
    releases = [row.release_id for row in affected if row.release_id is not None]
    sent, confirmed = store.sent(db, releases), store.confirmed(db, releases)
    lines: dict[tuple[Party, str | None, str | None, str], Line] = {}
    for row in affected:  # several versions of one object are recalled by one release
        line = _line(row, sent, confirmed)
        lines.setdefault((line.partner, line.object_id, line.release_id, line.state), line)
    held = [
        each.product for each in store.versions_held(db, kept.product) if each.product.version < kept.before
    ]
    mine = [product for product in held if product.originator == kept.giver]
    return Shown(
        id=kept.id,
        order=read_order(kept.body),
        title=mine[-1].title if mine else "",
        held=tuple(product.version for product in mine),
        lines=tuple(lines.values()),
    )


def _line(
    row: store.Affected, sent: Mapping[str, tuple[int, str | None]], confirmed: Mapping[str, str]
) -> Line:
    state, given_at = row.state, None
    if row.release_id is not None:
        stopped, given_at = sent[row.release_id]
        state = "stopped" if stopped else "queued" if given_at is None else "given"
        state = "confirmed" if row.release_id in confirmed else state
    return Line(
        partner=row.partner,
        state=state,
        object_id=row.object_id,
        release_id=row.release_id,
        replaced=row.state == "replaced",
        given_at=given_at,
        confirmed_at=confirmed.get(row.release_id or ""),
    )


def _derived(db: Connection, kept: store.Recall) -> Iterator[str]:
    name = kept.product.encode()
    for held in store.held(db):
        if held.product.id != kept.product and name in held.product.content:
            yield f"{held.product.id} {held.product.version}"


def mismatches(db: Connection, entries: Iterable[Entry]) -> Iterator[str]:
    """Where the recalls that are kept are not those that the ledger tells of."""
    told = [entry.body["digest"] for entry in entries if entry.act is Act.PRODUCT_RECALLED]
    kept = store.recalls(db)
    if told != [hashlib.sha256(each.body).hexdigest() for each in kept]:
        yield "the recalls are not those that were recorded"
    for each in kept:
        order = read_order(each.body)
        columns = (each.id, each.giver, each.product, each.before, each.date, each.to)
        if columns != (order.id, order.giver, order.product, order.before, order.notice.date, order.to):
            yield f"the recall {each.id} does not say what was ordered"

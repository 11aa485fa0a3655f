"""What a proposed agreement would have changed: in all that a node holds, or over files of items.

Each product is judged at the time at which the gate last answered for it; what waits for the gate, now. Whom
label and third-party rule let in is asked of the gate, with the partners' terms of today.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, select

from tearline import gate
from tearline.adapters import items, store
from tearline.agreement import NOT_MEDIA, Agreement, Agreements, Detail, Facts
from tearline.agreement.media import detail_of, media_of
from tearline.agreement.tables import TEARLINE, WHOLE, Columns, Epochs, Row, columns, microseconds
from tearline.label import bars
from tearline.label.tables import COALITIONS, coalitions_of
from tearline.ledger import Act, Entry
from tearline.node.opened import Node
from tearline.review import Changes, Replay, revised
from tearline.review.replay import Heard
from tearline.terms import BadInput, Label, Partner, Party, Quarantine, Refused

BATCH = 2_000
"""Products read at a time."""
EXAMPLES = 3

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""
Period = tuple[datetime | None, datetime | None]


def replay(
    node: Node,
    proposed: Agreement,
    *,
    partners: Collection[Party] = (),
    examples: int = EXAMPLES,
    progress: Progress | None = None,
) -> Changes:
    """What `proposed` would have changed in all that is held, if it stood in the place of its version.

    For `partners`, all if none is named. Raises `Refused` where one is none of this node.
    """
    node.refresh()
    after = revised(node.agreements, proposed)
    return compare(node, after, partners=partners, examples=examples, progress=progress)


def replay_files(
    node: Node,
    proposed: Agreement,
    files: Sequence[Path],
    *,
    partners: Collection[Party] = (),
    examples: int = EXAMPLES,
    progress: Progress | None = None,
) -> Changes:
    """The same over the items of Parquet files (docs/items-format.md). Raises `BadInput`."""
    node.refresh()
    after = revised(node.agreements, proposed)
    return compare(node, after, files, partners=partners, examples=examples, progress=progress)


def compare(
    node: Node,
    after: Sequence[Agreement],
    files: Sequence[Path] = (),
    *,
    partners: Collection[Party] = (),
    period: Period = (None, None),
    examples: int = EXAMPLES,
    progress: Progress | None = None,
    heard: Heard | None = None,
) -> Changes:
    """What the agreements `after` would have changed against those in force, in all held or in files.

    `period`: only items judged from its start on, and before its end. `heard`: see `Replay`.
    """
    node.refresh()
    for party in partners:
        if party not in node.partners:
            raise Refused(f"{party} is not a partner of this node")
    asked = sorted(partners or node.partners)
    present = node.agreements  # a suspension would hide what the agreements themselves change
    declaring = *after, *(each for each in present if each.id not in {new.id for new in after})
    batches = _files(files, progress) if files else map(columns, _history(node, declaring, progress))
    made = Replay(node.party, present, after, asked, epochs(asked), examples=examples, heard=heard)
    for batch in batches:
        for part in _within(batch, period):
            made.add(part)
    return made.changes()


def export(node: Node, path: Path, *, progress: Progress | None = None) -> int:
    """Write what is held as a file of items, so that it can be replayed elsewhere; returns how many rows."""
    node.refresh()
    return items.write(path, _history(node, node.agreements, progress))


def epochs(partners: Collection[Party]) -> Epochs:
    """From which day on each of `partners` is in which coalitions."""
    days = {day for each in COALITIONS.values() for day, party in each.joined or () if party in partners}
    return [(day, {party: coalitions_of(party, day) for party in partners}) for day in sorted(days)]


def _within(batch: Columns, period: Period) -> Iterator[Columns]:
    """The items judged in the period, by their first rows; none of them is split."""
    start, end = period
    if start is None and end is None:
        yield batch
        return
    at = (
        batch.at if batch.first is None else batch.at[np.flatnonzero(batch.first)][np.cumsum(batch.first) - 1]
    )
    inside = np.ones(len(batch), bool)
    if start is not None:
        inside &= at >= microseconds(start)
    if end is not None:
        inside &= at < microseconds(end)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    for first, last in edges.reshape(-1, 2).tolist():
        yield batch.part(slice(first, last))


def _files(files: Sequence[Path], progress: Progress | None) -> Iterator[Columns]:
    total, done = sum(map(items.count, files)), 0
    for batch in chain.from_iterable(map(items.read, files)):
        yield batch
        done += len(batch)
        if progress:
            progress(done, total)


# --- What is held ---------------------------------------------------------------------------------


def _history(node: Node, agreements: Sequence[Agreement], progress: Progress | None) -> Iterator[list[Row]]:
    """Every product held, a row for its whole form and for each tearline form, in batches.

    The forms of imagery and signals are those that `agreements` declare.
    """
    partners, rules = list(node.partners.values()), Agreements(node.party, agreements)
    with node.reading() as db:
        times = _Times(node, db)
        total = db.scalar(select(func.count()).select_from(store.metadata.tables["product"])) or 0
        rows: list[Row] = []
        for done, held in enumerate(store.held(db), 1):
            rows += _rows(held, partners, rules, times)
            if done % BATCH == 0:
                yield rows
                rows = []
                if progress:
                    progress(done, total)
        if rows:
            yield rows
    if progress:
        progress(total, total)


_CONSIDERED = Act.PRODUCT_CONSIDERED.encode()


class _Times:
    """When the gate last answered for each product, and for whom at another time than for the others."""

    def __init__(self, node: Node, db: Connection) -> None:
        self._now = node.clock()
        self._at: dict[str, datetime] = {}
        self._other: dict[str, dict[Party, datetime]] = {}
        for data in node.log.entries(db, 0, node.log.size(db)):
            if _CONSIDERED in data:
                self._take(Entry.read(data))

    def _take(self, entry: Entry) -> None:
        if entry.act is not Act.PRODUCT_CONSIDERED:
            return
        digest, at = entry.body["digest"], datetime.fromisoformat(entry.at)
        parties = list(entry.body["outcomes"])
        if digest in self._at and len(parties) == 1:  # asked again for one whose release was stopped
            self._other.setdefault(digest, {})[parties[0]] = at
        else:
            self._at[digest] = at
            self._other.pop(digest, None)

    def of(self, digest: str, parties: Collection[Party]) -> list[tuple[datetime, frozenset[Party]]]:
        """The instants of these parties; first that of most of them. What waits is judged now."""
        at, other = self._at.get(digest, self._now), self._other.get(digest, {})
        found: dict[datetime, set[Party]] = {at: set()}
        for party in parties:
            found.setdefault(other.get(party, at), set()).add(party)
        return [(instant, frozenset(some)) for instant, some in found.items()]


_Form = tuple[Label, Detail, int, frozenset[Party]]
"""What bears this label and tells so much, whole or tearline, and whom the label lets have it."""


def _rows(held: store.Held, partners: Sequence[Partner], rules: Agreements, times: _Times) -> list[Row]:
    """The product's whole form, and its tearline forms, each with those whom the label lets have it."""
    product = held.product
    open_ = gate.Openings(product, partners, rules.own)
    found = [
        Row(
            id=product.id,
            version=product.version,
            at=at,
            day=min(product.created, at).date(),
            facts=Facts.of(product, label, detail),
            form=form,
            to=to & parties,
        )
        for at, parties in times.of(held.digest, [partner.party for partner in partners])
        for label, detail, form, to in _forms(open_, rules, at)
    ]
    return [row._replace(first=number == 0) for number, row in enumerate(found)]


def _forms(open_: gate.Openings, rules: Agreements, at: datetime) -> Iterator[_Form]:
    product, label = open_.product, open_.label
    nobody = Label(), NOT_MEDIA, WHOLE, frozenset[Party]()
    if isinstance(label, Quarantine):
        yield nobody
        return
    try:
        media, detail = media_of(product), detail_of(product, at)
    except BadInput:
        yield nobody
        return
    yield label, detail, WHOLE, frozenset(open_.let_in)
    rest = [party for party in open_.recipients if party not in open_.settled]
    if media is None:
        for line in open_.forms(rest):
            yield line.label, NOT_MEDIA, TEARLINE, frozenset(line.parties)
        return
    declared = {party: rules.forms(party, at) for party in rest}
    every = chain.from_iterable(declared.values())
    for form, offer in gate.offers(every, product, label, media, rules.own, at).items():
        let_in = (p for p in rest if form in declared[p] and not bars(offer.label, open_.recipients[p]))
        yield offer.label, offer.detail, TEARLINE, frozenset(let_in)

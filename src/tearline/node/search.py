"""Searching the products that the node holds: by their words, marks and dates.

The index (`search.db`) is brought up to date at each question. Products are only added, and only those in
quarantine can come to say something else: so the newest that is in the index, and those in quarantine, tell
whether it is as `node.db` is. Source lines and what is told of sources are not in it, and cannot be found.
Neither the words asked for nor what is found is ever put into a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import orjson

from tearline.adapters import store
from tearline.adapters.search import Entry, Piece, Search, Wanted, expression
from tearline.gate.openings import label_of
from tearline.node.opened import Node
from tearline.terms import (
    Category,
    Label,
    Level,
    Party,
    Product,
    Quarantine,
    Reach,
    Region,
    Role,
    Topic,
)

MOST = 100
"""Products on a page."""
_BATCH = 500
EVERYONE = "everyone"
"""In the place of parties where the label names none: it bars nobody by a list."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; all of it must fit. `words`: as `adapters.search.expression` reads them."""

    words: str = ""
    topic: Topic | None = None
    region: Region | None = None
    level: str | None = None
    """Policy and rank, such as `GBR SECRET`."""
    tlp: str | None = None
    rel: str | None = None
    """A party that the label lets be given it, or `everyone`."""
    originator: Party | None = None
    category: Category | None = None
    since: date | None = None
    until: date | None = None
    """The last day."""
    newest: bool = False
    offset: int = 0
    limit: int = 20


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A product that was found."""

    product: str
    version: str
    originator: Party
    category: Category
    created: datetime
    topics: tuple[Topic, ...]
    regions: tuple[Region, ...]
    mark: str
    """Its marking, as it came in."""
    in_quarantine: bool
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`facets`: by kind, how many of all that was found bear each value, the most frequent first."""

    hits: tuple[Hit, ...]
    total: int
    facets: dict[str, tuple[tuple[str, int], ...]]


def search(node: Node, asked: Asked, tell: Callable[[int, int], None] = lambda done, of: None) -> Result:
    """What the node holds of what is looked for. `tell`: how far the index is, where it is not up to date."""
    marks = {
        "topic": asked.topic,
        "region": asked.region,
        "level": asked.level,
        "tlp": asked.tlp,
        "rel": asked.rel,
        "originator": asked.originator,
        "category": asked.category,
    }
    wanted = Wanted(
        words=expression(asked.words),
        marks=tuple((kind, str(value)) for kind, value in marks.items() if value is not None),
        since=None if asked.since is None else asked.since.isoformat(),
        until=None if asked.until is None else (asked.until + timedelta(days=1)).isoformat(),
        newest=asked.newest,
        offset=max(asked.offset, 0),
        limit=min(max(asked.limit, 1), MOST),
    )
    index = catch_up(node, tell)
    try:
        found = index.find(wanted)
    finally:
        index.close()
    with node.reading() as db:
        held = store.numbered(db, [number for number, *_ in found.rows])
    return Result(
        hits=tuple(_hit(held[number].product, title, said) for number, title, said in found.rows),
        total=found.total,
        facets={
            kind: tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
            for kind, counts in sorted(found.marks.items())
        },
    )


def catch_up(node: Node, tell: Callable[[int, int], None] = lambda done, of: None) -> Search:
    """The index, as `node.db` is now."""
    index = Search(node.home.folder / "search.db")
    with node.reading() as db:
        last, digest = index.last()
        if last and store.digest_of(db, last) != digest:  # a crash of the machine took back what was read
            index.clear()
            last = 0
        quarantined = store.quarantined_among(db, index.unsettled())
        changed = index.unsettled() - quarantined
        if changed:
            index.put([_entry(each, False) for each in store.numbered(db, changed).values()])
        newest = store.newest_product(db)
        while rows := store.products_after(db, last, _BATCH):
            shut = store.quarantined_among(db, [each.seq for each in rows])
            index.put([_entry(each, each.seq in shut) for each in rows])
            last = rows[-1].seq
            tell(last, newest)
    return index


def _entry(held: store.Held, in_quarantine: bool) -> Entry:
    product = held.product
    return Entry(
        number=held.seq,
        digest=held.digest,
        title=product.title,
        body="\n\n".join(readable(product)),
        created=product.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        marks=frozenset(_marks(product)),
        settled=not in_quarantine,
    )


def readable(product: Product) -> Iterator[str]:
    """The texts of a product that whoever may read products may read: without its source lines."""
    if product.portions:
        yield from (each.text for each in product.portions if each.role is Role.BODY)
    else:
        yield from _strings(product.content)
    yield product.id


def _strings(content: bytes) -> Iterable[str]:
    try:
        read = orjson.loads(content)
    except orjson.JSONDecodeError:
        return [content.decode("utf-8", errors="replace")]
    return _leaves(read)


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)


def _marks(product: Product) -> Iterator[tuple[str, str]]:
    yield "originator", product.originator
    yield "category", product.category.value
    yield from (("topic", each.value) for each in product.topics)
    yield from (("region", each.value) for each in product.regions)
    label = label_of(product)
    if isinstance(label, Label):
        yield from (("level", f"{policy} {Level(rank).name}") for policy, rank in label.level)
        if label.reach is not Reach.CLEAR or (product.marking and product.marking.scheme != "capco"):
            yield "tlp", label.reach.name.replace("_", "+")
        yield from (("rel", each) for each in label.release or ((EVERYONE,) if label.release is None else ()))
    else:
        yield "level", "quarantine"


def _hit(product: Product, title: tuple[Piece, ...], snippet: tuple[Piece, ...]) -> Hit:
    return Hit(
        product=product.id,
        version=product.version,
        originator=product.originator,
        category=product.category,
        created=product.created,
        topics=tuple(sorted(product.topics)),
        regions=tuple(sorted(product.regions)),
        mark=product.marking.text.strip() if product.marking else "",
        in_quarantine=isinstance(label_of(product), Quarantine),
        title=title,
        snippet=snippet,
    )

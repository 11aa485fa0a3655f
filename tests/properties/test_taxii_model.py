"""A view against the naive model of a collection: a list, filtered by hand.

Whatever is added and removed and whatever is asked for, walking all pages gives exactly the model's answer,
in its order, each object once.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.adapters.view import IN, Item, View
from tearline.deliver.taxii import Query, date_added, read_query

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
START = datetime(2026, 11, 23, tzinfo=UTC)


class Thing(NamedTuple):
    """A version of an object. `second` is its version; `None` where it has none."""

    number: int
    kind: str
    second: int | None
    spec: str

    @property
    def id(self) -> str:
        return f"{self.kind}--{self.number}"

    @property
    def body(self) -> bytes:
        return f'["{self.id}", "{self.second}", "{self.spec}"]'.encode()


class Row(NamedTuple):
    added: int
    thing: Thing
    version: str


class Model:
    """A collection as the standard tells it, without an index."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.last = -1

    def add(self, thing: Thing, at: int) -> None:
        if any(
            row.thing == thing if thing.second is None else
            row.thing.id == thing.id and row.version == stamp(thing.second)
            for row in self.rows
        ):  # fmt: skip
            return
        self.last = max(at, self.last + 1)
        version = date_added(self.last) if thing.second is None else stamp(thing.second)
        self.rows.append(Row(self.last, thing, version))

    def remove(self, query: Query) -> None:
        gone = self.ask(query)
        self.rows = [row for row in self.rows if row not in gone]

    def ask(self, query: Query) -> list[Row]:
        left = [
            row
            for row in self.rows
            if (query.ids is None or row.thing.id in query.ids)
            and (query.types is None or row.thing.kind in query.types)
            and (query.spec_versions is None or row.thing.spec in query.spec_versions)
        ]

        def wanted(row: Row) -> bool:
            versions = [instant(other.version) for other in left if other.thing.id == row.thing.id]
            mine = instant(row.version)
            return (
                "all" in query.versions
                or row.version in query.versions
                or ("last" in query.versions and mine == max(versions))
                or ("first" in query.versions and mine == min(versions))
            )

        return [row for row in left if wanted(row) and row.added > query.after]


def stamp(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}.000Z"


def instant(version: str) -> datetime:
    return datetime.fromisoformat(version)


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


KINDS = ("indicator", "malware", "tool")
things = st.builds(
    Thing,
    number=st.integers(0, 3),
    kind=st.sampled_from(KINDS),
    second=st.none() | st.integers(0, 5),
    spec=st.sampled_from(("2.1", "2.1", "2.0")),
)
moves = st.lists(
    st.tuples(st.lists(things, min_size=1, max_size=8), st.sampled_from((-5, 0, 0, 3, 1000))), max_size=6
)
ids = st.sampled_from([f"{kind}--{number}" for kind in KINDS for number in range(4)] + ["tool--99"])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(values, min_size=1, max_size=3, unique=True).map(lambda v: tuple(sorted(v)))


stamps = st.integers(0, 5).map(stamp)
versions = st.just(("all",)) | st.lists(
    st.sampled_from(("first", "last")) | stamps, min_size=1, max_size=3, unique=True
).map(lambda v: tuple(sorted(v)))
queries = st.builds(
    Query,
    ids=some(ids),
    types=some(st.sampled_from((*KINDS, "campaign"))),
    spec_versions=some(st.sampled_from(("2.0", "2.1", "2.2"))),
    versions=versions,
    limit=st.integers(1, 5),
)


def walk(view: View, query: Query) -> tuple[list[bytes], list[Row]]:
    """Every page of objects and of the manifest, until there is no more."""
    bodies: list[bytes] = []
    after = query.after
    while True:
        page = view.page(IN, query, after=after, limit=query.limit)
        assert len(page.items) <= query.limit
        bodies += page.items
        if not page.more:
            break
        assert len(page.items) == query.limit
        after = page.last
    records = []
    after = query.after
    while True:
        entries = view.manifest(IN, query, after=after, limit=query.limit)
        records += entries.items
        if not entries.more:
            break
        after = entries.last
    return bodies, records  # type: ignore[return-value]


def fill(view: View, model: Model, batches: list[tuple[list[Thing], int]]) -> None:
    now = START
    for batch, step in batches:
        now += timedelta(microseconds=step)
        items = [
            Item(None, t.id, t.kind, None if t.second is None else stamp(t.second), t.spec, t.body)
            for t in batch
        ]
        with view.begin() as writer:
            writer.add(IN, items, now)
        at = max(micros(now), model.last + 1)  # one instant for a batch, as long as the clock allows
        for thing in batch:
            model.add(thing, at)


def compare(view: View, model: Model, query: Query) -> None:
    expected = model.ask(query)
    bodies, records = walk(view, query)
    assert bodies == [row.thing.body for row in expected]
    assert [(r.added, r.id, instant(r.version), r.spec_version) for r in records] == [  # type: ignore[attr-defined]
        (row.added, row.thing.id, instant(row.version), row.thing.spec) for row in expected
    ]


@settings(max_examples=120, deadline=None)
@given(moves, st.lists(queries, min_size=1, max_size=4), st.data())
def test_all_pages_give_what_the_model_gives(
    batches: list[tuple[list[Thing], int]], asked: list[Query], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        view = View(Path(folder) / "BBB.db", node="AAA", party="BBB", key=KEY, secret=b"s" * 32)
        model = Model()
        fill(view, model, batches)
        known = [row.added for row in model.rows]
        for query in asked:
            after = data.draw(st.sampled_from([-1, *known, *(added - 1 for added in known)]))
            compare(view, model, Query(**{f: getattr(query, f) for f in FILTERS}, after=after))
        view.close()


FILTERS = ("ids", "types", "spec_versions", "versions", "limit")


@settings(max_examples=60, deadline=None)
@given(moves, queries, moves, queries)
def test_removing_leaves_what_the_model_leaves(
    before: list[tuple[list[Thing], int]],
    gone: Query,
    after: list[tuple[list[Thing], int]],
    asked: Query,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        view = View(Path(folder) / "BBB.db", node="AAA", party="BBB", key=KEY, secret=b"s" * 32)
        model = Model()
        fill(view, model, before)
        if gone.ids is not None:
            with view.begin() as writer:
                writer.remove(gone)
            model.remove(gone)
        fill(view, model, after)
        compare(view, model, asked)
        compare(view, model, Query(versions=("last",)))
        view.close()


@given(queries, st.integers(0, 2**52))
def test_a_query_that_is_written_out_reads_back(query: Query, after: int) -> None:
    def values(name: str, given: tuple[str, ...] | None) -> list[str]:
        return [] if given is None else [f"match[{name}]={','.join(given)}"]

    text = "&".join(
        [
            *values("id", query.ids),
            *values("type", query.types),
            *values("spec_version", query.spec_versions),
            *values("version", query.versions),
            f"limit={query.limit}",
            f"added_after={date_added(after)}",
        ]
    )
    read = read_query(text)
    assert {f: getattr(read, f) for f in FILTERS} == {f: getattr(query, f) for f in FILTERS}
    assert read.after == after

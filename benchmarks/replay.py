"""How fast replay is: millions of items and 32 partners, against cedarpy and against reading the columns.

    PYTHONPATH=. .venv/bin/python benchmarks/replay.py [--items 10000000]

A decision is what one request to Cedar decides: may this partner have this item, by this action, under these
agreements? A replay takes four for each item and partner: whole and as a tearline, under the present and
the proposed agreements. Four partners share the five-party agreement of the demo, the other 28 have a
bilateral one each; the revision adds a topic to one clause of the first.

"cedarpy, batch": one `is_authorized_batch` for a sample of items and all partners, all entities made
beforehand, with the clauses of all agreements in one set, or with those of the smallest agreement alone,
which is less than any decision needs. "The gate's engine": `Agreements.rule` on facts not seen before; it
alone is right about tables of levels and about who is party to what.

"Reading" is said three times: the columns in memory, every number added up once; pyarrow's own decoding of
a Parquet file; and such a file into columns (`adapters.items.read`: decoded, and every value checked). Of
the file a million items are read, and the time is scaled.

Items are drawn. "Realistic": some thousand different sets of topics, some hundred lists of parties. "All
distinct": no two items have the same attributes. "Many tests": a revision whose 200 clauses ask about every
topic and region, so that items can be told apart in more ways than can be numbered. All seconds are CPU
seconds of this one process, on one thread.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import cedarpy
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.gate import FIVE, NOW, OTHERS, shipped
from tearline.adapters import items
from tearline.agreement import (
    NOT_MEDIA,
    Action,
    Agreement,
    Agreements,
    Detail,
    between,
    cedar,
    evaluate,
    load,
)
from tearline.agreement.tables import CATEGORIES, DISCIPLINES, REGIONS, TOPICS, Coded, Columns
from tearline.review import Change, Replay, revised
from tearline.terms import Level, Reach, Region, Topic, Use

OWN, PARTNERS = "USA", (*FIVE, *OTHERS)
MEMBERS = {party: frozenset({"FVEY"} if party in FIVE else ()) for party in PARTNERS}
EPOCHS = [(date(1946, 3, 5), MEMBERS)]
LEVELS = [(), *(((policy, level),) for policy in ("GBR", "USA") for level in Level)]
SECONDS = tuple(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2021, 2026))
PART = 1_000_000
SAMPLE = 20


def agreements() -> list[Agreement]:
    five = shipped("five-eyes")
    bilateral = shipped("bilateral")
    return [five, *(between(bilateral, ("USA", "UKR"), ("USA", party)) for party in OTHERS)]


def revision(five: Agreement) -> Agreement:
    old, new = (
        'contains(Topic::"threat-to-life")',
        'containsAny([Topic::"threat-to-life", Topic::"terrorism"])',
    )
    assert old in five.clauses
    return load(five.manifest, five.clauses.replace(old, new), "revision")


def many_tests(five: Agreement) -> Agreement:
    """200 clauses, each about a topic and a region of its own."""
    pairs = zip(list(Topic) * 8, list(Region) * 10, strict=False)
    clauses = "\n".join(
        f'''@id("c{number}") @reason("r") permit (principal, action == Action::"release", resource)
        when {{ resource.topics.contains(Topic::"{topic}") && resource.regions.contains(Region::"{region}")
                && resource.level <= {number % 4} }};'''
        for number, (topic, region) in enumerate(pairs)
    )
    return load(five.manifest, clauses, "many")


def drawn(count: int, *, distinct: bool, seed: int = 1) -> Columns:
    """Items drawn at random, in columns."""
    draw = np.random.default_rng(seed)
    sets = 200_000 if distinct else 3_000
    topics = np.unique(few(draw, len(TOPICS), sets))
    regions = np.unique(few(draw, len(REGIONS), sets))
    to = [None, *(frozenset(draw.choice(PARTNERS, size, replace=False).tolist()) for size in [4, 8, 31] * 80)]
    seconds = np.sort(draw.integers(*SECONDS, count))
    if distinct:  # the instant tells any two apart, as it does for years of products
        seconds = np.linspace(*SECONDS, count).astype(np.int64)
    at = seconds * 1_000_000 + (np.arange(count) % 1_000_000 if distinct else 0)

    def column(values: Any, kind: Any = np.uint8) -> Coded:
        return Coded(draw.integers(0, len(values), count).astype(kind), values)

    names = pa.array(np.arange(count)).cast(pa.string())
    return Columns(
        id=names,
        version=pa.nulls(count, pa.string()),
        first=None,
        form=None,
        at=at,
        day=(seconds // 86_400).astype(np.int32),
        originator=column(("USA", "GBR")),
        category=column(CATEGORIES),
        level=column(LEVELS),
        topics=column(topics, np.uint32),
        regions=column(regions, np.uint32),
        disciplines=column(range(1, 1 << len(DISCIPLINES))),
        reach=column(tuple(Reach)),
        use=column(tuple(Use)),
        detail=column([NOT_MEDIA, *(Detail(*ranks) for ranks in draw.integers(0, 5, (200, 5)).tolist())]),
        to=column(to),
    )


def few(draw: np.random.Generator, names: int, count: int) -> Any:
    """Sets of one to four of so many names, as masks."""
    sets = np.zeros(count, np.uint32)
    for member in range(4):
        some = draw.random(count) < 0.6 if member else np.ones(count, bool)
        sets |= np.where(some, np.uint32(1) << draw.integers(0, names, count).astype(np.uint32), 0).astype(
            np.uint32
        )
    return sets


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def of_cedar(columns: Columns, agreements: list[Agreement]) -> dict[str, float]:
    """CPU seconds for a decision."""
    facts = [columns.row(row).facts for row in range(SAMPLE)]
    products = {f"p{row}": evaluate._attributes(each, Level.SECRET) for row, each in enumerate(facts)}
    entities = cedar.with_products(cedar.roster(frozenset(MEMBERS.items())), products)
    requests = [
        {
            "principal": cedar._uid("Partner", party),
            "action": cedar._uid("Action", "release"),
            "resource": cedar._uid("Product", product),
        }
        for product in products
        for party in PARTNERS
    ]
    found = {}
    fewest = [min(agreements, key=lambda each: len(each.parsed))]
    for name, some in (("batch, all clauses", agreements), ("batch, fewest clauses", fewest)):
        trees = {f"{each.id}/{clause.id}": clause.tree for each in some for clause in each.parsed}
        asked = cedar.Clauses(trees, reads_clock=False)
        cedarpy.is_authorized_batch(requests[:32], asked.policies, entities)
        spent, _ = cpu(lambda asked=asked: cedarpy.is_authorized_batch(requests, asked.policies, entities))
        found[name] = spent / len(requests)
    rules = Agreements(OWN, agreements)
    rules.rule(columns.row(SAMPLE).facts, MEMBERS, Action.RELEASE, NOW)
    spent, _ = cpu(lambda: [rules.rule(each, MEMBERS, Action.RELEASE, NOW) for each in facts])
    return found | {"the gate's engine": spent / len(requests)}


def in_memory(columns: Columns) -> float:
    """CPU seconds to read every byte of the columns once."""
    arrays = [
        columns.at,
        columns.day,
        *(getattr(columns, name).codes for name in judge_columns()),
        columns.to.codes,
    ]
    return cpu(lambda: [each.sum() for each in arrays])[0]


def judge_columns() -> tuple[str, ...]:
    return ("originator", "category", "level", "topics", "regions", "disciplines", "reach", "use")


def to_parquet(columns: Columns, path: Path) -> None:
    """The columns as an exporter would write them."""

    def texts(coded: Coded, show: Callable[[Any], Any], kind: Any) -> Any:
        codes = pa.array(coded.codes.astype(np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.array(map(show, coded.values), kind)).cast(kind)

    def lists(coded: Coded, show: Callable[[Any], Any]) -> Any:
        return pa.array(map(show, coded.values), pa.list_(pa.string())).take(pa.array(coded.codes))

    def words(vocabulary: Any) -> Callable[[int], list[str]]:
        return lambda number: [str(word) for bit, word in enumerate(vocabulary) if int(number) >> bit & 1]

    def parts() -> Iterator[pa.Table]:
        for start in range(0, len(columns), PART):
            part = columns.part(slice(start, start + PART))
            yield pa.table(
                {
                    "id": part.id,
                    "at": pa.array(part.at).cast(pa.timestamp("us", tz="UTC")),
                    "day": pa.array(part.day).cast(pa.date32()),
                    "originator": texts(part.originator, str, pa.string()),
                    "category": texts(part.category, str, pa.string()),
                    "level": lists(
                        part.level, lambda level: [f"{policy}:{rank.name}" for policy, rank in level]
                    ),
                    "topics": lists(part.topics, words(TOPICS)),
                    "regions": lists(part.regions, words(REGIONS)),
                    "disciplines": lists(part.disciplines, words(DISCIPLINES)),
                    "reach": texts(
                        part.reach,
                        lambda reach: reach.name.replace("AMBER_STRICT", "AMBER+STRICT"),
                        pa.string(),
                    ),
                    "use": texts(part.use, lambda use: use.name, pa.string()),
                    "to": lists(part.to, lambda to: None if to is None else sorted(to)),
                }
            )

    writer = None
    for table in parts():
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def measured(name: str, columns: Columns, present: list[Agreement], new: Agreement) -> None:
    rules = revised(present, new)
    compiling, replay = cpu(lambda: Replay(OWN, present, rules, PARTNERS, EPOCHS))
    adding, _ = cpu(lambda: replay.add(columns))
    judging, _ = cpu(lambda: [None for _ in replay._tables.chunks(columns)])
    telling, changes = cpu(replay.changes)
    total = compiling + adding + telling
    memory = in_memory(columns)
    some = columns.part(slice(0, PART))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.parquet"
        to_parquet(some, path)
        size = path.stat().st_size / len(some)
        reading, _ = cpu(lambda: sum(len(batch) for batch in items.read(path)))
        raw, _ = cpu(lambda: [None for _ in pq.ParquetFile(path).iter_batches()])
    reading, raw = (spent * len(columns) / len(some) for spent in (reading, raw))
    decisions = 4 * len(columns) * len(PARTNERS)
    decision = total / decisions
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = sum(changes.count(change) for change in Change)
    print(f"\n{name}: {len(columns):,} items x {len(PARTNERS)} partners, {decisions:,} decisions")
    print(f"  kinds of item: {replay._tables._count or 'too many to number'}; changes found: {found:,}")
    print(f"  compile {compiling:.2f} s, judge and count {adding:.2f} s (judging alone {judging:.2f} s),")
    print(f"  tell {telling:.2f} s ({len(changes.cells):,} cells): {total:.2f} s CPU")
    print(f"  a decision: {decision * 1e9:.3f} ns, {1 / decision:,.0f} a second")
    for way, spent in of_cedar(columns, list(rules)).items():
        print(f"  cedarpy, {way + ':':<22} {spent * 1e6:6.1f} us, {spent / decision:,.0f} times as long")
    print(f"  reading the columns in memory:  {memory:6.3f} s; replay is {total / memory:.1f} times that")
    print(f"  reading Parquet, pyarrow alone: {raw:6.2f} s; replay is {total / raw:.2f} times that")
    print(f"  reading Parquet into columns:   {reading:6.2f} s; replay is {total / reading:.2f} times that")
    print(f"  (Parquet: {size:.0f} bytes an item) peak memory of the process so far: {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=10_000_000)
    count = parser.parse_args().items
    present = agreements()
    measured("realistic", drawn(count, distinct=False), present, revision(present[0]))
    distinct = drawn(count, distinct=True)
    measured("all distinct", distinct, present, revision(present[0]))
    measured("all distinct, many tests", distinct, present, many_tests(present[0]))


if __name__ == "__main__":
    main()

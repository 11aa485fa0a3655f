"""How fast a review is: holdings of millions of copies among 32 parties, and exposure in 64 of them.

    PYTHONPATH=. .venv/bin/python benchmarks/review.py [--copies 1000000] [--requirements 20] [--memory 3GB]

Copies are drawn: about four of each item, most given by its originator, the rest passed on; 60 sets of topics
and 12 of regions, six years. "Holdings" is all that a review asks of the lake for a suspension that is
answered in kind: read and checked, each item once for its holder, shares by originator and giver for three
stages, and what answers the requirements; then the figures made of that. Seconds by the clock and of CPU, and
the peak memory of the process. The file is made beside, in batches, and removed.

"Exposure": 64 parties, each of whom may pass on to each other and to an adversary: 4,096 edges.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tearline.adapters.lake import Asked, Cut, Holdings, Lake
from tearline.review.coverage import Answering, coverage
from tearline.review.dependency import Amount, Group, dependency
from tearline.review.exposure import Edge, reach
from tearline.review.requirements import Requirement, worth
from tearline.terms import Category, Region, Topic

PARTIES = [f"P{number:02}" for number in range(32)]
ROUNDS = [
    [Cut(giver="P01", holder="P02")],
    [Cut(giver="P01", holder="P02"), Cut(giver="P02", holder="P01")],
]
BATCH = 1_000_000


def drawn(path: Path, count: int, seed: int = 1) -> None:
    """A file of holdings."""
    draw = np.random.default_rng(seed)

    def some(words: list[str], most: int, sets: int) -> Any:
        sizes = draw.integers(1, most, sets)
        return pa.array([",".join(sorted(draw.choice(words, size, replace=False))) for size in sizes])

    topics, regions = some(list(Topic), 4, 60), some(list(Region), 3, 12)

    def texts(codes: Any, words: list[str]) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words)).cast(
            pa.string()
        )

    writer = None
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        item = (start + np.arange(size)) // 4
        originator, holder = item * 7919 % 32, draw.integers(0, 32, size)
        giver = np.where(draw.random(size) < 0.8, originator, draw.integers(0, 32, size))
        giver = np.where(originator == holder, holder, giver)
        at = 1_577_836_800_000_000 + item * 104_729 % (6 * 365 * 86_400) * 1_000_000
        table = pa.table(
            {
                "holder": texts(holder, PARTIES),
                "item": named(item),
                "originator": texts(originator, PARTIES),
                "giver": texts(giver, PARTIES),
                "at": pa.array(at).cast(pa.timestamp("us", tz="UTC")),
                "category": texts(item % 4, list(Category)),
                "topics": topics.take(pa.array(item * 104_729 % 60)),
                "regions": regions.take(pa.array(item // 7 % 12)),
                "form": texts(item // 3 % 2, ["whole", "tearline"]),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def named(items: Any) -> Any:
    """Their numbers as ids of STIX, without a Python object for each."""
    start = b"report--00000000-0000-5000-8000-"
    letters = np.empty((len(items), len(start) + 12), np.uint8)
    letters[:, : len(start)] = np.frombuffer(start, np.uint8)
    for place in range(12):
        letters[:, -1 - place] = items // 10**place % 10 + ord("0")
    ends = np.arange(len(items) + 1, dtype=np.int32) * letters.shape[1]
    return pa.Array.from_buffers(pa.string(), len(items), [None, pa.py_buffer(ends), pa.py_buffer(letters)])


def requirements(count: int) -> list[Requirement]:
    topics, regions = list(Topic), list(Region)
    return [
        Requirement(
            id=f"R-{number}",
            question="?",
            marking="TLP:RED",
            priority=number % 5 + 1,
            topics=frozenset({topics[number % len(topics)]}),
            regions=frozenset({regions[number % len(regions)], regions[(number + 7) % len(regions)]}),
            holder=PARTIES[number % 32],
        )
        for number in range(count)
    ]


def timed(name: str, work: Callable[[], Any]) -> Any:
    clock, cpu = time.perf_counter(), time.process_time()
    made = work()
    print(
        f"  {name:<34} {time.perf_counter() - clock:7.2f} s, CPU {time.process_time() - cpu:7.2f} s",
        flush=True,
    )
    return made


def holdings(path: Path, asked: list[Requirement], memory: str) -> None:
    with Lake.duckdb(memory=memory) as lake:
        held: Holdings = timed("read, each item once", lambda: lake.holdings([path], ROUNDS))
        rows = timed("shares", lambda: held.shares([worth(asked, *kind) for kind in held.kinds]))
        groups = [
            Group(
                each.holder,
                each.originator,
                each.givers,
                Amount(each.items, each.value),
                tuple(Amount(*left) for left in each.left),
            )
            for each in rows
        ]
        found = timed("figures of shares", lambda: dependency(groups, ("after", "after the answer")))
        fits = [
            Asked(number, kind, str(requirement.holder), False)
            for number, requirement in enumerate(asked)
            for kind, facts in enumerate(held.kinds)
            if requirement.fits(*facts)
        ]
        answers = timed("what answers requirements", lambda: held.answers(fits))
        months = held.months()
        assert months is not None
        answering = [Answering(a.requirement, a.originator, a.month, (a.items, *a.left)) for a in answers]
        stages = ("now", "after", "after the answer")
        timed("figures of coverage", lambda: coverage(asked, answering, months, stages, "P00"))
        items = sum(each.items for each in found.consumers if each.stage == "now")
    print(f"  {items:,.0f} items held, {len(rows):,} groups, {len(answers):,} answers")


def exposure() -> None:
    draw = np.random.default_rng(1)
    parties = [f"P{number:02}" for number in range(64)]
    lows = iter(draw.random(64 * 64) * 0.02)
    edges = [
        Edge(giver=giver, taker=taker, low=(low := float(next(lows))), high=2 * low)
        for giver in parties
        for taker in [*parties, "X"]
        if giver != taker
    ]
    timed(f"{len(edges):,} edges, 10,000 worlds", lambda: reach(edges, parties, ["X"]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--copies", type=int, default=1_000_000)
    parser.add_argument("--requirements", type=int, default=20)
    parser.add_argument("--memory", default="3GB")
    given = parser.parse_args()
    print(f"Review, {date.today()}\nExposure")  # noqa: DTZ011
    exposure()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "holdings.parquet"
        drawn(path, given.copies)
        size = path.stat().st_size / given.copies
        print(f"Holdings: {given.copies:,} copies, 32 parties ({size:.0f} bytes a copy)")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        holdings(path, requirements(given.requirements), given.memory)
        print(f"  in all {time.perf_counter() - start:.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  peak memory {peak / 1024:,.0f} MB (before it {before / 1024:,.0f} MB)")


if __name__ == "__main__":
    main()

"""Eight nodes (`tearline serve`, each its processes) over mutual TLS: how long a product takes to partners.

One node takes products in at a steady rate and releases them to seven partners. What is measured is the time
from the commit of the product at its originator until, at the partner, the release is verified, on the ledger
and durable; and until the partner's receipt is in turn verified and taken in at the originator. Each is the
time that the node itself wrote down in that commit; all nodes share this machine's clock.

Then: what law 5 costs (the same with a cadence of 0), how many releases a second are receipted at most by 1,
8 and 32 partners.

    python benchmarks/federation.py [--rate 100] [--seconds 20] [--partners 7] [--cadence 20] [--flood 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path

from tearline.adapters.home import Config
from tearline.agreement import load
from tearline.node import Card, Node, TakenIn, Terms, add_partner, take_in
from tearline.terms import Level, Reach
from tests.adoption import adopt
from tests.coalition import bundle, free_port, serve, stop

GIVER = "GBR"
MANIFEST = """
id = "benchmark"
title = "Cyber goes whole"
parties = {parties}
coalitions = []
valid_from = 2020-01-01
valid_until = 2040-01-01

[levels.GBR]
UNCLASSIFIED = "UNCLASSIFIED"
"""
CLAUSE = """
@id("cyber-whole")
@reason("Cyber threats go whole, and at once.")
@review("2039-06-30")
permit (principal, action == Action::"release", resource)
when { resource.category == Category::"cyber" && resource.level <= 3 }
unless { resource.disciplines.contains(Discipline::"humint") };
"""


def build(folder: Path, partners: int, cadence_ms: int) -> dict[str, Path]:
    """A giver and its partners, each of which knows the giver alone; one agreement between all."""
    takers = [f"P{number:02d}" for number in range(partners)]
    homes = {party: folder / party for party in (GIVER, *takers)}
    with ExitStack() as stack:
        nodes = {
            party: stack.enter_context(
                Node.create(
                    home,
                    Config(
                        party=party, name=party, port=free_port(), pull_interval=60.0, cadence_ms=cadence_ms
                    ),
                )
            )
            for party, home in homes.items()
        }
        terms = Terms(clearance=((GIVER, Level.SECRET),), reach=Reach.AMBER, duties=frozenset({"FOUO"}))
        giver = nodes[GIVER]
        for party in takers:
            add_partner(giver, Card.of(nodes[party]), terms)
            add_partner(nodes[party], Card.of(giver), terms)
        adopt(giver, load(MANIFEST.format(parties=sorted(homes)).replace("'", '"'), CLAUSE, "benchmark"))
    return homes


@contextmanager
def served(homes: dict[str, Path]) -> Iterator[list[int]]:
    """All nodes, serving; their process ids."""
    with ExitStack() as stack:
        processes = []
        for home in homes.values():
            process = serve(home)
            stack.callback(stop, process)
            processes.append(process.pid)
        yield processes


async def pour(home: Path, rate: int, seconds: int) -> dict[str, float]:
    """Commit `rate` products a second, ten times a second: when each was committed."""
    per_beat, taken = max(1, rate // 10), dict[str, float]()
    with Node.open(home) as node:
        start = time.time()
        for beat in range(seconds * rate // per_beat):
            await asyncio.sleep(max(0.0, start + beat * per_beat / rate - time.time()))
            for item in take_in(node, BytesIO(bundle(per_beat, f"{start} {beat}")), "benchmark"):
                if not isinstance(item, TakenIn):
                    raise TypeError(f"the product was not taken in: {item}")
                taken[item.product_id] = time.time()
    return taken


def received(homes: dict[str, Path]) -> dict[tuple[str, str], float]:
    """When each object was taken in at each partner."""
    found = {}
    for party in homes.keys() - {GIVER}:
        rows = ask(homes[party], "SELECT object_id, received_at FROM received")
        found |= {(party, name): datetime.fromisoformat(at).timestamp() for name, at in rows}
    return found


def receipted(homes: dict[str, Path]) -> dict[tuple[str, str], float]:
    """When each partner's receipt for each object was taken in at the giver."""
    query = (
        "SELECT o.partner, p.id, r.received_at FROM receipt_line AS l "
        "JOIN receipt AS r ON r.release_id = l.receipt JOIN outbox AS o ON o.release_id = l.release_id "
        "JOIN product AS p ON p.seq = o.product"
    )
    rows = ask(homes[GIVER], query)
    return {(party, name): datetime.fromisoformat(at).timestamp() for party, name, at in rows}


def ask(home: Path, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(home / "node.db")) as db:
        return db.execute(query).fetchall()


def wait_for(
    homes: dict[str, Path], taken: dict[str, float], seconds: float
) -> tuple[list[float], list[float]]:
    """Milliseconds from commit to taken in, and to the receipt, one a product and partner, sorted."""
    end = time.monotonic() + seconds
    wanted = {(party, name) for party in homes.keys() - {GIVER} for name in taken}
    while not wanted <= receipted(homes).keys():
        if time.monotonic() > end:
            there = len(wanted & received(homes).keys()), len(wanted & receipted(homes).keys())
            raise RuntimeError(f"of {len(wanted)} releases {there[0]} are taken in, {there[1]} receipted")
        time.sleep(0.3)
    there, back = received(homes), receipted(homes)

    def waits(instants: dict[tuple[str, str], float]) -> list[float]:
        return sorted((instants[party, name] - taken[name]) * 1000 for party, name in wanted)

    return waits(there), waits(back)


def cpu(pids: Sequence[int]) -> float:
    """Seconds of processor time of these processes and their children."""
    total = 0.0
    parents = set(pids)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(entry.name) in parents or int(fields[1]) in parents:
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def steady(partners: int, cadence: int, rate: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        homes = build(Path(folder), partners, cadence)
        with served(homes) as pids:
            wait_for(homes, asyncio.run(pour(homes[GIVER], 10, 2)), 60)  # what is made at the first time
            before = cpu(pids)
            taken = asyncio.run(pour(homes[GIVER], rate, seconds))
            there, back = wait_for(homes, taken, 300)
            each = (cpu(pids) - before) * 1000 / len(back)
    figures = " | ".join(
        f"{waits[min(len(waits) - 1, int(len(waits) * share))]:.0f}"
        for waits in (there, back)
        for share in (0.5, 0.99)
    )
    print(f"| {rate} | {partners} | {cadence} | {figures} | {each:.2f} |", flush=True)


def flood(partners: int, products: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        homes = build(Path(folder), partners, 20)
        with served(homes):
            start = time.time()
            with Node.open(homes[GIVER]) as node:
                names = [
                    item.product_id for item in take_in(node, BytesIO(bundle(products, "flood")), "flood")
                ]
            _, back = wait_for(homes, dict.fromkeys(names, start), 600)
    print(f"| {partners} | {len(back) / back[-1] * 1000:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--partners", type=int, default=7)
    parser.add_argument("--cadence", type=int, default=20)
    parser.add_argument("--flood", type=int, default=2000, help="products; 0 leaves that part out")
    options = parser.parse_args()
    print("| products a second | partners | cadence ms | taken in: p50 ms | p99 ms ", end="")
    print("| receipt back: p50 ms | p99 ms | CPU ms a release |\n|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rate, cadence in dict.fromkeys(
        [(options.rate, options.cadence), (options.rate, 0), (options.rate // 10, options.cadence)]
    ):
        steady(options.partners, cadence, max(1, rate), options.seconds)
    if options.flood:
        print("\n| partners | releases with receipts a second |\n|---:|---:|")
        for partners in (1, 8, 32):
            flood(partners, max(10, options.flood // partners))


if __name__ == "__main__":
    main()

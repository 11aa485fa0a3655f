"""Eight nodes (`tearline serve`, each its processes) over mutual TLS: how long a product takes to partners.

One node takes products in at a steady rate and releases them to seven partners. What is measured is the time
from the commit of the product at its originator until, at the partner, the release is verified, on the ledger
and durable; and, where nodes send receipts, until the receipt is in turn taken in at the originator. Each is
the time that the node itself wrote down in that commit; all nodes share this machine's clock.

Then: what law 5 costs (the same with a cadence of 0), how many releases a second are taken in at most by 1,
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
from tests.coalition import AGREEMENTS, bundle, free_port, serve, stop

GIVER = "GBR"


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
        five = AGREEMENTS / "five-eyes"
        manifest, clauses = (five / "agreement.toml").read_text(), (five / "clauses.cedar").read_text()
        parties = ", ".join(f'"{party}"' for party in homes)
        lines = [
            f"parties = [{parties}]" if line.startswith("parties") else line for line in manifest.splitlines()
        ]
        adopt(giver, load("\n".join(lines), clauses, "five-eyes"))
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


def received(home: Path) -> dict[str, float]:
    """When each object was taken in here."""
    with closing(sqlite3.connect(home / "node.db")) as db:
        rows = db.execute("SELECT object_id, received_at FROM received").fetchall()
    return {name: datetime.fromisoformat(at).timestamp() for name, at in rows}


def wait_for(homes: dict[str, Path], taken: dict[str, float], seconds: float) -> list[float]:
    """Milliseconds from commit to taken in, one a product and partner, sorted."""
    end = time.monotonic() + seconds
    waits: list[float] = []
    for party, home in homes.items():
        if party == GIVER:
            continue
        while not taken.keys() <= (there := received(home)).keys():
            if time.monotonic() > end:
                raise RuntimeError(f"{party} has {len(there)} of {len(taken)}")
            time.sleep(0.2)
        waits += [(there[name] - at) * 1000 for name, at in taken.items()]
    return sorted(waits)


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
            waits = wait_for(homes, taken, 120)
            each = (cpu(pids) - before) * 1000 / len(waits)
    at = [waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.9, 0.99)]
    figures = " | ".join(f"{value:.0f}" for value in (*at, waits[-1]))
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
            wait_for(homes, dict.fromkeys(names, start), 600)
            end = max(max(received(home).values()) for party, home in homes.items() if party != GIVER)
    print(f"| {partners} | {products * partners / (end - start):.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--partners", type=int, default=7)
    parser.add_argument("--cadence", type=int, default=20)
    parser.add_argument("--flood", type=int, default=2000, help="products; 0 leaves that part out")
    options = parser.parse_args()
    print(
        "| products a second | partners | cadence ms | p50 ms | p90 ms | p99 ms | max ms | CPU ms a release |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rate, cadence in dict.fromkeys(
        [(options.rate, options.cadence), (options.rate, 0), (options.rate // 10, options.cadence)]
    ):
        steady(options.partners, cadence, max(1, rate), options.seconds)
    if options.flood:
        print("\n| partners | releases a second at most |\n|---:|---:|")
        for partners in (1, 8, 32):
            flood(partners, max(10, options.flood // partners))


if __name__ == "__main__":
    main()

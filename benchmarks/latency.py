"""Product to receipt-ready: from the commit of a product to the partner's verified copy.

One node (a process of its own, `tearline serve`) releases to seven partners over mutual TLS at a steady rate.
Each partner is a client of this process that looks at the node's door every few milliseconds, verifies the
signature, the checkpoint and the inclusion proof of every release and notes when it is done: it could sign a
receipt then. Prints p50 and p99 in milliseconds.

    python benchmarks/latency.py [--rate 100] [--seconds 20] [--look 0.03]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from io import BytesIO
from pathlib import Path

from tearline import deliver
from tearline.adapters import tls
from tearline.adapters.taxii_client import TaxiiClient
from tearline.demo.coalition import build
from tearline.node import Node, TakenIn, take_in
from tests.coalition import bundle, serve, stop

GIVER = "GBR"


async def look_at_door(
    homes: dict[str, Path], party: str, look: float, seen: dict[tuple[str, str], float], stop: asyncio.Event
) -> None:
    """One partner's client: notes the instant at which each object is verified."""
    with Node.open(homes[party]) as me, Node.open(homes[GIVER]) as giver:
        context = tls.client_context(me.home.certificate, me.home.tls_key, me.certificates[GIVER])
        url, key = me.partners[GIVER].url, giver.home.signing_key.public_key()
    last = None
    async with TaxiiClient(url, context) as client:
        while not stop.is_set():
            async for page in client.releases(last):
                for item in page.objects:
                    if deliver.is_release(item):
                        opened = deliver.open_release(item, giver=GIVER, keys=[key], recipient=party)
                        seen[party, opened.statement.object_id] = time.monotonic()
                last = page.last or last
            await asyncio.sleep(look)


async def make_products(home: Path, rate: int, seconds: int, taken: dict[str, float]) -> None:
    """Commit `rate` products a second, ten times a second, in a thread of its own."""
    per_beat = max(1, rate // 10)

    def commit(beat: int) -> None:
        with Node.open(home) as node:
            for item in take_in(node, BytesIO(bundle(per_beat, f"beat {beat}")), "benchmark"):
                if not isinstance(item, TakenIn):
                    raise TypeError(f"the product was not taken in: {item}")
                taken[item.product_id] = time.monotonic()

    start = time.monotonic()
    for beat in range(seconds * rate // per_beat):
        await asyncio.sleep(max(0.0, start + beat * per_beat / rate - time.monotonic()))
        await asyncio.to_thread(commit, beat)


async def measure(homes: dict[str, Path], rate: int, seconds: int, look: float) -> list[float]:
    """Milliseconds from commit to verified copy, one for each product and partner, sorted."""
    taken: dict[str, float] = {}
    seen: dict[tuple[str, str], float] = {}
    end = asyncio.Event()
    partners = [party for party in homes if party != GIVER]
    lookers = [asyncio.create_task(look_at_door(homes, party, look, seen, end)) for party in partners]
    await make_products(homes[GIVER], rate, seconds, taken)
    deadline = time.monotonic() + 60
    while len(seen) < len(taken) * len(partners) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    end.set()
    await asyncio.gather(*lookers)
    if len(seen) != len(taken) * len(partners):
        raise RuntimeError(f"{len(seen)} copies of {len(taken)} products to {len(partners)} partners")
    return sorted((at - taken[object_id]) * 1000 for (_, object_id), at in seen.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--look", type=float, default=0.03)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        homes = build(Path(folder), pull_interval=3600.0)
        giver = serve(homes[GIVER])
        try:
            waits = asyncio.run(measure(homes, options.rate, options.seconds, options.look))
        finally:
            stop(giver)

    def at(share: float) -> float:
        return waits[min(len(waits) - 1, int(len(waits) * share))]

    print("| products a second | partners | releases | p50 ms | p90 ms | p99 ms | max ms |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    figures = " | ".join(f"{value:.0f}" for value in (at(0.5), at(0.9), at(0.99), waits[-1]))
    print(f"| {options.rate} | {len(homes) - 1} | {len(waits)} | {figures} |")


if __name__ == "__main__":
    main()

"""What a receipt costs both sides, in CPU time: `PYTHONPATH=. python benchmarks/receipts.py`.

Two nodes in one process; their pages are carried by hand. Batches of 1 and of 50 releases, each sealed,
taken, receipted, the receipt sealed and taken; in real databases with `synchronous=FULL`. What is counted is
CPU time, to that of sealing the releases.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from tearline.adapters.view import OUT
from tearline.node import Node, consider, hand_over, receipts, receive
from tests.unit.node.world import EVERYTHING, GREEN, bundle, malware, nodes, take

RELEASES, BEFORE = 200, 1_000
spent: Counter[str] = Counter()


def timed(step: str, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    start = time.process_time()
    answer = act(*arguments, **named)
    spent[step] += time.process_time() - start  # type: ignore[assignment]
    return answer


def counted(step: str, name: str) -> None:
    """Let `receipts.NAME` be timed wherever it is called."""
    real = getattr(receipts, name)
    setattr(receipts, name, lambda *arguments: timed(step, real, *arguments))


def newest(giver: Node, taker: Node, after: dict[str, int]) -> list[dict[str, Any]]:
    page = giver.view(taker.party).page(OUT, EVERYTHING, after=after.get(giver.party, -1), limit=1_000)
    after[giver.party] = max(page.last, after.get(giver.party, -1))
    return [orjson.loads(body) for body in page.items]


def make(giver: Node, first: int, count: int) -> None:
    text = "The group has used this technique against operators of pumping stations. " * 28
    take(giver, bundle(*(malware(f"m{n}", GREEN, description=text) for n in range(first, first + count))))
    while consider(giver):
        pass


def run(batch: int) -> None:
    spent.clear()
    after: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), "GBR", "USA") as (gbr, usa):
        for start in range(0, BEFORE, 500):
            make(gbr, start, 500)
            while hand_over(gbr):
                pass
            receive(usa, "GBR", newest(gbr, usa, after))
            hand_over(usa)
            receive(gbr, "USA", newest(usa, gbr, after))
        spent.clear()
        for start in range(BEFORE, BEFORE + RELEASES, batch):
            make(gbr, start, batch)
            timed("giver: seal", hand_over, gbr)
            timed("recipient: take, receipt and all", receive, usa, "GBR", newest(gbr, usa, after), None)
            timed("recipient: seal the receipt", hand_over, usa)
            timed("giver: take the receipt", receive, gbr, "USA", newest(usa, gbr, after), None)
    memory, queue = spent["of which: hold against the log seen"], spent["of which: queue the receipt"]
    sealing = spent["giver: seal"]
    print(f"\nbatches of {batch}, {BEFORE} releases before")
    for step, seconds in sorted(spent.items()):
        line(step, seconds, sealing)
    ours = memory + queue + spent["recipient: seal the receipt"]
    for who, seconds in (("recipient", ours), ("giver", spent["giver: take the receipt"])):
        line(f"receipts cost the {who}", seconds, sealing)


def line(what: str, seconds: float, sealing: float) -> None:
    print(f"  {what:40} {seconds / RELEASES * 1e6:8.0f} us a release  {seconds / sealing:5.2f} x sealing")


if __name__ == "__main__":
    counted("of which: hold against the log seen", "admit")
    counted("of which: queue the receipt", "give")
    for size in (1, 50):
        run(size)

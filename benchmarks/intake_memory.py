"""What taking in a large STIX bundle costs: `python benchmarks/intake_memory.py [BUNDLE] [MEGABYTES]`.

Makes a bundle of MEGABYTES (34) by repeating the objects of BUNDLE under new ids; without one they are made
up, about 2 kB each. A process of its own reads it and throws the products away. Prints its peak resident
memory, and how far that is above a process that reads an empty bundle, as ratios to the file's size; and
products a second.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson

from tearline import intake
from tearline.terms import Product

TIMES = {"created": "2026-03-01T08:00:00.000Z", "modified": "2026-03-02T09:30:00.000Z"}


def made_up() -> list[dict[str, Any]]:
    words = "barge river pilot harbour clerk ledger lantern osier heron reed".split()  # noqa: SIM905
    text = " ".join(words[n * n % 10] for n in range(280))
    return [
        {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid.uuid4()}",
            **TIMES,
            "name": text[n : n + 20],
        }
        | {"description": text, "aliases": [text[n : n + 9]], "is_family": True}
        for n, kind in enumerate(["malware", "tool", "campaign", "attack-pattern"] * 25)
    ]


def repeated(objects: list[dict[str, Any]], size: int) -> Iterator[bytes]:
    """The objects over and over, each time with new ids, until `size` bytes are reached."""
    fixed = [item for item in objects if item["type"] in ("marking-definition", "identity")]
    written = 0
    for item in fixed:
        yield orjson.dumps(item)
    for item in cycle(item for item in objects if item not in fixed):
        raw = orjson.dumps(item | {"id": f"{item['type']}--{uuid.uuid4()}"})
        written += len(raw) + 1
        yield raw
        if written >= size:
            return


def measure(path: str) -> None:
    """In a process of its own: objects, seconds, peak bytes."""
    context = intake.Context(party="USA", at=datetime(2026, 11, 23, tzinfo=UTC), default_marking="TLP:GREEN")
    start, taken = time.perf_counter(), 0
    with Path(path).open("rb") as stream:
        for item in intake.read(stream, path, context=context):
            taken += isinstance(item, Product)
    seconds = time.perf_counter() - start
    print(taken, seconds, peak_memory())


def peak_memory() -> int:
    """In bytes. Linux counts into `ru_maxrss` what the process was before its program was loaded."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measured(path: Path) -> tuple[int, float, float]:
    command = [sys.executable, __file__, "--measure", str(path)]
    taken, seconds, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(taken), float(seconds), float(peak)


def main(source: str | None, megabytes: int) -> None:
    objects = orjson.loads(Path(source).read_bytes())["objects"] if source else made_up()
    with tempfile.TemporaryDirectory() as folder:
        path, empty = Path(folder, "large.json"), Path(folder, "empty.json")
        head = b'{"type":"bundle","id":"bundle--%b","objects":[' % str(uuid.uuid4()).encode()
        empty.write_bytes(head + b"]}")
        with path.open("wb") as out:
            for number, raw in enumerate(repeated(objects, megabytes * 1_000_000)):
                out.write((b"," if number else head) + raw)
            out.write(b"]}")
        size = path.stat().st_size
        _, _, base = measured(empty)
        taken, seconds, peak = measured(path)
    print(f"file                 {size / 1e6:8.1f} MB, {taken} products")
    print(f"peak memory          {peak / 1e6:8.1f} MB, {peak / size:.2f} times the file")
    print(f"above an empty file  {(peak - base) / 1e6:8.1f} MB, {(peak - base) / size:.2f} times the file")
    print(f"speed                {taken / seconds:8.0f} products/s, {size / seconds / 1e6:.1f} MB/s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        sources = [each for each in sys.argv[1:] if not each.isdigit()]
        main(
            sources[0] if sources else None, next((int(each) for each in sys.argv[1:] if each.isdigit()), 34)
        )

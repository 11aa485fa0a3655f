"""Recordings: how long a sanitized form takes, against reading and hashing the recording once.

A complex recording (`cf32_le`) of noise and tones is written, then in one run: read and hashed (SHA-256, as
the blob store does); made whole, cut, and cut and decimated; and a part of it filtered by SciPy's polyphase
`upfirdn` with the same taps, for comparison. Best of some rounds each, since other work may be going on; the
ratio of processor times is less disturbed by it. Each form is made in a process of its own, whose peak memory
is printed, its start being a part of the time.

    python benchmarks/signals.py [--megabytes 1000] [--factor 8] [--rounds 2]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from tearline.media import Inspect, Made, Make, Request, Verify
from tearline.media.signals import pack
from tearline.media.signals.channel import decimated, taps
from tearline.terms import SignalForm

RATE = 2_000_000
CHUNK = 1 << 22
CHILD = """
import resource, sys
from tearline.media.__main__ import main
main()
used = resource.getrusage(resource.RUSAGE_SELF)
sys.stderr.write(f"\\nused {used.ru_maxrss} {used.ru_utime + used.ru_stime}\\n")
"""


def record(folder: Path, megabytes: int) -> Path:
    """An archive of so many megabytes: the first tenth of it is not annotated, nor is the last."""
    rng = np.random.default_rng(1)
    data, meta = folder / "r.sigmf-data", folder / "r.sigmf-meta"
    block = rng.normal(scale=0.1, size=CHUNK // 4).astype("<f4")
    with data.open("wb") as file:
        for _ in range(megabytes * 1_000_000 // block.nbytes):
            file.write(block)
    samples = data.stat().st_size // 8
    metadata = {
        "global": {"core:datatype": "cf32_le", "core:version": "1.2.0", "core:sample_rate": RATE},
        "captures": [{"core:sample_start": 0, "core:frequency": 433_000_000}],
        "annotations": [{"core:sample_start": samples // 10, "core:sample_count": samples * 8 // 10}],
    }
    meta.write_text(json.dumps(metadata))
    packed = folder / "r.sigmf"
    with packed.open("wb") as out:
        pack(meta, data, out)
    data.unlink()
    return packed


def best(rounds: int, act: Callable[[], object]) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return min(times)


def hashed(path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)


def ask(request: Request) -> tuple[bytes, int, float]:
    """The answer of a process of its own, its peak memory in bytes, and its processor time in seconds."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=msgspec.json.encode(request), capture_output=True, check=True
    )
    peak, cpu = done.stderr.rsplit(b"used ", 1)[1].split()
    return done.stdout, int(peak) * 1024, float(cpu)


def against_upfirdn(factor: int, rounds: int) -> float:
    """How many times faster the filter is than `upfirdn` with the same taps, on a million samples."""
    from scipy.signal import upfirdn

    rng = np.random.default_rng(2)
    signal = rng.normal(size=(1, 2 << 20)).astype(np.float32).view(np.complex64)
    impulse = taps(factor).astype(np.float32)
    ours = best(rounds + 1, lambda: list(decimated([signal], factor, signal.shape[1])))
    return best(rounds, lambda: upfirdn(impulse, signal[0], down=factor)) / ours


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--factor", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    forms = {
        "whole span, unfiltered": SignalForm(name="all"),
        "cut": SignalForm(name="cut", annotated=True),
        "decimated": SignalForm(name="narrow", bandwidth_hz=RATE / given.factor),
        "cut and decimated": SignalForm(name="both", annotated=True, bandwidth_hz=RATE / given.factor),
        "metadata only": SignalForm(name="none", samples=False),
    }
    with tempfile.TemporaryDirectory() as folder:
        source, target = record(Path(folder), given.megabytes), Path(folder) / "form.sigmf"
        once, begin = best(given.rounds, lambda: hashed(source)), time.process_time()
        hashed(source)
        cpu = time.process_time() - begin
        size = source.stat().st_size
        print(f"{size / 1e6:.0f} MB read and hashed (SHA-256): {once:.2f} s, {size / once / 1e6:.0f} MB/s\n")
        print(f"{'':24}{'seconds':>8}{'ratio':>7}{'of CPU':>8}{'peak MB':>9}{'verify ratio':>14}{'MB':>8}")
        for name, form in forms.items():
            answers: list[tuple[bytes, int, float]] = []
            request = Make(source=str(source), target=str(target), form=form, marking="")
            took = best(given.rounds, lambda: answers.append(ask(request)))  # noqa: B023 - called at once
            least = min(used for *_, used in answers) / cpu
            made = msgspec.json.decode(answers[-1][0], type=Made)
            check = Verify(made=str(target), form=form, marking="", expected=made)
            checked = best(1, lambda: answers.append(ask(check)))  # noqa: B023
            if b'"found":[]' not in answers[-1][0]:
                raise SystemExit(f"findings: {answers[-1][0]!r}")
            peak = max(memory for _, memory, _ in answers) / 1e6
            print(f"{name:24}{took:8.2f}{took / once:7.2f}{least:8.2f}{peak:9.0f}", end="")
            print(f"{checked / once:14.2f}{made.size / 1e6:8.0f}")
        looked = best(given.rounds, lambda: ask(Inspect(source=str(source))))
        print(f"{'inspect':24}{looked:8.2f}{looked / once:7.2f}")
    for factor in (given.factor, 16):
        times = against_upfirdn(factor, given.rounds)
        print(f"filter and decimation by {factor}: {times:.1f} times upfirdn's speed")


if __name__ == "__main__":
    main()

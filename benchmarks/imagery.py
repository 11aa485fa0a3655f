"""How fast a form of a picture is made, against reading and hashing the same file, and against decoding it.

    python benchmarks/imagery.py --megabytes 1000

Writes pictures of that size to a temporary folder, plain and deflated, and prints ratios and the peak memory
of the process that makes the form. Goals: plain within 2 times of reading and hashing the file once, deflated
within 1.2 times of decoding it, memory within 300 MB. A form as fine as the source is packed as it was: there
the goals are not met, for deflating takes longer than inflating.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from tearline.adapters.sandbox import ENVIRONMENT
from tearline.media import Make
from tearline.terms import Box, ImageryForm

WIDTH, BANDS = 10_000, 3
TIMES = 3


def write(path: Path, megabytes: int, **options: object) -> None:
    """A picture of `megabytes` of samples: fields with noise, as pictures of the ground have."""
    height = max(256, megabytes * 1_000_000 // (WIDTH * BANDS) // 256 * 256)
    dice = np.random.default_rng(6)
    coarse = dice.integers(40, 200, (BANDS, 8, WIDTH // 50 + 1), dtype=np.uint8)
    profile = {
        "driver": "GTiff",
        "width": WIDTH,
        "height": height,
        "count": BANDS,
        "dtype": "uint8",
        "crs": "EPSG:32636",
        "transform": from_origin(300_003.0, 5_600_001.0, 0.5, 0.5),
        "interleave": "pixel",
        "bigtiff": "IF_SAFER",
    }
    with rasterio.open(path, "w", **profile, **options) as picture:
        for row in range(0, height, 256):
            ground = np.repeat(np.repeat(coarse, 32, 1), 50, 2)[:, :256, :WIDTH]
            noise = dice.integers(0, 8, ground.shape, dtype=np.uint8)
            picture.write(np.roll(ground, row, 2) + noise, window=Window(0, row, WIDTH, 256))


def best(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of processors: the least of a few runs."""
    clock, processors = [], []
    for _ in range(TIMES):
        start = time.perf_counter(), time.process_time()
        act()
        clock.append(time.perf_counter() - start[0])
        processors.append(time.process_time() - start[1])
    return min(clock), min(processors)


def read_and_hash(path: Path) -> None:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            total.update(piece)


def decode(path: Path) -> None:
    with rasterio.Env(GDAL_NUM_THREADS="1"), rasterio.open(path, driver="GTiff") as picture:
        tall = picture.block_shapes[0][0]
        for row in range(0, picture.height, tall):
            picture.read(window=Window(0, row, picture.width, min(tall, picture.height - row)))


def one(request: str) -> None:
    """In a process of its own: make the form, and tell how long it took and how much memory."""
    from tearline.media.imagery import answer

    decoded = msgspec.json.decode(request, type=Make)
    times = best(lambda: answer(decoded, lambda done: None))
    status = Path("/proc/self/status").read_text()
    memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([*times, memory / 1024]))


def made(source: Path, target: Path, form: ImageryForm) -> list[float]:
    request = Make(source=str(source), target=str(target), form=form, marking="UNCLASSIFIED")
    said = subprocess.run(
        [sys.executable, __file__, "--one", msgspec.json.encode(request).decode()],
        check=True,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(said)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one)
        return
    forms = {
        "2 m": ImageryForm(name="coarse", gsd_m=2),
        "10 m": ImageryForm(name="coarser", gsd_m=10),
        "2 m, cropped": ImageryForm(name="crop", gsd_m=2, area=Box(30.0, 50.0, 30.22, 51.0)),
        "as fine": ImageryForm(name="plain"),
    }
    kinds = {
        "plain, strips": {},
        "plain, tiles": {"tiled": True, "blockxsize": 512, "blockysize": 512},
        "deflate, tiles": {
            "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "predictor": 2
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source.tif", Path(folder) / "form.tif"
        for kind, options in kinds.items():
            write(source, asked.megabytes, **options)
            against, name = (
                (decode, "decoding") if "deflate" in kind else (read_and_hash, "reading and hashing")
            )
            clock, processor = best(lambda against=against: against(source))
            print(f"{kind}, {source.stat().st_size / 1e6:.0f} MB: {name} {clock:.2f} s")
            for form_name, form in forms.items():
                seconds, processors, memory = made(source, target, form)
                print(
                    f"  {form_name:14} {seconds:6.2f} s = {seconds / clock:5.2f} times "
                    f"(of processors {processors / processor:5.2f} times), {memory:4.0f} MB"
                )


if __name__ == "__main__":
    main()

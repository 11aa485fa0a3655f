"""How fast the scanner is: ratios taken within one run, on the documents of ../shared/data/names-dev.

    PYTHONPATH=. .venv/bin/python benchmarks/names_speed.py [--quick] [--markdown]

The text is a sample of the documents in all six languages; the identities are invented, a third each in
Ukrainian, Russian and Polish. Every method scans the same documents, one by one.

Throughput: a raw pass is `AhoCorasick(names).find_matches_as_indexes(text)` of ahocorasick-rs and nothing
else; Presidio is its deny-list recogniser alone, without a language model. Each in a process of its own, the
fastest of the rounds. Ours in two states: *fresh*, the first time that it sees these documents, and *warm*,
when it has seen their words before (what a node meets that scans all day).

Size: an index built by a new process, which tells its peak memory; another process opens the file that it
saved, memory-mapped, with the names in a file of its own, and scans.

Times are of the CPU, so that what else the machine does counts little; wall times where the column says so.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from benchmarks.names import Sheet
from benchmarks.names_data.corpus import FOLDER, LANGUAGES, load
from benchmarks.names_data.decoys import decoys
from benchmarks.names_data.methods import ERR, KEY, install_rivals, rival
from tearline.scan import Identity, Kind, Scanner

REPORT = 5_000
"""Bytes of a report whose latency is measured."""
REPORTS = 600


class Speed(NamedTuple):
    """Of one index, in one process. Seconds and bytes."""

    fresh: float
    warm: float
    cpu: list[float]
    """Of each report."""
    wall: list[float]


class Built(NamedTuple):
    speed: Speed
    build: float
    wall: float
    peak: int
    """Memory of the process at its peak, with the names and the documents."""
    size: int
    """Of the saved index."""


class Opened(NamedTuple):
    speed: Speed
    open: float
    resident: int
    """Memory that came after opening and scanning: index pages, caches, names asked for."""


def people(count: int) -> Iterator[Identity]:
    """Invented persons, a third each in three languages."""
    langs = ("uk", "ru", "pl")
    streams = [decoys(lang, (count + 2) // 3, ()) for lang in langs]
    for number in range(count):
        at = number % 3
        yield Identity(f"S{number}", next(streams[at]), Kind.PERSON, langs[at])


class NamesOnDisk:
    """What stands for the vault: the rows of an id, read from a file."""

    def __init__(self, path: Path) -> None:
        self._bytes = np.memmap(path, np.uint8, "r")
        self._ends = np.flatnonzero(self._bytes == ord("\n"))

    @staticmethod
    def write(identities: Iterable[Identity], path: Path) -> None:
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(f"{each.name}\t{each.lang}\n" for each in identities)

    def rows(self, ids: Sequence[str]) -> Mapping[str, list[Identity]]:
        return {each: [self._row(each)] for each in ids}

    def _row(self, identity: str) -> Identity:
        number = int(identity[1:])
        start = int(self._ends[number - 1]) + 1 if number else 0
        name, lang = bytes(self._bytes[start : self._ends[number]]).decode().split("\t")
        return Identity(identity, name, Kind.PERSON, lang)


def texts(characters: int) -> list[str]:
    """Whole documents, as many of each language, about so many characters together."""
    found: list[str] = []
    for lang in LANGUAGES:
        every = [document.text for document in load(lang)]
        Random(lang).shuffle(every)
        held = 0
        for text in every:
            if held >= characters / len(LANGUAGES):
                break
            found.append(text)
            held += len(text)
    return found


def reports(count: int) -> list[str]:
    """Pieces of 5 kB (UTF-8), cut at a code point, from the end of the documents in each language."""
    pieces: list[str] = []
    for lang in LANGUAGES:
        whole = "\n\n".join(document.text for document in load(lang)).encode()[-REPORT * (count // 6) :]
        pieces += [whole[at : at + REPORT].decode(errors="ignore") for at in range(0, len(whole), REPORT)]
    return pieces


# --- one index, in a process of its own ------------------------------------------------------------


def build(folder: Path, count: int, characters: int, rounds: int) -> Built:
    cpu, wall = time.process_time(), time.perf_counter()
    made = list(people(count))
    cpu, wall = time.process_time(), time.perf_counter()
    engine = Scanner(made, key=KEY)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    engine.save(folder / "index")
    NamesOnDisk.write(made, folder / "names")
    size = (folder / "index").stat().st_size
    return Built(speed(engine, characters, rounds), cpu, wall, peak, size)


def reopen(folder: Path, characters: int, rounds: int) -> Opened:
    texts(characters), reports(REPORTS)  # what reading them takes is not the index's
    names = NamesOnDisk(folder / "names")
    before = resident()
    start = time.perf_counter()
    engine = Scanner.open(folder / "index", key=KEY, names=names)
    opened = time.perf_counter() - start
    measured = speed(engine, characters, rounds)
    return Opened(measured, opened, resident() - before)


def speed(engine: Scanner, characters: int, rounds: int) -> Speed:
    bodies, cpu, wall = texts(characters), [], []
    fresh = scan(engine, bodies)
    warm = min(scan(engine, bodies) for _ in range(rounds))
    for report in reports(REPORTS):
        begun, start = time.process_time(), time.perf_counter()
        engine.scan(report)
        cpu.append(time.process_time() - begun)
        wall.append(time.perf_counter() - start)
    return Speed(fresh, warm, cpu, wall)


def scan(engine: Scanner, bodies: list[str]) -> float:
    start = time.process_time()
    for text in bodies:
        engine.scan(text)
    return time.process_time() - start


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def apart(act: str, *arguments: object) -> list[Any]:
    """What `build` or `reopen` measures, in a new process."""
    command = [sys.executable, __file__, "--apart", json.dumps([act, *map(str, arguments)])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    answer: list[Any] = json.loads(done.stdout)
    return [Speed(*answer[0]), *answer[1:]]


# --- the tables ------------------------------------------------------------------------------------


def throughput(
    built: Mapping[int, Built], opened: Mapping[int, Opened], bodies: list[str], rounds: int
) -> Sheet:
    small = min(built)
    names = {each.id: each.name for each in people(small)}
    megabytes = sum(len(text.encode()) for text in bodies) / 1e6
    raw = rival("raw", names, "", bodies, rounds).scan
    denied = rival("presidio", names, "", bodies).scan
    rows = [
        ("ahocorasick-rs, one raw pass", f"{small:,}", f"{megabytes / raw:.2f}", "1", ""),
        ("Presidio's deny list", f"{small:,}", f"{megabytes / denied:.3f}", f"{raw / denied:.4f}", ""),
    ]

    def row(title: str, count: int, seconds: float, base: float) -> None:
        cells = [title, f"{count:,}", f"{megabytes / seconds:.2f}", f"{raw / seconds:.3f}"]
        rows.append((*cells, f"{base / seconds:.2f}", f"{denied / seconds:.1f}" if count == small else ""))

    for count, one in built.items():
        row("Tearline, fresh words", count, one.speed.fresh, built[small].speed.fresh)
        row("Tearline, warm", count, one.speed.warm, built[small].speed.warm)
    for count, two in opened.items():
        row("Tearline, index from disk, fresh words", count, two.speed.fresh, built[small].speed.fresh)
        row("Tearline, index from disk, warm", count, two.speed.warm, built[small].speed.warm)
    columns = ("scanner", "identities", "MB/s", "to the raw pass", f"to {small:,} identities", "to Presidio")
    filled = [(*cells, *[""] * (len(columns) - len(cells))) for cells in rows]
    return Sheet(f"Throughput over {megabytes:.1f} MB, {len(bodies):,} documents", columns, filled)


def latency(built: Mapping[int, Built]) -> Sheet:
    columns = ("identities", "reports", "p50 ms", "p99 ms", "p50 ms, wall", "p99 ms, wall")
    rows = []
    for count, one in built.items():
        cells = [
            f"{1e3 * at:.2f}" for times in one.speed[2:] for at in (middle(times, 0.5), middle(times, 0.99))
        ]
        rows.append((f"{count:,}", f"{len(one.speed.cpu):,}", *cells))
    return Sheet("A report of 5 kB", columns, rows)


def middle(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def sizes(built: Mapping[int, Built], opened: Mapping[int, Opened]) -> Sheet:
    rows = [
        (
            f"{count:,}",
            f"{one.build:.1f}",
            f"{one.wall:.1f}",
            f"{one.size / 1e6:,.0f}",
            f"{one.peak / 1e6:,.0f}",
            f"{1e3 * opened[count].open:.1f}",
            f"{opened[count].resident / 1e6:,.0f}",
        )
        for count, one in built.items()
    ]
    columns = ("identities", "build s", "build s, wall", "index MB", "peak MB while building")
    return Sheet("The index", (*columns, "open ms", "MB in memory after opening and scanning"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less text, at most 100,000 identities")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    parser.add_argument("--apart", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.apart:
        act, folder, *numbers = asked.apart
        measure = {"build": build, "reopen": reopen}[act]
        json.dump(measure(Path(folder), *map(int, numbers)), sys.stdout)
        return
    if not FOLDER.exists():
        parser.exit(
            1, f"{FOLDER.name}: the measuring data is not beside the project, so nothing is measured\n"
        )
    install_rivals()
    counts = (1_000, 100_000) if asked.quick else (1_000, 100_000, 1_000_000)
    characters, rounds = (300_000, 2) if asked.quick else (1_200_000, 3)
    built: dict[int, Built] = {}
    opened: dict[int, Opened] = {}
    for count in track(counts, "identities", console=ERR):
        with tempfile.TemporaryDirectory() as folder:
            built[count] = Built(*apart("build", folder, count, characters, rounds))
            opened[count] = Opened(*apart("reopen", folder, characters, rounds))
    for sheet in (
        throughput(built, opened, texts(characters), rounds),
        latency(built),
        sizes(built, opened),
    ):
        sheet.show(asked.markdown)


if __name__ == "__main__":
    main()

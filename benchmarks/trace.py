"""Whose copy was it? How much it takes to say so, and how seldom that is wrong.

    PYTHONPATH=. .venv/bin/python benchmarks/trace.py [--size quick|short|full] [--only PART] [--markdown]

Each part is a file of its own (`benchmarks/trace_codes.py` and so on) with a function `table(size=...)` that
gives its tables one by one: a head, and rows. `codes` is the mathematics of marks, by simulation; the others
are measured on texts and pictures. *Short* and *quick* have fewer
trials (each module says how many). Behind each part stands its own time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from importlib import import_module

from rich.console import Console
from rich.table import Table

PARTS = ("codes", "slots", "align", "media")

Sheet = tuple[list[str], list[list[str]]]


SIZES = ("quick", "short", "full")


def tables(part: str, *, size: str) -> Iterator[Sheet]:
    found = import_module(f"benchmarks.trace_{part}").table(size=size)
    if part == "media":  # one table without a head
        yield ["marks in pictures and recordings", "how good"], [list(row) for row in found]
    else:
        yield from found


def show(sheet: Sheet, *, markdown: bool) -> None:
    head, rows = sheet
    if markdown:
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        print("\n".join("| " + " | ".join(line) + " |" for line in lines), end="\n\n", flush=True)
        return
    table = Table(show_edge=False)
    for at, column in enumerate(head):
        table.add_column(column, justify="right" if at else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 160).print(table, end="\n\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--size", choices=SIZES, default="full", help="how many trials")
    options.add_argument("--markdown", action="store_true", help="as tables of docs/tracing.md")
    options.add_argument("--only", choices=PARTS)
    chosen = options.parse_args()
    for part in [chosen.only] if chosen.only else PARTS:
        start = time.process_time()
        for sheet in tables(part, size=chosen.size):
            show(sheet, markdown=chosen.markdown)
        print(f"{part}: {time.process_time() - start:.0f} s of processor time", end="\n\n", flush=True)


if __name__ == "__main__":
    main()

"""How long the proof of a revision takes: all questions, both solvers, by the number of clauses.

    PYTHONPATH=. .venv/bin/python benchmarks/proof.py

An agreement of five parties with clauses of every kind that the profile has, drawn with a fixed seed and of
one size with a human's; the revision draws one clause in twenty anew. What is in force has been read and
checked before, as at a node. "parse" reads the proposed text, "sound" checks that it keeps to the profile,
"encode" makes the terms, "confirm" is Cedar's answers on examples (it compiles the clauses for them), "rest"
is the search for small examples and for clauses that do nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tearline.agreement import Agreement, Agreements, load
from tearline.agreement.proof import Proof, Status, prove, revision
from tearline.agreement.proof.logic import Point, Term, Terms
from tearline.agreement.proof.solvers import CVC5, Z3
from tearline.terms import Category, Discipline, Region, Topic

SINCE = datetime(2026, 11, 23, tzinfo=UTC)
PARTIES = ("AUS", "CAN", "GBR", "NZL", "USA")
MANIFEST = """\
id = "club"
title = "Agreement of five parties"
parties = ["AUS", "CAN", "GBR", "NZL", "USA"]
coalitions = ["FVEY", "NATO"]
valid_from = 2020-01-01
valid_until = 2040-01-01
"""
RANKS = """\
UNCLASSIFIED = "UNCLASSIFIED"
RESTRICTED = "CONFIDENTIAL"
CONFIDENTIAL = "CONFIDENTIAL"
SECRET = "SECRET"
"""
TIMES: dict[str, float] = {}


def clause(draw: random.Random, number: int) -> str:
    """A permit for one topic or two, up to a level; or a forbid for one region and discipline."""

    def some(kind: str, words: Any, least: int, most: int) -> str:
        chosen = draw.sample([str(word) for word in words], draw.randint(least, most))
        return "[" + ", ".join(f'{kind}::"{word}"' for word in chosen) + "]"

    who = draw.choice(
        ['principal in Coalition::"FVEY"', "principal", f'principal == Partner::"{draw.choice(PARTIES[:4])}"']
    )
    form = draw.choice(['action == Action::"release"', 'action == Action::"releaseTearline"'])
    if draw.random() < 0.1:
        head = f"forbid ({who}, {form}, resource)"
        tests = [
            f"resource.regions.containsAll({some('Region', Region, 2, 2)})",
            f"resource.disciplines.containsAny({some('Discipline', Discipline, 1, 2)})",
        ]
    else:
        head = f"permit ({who}, {form}, resource)"
        tests = [
            f"resource.level <= {draw.randint(0, 3)}",
            f'resource.category == Category::"{draw.choice(list(Category))}"',
            f"resource.topics.containsAny({some('Topic', Topic, 1, 3)})",
        ]
        if draw.random() < 0.3:
            tests.append(f"resource.regions.containsAny({some('Region', Region, 1, 3)})")
        if draw.random() < 0.2:
            tests.append(f"resource.reach <= {draw.randint(1, 3)}")
        if draw.random() < 0.2:
            tests.append(f'context.now < datetime("20{draw.randint(27, 35)}-0{draw.randint(1, 9)}-01")')
    unless = ' unless { resource.disciplines.contains(Discipline::"humint") }'
    text = f'@id("c{number}") @reason("Drawn.") {head} when {{ {" && ".join(tests)} }}'
    return text + (unless if head.startswith("permit") else "") + ";"


def agreement(clauses: Sequence[str]) -> Agreement:
    rows = "".join(f"[levels.{party}]\n{RANKS}" for party in PARTIES)
    return load(MANIFEST + rows, "\n".join(clauses), "club")


def revised(count: int) -> tuple[list[str], list[str]]:
    """As many clauses, and the same with one in twenty drawn anew."""
    draw = random.Random(count)
    clauses = [clause(draw, number) for number in range(count)]
    changed = set(draw.sample(range(count), max(1, count // 20)))
    return clauses, [clause(draw, n) if n in changed else text for n, text in enumerate(clauses)]


def timed(name: str, do: Any) -> Any:
    def run(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return do(*arguments, **named)
        finally:
            TIMES[name] = TIMES.get(name, 0.0) + time.process_time() - start

    return run


class TimedZ3(Z3):
    def __init__(self, terms: Terms, seconds: float) -> None:
        timed("z3", super().__init__)(terms, seconds)

    def find(self, wanted: Sequence[Term]) -> Point | None:
        return timed("z3", super().find)(wanted)  # type: ignore[no-any-return]


class TimedCVC5(CVC5):
    def __init__(self, terms: Terms, seconds: float) -> None:
        timed("cvc5", super().__init__)(terms, seconds)

    def find(self, wanted: Sequence[Term]) -> Point | None:
        return timed("cvc5", super().find)(wanted)  # type: ignore[no-any-return]


class TimedAgreements(Agreements):
    def __init__(self, *arguments: Any) -> None:
        timed("sound", super().__init__)(*arguments)

    def rule(self, *arguments: Any) -> Any:
        return timed("confirm", super().rule)(*arguments)


def measure(count: int) -> tuple[Proof, float]:
    """The proof and the CPU seconds of all of it; `TIMES` has the parts."""
    before, after = revised(count)
    present = agreement(before)
    Agreements("USA", [present])
    TIMES.clear()
    start = time.process_time()
    proposed = timed("parse", agreement)(after)
    proof = prove(
        "USA",
        [present],
        proposed,
        since=SINCE,
        members=dict.fromkeys(PARTIES[:4], frozenset({"FVEY"})),
        solvers=(TimedZ3, TimedCVC5),
    )
    return proof, time.process_time() - start


def main() -> None:
    parts = ("parse", "sound", "encode", "z3", "cvc5", "confirm")
    revision.Agreements = TimedAgreements  # type: ignore[misc]
    revision._Revision.encode = timed("encode", revision._Revision.encode)  # type: ignore[method-assign]
    measure(5)  # imports, and what is made once
    print(f"| clauses | {' | '.join(f'{part}, s' for part in parts)} | rest, s | **all, s** | answers |")
    print("|" + "---:|" * (len(parts) + 3) + "---|")
    for count in (10, 50, 200, 400):
        proof, total = measure(count)
        times = [TIMES.get(part, 0.0) for part in parts]
        found = {status: sum(answer.status is status for answer in proof.answers) for status in Status}
        told = ", ".join(f"{number} {status}" for status, number in found.items() if number)
        cells = [f"{each:.2f}" for each in (*times, total - sum(times))]
        print(f"| {count} | {' | '.join(cells)} | **{total:.2f}** | {told} |")


if __name__ == "__main__":
    main()

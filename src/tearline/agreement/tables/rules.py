"""Sets of agreements, compiled: what they permit, from the classes of a row's values in all columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tearline.agreement.evaluate import Action
from tearline.agreement.manifest import Agreement
from tearline.agreement.tables.columns import Codes, Words
from tearline.agreement.tables.lookup import Lookup
from tearline.agreement.tables.program import Guard, Program
from tearline.terms import Party

ACTIONS = tuple(Action)
COLUMNS = (
    *("originator", "category", "level", "topics", "regions", "disciplines", "reach", "use", "detail"),
    *("at", "day"),
)
BLOCK = 1 << 16
"""Rows evaluated at once."""

ALL, NONE = np.uint64(2**64 - 1), np.uint64(0)

Classes = Mapping[str, Codes]
Value = NDArray[Any]
"""Of a node: truths, eight rows in a byte, or partners: (words, rows) of 64 bits."""


class Rules:
    """The program of all sets, a lookup for each column, and which nodes permit or forbid what to whom."""

    def __init__(self, own: Party, sets: Sequence[Sequence[Agreement]], partners: Sequence[Party]) -> None:
        self.partners, self.words = tuple(partners), max(1, -(-len(partners) // 64))
        program = Program()
        guards = {each.version: program.clauses(each) for each in chain(*sets) if own in each.parties}
        self._nodes = program.nodes
        tests = [node[1] for node in self._nodes if node[0] == "test"]
        self.lookups = {name: Lookup(name, tests, program.scales, self.partners) for name in COLUMNS}
        self._told = sorted(
            {node for held in guards.values() for each in held for node in (each.node, each.who)}
        )
        held = [list(chain(*(guards.get(each.version, ()) for each in agreements))) for agreements in sets]
        self._sums = [
            [(_sums(clauses, False, action, self), _sums(clauses, True, action, self)) for action in ACTIONS]
            for clauses in held
        ]

    def bits(self, parties: Iterable[Party] | None) -> Words:
        """One bit for each of `parties` that is a partner, the first partner's lowest; `None` is everyone."""
        given = self.partners if parties is None else frozenset(parties)
        return pack(np.array([[party in given for party in self.partners]], bool), self.words)[:, 0]

    def evaluate(self, classes: Classes, count: int) -> Words:
        """Whom each set permits each action, for `count` rows: (sets, actions, words, rows)."""
        truths = [self._truth(node) for node in self._nodes]
        found = np.zeros((len(self._sums), len(ACTIONS), self.words, count), np.uint64)
        for start in range(0, count, BLOCK):
            rows = slice(start, min(start + BLOCK, count))
            size = rows.stop - start
            values = self._run({name: each[rows] for name, each in classes.items()}, truths, size)
            terms: dict[_Sum, Words] = {}  # sets mostly have most of them in common
            for number, actions in enumerate(self._sums):
                for action, (permits, forbids) in enumerate(actions):
                    for each in (*permits, *forbids):
                        if each not in terms:
                            terms[each] = _term(each, values, size)
                    permitted, forbidden = (
                        reduce(np.bitwise_or, (terms[each] for each in some), np.zeros(1, np.uint64))
                        for some in (permits, forbids)
                    )
                    found[number, action, :, rows] = permitted & ~forbidden
        return found

    def marks(self, classes: Classes, count: int) -> Iterator[bytes]:
        """What the rulings of each of `count` rows depend on: those of one mark fare alike.

        Which clauses match for whom; and the classes that tell whether one could: of levels, which may have
        no row in a table, and of time, when agreements are not in force.
        """
        truths = [self._truth(node) for node in self._nodes]
        others = [classes[name] for name in ("level", "at", "day") if name in classes]
        for start in range(0, count, BLOCK):
            rows = slice(start, min(start + BLOCK, count))
            size = rows.stop - start
            values = self._run({name: each[rows] for name, each in classes.items()}, truths, size)
            told = [values[number] for number in self._told]
            columns = [
                each.T if each.dtype == np.uint64 else np.unpackbits(each, count=size)[:, None]
                for each in told
            ]
            columns += [each[rows, None] for each in others]
            table = np.concatenate([each.astype(np.uint64) for each in columns], axis=1)
            yield from (row.tobytes() for row in table)

    def _truth(self, node: Any) -> NDArray[Any]:
        """What a test looks up: a truth for each class, or words of partners for each: (words, classes)."""
        if node[0] != "test":
            return np.zeros(0)
        truths = self.lookups[node[1].column].truths(node[1])
        return pack(truths, self.words) if node[1].column == "day" else truths[:, 0]

    def _run(self, classes: Classes, truths: Sequence[NDArray[Any]], count: int) -> list[Value]:
        """The value of every node, for `count` rows."""
        values: list[Value] = []
        for node, truth in zip(self._nodes, truths, strict=True):
            match node:
                case ("test", test):
                    found = truth[..., classes[test.column]]
                    values.append(np.packbits(found) if found.dtype == bool else found)
                case ("true",):
                    values.append(np.packbits(np.ones(count, bool)))
                case ("not", number):
                    values.append(~values[number])
                case ("and", left, right):
                    values.append(np.bitwise_and(*_alike(values[left], values[right])))
                case ("or", left, right):
                    values.append(np.bitwise_or(*_alike(values[left], values[right])))
        return values


def pack(truths: NDArray[np.bool_], words: int) -> Words:
    """Truths (rows, partners) as bits (words, rows)."""
    wide = np.zeros((len(truths), words * 64), bool)
    wide[:, : truths.shape[1]] = truths
    return np.packbits(wide, axis=1, bitorder="little").view("<u8").astype(np.uint64).T


def _alike(left: Value, right: Value) -> tuple[Value, Value]:
    """Both as truths, or else both as partners: a truth is everyone or nobody."""
    if left.dtype == right.dtype:
        return left, right
    if left.dtype == np.uint64:
        return left, _partners(right, left.shape[-1])
    return _partners(left, right.shape[-1]), right


def _partners(truths: Value, count: int, partners: Any = ALL) -> Words:
    """`partners` where it is true, else none."""
    return np.where(np.unpackbits(truths, count=count).view(bool), partners, NONE)


class _Sum(NamedTuple):
    """Where one of `nodes` holds, for the partners in `mask` (one for each word) for whom `who` does."""

    nodes: tuple[int, ...]
    who: int
    mask: tuple[int, ...]


def _sums(clauses: Iterable[Guard], forbids: bool, action: Action, rules: Rules) -> list[_Sum]:
    """The clauses with this effect on this action; those for the same partners together."""
    masks: dict[tuple[int, int], Words] = {}
    for clause in clauses:
        if clause.forbids == forbids and action in clause.actions:
            key = clause.node, clause.who
            masks[key] = masks.get(key, NONE) | rules.bits(clause.parties)
    nodes: defaultdict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for (node, who), mask in masks.items():
        nodes[who, tuple(mask.tolist())].append(node)
    return [_Sum(tuple(some), who, mask) for (who, mask), some in nodes.items()]


def _term(sum_: _Sum, values: Sequence[Value], count: int) -> Words:
    """Whom a sum lets through: (words, rows). Truths are put together before they become partners."""
    who, mask = values[sum_.who], np.array(sum_.mask, np.uint64)[:, None]
    reached = mask & who if who.dtype == np.uint64 else mask
    nodes = [values[node] for node in sum_.nodes]
    found: Words = np.zeros(1, np.uint64)
    if truths := [value for value in nodes if value.dtype != np.uint64]:
        found = _partners(reduce(np.bitwise_or, truths), count, reached)
    for partners in (value for value in nodes if value.dtype == np.uint64):
        found = found | partners & reached
    return found

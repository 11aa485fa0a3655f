"""The small language of proofs: terms over variables that have finitely many values.

A term says that a variable is among some values, or joins terms by "every" or "some". Negation is pushed
down to the leaves, so that there are only these three kinds. Equal terms are one: a `Term` is its number
in the `Terms` that made it, and its parts have lower numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Term = int
Point = tuple[int, ...]
"""A value for each variable, in the order in which they were made."""

SMALL = 6
"""Up to how many parts of a part are taken over into the whole."""


class Variable(NamedTuple):
    """Its values are 0 to `size` - 1; of an example, the lower is the plainer."""

    number: int
    size: int


class Among(NamedTuple):
    """The variable has one of the values whose bits are set."""

    variable: Variable
    values: int


class Every(NamedTuple):
    parts: tuple[Term, ...]


class Some(NamedTuple):
    parts: tuple[Term, ...]


Node = Among | Every | Some


class Terms:
    """Makes variables and terms, and simplifies while it does."""

    TRUE: Term = 0
    FALSE: Term = 1

    def __init__(self) -> None:
        self.variables: list[Variable] = []
        self.nodes: list[Node] = []
        self._numbers: dict[object, Term] = {}
        self._negated: dict[Term, Term] = {}
        self._node(Every(()))
        self._node(Some(()))

    def variable(self, size: int) -> Variable:
        made = Variable(len(self.variables), size)
        self.variables.append(made)
        return made

    def among(self, variable: Variable, values: Iterable[int]) -> Term:
        return self._leaf(variable, sum({1 << value for value in values if 0 <= value < variable.size}))

    def every(self, parts: Iterable[Term]) -> Term:
        return self._join(Every, parts)

    def some(self, parts: Iterable[Term]) -> Term:
        return self._join(Some, parts)

    def no(self, term: Term) -> Term:
        """The term that holds where `term` does not."""
        if term not in self._negated:
            node = self.nodes[term]
            if isinstance(node, Among):
                negated = self._leaf(node.variable, ~node.values & ((1 << node.variable.size) - 1))
            else:
                negated = self._join(Some if isinstance(node, Every) else Every, map(self.no, node.parts))
            self._negated[term], self._negated[negated] = negated, term
        return self._negated[term]

    def at_most(self, count: int, terms: Sequence[Term]) -> Term:
        """At most `count` of `terms` hold. Linear in both."""
        fine = [self.TRUE] * (count + 1)  # by how many may still hold
        for term in terms:
            rest = [self.FALSE, *fine[:-1]]
            fine = [
                self.some((self.every((self.no(term), same)), less))
                for same, less in zip(fine, rest, strict=True)
            ]
        return fine[count]

    def guess(self, term: Term, turn: int) -> Point:
        """A point at which `term` may well hold. Other turns choose other parts of a "some", and every
        other turn the highest of many values."""
        allowed = [(1 << variable.size) - 1 for variable in self.variables]
        todo = [term]
        while todo:
            match self.nodes[todo.pop()]:
                case Among(variable, values):
                    allowed[variable.number] = allowed[variable.number] & values or values
                case Every(parts):
                    todo += parts
                case Some(parts):
                    todo += parts[turn // 2 % len(parts) :][:1] if parts else ()
        return tuple(
            (values if turn % 2 and variable.size > 2 else values & -values).bit_length() - 1
            for values, variable in zip(allowed, self.variables, strict=True)
        )

    def holds(self, term: Term, point: Point) -> bool:
        """Whether `term` holds at one point; only what decides it is looked at."""
        known: dict[Term, bool] = {}

        def look(term: Term) -> bool:
            if term not in known:
                match self.nodes[term]:
                    case Among(variable, values):
                        known[term] = bool(values >> point[variable.number] & 1)
                    case Every(parts):
                        known[term] = all(map(look, parts))
                    case Some(parts):
                        known[term] = any(map(look, parts))
            return known[term]

        return look(term)

    def truth(self, points: Sequence[Point]) -> list[int]:
        """For each term the points at which it holds: bit i is set for `points[i]`."""
        everywhere = (1 << len(points)) - 1
        at: list[dict[int, int]] = [{} for _ in self.variables]
        for bit, point in enumerate(points):
            for where, value in zip(at, point, strict=True):
                where[value] = where.get(value, 0) | 1 << bit
        truth: list[int] = []
        for node in self.nodes:
            if isinstance(node, Among):
                bits = 0
                for value, where_it_is in at[node.variable.number].items():
                    if node.values >> value & 1:
                        bits |= where_it_is
            elif isinstance(node, Every):
                bits = everywhere
                for part in node.parts:
                    bits &= truth[part]
            else:
                bits = 0
                for part in node.parts:
                    bits |= truth[part]
            truth.append(bits)
        return truth

    def _leaf(self, variable: Variable, values: int) -> Term:
        if values == 0:
            return self.FALSE
        if values == (1 << variable.size) - 1:
            return self.TRUE
        return self._node(Among(variable, values))

    def _join(self, kind: type[Every] | type[Some], given: Iterable[Term]) -> Term:
        """Leaves about one variable become one, and small parts of the same kind dissolve."""
        nothing, all_ = (self.TRUE, self.FALSE) if kind is Every else (self.FALSE, self.TRUE)
        parts: set[Term] = set()
        leaves: dict[Variable, int] = {}
        todo = list(given)
        while todo:
            part = todo.pop()
            match self.nodes[part]:
                case Among(variable, values):
                    known = leaves.get(variable, values)
                    leaves[variable] = known & values if kind is Every else known | values
                case node if isinstance(node, kind) and len(node.parts) <= SMALL:
                    todo += node.parts
                case _:
                    parts.add(part)
        parts.update(self._leaf(variable, values) for variable, values in leaves.items())
        parts.discard(nothing)
        if all_ in parts:
            return all_
        if len(parts) == 1:
            return parts.pop()
        return self._node(kind(tuple(sorted(parts)))) if parts else nothing

    def _node(self, node: Node) -> Term:
        # A tuple equals any tuple with the same members: its kind must be part of the key.
        key = node if isinstance(node, Among) else (type(node), *node.parts)
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[key]

"""Clauses as a straight-line program over columns: tests on single columns, then `and`, `or`, `not`.

Equal parts of clauses are one node, so that what many agreements have in common is evaluated once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import msgspec
from cedarpy import pst

from tearline.agreement.evaluate import Action
from tearline.agreement.manifest import Agreement
from tearline.agreement.media import Detail
from tearline.agreement.tables.columns import DISCIPLINES, REGIONS, TOPICS, mask, microseconds
from tearline.terms import Party

_GROUPS = {"share": frozenset(Action)}
"""Action groups of the schema."""
_VOCABULARIES: dict[str, Any] = {"topics": TOPICS, "regions": REGIONS, "disciplines": DISCIPLINES}


class Test(msgspec.Struct, frozen=True):
    """Compares one column with a constant: `lookup` tells how. Who receives is asked of the column `day`,
    since the day tells who is in which coalition."""

    column: str
    op: str
    constant: Any


Node = tuple[Any, ...]
"""`("test", Test)`, `("true",)`, `("not", a)`, `("and", a, b)`, `("or", a, b)`: `a` and `b` are numbers of
earlier nodes. Its value is a truth for each row, or for each row and partner."""


class Guard(msgspec.Struct, frozen=True):
    """A clause: it matches where `node` holds, for those for whom `who`, its head, holds and who are among
    `parties` (all partners if `None`)."""

    forbids: bool
    actions: frozenset[Action]
    node: int
    who: int
    parties: frozenset[Party] | None


class Program:
    """Nodes in an order in which each comes after those that it is made of."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[Node, int] = {}
        self.scales: list[Agreement] = []
        """One agreement for each table of levels."""

    def add(self, *node: Any) -> int:
        if node not in self._numbers:
            self._numbers[node] = len(self.nodes)
            self.nodes.append(node)
        return self._numbers[node]

    def both(self, parts: Iterable[int]) -> int:
        """All of them: at least one."""
        return reduce(lambda left, right: self.add("and", left, right), parts)

    def test(self, column: str, op: str, constant: Any) -> int:
        return self.add("test", Test(column, op, constant))

    def clauses(self, agreement: Agreement) -> list[Guard]:
        """An agreement's clauses. A permit asks besides that its table of levels has a row."""
        scale = self._scale(agreement)
        in_force = self.test("at", "within", tuple(microseconds(bound) for bound in agreement.bounds))
        ranked = self.test("level", "ranked", (scale, 0))
        found = []
        for clause in agreement.parsed:
            tree, forbids = clause.tree, clause.tree.effect == "forbid"
            parts = [in_force] if forbids else [in_force, ranked]
            for condition in tree.clauses:
                part = self._expression(condition.expr, scale)
                parts.append(self.add("not", part) if isinstance(condition, pst.Unless) else part)
            parties, who = self._head(tree.principal, None if forbids else agreement.parties)
            found.append(Guard(forbids, _actions(tree.action), self.both(parts), who, parties))
        return found

    def _scale(self, agreement: Agreement) -> int:
        """The number of its table of levels; equal tables are one."""
        for number, known in enumerate(self.scales):
            if known.levels == agreement.levels:
                return number
        self.scales.append(agreement)
        return len(self.scales) - 1

    def _head(self, principal: Any, parties: frozenset[Party] | None) -> tuple[frozenset[Party] | None, int]:
        """Of `parties` those whom the head can mean, and what else it asks."""
        match principal:
            case pst.ScopeAny():
                return parties, self.add("true")
            case pst.ScopeEq(pst.EntityUid(pst.EntityType("Partner"), name)):
                one = frozenset({name})
                return one if parties is None else one & parties, self.add("true")
            case pst.ScopeIn(pst.EntityUid(pst.EntityType("Coalition"), name)):
                return parties, self.test("day", "in", name)
        raise NotImplementedError("a head outside the profile")

    def _expression(self, expr: Any, scale: int) -> int:  # noqa: PLR0911, PLR0912 - a case for each test
        match expr:
            case pst.BinaryOp("and" | "or" as op, left, right):
                return self.add(op, self._expression(left, scale), self._expression(right, scale))
            case pst.UnaryOp("not", inner):
                return self.add("not", self._expression(inner, scale))
            case pst.BinaryOp("not_eq", left, right):
                return self.add("not", self._expression(pst.BinaryOp("eq", left, right), scale))
            case pst.BinaryOp(op, pst.GetAttr(_, "level"), pst.LongLit(rank)):
                return self.test("level", op, (scale, rank))
            case pst.BinaryOp(op, pst.GetAttr(_, name), pst.LongLit(rank)) if name in Detail._fields:
                return self.test("detail", op, (name, rank))
            case pst.BinaryOp(op, pst.GetAttr(_, name), pst.LongLit(rank)):
                return self.test(name, op, rank)
            case pst.BinaryOp("eq", pst.GetAttr(_, name), pst.EntityLit(uid)):
                return self.test(name, "one of", frozenset({uid.id}))
            case pst.BinaryOp("contains", pst.Set(elements), pst.GetAttr(_, name)):
                return self.test(name, "one of", _ids(elements))
            case pst.BinaryOp("contains", pst.GetAttr(_, name), pst.EntityLit(uid)):
                return self.test(name, "any", mask([uid.id], _VOCABULARIES[name]))
            case pst.BinaryOp("contains_any", pst.GetAttr(_, name), pst.Set(elements)):
                return self.test(name, "any", mask(_ids(elements), _VOCABULARIES[name]))
            case pst.BinaryOp("contains_all", pst.GetAttr(_, name), pst.Set(elements)):
                return self.test(name, "all", mask(_ids(elements), _VOCABULARIES[name]))
            case pst.UnaryOp("is_empty", pst.GetAttr(_, name)):
                return self.test(name, "empty", 0)
            case pst.BinaryOp("in", pst.Var("principal"), pst.EntityLit(uid)):
                return self.test("day", "in", uid.id)
            case pst.BinaryOp("eq", pst.Var("principal"), pst.EntityLit(uid)):
                return self.test("day", "is", uid.id)
            case pst.BinaryOp(op, pst.GetAttr(), pst.UnaryOp("datetime", pst.StringLit(text))):
                moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
                return self.test("at", op, microseconds(moment))
        raise NotImplementedError("a test outside the profile")


def _actions(constraint: Any) -> frozenset[Action]:
    """The actions that a head covers: those it names, and those in the groups it names."""
    uids = (constraint.entity,) if isinstance(constraint, pst.ActionEq) else constraint.entities
    return frozenset(action for uid in uids for action in _GROUPS.get(uid.id) or {Action(uid.id)})


def _ids(elements: Iterable[Any]) -> frozenset[str]:
    return frozenset(element.value.id for element in elements)

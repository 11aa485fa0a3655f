"""What agreements say, as terms: exactly `Agreements.rule`, over every item, partner and time at once.

The clauses' trees are read by what the profile lists; whatever is not listed raises `NotEncoded`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from cedarpy import pst

from tearline.agreement.evaluate import ABOVE_ALL, Action
from tearline.agreement.manifest import Agreement
from tearline.agreement.proof.logic import Term, Variable
from tearline.agreement.proof.universe import Universe, class_at
from tearline.terms import Level

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "less": operator.lt,
    "less_eq": operator.le,
    "greater": operator.gt,
    "greater_eq": operator.ge,
}
_COMPARE = {**_ORDER, "eq": operator.eq, "not_eq": operator.ne}
_EQUAL = {"eq", "not_eq"}
_ONE = {"category", "originator"}
_SETS = {"topics", "regions", "disciplines"}


class NotEncoded(Exception):
    """A clause says what the encoder does not know; names the clause."""


class Spoken(NamedTuple):
    """One clause of one agreement, for one action."""

    name: str
    """`AGREEMENT/CLAUSE`."""
    says: Term
    """Where its head and conditions hold."""
    counts: Term
    """Where `rule` heeds it: its agreement is in force, and for a permit shared with the partner and with
    a row for the item's level."""


class Rules(NamedTuple):
    """What agreements say of one action."""

    permits: tuple[Spoken, ...]
    forbids: tuple[Spoken, ...]
    forbidden: Term
    permitted: Term
    """Where `Agreements.rule` says PERMIT."""


class Encoder:
    """Terms for agreements over one universe."""

    def __init__(self, universe: Universe) -> None:
        self.universe, self.terms = universe, universe.terms
        one: dict[str, tuple[str, Variable, Sequence[str]]] = {
            "category": ("Category", universe.category, universe.categories),
            "originator": ("Party", universe.originator, universe.originators),
            "principal": ("Partner", universe.partner, universe.partners),
        }
        many: dict[str, tuple[str, Mapping[Any, Variable]]] = {
            "topics": ("Topic", universe.topics),
            "regions": ("Region", universe.regions),
            "disciplines": ("Discipline", universe.disciplines),
            "coalitions": ("Coalition", universe.coalitions),
        }
        self._spoken: dict[tuple[str, str, str, Action], Sequence[Spoken]] = {}
        self._ranks: dict[tuple[str, str], list[Term]] = {}
        self._values: dict[str, dict[tuple[str, str], Term]] = {}
        """For each attribute and each name of its kind, that this is its value or one of its values."""
        for attribute, (kind, variable, names) in one.items():
            self._values[attribute] = {
                (kind, str(name)): self.terms.among(variable, [value]) for value, name in enumerate(names)
            }
        for attribute, (kind, words) in many.items():
            self._values[attribute] = {(kind, str(word)): universe.has(words[word]) for word in words}

    def rules(self, agreements: Iterable[Agreement], action: Action) -> Rules:
        """Raises `NotEncoded`."""
        said = list(agreements)
        permits = tuple(spoken for each in said for spoken in self.spoken(each, "permit", action))
        forbids = tuple(spoken for each in said for spoken in self.spoken(each, "forbid", action))
        forbidden = self.any_matches(forbids)
        permitted = self.terms.every([self.any_matches(permits), self.terms.no(forbidden)])
        return Rules(permits, forbids, forbidden, permitted)

    def spoken(self, agreement: Agreement, effect: str, action: Action) -> Sequence[Spoken]:
        """The clauses of this effect that are about this action. Each is read once, whatever set it is in."""
        key = (*_text(agreement), effect, action)
        if key not in self._spoken:
            self._spoken[key] = list(self._read(agreement, effect, action))
        return self._spoken[key]

    def _read(self, agreement: Agreement, effect: str, action: Action) -> Iterator[Spoken]:
        if self.universe.own not in agreement.parties:
            return
        counts = self.in_force(agreement)
        if effect == "permit":
            counts = self.terms.every([counts, self.shared(agreement), self.ranked(agreement)])
        for clause in agreement.parsed:
            if clause.tree.effect == effect and self.about(clause.tree.action, action):
                name = f"{agreement.id}/{clause.id}"
                try:
                    yield Spoken(name, self.says(agreement, clause.tree), counts)
                except NotEncoded:
                    raise NotEncoded(name) from None

    def matches(self, spoken: Spoken) -> Term:
        return self.terms.every([spoken.says, spoken.counts])

    def any_matches(self, spoken: Iterable[Spoken]) -> Term:
        return self.terms.some(map(self.matches, spoken))

    # --- The agreement ---------------------------------------------------------------------------

    def in_force(self, agreement: Agreement) -> Term:
        first, end = agreement.bounds
        return self.universe.when([first <= now < end for now in self.universe.instants])

    def shared(self, agreement: Agreement) -> Term:
        return self.universe.partner_among(agreement.parties)

    def ranked(self, agreement: Agreement) -> Term:
        """The agreement's table has a row for each of the item's levels."""
        return self.terms.no(self.rank_from(agreement, ABOVE_ALL))

    def rank_from(self, agreement: Agreement, rank: int) -> Term:
        """The item's rank on the agreement's common scale is at least this one, which is above 0."""

        def high(rows: Mapping[Level, Level]) -> list[int]:
            return [1 + level for level in Level if rows.get(level, ABOVE_ALL) >= rank]

        none: dict[Level, Level] = {}
        return self.terms.some(
            self.terms.among(variable, high(agreement.levels.get(policy, none)))
            for policy, variable in self.universe.levels.items()
        )

    def rank(self, agreement: Agreement, fits: Callable[[int], bool]) -> Term:
        """The item's rank on the common scale is one that fits."""
        key = _text(agreement)
        if key not in self._ranks:
            bounds = [self.rank_from(agreement, rank) for rank in range(1, ABOVE_ALL + 1)]
            self._ranks[key] = [
                self.terms.every([low, self.terms.no(high)])
                for low, high in pairwise([self.terms.TRUE, *bounds, self.terms.FALSE])
            ]
        return self.terms.some(term for rank, term in enumerate(self._ranks[key]) if fits(rank))

    # --- A clause --------------------------------------------------------------------------------

    def says(self, agreement: Agreement, tree: pst.Template) -> Term:
        """Where head and conditions of a clause hold."""
        if not isinstance(tree.resource, pst.ScopeAny):
            raise NotEncoded
        parts = [self.receives(tree.principal)]
        for condition in tree.clauses:
            holds = self.condition(agreement, condition.expr)
            parts.append(self.terms.no(holds) if isinstance(condition, pst.Unless) else holds)
        return self.terms.every(parts)

    def receives(self, scope: pst.PrincipalOrResourceConstraint) -> Term:
        match scope:
            case pst.ScopeAny():
                return self.terms.TRUE
            case pst.ScopeEq(pst.EntityUid() as uid):
                return self.value("principal", uid)
            case pst.ScopeIn(pst.EntityUid() as uid):
                return self.value("coalitions", uid)
            case _:
                raise NotEncoded

    def about(self, scope: pst.ActionConstraint, action: Action) -> bool:
        match scope:
            case pst.ActionEq(uid):
                return uid.id == action
            case pst.ActionIn(uids):
                return any(uid.id in {action, "share"} for uid in uids)
            case _:
                return True

    def condition(self, agreement: Agreement, expr: pst.Expr) -> Term:
        match expr:
            case pst.BinaryOp("and" | "or" as op, left, right):
                parts = [self.condition(agreement, left), self.condition(agreement, right)]
                return self.terms.every(parts) if op == "and" else self.terms.some(parts)
            case pst.UnaryOp("not", inner):
                return self.terms.no(self.condition(agreement, inner))
            case _:
                return self.test(agreement, expr)

    # --- A test ----------------------------------------------------------------------------------

    def test(self, agreement: Agreement, expr: pst.Expr) -> Term:
        match expr:
            case pst.BinaryOp(op, pst.GetAttr(pst.Var("resource"), attribute), constant):
                return self.resource(agreement, attribute, op, constant)
            case pst.BinaryOp("contains", pst.Set(names), pst.GetAttr(pst.Var("resource"), attribute)) if (
                attribute in _ONE
            ):
                return self.terms.some(self.each(attribute, names))
            case pst.UnaryOp("is_empty", pst.GetAttr(pst.Var("resource"), attribute)) if attribute in _SETS:
                return self.terms.no(self.terms.some(self._values[attribute].values()))
            case pst.BinaryOp("in", pst.Var("principal"), pst.EntityLit(uid)):
                return self.value("coalitions", uid)
            case pst.BinaryOp("eq" | "not_eq" as op, pst.Var("principal"), pst.EntityLit(uid)):
                return self.equal(op, self.value("principal", uid))
            case pst.BinaryOp(op, pst.GetAttr(pst.Var("context"), "now"), pst.UnaryOp("datetime", constant)):
                return self.clock(op, constant)
            case _:
                raise NotEncoded

    def resource(self, agreement: Agreement, attribute: str, op: str, constant: pst.Expr) -> Term:
        """`resource.attribute op constant`."""
        match constant:
            case pst.LongLit(number) if op in _COMPARE:
                return self.number(agreement, attribute, lambda value: _COMPARE[op](value, number))
            case pst.EntityLit(uid) if attribute in _ONE and op in _EQUAL:
                return self.equal(op, self.value(attribute, uid))
            case pst.EntityLit(uid) if attribute in _SETS and op == "contains":
                return self.value(attribute, uid)
            case pst.Set(names) if attribute in _SETS and op == "contains_any":
                return self.terms.some(self.each(attribute, names))
            case pst.Set(names) if attribute in _SETS and op == "contains_all":
                return self.terms.every(self.each(attribute, names))
            case _:
                raise NotEncoded

    def number(self, agreement: Agreement, attribute: str, fits: Callable[[int], bool]) -> Term:
        if attribute == "level":
            return self.rank(agreement, fits)
        if (detail := self.universe.detail.get(attribute)) is not None:
            fitting = (value for value in range(detail.size) if fits(class_at(attribute, value)))
            return self.terms.among(detail, fitting)
        if attribute not in {"reach", "use"}:
            raise NotEncoded
        variable = self.universe.reach if attribute == "reach" else self.universe.use
        return self.terms.among(variable, filter(fits, range(variable.size)))

    def value(self, attribute: str, uid: pst.EntityUid) -> Term:
        """This is the attribute's value, or one of them; what is of another kind never is."""
        return self._values[attribute].get((str(uid.type), uid.id), self.terms.FALSE)

    def each(self, attribute: str, names: Sequence[pst.Expr]) -> list[Term]:
        uids = [name.value for name in names if isinstance(name, pst.EntityLit)]
        if len(uids) < len(names):
            raise NotEncoded
        return [self.value(attribute, uid) for uid in uids]

    def equal(self, op: str, same: Term) -> Term:
        return same if op == "eq" else self.terms.no(same)

    def clock(self, op: str, constant: pst.Expr) -> Term:
        """Cedar is told the instant in whole milliseconds."""
        if op not in _ORDER or not isinstance(constant, pst.StringLit):
            raise NotEncoded
        moment = datetime.fromisoformat(constant.value).replace(tzinfo=UTC)
        told = [now.replace(microsecond=now.microsecond // 1000 * 1000) for now in self.universe.instants]
        return self.universe.when([_ORDER[op](now, moment) for now in told])


def _text(agreement: Agreement) -> tuple[str, str]:
    return agreement.manifest, agreement.clauses

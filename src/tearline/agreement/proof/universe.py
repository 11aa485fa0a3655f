"""All that an item, a partner and a time can be, as variables with finitely many values.

Names that no agreement mentions are alike to every clause: one value stands for all of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import msgspec
from cedarpy import pst

from tearline.agreement.evaluate import Action, Facts
from tearline.agreement.manifest import Agreement
from tearline.agreement.media import CLASSES, NOT_MEDIA, Detail
from tearline.agreement.profile import moments
from tearline.agreement.proof.logic import Point, Term, Terms, Variable
from tearline.terms import Category, Discipline, Level, Party, Reach, Region, Topic, Use

UNNAMED = "?"
"""Stands for every party, and for every policy, that no agreement names; it cannot be a code itself."""

_Word = TypeVar("_Word", bound=StrEnum)


class Case(msgspec.Struct, frozen=True):
    """A point, read back: an item, a partner with its coalitions, and an instant."""

    facts: Facts
    partner: Party
    coalitions: frozenset[str]
    now: datetime


class Universe:
    """The variables, and how points are read. Values stand in order, the plainest first."""

    def __init__(self, own: Party, agreements: Iterable[Agreement], since: datetime, terms: Terms) -> None:
        held = list(agreements)
        named: dict[str, set[str]] = {"Party": set(), "Partner": set(), "Coalition": set()}
        for uid in pst.entity_uids(tuple(clause.tree for each in held for clause in each.parsed)):
            named.setdefault(uid.type.basename, set()).add(uid.id)
        parties = {party for each in held for party in each.parties} | named["Partner"]
        policies = {policy for each in held for policy in each.levels}
        later = {moment for each in held for moment in _changes(each) if moment > since}

        self.own, self.terms = own, terms
        self.instants = [since, *sorted(later)]
        """The first of each span in which nothing changes."""
        self.originators = [own, *sorted(named["Party"] - {own}), UNNAMED]
        self.partners = [*sorted(parties - {own}), UNNAMED, own]
        """The node itself comes last: it is no partner of its own, but clauses may name it for the others."""
        self.categories = list(Category)
        self.policies = [UNNAMED, *sorted(policies - {own}), *([own] if own in policies else [])]

        self.category = terms.variable(len(Category))
        self.originator = terms.variable(len(self.originators))
        self.reach = terms.variable(len(Reach))
        self.use = terms.variable(len(Use))
        self.detail = {name: terms.variable(len(CLASSES)) for name in Detail._fields}
        """0: the class of what is not media; otherwise as many classes away from it."""
        self.partner = terms.variable(len(self.partners))
        self.span = terms.variable(len(self.instants))
        self.levels = {policy: terms.variable(1 + len(Level)) for policy in self.policies}
        """0: the item has no level of this policy; otherwise its rank and 1."""
        self.topics = {word: terms.variable(2) for word in Topic}
        self.regions = {word: terms.variable(2) for word in Region}
        self.disciplines = {word: terms.variable(2) for word in Discipline}
        self.coalitions = {name: terms.variable(2) for name in sorted(named["Coalition"])}

    def case(self, point: Point) -> Case:
        """What stands at `point`."""

        def value(variable: Variable) -> int:
            return point[variable.number]

        def chosen(words: Mapping[_Word, Variable]) -> frozenset[_Word]:
            return frozenset(word for word, variable in words.items() if value(variable))

        levels = ((policy, value(variable)) for policy, variable in self.levels.items())
        facts = Facts(
            originator=self.originators[value(self.originator)],
            category=self.categories[value(self.category)],
            level=tuple(sorted((policy, Level(rank - 1)) for policy, rank in levels if rank)),
            topics=chosen(self.topics),
            regions=chosen(self.regions),
            disciplines=chosen(self.disciplines),
            reach=Reach(value(self.reach)),
            use=Use(value(self.use)),
            detail=Detail(*(class_at(name, value(self.detail[name])) for name in Detail._fields)),
        )
        names = frozenset(name for name, variable in self.coalitions.items() if value(variable))
        return Case(facts, self.partners[value(self.partner)], names, self.instants[value(self.span)])

    def point(self, case: Case) -> Point:
        """Where `case` stands. Raises `ValueError` where it is before the first instant."""
        if case.now < self.instants[0]:
            raise ValueError("the instant lies before those that are asked about")
        facts = case.facts
        point = [0] * len(self.terms.variables)
        point[self.category.number] = self.categories.index(facts.category)
        point[self.originator.number] = _place(facts.originator, self.originators)
        point[self.reach.number] = int(facts.reach)
        point[self.use.number] = int(facts.use)
        for name, rank in facts.detail._asdict().items():
            point[self.detail[name].number] = class_at(name, rank)
        point[self.partner.number] = _place(case.partner, self.partners)
        point[self.span.number] = bisect_right(self.instants, case.now) - 1
        for policy, rank in facts.level:
            point[self.levels[policy if policy in self.levels else UNNAMED].number] = 1 + int(rank)
        for words, variables in (
            (facts.topics, self.topics),
            (facts.regions, self.regions),
            (facts.disciplines, self.disciplines),
            (case.coalitions, self.coalitions),
        ):
            for word in words & variables.keys():
                point[variables[word].number] = 1  # type: ignore[index]
        return tuple(point)

    def at(self, partner: Party, members: frozenset[str]) -> Term:
        """The partner is this one, and it is in exactly these coalitions."""
        memberships = (
            self.has(variable) if name in members else self.terms.no(self.has(variable))
            for name, variable in self.coalitions.items()
        )
        return self.terms.every([self.partner_among([partner]), *memberships])

    def partner_among(self, parties: Iterable[Party]) -> Term:
        wanted = set(parties)
        return self.terms.among(self.partner, [n for n, party in enumerate(self.partners) if party in wanted])

    def others(self) -> Term:
        """The partner is not the node itself."""
        return self.terms.no(self.partner_among([self.own]))

    def possible(self, action: Action) -> Term:
        """The item is one that there can be: only pictures and recordings have classes other than those of
        what is not media (`media`), and a whole recording has samples and counts as telling its place."""
        terms = self.terms
        plain = {name: terms.among(variable, [0]) for name, variable in self.detail.items()}
        picture, recording = (
            terms.among(self.category, [self.categories.index(each)])
            for each in (Category.IMAGERY, Category.INTERCEPT)
        )
        told = [terms.TRUE]
        if action is Action.RELEASE:
            exact = terms.among(self.detail["position"], [class_at("position", 0)])
            told = [exact, terms.no(plain["bandwidth"])]
        return terms.some(
            [
                terms.every([picture, plain["bandwidth"], plain["position"]]),
                terms.every([recording, plain["gsd"], plain["area"], *told]),
                terms.every([terms.no(picture), terms.no(recording), *plain.values()]),
            ]
        )

    def has(self, word: Variable) -> Term:
        """A word of a set is in it."""
        return self.terms.among(word, [1])

    def when(self, holds: Sequence[bool]) -> Term:
        """The instant is in one of the spans for which `holds` is true."""
        return self.terms.among(self.span, [n for n, true in enumerate(holds) if true])


def _changes(agreement: Agreement) -> Iterator[datetime]:
    """When rulings may change. Cedar counts milliseconds: `<=` turns false one after its moment."""
    yield from agreement.bounds
    for clause in agreement.parsed:
        for moment in moments(clause.tree):
            yield moment
            yield moment + timedelta(milliseconds=1)


def class_at(name: str, value: int) -> int:
    """The class that stands for a value of the variable of `name`, and the other way round."""
    neutral: int = getattr(NOT_MEDIA, name)
    return abs(neutral - value)


def _place(name: str, names: Sequence[str]) -> int:
    return names.index(name if name in names else UNNAMED)

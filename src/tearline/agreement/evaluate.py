"""What the agreements in force say: one product, one action, many partners.

What depends on the agreements alone is compiled once for each span of time between two moments at which
anything could change (`_Span`). Clauses compare attributes with constants and the clock with such
moments, so that within a span the same facts have the same ruling: it is remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from tearline.agreement import cedar
from tearline.agreement.manifest import Agreement
from tearline.agreement.profile import moments
from tearline.terms import (
    Category,
    Discipline,
    Label,
    Level,
    Party,
    Policy,
    Product,
    Reach,
    Refused,
    Region,
    Topic,
    Use,
)

ABOVE_ALL = max(Level) + 1
"""The rank of a level for which a table has no row: the table's forbids take it as above all others."""

REMEMBERED = 4096
"""For how many facts rulings are remembered within a span."""

Members = Mapping[Party, frozenset[str]]
"""Partners, each with the coalitions that it counts as a member of."""


class Action(StrEnum):
    RELEASE = "release"
    RELEASE_TEARLINE = "releaseTearline"


class Verdict(StrEnum):
    PERMIT = "permit"
    FORBID = "forbid"
    """A forbid matches, of any agreement in force at this node, whoever its parties are."""
    NO_AGREEMENT = "none"
    """No agreement is in force between the node and the partner."""
    NO_CLAUSE = "no-clause"
    """No clause permits."""
    NO_LEVEL = "no-level"
    """No clause permits, and permits were left out: their agreement's table has no row for the level."""
    ERROR = "error"
    """A clause could not be evaluated: nothing is known, so nothing goes."""


class Ruling(msgspec.Struct, frozen=True):
    """`clauses`: those that permit, or those that forbid, as `AGREEMENT/CLAUSE`, sorted."""

    verdict: Verdict
    clauses: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What clauses may ask of a product, before its levels are put on an agreement's scale."""

    originator: Party
    category: Category
    level: tuple[tuple[Policy, Level], ...]
    topics: frozenset[Topic]
    regions: frozenset[Region]
    disciplines: frozenset[Discipline]
    reach: Reach
    use: Use

    @classmethod
    def of(cls, product: Product, label: Label) -> Facts:
        """The facts of `product`, or of the part of it that bears `label`."""
        return cls(
            originator=product.originator,
            category=product.category,
            level=label.level,
            topics=product.topics,
            regions=product.regions,
            disciplines=product.disciplines,
            reach=label.reach,
            use=label.use,
        )


class Agreements:
    """The adopted agreements of one node, compiled. For one thread.

    An agreement counts between `own`, the node's party, and a partner where both are among its parties,
    on the days on which it is valid. Raises `Refused` where one is not sound or is there twice.
    """

    def __init__(self, own: Party, agreements: Sequence[Agreement]) -> None:
        for agreement in agreements:
            agreement.must_be_sound()
        if len({agreement.id for agreement in agreements}) < len(agreements):
            raise Refused("two versions of one agreement cannot be in force")
        self.own = own
        self._held = [agreement for agreement in agreements if own in agreement.parties]
        self._moments = sorted({moment for agreement in self._held for moment in _moments(agreement)})
        self._spans: dict[int, _Span] = {}

    def rule(self, facts: Facts, partners: Members, action: Action, now: datetime) -> dict[Party, Ruling]:
        """A ruling for each of `partners`. Raises `ValueError` where `now` knows no time zone."""
        if now.tzinfo is None:
            raise ValueError("the instant of a decision must know its time zone")
        number = bisect_right(self._moments, now)
        if number not in self._spans:
            self._spans[number] = _Span(
                [each for each in self._held if each.bounds[0] <= now < each.bounds[1]]
            )
        return self._spans[number].rule(facts, partners, action, now)


def _moments(agreement: Agreement) -> set[datetime]:
    """When rulings may change. Cedar counts milliseconds: `<=` turns false one after its moment."""
    named = {moment for clause in agreement.parsed for moment in moments(clause.tree)}
    return {*agreement.bounds, *named, *(moment + timedelta(milliseconds=1) for moment in named)}


class _Span:
    """The agreements in force in one span of time, by tables of levels: equal tables are asked at once."""

    def __init__(self, agreements: Sequence[Agreement]) -> None:
        self._tables: list[list[Agreement]] = []
        self._shared: dict[Party, frozenset[str]] = {}
        for agreement in agreements:
            same = next((table for table in self._tables if table[0].levels == agreement.levels), None)
            if same is None:
                self._tables.append([agreement])
            else:
                same.append(agreement)
            for party in agreement.parties:
                self._shared[party] = self._shared.get(party, frozenset()) | {agreement.id}
        self._names = frozenset[str]().union(*(agreement.names for agreement in agreements))
        self._clauses: dict[tuple[int, frozenset[str]], cedar.Clauses] = {}
        self._plans: dict[frozenset[tuple[Party, frozenset[str]]], Sequence[_Question]] = {}
        self._known: dict[tuple[Facts, Action], dict[tuple[Party, frozenset[str]], Ruling]] = {}

    def rule(self, facts: Facts, partners: Members, action: Action, now: datetime) -> dict[Party, Ruling]:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        known = self._known.setdefault((facts, action), {})
        members = {party: coalitions & self._names for party, coalitions in partners.items()}
        new = {party: coalitions for party, coalitions in members.items() if (party, coalitions) not in known}
        if new:
            rulings = self._ask(facts, new, action, now)
            known.update(((party, new[party]), ruling) for party, ruling in rulings.items())
        return {party: known[party, coalitions] for party, coalitions in members.items()}

    def _ask(self, facts: Facts, partners: Members, action: Action, now: datetime) -> dict[Party, Ruling]:
        rulings = {party: Ruling(Verdict.NO_AGREEMENT) for party in partners if party not in self._shared}
        asked = frozenset((party, names) for party, names in partners.items() if party in self._shared)
        if not asked:
            return rulings
        ranks = [table[0].common_rank(facts.level) for table in self._tables]
        products = {_name(rank): _attributes(facts, rank) for rank in set(ranks)}
        entities = cedar.with_products(cedar.roster(asked), products)
        answers: dict[Party, list[_Answer]] = {party: [] for party, _ in asked}
        for question in self._questions(asked):
            rank = ranks[question.table]
            given = cedar.ask(
                question.clauses,
                entities,
                partners=question.partners,
                action=action,
                product=_name(rank),
                now=now,
            )
            for party, answer in given.items():
                answers[party].append(_Answer(answer, rank, question.shared))
        return rulings | {party: _ruling(given) for party, given in answers.items()}

    def _questions(self, asked: frozenset[tuple[Party, frozenset[str]]]) -> Sequence[_Question]:
        """What to ask about these partners, whatever the product is."""
        if asked not in self._plans:
            if len(self._plans) >= REMEMBERED:
                self._plans.clear()
            groups: defaultdict[tuple[int, frozenset[str]], dict[Party, frozenset[str]]] = defaultdict(dict)
            for number, table in enumerate(self._tables):
                ids = {agreement.id for agreement in table}
                for party, coalitions in asked:
                    groups[number, self._shared[party] & ids][party] = coalitions
            questions = (
                _Question(number, bool(shared), self._clauses_for(number, shared), partners)
                for (number, shared), partners in groups.items()
            )
            self._plans[asked] = [question for question in questions if question.clauses.names]
        return self._plans[asked]

    def _clauses_for(self, number: int, shared: frozenset[str]) -> cedar.Clauses:
        """Of the agreements with this table of levels: the permits of those shared, and every forbid."""
        if (number, shared) not in self._clauses:
            clauses = {
                f"{agreement.id}/{clause.id}": clause.tree
                for agreement in self._tables[number]
                for clause in agreement.parsed
                if clause.tree.effect == "forbid" or agreement.id in shared
            }
            reads_clock = any(any(moments(tree)) for tree in clauses.values())
            self._clauses[number, shared] = cedar.Clauses(clauses, reads_clock=reads_clock)
        return self._clauses[number, shared]


class _Question(NamedTuple):
    """Clauses of agreements with one table of levels, to be asked about partners."""

    table: int
    shared: bool
    """Whether one of the agreements with this table is with these partners."""
    clauses: cedar.Clauses
    partners: Members


class _Answer(NamedTuple):
    """What the clauses with one table of levels came to for one partner."""

    cedar: cedar.Answer
    rank: Level | None
    """The product's; `None` where the table has no row for it, so that permits do not count."""
    shared: bool


def _ruling(answers: Sequence[_Answer]) -> Ruling:
    """Put the answers for one partner together: an error outweighs a forbid, a forbid every permit."""
    if any(answer.cedar.failed for answer in answers):
        return Ruling(Verdict.ERROR)
    forbids = [clause for answer in answers if not answer.cedar.allowed for clause in answer.cedar.clauses]
    if forbids:
        return Ruling(Verdict.FORBID, tuple(sorted(forbids)))
    permits = [
        clause
        for answer in answers
        if answer.cedar.allowed and answer.rank is not None
        for clause in answer.cedar.clauses
    ]
    if permits:
        return Ruling(Verdict.PERMIT, tuple(sorted(permits)))
    left_out = any(answer.shared and answer.rank is None for answer in answers)
    return Ruling(Verdict.NO_LEVEL if left_out else Verdict.NO_CLAUSE)


def _name(rank: Level | None) -> str:
    """The id of the `Product` with this rank."""
    return "unranked" if rank is None else rank.name


def _attributes(facts: Facts, rank: Level | None) -> dict[str, Any]:
    """The attributes of `Product` in the schema."""
    return {
        "originator": cedar.reference("Party", facts.originator),
        "category": cedar.reference("Category", facts.category),
        "level": ABOVE_ALL if rank is None else int(rank),
        "topics": [cedar.reference("Topic", topic) for topic in facts.topics],
        "regions": [cedar.reference("Region", region) for region in facts.regions],
        "disciplines": [cedar.reference("Discipline", discipline) for discipline in facts.disciplines],
        "reach": int(facts.reach),
        "use": int(facts.use),
    }

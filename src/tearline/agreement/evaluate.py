"""What the agreements in force say: one product, one action, many partners.

What depends on the agreements alone is compiled once for each span of time between two moments at which
anything could change (`_Span`). Clauses compare attributes with constants and the clock with such
moments, so that within a span the same facts have the same ruling: it is remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from cedarpy import pst

from tearline.agreement import cedar
from tearline.agreement.clauses import Clause
from tearline.agreement.manifest import Agreement
from tearline.agreement.media import NOT_MEDIA, Detail
from tearline.agreement.profile import moments
from tearline.terms import (
    Category,
    Discipline,
    Label,
    Level,
    MediaForm,
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
    detail: Detail = NOT_MEDIA

    @classmethod
    def of(cls, product: Product, label: Label, detail: Detail) -> Facts:
        """The facts of `product`, or of the part or form of it that bears `label` and tells `detail`."""
        return cls(
            originator=product.originator,
            category=product.category,
            level=label.level,
            topics=product.topics,
            regions=product.regions,
            disciplines=product.disciplines,
            reach=label.reach,
            use=label.use,
            detail=detail,
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

    def forms(self, partner: Party, now: datetime) -> tuple[MediaForm, ...]:
        """What the agreements in force with `partner` declare: by their ids, then in their own order."""
        shared = [
            each
            for each in self._held
            if each.forms and partner in each.parties and each.bounds[0] <= now < each.bounds[1]
        ]
        return tuple(form for each in sorted(shared, key=lambda each: each.id) for form in each.forms)


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
        self._plans: dict[tuple[_Asked, Action], Sequence[_Question]] = {}
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
        for question in self._questions(asked, action):
            given: dict[Level | None, cedar.Answer] = {}
            for table, party, names in question.alike:
                rank = ranks[table]
                if rank not in given:
                    given[rank] = question.ask(entities, _name(rank), action, now)
                answer = given[rank]
                spoke = tuple(
                    own for own, name in zip(names, question.names, strict=True) if name in answer.clauses
                )
                answers[party].append(_Answer(answer.allowed, answer.failed, spoke, rank, question.shared))
        return rulings | {party: _ruling(given) for party, given in answers.items()}

    def _questions(self, asked: _Asked, action: Action) -> Sequence[_Question]:
        """What to ask about these partners, whatever the product is.

        Partners of whom the clauses say the same, such as those with bilateral agreements of one text,
        are asked about once for each rank: Cedar would answer the same, under other names.
        """
        if (asked, action) not in self._plans:
            if len(self._plans) >= REMEMBERED:
                self._plans.clear()
            found: dict[Any, _Question] = {}
            for number, table in enumerate(self._tables):
                ids = {agreement.id for agreement in table}
                for party, coalitions in asked:
                    clauses = self._clauses_for(table, party, coalitions, action)
                    shared = bool(self._shared[party] & ids)
                    if not (clauses or shared):
                        continue
                    said = sorted((cedar.shape(clause.text, party), name) for name, clause in clauses.items())
                    like = (shared, coalitions, tuple(shape for shape, _ in said))
                    names = tuple(name for _, name in said)
                    if like not in found:
                        found[like] = _Question(shared, _compiled(clauses), party, names, [])
                    found[like].alike.append((number, party, names))
            self._plans[asked, action] = list(found.values())
        return self._plans[asked, action]

    def _clauses_for(
        self, table: Sequence[Agreement], party: Party, coalitions: frozenset[str], action: Action
    ) -> dict[str, Clause]:
        """Of the agreements with one table of levels, the clauses whose heads name this partner and action:
        the permits of those shared with it, and every forbid."""
        return {
            f"{agreement.id}/{clause.id}": clause
            for agreement in table
            for clause in agreement.parsed
            if clause.tree.effect == "forbid" or agreement.id in self._shared[party]
            if _concerns(clause.tree, party, coalitions, action)
        }


def _concerns(tree: pst.Template, party: Party, coalitions: frozenset[str], action: Action) -> bool:
    """Whether the head of a clause of the profile names this partner and action."""
    match tree.principal:
        case pst.ScopeEq(pst.EntityUid(_, name)) if name != party:
            return False
        case pst.ScopeIn(pst.EntityUid(_, name)) if name not in coalitions:
            return False
    match tree.action:
        case pst.ActionEq(pst.EntityUid(_, name)):
            return name == action
        case _:
            return True


def _compiled(clauses: Mapping[str, Clause]) -> cedar.Clauses | None:
    trees = {name: clause.tree for name, clause in clauses.items()}
    reads_clock = any(any(moments(tree)) for tree in trees.values())
    return cedar.Clauses(trees, reads_clock=reads_clock) if trees else None


_Asked = frozenset[tuple[Party, frozenset[str]]]


class _Question(NamedTuple):
    """Clauses of agreements with one table of levels, to be asked about one partner for all like it."""

    shared: bool
    """Whether one of the agreements with the table is with these partners."""
    clauses: cedar.Clauses | None
    partner: Party
    names: tuple[str, ...]
    """Of the clauses, in the order of what they say."""
    alike: list[tuple[int, Party, tuple[str, ...]]]
    """Table, partner and names of its own clauses, in the same order: for whom the answer holds where the
    product has the same rank."""

    def ask(self, entities: cedar.Entities, product: str, action: Action, now: datetime) -> cedar.Answer:
        if self.clauses is None:
            return cedar.Answer(allowed=False, clauses=(), failed=False)
        return cedar.ask(
            self.clauses, entities, partner=self.partner, action=action, product=product, now=now
        )


class _Answer(NamedTuple):
    """What the clauses with one table of levels came to for one partner."""

    allowed: bool
    failed: bool
    clauses: tuple[str, ...]
    """Those that decided."""
    rank: Level | None
    """The product's; `None` where the table has no row for it, so that permits do not count."""
    shared: bool


def _ruling(answers: Sequence[_Answer]) -> Ruling:
    """Put the answers for one partner together: an error outweighs a forbid, a forbid every permit."""
    if any(answer.failed for answer in answers):
        return Ruling(Verdict.ERROR)
    forbids = [clause for answer in answers if not answer.allowed for clause in answer.clauses]
    if forbids:
        return Ruling(Verdict.FORBID, tuple(sorted(forbids)))
    permits = [
        clause
        for answer in answers
        if answer.allowed and answer.rank is not None
        for clause in answer.clauses
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
        **facts.detail._asdict(),
    }

"""The smallest case: of all for which something holds, one that says nothing needless."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tearline.agreement.proof.logic import Point, Term, Variable
from tearline.agreement.proof.universe import UNNAMED, Universe
from tearline.terms import Party

FEW = 3
"""Up to how many topics, regions and disciplines the fewest possible are looked for; beyond, each that is
left cannot be left out."""

Find = Callable[[Sequence[Term]], Point | None]


class Wishes:
    """What makes a case small, for one universe; made before solvers are asked, so that it is told once."""

    def __init__(self, universe: Universe, members: Mapping[Party, frozenset[str]]) -> None:
        self.universe, terms = universe, universe.terms
        sets = [*universe.topics.values(), *universe.regions.values(), *universe.disciplines.values()]
        self._real = terms.some(universe.at(party, names) for party, names in members.items())
        self._named = terms.no(universe.partner_among([UNNAMED]))
        self._few = [terms.at_most(count, [universe.has(word) for word in sets]) for count in range(FEW + 1)]
        self._none = [terms.no(universe.has(word)) for word in (*universe.coalitions.values(), *sets)]
        # The lower the value, the plainer; what tells the reader least comes first.
        self._lowest: list[Variable] = [
            *universe.levels.values(),
            universe.reach,
            universe.use,
            universe.span,
            universe.originator,
            *universe.detail.values(),
            universe.category,
            universe.partner,
        ]

    def smallest(self, wanted: Term, point: Point, find: Find) -> Point:
        """A smallest point at which `wanted` holds, starting from `point`, where it does."""
        search = _Search([wanted], point, self.universe, find)
        for variable in self.universe.terms.variables:
            search.plainer(variable)
        search.keep(self._real)
        search.keep(self._named)
        any(search.keep(few) for few in self._few)
        for none in self._none:
            search.keep(none)
        for variable in self._lowest:
            search.lower(variable)
        return search.point


class _Search:
    """What is settled, and a point where it holds."""

    def __init__(self, settled: list[Term], point: Point, universe: Universe, find: Find) -> None:
        self.point = point
        self._settled, self._terms, self._find = settled, universe.terms, find

    def plainer(self, variable: Variable) -> None:
        """Give the variable the lowest value for which nothing else must change: that costs no solver."""
        number = variable.number
        for value in range(self.point[number]):
            point = (*self.point[:number], value, *self.point[number + 1 :])
            if all(self._terms.holds(term, point) for term in self._settled):
                self.point = point
                return

    def keep(self, wish: Term) -> bool:
        """Settle `wish` where that is possible."""
        if not self._terms.holds(wish, self.point):
            point = self._find([*self._settled, wish])
            if point is None:
                return False
            self.point = point
        self._settled.append(wish)
        return True

    def lower(self, variable: Variable) -> None:
        """Settle the lowest value that is possible."""
        found: Point | None = self.point
        while found is not None:
            self.point = found
            self.plainer(variable)
            below = self._terms.among(variable, range(self.point[variable.number]))
            found = None if below == self._terms.FALSE else self._find([*self._settled, below])
        self._settled.append(self._terms.among(variable, [self.point[variable.number]]))

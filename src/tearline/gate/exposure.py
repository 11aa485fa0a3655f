"""What a product could show of sources, and what each of them is owed (laws 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from tearline.gate.mosaic import Facts, Population, Told, plan
from tearline.scan import Disposition, Hit
from tearline.terms import BadInput, Party, Portion, Product
from tearline.vault import Obligations


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a product is considered."""

    hits: tuple[tuple[Hit, ...], ...] = ()
    """What the scanner found: for each portion, in order, and last for everything else in the product."""
    owed: Mapping[str, Obligations] = MappingProxyType({})
    """By cryptonym. A source that is not here is not known."""
    mosaic: Mapping[str, tuple[Population, Told]] = MappingProxyType({})
    """By cryptonym: who it could be, and what was told of it before. A source without is told nothing of."""

    def in_portion(self, number: int) -> tuple[Hit, ...]:
        return self.hits[number] if self.hits else ()

    def touched(self, product: Product) -> frozenset[str]:
        """The sources that the product rests on, tells facts about, or names."""
        named = {hit.id for hits in self.hits for hit in hits if hit.disposition is not Disposition.NOTE}
        told = {cryptonym for portion in product.portions for cryptonym, _ in portion.facts}
        return product.sources | named | told

    def forbids(self, touched: frozenset[str], partner: Party) -> bool:
        """Whether one of these sources must not be touched by anything that goes to `partner`."""
        return any(partner in self.owed[name].forbidden for name in touched if name in self.owed)

    def asks(self, touched: frozenset[str]) -> bool:
        """Whether somebody must be asked before anything that touches these sources goes."""
        return any(self.owed[name].ask for name in touched if name in self.owed)


NOTHING_EXPOSED = Exposure()
"""Of a node that has no sources to protect."""


class Mosaic:
    """What may be told of sources to one partner after another. Remembers what it has let through."""

    def __init__(self, exposure: Exposure) -> None:
        self._owed = exposure.owed
        self._populations = {name: table for name, (table, _) in exposure.mosaic.items()}
        self._told = {
            name: {party: list(facts) for party, facts in told.by_partner.items()}
            for name, (_, told) in exposure.mosaic.items()
        }

    def tellable(self, portions: Sequence[Portion], partner: Party) -> list[Portion]:
        """The portions, less those whose facts, with the ones before them, would tell too much.

        Which are left out depends on the attributes that they tell and on what was told before, never on
        the values: see `mosaic.plan`. A value that the table does not know, or that contradicts another of
        the same attribute, is not told either: nobody can say what it would leave.
        """
        kept: list[Portion] = []
        telling: dict[str, dict[str, str]] = {}
        for portion in portions:
            more = {name: {**telling.get(name, {}), **dict(facts)} for name, facts in portion.facts}
            agrees = all(
                telling.get(name, {}).get(attribute, value) == value
                for name, facts in portion.facts
                for attribute, value in facts
            )
            if agrees and all(self._may_tell(name, facts, partner) for name, facts in more.items()):
                telling |= more
                kept.append(portion)
        return kept

    def tell(self, portions: Sequence[Portion], partner: Party) -> None:
        """Remember that these went to `partner`."""
        for portion in portions:
            for name, facts in portion.facts:
                self._told[name].setdefault(partner, []).append(dict(facts))

    def _may_tell(self, name: str, facts: Facts, partner: Party) -> bool:
        if name not in self._populations or name not in self._owed or self._populations[name].doubt(facts):
            return False
        try:
            made = plan(self._populations[name], Told(self._told[name]), partner, facts, self._owed[name].k)
        except BadInput:  # an attribute that the table does not have: nobody can say what it would tell
            return False
        return made.whole

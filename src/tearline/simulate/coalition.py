"""Founds the coalition of one run: who is who, who is whose partner, what is agreed from the start."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from random import Random

from tearline.label.tables import COUNTRIES
from tearline.node import Terms, add_partner, mosaic
from tearline.simulate import acts
from tearline.simulate.deals import TEXTS, Deal
from tearline.simulate.laws import Grant
from tearline.simulate.member import Member
from tearline.simulate.traffic import Source
from tearline.terms import Level, Party, Reach

MOST_PARTNERS = 10
"""In a large coalition not everybody is everybody's partner."""
PARTIES = tuple(code for code in sorted(COUNTRIES) if code != "USA")[:64]
"""CAPCO writes the marks of USA in another way than everybody else's."""

_NAMES = ("Orvella Tanquist", "Medrik Halvasson", "Ysolde Varnekamp", "Corwin Abelstrom")
_POPULATION = "simulated"
TOWNS, TRADES = ("Velna", "Osk", "Tarn", "Miro"), ("pilot", "clerk", "welder", "cook", "guard")


class Coalition:
    """Members, what each grants whom, and the deals. Everything is drawn from `seed`."""

    def __init__(self, seed: str, nodes: int, time: Callable[[], datetime]) -> None:
        self._draw = draw = Random(f"{seed} coalition")  # noqa: S311 - no secret
        self.parties = PARTIES[:nodes]
        self.partners = _partners(self.parties, draw)
        self.population = [{"town": draw.choice(TOWNS), "trade": draw.choice(TRADES)} for _ in range(120)]
        self.members = {
            party: Member(party, seed.encode(), time, self._sources(party, number))
            for number, party in enumerate(self.parties)
        }
        self.grants: dict[Party, dict[Party, Grant]] = {
            party: {other: self._grant() for other in others} for party, others in self.partners.items()
        }
        self.deals = self._deals()

    def found(self, party: Party, member: Member | None = None) -> None:
        """Give a member its officers, partners, agreements and the table of persons."""
        node = (member or self.members[party]).node
        acts.found(node)
        for other, grant in self.grants[party].items():
            terms = Terms(
                clearance=tuple((policy, Level(grant.rank)) for policy in self.parties), reach=grant.reach
            )
            add_partner(node, self.members[other].home.card(), terms)
        for deal in self.deals_of(party):
            acts.adopt(node, deal)
        sources = self.members[party].sources
        if sources:
            with node.writing() as db:
                acts.note_vault(node, db)
            with tempfile.TemporaryDirectory() as folder:
                table = Path(folder) / "population.csv"
                rows = [f"p{n},{each['town']},{each['trade']}" for n, each in enumerate(self.population)]
                table.write_text("\n".join(["id,town,trade", *rows]) + "\n", encoding="utf-8")
                mosaic.keep_population(node, _POPULATION, table, {}, acts.OFFICERS[0])
            for source in sources:
                mosaic.link_source(node, source.cryptonym, _POPULATION, acts.OFFICERS[0])

    def deals_of(self, party: Party) -> list[Deal]:
        return [deal for deal in self.deals if party in deal.parties]

    def _sources(self, party: Party, number: int) -> tuple[Source, ...]:
        """Every other member has people to protect."""
        if number % 2:
            return ()
        made = []
        for which in range(2):
            person = self._draw.choice(self.population)
            name = _NAMES[(number + which) % len(_NAMES)]
            made.append(
                Source(
                    cryptonym=f"{party}-{'OAK' if which else 'ELM'}",
                    name=name,
                    secret=f"ZX{self._draw.randrange(10**7, 10**8)}",
                    facts=tuple(sorted(person.items())),
                    k=self._draw.choice((5, 20, 30)),
                )
            )
        return tuple(made)

    def _grant(self) -> Grant:
        return Grant(
            rank=self._draw.choice((0, 2, 3, 3)), reach=self._draw.choice((Reach.GREEN, Reach.AMBER))
        )

    def _deals(self) -> tuple[Deal, ...]:
        """One for all, and a few of two."""
        first = date(2026, 1, 1)
        deals = [Deal("coalition", self.parties, TEXTS["plain"], first, acts.END)]
        for one in self.parties[:: max(1, len(self.parties) // 4)]:
            other = self._draw.choice(self.partners[one])
            pair = tuple(sorted((one, other)))
            deal = Deal(f"pair-{'-'.join(pair).lower()}", pair, TEXTS["warning"], first, acts.END)
            if deal not in deals:
                deals.append(deal)
        return tuple(deals)


def _partners(parties: tuple[Party, ...], draw: Random) -> Mapping[Party, tuple[Party, ...]]:
    """Everybody's partners, both ways: all where they are few, else neighbours in rings drawn anew."""
    if len(parties) <= MOST_PARTNERS + 1:
        return {party: tuple(each for each in parties if each != party) for party in parties}
    found: dict[Party, set[Party]] = {party: set() for party in parties}
    for _ in range(MOST_PARTNERS // 2):
        ring = list(parties)
        draw.shuffle(ring)
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            found[one].add(other)
            found[other].add(one)
    return {party: tuple(sorted(others)) for party, others in found.items()}

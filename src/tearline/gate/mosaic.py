"""What all releases together reveal of a source: how many persons it could still be (law 3).

A `Population` is a table of the persons who could be the source, as anybody could draw it up, and their
attributes. Each release tells a partner facts about the source: the values of some attributes. Whoever
knows the table can strike out the persons who do not fit. The set of those left must never fall below the
source's threshold k: not for any partner alone, and not for all partners pooled.

Which facts may be told is decided *simulatably* (Kenthapadi, Mishra, Nissim: Simulatable auditing, 2005):
from what was told before and the table alone, never from the value about to be told. A fact may be told if
*every* value that it could have, for whomever among the persons still possible, leaves at least k. So a
refusal tells nothing: it would have come for each of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import msgspec
from pyroaring import BitMap

from tearline.terms import BadInput, Party, Portion

Facts = Mapping[str, str]
"""Attribute to value, as told of one source."""

_MOST_CHOICES = 4096
"""Ways to tell the attributes asked about, each as it is, coarser, or not at all."""
_MOST_PLANS = 10_000
"""Answers that a population remembers."""


class Population:
    """Persons × attributes of one source context.

    `columns`: for each attribute one value a person, all of one length, `None` where it is not known.
    `coarser`: for an attribute the one that says the same less exactly, such as region for city; every
    value of the finer belongs to one of the coarser. Raises `BadInput` where that is not so.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[str | None]], coarser: Mapping[str, str] | None = None
    ) -> None:
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise BadInput("population", "", "its columns are not of one length", "give each person a row")
        values: dict[str, dict[str, BitMap]] = {name: {} for name in columns}
        for name, column in columns.items():
            for person, value in enumerate(column):
                if value is not None:
                    values[name].setdefault(value, BitMap()).add(person)
        self._hold(lengths.pop() if lengths else 0, values, coarser)

    @classmethod
    def of_bitmaps(
        cls,
        size: int,
        values: Mapping[str, Mapping[str, BitMap]],
        coarser: Mapping[str, str] | None = None,
    ) -> Self:
        """From the persons, numbered from 0, of each value of each attribute. Raises `BadInput` as above."""
        made = cls.__new__(cls)
        made._hold(size, values, coarser)
        return made

    def _hold(
        self, size: int, values: Mapping[str, Mapping[str, BitMap]], coarser: Mapping[str, str] | None
    ) -> None:
        self.size, self._values, self.coarser = size, values, dict(coarser or {})
        self.everyone = BitMap(range(size))
        self.plans: dict[tuple[object, ...], Plan] = {}  # those made of it, by all that they follow from
        self._check_ladders()

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self._values)

    def candidates(self, told: Iterable[Facts]) -> BitMap:
        """The persons compatible with all that was told. A value that the table does not know fits nobody."""
        classes = [self._values.get(name, {}).get(value, BitMap()) for name, value in _pairs(told)]
        left, *others = sorted(classes, key=len) or [self.everyone]
        left = BitMap(left)
        for persons in others:
            left &= persons
        return left

    def cells(self, among: BitMap, names: Iterable[str]) -> Iterator[BitMap]:
        """`among`, parted by the values of these attributes; who has an unknown value is in no part."""
        return _parted(among, [self._values[name] for name in names])

    def doubt(self, facts: Facts) -> str:
        """Why nothing can be decided about these facts; empty where it can be."""
        for name, value in facts.items():
            if name not in self._values:
                return f"the population has no attribute {name}"
            if value not in self._values[name]:
                return f"nobody in the population has this {name}"
        return ""

    def ladder(self, name: str) -> list[str | None]:
        """The attribute, the coarser ones in order, and `None`: not told at all."""
        steps: list[str | None] = [name]
        while (above := self.coarser.get(str(steps[-1]))) is not None:
            steps.append(above)
        return [*steps, None]

    def coarsened(self, name: str, value: str, to: str) -> str:
        """The value of the coarser attribute `to` to which `value` of `name` belongs."""
        persons = self._values[name][value]
        return next(above for above, members in self._values[to].items() if persons <= members)

    def _check_ladders(self) -> None:
        for name, above in self.coarser.items():
            if not {name, above} <= self._values.keys():
                raise BadInput("population", name, f"{above} is not an attribute", "name two columns")
            seen, step = {name}, above
            while step not in seen and step in self.coarser:
                seen.add(step)
                step = self.coarser[step]
            if step in seen:
                raise BadInput("population", name, "it is coarser than itself", "end the ladder somewhere")
            for value, persons in self._values[name].items():
                first = persons.min()
                if not any(
                    first in members and persons <= members for members in self._values[above].values()
                ):
                    reason = f"a value belongs to several of {above}, or to none"
                    raise BadInput("population", f"{name} {value}", reason, "give each one value of it")


def _parted(among: BitMap, by: Sequence[Mapping[str, BitMap]]) -> Iterator[BitMap]:
    if not by:
        yield among
        return
    for persons in by[0].values():
        if part := among & persons:
            yield from _parted(part, by[1:])


def facts_told(portions: Iterable[Portion]) -> dict[str, list[dict[str, str]]]:
    """What these portions tell of each source: one set of facts; several where they contradict each other."""
    told: dict[str, list[dict[str, str]]] = {}
    for portion in portions:
        for cryptonym, facts in portion.facts:
            sets = told.setdefault(cryptonym, [])
            add_facts(sets, dict(facts))
    return told


def add_facts(told: list[dict[str, str]], facts: Facts) -> None:
    """Tell `facts` too; whatever says the same as before changes nothing."""
    for name, value in facts.items():
        if not any(known.get(name) == value for known in told):
            room = next((known for known in told if name not in known), None)
            if room is None:
                told.append({name: value})
            else:
                room[name] = value


class Told(msgspec.Struct, frozen=True):
    """What was told of one source: to each partner, release by release."""

    by_partner: Mapping[Party, Sequence[Facts]]

    def to(self, partner: Party) -> Sequence[Facts]:
        return self.by_partner.get(partner, ())

    def to_all(self) -> list[Facts]:
        return [facts for told in self.by_partner.values() for facts in told]


class Plan(msgspec.Struct, frozen=True):
    """How far facts about a source may be told to a partner.

    `told_as`: for each attribute asked about the one to tell instead (itself, a coarser one, or `None` for
    not at all). `before`, `after`: how many persons are left, for the partner alone and for all pooled;
    `after` is the least that can come of it, whoever the source is.
    """

    told_as: dict[str, str | None]
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def whole(self) -> bool:
        """Whether everything may be told as it stands."""
        return all(name == instead for name, instead in self.told_as.items())

    def apply(self, population: Population, facts: Facts) -> dict[str, str]:
        """`facts` as they may be told. Raises `KeyError` for what was not asked about."""
        return {
            instead: value if instead == name else population.coarsened(name, value, instead)
            for name, value in facts.items()
            if (instead := self.told_as[name]) is not None
        }


def plan(population: Population, told: Told, partner: Party, names: Iterable[str], k: int) -> Plan:
    """How far facts on the attributes `names` may be told to `partner` so that k persons always remain.

    The finest that may be told: fewest attributes left out, then fewest steps up the ladders in all, the
    first attributes by name kept finest. The values of the facts play no part. Raises `BadInput` for an
    attribute that the table does not have, a threshold below 2, or more attributes than can be weighed.
    """
    if k < 2:
        raise BadInput("threshold", str(k), "fewer than two persons protect nobody", "give 2 or more")
    asked = sorted(set(names))
    if unknown := set(asked) - population.attributes:
        raise BadInput("population", sorted(unknown)[0], "no such attribute", "add it to the table")
    follows_from = (_pairs(told.to(partner)), _pairs(told.to_all()), tuple(asked), k)
    if follows_from not in population.plans:
        if len(population.plans) >= _MOST_PLANS:
            population.plans.clear()
        sets = population.candidates(told.to(partner)), population.candidates(told.to_all())
        population.plans[follows_from] = _plan(population, sets, asked, k)
    return population.plans[follows_from]


def _plan(population: Population, sets: tuple[BitMap, BitMap], asked: Sequence[str], k: int) -> Plan:
    before = len(sets[0]), len(sets[1])
    ladders = [population.ladder(name) for name in asked]
    if math.prod(map(len, ladders)) > _MOST_CHOICES:
        raise BadInput("facts", "", "they are about too many attributes at once", "tell fewer in one release")
    choices = itertools.product(*(range(len(ladder)) for ladder in ladders))
    plans = [
        {name: ladder[step] for name, ladder, step in zip(asked, ladders, steps, strict=True)}
        for steps in sorted(choices, key=lambda steps: (sum(steps), steps))
    ]
    for told_as in sorted(plans, key=lambda told_as: list(told_as.values()).count(None)):
        after = _least(population, sets, told_as.values(), k)
        # Telling nothing changes nothing, even where earlier facts, told by hand, left fewer than k.
        if min(after) >= k or not any(told_as.values()):
            return Plan(told_as, before, after)
    raise AssertionError("telling nothing is always a choice")


def worst_case(population: Population, told: Told, partner: Party, names: Iterable[str]) -> tuple[int, int]:
    """How many persons are left at least, alone and pooled, if these attributes are told as they are."""
    sets = population.candidates(told.to(partner)), population.candidates(told.to_all())
    return _least(population, sets, names, 1)


def _least(
    population: Population, sets: tuple[BitMap, BitMap], told_as: Iterable[str | None], k: int
) -> tuple[int, int]:
    """How many persons are left in the worst case, for the partner alone and pooled.

    Below k it is any such number: the first that is found.
    """
    names = sorted({name for name in told_as if name is not None})
    alone, pooled = (_smallest(population.cells(among, names), k) for among in sets)
    return alone, pooled


def _smallest(cells: Iterable[BitMap], k: int) -> int:
    smallest: int | None = None
    for cell in cells:
        size = len(cell)
        smallest = size if smallest is None else min(size, smallest)
        if size < k:
            break
    return smallest or 0


def _pairs(told: Iterable[Facts]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for facts in told for pair in facts.items())

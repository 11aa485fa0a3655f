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
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import msgspec
from pyroaring import BitMap

from tearline.terms import BadInput, Party

Facts = Mapping[str, str]
"""Attribute to value, as told of one source."""


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
        self.size = lengths.pop() if lengths else 0
        self.everyone = BitMap(range(self.size))
        self.coarser = dict(coarser or {})
        self._values: dict[str, dict[str, BitMap]] = {name: {} for name in columns}
        for name, column in columns.items():
            for person, value in enumerate(column):
                if value is not None:
                    self._values[name].setdefault(value, BitMap()).add(person)
        self._check_ladders(columns)

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self._values)

    def candidates(self, told: Iterable[Facts]) -> BitMap:
        """The persons compatible with all that was told. A value that the table does not know fits nobody."""
        left = BitMap(self.everyone)
        for facts in told:
            for name, value in facts.items():
                left &= self._values.get(name, {}).get(value, BitMap())
        return left

    def cells(self, among: BitMap, names: Iterable[str]) -> list[BitMap]:
        """`among`, parted by the values of these attributes; who has an unknown value is in no part."""
        return reduce(
            lambda parts, name: [
                cell for part in parts for value in self._values[name].values() if (cell := part & value)
            ],
            names,
            [among],
        )

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

    def _check_ladders(self, columns: Mapping[str, Sequence[str | None]]) -> None:
        for name, above in self.coarser.items():
            if not {name, above} <= columns.keys():
                raise BadInput("population", name, f"{above} is not an attribute", "name two columns")
            seen, step = {name}, above
            while step not in seen and step in self.coarser:
                seen.add(step)
                step = self.coarser[step]
            if step in seen:
                raise BadInput("population", name, "it is coarser than itself", "end the ladder somewhere")
            for value, persons in self._values[name].items():
                if not any(persons <= members for members in self._values[above].values()):
                    reason = f"a value belongs to several of {above}, or to none"
                    raise BadInput("population", f"{name} {value}", reason, "give each one value of it")


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
    attribute that the table does not have, or a threshold below 2.
    """
    if k < 2:
        raise BadInput("threshold", str(k), "fewer than two persons protect nobody", "give 2 or more")
    asked = sorted(set(names))
    if unknown := set(asked) - population.attributes:
        raise BadInput("population", sorted(unknown)[0], "no such attribute", "add it to the table")
    sets = population.candidates(told.to(partner)), population.candidates(told.to_all())
    before = len(sets[0]), len(sets[1])
    ladders = [population.ladder(name) for name in asked]
    choices = itertools.product(*(range(len(ladder)) for ladder in ladders))
    plans = [
        {name: ladder[step] for name, ladder, step in zip(asked, ladders, steps, strict=True)}
        for steps in sorted(choices, key=lambda steps: (sum(steps), steps))
    ]
    for told_as in sorted(plans, key=lambda told_as: list(told_as.values()).count(None)):
        after = _least(population, sets, told_as.values())
        # Telling nothing changes nothing, even where earlier facts, told by hand, left fewer than k.
        if min(after) >= k or not any(told_as.values()):
            return Plan(told_as, before, after)
    raise AssertionError("telling nothing is always a choice")


def _least(
    population: Population, sets: tuple[BitMap, BitMap], told_as: Iterable[str | None]
) -> tuple[int, int]:
    """How many persons are left in the worst case, for the partner alone and pooled."""
    names = sorted({name for name in told_as if name is not None})
    alone, pooled = (
        min((len(cell) for cell in population.cells(among, names)), default=0) if names else len(among)
        for among in sets
    )
    return alone, pooled

"""Who depends on whom: shares of what each party holds, by who made it and by who gave it.

An item counts once for its holder, under its root originator, through however many hands it came. *By giver*
it counts in equal parts for all who gave it. The shares of one holder add up to 1 either way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from tearline.terms import Party


class By(StrEnum):
    ORIGINATOR = "originator"
    GIVER = "giver"


class Amount(msgspec.Struct, frozen=True, gc=False):
    """Items, and what they are worth. There are many: the garbage collector need not look at them."""

    items: float = 0.0
    value: float = 0.0

    def plus(self, other: Amount, part: float = 1.0) -> Amount:
        return Amount(self.items + part * other.items, self.value + part * other.value)


class Group(msgspec.Struct, frozen=True, gc=False):
    """Items of one originator that one holder has by the same givers; `left`: after each round."""

    holder: Party
    originator: Party
    givers: frozenset[Party]
    now: Amount
    left: tuple[Amount, ...]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What of a holder's items is of one party."""

    holder: Party
    by: By
    party: Party
    items: float
    share: float
    """Of all that the holder has, its own included."""
    value: float
    value_share: float


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """One holder at one time: how much it has, and how much of it others made.

    `stage`: `now`, or a round of the scenario. Shares of nothing are 0.
    """

    holder: Party
    stage: str
    items: float
    value: float
    allies: float
    """Share of items that others made."""
    allies_value: float
    biggest: Party
    """The ally that made most of them; empty where nobody did."""
    biggest_share: float
    """Its share of all that the holder has."""
    concentration: float
    """Herfindahl-Hirschman index over the allies that made them: 1 where one made all, 0 where none did."""
    single: float
    """Share of items that the holder has by one ally alone."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder loses if one ally stops.

    `making`: nobody gets what it made any more. `giving`: it passes nothing to this holder; what others gave
    too stays. Shares of the holder's items.
    """

    holder: Party
    ally: Party
    making: float
    making_value: float
    giving: float
    giving_value: float
    concentration: float
    """What the index is if it stops making."""


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `stages`: `now`, and the rounds of the scenario."""

    stages: tuple[str, ...]
    consumers: tuple[Consumer, ...]
    shares: tuple[Share, ...]
    losses: tuple[Loss, ...]


def dependency(groups: Iterable[Group], rounds: Sequence[str]) -> Dependency:
    """`rounds`: the names of what follows `now`."""
    stages = ("now", *rounds)
    of_holder: defaultdict[Party, list[Group]] = defaultdict(list)
    for group in groups:
        of_holder[group.holder].append(group)
    holders = sorted(of_holder.items())
    return Dependency(
        stages=stages,
        consumers=tuple(
            _consumer(holder, stage, number, some)
            for holder, some in holders
            for number, stage in enumerate(stages)
        ),
        shares=tuple(share for holder, some in holders for by in By for share in _shares(holder, by, some)),
        losses=tuple(loss for holder, some in holders for loss in _losses(holder, some)),
    )


def concentration(amounts: Iterable[float]) -> float:
    """The Herfindahl-Hirschman index: the sum of the squared shares; 0 of nothing."""
    parts = [amount for amount in amounts if amount > 0]
    total = sum(parts)
    return sum((part / total) ** 2 for part in parts) if total else 0.0


def _total(amounts: Iterable[Amount]) -> tuple[float, float]:
    found = list(amounts)
    return sum(each.items for each in found), sum(each.value for each in found)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _made(groups: Iterable[Group], stage: int) -> dict[Party, Amount]:
    """By originator."""
    sums: defaultdict[Party, Amount] = defaultdict(Amount)
    for group in groups:
        sums[group.originator] = sums[group.originator].plus(_at(group, stage))
    return dict(sums)


def _at(group: Group, stage: int) -> Amount:
    return group.left[stage - 1] if stage else group.now


def _consumer(holder: Party, stage: str, number: int, groups: Sequence[Group]) -> Consumer:
    made = _made(groups, number)
    items, value = _total(made.values())
    allies = {party: amount for party, amount in made.items() if party != holder and amount.items > 0}
    biggest = max(allies, key=lambda party: (allies[party].items, party), default="")
    alone = sum(
        _at(group, number).items for group in groups if len(group.givers) == 1 and holder not in group.givers
    )
    return Consumer(
        holder=holder,
        stage=stage,
        items=items,
        value=value,
        allies=_share(sum(each.items for each in allies.values()), items),
        allies_value=_share(sum(each.value for each in allies.values()), value),
        biggest=biggest,
        biggest_share=_share(allies[biggest].items, items) if biggest else 0.0,
        concentration=concentration(each.items for each in allies.values()),
        single=_share(alone, items),
    )


def _shares(holder: Party, by: By, groups: Sequence[Group]) -> list[Share]:
    sums: defaultdict[Party, Amount] = defaultdict(Amount)
    for group in groups:
        parties = [group.originator] if by is By.ORIGINATOR else sorted(group.givers)
        for party in parties:
            sums[party] = sums[party].plus(group.now, 1 / len(parties))
    items, value = _total(sums.values())
    return [
        Share(
            holder=holder,
            by=by,
            party=party,
            items=amount.items,
            share=_share(amount.items, items),
            value=amount.value,
            value_share=_share(amount.value, value),
        )
        for party, amount in sorted(sums.items(), key=lambda each: (-each[1].items, each[0]))
        if amount.items > 0
    ]


def _losses(holder: Party, groups: Sequence[Group]) -> list[Loss]:
    made = _made(groups, 0)
    items, value = _total(made.values())
    given: defaultdict[Party, Amount] = defaultdict(Amount)
    for group in groups:
        if len(group.givers) == 1:
            (giver,) = group.givers
            given[giver] = given[giver].plus(group.now)
    allies = sorted((set(made) | set(given)) - {holder})
    found = []
    for ally in allies:
        making, giving = made.get(ally, Amount()), given.get(ally, Amount())
        rest = (amount.items for party, amount in made.items() if party not in {ally, holder})
        found.append(
            Loss(
                holder=holder,
                ally=ally,
                making=_share(making.items, items),
                making_value=_share(making.value, value),
                giving=_share(giving.items, items),
                giving_value=_share(giving.value, value),
                concentration=concentration(rest),
            )
        )
    return sorted(found, key=lambda each: (-max(each.making, each.giving), each.ally))

"""How leakers might have made what was read. A model gives each slot its weight, and cannot hurt an innocent.

The weights are of the leak alone, so an innocent's marks are as independent of them as of the leak, and the
tail (`tail`) is true for every model. A model that is near the truth only makes leakers easier to find. There
are two:

- *one*: the leak was made from one copy, and `misread` of the slots were read wrong.
- *several*: two to four copies were compared, and where they differed one of the wordings was taken. How the
  choice was made is told by the leak: at biased slots the share of 1 differs between majority, minority, a
  coin and so on. The models of `ATTACKS` are weighed by it, and averaged. Scores for an estimated attack:
  Charpentier et al., "Expectation maximization decoding of Tardos probabilistic fingerprinting code" (2009).
  Fair slots and canaries tell nothing of the attack; there each copy is taken as often as any other, against
  which Laarhoven shows that the score serves for every attack ("Capacities and capacity-achieving decoders
  for various fingerprinting games", 2014).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import comb, exp, log
from typing import Final, NamedTuple

from tearline.trace.terms import Seen

__all__ = ["Weight", "one", "several"]

COLLUDERS: Final = (2, 3, 4)

ATTACKS: Final[tuple[Callable[[int, int], float], ...]] = (
    lambda ones, copies: (1 + (2 * ones > copies) - (2 * ones < copies)) / 2,  # the more frequent
    lambda ones, copies: (1 + (2 * ones < copies) - (2 * ones > copies)) / 2,  # the less frequent
    lambda ones, copies: 1 / 2,  # a coin
    lambda ones, copies: ones / copies,  # each copy as often as any other
    lambda ones, copies: 1,  # 1 where there is one
    lambda ones, copies: 0,  # 0 where there is one
)
"""The chance of 1 in the leak where so many copies of so many have 1, and not all and not none of them."""


class Weight(NamedTuple):
    """What a slot says of a copy: how much likelier its bit is if the copy took part than if it did not.

    Natural logarithms. Over an innocent's draws, the ratios themselves have the mean 1.
    """

    chance: float
    """That an innocent's copy agrees with the leak."""
    agrees: float
    differs: float

    @property
    def information(self) -> float:
        """What a leaker's copy is expected to add to the logarithm."""
        agrees = self.chance * exp(self.agrees)
        return agrees * self.agrees + (1 - agrees) * self.differs


def one(seen: Iterable[Seen], misread: float) -> list[Weight]:
    """The weights if the leak was made from one copy."""
    return [_weight(slot, 1 - misread, misread) for slot in seen]


def several(seen: Sequence[Seen], misread: float) -> list[Weight]:
    """The weights if two to four copies were mixed, in the way that the leak itself makes likeliest."""
    read = Counter((slot.p, slot.bit) for slot in seen if _biased(slot))
    ones = {p: [_ones(p, *model, misread) for model in _MODELS] for p, _ in read}
    weights = [0.0] * len(_MODELS)
    for (p, bit), number in read.items():
        for model, (absent, present) in enumerate(ones[p]):
            share = p * present + (1 - p) * absent
            weights[model] += number * log(share if bit else 1 - share)
    most = max(weights)
    weights = [exp(weight - most) for weight in weights]
    total = sum(weights)
    shares = [weight / total for weight in weights]

    def likely(slot: Seen) -> Weight:
        if not _biased(slot):
            own = sum(share / copies for share, (copies, _) in zip(shares, _MODELS, strict=True))
            other = (1 - own) * _chance(slot)
            return _weight(slot, _noisy(own + other, misread), _noisy(other, misread))
        absent = sum(share * a for share, (a, _) in zip(shares, ones[slot.p], strict=True))
        present = sum(share * b for share, (_, b) in zip(shares, ones[slot.p], strict=True))
        return _weight(slot, present, absent) if slot.bit else _weight(slot, 1 - absent, 1 - present)

    kinds = [slot._replace(slot="") for slot in seen]
    known = {kind: likely(kind) for kind in set(kinds)}
    return [known[kind] for kind in kinds]


_MODELS: Final = [(copies, attack) for copies in COLLUDERS for attack in ATTACKS]


def _ones(p: float, copies: int, attack: Callable[[int, int], float], misread: float) -> tuple[float, float]:
    """The chance of reading 1 if the copy of one who took part has 0, and if it has 1."""

    def leak(ones: int) -> float:
        return ones / copies if ones in (0, copies) else attack(ones, copies)

    rest = [comb(copies - 1, k) * p**k * (1 - p) ** (copies - 1 - k) for k in range(copies)]
    return (
        _noisy(sum(share * leak(k) for k, share in enumerate(rest)), misread),
        _noisy(sum(share * leak(k + 1) for k, share in enumerate(rest)), misread),
    )


def _weight(slot: Seen, agrees: float, differs: float) -> Weight:
    """Of the chances of what was read if the copy agrees with it, and if it differs."""
    chance = _chance(slot)
    read = chance * agrees + (1 - chance) * differs
    return Weight(chance, log(agrees / read), log(differs / read))


def _chance(slot: Seen) -> float:
    return slot.p if slot.bit else 1 - slot.p


def _biased(slot: Seen) -> bool:
    return slot.options == 2 and slot.p != 0.5


def _noisy(chance: float, misread: float) -> float:
    return misread + (1 - 2 * misread) * chance

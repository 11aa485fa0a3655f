"""What a slot says of a copy, held against all copies that a group of leakers may have."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.trace import codes, leakers
from tearline.trace.leakers import ATTACKS, COLLUDERS, Weight
from tearline.trace.scores import score
from tearline.trace.terms import Bit, Seen

_, MINORITY, _, _, ALL_ONES, _ = range(len(ATTACKS))
MISREAD = 0.02


def spelt_out(p: float, copies: int, attack: int, own: int) -> float:
    """The chance of reading 1, over all that the others may have."""
    total = 0.0
    for others in product((0, 1), repeat=copies - 1):
        ones = own + sum(others)
        leak = ones / copies if ones in {0, copies} else ATTACKS[attack](ones, copies)
        likely = math.prod(p if bit else 1 - p for bit in others)
        total += likely * (leak * (1 - MISREAD) + (1 - leak) * MISREAD)
    return total


def many(p: float, ones: float, number: int = 4_000) -> list[Seen]:
    return [Seen(f"{p} {n}", p, 1 if n < ones * number else 0) for n in range(number)]


@pytest.mark.parametrize("attack", [MINORITY, ALL_ONES])
@pytest.mark.parametrize("copies", [3, 4])
def test_a_long_leak_tells_the_attack_and_weighs_by_it(copies: int, attack: int) -> None:
    seen = []
    for p in (codes.RARE, 1 - codes.RARE):
        zero, one = (spelt_out(p, copies, attack, own) for own in (0, 1))
        seen += many(p, p * one + (1 - p) * zero)
    for slot, weight in zip(seen, leakers.several(seen, MISREAD), strict=True):
        zero, one = (spelt_out(slot.p, copies, attack, own) for own in (0, 1))
        read = slot.p * one + (1 - slot.p) * zero
        agrees, differs = (
            (one / read, zero / read) if slot.bit else ((1 - zero) / (1 - read), (1 - one) / (1 - read))
        )
        assert weight.agrees == pytest.approx(math.log(agrees), abs=0.01)
        assert weight.differs == pytest.approx(math.log(differs), abs=0.01)


@pytest.mark.parametrize("slot", [Seen("fair", 0.5, 0), Seen("fair", 0.5, 1), Seen("canary", 0.2, 1, 5)])
def test_slots_that_tell_nothing_of_the_attack_take_each_copy_as_often(slot: Seen) -> None:
    weight = leakers.several([slot], 1e-9)[0]
    chance = slot.p if slot.bit else 1 - slot.p
    own = sum(1 / copies for copies in COLLUDERS) / len(COLLUDERS)
    assert math.exp(weight.agrees - weight.differs) == pytest.approx(1 + own / ((1 - own) * chance))


def test_one_leaker_differs_only_where_it_was_misread() -> None:
    (weight,) = leakers.one([Seen("s", 0.25, 0)], MISREAD)
    assert weight.chance == 0.75
    assert math.exp(weight.agrees - weight.differs) == pytest.approx((1 - MISREAD) / MISREAD)
    assert weight.chance * math.exp(weight.agrees) == pytest.approx(0.75 * 0.98 / (0.75 * 0.98 + 0.25 * 0.02))


weights = st.builds(
    lambda chance, odds: Weight(chance, math.log(odds), math.log((1 - chance * odds) / (1 - chance))),
    st.sampled_from([0.5, codes.RARE, 0.75, 0.3]),
    st.sampled_from([0.2, 0.7, 1.0, 1.1, 1.25]),
)


@given(st.lists(weights, min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_a_score_is_reached_as_seldom_as_is_said_also_where_agreeing_speaks_for_innocence(
    slots: list[Weight],
) -> None:
    scored = score(slots)
    found = []
    for agrees in product((False, True), repeat=len(slots)):
        likely = math.prod(w.chance if a else 1 - w.chance for w, a in zip(slots, agrees, strict=True))
        found.append((scored.of(agrees), likely))
    for units, _ in found:
        exact = math.fsum(likely for others, likely in found if others >= units)
        assert exact * (1 - 1e-12) <= scored.tail(units) <= exact * (1 + 1e-8)


def test_slots_that_weigh_the_same_are_counted() -> None:
    fair: list[Bit] = [0, 1, 1]
    scored = score(leakers.one([Seen("", 0.5, bit) for bit in fair], MISREAD))
    assert scored.units == ((0, 1),) * 3
    assert [scored.tail(agree) for agree in range(5)] == pytest.approx([1, 7 / 8, 4 / 8, 1 / 8, 0])


def test_where_agreeing_speaks_for_innocence_differing_scores() -> None:
    spans = [Weight(0.5, math.log(0.8), math.log(1.2)), Weight(0.5, math.log(1.2), math.log(0.8))]
    assert score(spans).units == ((1, 0), (0, 1))

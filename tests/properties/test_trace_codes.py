"""Nobody is accused with more doubt than is stated: held against fractions, and against all copies."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import product
from typing import NamedTuple

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.trace import codes, leakers
from tearline.trace.prior import read_prior
from tearline.trace.tail import ERROR, Tail
from tearline.trace.terms import Bit, Held, Mode, Seen
from tearline.trace.verdict import judge

KEY = bytes(range(32))

chances = st.sampled_from([0.5, codes.RARE, 1 - codes.RARE, 1 / 3, 0.01, 0.9])
bits = st.sampled_from([0, 1])


@st.composite
def leaks(draw: st.DrawFn, most: int = 6) -> list[Seen]:
    """Slots of one mode, the other, both, or any chance; canaries between them."""
    biases = draw(st.sampled_from([[0.5], [codes.RARE, 1 - codes.RARE], [0.5, codes.RARE], [0.2, 0.31, 0.9]]))
    slots = []
    for number in range(draw(st.integers(1, most))):
        wordings = draw(st.sampled_from([2, 2, 2, 3, 5]))
        p, bit = (1 / wordings, 1) if wordings > 2 else (draw(st.sampled_from(biases)), draw(bits))
        slots.append(Seen(f"slot {number}", p, bit, wordings))
    return slots


class Innocent(NamedTuple):
    """One of the copies that an innocent may have, and how likely it has it."""

    copy: dict[str, Bit]
    likely: float


def innocents(held: list[Seen]) -> list[Innocent]:
    return [
        Innocent(
            {slot.slot: bit for slot, bit in zip(held, drawn, strict=True)},
            math.prod(slot.p if bit else 1 - slot.p for slot, bit in zip(held, drawn, strict=True)),
        )
        for drawn in product((0, 1), repeat=len(held))
    ]


def summed(slots: list[tuple[int, float]], score: int) -> Fraction:
    """P(sum >= score), in whole numbers: a float is a fraction."""
    sums, whole = {0: 1}, 1
    for weight, chance in slots:
        of, out_of = chance.as_integer_ratio()
        after: Counter[int] = Counter()
        for total, share in sums.items():
            after[total + weight] += share * of
            after[total] += share * (out_of - of)
        sums, whole = dict(after), whole * out_of
    return Fraction(sum(share for total, share in sums.items() if total >= score), whole)


@given(st.lists(st.tuples(st.integers(0, 40), chances), max_size=12), st.integers(-3, 300))
@settings(max_examples=60, deadline=None)
def test_the_tail_is_never_less_than_the_sum_of_fractions_and_hardly_more(
    slots: list[tuple[int, float]], score: int
) -> None:
    exact = summed(slots, score)
    bound = Fraction(Tail(Counter(slots))(score))
    assert exact <= bound <= exact * (1 + 2 * Fraction(ERROR))


@given(st.sampled_from([0.5, codes.RARE, 1 / 3]), st.integers(2, 9), st.integers(50, 70))
@settings(max_examples=10, deadline=None)
def test_deep_tails_are_as_true(chance: float, weight: int, slots: int) -> None:
    of = [(3, 1 - chance), (weight, chance)] * (slots // 2)
    most = sum(w for w, _ in of)
    for score in (most, most - 7, most * 9 // 10, most * 8 // 10):
        exact, bound = summed(of, score), Fraction(Tail(Counter(of))(score))
        assert exact <= bound <= exact * (1 + 2 * Fraction(ERROR))
    assert Tail(Counter(of))(most) < 1e-12


@given(leaks(), st.floats(0.001, 0.3), st.data())
@settings(max_examples=40, deadline=None)
def test_an_innocent_seldom_fits_as_well_as_is_stated(
    slots: list[Seen], misread: float, data: st.DataObject
) -> None:
    """Over all copies that it may have had: P(chance <= t) <= t, for each test, whatever was read."""
    held = data.draw(st.lists(st.sampled_from(slots), min_size=1, unique=True))
    found = []
    for copy, likely in innocents(held):
        verdict = judge(slots, {"BEL": copy}, misread=misread)
        found.append((verdict.suspects[0].chance, likely, verdict.tests))
    for stated, _, tests in found:
        as_well = math.fsum(likely for chance, likely, _ in found if chance <= stated)
        assert as_well <= tests * stated * (1 + 1e-12)
        # With one test the bound is no looser than its error: what is stated is the truth.
        assert tests > 1 or stated <= as_well * (1 + 2 * ERROR)


@given(leaks(), st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.02, 0.2, 0.6]))
@settings(max_examples=25, deadline=None)
def test_no_case_accuses_the_innocent_more_often_than_alpha(
    slots: list[Seen], others: int, other_tests: int, alpha: float
) -> None:
    company = {f"P{number}": copy_of(slots, f"P{number}") for number in range(others)}
    accused = 0.0
    tests = 0
    for copy, likely in innocents(slots):
        verdict = judge(slots, company | {"BEL": copy}, alpha=alpha, other_tests=other_tests)
        tests = verdict.tests
        if "BEL" in verdict.accused:
            accused += likely
    # An equal part of alpha for each recipient and each test besides.
    alone = judge(slots, {"BEL": copy_of(slots, "BEL")}).tests
    assert tests == alone * (others + 1) + other_tests
    assert accused <= alpha * alone / tests * (1 + 1e-9)


@given(leaks(), st.floats(0.001, 0.3))
@settings(max_examples=40, deadline=None)
def test_over_an_innocents_copies_the_likelihood_ratio_has_the_mean_one(
    slots: list[Seen], misread: float
) -> None:
    ratios = [
        (10 ** judge(slots, {"BEL": copy}, misread=misread).suspects[0].ratio, likely)
        for copy, likely in innocents(slots)
    ]
    assert math.isclose(math.fsum(ratio * likely for ratio, likely in ratios), 1, rel_tol=1e-9)


@given(leaks(30), st.integers(2, 6), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_and_reading_twice_change_nothing(slots: list[Seen], partners: int, random: object) -> None:
    copies = {f"P{number}": copy_of(slots, f"P{number}") for number in range(partners)}
    names, again = list(copies), slots * 2
    random.shuffle(names)  # type: ignore[attr-defined]
    random.shuffle(again)  # type: ignore[attr-defined]
    held = dict.fromkeys(names, Held.ALL)
    assert judge(slots, copies, held=held) == judge(again, {name: copies[name] for name in names}, held=held)


@given(leaks(40), st.integers(1, 4), st.booleans(), st.data())
@settings(max_examples=40, deadline=None)
def test_one_more_innocent_makes_nobody_likelier(
    slots: list[Seen], partners: int, twin: bool, data: st.DataObject
) -> None:
    copies = {f"P{number}": copy_of(slots, f"P{number}") for number in range(partners)}
    leaker = data.draw(st.sampled_from(sorted(copies)))
    slots = [slot if slot.options > 2 else slot._replace(bit=copies[leaker][slot.slot]) for slot in slots]
    new = dict(copies[leaker]) if twin else copy_of(slots, "NEW")
    before = judge(slots, copies, alpha=0.01)
    after = judge(slots, copies | {"NEW": new}, alpha=0.01)
    assert set(after.accused) - {"NEW"} <= set(before.accused)
    now = {suspect.partner: suspect for suspect in after.suspects}
    for suspect in before.suspects:
        assert now[suspect.partner].chance == suspect.chance
        assert now[suspect.partner].ratio == suspect.ratio
        assert now[suspect.partner].posterior <= suspect.posterior * (1 + 1e-12)


@given(leaks(40), st.integers(1, 5), st.data())
@settings(max_examples=60, deadline=None)
def test_what_was_thought_before_changes_who_is_accused_in_no_case(
    slots: list[Seen], partners: int, data: st.DataObject
) -> None:
    copies = {f"P{number}": copy_of(slots, f"P{number}") for number in range(partners)}
    leaker = data.draw(st.sampled_from(sorted(copies)))
    slots = [slot if slot.options > 2 else slot._replace(bit=copies[leaker][slot.slot]) for slot in slots]
    weight = st.one_of(st.just(0), st.floats(1e-9, 1e9))
    weights = data.draw(st.fixed_dictionaries(dict.fromkeys(copies, weight)))
    text = "".join(f"{party} = {weight!r}\n" for party, weight in weights.items())
    prior = read_prior("prior.toml", text, copies)
    assert math.isclose(sum(prior.values()) + 1 / (sum(weights.values()) + 1), 1)
    plain, moved = judge(slots, copies, alpha=0.01), judge(slots, copies, alpha=0.01, prior=prior)
    assert (plain.accused, plain.says, plain.tests, plain.threshold, plain.more) == (
        (moved.accused, moved.says, moved.tests, moved.threshold, moved.more)
    )
    for one, other in zip(plain.suspects, moved.suspects, strict=True):
        thought = {"prior": one.prior, "posterior": one.posterior, "odds": one.odds}
        assert msgspec.structs.replace(other, **thought) == one
        assert other.prior == prior[other.partner]
        if other.odds is None:
            assert other.prior == other.posterior == 0
        elif abs(other.odds) < 6:
            odds = other.posterior / (1 - other.posterior)
            assert math.isclose(odds, 10**other.odds, rel_tol=1e-6)


@given(st.sampled_from([Mode.SINGLE, Mode.COLLUSION]), st.integers(40, 300), st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_of_many_innocents_as_many_fit_as_is_stated(mode: Mode, number: int, seed: int) -> None:
    """Long leaks, where not all copies can be tried: against simulation, for what the several would weigh."""
    draws = np.random.default_rng(seed)
    slots = [Seen(f"{n}", codes.bias(KEY, f"{n}", mode), int(draws.integers(2))) for n in range(number)]
    spans = [weight.agrees - weight.differs for weight in leakers.several(slots, 0.01)]
    units = np.array([round(5 * span) for span in spans])
    agreed = np.array([slot.p if slot.bit else 1 - slot.p for slot in slots])
    tail = Tail(
        Counter(
            (abs(int(unit)), float(r if unit >= 0 else 1 - r)) for unit, r in zip(units, agreed, strict=True)
        )
    )
    agree = draws.random((20_000, number)) < agreed
    scores = np.where(units >= 0, agree, ~agree) @ np.abs(units)
    for score in np.quantile(scores, [0.5, 0.9, 0.99]).astype(int):
        stated, simulated = tail(int(score)), float(np.mean(scores >= score))
        assert abs(simulated - stated) < 5.5 * math.sqrt(stated * (1 - stated) / len(scores)) + 1e-9


def copy_of(slots: list[Seen], partner: str) -> dict[str, Bit]:
    return {slot.slot: codes.bit(KEY, slot.slot, partner, slot.p) for slot in slots}

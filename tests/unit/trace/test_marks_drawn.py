"""Bits of a copy: drawn by the key, the same everywhere, independent of one another."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import pytest

from tearline.terms import BadInput
from tearline.trace import codes
from tearline.trace.terms import Mode

KEY = bytes(range(32))
SLOTS = [f"slot {number}" for number in range(4_000)]


def test_draws_are_those_of_the_first_version() -> None:
    """Copies that are out carry these: whoever changes them cannot trace them any more."""
    drawn = "".join(str(codes.bit(KEY, slot, "DEU", 0.5)) for slot in SLOTS[:32])
    rare = "".join(str(codes.bit(KEY, slot, "DEU", codes.RARE)) for slot in SLOTS[:32])
    biases = "".join("r" if codes.bias(KEY, s, Mode.COLLUSION) == codes.RARE else "f" for s in SLOTS[:16])
    chosen = "".join(str(codes.choice(KEY, slot, "DEU", 5)) for slot in SLOTS[:16])
    assert (drawn, rare, biases, chosen) == (
        "10100000000010101000111110100001",
        "11010000000000100010000000000000",
        "rrrfrfrrrffrfrrr",
        "4431431232241312",
    )


def test_a_fair_coin_against_one_and_two_secret_biases_against_several() -> None:
    assert {codes.bias(KEY, slot, Mode.SINGLE) for slot in SLOTS} == {0.5}
    biases = [codes.bias(KEY, slot, Mode.COLLUSION) for slot in SLOTS]
    assert set(biases) == {codes.RARE, 1 - codes.RARE}
    assert near(biases.count(codes.RARE), len(SLOTS), 0.5)
    other = [codes.bias(bytes(32), slot, Mode.COLLUSION) for slot in SLOTS]
    assert near(sum(a == b for a, b in zip(biases, other, strict=True)), len(SLOTS), 0.5)


@pytest.mark.parametrize("p", [0.5, codes.RARE, 1 - codes.RARE, 1 / 3])
def test_each_bit_is_one_with_its_chance_whatever_the_others(p: float) -> None:
    mine = [codes.bit(KEY, slot, "DEU", p) for slot in SLOTS]
    others = {
        "another partner": [codes.bit(KEY, slot, "NLD", p) for slot in SLOTS],
        "another key": [codes.bit(bytes(32), slot, "DEU", p) for slot in SLOTS],
        "the next slot": [*mine[1:], mine[0]],
    }
    assert near(sum(mine), len(SLOTS), p)
    for bits in others.values():
        assert near(sum(a & b for a, b in zip(mine, bits, strict=True)), len(SLOTS), p * p)


def test_draws_at_another_chance_are_other_draws() -> None:
    fair = [codes.bit(KEY, slot, "DEU", 0.5) for slot in SLOTS]
    rare = [codes.bit(KEY, slot, "DEU", codes.RARE) for slot in SLOTS]
    assert near(sum(a & b for a, b in zip(fair, rare, strict=True)), len(SLOTS), 0.5 * codes.RARE)


def test_parts_do_not_run_over_into_one_another() -> None:
    drawn = [[codes.bit(KEY, f"s{n}" + "ab"[:cut], "ab"[cut:], 0.5) for n in range(64)] for cut in (0, 1, 2)]
    assert all(one != other for one, other in pairwise(drawn))


def test_a_canary_takes_each_wording_as_often() -> None:
    taken = [codes.choice(KEY, slot, "DEU", 5) for slot in SLOTS]
    assert all(near(taken.count(option), len(SLOTS), 1 / 5) for option in range(5))
    assert set(taken) == set(range(5))


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, 1.5, math.nan])
def test_a_chance_that_is_none_is_refused(p: float) -> None:
    with pytest.raises(BadInput, match="not between 0 and 1"):
        codes.bit(KEY, "slot", "DEU", p)


def test_a_canary_needs_two_wordings() -> None:
    with pytest.raises(BadInput, match="two wordings"):
        codes.choice(KEY, "slot", "DEU", 1)


def test_marking_starts_without_numpy() -> None:
    said = "import sys, tearline.trace.codes; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", said], check=False).returncode == 0


def near(count: int, of: int, chance: float) -> bool:
    return abs(count - of * chance) < 5 * math.sqrt(of * chance * (1 - chance))

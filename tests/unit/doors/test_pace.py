"""How much one partner may ask of the door."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tearline.doors.partner.pace import Pace
from tearline.doors.partner.problem import Problem


def admitted(pace: Pace, party: str) -> bool:
    try:
        pace.take(party)
    except Problem:
        return False
    return True


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 30)), max_size=60))
def test_nobody_is_slowed_down_by_another(steps: list[tuple[str, int]]) -> None:
    now = 0.0
    both, alone = Pace(lambda: now, rate=2, burst=3), Pace(lambda: now, rate=2, burst=3)
    for party, tenths in steps:
        now += tenths / 10
        answer = admitted(both, party)
        if party == "A":
            assert answer == admitted(alone, "A")


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_no_more_than_the_burst_and_the_rate(pauses: list[int]) -> None:
    now, through = 0.0, 0
    pace = Pace(lambda: now, rate=2, burst=3)
    for tenths in pauses:
        now += tenths / 10
        through += admitted(pace, "A")
        assert through <= 3 + 2 * now + 1e-6


def test_who_waits_as_told_comes_through() -> None:
    now = 0.0
    pace = Pace(lambda: now, rate=0.25, burst=1)
    assert admitted(pace, "A")
    with pytest.raises(Problem) as refused:
        pace.take("A")
    now += float(refused.value.headers["retry-after"])
    assert admitted(pace, "A")

"""How likely a release reaches another party: against every world counted one by one, and its laws."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.review.exposure import Edge, reach
from tearline.terms import BadInput

PARTIES = ("ALPHA", "BRAVO", "CHARLIE", "DELTA", "X")
chances = st.floats(0, 1, allow_nan=False, width=16)


@st.composite
def networks(draw: st.DrawFn, most: int = 8) -> list[Edge]:
    pairs = [(giver, taker) for giver in PARTIES for taker in PARTIES if giver != taker]
    found = []
    for giver, taker in draw(st.lists(st.sampled_from(pairs), max_size=most)):
        low, high = sorted([draw(chances), draw(chances)])
        found.append(Edge(giver=giver, taker=taker, low=low, high=high))
    return found


def counted(edges: list[Edge], start: str, target: str, end: str) -> float:
    """Every world by itself, and a walk in each."""
    total = 0.0
    for passes in product([False, True], repeat=len(edges)):
        weight, seen = 1.0, {start}
        for edge, open_ in zip(edges, passes, strict=True):
            chance = getattr(edge, end)
            weight *= chance if open_ else 1 - chance
        for _ in edges:
            seen |= {e.taker for e, open_ in zip(edges, passes, strict=True) if open_ and e.giver in seen}
        total += weight * (target in seen)
    return total


@settings(max_examples=60, deadline=None)
@given(networks())
def test_exact_is_what_counting_gives(edges: list[Edge]) -> None:
    for found in reach(edges, PARTIES, ["X"]):
        assert found.exact
        assert found.low.value == pytest.approx(counted(edges, found.start, "X", "low"), abs=1e-9)
        assert found.high.value == pytest.approx(counted(edges, found.start, "X", "high"), abs=1e-9)
        assert found.low.error == found.high.error == 0


@settings(max_examples=60, deadline=None)
@given(networks(most=14), st.integers(0, 3))
def test_drawn_worlds_agree_with_exact_within_their_error(edges: list[Edge], seed: int) -> None:
    drawn = reach(edges, PARTIES, ["X"], worlds=4000, seed=seed, most=-1)
    for exact, found in zip(reach(edges, PARTIES, ["X"]), drawn, strict=True):
        assert exact.exact
        assert not found.exact
        for end in ("low", "high"):
            estimate = getattr(found, end)
            # Six standard errors: once in many million worlds.
            assert abs(estimate.value - getattr(exact, end).value) <= 6 * estimate.error + 1e-9
            assert estimate.error > 0 or found.start not in {edge.giver for edge in edges}


@settings(max_examples=60, deadline=None)
@given(networks(), networks(most=3), st.sampled_from([-1, 18]))
def test_more_edges_never_lower_it(edges: list[Edge], more: list[Edge], most: int) -> None:
    """Exact and drawn: each edge has its own draws, so even luck cannot lower it."""
    before = reach(edges, PARTIES, ["X"], worlds=300, most=most)
    after = reach([*edges, *more], PARTIES, ["X"], worlds=300, most=most)
    for was, now in zip(before, after, strict=True):
        assert was.low.value <= was.high.value + 1e-12
        assert was.low.value <= now.low.value + 1e-9
        assert was.high.value <= now.high.value + 1e-9


@settings(max_examples=40, deadline=None)
@given(networks())
def test_the_way_shown_is_one_and_never_likelier_than_the_whole(edges: list[Edge]) -> None:
    best: dict[tuple[str, str], float] = {}
    for edge in edges:
        key = edge.giver, edge.taker
        best[key] = 1 - (1 - best.get(key, 0.0)) * (1 - edge.high)
    for found in reach(edges, PARTIES, ["X"]):
        steps = list(zip(found.path, found.path[1:], strict=False))
        assert bool(found.path) == (found.high.value > 0)
        chance = 1.0
        for step in steps:
            chance *= best[step]
        if found.path:
            assert (found.path[0], found.path[-1]) == (found.start, "X")
            assert chance <= found.high.value + 1e-9


def test_a_chain_multiplies_and_a_second_way_adds() -> None:
    chain = [Edge(giver="P", taker="Q", low=0.5, high=0.5), Edge(giver="Q", taker="X", low=0.5, high=1)]
    (found,) = reach(chain, ["P"], ["X"])
    assert (found.low.value, found.high.value, found.edges) == (0.25, 0.5, 1)
    (both,) = reach([*chain, Edge(giver="P", taker="X", low=0.5, high=0.5)], ["P"], ["X"])
    assert both.low.value == pytest.approx(1 - 0.75 * 0.5)


def test_nobody_reaches_where_no_way_leads() -> None:
    (found,) = reach([Edge(giver="X", taker="P", low=1, high=1)], ["P"], ["X"])
    assert (found.high.value, found.path, found.edges) == (0.0, (), 0)


@pytest.mark.parametrize("chance", [(0.5, 0.4), (-0.1, 0.5), (0.5, 1.1)])
def test_a_range_that_is_none_is_refused(chance: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="its range is none"):
        reach([Edge(giver="P", taker="X", low=chance[0], high=chance[1])], ["P"], ["X"])

"""Shares, concentration and losses: their laws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.review.dependency import Amount, By, Group, concentration, dependency

PARTIES = ("ALPHA", "BRAVO", "CHARLIE", "DELTA")
parties = st.sampled_from(PARTIES)


@st.composite
def groups(draw: st.DrawFn) -> list[Group]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        holder, originator = draw(parties), draw(parties)
        others = [party for party in PARTIES if party != holder]
        givers = (
            frozenset({holder})
            if holder == originator
            else frozenset(draw(st.sets(st.sampled_from(others), min_size=1)))
        )
        items = float(draw(st.integers(1, 50)))
        value = items * draw(st.integers(0, 5))
        part = draw(st.sampled_from([0.0, 0.5, 1.0]))
        found.append(
            Group(holder, originator, givers, Amount(items, value), (Amount(items * part, value * part),))
        )
    return found


@settings(max_examples=150, deadline=None)
@given(groups())
def test_shares_add_up_and_stay_in_their_bounds(found: list[Group]) -> None:
    made = dependency(found, ["after"])
    for holder in {group.holder for group in found}:
        for by in By:
            some = [each for each in made.shares if (each.holder, each.by) == (holder, by)]
            assert sum(each.share for each in some) == pytest.approx(1)
            assert sum(each.value_share for each in some) == pytest.approx(1) or not any(
                each.value for each in some
            )
        now, after = (each for each in made.consumers if each.holder == holder)
        allies = [
            each
            for each in made.shares
            if (each.holder, each.by) == (holder, By.ORIGINATOR) and each.party != holder
        ]
        assert now.allies == pytest.approx(sum(each.share for each in allies))
        assert after.items <= now.items
        for stage in (now, after):
            assert 0 <= stage.biggest_share <= stage.allies + 1e-12 <= 1 + 2e-12
            assert 0 <= stage.single <= 1
            assert bool(stage.biggest) == (stage.allies > 0)
        if allies:
            assert 1 / len(allies) - 1e-9 <= now.concentration <= 1 + 1e-9
            assert now.concentration >= (now.biggest_share / now.allies) ** 2 - 1e-9
        else:
            assert now.concentration == 0


@settings(max_examples=100, deadline=None)
@given(groups())
def test_losses_are_what_is_missing_without_the_ally(found: list[Group]) -> None:
    """Counted anew, with what the ally made or alone gave taken out."""
    for loss in dependency(found, ()).losses:
        mine = [group for group in found if group.holder == loss.holder]
        total = sum(group.now.items for group in mine)
        kept = sum(group.now.items for group in mine if group.originator != loss.ally)
        assert 1 - kept / total == pytest.approx(loss.making)
        kept = sum(group.now.items for group in mine if group.givers - {loss.ally})
        assert 1 - kept / total == pytest.approx(loss.giving)


@given(st.lists(st.floats(0, 1e6, allow_nan=False), max_size=20))
def test_concentration_does_not_depend_on_scale_or_order(amounts: list[float]) -> None:
    found = concentration(amounts)
    assert 0 <= found <= 1 + 1e-9
    assert concentration([each * 4 for each in reversed(amounts)]) == pytest.approx(found, abs=1e-6)


def test_four_fifths_from_allies_most_of_it_from_one() -> None:
    """A party that has 80 % of what it knows from allies, three quarters of that from one of them."""
    made = dependency(
        [
            Group("UKR", "UKR", frozenset({"UKR"}), Amount(20, 20), ()),
            Group("UKR", "USA", frozenset({"USA"}), Amount(45, 90), ()),
            Group("UKR", "USA", frozenset({"GBR"}), Amount(15, 30), ()),
            Group("UKR", "POL", frozenset({"POL", "USA"}), Amount(20, 20), ()),
        ],
        (),
    )
    (consumer,) = made.consumers
    assert (consumer.allies, consumer.biggest, consumer.biggest_share) == (0.8, "USA", 0.6)
    assert consumer.concentration == pytest.approx(0.75**2 + 0.25**2)
    assert consumer.allies_value == pytest.approx(140 / 160)
    usa = next(each for each in made.losses if each.ally == "USA")
    assert (usa.making, usa.giving, usa.concentration) == (0.6, 0.45, 1.0)
    by_giver = {each.party: each.share for each in made.shares if each.by is By.GIVER}
    assert by_giver == pytest.approx({"UKR": 0.2, "USA": 0.55, "GBR": 0.15, "POL": 0.1})

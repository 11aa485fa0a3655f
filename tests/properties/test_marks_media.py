"""Whatever the samples: a mark keeps to its bounds, to what is sound, and to its seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tearline.media.marks import pattern
from tearline.media.marks.keyed import chance

KINDS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


class Rows:
    """A picture in memory."""

    def __init__(self, data: Any, sound: Any, rows: int) -> None:
        self._data, self._sound, self.rows = data, sound, rows
        self.height, self.width = sound.shape

    def read(self, top: int, bottom: int) -> tuple[Any, Any]:
        return self._data[:, top:bottom], self._sound[top:bottom]


@st.composite
def rasters(draw: st.DrawFn) -> Rows:
    dice = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 60)), draw(st.integers(1, 60))
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    low, high = (-1e4, 1e6) if kind.kind == "f" else (np.iinfo(kind).min, np.iinfo(kind).max)
    at, wide = draw(st.floats(0, 1)), draw(st.floats(0, 0.5))
    data = dice.normal(low + at * (high - low), wide * (high - low), shape).clip(low, high).astype(kind)
    sound = dice.random(shape[1:]) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    if kind.kind == "f":
        data[:, ~sound] = np.nan
    return Rows(data, sound, draw(st.integers(1, 64)))


@settings(max_examples=60, deadline=None)
@given(rasters(), st.binary(min_size=32, max_size=32))
def test_a_mark_keeps_to_its_bounds(picture: Rows, seed: bytes) -> None:
    usual = pattern.levels(picture)
    before, sound = picture.read(0, picture.height)
    after = np.concatenate(list(pattern.strips(picture, usual, seed)), axis=1)
    assert after.dtype == before.dtype
    assert np.array_equal(after[:, ~sound], before[:, ~sound], equal_nan=True)
    for number, rms in enumerate(usual.rms):
        old, new = (part[number][sound].astype(np.float64) for part in (before, after))
        if not old.size:
            continue
        assert new.min() >= old.min()
        assert new.max() <= old.max()
        assert (new == old)[(old == old.min()) | (old == old.max())].all()
        slack = 1.0 if before.dtype.kind != "f" else np.spacing(np.abs(old).max().astype(before.dtype))
        assert np.abs(new - old).max() <= pattern.MOST * rms * 1.0001 + slack
    again = np.concatenate(list(pattern.strips(picture, usual, seed)), axis=1)
    assert np.array_equal(after, again, equal_nan=True)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=10), st.floats(0, 4))
def test_the_bound_holds_for_coins_of_any_weight(weights: list[float], z: float) -> None:
    """All falls of up to ten coins, counted."""
    unit = np.array(weights) / math.sqrt(sum(weight**2 for weight in weights))
    falls = np.array(
        [[1 if fall >> coin & 1 else -1 for coin in range(len(unit))] for fall in range(1 << len(unit))]
    )
    assert np.mean(falls @ unit >= z) <= chance(z) * (1 + 1e-9)

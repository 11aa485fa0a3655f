"""The channel filter: against convolution in double precision, and against what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from tearline.media.signals.channel import PASS, STOP, _stages, decimated, smooth, taps
from tearline.media.signals.datatype import Array, datatype
from tests.recordings import noise

ALL = [f"{kind}{number}" for kind in "cr" for number in ("u8", "i8")] + [
    f"{kind}{number}_{order}"
    for kind in "cr"
    for number in ("f32", "f64", "i16", "u16", "i32", "u32")
    for order in ("le", "be")
]


def run(signal: Array, factor: int, block: int = 1 << 30, batch: int = 1 << 16) -> Array:
    length = signal.shape[1]
    blocks = [signal[:, at : at + block] for at in range(0, length, block)]
    return np.concatenate(list(decimated(blocks, factor, length, batch)), axis=1)


def reference(signal: Array, factor: int) -> Array:
    """Every stage as a sum over taps, in double precision."""
    for stage in _stages(factor):
        impulse = taps(stage)
        half, samples = len(impulse) // 2, signal.shape[1] // stage
        whole = [np.convolve(row.astype(np.complex128), impulse)[half:][: len(row)] for row in signal]
        signal = np.stack(whole)[:, ::stage][:, :samples]
    return signal


def error_db(found: Array, expected: Array) -> float:
    return float(20 * np.log10(np.linalg.norm(found - expected) / np.linalg.norm(expected)))


@pytest.mark.parametrize("factor", [2, 3, 5, 8, 11, 16, 60])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_it_is_convolution_to_100_db(factor: int, kind: str) -> None:
    rng = np.random.default_rng(3)
    signal = rng.normal(size=(2, 30_011))
    if kind == "complex":
        signal = signal + 1j * rng.normal(size=signal.shape)
    expected = reference(signal, factor)
    narrow = signal.astype(np.float32 if kind == "real" else np.complex64)
    for found in (run(signal, factor), run(narrow, factor)):
        assert found.shape == (2, 30_011 // factor) == expected.shape
        assert error_db(found, expected) < -100


@pytest.mark.parametrize("factor", [4, 15, 128])
def test_tones_inside_stay_and_tones_outside_vanish(factor: int) -> None:
    samples = 800 * factor
    at = np.arange(samples)
    middle = slice(200, 600)
    for frequency in (0.0, 0.9 * PASS, -0.99 * PASS):
        tone = np.exp(2j * np.pi * frequency / factor * at)[None].astype(np.complex64)
        wanted = np.exp(2j * np.pi * frequency * np.arange(800))[None]
        assert error_db(run(tone, factor)[:, middle], wanted[:, middle]) < -100
    for frequency in (1.02 * STOP, -1.2 * STOP, 1.0, 0.49 * factor):
        tone = np.exp(2j * np.pi * frequency / factor * at)[None].astype(np.complex64)
        assert 20 * np.log10(np.abs(run(tone, factor)[:, middle]).max() + 1e-12) < -100


@pytest.mark.parametrize("factor", [2, 12, 48])
def test_the_result_does_not_depend_on_the_blocks(factor: int) -> None:
    signal = np.random.default_rng(4).normal(size=(3, 20_003)).astype(np.float32)
    whole = run(signal, factor)
    for block, batch in ((977, 1 << 16), (20_003, 1), (5_000, 3_000), (1, 1 << 19)):
        assert np.array_equal(run(signal, factor, block, batch), whole)


def test_short_signals_and_large_factors() -> None:
    signal = np.ones((1, 1000), np.complex64)
    assert run(signal, smooth(700)).shape == (1, 1)
    assert run(signal[:, :5], 2).shape == (1, 2)


def test_nothing_of_a_signal_is_looked_at_behind_its_end() -> None:
    signal = np.zeros((1, 4096), np.float32)
    signal[0, 4000:] = np.inf
    assert np.isfinite(np.concatenate(list(decimated([signal[:, :4000]], 4, 4000)), axis=1)).all()


@pytest.mark.parametrize(("least", "factor"), [(1, 1), (1.0000001, 2), (2, 2), (13, 15), (97, 100), (0.1, 1)])
def test_factors_have_small_primes(least: float, factor: int) -> None:
    assert smooth(least) == factor
    product = 1
    for stage in _stages(factor):
        product *= stage
    assert product == factor


@pytest.mark.parametrize("name", ALL)
def test_every_datatype_comes_back_as_it_was(name: str) -> None:
    form = datatype(name)
    assert form is not None
    raw = np.frombuffer(noise(name, 500, 3), form.dtype).reshape(500, -1)
    signal = form.decode(raw)
    assert signal.shape == (3, 500)
    assert np.iscomplexobj(signal) is (name[0] == "c")
    back = form.encode(signal)
    assert back.dtype == form.dtype
    assert back.tobytes() == raw.tobytes()


@pytest.mark.parametrize("name", [name for name in ALL if "f" not in name])
def test_whole_numbers_are_rounded_and_clipped(name: str) -> None:
    form = datatype(name)
    assert form is not None
    span, zero = np.iinfo(form.dtype), form.zero
    wide = np.array([[1e12, -1e12, 0.4, 0.6, -0.6]], form.working)
    signal = wide + 0j if form.is_complex else wide
    found = form.encode(
        signal.astype(np.complex128 if form.working is np.float64 else np.complex64)
        if form.is_complex
        else signal
    )
    assert found[:, 0].tolist() == [span.max, span.min, zero, zero + 1, zero - 1]


@pytest.mark.parametrize(
    "name", ["", "cf32", "cf16_le", "ci64_le", "cu128_le", "ri8_xx", "CF32_LE", "cf32_le "]
)
def test_other_formats_are_not_known(name: str) -> None:
    assert datatype(name) is None

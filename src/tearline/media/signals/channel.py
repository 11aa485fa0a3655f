"""A channel filter that decimates: FFT overlap-save with a mask that is a Kaiser-windowed sinc.

The mask is the exact transform of a finite filter (J. F. Kaiser, 1974; Oppenheim and Schafer, 3rd ed., 7.5.3
and 8.7.3), so that blocks join without a seam; bins beyond the new band are then set to zero, which decimates
without folding. All errors are below -100 dB: passband to 0.4 of the new rate is flat, nothing beyond half of
it is left. No phase: sample q of the output stands where sample q * factor of the input stood.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from tearline.media.signals.datatype import Array

ATTENUATION_DB = 120.0
PASS, STOP = 0.4, 0.5
"""Edges of the transition, in parts of the new rate, from the centre."""
_STAGE = 16
"""The largest factor of one stage; longer transforms than it needs do not fit the caches."""
_BATCH = 1 << 19
"""Samples that are worked on at a time, about."""


def smooth(least: float) -> int:
    """The smallest factor that is at least this and has only small prime factors."""
    return int(_fft().next_fast_len(max(1, math.ceil(least - 1e-9)), real=True))


def decimated(blocks: Iterable[Array], factor: int, samples: int, batch: int = _BATCH) -> Iterator[Array]:
    """A signal in blocks of shape (channels, any), filtered and decimated by a `smooth` factor.

    Before its begin and after its end the signal is zero. Yields `samples // factor` samples in all.
    """
    for stage in _stages(factor):
        blocks = _stage(blocks, stage, samples, batch)
        samples //= stage
    yield from blocks


def taps(factor: int) -> Array:
    """The filter of one stage, in double precision, odd in length, of sum 1."""
    width = 2 * math.pi * (STOP - PASS) / factor
    half = math.ceil((ATTENUATION_DB - 7.95) / (2.285 * width) / 2)
    at = np.arange(-half, half + 1)
    cut = (PASS + STOP) / factor
    window = np.kaiser(2 * half + 1, 0.1102 * (ATTENUATION_DB - 8.7))
    filtered: Array = cut * np.sinc(cut * at) * window
    filtered /= filtered.sum()
    return filtered


def _fft() -> Any:
    """SciPy's, which computes several transforms at once; loaded only where a recording is filtered."""
    return import_module("scipy.fft")


def _stages(factor: int) -> list[int]:
    """Factors of at most `_STAGE` each, as few as go, the largest first."""
    stages = []
    while factor > 1:
        first = next(part for part in range(min(_STAGE, factor), 1, -1) if factor % part == 0)
        stages.append(first)
        factor //= first
    return stages


@cache
def _mask(factor: int, length: int, real: bool) -> tuple[Array, int]:
    """The bins that are kept of a transform of `length`, scaled for the inverse; half of the overlap."""
    impulse = taps(factor)
    half = len(impulse) // 2
    circular = np.zeros(length)
    circular[: half + 1] = impulse[half:]
    circular[-half:] = impulse[:half]
    response = np.fft.rfft(circular).real / factor
    kept = length // factor // 2
    rising = response[: kept + 1].copy()
    rising[-1] = 0.0  # the bin at half the new rate belongs to both sides: neither
    side = math.ceil(half / factor) * factor
    return (rising if real else np.concatenate([rising[:-1], rising[:0:-1]])), side


def _stage(blocks: Iterable[Array], factor: int, samples: int, batch: int) -> Iterator[Array]:
    # The transform is several times as long as its overlap: shorter wastes work, longer leaves the caches.
    length = factor * max(512, 1 << (4096 // factor).bit_length())
    feed = iter(blocks)
    first = next(feed)
    real = not np.iscomplexobj(first)
    mask, side = _mask(factor, length, real)
    mask = mask.astype(first.real.dtype)
    step, left = length - 2 * side, samples // factor
    held: Array = np.concatenate([np.zeros((len(first), side), first.dtype), first], axis=1)
    while left > 0:
        held = _filled(held, feed, max(batch, length))
        rows = (held.shape[1] - 2 * side) // step
        if rows < 1 or held.shape[1] < max(batch, length):  # the signal has ended: zeros follow
            rows = -(-left * factor // step)
            missing = rows * step + 2 * side - held.shape[1]
            held = np.concatenate([held, np.zeros((len(held), max(0, missing)), held.dtype)], axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(held, length, axis=1)[:, : rows * step : step]
        found = _masked(windows, mask, length // factor, real)
        out = found[..., side // factor : (length - side) // factor].reshape(len(held), -1)[:, :left]
        left -= out.shape[1]
        yield out
        held = held[:, rows * step :]


def _filled(held: Array, feed: Iterator[Array], least: int) -> Array:
    """What is held and blocks after it, at least so long unless the signal ends."""
    pieces, length = [held], held.shape[1]
    while length < least and (block := next(feed, None)) is not None:
        pieces.append(block)
        length += block.shape[1]
    return np.concatenate(pieces, axis=1) if len(pieces) > 1 else held


def _masked(windows: Array, mask: Array, short: int, real: bool) -> Array:
    """Transformed, masked, and back with `short` bins: of a real signal, half of them say all."""
    fft, half = _fft(), short // 2
    if real:
        spectrum = fft.rfft(windows, axis=-1)[..., : half + 1] * mask
        return np.asarray(fft.irfft(spectrum, short, axis=-1, overwrite_x=True))
    spectrum = fft.fft(windows, axis=-1)
    kept = np.empty((*spectrum.shape[:-1], short), spectrum.dtype)
    with np.errstate(invalid="ignore"):  # what is not finite stays so, and is found in the result
        np.multiply(spectrum[..., :half], mask[:half], out=kept[..., :half])
        np.multiply(spectrum[..., -half:], mask[half:], out=kept[..., half:])
    return np.asarray(fft.ifft(kept, axis=-1, overwrite_x=True))

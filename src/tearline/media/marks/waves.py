"""The mark in a recording: noise under its noise, in each channel, at every sample that may bear it.

The signs of all samples (of a complex one: two) are filtered to four fifths of the band, and made so weak
that they lie `UNDER_DB` below the noise floor, everywhere in it. Blocks join without a seam, and nothing
repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from scipy.signal import firwin, oaconvolve

from tearline.media.marks.keyed import Array, dice, signs
from tearline.media.signals.datatype import Datatype
from tearline.media.signals.recording import Recording

UNDER_DB = 20.0
"""So far below the floor the mark lies."""
BLOCK = 4096
"""Samples whose signs are drawn together."""
_EDGE = 0.4
"""Of the sample rate: what the filters of forms leave whole."""
_HALF = 24
_BINS = 1024
_LOOKED_AT, _PIECE = 48, 1 << 15
"""Pieces of a recording, evenly spread, in which the floor is measured, and samples in each."""
_FLOOR = 20.0
"""Percent of the band that lie below what is called its floor: signals may fill the rest."""


@cache
def taps() -> Array:
    """The filter: real, even, so its own transpose; of power 1."""
    impulse: Array = firwin(2 * _HALF + 1, 2 * _EDGE, window=("kaiser", 6.0))
    impulse /= np.sqrt((impulse**2).sum())
    return impulse


def floors(recording: Recording) -> Array:
    """The power of the noise in each channel, in squares of stored numbers, if it were all over the band.

    Of whole numbers at least that of their rounding.
    """
    spread = max(1, recording.samples // _LOOKED_AT)
    window = np.hanning(_BINS)
    found = []
    for start in range(0, recording.samples, max(spread, _PIECE)):
        stop = min(recording.samples, start + _PIECE)
        pieces = [recording.format.decode(raw) for raw in recording.stream(start, stop, _PIECE)]
        signal = np.concatenate(pieces, axis=1)
        if (blocks := signal.shape[1] // _BINS) == 0:
            continue
        cut = signal[:, : blocks * _BINS].reshape(len(signal), blocks, _BINS) * window
        found.append((np.abs(np.fft.fft(cut, axis=2)) ** 2).mean(axis=1) / (window**2).sum())
    least = 1 / 12 if recording.format.dtype.kind != "f" else 0.0
    if not found:
        return np.full(recording.channels, least)
    power = np.median(found, axis=0)
    inner = np.abs(np.fft.fftfreq(_BINS)) < _EDGE
    floor: Array = np.percentile(power[:, inner], _FLOOR, axis=1)
    return np.maximum(floor / recording.format.numbers if recording.format.is_complex else floor, least)


def strength(floor: Array) -> Array:
    """The rms of the mark in each stored number."""
    done: Array = np.sqrt(floor * 2 * _EDGE) * 10 ** (-UNDER_DB / 20)
    return done


def drawn(seed: bytes, channel: int, form: Datatype, start: int, stop: int) -> Array:
    """The signs of samples `[start, stop)` of a channel, -1 or 1: (samples, numbers)."""
    first, last = start // BLOCK, -(-stop // BLOCK)
    rows = signs(seed, f"recording {channel}", range(first, last), BLOCK * form.numbers)
    part = rows.reshape(-1, form.numbers)[start - first * BLOCK : stop - first * BLOCK]
    return part.astype(np.float32) * 2 - 1


def smooth(field: Array) -> Array:
    """Along the samples, (samples, any); beyond the ends there is nothing."""
    done: Array = oaconvolve(field, taps().astype(field.dtype)[:, None], mode="same", axes=0)
    return done


def marked(
    recording: Recording, blocks: Iterable[tuple[int, Array]], seed: bytes, rms: Array
) -> Iterator[Array]:
    """The stored numbers (samples, channels * numbers) of blocks that begin at a sample, with their mark."""
    form = recording.format
    for start, stored in blocks:
        stop = start + len(stored)
        before, after = max(0, start - _HALF), min(recording.samples, stop + _HALF)
        parts = []
        for channel in range(recording.channels):
            field = smooth(drawn(seed, channel, form, before, after))[start - before : stop - before]
            parts.append(field * np.float32(rms[channel]))
        yield _taken(form, stored, np.concatenate(parts, axis=1), seed, start)


def _taken(form: Datatype, stored: Array, mark: Array, seed: bytes, start: int) -> Array:
    """Silence stays silent, and what is saturated stays so."""
    none = stored == form.zero
    silent = none & np.roll(none, 1, axis=0) & np.roll(none, -1, axis=0)
    if form.dtype.kind == "f":
        return np.where(silent, stored, stored + mark).astype(form.dtype)
    span = np.iinfo(form.dtype)
    still = silent | (stored == span.min) | (stored == span.max)
    chance = dice(seed, "recording", start, mark.size).reshape(mark.shape)
    moved = stored.astype(np.int64) + np.floor(mark + chance).astype(np.int64)
    return np.where(still, stored, moved.clip(span.min, span.max)).astype(form.dtype)

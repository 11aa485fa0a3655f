"""Where a leaked recording lies in the original, and what it holds besides.

Found by what does not change with a small shift in frequency: each sample times the conjugate of the one
before it. Then the shift, and how the two clocks run against one another, from block to block. No key takes
part, so nothing found here can favour one recipient over another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import gcd
from typing import NamedTuple

import numpy as np
from scipy.fft import fft, ifft, next_fast_len
from scipy.ndimage import uniform_filter1d
from scipy.signal import resample_poly

from tearline.media.marks.keyed import Array
from tearline.media.marks.waves import drawn, smooth
from tearline.media.signals.recording import Recording

LEAST = 4096
"""Samples that can be compared."""
MOST = 1 << 21
_TEMPLATE = 1 << 15
_STEP = 1 << 20
_BLOCK = 4096
"""Samples in which gain, phase, offset and filter are taken to be the same."""
_FILTER = 12
"""Samples before and after that the filter reaches."""
_SINC = 24
_MEETS = 0.2
"""The least correlation at which they are taken to hold the same."""


class Laid(NamedTuple):
    """Part of a channel of the original, and the leak at its samples."""

    channel: int
    start: int
    original: Array
    leak: Array
    rate: float
    shift: float
    likeness: float


def laid(original: Recording, leak: Recording, progress: Callable[[float], None]) -> Laid | None:
    """`None`: it is not found."""
    theirs = _signal(leak, 0, min(leak.samples, MOST))[0]
    ours, other = original.metadata.global_.sample_rate, leak.metadata.global_.sample_rate
    rate = other / ours if ours and other else 1.0
    middle = max(0, int(_loudest(theirs, min(len(theirs), int(_TEMPLATE * rate)))))
    piece = theirs[middle : middle + int(_TEMPLATE * rate)]
    template = piece if rate == 1.0 else _resampled(piece, 1 / rate)
    best = (0.0, 0, 0)
    for channel, start, signal in _pieces(original, len(template)):
        likeness, at = _found(signal, template)
        best = max(best, (likeness, channel, start + at))
        progress(0.6 * start / original.samples)
    likeness, channel, at = best
    if likeness < _MEETS:
        return None
    return _tracked(original, channel, theirs, (at, middle, rate))


def _signal(recording: Recording, start: int, stop: int) -> Array:
    """(channels, samples), the mean taken away."""
    parts = [recording.format.decode(raw) for raw in recording.stream(start, stop, 1 << 18)]
    signal = np.concatenate(parts, axis=1)
    done: Array = np.nan_to_num(signal - signal.mean(axis=1, keepdims=True))
    return done


def _loudest(signal: Array, length: int) -> int:
    """Where a piece of this length begins that holds most; of equals the first."""
    power = np.concatenate([[0.0], np.cumsum(np.abs(signal.astype(np.complex128)) ** 2)])
    return int(np.argmax(power[length:] - power[:-length])) if length < len(signal) else 0


def _resampled(signal: Array, by: float) -> Array:
    """To so many times as many samples, nearly: what is left over is tracked."""
    down = 200
    up = max(1, round(by * down))
    shared = gcd(up, down)
    done: Array = resample_poly(signal, up // shared, down // shared)
    return done


def _pieces(original: Recording, overlap: int) -> Iterator[tuple[int, int, Array]]:
    for start in range(0, original.samples, _STEP):
        stop = min(original.samples, start + _STEP + overlap)
        if stop - start < min(overlap, original.samples):
            continue
        for channel, signal in enumerate(_signal(original, start, stop)):
            yield channel, start, signal


def _found(signal: Array, template: Array) -> tuple[float, int]:
    """How like the template the best place is, 0 to 1, and where it begins."""
    if len(signal) < len(template):
        signal = np.concatenate([signal, np.zeros(len(template) - len(signal), signal.dtype)])
    here, there = _turning(signal), _turning(template)
    length = next_fast_len(len(here) + len(there))
    across = ifft(fft(here, length) * np.conj(fft(there, length)))[: len(here) - len(there) + 1]
    power = np.concatenate([[0.0], np.cumsum(np.abs(here.astype(np.complex128)) ** 2)])
    norm = np.sqrt((power[len(there) :] - power[: -len(there)]).clip(1e-30, None)) * np.linalg.norm(there)
    like = np.abs(across) / np.maximum(norm, 1e-12 * max(1.0, float(norm.max())))
    at = int(np.argmax(like))
    return float(like[at]), at


def _turning(signal: Array) -> Array:
    """What a shift in frequency does not change but for a constant turn."""
    if not np.iscomplexobj(signal):
        return signal[1:] - signal[:-1]
    return np.asarray(signal[1:] * np.conj(signal[:-1]))


def _tracked(original: Recording, channel: int, theirs: Array, found: tuple[int, int, float]) -> Laid | None:
    """Follow it from where it was found to both ends, and bring the leak to the original's samples."""
    at, middle, rate = found
    start = max(0, at - int(middle / rate))
    stop = min(original.samples, at + int((len(theirs) - middle) / rate))
    if stop - start < LEAST:
        return None
    ours = _signal(original, start, stop)[channel]
    begin = middle - (at - start) * rate  # of the leak, at the first sample of ours
    shift = 0.0
    for turn in range(4):
        leak = _at(theirs, begin + rate * np.arange(len(ours)), max(1.0, rate))
        if np.iscomplexobj(leak):
            first, last = at - start, at - start + (_TEMPLATE << 2 * turn)
            change = _shift_of(ours[first:last], leak[first:last])
            shift += change / rate
            theirs = theirs * np.exp(-2j * np.pi * change / rate * np.arange(len(theirs)))
            leak = _at(theirs, begin + rate * np.arange(len(ours)), max(1.0, rate))
        late, faster = _drift(ours, leak)
        begin, rate = begin + late * rate, rate * (1 + faster)
        if abs(late) + abs(faster) * len(ours) < 1e-3:
            break
    leak = _at(theirs, begin + rate * np.arange(len(ours)), max(1.0, rate))
    both = float(np.linalg.norm(ours) * np.linalg.norm(leak))
    likeness = abs(np.vdot(ours, leak)) / both if both else 0.0
    by_blocks = [
        abs(np.vdot(a, b)) / max(1e-30, float(np.linalg.norm(a) * np.linalg.norm(b)))
        for a, b in zip(_cut(ours), _cut(leak), strict=True)
    ]
    likeness = max(likeness, float(np.median(by_blocks)))
    return Laid(channel, start, ours, leak, rate, shift, likeness) if likeness >= _MEETS else None


def _cut(signal: Array) -> Array:
    size = min(_BLOCK, len(signal))
    return signal[: len(signal) // size * size].reshape(-1, size)


def _shift_of(ours: Array, leak: Array) -> float:
    """By how many cycles a sample the leak turns against the original."""
    beat = leak * np.conj(ours)
    length = 1 << int(np.log2(min(len(beat), 1 << 19)))
    spectrum = np.abs(fft(beat[:length], 4 * length))
    peak = int(np.argmax(spectrum)) / (4 * length)
    return peak - round(peak)


def _drift(ours: Array, leak: Array) -> tuple[float, float]:
    """How many samples the leak comes late at the first of ours, and how many more at each that follows."""
    here, there = _cut(ours), _cut(leak)
    across = ifft(fft(there, axis=1) * np.conj(fft(here, axis=1)), axis=1)
    size = here.shape[1]
    near = np.abs(np.concatenate([across[:, -64:], across[:, :65]], axis=1)) ** 2
    peak = near[:, 1:-1].argmax(axis=1) + 1
    rows = np.arange(len(near))
    left, top, right = near[rows, peak - 1], near[rows, peak], near[rows, peak + 1]
    bend = left - 2 * top + right
    late = peak - 64 + np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1), 0)
    heft = top / np.maximum(near.mean(axis=1), 1e-30)
    sure = heft >= np.median(heft)
    when = (rows + 0.5) * size
    first, faster = float(np.average(late, weights=heft)), 0.0
    for _ in range(3):
        if sure.sum() < 3:
            break
        faster, first = np.polyfit(when[sure], late[sure], 1)
        off = np.abs(late - first - faster * when)
        sure = off <= max(0.05, 2.5 * float(np.median(off)))
    return float(first), float(faster)


def _at(signal: Array, places: Array, step: float) -> Array:
    """The signal between its samples: a windowed sinc, no wider in band than either rate allows."""
    whole = np.floor(places).astype(np.int64)
    part = (places - whole).astype(np.float32)
    if step == 1.0 and not part.any():
        inside = (whole >= 0) & (whole < len(signal))
        return np.where(inside, signal[whole.clip(0, len(signal) - 1)], 0)
    reach = int(np.ceil(_SINC * step))
    done = np.zeros(len(places), signal.dtype)
    padded = np.concatenate([np.zeros(reach, signal.dtype), signal, np.zeros(reach + 1, signal.dtype)])
    for tap in range(1 - reach, reach + 1):
        away = tap - part
        near = (1 - (away / reach) ** 2).clip(0, None)
        index = (whole + tap + reach).clip(0, len(padded) - 1)
        done += (
            padded[index] * (np.sinc(away / np.float32(step)) * np.i0(8 * np.sqrt(near)) / np.i0(8.0) / step)
        ).astype(signal.dtype)
    return done


def hefts(found: Laid) -> Array:
    """What each sign weighs in a score, (samples, numbers): the squares add up to 1.

    What no gain, offset, mirror or short filter of the original explains, block by block; over the power of
    what is left there.
    """
    ours, leak = found.original, found.leak
    near = range(-_FILTER, _FILTER + 1)
    terms = np.stack([np.roll(ours, by) for by in near], axis=1)
    more = [np.ones(len(ours), ours.dtype)] + ([np.conj(ours)] if np.iscomplexobj(ours) else [])
    terms = np.concatenate([terms, np.stack(more, axis=1)], axis=1)
    left = np.zeros(len(ours), ours.dtype)
    for start in range(0, len(ours), _BLOCK):
        part = slice(start, start + _BLOCK) if start + 2 * _BLOCK <= len(ours) else slice(start, None)
        basis, seen = terms[part], leak[part]
        square = basis.conj().T @ basis
        square += 1e-6 * np.trace(square).real / len(square) * np.eye(len(square), dtype=square.dtype)
        solved = np.linalg.solve(square, basis.conj().T @ seen)
        rest = seen - basis @ solved
        gain = solved[: len(near)].sum()
        power = uniform_filter1d(np.abs(rest) ** 2, 256)
        power = power + 0.05 * power.mean() + 1e-30
        left[part] = rest / power * (np.conj(gain) if abs(gain) > 0 else 0)
        if part.stop is None:
            break
    numbers = np.stack([left.real, left.imag], axis=1) if np.iscomplexobj(left) else left[:, None]
    weighed = smooth(numbers.astype(np.float64))
    norm = float(np.linalg.norm(weighed))
    return (weighed / norm if norm else weighed).astype(np.float32)


def scores(original: Recording, found: Laid, weighed: Array, seeds: Iterable[bytes]) -> Iterator[float]:
    """Of each seed: a sum of its signs with these weights."""
    stop = found.start + len(weighed)
    for seed in seeds:
        field = drawn(seed, found.channel, original.format, found.start, stop)
        yield float((field * weighed).sum(dtype=np.float64))

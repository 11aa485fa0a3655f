"""The mark in a picture: where it is strong and where it is not, and how samples take it.

The signs of all pixels are smoothed to wavelengths of about 4 to 20 pixels: shorter ones do not survive JPEG
and smaller copies, longer ones are seen, and sink in what the ground does. Every pixel's share follows from
the pixels near it and its own row's signs alone: strips join without a seam, and nothing repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.special import erfinv

from tearline.media.marks.keyed import Array, dice, signs

PSNR_DB, COARSE_DB = 50.5, 48.0
"""What is aimed at, that 50 are kept; and where samples have 8 bits. 20 log10 of the span of a band's samples
over the rms of what the mark, and its rounding, change."""
HALO = 24
"""Pixels around that take part, at most."""
MOST = 4.0
"""No sample is moved by more than so many times the rms of the mark."""
_SHARP, _BLUNT = 1.0, 2.5
"""Pixels: the difference of two Gaussians of these widths is the band."""
_BAND_POWER = 0.048421
"""Of the smoothed signs, per pixel: the sum of the squares of the filter."""
_NEAR, _AROUND = 9, 15
"""Pixels: what is slower than the first is no texture; that of a pixel is the mean over the second."""
_LEAST, _LARGEST = 0.6, 2.0
"""How weak and how strong the mark gets where there is less or more texture than is usual in the picture."""
_COLUMNS = 4096
_LOOKED_AT = 8
"""Strips, evenly spread, that tell what is usual."""


class Raster(Protocol):
    """Rows of a picture."""

    width: int
    height: int
    rows: int
    """Of a strip."""

    def read(self, top: int, bottom: int) -> tuple[Array, Array]:
        """(band, row, column), and which pixels are sound (row, column)."""
        ...


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole picture says about its bands."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    """The least and the greatest sample: what is there is saturated, or may be, and stays."""
    span: tuple[float, ...]
    """From the 0.5th to the 99.5th percentile."""
    rms: tuple[float, ...]
    """Of the mark in each band, in units of the samples."""
    texture: float
    """The median."""
    power: float
    """The mean square of the weights."""


def smooth(field: Array) -> Array:
    """The band of wavelengths; linear, and its own transpose. Beyond the edges there is nothing."""
    done: Array = gaussian_filter(field, _SHARP, mode="constant", radius=4)
    done -= gaussian_filter(field, _BLUNT, mode="constant", radius=10)
    return done


def levels(of: Raster) -> Levels:
    """Read it once. Raises nothing: a picture of one value has a span of 0, and takes no mark."""
    low: Any = np.inf
    high: Any = -np.inf
    tops = list(range(0, of.height, of.rows))
    looked = set(tops[:: max(1, -(-len(tops) // _LOOKED_AT))])
    seen: list[Array] = []
    strips: list[tuple[Array, Array]] = []
    for top in tops:
        data, sound = of.read(top, min(of.height, top + of.rows))
        inner = data[:, sound]
        if not inner.shape[1]:
            continue
        low, high = np.minimum(low, inner.min(axis=1)), np.maximum(high, inner.max(axis=1))
        if top in looked:
            seen.append(inner[:, :: max(1, inner.shape[1] >> 18)])
            # Another part of the width each time.
            left = top * 7 % max(1, of.width - _COLUMNS + 1)
            columns = slice(left, left + _COLUMNS)
            strips.append((data[:, :, columns], sound[:, columns]))
    if not seen:
        zeros = (0.0,) * len(of.read(0, 1)[0])
        return Levels(low=zeros, high=zeros, span=zeros, rms=zeros, texture=1.0, power=1.0)
    first, last = np.percentile(np.concatenate(seen, axis=1).astype(np.float64), (0.5, 99.5), axis=1)
    span = tuple(map(float, last - first))
    bounds = {
        "low": tuple(map(float, low)),
        "high": tuple(map(float, high)),
        "span": span,
        "rms": tuple(_strength(width, seen[0].dtype) for width in span),
    }
    plain = Levels(**bounds, texture=1.0, power=1.0)
    activity = np.concatenate([_activity(data, sound, plain)[sound] for data, sound in strips])
    texture = float(np.median(activity)) or 1.0
    return Levels(**bounds, texture=texture, power=float(np.mean(_weight(activity, texture) ** 2)))


def weights(data: Array, sound: Array, of: Levels) -> Array:
    """How strong the mark is at each pixel: 0 where it is not sound, else 1 in the mean square."""
    weight = _weight(_activity(data, sound, of), of.texture)
    return np.where(sound, weight / np.float32(of.power**0.5), np.float32(0))


def _strength(span: float, kind: np.dtype[Any]) -> float:
    """The rms of a mark that, rounded by dice, changes no more than was aimed at.

    By dice, m is rounded up as often as its fraction says; what that changes is m^2 + f (1 - f) in the mean.
    """
    due = span * 10 ** (-(COARSE_DB if kind.itemsize == 1 else PSNR_DB) / 20)
    if kind.kind == "f":
        return due
    even = np.sqrt(2) * erfinv(np.linspace(-1, 1, 402)[1:-1])  # a normal distribution, in 400 parts
    low, high = 0.0, due
    for _ in range(40):
        middle = (low + high) / 2
        part = (middle * even) % 1
        changed = np.mean((middle * even) ** 2 + part * (1 - part))
        low, high = (middle, high) if changed < due * due else (low, middle)
    return low


def _weight(activity: Array, usual: float) -> Array:
    return np.sqrt(activity / np.float32(usual)).clip(_LEAST, _LARGEST)


def _activity(data: Array, sound: Array, of: Levels) -> Array:
    """How much a neighbourhood differs in itself: rms, in parts of the span, of the mean of all bands."""
    grey = flat(data, sound, of)
    fine = grey - uniform_filter(grey, _NEAR)
    done: Array = np.sqrt(uniform_filter(fine * fine, _AROUND).clip(0, None))
    return done


def flat(data: Array, sound: Array, of: Levels) -> Array:
    """The mean of all bands, each in parts of its span; 0 is the middle, and what is not sound."""
    grey = np.zeros(sound.shape, np.float32)
    for band, low, high, span in zip(data, of.low, of.high, of.span, strict=True):
        if span > 0:
            grey += (band - (low + high) / 2).astype(np.float32) / np.float32(span * len(of.span))
    return np.where(sound, grey, np.float32(0))


def field(seed: bytes, top: int, bottom: int, left: int, right: int) -> Array:
    """The signs of these rows and columns, -1 or 1 each, which are inside the picture."""
    return signs(seed, "picture", range(top, bottom), right)[:, left:].astype(np.float32) * 2 - 1


def strips(of: Raster, usual: Levels, seed: bytes) -> Iterator[Array]:
    """The picture with its mark, strip after strip."""
    for top in range(0, of.height, of.rows):
        bottom = min(of.height, top + of.rows)
        above, below = max(0, top - HALO), min(of.height, bottom + HALO)
        data, sound = of.read(above, below)
        inner = slice(top - above, bottom - above)
        mark = smooth(field(seed, above, below, 0, of.width)) * weights(data, sound, usual)
        mark *= np.float32(_BAND_POWER**-0.5)
        yield _taken(data[:, inner], sound[inner], mark[inner], usual, (seed, top))


def _taken(data: Array, sound: Array, mark: Array, usual: Levels, key: tuple[bytes, int]) -> Array:
    seed, top = key
    done = data.copy()
    mark = mark.clip(-MOST, MOST)
    whole = data.dtype.kind != "f"
    rows = [dice(seed, "picture", top + row, data.shape[2]) for row in range(data.shape[1] if whole else 0)]
    chance = np.array(rows, np.float32)
    wide = np.int32 if data.dtype.itemsize <= 2 else np.int64
    for number, band in enumerate(data):
        low, high, rms = usual.low[number], usual.high[number], usual.rms[number]
        if not rms:
            continue
        may = sound & (band > low) & (band < high)
        if whole:
            moved = band + np.floor(mark * np.float32(rms) + chance).astype(wide)
        else:
            moved = band + mark.astype(band.dtype) * band.dtype.type(rms)
        done[number] = np.where(may, moved.clip(low, high), band).astype(band.dtype)
    return done

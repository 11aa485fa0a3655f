"""A picture of a form that was released: power over time and frequency, and its axes."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tearline.media import Previewed
from tearline.media.signals.datatype import Array
from tearline.media.signals.recording import Recording, opened
from tearline.terms import BadInput

_LEFT, _BELOW, _EDGE = 64, 24, 6
_RANGE_DB = 80.0
_BINS = 1 << 12
"""Samples of a transform at most."""
_LOOKS = 8
"""Transforms that are averaged for a column at most: enough to see, whatever the length."""


class Span(NamedTuple):
    """What is drawn: a stretch of one channel."""

    read: Callable[[int, int], Array]
    """Samples `[start, stop)` of it, as signal."""
    samples: int
    is_complex: bool
    rate: float | None
    first: int
    """The number of its first sample in the recording."""
    centre_hz: float


def draw(source: Path, target: Path, pixels: int, part: tuple[int, ...] = ()) -> Previewed:
    """Write a spectrogram as PNG, at most 1024 wide and half as high: of the first channel, or of a `part`
    (channel, first sample, and that behind the last).

    Raises:
        BadInput: it holds no samples, has no such part, or cannot be taken.
    """
    drawn = spectrogram(span(opened(source), part), pixels)
    target.write_bytes(drawn)
    width, height = size(pixels)
    return Previewed(sha256=hashlib.sha256(drawn).hexdigest(), size=len(drawn), width=width, height=height)


def span(recording: Recording, part: tuple[int, ...] = ()) -> Span:
    """A part of a recording, or its first channel. Raises `BadInput` where there is nothing to draw."""
    channel, start, stop = part or (0, 0, recording.samples)
    if stop - start < 2:
        raise BadInput(recording.where, "", "holds no samples to draw")
    if not (0 <= channel < recording.channels and start >= 0 and stop <= recording.samples):
        raise BadInput(recording.where, "the part to draw", "does not lie in the recording")

    def read(first: int, last: int) -> Array:
        stored = list(recording.stream(start + first, start + last, last - first))
        signal: Array = recording.format.decode(np.concatenate(stored))[channel]
        return signal

    rate, centre = recording.metadata.global_.sample_rate, recording.facts().centre_hz or 0.0
    return Span(read, stop - start, recording.format.is_complex, rate, start, centre)


def size(pixels: int) -> tuple[int, int]:
    """Width and height of a spectrogram."""
    width = min(1024, max(256, pixels))
    return width, width // 2


def outline(pixels: int, first: float, last: float) -> tuple[tuple[float, float], ...]:
    """The corners of a stretch, given in parts of the time that is drawn: in parts of the picture's sides."""
    width, height = size(pixels)
    columns = width - _LEFT - _EDGE
    left, right = ((_LEFT + columns * at) / width for at in (first, last))
    top, bottom = _EDGE / height, (height - _BELOW) / height
    return (left, top), (right, top), (right, bottom), (left, bottom)


def spectrogram(of: Span, pixels: int) -> bytes:
    """It, as PNG."""
    width, height = size(pixels)
    columns, rows = width - _LEFT - _EDGE, height - _BELOW - _EDGE
    picture = Image.new("RGB", (width, height), (16, 16, 20))
    colours = _colours(_power(of, columns))
    image = Image.fromarray(colours).resize((columns, rows), Image.Resampling.BOX)
    picture.paste(image, (_LEFT, _EDGE))
    _axes(picture, of, columns, rows)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _power(of: Span, columns: int) -> Array:
    """Decibels, shape (bins, columns), the highest frequency first."""
    bins = 1 << min(_BINS.bit_length() - 1, max(1, int(math.log2(of.samples))))
    bins = min(bins, 1 << max(1, math.ceil(math.log2(max(2, of.samples / columns * 4)))))
    window = np.hanning(bins + 2)[1:-1]
    found = []
    for column in range(columns):
        begin, end = (of.samples * at // columns for at in (column, column + 1))
        looks = min(_LOOKS, max(1, (end - begin) // bins))
        total = np.zeros(bins)
        for look in range(looks):
            start = min(begin + (end - begin) * look // looks, of.samples - bins)
            total += np.abs(np.fft.fft(of.read(start, start + bins) * window)) ** 2 / looks
        found.append(np.fft.fftshift(total) if of.is_complex else total[: bins // 2])
    power: Array = 10 * np.log10(np.stack(found, axis=1)[::-1] + np.finfo(np.float64).tiny)
    return power


def _colours(power: Array) -> Array:
    """Perceptual: lightness rises evenly with the level, through blue, violet and orange (Oklab, 2020)."""
    power = np.nan_to_num(power, nan=-math.inf, neginf=-1e3, posinf=1e3).clip(-1e3, 1e3)
    top = float(np.percentile(power, 99.9))
    floor = max(float(np.percentile(power, 5)), top - _RANGE_DB)
    level = np.clip((power - floor) / max(top - floor, 1e-9), 0, 1)
    steps = np.linspace(0, 1, 256)
    lightness, chroma = 0.12 + 0.84 * steps, 0.16 * np.sin(np.pi * steps) ** 0.7
    hue = np.radians(265 + 185 * steps)
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.clip(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        0,
        1,
    )
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table = np.rint(255 * encoded.T).astype(np.uint8)
    painted: Array = table[np.rint(255 * level).astype(np.uint8)]
    return painted


def _axes(picture: Image.Image, of: Span, columns: int, rows: int) -> None:
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(10)
    grey = (200, 200, 205)
    step, unit = (1 / of.rate, "s") if of.rate else (1.0, "samples")
    begin, duration = of.first * step, of.samples * step
    for value in _ticks(begin, begin + duration, max(2, columns // 90)):
        x = _LEFT + round((value - begin) / duration * (columns - 1))
        pen.line([(x, _EDGE + rows), (x, _EDGE + rows + 3)], fill=grey)
        pen.text(
            (x, _EDGE + rows + 4),
            f"{value:g} {unit}",
            fill=grey,
            font=font,
            anchor="mt" if x > _LEFT else "lt",
        )
    width = of.rate or 1.0
    lowest = of.centre_hz - (width / 2 if of.is_complex else 0.0)
    highest = lowest + (width if of.is_complex else width / 2)
    scale, name = next(
        (
            (s, n)
            for s, n in ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"))
            if max(abs(lowest), abs(highest)) >= s
        ),
        (1.0, "Hz" if of.rate else "of rate"),
    )
    for value in _ticks(lowest / scale, highest / scale, max(2, rows // 50)):
        y = _EDGE + round((highest / scale - value) / (highest - lowest) * scale * (rows - 1))
        pen.line([(_LEFT - 4, y), (_LEFT - 1, y)], fill=grey)
        pen.text((_LEFT - 6, y), f"{value:.7g}", fill=grey, font=font, anchor="rm")
    pen.text((4, _EDGE + rows + 4), name, fill=grey, font=font, anchor="lt")


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round values in the range, at most about so many."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(times for times in (1, 2, 5, 10) if (high - low) / (step * times) <= most)
    return [step * at for at in range(math.ceil(low / step), math.floor(high / step) + 1)]

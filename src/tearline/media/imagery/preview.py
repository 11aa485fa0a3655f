"""Draws a released form as a small PNG, in which there is nothing but pixels."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.enums import Resampling
from rasterio.windows import Window

from tearline.media import Preview, Previewed
from tearline.media.imagery.make import hashed
from tearline.media.imagery.opened import opened, samples_of
from tearline.terms import BadInput

_MOST = 4096


def preview(request: Preview) -> Previewed:
    """Averages down to `request.pixels` at the longer side; samples over 8 bits are stretched to them."""
    with opened(Path(request.source)) as dataset:
        picture = painted(dataset, request.pixels, request.part)
    target = Path(request.target)
    target.write_bytes(png(picture))
    sha256, size = hashed(target)
    height, width, _ = picture.shape
    return Previewed(sha256=sha256, size=size, width=width, height=height)


def painted(dataset: Any, pixels: int, part: tuple[int, ...] = ()) -> Any:
    """The pixels, (row, column, band), of all of it or of a part: left, top, right, bottom.

    Raises `BadInput` for a part that does not lie in it.
    """
    left, top, right, bottom = part or (0, 0, dataset.width, dataset.height)
    if not (0 <= left < right <= dataset.width and 0 <= top < bottom <= dataset.height):
        raise BadInput("", "the part to draw", "does not lie in the picture")
    window = Window(left, top, right - left, bottom - top)
    shrink = max(1.0, max(window.width, window.height) / min(max(1, pixels), _MOST))
    width, height = max(1, round(window.width / shrink)), max(1, round(window.height / shrink))
    bands = samples_of(dataset)
    bands = bands[:3] if len(bands) >= 3 else bands[:1]
    shape = (len(bands), height, width)
    data = dataset.read(bands, window=window, out_shape=shape, resampling=Resampling.average).astype(
        np.float64
    )
    sound = dataset.dataset_mask(window=window, out_shape=shape[1:], resampling=Resampling.nearest) > 0
    eight = dataset.dtypes[0] == "uint8"
    return toned(data, sound & np.isfinite(data).all(axis=0), plain=eight).transpose(1, 2, 0)


def toned(data: Any, sound: Any, *, plain: bool) -> Any:
    """(band, row, column) in 8 bits: as they are, or stretched to them; black where it is not sound."""
    seen = data[:, sound]
    if not plain and seen.size:
        low, high = np.percentile(seen, (1, 99))
        data = (data - low) * (255 / (high - low) if high > low else 0.0)
    return np.where(sound, np.nan_to_num(data).clip(0, 255), 0).astype(np.uint8)


def png(picture: Any) -> bytes:
    """Of (row, column, band) in 8 bits: IHDR, IDAT and IEND alone (PNG, third edition, 5.3 and 11.2)."""
    height, width, bands = picture.shape
    rows = np.zeros((height, 1 + width * bands), np.uint8)  # a zero before each row: no filter
    rows[:, 1:] = picture.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if bands == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )

"""What a form tells, besides its pixels: all that the writers of files are given. There is no more."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
from rasterio.crs import CRS

from tearline.media.imagery.grid import Grid
from tearline.media.imagery.opened import box_of, ground_size
from tearline.terms import Box, Grain

_KEPT = {Grain.EXACT: 14, Grain.HOUR: 10, Grain.DAY: 8, Grain.MONTH: 6, Grain.NONE: 0}
"""How many digits of CCYYMMDDhhmmss are told."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    grid: Grid
    bands: int
    dtype: str
    colours: bool
    """Whether its bands are red, green and blue."""
    blank: float | None
    """The number of a sample that is not sound; `None`: all are."""
    rows: int
    """Of a strip, and of a tile."""
    time: str
    """CCYYMMDDhhmmss, cut where the form's grain ends; empty: not told."""
    packed: bool
    """Whether the samples are compressed."""


def told(taken: datetime | None, grain: Grain) -> str:
    """`taken` in digits, as far as `grain` goes. Times are UTC, or taken as such."""
    return f"{taken:%Y%m%d%H%M%S}"[: _KEPT[grain]] if taken else ""


def instant(taken: datetime | None, grain: Grain) -> datetime | None:
    """The begin of what is told of `taken`."""
    digits = told(taken, grain)
    if not digits or taken is None:
        return None
    begin = datetime.strptime(digits + "00000101000000"[len(digits) :], "%Y%m%d%H%M%S")  # noqa: DTZ007
    return begin.replace(tzinfo=taken.tzinfo)


def blank_of(dtype: str, masked: bool) -> float | None:
    """What stands for a sample that is not sound: the same for every picture of this type."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return float("nan")
    return float(np.iinfo(kind).min) if masked else None


def gsd(grid: Grid) -> float | None:
    """Ground sample distance of the form, as `opened.gsd_of` gives it for a picture."""
    if grid.epsg is None:
        return None
    return min(ground_size(CRS.from_epsg(grid.epsg), grid.affine, grid.width / 2, grid.height / 2))


def box(grid: Grid) -> Box | None:
    """What the form covers."""
    place = None if grid.epsg is None else (CRS.from_epsg(grid.epsg), grid.affine)
    return box_of(place, grid.width, grid.height)

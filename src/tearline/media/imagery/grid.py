"""Where the pixels of a form lie: on one grid of the earth, whatever the picture's own.

Cells have sides of `RUNGS` metres, and edges at whole multiples of them from the origin of the CRS. Each
rung divides the next, so every coarser cell is a union of finer ones. Pictures that were shifted, cropped
elsewhere or asked for at other sizes thus give the same cells or unions of them: put together they tell no
more than the finest of them does. A cell that the picture covers in part is left out, for the same reason.

The CRS is the picture's own if it has a number in the EPSG register and its pixels lie along its axes;
else it is the UTM zone of the centre. Where a CRS stretches the ground (degrees, Mercator) a cell's side is
doubled until it is as long on the ground as it should be.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import msgspec
import numpy as np
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform as to_crs
from rasterio.warp import transform_bounds

from tearline.media.imagery.opened import GDAL_ERRORS, geographic, ground_size, gsd_of, on_map, place_of
from tearline.terms import BadInput, Box, ImageryForm

RUNGS = (0.5, 1.0, 2.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3000.0, 6000.0, 30000.0)
"""Metres. All the borders of the GSD classes are among them."""
_DEGREE = 110_500.0
"""Metres: a little less than the shortest degree of latitude, so that a side in degrees is long enough."""
_SAME = 1e-6
"""Of a cell: edges nearer than this are the same edge."""


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The pixels of a form."""

    epsg: int | None
    """`None`: it has no place on the earth; `left` and `top` are then pixels of the source."""
    left: float
    top: float
    """The outer corner in units of the CRS."""
    across: float
    down: float
    """The sides of a pixel, both positive."""
    width: int
    height: int
    averaged: bool
    """Whether its pixels are averages; else they are the source's own."""
    warped: bool = False
    """Whether the source has to be brought into this CRS first."""

    @property
    def affine(self) -> Any:
        return Affine(self.across, 0, self.left, 0, -self.down, self.top)


def plan(dataset: Any, form: ImageryForm) -> Grid:
    """The grid of `form` for this picture. Raises `BadInput` where there is none."""
    place = place_of(dataset)
    if place is None:
        if form.gsd_m or form.area:
            raise BadInput("", "its place on the earth", "is not known, and the form needs it")
        whole = {"width": dataset.width, "height": dataset.height}
        return Grid(epsg=None, left=0, top=0, across=1, down=1, averaged=False, **whole)
    crs, affine = place
    own = gsd_of(dataset) or 0.0
    rung = _rung(form.gsd_m) if form.gsd_m > own * 1.001 else None
    epsg = _epsg(crs)
    straight = epsg and affine.b == affine.d == 0 and affine.a > 0 > affine.e and not dataset.gcps[0]
    if straight:
        bounds = _bounds(affine, dataset.width, dataset.height)
    else:
        epsg, bounds = _utm(crs, affine, dataset)
        crs = CRS.from_epsg(epsg)
    inside = _within(bounds, crs, form.area) if form.area else bounds
    if rung is None and straight:
        return _own_cells(affine, bounds, inside, epsg or 0)
    across, down = _sides(crs, rung or own, inside)
    left, right = math.ceil(inside[0] / across - _SAME), math.floor(inside[2] / across + _SAME)
    bottom, top = math.ceil(inside[1] / down - _SAME), math.floor(inside[3] / down + _SAME)
    _must_hold(right - left, top - bottom)
    return Grid(
        epsg=epsg,
        left=left * across,
        top=top * down,
        across=across,
        down=down,
        width=right - left,
        height=top - bottom,
        averaged=rung is not None,
        warped=not straight,
    )


def is_common(crs: Any, affine: Any) -> bool:
    """Whether these are cells of the one grid: of its sides, or those doubled, and with its edges."""
    unit = _DEGREE if crs.is_geographic else crs.linear_units_factor[1]
    if affine.b or affine.d or not affine.a > 0 > affine.e:
        return False
    doublings = [math.log2(side * unit / rung) for side in (affine.a, -affine.e) for rung in RUNGS]
    across, down = doublings[: len(RUNGS)], doublings[len(RUNGS) :]
    known = all(any(each > -_SAME and _is_whole(each) for each in axis) for axis in (across, down))
    return known and _is_whole(affine.c / affine.a) and _is_whole(affine.f / affine.e)


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < _SAME


def edges(grid: Grid, affine: Any) -> tuple[Any, Any]:
    """The edges of the cells in pixels of the source, from its left and from its top."""
    x = (grid.left + np.arange(grid.width + 1) * grid.across - affine.c) / affine.a
    y = (grid.top - np.arange(grid.height + 1) * grid.down - affine.f) / affine.e
    return x, y


def _rung(metres: float) -> float:
    for rung in RUNGS:
        if rung >= metres * (1 - 1e-9):
            return rung
    raise BadInput("", "the form", f"asks for pixels of {metres:g} m: {RUNGS[-1]:g} m is the most")


def _epsg(crs: Any) -> int | None:
    with contextlib.suppress(*GDAL_ERRORS):
        number = crs.to_epsg(confidence_threshold=50)
        # The number must say it all: what else the file says of its CRS does not go out.
        return int(number) if number and CRS.from_epsg(number) == crs else None
    return None


def _bounds(affine: Any, width: int, height: int) -> tuple[float, float, float, float]:
    xs, ys = zip(*on_map(affine, ((0, 0), (width, 0), (0, height), (width, height))), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _utm(crs: Any, affine: Any, dataset: Any) -> tuple[int, tuple[float, float, float, float]]:
    """The UTM zone of its centre, by EPSG number, and its bounds there."""
    centre = on_map(affine, [(dataset.width / 2, dataset.height / 2)])
    (longitude,), (latitude,) = geographic(crs, *zip(*centre, strict=True))
    if abs(latitude) > 84:
        raise BadInput("", "its place on the earth", "is near a pole, where there is no common grid")
    epsg = (32600 if latitude >= 0 else 32700) + int((longitude + 180) % 360 // 6) + 1
    own = _bounds(affine, dataset.width, dataset.height)
    return epsg, transform_bounds(crs, CRS.from_epsg(epsg), *own)


def _within(
    bounds: tuple[float, float, float, float], crs: Any, area: Box
) -> tuple[float, float, float, float]:
    """The part of `bounds` that lies in `area`, whichever way its edges bend in `crs`."""
    if area.west > area.east or area.south > area.north:
        raise BadInput("", "the form", "its area has no inside")
    steps = np.linspace(0, 1, 41)
    longitudes = list(area.west + (area.east - area.west) * steps)
    latitudes = list(area.south + (area.north - area.south) * steps)
    count = len(steps)
    try:
        west = to_crs("EPSG:4326", crs, [area.west] * count, latitudes)[0]
        east = to_crs("EPSG:4326", crs, [area.east] * count, latitudes)[0]
        south = to_crs("EPSG:4326", crs, longitudes, [area.south] * count)[1]
        north = to_crs("EPSG:4326", crs, longitudes, [area.north] * count)[1]
    except GDAL_ERRORS:
        raise BadInput("", "the form", "its area is not on the picture's map") from None
    if not all(map(math.isfinite, (*west, *east, *south, *north))):
        raise BadInput("", "the form", "its area is not on the picture's map")
    return max(bounds[0], *west), max(bounds[1], *south), min(bounds[2], *east), min(bounds[3], *north)


def _own_cells(affine: Any, bounds: Any, inside: Any, epsg: int) -> Grid:
    """The source's own pixels that lie wholly inside."""
    across, down = affine.a, -affine.e
    left = math.ceil((inside[0] - bounds[0]) / across - _SAME)
    right = math.floor((inside[2] - bounds[0]) / across + _SAME)
    top = math.ceil((bounds[3] - inside[3]) / down - _SAME)
    bottom = math.floor((bounds[3] - inside[1]) / down + _SAME)
    _must_hold(right - left, bottom - top)
    return Grid(
        epsg=epsg,
        left=bounds[0] + left * across,
        top=bounds[3] - top * down,
        across=across,
        down=down,
        width=right - left,
        height=bottom - top,
        averaged=False,
    )


def _sides(crs: Any, metres: float, inside: Any) -> tuple[float, float]:
    """The sides of a cell in units of `crs`: nowhere in the picture shorter than `metres` on the ground."""
    _must_hold(inside[2] - inside[0], inside[3] - inside[1])
    unit = _DEGREE if crs.is_geographic else crs.linear_units_factor[1]
    sides = [metres / unit, metres / unit]
    spots = [(x, y) for x in (inside[0], inside[2]) for y in (inside[1], inside[3])]
    spots.append(((inside[0] + inside[2]) / 2, (inside[1] + inside[3]) / 2))
    for axis in (0, 1):
        while min(ground_size(crs, Affine(sides[0], 0, x, 0, -sides[1], y), 0, 0)[axis] for x, y in spots) < (
            metres * (1 - _SAME)
        ):
            sides[axis] *= 2
    return sides[0], sides[1]


def _must_hold(across: float, down: float) -> None:
    if across <= 0 or down <= 0:
        raise BadInput("", "the form", "leaves nothing of the picture: not one whole pixel lies inside")

"""A geometry as GeoJSON has it (RFC 7946), and which boxes it touches, in degrees on a plane; borders count.

A segment and a box are apart if one of three lines parts them: along x, along y, or along the segment. If no
edge of a polygon touches a box, the box lies wholly within or wholly outside it, and one corner tells which.
Both come down to the side of a line on which a point lies. That is computed in floating point, and anew in
fractions where rounding could have turned the sign (J. R. Shewchuk, Adaptive Precision Floating-Point
Arithmetic, 1997, section 4.1: the bound `ccwerrboundA`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from tearline.terms import BadInput, Box

MAX_POSITIONS = 1000
"""Of a geometry that is asked for."""

_AT_ONCE = 1024
"""Boxes looked at together."""

_EPSILON = 2.0**-53
_BOUND = (3 + 16 * _EPSILON) * _EPSILON

_Point = tuple[float, float]
_Line = tuple[_Point, ...]
_Floats: TypeAlias = NDArray[np.float64]
_Flags: TypeAlias = NDArray[np.bool_]


class Shape(msgspec.Struct, frozen=True):
    """Lines, each of one position or more, and polygons, each of closed rings: the first is its border, the
    others are holes. Degrees, (longitude, latitude)."""

    lines: tuple[_Line, ...]
    areas: tuple[tuple[_Line, ...], ...]

    @property
    def box(self) -> Box:
        """What it lies within."""
        points = [
            point for line in (*self.lines, *(r for rings in self.areas for r in rings)) for point in line
        ]
        xs, ys = zip(*points, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    def touches(self, boxes: Sequence[Sequence[float]]) -> Sequence[bool]:
        """Of each box (west, south, east, north) whether it has a point with the shape in common."""
        hits: list[bool] = []
        for start in range(0, len(boxes), _AT_ONCE):
            table = np.array(boxes[start : start + _AT_ONCE], dtype=np.float64)
            hit = np.zeros(len(table), dtype=np.bool_)
            for line in self.lines:
                hit |= _touched(_edges(line), table)
            for rings in self.areas:
                edges = np.concatenate([_edges(ring) for ring in rings])
                hit |= _touched(edges, table)
                rest = np.flatnonzero(~hit)
                hit[rest] = _within(edges, table[rest, 0], table[rest, 1])
            hits += hit.tolist()
        return hits


def read_shape(value: object, place: str) -> Shape:
    """The geometry in GeoJSON. Raises `BadInput`; `place` names the parameter."""
    try:
        lines: list[_Line] = []
        areas: list[tuple[_Line, ...]] = []
        for kind, coordinates in _parts(value):
            _read(kind, coordinates, lines, areas)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise BadInput("query", place, "it is not a geometry as GeoJSON has it", "see RFC 7946") from None
    shape = Shape(tuple(lines), tuple(areas))
    positions = sum(map(len, lines)) + sum(len(ring) for rings in areas for ring in rings)
    if not 0 < positions <= MAX_POSITIONS:
        raise BadInput("query", place, f"it does not have between 1 and {MAX_POSITIONS} positions")
    return shape


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """(type, coordinates) of the geometry, or of each in the collection. One in another is none (RFC 7946,
    section 3.1.8: to be avoided)."""
    if value["type"] != "GeometryCollection":
        yield value["type"], value["coordinates"]
        return
    for part in _list(value["geometries"]):
        yield part["type"], part["coordinates"]


def _read(kind: str, value: Any, lines: list[_Line], areas: list[tuple[_Line, ...]]) -> None:
    match kind:
        case "Point":
            lines.append((_point(value),))
        case "LineString":
            lines.append(_line(value, 2))
        case "Polygon":
            areas.append(_polygon(value))
        case "MultiPoint" | "MultiLineString" | "MultiPolygon":
            for part in _list(value):
                _read(kind.removeprefix("Multi"), part, lines, areas)
        case _:
            raise ValueError


def _polygon(value: Any) -> tuple[_Line, ...]:
    rings = tuple(_line(ring, 4) for ring in _list(value))
    if not rings or any(ring[0] != ring[-1] for ring in rings):
        raise ValueError
    return rings


def _line(value: Any, least: int) -> _Line:
    points = tuple(map(_point, _list(value)))
    if len(points) < least:
        raise ValueError
    return points


def _point(value: Any) -> _Point:
    """Longitude and latitude; a height after them means nothing to a search on the ground."""
    numbers = [read_number(each) for each in _list(value)]
    if not 2 <= len(numbers) <= 3 or abs(numbers[0]) > 180 or abs(numbers[1]) > 90:
        raise ValueError
    return numbers[0], numbers[1]


def read_number(value: Any) -> float:
    """A number of JSON. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


# --- what it touches -----------------------------------------------------------------------------


def _edges(line: _Line) -> _Floats:
    """Its segments, each as x, y, x, y; of a single point that point."""
    ends = pairwise(line) if len(line) > 1 else [(line[0], line[0])]
    return np.array([(*p, *q) for p, q in ends], dtype=np.float64)


def _touched(edges: _Floats, boxes: _Floats) -> _Flags:
    """Which boxes are touched by one of the segments."""
    px, py, qx, qy = edges.T
    west, south, east, north = (side[:, None] for side in boxes.T)
    near = (west <= np.maximum(px, qx)) & (east >= np.minimum(px, qx))
    near &= (south <= np.maximum(py, qy)) & (north >= np.minimum(py, qy))
    slanted = (px != qx) & (py != qy)
    hit: _Flags = (near & ~slanted).any(axis=1)
    box, edge = np.nonzero(near & slanted & ~hit[:, None])
    # Of the four corners, those that lie farthest to either side of it.
    rising = (qx > px)[edge] == (qy > py)[edge]
    above, below = (
        np.where(rising, boxes[box, 3], boxes[box, 1]),
        np.where(rising, boxes[box, 1], boxes[box, 3]),
    )
    one = _sides(edges[edge], boxes[box, 0], above)
    other = _sides(edges[edge], boxes[box, 2], below)
    hit[box[one * other <= 0]] = True
    return hit


def _within(edges: _Floats, x: _Floats, y: _Floats) -> _Flags:
    """Which points lie within a polygon, of points that lie on none of its edges: those from which a ray to
    the right crosses an odd number of them."""
    py, qy = edges[:, 1], edges[:, 3]
    point, edge = np.nonzero((py > y[:, None]) != (qy > y[:, None]))
    crossed = (_sides(edges[edge], x[point], y[point]) > 0) == (qy > py)[edge]
    odd: _Flags = np.bincount(point[crossed], minlength=len(x)) % 2 == 1
    return odd


def _sides(edges: _Floats, x: _Floats, y: _Floats) -> NDArray[np.int8]:
    """On which side of its edge each point lies: 1 to the left, -1 to the right, 0 on the line."""
    px, py, qx, qy = edges.T
    one, other = (qx - px) * (y - py), (qy - py) * (x - px)
    turn = one - other
    sides: NDArray[np.int8] = np.sign(turn).astype(np.int8)
    unsure = (np.abs(turn) <= _BOUND * (np.abs(one) + np.abs(other))) & (one != 0) & (other != 0)
    for index in np.flatnonzero(unsure):
        sides[index] = _side(*map(Fraction, (*edges[index].tolist(), float(x[index]), float(y[index]))))
    return sides


def _side(px: Fraction, py: Fraction, qx: Fraction, qy: Fraction, x: Fraction, y: Fraction) -> int:
    turn = (qx - px) * (y - py) - (qy - py) * (x - px)
    return (turn > 0) - (turn < 0)

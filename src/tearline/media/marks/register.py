"""Where a leaked picture lies on the original: a straight map of the plane, to a small part of a pixel.

First points that stand out (differences of Gaussians) on a ladder of sizes, each with the directions of the
slopes around it (as Lowe, IJCV 60, 2004, and Tola, Lepetit and Fua, PAMI 32, 2010, describe them, upright);
pairs that agree on one turn, scale and shift (Fischler and Bolles, CACM 24, 1981). Then all pixels: least
squares over the six numbers of an affine map, with gain and offset free (Lucas and Kanade, 1981), from
blurred to sharp. No key takes part, so nothing found here can favour one recipient over another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter, uniform_filter, zoom

from tearline.media.marks.keyed import Array

_LADDER = 2**0.5
_LEVELS = 8
_SMALLEST = 32
_POINTS = 300
"""On a level, at most."""
_GRID = 5
_STEP = 4.0
_TURNS = 8
_TRIES = 3000
_NEAR = 4.0
"""Pixels of its level: how far a pair may lie from the map that it agrees with."""
_APART = 10
"""Pixels of the original between two points that make a map."""
_TURNED = 0.5
"""Radians: how far a picture may be turned for its points to look alike."""
_ENOUGH, _PLENTY = 8, 40
"""Pairs that agree: for a guess, and so many that it is none."""


class Points(NamedTuple):
    """What stands out in a picture: places (row, column), their sizes in pixels, and their looks, a unit
    vector each."""

    places: Array
    sizes: Array
    looks: Array


class Leak:
    """A leaked picture, upright and turned by quarters; its points are found when they are asked for."""

    def __init__(self, picture: Array) -> None:
        self.picture = picture
        self._turned: list[Points] = []

    def found_on(self, original: Array) -> Array | None:
        """The map (2 by 3) of (row, column, 1) in the original to (row, column) in the leak, to a pixel or
        two; `None`: not found."""
        here = points(original)
        best, votes = None, _ENOUGH - 1
        for turns in range(4):
            if len(self._turned) == turns:
                self._turned.append(points(np.rot90(self.picture, turns).copy()))
            agreed, found = _agreed(here, self._turned[turns])
            if agreed > votes:
                best, votes = self._turned_back(found, turns), agreed
            if votes >= _PLENTY:
                break
        return best

    def _turned_back(self, found: Array, turns: int) -> Array:
        """A map into `rot90(picture, turns)` as one into the picture."""
        rows, columns = self.picture.shape
        for turn in range(turns, 0, -1):  # (r, c) of rot90(x) is (c, width - 1 - r) of x
            found = np.array([found[1], -found[0]])
            found[1, 2] += (columns if turn % 2 else rows) - 1
        return found


def points(picture: Array) -> Points:
    """Those on all levels of the ladder."""
    places, sizes, looks = [], [], []
    level = picture
    for size in _LADDER ** np.arange(_LEVELS):
        shape = [max(1, round(side / size)) for side in picture.shape]
        if min(shape) < _SMALLEST:
            break
        if size > 1:
            ratios = [a / b for a, b in zip(shape, level.shape, strict=True)]
            level = zoom(gaussian_filter(level, _LADDER / 2), ratios, order=1)
        spots = _standing_out(level)
        looks.append(_looks(level, spots))
        places.append(spots * (np.array(picture.shape) - 1) / (np.array(shape) - 1))
        sizes.append(np.full(len(spots), size))
    if not places:
        return Points(np.zeros((0, 2)), np.zeros(0), np.zeros((0, _GRID * _GRID * _TURNS), np.float32))
    return Points(np.concatenate(places), np.concatenate(sizes), np.concatenate(looks))


def _standing_out(level: Array) -> Array:
    """Local extremes of a difference of Gaussians, the strongest first, away from the edge."""
    response = np.abs(gaussian_filter(level, 1.4) - gaussian_filter(level, 2.2))
    best = (response == maximum_filter(response, 7)) & (response > 0)
    best[:8], best[-8:], best[:, :8], best[:, -8:] = False, False, False, False
    rows, columns = best.nonzero()
    order = np.argsort(-response[rows, columns], kind="stable")[:_POINTS]
    return np.stack([rows[order], columns[order]], axis=1).astype(float)


def _looks(level: Array, spots: Array) -> Array:
    """The slopes around each spot, in eight directions, on a grid of 5 by 5."""
    down, right = np.gradient(gaussian_filter(level, 1.0))
    angles = np.arange(_TURNS) * (2 * np.pi / _TURNS)
    maps = np.stack(
        [uniform_filter(np.maximum(0, np.cos(a) * right + np.sin(a) * down), 7) for a in angles], axis=-1
    )
    offsets = (np.arange(_GRID) - _GRID // 2) * _STEP
    rows = (spots[:, 0, None] + offsets).clip(0, level.shape[0] - 1).astype(int)
    columns = (spots[:, 1, None] + offsets).clip(0, level.shape[1] - 1).astype(int)
    looks: Array = maps[rows[:, :, None], columns[:, None, :]].reshape(len(spots), -1).astype(np.float32)
    for most in (0.2, 1.0):
        looks /= np.linalg.norm(looks, axis=1, keepdims=True) + 1e-20
        looks = np.minimum(looks, most)
    return looks


def _agreed(here: Points, there: Points) -> tuple[int, Array]:
    """The map that most pairs of points agree on, and how many they are."""
    nothing = 0, np.zeros((2, 3))
    if min(len(here.places), len(there.places)) < _ENOUGH:
        return nothing
    alike = there.looks @ here.looks.T
    first = alike.argmax(axis=1)
    mutual = alike.argmax(axis=0)[first] == np.arange(len(first))
    best = alike[np.arange(len(first)), first]
    order = np.argsort(-np.where(mutual, best, -1))[: min(600, int(mutual.sum()))]
    if len(order) < _ENOUGH:
        return nothing
    a = here.places[first[order]] @ np.array([1, 1j])
    b = there.places[order] @ np.array([1, 1j])
    near = _NEAR * there.sizes[order]
    dice = np.random.default_rng(1)
    # Better pairs are tried more often.
    one, two = (len(order) * dice.random((2, _TRIES)) ** 2).astype(int)
    apart = np.abs(a[one] - a[two]) > _APART
    one, two = one[apart], two[apart]
    slope = (b[one] - b[two]) / (a[one] - a[two])
    upright = np.abs(np.angle(slope)) < _TURNED
    one, slope = one[upright], slope[upright]
    start = b[one] - slope * a[one]
    votes = [int((np.abs(m * a + t - b) < near).sum()) for m, t in zip(slope, start, strict=True)]
    if not votes or max(votes) < _ENOUGH:
        return nothing
    m, t = slope[int(np.argmax(votes))], start[int(np.argmax(votes))]
    known = np.stack([a.real, a.imag, np.ones(len(a))], axis=1)
    to = np.stack([b.real, b.imag], axis=1)
    inside = np.abs(m * a + t - b) < near
    found: Array = np.zeros((2, 3))
    for _ in range(4):
        heft = 1 / near[inside, None]
        found = np.linalg.lstsq(known[inside] * heft, to[inside] * heft, rcond=None)[0].T
        inside = np.hypot(*(known @ found.T - to).T) < near
        if inside.sum() < _ENOUGH:
            return nothing
    return int(inside.sum()), found


def refined(original: Array, sound: Array, leak: Array, found: Array) -> Array:
    """The same map, so exact as the pixels allow."""
    scale = float(np.sqrt(abs(np.linalg.det(found[:, :2]))))
    for blur, step in ((6.0, 4), (3.0, 3), (1.5, 2), (1.0, 2)):
        here = _band(original, blur)[::step, ::step]
        there = _band(leak, max(0.7, blur * scale))
        down, right = np.gradient(there)
        rows, columns = np.mgrid[: original.shape[0] : step, : original.shape[1] : step].astype(np.float64)
        usable = sound[::step, ::step]
        for _ in range(6):
            at = found @ np.stack([rows.ravel(), columns.ravel(), np.ones(rows.size)])
            edge = 3 * blur * scale
            inside = usable.ravel() & (at[0] > edge) & (at[1] > edge)
            inside &= (at[0] < leak.shape[0] - 1 - edge) & (at[1] < leak.shape[1] - 1 - edge)
            if inside.sum() < 200:
                return found
            at, y, x = at[:, inside], rows.ravel()[inside], columns.ravel()[inside]
            seen = map_coordinates(there, at, order=1)
            d, r = map_coordinates(down, at, order=1), map_coordinates(right, at, order=1)
            scaled = y - y.mean(), x - x.mean(), np.ones(len(y))
            slopes = [part * unit for part in (d, r) for unit in scaled]
            # here = gain * there(moved) + offset: linear in gain, offset and gain * movement.
            terms = np.stack([seen, np.ones(len(y)), *slopes], axis=1)
            solved = np.linalg.lstsq(terms.T @ terms, terms.T @ here.ravel()[inside], rcond=None)[0]
            if abs(solved[0]) < 1e-12:
                return found
            change = (solved[2:] / solved[0]).reshape(2, 3)
            change[:, 2] -= change[:, :2] @ (y.mean(), x.mean())
            found = found + change
            if np.abs(change @ (original.shape[0], original.shape[1], 1)).max() < 0.002:
                break
    return found


def _band(picture: Array, blur: float) -> Array:
    done: Array = gaussian_filter(picture, blur) - uniform_filter(picture, int(6 * blur) | 1)
    return done


def brought(leak: Array, found: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """The leak on the original's pixels, and where there is some of it."""
    scale = float(np.sqrt(abs(np.linalg.det(found[:, :2]))))
    blurred = gaussian_filter(leak, 0.5 * (scale**2 - 1) ** 0.5) if scale > 1.2 else leak
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    at = found @ np.stack([rows.ravel(), columns.ravel(), np.ones(rows.size)])
    inside = (at[0] > 1) & (at[1] > 1) & (at[0] < leak.shape[0] - 2) & (at[1] < leak.shape[1] - 2)
    done = map_coordinates(blurred, at, order=3, mode="nearest", output=np.float32)
    return done.reshape(shape), inside.reshape(shape)

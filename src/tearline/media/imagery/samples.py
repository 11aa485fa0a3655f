"""The pixels of a form, computed in one pass over the source, a strip of rows at a time.

An averaged pixel is the mean of the source's over its cell, each by the part of its area that lies in it. It
is sound where at least half of its area is; what is not sound (no data, NaN, outside) takes no part.
Memory does not depend on the size of the picture.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
from rasterio.enums import MaskFlags
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling
from rasterio.windows import Window

from tearline.media.imagery.grid import Grid, edges
from tearline.media.imagery.opened import place_of, samples_of

_PIECE = 8 << 20
"""Bytes of source read at once."""
_STRIP = 16 << 20
"""Bytes of form held at once, as 64-bit sums."""

Strip = tuple[Any, Any | None]
"""Samples (band, row, column), and which pixels are sound (row, column); `None`: all are."""


class Source(msgspec.Struct, frozen=True):
    """A dataset, brought into the grid's CRS where it must be."""

    dataset: Any
    bands: list[int]
    masked: bool

    @property
    def dtype(self) -> Any:
        return np.dtype(self.dataset.dtypes[0])

    @property
    def sums(self) -> Any:
        """The type that they are summed in: of up to 16 bits a float of 24 is exact enough."""
        return np.dtype(np.float32 if self.dtype.kind != "f" and self.dtype.itemsize <= 2 else np.float64)

    def read(self, window: Window) -> Strip:
        data = self.dataset.read(self.bands, window=window)
        sound = self.dataset.dataset_mask(window=window) > 0 if self.masked else None
        if np.issubdtype(data.dtype, np.floating):
            finite = np.isfinite(data).all(axis=0)
            if not finite.all():
                sound = finite if sound is None else sound & finite
        return data, sound


@contextlib.contextmanager
def source(dataset: Any, grid: Grid) -> Iterator[Source]:
    """`dataset` as `strips` reads it."""
    bands = samples_of(dataset)
    masked = any(MaskFlags.all_valid not in flags for flags in dataset.mask_flag_enums)
    if not grid.warped:
        yield Source(dataset, bands, masked)
        return
    crs, affine = place_of(dataset) or (None, None)
    with WarpedVRT(
        dataset,
        src_crs=crs,
        src_transform=affine,
        crs=f"EPSG:{grid.epsg}",
        transform=grid.affine,
        width=grid.width,
        height=grid.height,
        resampling=Resampling.average if grid.averaged else Resampling.nearest,
        add_alpha=dataset.nodata is None and len(bands) == dataset.count,
        warp_mem_limit=32,
    ) as warped:
        yield Source(warped, bands, True)


def rows_of(grid: Grid, bands: int) -> int:
    """How many rows a strip, and a tile of the form, has: a power of two from 16 to 256."""
    rows = 256
    while rows > 16 and rows * grid.width * bands * 8 > _STRIP:
        rows //= 2
    return rows


def strips(of: Source, grid: Grid) -> Iterator[Strip]:
    """The form's pixels, `rows_of` rows at a time, the last strip with what is left.

    Averages come as floats, the source's own pixels as they are.
    """
    rows = rows_of(grid, len(of.bands))
    average = grid.averaged and not grid.warped
    if grid.warped or grid.epsg is None:  # the dataset is the grid already
        x, y = np.arange(grid.width + 1.0), np.arange(grid.height + 1.0)
    else:
        x, y = edges(grid, of.dataset.transform)
        x, y = (x, y) if average else (np.rint(x), np.rint(y))
    x, y = x.clip(0, of.dataset.width), y.clip(0, of.dataset.height)
    held: dict[int, _Sums | _Copies] = {}
    done = 0
    for window, (data, sound) in _ahead(of, _pieces(of, x, y)):
        first, last = _cells(y, window.row_off, window.height)
        while done < first // rows:
            yield held.pop(done).strip()
            done += 1
        for strip in range(first // rows, -(-last // rows)):
            if strip not in held:
                kind = _Sums if average else _Copies
                held[strip] = kind(len(of.bands), y[strip * rows : (strip + 1) * rows + 1], x, of)
            held[strip].add(data, sound, window)
    yield from (held[strip].strip() for strip in sorted(held))


def _cells(edge: Any, start: int, count: int) -> tuple[int, int]:
    """Which cells, from and to, the source's pixels from `start` on touch."""
    first = int(np.searchsorted(edge, start, "right")) - 1
    return max(0, first), min(len(edge) - 1, int(np.searchsorted(edge, start + count, "left")))


def _pieces(of: Source, x: Any, y: Any) -> Iterator[Window]:
    """Windows that cover the cells, in order of their rows, cut as the source's blocks are."""
    left, right = int(x[0]), int(np.ceil(x[-1]))
    top, bottom = int(y[0]), int(np.ceil(y[-1]))
    tall, wide = of.dataset.block_shapes[0]
    item = len(of.bands) * of.dtype.itemsize
    if wide >= of.dataset.width:  # strips: whole ones, as many as fit
        columns = right - left
        tall *= max(1, _PIECE // max(1, tall * columns * item))
    else:
        columns = wide * max(1, _PIECE // (tall * wide * item))
    for row in _cuts(top, bottom, tall):
        for column in _cuts(left, right, columns if columns % wide == 0 else right):
            yield Window(column[0], row[0], column[1] - column[0], row[1] - row[0])


def _cuts(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """From `start` to `stop`, cut at multiples of `step`."""
    while start < stop:
        end = min(stop, (start // step + 1) * step)
        yield start, end
        start = end


def _ahead(of: Source, windows: Iterable[Window]) -> Iterator[tuple[Window, Strip]]:
    """Read each window while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        before = None
        for window in windows:
            coming = (window, reader.submit(of.read, window))
            if before:
                yield before[0], before[1].result()
            before = coming
        if before:
            yield before[0], before[1].result()


class _Copies:
    """The samples of one strip, each as it is."""

    def __init__(self, bands: int, y: Any, x: Any, of: Source) -> None:
        self._top, self._left = int(y[0]), int(x[0])
        self._data = np.zeros((bands, len(y) - 1, len(x) - 1), of.dtype)
        self._sound: Any = None

    def add(self, data: Any, sound: Any | None, window: Window) -> None:
        top, left = window.row_off - self._top, window.col_off - self._left
        skip = max(0, -top)  # rows of the strip before
        rows = slice(max(0, top), max(0, min(top + window.height, self._data.shape[1])))
        here = (rows, slice(left, left + window.width))
        there = (slice(skip, skip + rows.stop - rows.start), slice(None))
        self._data[:, *here] = data[:, *there]
        if sound is not None:
            if self._sound is None:
                self._sound = np.ones(self._data.shape[1:], bool)
            self._sound[here] = sound[there]

    def strip(self) -> Strip:
        return self._data, self._sound


class _Sums:
    """The sums over the cells of one strip, by area."""

    def __init__(self, bands: int, y: Any, x: Any, of: Source) -> None:
        self._y, self._x = y, x
        self._sum = np.zeros((bands, len(y) - 1, len(x) - 1), of.sums)
        self._area: Any = None
        """Of what is sound; `None` while all is."""

    def _cell(self) -> Any:
        return np.outer(np.diff(self._y), np.diff(self._x))

    def add(self, data: Any, sound: Any | None, window: Window) -> None:
        rows = slice(*_cells(self._y, window.row_off, window.height))
        columns = slice(*_cells(self._x, window.col_off, window.width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        down = _overlap(self._y[rows.start : rows.stop + 1], window.row_off, window.height)
        inside = (self._x[columns.start : columns.stop + 1] - window.col_off).clip(0, window.width)
        if sound is not None and not sound.all():
            if self._area is None:  # all before was sound: of the whole cells, what is not is taken off
                self._area = self._cell()
            self._area[rows, columns] -= _across(_down(down, ~sound, np.float64), inside)
            data = np.where(sound, data, data.dtype.type(0))
        for band, samples in enumerate(data):
            self._sum[band, rows, columns] += _across(_down(down, samples, self._sum.dtype), inside)

    def strip(self) -> Strip:
        area, sound = self._cell(), None
        if self._area is not None:
            sound = self._area >= area / 2
            area = np.where(sound, self._area, 1.0)
        self._sum /= area.astype(self._sum.dtype)
        return self._sum, sound


def _overlap(edge: Any, start: int, count: int) -> Any:
    """How much of each source row lies in each row of cells: (cells, rows)."""
    at = np.arange(start, start + count)
    low, high = np.maximum(edge[:-1, None], at), np.minimum(edge[1:, None], at + 1)
    return (high - low).clip(0, None)


def _down(weights: Any, samples: Any, kind: Any) -> Any:
    """Sums down the columns. A row of cells reaches over few rows of samples: only those are taken."""
    out = np.zeros((len(weights), samples.shape[1]), kind)
    for cell, weight in enumerate(weights):
        (used,) = weight.nonzero()
        if len(used):
            part = slice(used[0], used[-1] + 1)
            out[cell] = weight[part].astype(kind) @ samples[part].astype(kind)
    return out


def _across(rows: Any, edge: Any) -> Any:
    """Sums along the rows between the edges: whole samples first, then the parts at the edges."""
    whole = np.minimum(edge.astype(np.intp), rows.shape[1])
    sums = _between(rows, whole)
    if (part := (edge - whole).astype(rows.dtype)).any():
        sums += np.diff(part * rows[:, np.minimum(whole, rows.shape[1] - 1)], axis=1)
    return sums


def _between(rows: Any, at: Any) -> Any:
    steps = np.diff(at)
    if len(steps) > 3 and (steps[1:-1] == steps[1]).all() and steps[1]:  # five times as fast
        sums = np.empty((len(rows), len(steps)), rows.dtype)
        inner = rows[:, at[1] : at[-2]].reshape(len(rows), -1, steps[1])
        sums[:, 1:-1] = inner @ np.ones(steps[1], rows.dtype)
        for cell in (0, -1):
            sums[:, cell] = rows[:, at[:-1][cell] : at[1:][cell]].sum(axis=1)
        return sums
    sums = np.add.reduceat(rows[:, : max(1, at[-1])], np.minimum(at[:-1], max(0, at[-1] - 1)), axis=1)
    sums[:, steps == 0] = 0  # reduceat gives the one sample there
    return sums

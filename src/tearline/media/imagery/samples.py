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
from tearline.media.imagery.opened import samples_of

_PIECE = 12 << 20
"""Bytes of source read at once."""
_STRIP = 24 << 20
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
    with WarpedVRT(
        dataset,
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

    Averages come as 64-bit floats, the source's own pixels as they are.
    """
    rows = rows_of(grid, len(of.bands))
    if grid.averaged and not grid.warped:
        yield from _averaged(of, grid, rows)
        return
    affine = of.dataset.transform
    left = 0 if grid.warped or grid.epsg is None else round((grid.left - affine.c) / affine.a)
    top = 0 if grid.warped or grid.epsg is None else round((grid.top - affine.f) / affine.e)
    windows = (
        Window(left, top + row, grid.width, min(rows, grid.height - row))
        for row in range(0, grid.height, rows)
    )
    yield from (piece for _, piece in _ahead(of, windows))


def _averaged(of: Source, grid: Grid, rows: int) -> Iterator[Strip]:
    x, y = edges(grid, of.dataset.transform)
    x, y = x.clip(0, of.dataset.width), y.clip(0, of.dataset.height)
    sums: dict[int, _Sums] = {}
    done = 0
    for window, (data, sound) in _ahead(of, _pieces(of, x, y)):
        first = max(0, int(np.searchsorted(y, window.row_off, "right")) - 1)
        last = min(grid.height, int(np.searchsorted(y, window.row_off + window.height, "left")))
        while done < first // rows:
            yield sums.pop(done).mean()
            done += 1
        for strip in range(first // rows, -(-last // rows)):
            if strip not in sums:
                sums[strip] = _Sums(len(of.bands), y[strip * rows : (strip + 1) * rows + 1], x)
            sums[strip].add(data, sound, window)
    yield from (sums[strip].mean() for strip in sorted(sums))


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


class _Sums:
    """The sums over the cells of one strip, by area."""

    def __init__(self, bands: int, y: Any, x: Any) -> None:
        self._y, self._x = y, x
        self._sum = np.zeros((bands, len(y) - 1, len(x) - 1))
        self._area: Any = None
        """Of what is sound; `None` while all is."""
        self._cell = np.outer(np.diff(y), np.diff(x))

    def add(self, data: Any, sound: Any | None, window: Window) -> None:
        rows = slice(
            max(0, int(np.searchsorted(self._y, window.row_off, "right")) - 1),
            min(len(self._y) - 1, int(np.searchsorted(self._y, window.row_off + window.height, "left"))),
        )
        if rows.start >= rows.stop:
            return
        down = _overlap(self._y[rows.start : rows.stop + 1], window.row_off, window.height)
        first = max(0, int(np.searchsorted(self._x, window.col_off, "right")) - 1)
        last = min(len(self._x) - 1, int(np.searchsorted(self._x, window.col_off + window.width, "left")))
        inside = (self._x[first : last + 1] - window.col_off).clip(0, window.width)
        here = (rows, slice(first, last))
        if sound is not None and not sound.all():
            if self._area is None:
                # What was summed before was all sound: take the whole cells, and off what is not.
                self._area = self._cell.copy()
            self._area[here] -= _across(_down(down, ~sound, exact=False), inside)
            data = np.where(sound, data, data.dtype.type(0))
        exact = data.dtype.itemsize > 2
        for band, samples in enumerate(data):
            self._sum[band][here] += _across(_down(down, samples, exact=exact), inside)

    def mean(self) -> Strip:
        if self._area is None:
            return self._sum / self._cell, None
        sound = self._area >= self._cell / 2
        return self._sum / np.where(sound, self._area, 1.0), sound


def _overlap(edge: Any, start: int, count: int) -> Any:
    """How much of each source row lies in each row of cells: (cells, rows)."""
    at = np.arange(start, start + count)
    low, high = np.maximum(edge[:-1, None], at), np.minimum(edge[1:, None], at + 1)
    return (high - low).clip(0, None)


def _down(weights: Any, samples: Any, *, exact: bool) -> Any:
    """Sums down the columns. A row of cells reaches over few rows of samples: only those are taken."""
    kind = np.float64 if exact else np.float32
    out = np.zeros((len(weights), samples.shape[1]), kind)
    for cell, weight in enumerate(weights):
        (used,) = weight.nonzero()
        if len(used):
            part = slice(used[0], used[-1] + 1)
            out[cell] = weight[part].astype(kind) @ samples[part].astype(kind)
    return out


def _across(rows: Any, edge: Any) -> Any:
    """Integrals along the rows between the edges, by differences of the running sum."""
    total = np.zeros((rows.shape[0], rows.shape[1] + 1))
    np.cumsum(rows, axis=1, out=total[:, 1:])
    whole = np.minimum(edge.astype(np.intp), rows.shape[1])
    part = edge - whole
    beyond = np.minimum(whole, rows.shape[1] - 1)
    return np.diff(total[:, whole] + part * rows[:, beyond], axis=1)

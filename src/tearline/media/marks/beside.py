"""Draws a leaked picture beside the original: whole, and the leak laid over the part that it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from tearline.media import Drawing
from tearline.media.imagery.preview import painted, png, toned
from tearline.media.marks.keyed import Array
from tearline.media.marks.leaked import Leaked
from tearline.media.marks.register import brought


def drawn(dataset: Any, seen: Leaked, found: Array, part: tuple[int, int, int, int], pixels: int) -> Drawing:
    """`found`: the map (2 by 3) of (row, column, 1) in the original to (row, column) in the leak; `part`:
    left, top, right, bottom in the original."""
    left, top, right, bottom = part
    rows, columns = seen.grey.shape
    corners = np.array([[0, 0, rows, rows], [0, columns, columns, 0]], float)
    down, across = np.linalg.solve(found[:, :2], corners - found[:, 2:])
    moved = found.copy()
    moved[:, 2] += found[:, :2] @ (top, left)
    bands = seen.grey[None] if seen.shown is None else seen.shown.transpose(2, 0, 1).astype(np.float32)
    laid, inside = zip(*(brought(band, moved, (bottom - top, right - left)) for band in bands), strict=True)
    return Drawing(
        original=png(painted(dataset, pixels)),
        outline=tuple(
            (float(x / dataset.width), float(y / dataset.height)) for x, y in zip(across, down, strict=True)
        ),
        leak=png(_toned(seen, bands, np.ones(seen.grey.shape, bool), pixels)),
        part=part,
        here=png(painted(dataset, pixels, part)),
        laid=png(_toned(seen, np.stack(laid), inside[0], pixels)),
    )


def _toned(seen: Leaked, bands: Array, inside: Array, pixels: int) -> Any:
    by = min(1.0, pixels / max(inside.shape))
    if by < 1.0:
        blur = 0.5 / by
        bands = np.stack(
            [zoom(gaussian_filter(band, blur), by, order=1, grid_mode=True, mode="nearest") for band in bands]
        )
        inside = zoom(inside.astype(np.float32), by, order=0, grid_mode=True, mode="nearest") > 0
    return toned(bands.astype(np.float64), inside, plain=seen.shown is not None).transpose(1, 2, 0)

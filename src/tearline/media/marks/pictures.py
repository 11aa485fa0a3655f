"""A form of a picture with its mark, and the score of each seed in a leaked picture."""

from __future__ import annotations

import cmath
import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter, zoom

from tearline.media import Answer, Detect, Detected, Made, Mark, Request
from tearline.media.imagery import nitf_file, tiff
from tearline.media.imagery.grid import Grid
from tearline.media.imagery.make import hashed
from tearline.media.imagery.opened import MEDIA_TYPES, format_of, opened, place_of, samples_of
from tearline.media.imagery.picture import Picture
from tearline.media.imagery.tags import first_page, reopened
from tearline.media.marks.beside import drawn
from tearline.media.marks.compare import hefts, likeness, rest, scores
from tearline.media.marks.keyed import Array, chance
from tearline.media.marks.leaked import Leaked, leaked
from tearline.media.marks.pattern import HALO, MOST, Levels, flat, levels, strips, weights
from tearline.media.marks.register import Leak, brought, refined
from tearline.terms import BadInput

_SIDE = 2048
"""Pixels a side of the original that are compared; more would not tell more."""
_LOOK = 1536
"""Pixels a side in which points are looked for."""
_TILES = 48
"""Parts of a large original that are looked at one by one, where the leak is not found on the whole."""
_LEAST = 48
"""Pixels a side of what can be compared."""
_SURELY = 0.5
_MEETS = 0.2
"""The least correlation of leak and original at which they are taken to show the same."""


class Form:
    """A form that was made, as `pattern.Raster`."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.width, self.height = dataset.width, dataset.height
        self.rows = dataset.block_shapes[0][0]
        self._bands = samples_of(dataset)

    def read(self, top: int, bottom: int) -> tuple[Array, Array]:
        return self.window(top, bottom, 0, self.width)

    def window(self, top: int, bottom: int, left: int, right: int) -> tuple[Array, Array]:
        """As `read`, of some columns."""
        window = Window(left, top, right - left, bottom - top)
        data = self._dataset.read(self._bands, window=window)
        sound = self._dataset.dataset_mask(window=window) > 0
        if data.dtype.kind == "f":
            sound &= np.isfinite(data).all(axis=0)
        return data, sound

    def small(self, shape: tuple[int, int]) -> tuple[Array, Array]:
        """All of it in so many rows and columns."""
        data = self._dataset.read(self._bands, out_shape=(len(self._bands), *shape))
        sound = self._dataset.dataset_mask(out_shape=shape) > 0
        if data.dtype.kind == "f":
            sound &= np.isfinite(data).all(axis=0)
        return data, sound


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Do one request about a mark. Raises `BadInput`."""
    match request:
        case Mark():
            return mark(request, progress)
        case Detect():
            return detect(request, progress)
    raise BadInput("", "", "is no request about marks")


def mark(request: Mark, progress: Callable[[float], None]) -> Made:
    """Raises `BadInput` where there is nothing that could bear a mark."""
    path, target = Path(request.source), Path(request.target)
    kind = format_of(path)
    with opened(path) as dataset:
        form = Form(dataset)
        usual = levels(form)
        if not any(usual.span):
            raise BadInput("", "its pixels", "are all alike: it cannot bear a mark")
        marked = _told(strips(form, usual, request.seed), form.height, progress)
        if kind == "nitf":
            shutil.copyfile(path, target)
            picture = _picture(dataset, form, {})
            with target.open("r+b") as file:
                file.seek(path.stat().st_size - nitf_file.length(picture))
                nitf_file.write_samples(file, picture, marked)
        else:
            with reopened(path) as tagged, target.open("w+b") as file:
                tags = {tag.code: tag.value for tag in first_page(tagged).tags.values()}
                tiff.write(file, _picture(dataset, form, tags), marked)
    sha256, size = hashed(target)
    most = max(usual.rms)
    did = (
        f"marked for its recipient: samples moved by {most:.3g} (rms), and by no more than {MOST * most:.3g}"
    )
    made = request.made
    return Made(
        sha256=sha256, size=size, media_type=MEDIA_TYPES[kind], facts=made.facts, did=(*made.did, did)
    )


def _told(marked: Iterable[Array], height: int, progress: Callable[[float], None]) -> Iterator[Array]:
    done = 0
    for strip in marked:
        yield strip
        done += strip.shape[1]
        progress(done / height)


def _picture(dataset: Any, form: Form, tags: dict[int, Any]) -> Picture:
    """All that the form tells, from its own tags: it is written again as it was."""
    left, top, across, down, epsg = 0.0, 0.0, 1.0, 1.0, None
    if 34735 in tags:
        (across, down, _), (left, top) = tags[33550], tags[33922][3:5]
        epsg = tags[34735][15]
    dtype, blank = dataset.dtypes[0], tags.get(42113)
    return Picture(
        grid=Grid(
            epsg=epsg,
            left=left,
            top=top,
            across=across,
            down=down,
            width=form.width,
            height=form.height,
            averaged=False,
        ),
        bands=dataset.count,
        dtype=dtype,
        colours=tags.get(262) == 2,
        blank=None if blank is None else float(blank),
        rows=form.rows,
        time="".join(filter(str.isdigit, tags.get(306, ""))),
        packed=tags.get(259, 1) != 1,
    )


# --- Whose mark ----------------------------------------------------------------------------------


def detect(request: Detect, progress: Callable[[float], None]) -> Detected:
    """Lay the leak over the original, take away what both show, and score each seed. Raises `BadInput`."""
    seen = leaked(Path(request.leaked))
    if min(seen.grey.shape) < _LEAST or not np.ptp(seen.grey):
        raise BadInput("", "the leaked picture", "is too small, or shows nothing")
    with opened(Path(request.original)) as dataset:
        form = Form(dataset)
        usual = levels(form)
        progress(0.2)
        best: _Laid | None = None
        for found, way in _ways(form, usual, seen, dataset):
            laid = _laid(form, usual, seen.grey, found, way)
            if laid is not None and (best is None or laid.likeness > best.likeness):
                best = laid
            if best is not None and best.likeness > _SURELY:
                break
        progress(0.6)
        if best is None or best.likeness < _MEETS:
            return Detected(scores=(), how="it could not be laid over the original")
        left = rest(best.bands, best.leak, best.inside)
        weighed = hefts(left, best.strength, best.inside)
        found_scores = tuple(scores(weighed, best.place, request.seeds))
        drawing = drawn(dataset, seen, best.found, best.part(), request.pixels) if request.pixels else None
    return Detected(
        scores=found_scores,
        chances=tuple(map(chance, found_scores)),
        how=best.told(),
        likeness=best.likeness,
        samples=int(best.inside.sum()),
        drawing=drawing,
    )


class _Laid(NamedTuple):
    """A part of the original, and the leak on its pixels."""

    bands: Array
    """(band, row, column), each band in parts of its span."""
    strength: Array
    leak: Array
    inside: Array
    place: tuple[int, int]
    """Row and column of the part."""
    found: Array
    way: str
    likeness: float

    def part(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what both show."""
        rows, columns = (np.flatnonzero(self.inside.any(axis=axis)) for axis in (1, 0))
        top, left = self.place
        return (
            left + int(columns[0]),
            top + int(rows[0]),
            left + int(columns[-1]) + 1,
            top + int(rows[-1]) + 1,
        )

    def told(self) -> str:
        slope = complex(self.found[0, 0] + self.found[1, 1], self.found[1, 0] - self.found[0, 1]) / 2
        rows, columns = self.inside.any(axis=1).sum(), self.inside.any(axis=0).sum()
        return (
            f"laid over the original by {self.way}: {columns} by {rows} of its pixels from column "
            f"{self.place[1]}, row {self.place[0]}; {abs(slope):.3f} times as large, turned by "
            f"{math.degrees(cmath.phase(slope)):.2f} degrees; correlation {self.likeness:.3f}"
        )


def _ways(form: Form, usual: Levels, seen: Leaked, dataset: Any) -> Iterator[tuple[Array, str]]:
    """Maps from the original to the leak, the likeliest first."""
    place = place_of(dataset)
    if place is not None and seen.place is not None and place[0] == seen.place[0]:
        ours, theirs = place[1], seen.place[1]
        across = ~theirs * ours  # (column, row) to (column, row), edges of pixels
        found = np.array([[across.e, across.d, across.f], [across.b, across.a, across.c]])
        found[:, 2] += found[:, :2] @ (0.5, 0.5) - 0.5
        yield found, "its place on the earth"
    shrink = max(1.0, max(seen.grey.shape) / _LOOK)
    leak = Leak(_shrunk(seen.grey, shrink))
    to_leak = np.diag([shrink, shrink])
    coarser = max(1.0, max(form.width, form.height) / _LOOK)
    shape = max(1, round(form.height / coarser)), max(1, round(form.width / coarser))
    data, sound = form.small(shape)
    if (on_all := leak.found_on(flat(data, sound, usual))) is not None:
        yield to_leak @ on_all @ np.diag([shape[0] / form.height, shape[1] / form.width, 1.0]), "points"
    if coarser == 1.0:
        return
    for top, left in _tiles(form):
        bottom, right = min(form.height, top + _LOOK), min(form.width, left + _LOOK)
        part = flat(*form.window(top, bottom, left, right), usual)
        if (on_part := leak.found_on(part)) is not None:
            yield to_leak @ _moved(on_part, (top, left)), "points"


def _moved(found: Array, place: tuple[int, int]) -> Array:
    """A map from a part at `place` as one from the whole."""
    moved = found.copy()
    moved[:, 2] -= found[:, :2] @ place
    return moved


def _tiles(form: Form) -> list[tuple[int, int]]:
    step = _LOOK * 2 // 3
    return [(top, left) for top in range(0, form.height, step) for left in range(0, form.width, step)][
        :_TILES
    ]


def _shrunk(picture: Array, by: float) -> Array:
    return picture if by == 1.0 else zoom(gaussian_filter(picture, 0.5 * by), 1 / by, order=1)


def _laid(form: Form, usual: Levels, leak: Array, found: Array, way: str) -> _Laid | None:
    """The leak on the part of the original that it shows; `None` where that is nothing."""
    rows, columns = leak.shape
    corners = np.array([[0, 0, rows, rows], [0, columns, 0, columns]], float)
    try:
        back = np.linalg.solve(found[:, :2], corners - found[:, 2:])
    except np.linalg.LinAlgError:
        return None
    (top, left), (bottom, right) = back.min(axis=1), back.max(axis=1)
    top, bottom = _middle(top, bottom, form.height)
    left, right = _middle(left, right, form.width)
    if min(bottom - top, right - left) < _LEAST:
        return None
    above, below = max(0, top - HALO), min(form.height, bottom + HALO)
    data, sound = form.window(above, below, left, right)
    grey = flat(data, sound, usual)
    exact = refined(grey, sound, leak, _moved(found, (-above, -left)))
    laid, inside = brought(leak, exact, grey.shape)
    inside &= sound
    if inside.sum() < _LEAST * _LEAST:
        return None
    spans = [(low + high) / 2 for low, high in zip(usual.low, usual.high, strict=True)]
    bands = np.stack(
        [
            np.where(sound, (band - middle) / (span or 1.0), 0).astype(np.float32)
            for band, middle, span in zip(data, spans, usual.span, strict=True)
        ]
    )
    return _Laid(
        bands=bands,
        strength=weights(data, sound, usual),
        leak=laid,
        inside=inside,
        place=(above, left),
        found=_moved(exact, (above, left)),
        way=way,
        likeness=likeness(grey, laid, inside),
    )


def _middle(first: float, last: float, end: int) -> tuple[int, int]:
    """Whole numbers inside, no more than `_SIDE` of them."""
    start, stop = max(0, math.floor(first)), min(end, math.ceil(last))
    spare = max(0, stop - start - _SIDE) // 2
    return start + spare, min(stop, start + spare + _SIDE)

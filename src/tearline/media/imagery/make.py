"""Makes the form of a picture: only what is computed here, from samples and the form, gets into the file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rasterio.enums import ColorInterp, Compression

from tearline.media import Made, Make
from tearline.media.imagery import nitf_file, tiff
from tearline.media.imagery.grid import Grid, plan
from tearline.media.imagery.nitf import mark_anew, written
from tearline.media.imagery.opened import MEDIA_TYPES, Format, facts_of, format_of, gsd_of, opened
from tearline.media.imagery.picture import Picture, blank_of, box, gsd, instant, told
from tearline.media.imagery.samples import Source, Strip, rows_of, source, strips
from tearline.terms import BadInput, Grain, Imagery, ImageryForm

_STEP = 1 << 20
_Progress = Callable[[float], None]
_Change = Callable[[Any], Any]


def make(request: Make, progress: _Progress, change: _Change | None = None) -> Made:
    """Raises `BadInput` where the form cannot be made; the target may be half written then.

    `change`, for plug-ins, does something more to each strip of the finished form: from an array of shape
    (bands, rows, columns) it gives one of the same shape. What is not sound stays so.
    """
    path, target = Path(request.source), Path(request.target)
    kind = format_of(path)
    if isinstance(request.form, ImageryForm):
        facts, did = _form(path, kind, target, request, request.form, progress, change)
    elif request.form is None and kind == "nitf":
        mark_anew(path, target, request.marking, progress)
        with opened(target) as dataset:
            facts = facts_of(dataset, kind)
        did = ["security fields written anew"]
    else:
        raise BadInput("", "the form", "is not one of a picture")
    sha256, size = hashed(target)
    return Made(sha256=sha256, size=size, media_type=MEDIA_TYPES[facts.format], facts=facts, did=tuple(did))


def _form(
    path: Path,
    kind: Format,
    target: Path,
    request: Make,
    form: ImageryForm,
    progress: _Progress,
    change: _Change | None,
) -> tuple[Imagery, list[str]]:
    new: Format = "nitf" if kind == "nitf" else "geotiff"
    security = written(request.marking) if new == "nitf" else {}
    with opened(path) as dataset:
        grid = plan(dataset, form)
        with source(dataset, grid) as of:
            if not of.bands:
                raise BadInput("", "its samples", "are transparency alone")
            scale = _scale(of, grid, form.bits)
            picture = _picture(dataset, of, grid, scale, told(request.taken, form.time))
            finished = _finished(of, picture, scale, progress, change)
            with target.open("w+b") as file:
                if new == "nitf":
                    nitf_file.write(file, picture, security, finished)
                else:
                    tiff.write(file, picture, finished)
        did = _did(gsd_of(dataset), grid, picture, form)
    facts = Imagery(
        format=new,
        width=grid.width,
        height=grid.height,
        bands=picture.bands,
        dtype=picture.dtype,
        gsd_m=gsd(grid),
        box=box(grid),
        taken=instant(request.taken, form.time),
    )
    return facts, did


class _Scale(msgspec.Struct, frozen=True):
    """A straight line from samples to whole numbers of fewer bits."""

    dtype: str
    low: float
    high: float

    def apply(self, data: Any, blank: float | None) -> Any:
        base = 0 if blank is None else 1
        steps = np.iinfo(self.dtype).max - base
        span = self.high - self.low
        return (data - self.low) * (steps / span if span else 0.0) + base


def _scale(of: Source, grid: Grid, bits: int | None) -> _Scale | None:
    """The line is laid through the least and the greatest sample of the form itself, and of nothing else."""
    if bits is None or of.dtype.itemsize * 8 <= bits:
        return None
    low, high = math.inf, -math.inf
    for data, sound in strips(of, grid):
        here = data if sound is None else data[:, sound]
        if here.size:
            low, high = min(low, float(here.min())), max(high, float(here.max()))
    return _Scale(f"uint{bits}", low, high) if low <= high else _Scale(f"uint{bits}", 0.0, 0.0)


def _picture(dataset: Any, of: Source, grid: Grid, scale: _Scale | None, time: str) -> Picture:
    dtype = scale.dtype if scale else str(of.dtype)
    colours = [dataset.colorinterp[band - 1] for band in of.bands]
    return Picture(
        grid=grid,
        bands=len(of.bands),
        dtype=dtype,
        colours=colours == [ColorInterp.red, ColorInterp.green, ColorInterp.blue] and dtype[0] == "u",
        blank=blank_of(dtype, of.masked or of.dtype.kind == "f"),
        rows=rows_of(grid, len(of.bands)),
        time=time,
        packed=dataset.compression not in (None, Compression.none),
    )


def _finished(
    of: Source, picture: Picture, scale: _Scale | None, progress: _Progress, change: _Change | None
) -> Iterator[Any]:
    """The strips in the form's type of sample."""
    kind, blank, done = np.dtype(picture.dtype), picture.blank, 0
    for strip in strips(of, picture.grid):
        data, sound = (scale.apply(strip[0], blank), strip[1]) if scale else strip
        if kind.kind != "f" and data.dtype != kind:
            data = np.rint(data, out=data)  # within bounds: a mean is, and what is scaled is
        data = data.astype(kind, copy=False)
        if change:
            data = alike(change(data), data)
        done += data.shape[1]
        yield data if blank is None else _blanked((data, sound), kind, blank)
        progress(done / picture.grid.height)


def _blanked(strip: Strip, kind: Any, blank: float) -> Any:
    data, sound = strip
    if kind.kind != "f":
        data = np.maximum(data, kind.type(blank + 1))  # what is sound must not look as if it were not
    return data if sound is None else np.where(sound, data, kind.type(blank))


def _did(own: float | None, grid: Grid, picture: Picture, form: ImageryForm) -> list[str]:
    did = ["built anew from samples; every tag, field and extension left out but those of the form"]
    if grid.averaged:
        did.append(
            f"pixels of {own:g} m averaged over cells of {gsd(grid):g} m on the grid of EPSG:{grid.epsg}"
        )
    if grid.warped:
        did.append(f"brought into EPSG:{grid.epsg}")
    if form.area:
        did.append(f"cropped to {grid.width} by {grid.height} pixels inside the area")
    if form.bits:
        did.append(f"samples are {picture.dtype}")
    did.append(
        "time left out" if form.time is Grain.NONE or not picture.time else f"time told by {form.time}"
    )
    return did


def alike(changed: Any, data: Any) -> Any:
    """What a plug-in made of `data`, in the same type. Raises `BadInput` for another shape."""
    changed = np.asarray(changed)
    if changed.shape != data.shape or changed.dtype.kind not in "uif":
        raise BadInput("", "its samples", "were changed into others than there can be")
    return changed.astype(data.dtype, copy=False)


def hashed(path: Path) -> tuple[str, int]:
    """SHA-256 and size."""
    total, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_STEP):
            total.update(piece)
            size += len(piece)
    return total.hexdigest(), size

"""Opens a picture, with all that could do harm switched off, and tells what it is.

What a file is, is told by its first bytes. GDAL is given one driver, no neighbours of the file and no
network; the process around it has neither anyway (`adapters.sandbox`).
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import from_gcps
from rasterio.warp import transform as to_crs
from rasterio.windows import Window

from tearline.terms import BadInput, Box, Imagery

Format = Literal["geotiff", "nitf", "jp2"]

MEDIA_TYPES: dict[Format, str] = {
    "geotiff": "image/tiff; application=geotiff",
    "nitf": "image/nitf",
    "jp2": "image/jp2",
}
_MAGIC: dict[bytes, Format] = {
    b"II*\0": "geotiff",
    b"MM\0*": "geotiff",
    b"II+\0": "geotiff",
    b"MM\0+": "geotiff",
    b"NITF02.10": "nitf",
    b"NSIF01.00": "nitf",
    b"\0\0\0\x0cjP  \r\n\x87\n": "jp2",
}
_DRIVERS: dict[Format, str] = {"geotiff": "GTiff", "nitf": "NITF", "jp2": "JP2OpenJPEG"}
_TYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
_OPTIONS = {
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_CACHEMAX": 24 << 20,
    "GDAL_NUM_THREADS": "1",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GDAL_ALLOW_LARGE_LIBJPEG_MEM_ALLOC": "NO",
    "PROJ_NETWORK": "OFF",
}

MAX_SIDE, MAX_BANDS = 1_000_000, 512
MAX_BLOCK = 64 << 20
"""Bytes of one tile or strip, decoded: the most that has to be held at once to read any part."""
_BOMB = 1100
"""Deflate packs 1032 to 1 at best (zlib's technical details); what claims to be packed tighter is a trap."""
_FREE = 64 << 20
"""Bytes of pixels that any file may claim."""
GDAL_ERRORS = (RasterioError, CPLE_BaseError)
"""What rasterio raises; the second where it hands on what GDAL says."""
_NO_WORDS = frozenset({"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "NITF_METADATA", "SUBDATASETS"})
"""What GDAL says of itself, and the header of a NITF as one blob, whose fields are told one by one."""
_WGS84 = "EPSG:4326"
_A, _E2 = 6378137.0, 0.00669437999014


def format_of(path: Path) -> Format:
    """Raises `BadInput` where it is no picture that we read."""
    with path.open("rb") as file:
        head = file.read(16)
    for magic, found in _MAGIC.items():
        if head.startswith(magic):
            return found
    if head.startswith((b"NITF", b"NSIF")):
        raise BadInput("", "its version", "is not NITF 2.1 or NSIF 1.0")
    raise BadInput("", "its first bytes", "are not those of a GeoTIFF, a NITF 2.1 or a JPEG 2000 (JP2)")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The picture as a rasterio dataset, once its claims are seen to be possible. Raises `BadInput`."""
    kind = format_of(path)
    options = {} if kind == "nitf" else {"GEOREF_SOURCES": "INTERNAL"}
    with rasterio.Env(**_OPTIONS), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            dataset = rasterio.open(path, driver=_DRIVERS[kind], sharing=False, **options)
        except GDAL_ERRORS:
            raise BadInput("", "", "is damaged or is not what its first bytes say") from None
        with dataset:
            if kind == "nitf" and dataset.subdatasets and not dataset.count:
                dataset.close()
                dataset = rasterio.open(f"NITF_IM:0:{path}", driver="NITF", sharing=False)
            _must_be_possible(dataset, path.stat().st_size)
            try:
                yield dataset
            except GDAL_ERRORS:
                raise BadInput("", "its pixels", "cannot be decoded") from None
            finally:
                dataset.close()


def _must_be_possible(dataset: Any, size: int) -> None:
    if not dataset.count:
        raise BadInput("", "", "holds no picture")
    if max(dataset.width, dataset.height) > MAX_SIDE or dataset.count > MAX_BANDS:
        raise BadInput("", "its size", f"is beyond {MAX_SIDE} pixels a side or {MAX_BANDS} bands")
    if len(kinds := {*dataset.dtypes}) > 1 or not kinds <= _TYPES:
        raise BadInput("", "its samples", f"are {', '.join(sorted(kinds))}: not taken")
    if ColorInterp.palette in dataset.colorinterp:
        raise BadInput("", "its samples", "are the numbers of a palette", "convert them to colours")
    item = np.dtype(dataset.dtypes[0]).itemsize
    raw = dataset.width * dataset.height * dataset.count * item
    if raw > max(_FREE, _BOMB * size):
        raise BadInput("", "its size", f"claims {raw} bytes of pixels in a file of {size}")
    height, width = dataset.block_shapes[0]
    bands = dataset.count if dataset.interleaving and dataset.interleaving.value == "PIXEL" else 1
    if width * height * bands * item > MAX_BLOCK:
        raise BadInput("", "its tiles", f"are larger than {MAX_BLOCK >> 20} MB each", "tile it anew")


def facts_of(dataset: Any, kind: Format) -> Imagery:
    """What the picture is. Raises `BadInput` where its place on the earth is absurd."""
    return Imagery(
        format=kind,
        width=dataset.width,
        height=dataset.height,
        bands=len(samples_of(dataset)),
        dtype=dataset.dtypes[0],
        gsd_m=gsd_of(dataset),
        box=box_of(place_of(dataset), dataset.width, dataset.height),
        taken=_taken(dataset, kind),
    )


def samples_of(dataset: Any) -> list[int]:
    """The numbers of its bands, from 1, but those of transparency."""
    return [number for number, kind in enumerate(dataset.colorinterp, 1) if kind is not ColorInterp.alpha]


def place_of(dataset: Any) -> tuple[Any, Any] | None:
    """Its CRS and affine transform, or `None` where it has no place. Raises `BadInput` for an absurd one."""
    crs, affine = dataset.crs, dataset.transform
    points, points_crs = dataset.gcps
    if crs is None and points and points_crs:
        crs, affine = points_crs, from_gcps(points)
        if not _straight(affine, points):
            return None
    if crs is None or not (crs.is_projected or crs.is_geographic):
        return None
    if not all(map(math.isfinite, affine)) or affine.determinant == 0:
        raise BadInput("", "its place on the earth", "is not a place: its pixels have no size")
    return crs, affine


def _straight(affine: Any, points: Any) -> bool:
    """Whether control points lie where `affine` puts them, within two pixels; a bent picture has no place."""
    at = on_map(affine, [(point.col, point.row) for point in points])
    slack = 2 * math.sqrt(abs(affine.determinant))
    return all(math.dist(spot, (point.x, point.y)) <= slack for spot, point in zip(at, points, strict=True))


def gsd_of(dataset: Any) -> float | None:
    """Metres between neighbouring pixels at the centre, along the finer axis; `None` where not known."""
    if (place := place_of(dataset)) is None:
        return None
    crs, affine = place
    metres = min(ground_size(crs, affine, dataset.width / 2, dataset.height / 2))
    if not 1e-3 <= metres <= 1e6:
        raise BadInput("", "its place on the earth", f"gives pixels of {metres:.3g} m")
    return metres


def on_map(affine: Any, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where (column, row) lie in units of the CRS."""
    return [
        (affine.a * column + affine.b * row + affine.c, affine.d * column + affine.e * row + affine.f)
        for column, row in points
    ]


def around(width: int, height: int) -> list[tuple[float, float]]:
    """Points along the edge of a picture: a map bends straight lines."""
    edge = [(step * width / 20, side * height) for step in range(21) for side in (0, 1)]
    return edge + [(side * width, step * height / 20) for step in range(21) for side in (0, 1)]


def ground_size(crs: Any, affine: Any, column: float, row: float) -> tuple[float, float]:
    """How wide and how high, in metres, a pixel is on the ground there.

    Within one percent of what the CRS says itself, it is that: the rest is the projection's scale.
    """
    corners = on_map(affine, ((column, row), (column + 1, row), (column, row + 1)))
    longitude, latitude = geographic(crs, *zip(*corners, strict=True))
    phi = math.radians(latitude[0])
    bend = 1 - _E2 * math.sin(phi) ** 2
    east, north = math.radians(_A * math.cos(phi) / bend**0.5), math.radians(_A * (1 - _E2) / bend**1.5)
    unit = crs.linear_units_factor[1] if crs.is_projected else 0.0
    sizes = []
    for other, said in ((1, math.hypot(affine.a, affine.d)), (2, math.hypot(affine.b, affine.e))):
        turn = (longitude[other] - longitude[0] + 180) % 360 - 180
        size = math.hypot(turn * east, (latitude[other] - latitude[0]) * north)
        nominal = said * unit
        plain = nominal and abs(size / nominal - 1) < 0.01
        sizes.append(float(f"{nominal if plain else size:.6g}"))
    return sizes[0], sizes[1]


def geographic(crs: Any, x: Any, y: Any) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes (WGS 84). Raises `BadInput` for what is not on the earth."""
    try:
        longitude, latitude = to_crs(crs, _WGS84, list(x), list(y))
    except GDAL_ERRORS:
        raise BadInput("", "its place on the earth", "cannot be computed") from None
    if not all(map(math.isfinite, (*longitude, *latitude))) or max(map(abs, latitude)) > 90.001:
        raise BadInput("", "its place on the earth", "is not on the earth")
    return longitude, latitude


def box_of(place: tuple[Any, Any] | None, width: int, height: int) -> Box | None:
    """What a picture covers; `None` where not known, and where it crosses the 180th meridian."""
    if place is None:
        return None
    crs, affine = place
    edge = on_map(affine, around(width, height))
    longitude, latitude = geographic(crs, *zip(*edge, strict=True))
    if max(longitude) - min(longitude) > 180 or max(map(abs, longitude)) > 180.001:
        return None
    return Box(*(round(v, 7) for v in (min(longitude), min(latitude), max(longitude), max(latitude))))


def _taken(dataset: Any, kind: Format) -> datetime | None:
    """When it was taken, as its own field says; fields of unknown parts (`--`) are not guessed."""
    said = dataset.tags().get({"geotiff": "TIFFTAG_DATETIME", "nitf": "NITF_IDATIM", "jp2": ""}[kind], "")
    for form in ("%Y:%m:%d %H:%M:%S", "%Y%m%d%H%M%S"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(said.strip(), form).replace(tzinfo=UTC)
    return None


def texts_of(dataset: Any) -> tuple[str, ...]:
    """Whatever words GDAL finds in the file: fields, comments, text segments, records, boxes, XMP, EXIF."""
    spaces = [None, *(name for name in dataset.tag_namespaces() if name not in _NO_WORDS)]
    found = [text for space in spaces for item in dataset.tags(ns=space).items() for text in item]
    for band in range(1, dataset.count + 1):
        found += [text for item in dataset.tags(band).items() for text in item]
    found += [name for name in dataset.descriptions if name]
    return tuple(dict.fromkeys(text for text in found if any(map(str.isalpha, text))))


def must_decode(dataset: Any) -> None:
    """Read the first, the middle and the last block, and look for one number. Raises `BadInput`."""
    height, width = dataset.block_shapes[0]
    rows, columns = -(-dataset.height // height), -(-dataset.width // width)
    blocks = rows * columns

    def read(block: int) -> Any:
        top, left = block // columns * height, block % columns * width
        inside = min(width, dataset.width - left), min(height, dataset.height - top)
        return dataset.read(window=Window(left, top, *inside))

    first = [read(block) for block in sorted({0, blocks // 2, blocks - 1})]
    if not np.issubdtype(first[0].dtype, np.floating) or any(np.isfinite(block).any() for block in first):
        return
    if not any(np.isfinite(read(block)).any() for block in range(blocks)):
        raise BadInput("", "its pixels", "are not numbers (NaN), every one")

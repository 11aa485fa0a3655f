"""Writes a form as GeoTIFF: one directory, then the tiles, and not a byte besides.

TIFF 6.0, BigTIFF where 4 GB do not suffice, GeoTIFF 1.1 (OGC 19-008r4) with the EPSG number of the CRS and no
text, GDAL's tag for no data. The directory stands first, as cloud-optimised readers want it; no overviews.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import numpy as np
from rasterio.crs import CRS

from tearline.media.imagery.picture import Picture

WIDE = 256
"""Pixels across a tile."""
_SHORT, _LONG, _ASCII, _DOUBLE, _LONG8 = 3, 4, 2, 12, 16
_CODES = {_SHORT: "H", _LONG: "I", _ASCII: "s", _DOUBLE: "d", _LONG8: "Q"}
_FORMATS = {"u": 1, "i": 2, "f": 3}


def write(file: IO[bytes], picture: Picture, strips: Iterator[Any]) -> None:
    """Write `strips`, each (band, row, column) of `picture.rows` rows, the last as many as are left."""
    across, down = -(-picture.grid.width // WIDE), -(-picture.grid.height // picture.rows)
    tiles = across * down * picture.bands
    tile = WIDE * picture.rows * np.dtype(picture.dtype).itemsize
    # Deflate adds five bytes to 16 KB that it cannot pack, at the most.
    big = tiles * (tile + tile // 1000 + 100) > (1 << 32) - (1 << 20)
    start = _Directory(_tags(picture, np.zeros(tiles), np.zeros(tiles)), big).length
    file.seek(start)
    sizes: list[int] = []
    with ThreadPoolExecutor(2) as pool:
        for strip in strips:
            each = _tiles(strip, picture.rows)
            for packed in pool.map(_packed, each) if picture.packed else each:
                sizes.append(packed.nbytes)
                file.write(packed)
    ends = start + np.cumsum(sizes)
    order = np.arange(tiles).reshape(down, picture.bands, across).transpose(1, 0, 2).ravel()
    file.seek(0)
    file.write(_Directory(_tags(picture, (ends - sizes)[order], np.array(sizes)[order]), big).written())


def _tags(picture: Picture, offsets: Any, sizes: Any) -> dict[int, tuple[int, Any]]:
    """Every tag, with its type and values; each band has tiles of its own, plane after plane."""
    grid, kind = picture.grid, np.dtype(picture.dtype)
    extra = picture.bands - (3 if picture.colours else 1)
    tags: dict[int, tuple[int, Any]] = {
        256: (_LONG, [grid.width]),
        257: (_LONG, [grid.height]),
        258: (_SHORT, [kind.itemsize * 8] * picture.bands),
        259: (_SHORT, [8 if picture.packed else 1]),
        262: (_SHORT, [2 if picture.colours else 1]),
        277: (_SHORT, [picture.bands]),
        284: (_SHORT, [2 if picture.bands > 1 else 1]),
        322: (_LONG, [WIDE]),
        323: (_LONG, [picture.rows]),
        324: (_LONG8, offsets.astype(int).tolist()),
        325: (_LONG8, sizes.astype(int).tolist()),
        339: (_SHORT, [_FORMATS[kind.kind]] * picture.bands),
    }
    if picture.packed and kind.kind != "f":
        tags[317] = (_SHORT, [2])
    if extra:
        tags[338] = (_SHORT, [0] * extra)
    if picture.time:
        tags[306] = (_ASCII, date_time(picture.time))
    if grid.epsg is not None:
        tags[33550] = (_DOUBLE, [grid.across, grid.down, 0.0])
        tags[33922] = (_DOUBLE, [0.0, 0.0, 0.0, grid.left, grid.top, 0.0])
        tags[34735] = (_SHORT, geo_keys(grid.epsg))
    if picture.blank is not None:
        tags[42113] = (_ASCII, b"nan\0" if kind.kind == "f" else b"%d\0" % int(picture.blank))
    return tags


def date_time(digits: str) -> bytes:
    """CCYYMMDDhhmmss, cut anywhere, as tag 306; the smallest numbers for what is not told."""
    full = digits + "00000101000000"[len(digits) :]
    return f"{full[:4]}:{full[4:6]}:{full[6:8]} {full[8:10]}:{full[10:12]}:{full[12:]}\0".encode("ascii")


def geo_keys(epsg: int) -> list[int]:
    """GTModelType, GTRasterType (pixels are areas) and the number of the CRS; nothing in words."""
    projected = CRS.from_epsg(epsg).is_projected
    keys = [(1024, 1 if projected else 2), (1025, 1), (3072 if projected else 2048, epsg)]
    return [1, 1, 0, len(keys), *(number for key, value in keys for number in (key, 0, 1, value))]


def _tiles(strip: Any, rows: int) -> Iterator[Any]:
    """The tiles of the strip, band after band, filled up with zeros at the edges."""
    order = strip.dtype.newbyteorder("<")
    for band in strip:
        for left in range(0, band.shape[1], WIDE):
            part = band[:, left : left + WIDE]
            tile = (
                np.empty((rows, WIDE), order) if part.shape == (rows, WIDE) else np.zeros((rows, WIDE), order)
            )
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def _packed(tile: Any) -> memoryview:
    if tile.dtype.kind != "f":
        tile = np.diff(tile, axis=1, prepend=tile.dtype.type(0)).astype(tile.dtype, copy=False)
    return memoryview(zlib.compress(tile, 1))


class _Directory:
    """The header and the one directory, laid out: what does not fit into an entry follows it."""

    def __init__(self, tags: dict[int, tuple[int, Any]], big: bool) -> None:
        self._tags, self._big = sorted(tags.items()), big
        self._inline = 8 if big else 4
        start = 16 + 8 + 20 * len(tags) + 8 if big else 8 + 2 + 12 * len(tags) + 4
        self._values = [
            (tag, self._kind(kind), *self._value(kind, values)) for tag, (kind, values) in self._tags
        ]
        self.length = start
        self._places = []
        for _, _, _, value in self._values:
            self._places.append(self.length)
            self.length += 0 if len(value) <= self._inline else len(value) + len(value) % 2
        self.length += -self.length % 16

    def _kind(self, kind: int) -> int:
        return _LONG if kind == _LONG8 and not self._big else kind

    def _value(self, kind: int, values: Any) -> tuple[int, bytes]:
        if kind == _ASCII:
            return len(values), values
        kind = self._kind(kind)
        return len(values), struct.pack(f"<{len(values)}{_CODES[kind]}", *values)

    def written(self) -> bytes:
        out = bytearray(self.length)
        count = len(self._tags)
        head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, count) if self._big else None
        head = head or struct.pack("<2sHIH", b"II", 42, 8, count)
        out[: len(head)] = head
        at = len(head)
        for (tag, kind, number, value), place in zip(self._values, self._places, strict=True):
            if len(value) > self._inline:
                out[place : place + len(value)] = value
                value = struct.pack("<Q" if self._big else "<I", place)  # noqa: PLW2901
            entry = struct.pack("<HHQ" if self._big else "<HHI", tag, kind, number)
            out[at : at + len(entry) + len(value)] = entry + value
            at += len(entry) + self._inline
        return bytes(out)

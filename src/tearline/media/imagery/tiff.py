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
_OFFSETS, _COUNTS = 324, 325


def write(file: IO[bytes], picture: Picture, strips: Iterator[Any]) -> None:
    """Write `strips`, each (band, row, column) of `picture.rows` rows, the last as many as are left."""
    grid = picture.grid
    across, down = -(-grid.width // WIDE), -(-grid.height // picture.rows)
    item = np.dtype(picture.dtype).itemsize
    tile = WIDE * picture.rows * picture.bands * item
    # Deflate adds five bytes to 16 KB that it cannot pack, at the most.
    big = across * down * (tile + tile // 1000 + 100) > (1 << 32) - (1 << 20)
    tags = _tags(picture, tile, across * down)
    offset, counts = _Directory(tags, big).length, []
    offsets = []
    file.seek(offset)
    with ThreadPoolExecutor(2) as pool:
        for strip in strips:
            for packed in pool.map(lambda piece: _packed(piece, picture), _tiles(strip, picture.rows)):
                file.write(packed)
                offsets.append(offset)
                counts.append(len(packed))
                offset += len(packed)
    wide = _LONG8 if big else _LONG
    tags |= {_OFFSETS: (wide, offsets), _COUNTS: (wide, counts)}
    file.seek(0)
    file.write(_Directory(tags, big).written())


def _tags(picture: Picture, tile: int, tiles: int) -> dict[int, tuple[int, Any]]:
    grid, kind = picture.grid, np.dtype(picture.dtype)
    extra = picture.bands - (3 if picture.colours else 1)
    wide = _LONG8 if tile * tiles > (1 << 31) else _LONG
    tags: dict[int, tuple[int, Any]] = {
        256: (_LONG, [grid.width]),
        257: (_LONG, [grid.height]),
        258: (_SHORT, [kind.itemsize * 8] * picture.bands),
        259: (_SHORT, [8 if picture.packed else 1]),
        262: (_SHORT, [2 if picture.colours else 1]),
        277: (_SHORT, [picture.bands]),
        284: (_SHORT, [1]),
        322: (_LONG, [WIDE]),
        323: (_LONG, [picture.rows]),
        _OFFSETS: (wide, [0] * tiles),
        _COUNTS: (wide, [0] * tiles),
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
    """Tiles of the strip, (row, column, band), filled up with zeros at the edges."""
    bands, _, width = strip.shape
    for left in range(0, width, WIDE):
        part = strip[:, :, left : left + WIDE].transpose(1, 2, 0)
        if part.shape[:2] != (rows, WIDE):
            whole = np.zeros((rows, WIDE, bands), strip.dtype)
            whole[: part.shape[0], : part.shape[1]] = part
            part = whole
        yield part


def _packed(tile: Any, picture: Picture) -> bytes:
    little = tile.astype(tile.dtype.newbyteorder("<"), copy=False)
    if not picture.packed:
        return bytes(np.ascontiguousarray(little).tobytes())
    if little.dtype.kind != "f":
        little = np.diff(little, axis=1, prepend=little.dtype.type(0))
    return zlib.compress(np.ascontiguousarray(little).tobytes(), 1)


class _Directory:
    """The header and the one directory, laid out: what does not fit into an entry follows it."""

    def __init__(self, tags: dict[int, tuple[int, Any]], big: bool) -> None:
        self._tags, self._big = sorted(tags.items()), big
        self._inline = 8 if big else 4
        start = 16 + 8 + 20 * len(tags) + 8 if big else 8 + 2 + 12 * len(tags) + 4
        self._values = [(tag, kind, *self._value(kind, values)) for tag, (kind, values) in self._tags]
        self.length = start
        self._places = []
        for _, _, _, value in self._values:
            self._places.append(self.length)
            self.length += 0 if len(value) <= self._inline else len(value) + len(value) % 2
        self.length += -self.length % 16

    def _value(self, kind: int, values: Any) -> tuple[int, bytes]:
        if kind == _ASCII:
            return len(values), values
        if kind == _LONG8 and not self._big:
            kind = _LONG
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

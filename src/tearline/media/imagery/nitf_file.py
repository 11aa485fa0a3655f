"""Writes a form as NITF 2.1: one header, one image, no extension, no comment, and not a byte besides.

Fields by MIL-STD-2500C, tables A-1 and A-3 (now JBP-2025.1, 5.11 and 5.13); samples uncompressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from rasterio.crs import CRS

from tearline.media.imagery.opened import geographic, on_map
from tearline.media.imagery.picture import Picture
from tearline.media.imagery.security import WIDTHS
from tearline.terms import BadInput

WIDE = 256
"""Pixels across a block."""
STATION = "tearline"
"""The originating station of every form: the field may not be blank, and says nothing."""
_PIXELS = {"u": "INT", "i": "SI ", "f": "R  "}
_LARGEST = 10**10
"""Bytes of an image: its length has ten digits."""


def write(file: IO[bytes], picture: Picture, security: Mapping[str, str], strips: Iterator[Any]) -> None:
    """Write `strips` as `tiff.write` does. Raises `BadInput` where it is too large for NITF."""
    across, down = _blocks(picture)
    size = length(picture)
    if size >= _LARGEST or max(across, down) > 9999:
        raise BadInput("", "the form", "is too large for one image of a NITF", "crop it or make it coarser")
    marking = "".join(security[name] for name in WIDTHS)
    subheader = _subheader(picture, marking, across, down)
    header = _header(picture, marking, len(subheader), size)
    file.write(header + subheader)
    write_samples(file, picture, strips)


def write_samples(file: IO[bytes], picture: Picture, strips: Iterator[Any]) -> None:
    """The image alone, block after block: the last `length(picture)` bytes of the file."""
    kind = np.dtype(picture.dtype)
    for strip in strips:
        for left in range(0, picture.grid.width, WIDE):
            part = strip[:, :, left : left + WIDE]
            block = np.zeros((picture.bands, picture.rows, WIDE), kind.newbyteorder(">"))
            block[:, : part.shape[1], : part.shape[2]] = part
            file.write(block.tobytes())


def length(picture: Picture) -> int:
    """Bytes of the image: whole blocks."""
    across, down = _blocks(picture)
    return across * down * WIDE * picture.rows * picture.bands * np.dtype(picture.dtype).itemsize


def _blocks(picture: Picture) -> tuple[int, int]:
    """Across and down."""
    return -(-picture.grid.width // WIDE), -(-picture.grid.height // picture.rows)


def stamp(digits: str) -> str:
    """A time in its fourteen places, `-` for what is not told."""
    return digits.ljust(14, "-")


def _header(picture: Picture, marking: str, subheader: int, size: int) -> bytes:
    before = f"NITF02.10{_complexity(picture, size):02}BF01{STATION:10}{stamp('')}{'':80}{marking}"
    before += f"{'0' * 5}{'0' * 5}0"
    after = f"001{subheader:06}{size:010}" + "000" * 5 + "00000" * 2
    fixed = len(before) + 3 + 24 + 18 + 12 + 6
    length = fixed + len(after)
    names = f"{'':24}{'':18}{length + subheader + size:012}{length:06}"
    return before.encode("ascii") + b"\0\0\0" + (names + after).encode("ascii")


def _complexity(picture: Picture, size: int) -> int:
    """The complexity level: table A-10."""
    side, bands = max(picture.grid.width, picture.grid.height), picture.bands
    for level, most, bytes_, layers in (
        (3, 2048, 50 << 20, 9),
        (5, 8192, 1 << 30, 255),
        (6, 65536, 2 << 30, 255),
    ):
        if side <= most and size < bytes_ and bands <= layers:
            return level
    return 7 if bands <= 999 else 9


def _subheader(picture: Picture, marking: str, across: int, down: int) -> bytes:
    grid, kind = picture.grid, np.dtype(picture.dtype)
    bits = kind.itemsize * 8
    kinds = "RGB" if picture.colours else "M" if picture.bands == 1 else " " * picture.bands
    names = "RGB" if picture.colours else "MONO" if picture.bands == 1 else "MULTI"
    system, corners = coordinates(picture)
    number = f"{picture.bands}" if picture.bands <= 9 else f"0{picture.bands:05}"
    bands = "".join(f"{name:2}{'':6}N{'':3}0" for name in kinds)
    return (
        f"IM{'1':10}{stamp(picture.time)}{'':17}{'':80}{marking}0{'':42}"
        f"{grid.height:08}{grid.width:08}{_PIXELS[kind.kind]}{names:8}{'VIS':8}{bits:02}R{system}{corners}"
        f"0NC{number}{bands}0B{across:04}{down:04}{WIDE:04}{picture.rows:04}{bits:02}"
        f"001000{'0' * 10}1.0 0000000000"
    ).encode("ascii")


def coordinates(picture: Picture) -> tuple[str, str]:
    """ICORDS and IGEOLO: the centres of the corner pixels, in whole metres of UTM or in seconds."""
    grid = picture.grid
    if grid.epsg is None:
        return " ", ""
    right, bottom = grid.width - 0.5, grid.height - 0.5
    corners = on_map(grid.affine, ((0.5, 0.5), (right, 0.5), (right, bottom), (0.5, bottom)))
    zone = grid.epsg % 100
    if grid.epsg - zone in (32600, 32700) and all(
        0 <= x < 999_999.5 and 0 <= y < 9_999_999.5 for x, y in corners
    ):
        system = "N" if grid.epsg < 32700 else "S"
        return system, "".join(f"{zone:02}{round(x):06}{round(y):07}" for x, y in corners)
    longitudes, latitudes = geographic(CRS.from_epsg(grid.epsg), *zip(*corners, strict=True))
    pairs = zip(latitudes, longitudes, strict=True)
    return "G", "".join(_seconds(a, 2, "NS") + _seconds(o, 3, "EW") for a, o in pairs)


def _seconds(degrees: float, digits: int, signs: str) -> str:
    whole = round(abs(degrees) * 3600)
    return f"{whole // 3600:0{digits}}{whole // 60 % 60:02}{whole % 60:02}{signs[degrees < 0]}"

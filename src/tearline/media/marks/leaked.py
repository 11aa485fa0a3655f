"""Opens a leaked picture: whatever it came as, it may do harm, and says nothing that is believed."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image, UnidentifiedImageError

from tearline.media.imagery.opened import format_of, opened, place_of, samples_of
from tearline.media.marks.keyed import Array
from tearline.terms import BadInput

_PIXELS = 50_000_000
"""The most that a PNG or JPEG may claim; a larger GeoTIFF, NITF or JP2 is read coarser."""
_KINDS = ("PNG", "JPEG")
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601: what JPEG keeps best of colours."""


class Leaked(msgspec.Struct, frozen=True):
    grey: Any
    """(row, column), float32."""
    place: tuple[Any, Any] | None = None
    """CRS and affine map of its pixels, where it tells them."""
    shown: Any = None
    """What is seen of it, (row, column, band), 8 bits; `None`: stretch `grey`."""


def leaked(path: Path) -> Leaked:
    """Raises `BadInput` where it is no picture, or one that claims too much."""
    with path.open("rb") as file:
        head = file.read(8)
    return _plain(path) if head.startswith((b"\x89PNG", b"\xff\xd8\xff")) else _mapped(path)


def _plain(path: Path) -> Leaked:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_KINDS) as picture:
                if picture.width * picture.height > _PIXELS:
                    raise BadInput("", "its size", f"is beyond {_PIXELS // 1_000_000} million pixels")
                plain = picture.mode in ("L", "I", "I;16", "RGB", "RGBA")
                data = np.asarray(picture if plain else picture.convert("RGB"), np.float32)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
            raise BadInput("", "its pixels", "cannot be decoded") from None
    if data.ndim == 2:
        return Leaked(data)
    return Leaked(data[..., :3] @ _GREY, shown=data[..., :3].astype(np.uint8))


def _mapped(path: Path) -> Leaked:
    format_of(path)
    with opened(path) as dataset:
        shrink = max(1.0, (dataset.width * dataset.height / _PIXELS) ** 0.5)
        height, width = max(1, int(dataset.height / shrink)), max(1, int(dataset.width / shrink))
        bands = samples_of(dataset)
        bands = bands[:3] if len(bands) >= 3 else bands[:1]
        data = dataset.read(bands, out_shape=(len(bands), height, width)).astype(np.float32)
        place = None
        with contextlib.suppress(BadInput):
            place = place_of(dataset)
        if place is not None:
            crs, affine = place
            place = crs, affine * affine.scale(dataset.width / width, dataset.height / height)
        shown = data.astype(np.uint8).transpose(1, 2, 0) if dataset.dtypes[0] == "uint8" else None
    return Leaked(_grey(np.nan_to_num(data, posinf=0, neginf=0)), place, shown)


def _grey(bands: Array) -> Array:
    grey: Array = np.tensordot(_GREY if len(bands) == 3 else np.ones(1, np.float32), bands, 1)
    return grey

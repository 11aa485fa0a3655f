"""Pictures: GeoTIFF, NITF 2.1/NSIF 1.0 and JPEG 2000.

`opened` reads; `grid` says where a form's pixels lie, `samples` computes them, `make` has the file built by
`tiff` or `nitf_file`; `check` reads it with other parsers; `security` and `nitf` know the markings in NITF.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tearline.media import Answer, Inspect, Inspected, Make, Preview, Request, Verify
from tearline.media.imagery import tags
from tearline.media.imagery.check import check
from tearline.media.imagery.make import make
from tearline.media.imagery.nitf import Headers
from tearline.media.imagery.opened import MEDIA_TYPES, facts_of, format_of, must_decode, opened
from tearline.media.imagery.preview import preview
from tearline.media.texts import texts_of


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Do one request about a picture. Raises `BadInput`."""
    match request:
        case Inspect():
            return inspect(Path(request.source))
        case Make():
            return make(request, progress)
        case Verify():
            return check(request)
        case Preview():
            return preview(request)


def inspect(path: Path) -> Inspected:
    """Read its headers and a few of its pixels. Raises `BadInput`."""
    kind = format_of(path)
    marking = quarantine = None
    carries: tuple[str, ...] = ()
    headers = Headers(path) if kind == "nitf" else None
    if headers:
        marking, quarantine = headers.marking()
        carries = headers.carries()
    with opened(path) as dataset:
        facts = facts_of(dataset, kind)
        if kind == "geotiff":
            carries = tags.carries(path, facts)
        must_decode(dataset)
        bands = (0, *dataset.indexes)
        told = [dataset.tags(band, ns=ns) for band in bands for ns in _namespaces(dataset, band)]
        texts = texts_of([*told, dataset.descriptions], path.name)
    return Inspected(
        facts=facts,
        media_type=MEDIA_TYPES[kind],
        marking=marking,
        quarantine=quarantine,
        texts=texts,
        carries=carries,
    )


def _namespaces(dataset: Any, band: int) -> list[str | None]:
    """Of the metadata of a band, 0 for the picture's own; what GDAL says of itself is left out."""
    own = {"IMAGE_STRUCTURE", "DERIVED_SUBDATASETS", "COLOR_PROFILE"}
    return [None, *(name for name in dataset.tag_namespaces(band) if name not in own)]

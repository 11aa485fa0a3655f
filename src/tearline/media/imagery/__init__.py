"""Pictures: GeoTIFF, NITF 2.1/NSIF 1.0 and JPEG 2000.

`opened` reads; `grid` says where a form's pixels lie, `samples` computes them, `make` has the file built by
`tiff` or `nitf_file`; `check` reads it with other parsers; `security` and `nitf` know the markings in NITF.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tearline.media import Answer, Inspect, Inspected, Make, Preview, Request, Verify
from tearline.media.imagery import tags
from tearline.media.imagery.check import check
from tearline.media.imagery.make import make
from tearline.media.imagery.nitf import Headers
from tearline.media.imagery.opened import MEDIA_TYPES, facts_of, format_of, must_decode, opened, texts_of
from tearline.media.imagery.preview import preview
from tearline.terms import BadInput

_MOST_TEXT = 1 << 20
"""Characters."""


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
    raise BadInput("", "the request", "is not one about a picture alone")


def inspect(path: Path) -> Inspected:
    """Read its headers and a few of its pixels. Raises `BadInput`."""
    kind = format_of(path)
    headers = Headers(path) if kind == "nitf" else None
    marking, quarantine = headers.marking() if headers else (None, None)
    carries = headers.carries() if headers else ()
    with opened(path) as dataset:
        facts = facts_of(dataset, kind)
        texts = texts_of(dataset)
        if kind == "geotiff":
            carries, more = tags.carries(path, facts)
            texts = tuple(dict.fromkeys((*texts, *more)))
        must_decode(dataset)
    if sum(map(len, texts)) > _MOST_TEXT:
        raise BadInput("", "its texts", "are too long to be scanned", "take them out of the file")
    return Inspected(
        facts=facts,
        media_type=MEDIA_TYPES[kind],
        marking=marking,
        quarantine=quarantine,
        texts=texts,
        carries=carries,
    )

"""Pictures: GeoTIFF, NITF 2.1/NSIF 1.0 and JPEG 2000."""

from __future__ import annotations

from collections.abc import Callable

from tearline.media import Answer, Request
from tearline.terms import BadInput


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Do one request about a picture. Raises `BadInput`."""
    raise BadInput("", "", "is no picture that can be read")

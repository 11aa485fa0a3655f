"""Recordings of signals: SigMF archives in, sanitized forms of them out.

`answer` does one request, in the confined process. `pack` makes an archive of a pair of files and may run
anywhere: it reads no content.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tearline.media import Answer, Inspect, Make, Preview, Request, Verify, reads
from tearline.media.signals.packing import pack
from tearline.terms import BadInput, SignalForm

__all__ = ["answer", "pack"]


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Do it. Raises `BadInput` for a recording that cannot be taken."""
    try:
        return _answer(request, progress)
    except ModuleNotFoundError:
        where = Path(reads(request)).name
        raise BadInput(
            where, "", "needs a library that is missing", "install tearline[image,signal]"
        ) from None


def _answer(request: Request, progress: Callable[[float], None]) -> Answer:
    path = Path(reads(request))
    match request:  # each imports what it needs: to read, make and check asks for less than to draw
        case Inspect():
            from tearline.media.signals.recording import inspect  # noqa: PLC0415

            return inspect(path, progress)
        case Make(form=SignalForm() as form):
            from tearline.media.signals.making import make  # noqa: PLC0415

            return make(path, Path(request.target), form, request.marking, request.taken, progress)
        case Verify(form=SignalForm() as form):
            from tearline.media.signals.verifying import verify  # noqa: PLC0415

            return verify(request, form, progress)
        case Preview():
            from tearline.media.signals.drawing import draw  # noqa: PLC0415

            return draw(path, Path(request.target), request.pixels, request.part)
    reason = "is a recording of signals, of which nothing is made whole, and no picture"
    raise BadInput(path.name, "", reason, "let it go as it is, or in a form for signals")

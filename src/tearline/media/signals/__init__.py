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
    from tearline.media.signals import drawing, making, recording, verifying  # noqa: PLC0415 - NumPy only here

    match request:
        case Inspect(source=source):
            return recording.inspect(Path(source), progress)
        case Make(source=source, form=SignalForm() as form):
            return making.make(
                Path(source),
                Path(request.target),
                form,
                marking=request.marking,
                taken=request.taken,
                progress=progress,
            )
        case Verify(made=made, form=SignalForm() as form):
            return verifying.verify(Path(made), form, request.marking, request.expected, progress)
        case Preview(source=source):
            return drawing.draw(Path(source), Path(request.target), request.pixels)
    reason = "is a recording of signals, of which nothing is made whole, and no picture"
    raise BadInput(Path(reads(request)).name, "", reason, "let it go as it is, or in a form for signals")

"""A form of a recording with its mark, and the score of each seed in a leaked recording."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from tearline.media import Answer, Detect, Detected, Drawing, Made, Mark, Request
from tearline.media.marks import receive, waves
from tearline.media.marks.keyed import Array, chance
from tearline.media.signals import drawing
from tearline.media.signals.making import written
from tearline.media.signals.recording import Recording, opened
from tearline.terms import BadInput

_AT_ONCE = 1 << 18
"""Samples."""


def answer(request: Request, progress: Callable[[float], None]) -> Answer:
    """Do one request about a mark. Raises `BadInput`."""
    match request:
        case Mark():
            return mark(request, progress)
        case Detect():
            return detect(request, progress)
    raise BadInput("", "", "is no request about marks")


def mark(request: Mark, progress: Callable[[float], None]) -> Made:
    """Raises `BadInput` where there is nothing that could bear a mark."""
    recording = opened(Path(request.source))
    rms = waves.strength(waves.floors(recording)) if recording.samples else np.zeros(1)
    if not rms.any():
        raise BadInput("", "its samples", "hold no noise under which a mark could lie")
    metadata = {key: recording.whole[key] for key in ("global", "captures", "annotations")}
    dataset = waves.marked(recording, _blocks(recording, progress), request.seed, rms)
    did = f"marked for its recipient: {waves.UNDER_DB:g} dB under the noise floor, rms {rms.max():.3g}"
    made = msgspec.structs.replace(request.made, did=(*request.made.did, did))
    return written(Path(request.target), metadata, dataset, made)


def _blocks(recording: Recording, progress: Callable[[float], None]) -> Iterator[tuple[int, Array]]:
    start = 0
    for stored in recording.stream(0, recording.samples, _AT_ONCE):
        yield start, stored
        start += len(stored)
        progress(start / recording.samples)


def detect(request: Detect, progress: Callable[[float], None]) -> Detected:
    """Lay the leak beside the original, take away what both hold, and score each seed. Raises `BadInput`."""
    original, leak = opened(Path(request.original)), opened(Path(request.leaked))
    if min(original.samples, leak.samples) < receive.LEAST:
        raise BadInput("", "the leaked recording", "is too short, or holds no samples")
    laid = receive.laid(original, leak, progress)
    if laid is None:
        return Detected(scores=(), how="it is no part of the original")
    weighed = receive.hefts(laid)
    found = tuple(receive.scores(original, laid, weighed, request.seeds))
    span = f"{len(laid.leak)} samples from sample {laid.start} of channel {laid.channel}"
    how = (
        f"laid beside the original: {span}; at {laid.rate:.6f} times its rate, "
        f"{laid.shift:.3g} of the rate higher; correlation {laid.likeness:.3f}"
    )
    return Detected(
        scores=found,
        chances=tuple(map(chance, found)),
        how=how,
        likeness=laid.likeness if math.isfinite(laid.likeness) else 0.0,
        samples=len(laid.leak),
        drawing=_drawn(original, leak, laid, request.pixels) if request.pixels else None,
    )


def _drawn(original: Recording, leak: Recording, laid: receive.Laid, pixels: int) -> Drawing:
    start, stop = laid.start, laid.start + len(laid.leak)
    here = drawing.span(original, (laid.channel, start, stop))
    return Drawing(
        original=drawing.spectrogram(drawing.span(original, (laid.channel, 0, original.samples)), pixels),
        outline=drawing.outline(pixels, start / original.samples, stop / original.samples),
        leak=drawing.spectrogram(drawing.span(leak), pixels),
        part=(laid.channel, start, stop),
        here=drawing.spectrogram(here, pixels),
        laid=drawing.spectrogram(here._replace(read=lambda a, b: laid.leak[a:b]), pixels),
    )

"""A sanitized form of a recording, written as a stream: memory does not grow with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from tearline.media import Made
from tearline.media.signals.archive import BLOCK, header, padding
from tearline.media.signals.channel import decimated
from tearline.media.signals.datatype import Array
from tearline.media.signals.plan import Plan, Run, plan
from tearline.media.signals.recording import DATA, MEDIA_TYPE, META, Recording, opened
from tearline.terms import BadInput, SignalForm

_NUMBERS = 1 << 20
"""Stored numbers that are read at a time, about."""
_CHUNK = 1 << 22


def make(
    source: Path,
    target: Path,
    form: SignalForm,
    marking: str,
    taken: datetime | None,
    progress: Callable[[float], None],
    change: Callable[[Array], Array] | None = None,
) -> Made:
    """Write `form` of the recording `source` to `target`; the same recording and form give the same bytes.

    `change`, for plug-ins, does something more to each block of the form's numbers as they are stored: from
    an array of shape (samples, channels * numbers) it gives one of the same shape and type.

    Raises:
        BadInput: the recording cannot be taken, or the form cannot be made of it.
    """
    recording = opened(source)
    made = plan(recording, form, marking, taken)
    dataset = _all(recording, made, progress, change) if form.samples else None
    return written(
        target,
        made.metadata,
        dataset,
        Made(sha256="", size=0, media_type=MEDIA_TYPE, facts=made.facts, did=made.did),
    )


def written(target: Path, metadata: dict[str, Any], dataset: Iterable[Array] | None, made: Made) -> Made:
    """Write a form's archive; the hash of the dataset in its metadata, and hash and size of `made`, are told
    anew."""
    with target.open("w+b") as out:
        size, digest = 0, ""
        if dataset is not None:
            size, digest = _dataset(dataset, out)
            metadata["global"]["core:sha512"] = digest
        text = msgspec.json.encode(metadata)
        name = (digest or hashlib.sha512(text).hexdigest())[:32]
        stem = f"{name}/{name}"
        out.write(header(stem + META, len(text)) + text + bytes(padding(len(text)) + 2 * BLOCK))
        if dataset is not None:
            out.seek(0)
            out.write(header(stem + DATA, size))
        return msgspec.structs.replace(made, sha256=_sha256(out), size=out.seek(0, 2))


def _dataset(dataset: Iterable[Array], out: BinaryIO) -> tuple[int, str]:
    """Write the dataset behind the place of its header; its size in bytes and SHA-512."""
    digest, size = hashlib.sha512(), 0
    out.write(bytes(BLOCK))
    for numbers in dataset:
        raw = np.ascontiguousarray(numbers).data.cast("B")
        digest.update(raw)
        out.write(raw)
        size += len(raw)
    out.write(bytes(padding(size)))
    return size, digest.hexdigest()


def _all(
    recording: Recording,
    made: Plan,
    progress: Callable[[float], None],
    change: Callable[[Array], Array] | None,
) -> Iterator[Array]:
    """The samples of the form as they are stored, run after run."""
    done = 0
    for run in made.runs:
        for numbers in _numbers(recording, run, made.factor):
            stored = numbers
            if change and ((numbers := change(stored)).shape, numbers.dtype) != (stored.shape, stored.dtype):
                raise BadInput(recording.where, "dataset", "was changed into other numbers than there can be")
            if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
                raise BadInput(recording.where, "dataset", "holds samples that are no finite numbers")
            yield numbers
            done += len(numbers)
            progress(done / made.facts.samples)


def _numbers(recording: Recording, run: Run, factor: int) -> Iterator[Array]:
    """The samples of one run as they are stored in the form: (samples, channels * numbers)."""
    form = recording.format
    at_most = max(1, _NUMBERS // (recording.channels * form.numbers))
    stored = recording.stream(run.start, run.start + run.samples * factor, at_most)
    if factor == 1:
        yield from stored
        return
    signal = decimated(map(form.decode, stored), factor, run.samples * factor, batch=at_most)
    yield from map(form.encode, signal)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

"""Recordings for tests, written by the standard library alone; and the acts on them, in this process."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from tearline.media import Findings, Inspect, Inspected, Made, Make, Verify
from tearline.media.signals import answer
from tearline.terms import Imagery, Signal, SignalForm

RATE = 1_000_000.0


def metadata(datatype: str = "cf32_le", **global_: Any) -> dict[str, Any]:
    """Of a recording with one capture and no annotations."""
    heading = {"core:datatype": datatype, "core:version": "1.2.0", "core:sample_rate": RATE}
    fields = {key.replace("__", ":"): value for key, value in global_.items()}
    return {
        "global": heading | fields,
        "captures": [
            {
                "core:sample_start": 0,
                "core:frequency": 433_000_000.0,
                "core:datetime": "2031-05-17T14:31:09.250000Z",
            }
        ],
        "annotations": [],
    }


def stored(dtype: str) -> np.dtype[Any]:
    """The NumPy type of one number of a SigMF format, told without the reader's own table."""
    kind, rest = dtype[1], dtype[2:]
    bits, _, order = rest.partition("_")
    return np.dtype(f"{'>' if order == 'be' else '<'}{kind}{int(bits) // 8}")


def noise(dtype: str, samples: int, channels: int = 1, seed: int = 1) -> bytes:
    """Samples at half of the range."""
    numbers = stored(dtype)
    count = samples * channels * (2 if dtype[0] == "c" else 1)
    values = np.random.default_rng(seed).uniform(-0.5, 0.5, count)
    if numbers.kind == "f":
        return values.astype(numbers).tobytes()
    span = np.iinfo(numbers)
    return (
        (values * (float(span.max) - span.min) + (span.max // 2 if numbers.kind == "u" else 0))
        .astype(numbers)
        .tobytes()
    )


def archive(
    path: Path,
    meta: dict[str, Any] | bytes,
    data: bytes | None,
    *,
    stem: str = "harbour/harbour",
    dataset: str = "",
    entry: tarfile.TarInfo | None = None,
    pax: dict[str, str] | None = None,
) -> Path:
    """A `.sigmf`; `dataset` is the data's own name, if it does not conform; `entry` stands first in it."""
    text = meta if isinstance(meta, bytes) else json.dumps(meta).encode()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) as out:
        if entry is not None:
            out.addfile(entry, io.BytesIO(bytes(entry.size)))
        files = {f"{stem}.sigmf-meta": text}
        if data is not None:
            files[str(Path(stem).parent / dataset) if dataset else f"{stem}.sigmf-data"] = data
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), pax or {}
            out.addfile(info, io.BytesIO(content))
    return path


def inspect(path: Path) -> Inspected:
    found = answer(Inspect(source=str(path)), lambda done: None)
    assert isinstance(found, Inspected)
    return found


def make(source: Path, form: SignalForm, marking: str = "", **more: Any) -> tuple[Path, Made]:
    target = source.with_name(f"{form.name}.made")
    request = Make(source=str(source), target=str(target), form=form, marking=marking, **more)
    found = answer(request, lambda done: None)
    assert isinstance(found, Made)
    measured = verify(target, form, found, marking, inspect(source).facts)
    assert measured == verify(target, form, found, marking), "our own maker keeps its word"
    return target, found


def verify(
    path: Path,
    form: SignalForm,
    expected: Made,
    marking: str = "",
    of: Imagery | Signal | None = None,
) -> tuple[str, ...]:
    request = Verify(made=str(path), form=form, marking=marking, expected=expected, of=of)
    found = answer(request, lambda done: None)
    assert isinstance(found, Findings)
    return found.found


def files(path: Path) -> tuple[dict[str, Any], bytes]:
    """Metadata and dataset in an archive."""
    with tarfile.open(path) as found:
        read = {member.name: found.extractfile(member) for member in found.getmembers() if member.isfile()}
        contents = {Path(name).suffix: file.read() for name, file in read.items() if file is not None}
    return json.loads(contents[".sigmf-meta"]), contents.get(".sigmf-data", b"")

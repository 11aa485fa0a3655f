"""The check of a form that was made: by other parsers, against an allow-list written down once more.

Nothing of the makers of forms is used here: the archive is read by `tarfile`, the metadata by orjson, and
what may stand there is said anew. Findings name fields and places, never what stands there.
"""

from __future__ import annotations

import hashlib
import math
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tearline.media import Findings, Verify
from tearline.terms import Grain, Position, Signal, SignalForm

_CHUNK = 1 << 22
_MOST = 16 << 20
_STEM = re.compile(r"([0-9a-f]{32})/\1")
_DATATYPE = re.compile(r"([cr])([fiu])(8|16|32|64)(_[lb]e)?", re.ASCII)
_TIMES = {
    Grain.EXACT: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII),
    Grain.HOUR: re.compile(r"\d{4}-\d\d-\d\dT\d\d:00:00\.0{6}Z", re.ASCII),
    Grain.DAY: re.compile(r"\d{4}-\d\d-\d\dT00:00:00\.0{6}Z", re.ASCII),
    Grain.MONTH: re.compile(r"\d{4}-\d\d-01T00:00:00\.0{6}Z", re.ASCII),
}
_GLOBAL: dict[str, type] = {
    "core:datatype": str,
    "core:version": str,
    "core:num_channels": int,
    "core:sample_rate": float,
    "core:description": str,
    "core:metadata_only": bool,
    "core:sha512": str,
}
_CAPTURE: dict[str, type] = {
    "core:sample_start": int,
    "core:frequency": int,
    "core:datetime": str,
    "core:geolocation": dict,
}
_ANNOTATION: dict[str, type] = {
    "core:sample_start": int,
    "core:sample_count": int,
    "core:freq_lower_edge": int,
    "core:freq_upper_edge": int,
}


def verify(request: Verify, form: SignalForm, progress: Callable[[float], None]) -> Findings:
    """Whatever in it is not what `form` allows, or not what its maker said; none: it may go."""
    path, expected, facts = Path(request.made), request.expected, request.expected.facts
    if not isinstance(facts, Signal) or expected.media_type != "application/x-sigmf":
        return Findings(found=("the form is not one of a recording",))
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest()
    found: list[str] = []
    if (whole, path.stat().st_size) != (expected.sha256, expected.size):
        found.append("the file is not the one that was made")
    try:
        found += _archive(path, form, request.marking, facts, progress)
        if isinstance(request.of, Signal):
            found += _against(request.of, facts)
    except (
        tarfile.TarError,
        orjson.JSONDecodeError,
        OSError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
    ):
        found.append("the archive cannot be read by a second parser")
    return Findings(found=tuple(found))


def _archive(
    path: Path, form: SignalForm, marking: str, facts: Signal, progress: Callable[[float], None]
) -> Iterator[str]:
    with tarfile.open(path, "r:") as archive:
        entries = archive.getmembers()
    endings = [".sigmf-data", ".sigmf-meta"] if form.samples else [".sigmf-meta"]
    stem = _STEM.match(entries[0].name) if entries else None
    if stem is None or [entry.name for entry in entries] != [stem[0] + ending for ending in endings]:
        yield "the archive holds other files than the form has, or they have other names"
        return
    with path.open("rb") as file:
        at = 0
        for entry in entries:
            yield from _entry(entry, file.read(512), at)
            file.seek(entry.offset_data + entry.size)
            at = entry.offset_data + entry.size + -entry.size % 512
            if any(file.read(at - file.tell())):
                yield "the padding behind a file is not zero"
        if file.read() != bytes(1024):
            yield "the archive does not end in two blocks of zeros alone"
        meta = entries[-1]
        if meta.size > _MOST:
            yield "the metadata is too long"
            return
        file.seek(meta.offset_data)
        text = file.read(meta.size)
    metadata = orjson.loads(text)
    if orjson.dumps(metadata) != text:
        yield "the metadata is not written in the one way that a form is"
    yield from _fields(metadata)
    heading = metadata["global"]
    digest = hashlib.sha512(text).hexdigest()
    if form.samples:
        data = entries[0]
        digest = heading["core:sha512"]
        yield from _dataset(path, data.offset_data, data.size, heading, facts, progress)
    if stem[1] != digest[:32]:
        yield "the names in the archive are not of its hash"
    yield from _heading(heading, form, marking, facts)
    yield from _captures(metadata["captures"], form, facts)
    yield from _told(metadata["captures"][0], facts)
    if form.sanitizer:
        yield from _intervals(metadata["captures"], facts)
    yield from _annotations(metadata, facts)


def _entry(entry: tarfile.TarInfo, block: bytes, at: int) -> Iterator[str]:
    """The header of a file: its own name and size, the rest as fixed."""
    fixed = (entry.mode, entry.uid, entry.gid, entry.mtime, entry.type, entry.pax_headers)
    name = entry.name.encode().ljust(100, b"\0")
    rest = block[:100] == name and block[156:257] == b"0" + bytes(100) and not any(block[265:])
    if entry.offset != at or fixed != (0o644, 0, 0, 0, tarfile.REGTYPE, {}) or not rest:
        yield "a header in the archive tells more than a name and a size"


def _fields(metadata: Any) -> Iterator[str]:
    """Every field is on the allow-list, and of its type."""
    if list(metadata) != ["global", "captures", "annotations"]:
        yield "the metadata has other parts than global, captures and annotations"
    groups = [
        ("global", [metadata["global"]], _GLOBAL),
        ("captures", metadata["captures"], _CAPTURE),
        ("annotations", metadata["annotations"], _ANNOTATION),
    ]
    for name, objects, allowed in groups:
        for fields in objects:
            if fields.keys() - allowed.keys():
                yield f"a field in {name} is not on the allow-list"
            if any(type(value) is not allowed[key] for key, value in fields.items() if key in allowed):
                yield f"a field in {name} is of another type than it has to be"


def _heading(heading: dict[str, Any], form: SignalForm, marking: str, facts: Signal) -> Iterator[str]:
    if heading.get("core:description", "") != marking:
        yield "core:description is not the marking"
    if heading.get("core:metadata_only", False) is form.samples:
        yield "core:metadata_only contradicts the form"
    if ("core:sha512" in heading) is not form.samples:
        yield "core:sha512 contradicts the form"
    if heading["core:version"] != "1.2.6":
        yield "core:version is not the one that is written"
    rate = heading.get("core:sample_rate")
    told = (heading["core:datatype"], heading["core:num_channels"], rate)
    if not _DATATYPE.fullmatch(told[0]):
        yield "core:datatype is no dataset format"
    if not form.samples and facts.samples:
        yield "there are samples, and the form has none"
    if told != (facts.datatype, facts.channels, facts.sample_rate_hz):
        yield "datatype, channels or sample rate are not what the maker said"
    if form.bandwidth_hz is not None:
        width = (rate or math.inf) / (1 if told[0].startswith("c") else 2)
        if width > form.bandwidth_hz * (1 + 1e-9):
            yield "core:sample_rate holds more bandwidth than the form has"


def _captures(captures: list[dict[str, Any]], form: SignalForm, facts: Signal) -> Iterator[str]:
    times = [capture["core:datetime"] for capture in captures if "core:datetime" in capture]
    if times and (form.time is Grain.NONE or not _TIMES[form.time].fullmatch(times[0])):
        yield "core:datetime tells more than the form does"
    if any(not _TIMES[Grain.EXACT].fullmatch(time) for time in times):
        yield "core:datetime is no time"
    if not captures or any("core:geolocation" in capture for capture in captures[1:]):
        yield "core:geolocation stands where it may not"
    for capture in captures[:1]:
        if (point := capture.get("core:geolocation")) is not None:
            yield from _point(point, form.position_deg)
    starts = [capture["core:sample_start"] for capture in captures]
    most = facts.samples or math.inf
    if starts != sorted(set(starts)) or any(not 0 <= start < most for start in starts):
        yield "captures are not in order, or out of range"


def _point(point: dict[str, Any], grid: float | None) -> Iterator[str]:
    if point.keys() != {"type", "coordinates"} or point["type"] != "Point" or len(point["coordinates"]) != 2:
        yield "core:geolocation holds more than a point"
        return
    if grid is None:
        yield "core:geolocation tells a position, and the form does not"
        return
    for degrees, most in zip(point["coordinates"], (180.0, 90.0), strict=True):
        cells = degrees / grid - 0.5 if grid else 0.0
        if type(degrees) is not float or not (
            abs(cells - round(cells)) * grid < 1e-8 or abs(degrees) == most
        ):
            yield "core:geolocation is not on the grid"


def _told(first: dict[str, Any], facts: Signal) -> Iterator[str]:
    """What its recipient is told of the first capture is what stands there."""
    place = first.get("core:geolocation", {}).get("coordinates")
    position = None if place is None else Position(latitude=place[1], longitude=place[0])
    time = first.get("core:datetime")
    taken = None if time is None else datetime.fromisoformat(time)
    if (first.get("core:frequency"), position, taken) != (facts.centre_hz, facts.position, facts.taken):
        yield "frequency, position or time are not what the maker said"


def _intervals(captures: list[dict[str, Any]], facts: Signal) -> Iterator[str]:
    """Of others than our own maker, who knows which samples were lost: times as far apart as samples are."""
    timed = [capture for capture in captures if "core:datetime" in capture]
    for one, other in pairwise(timed):
        between = datetime.fromisoformat(other["core:datetime"]) - datetime.fromisoformat(
            one["core:datetime"]
        )
        samples = other["core:sample_start"] - one["core:sample_start"]
        if not facts.sample_rate_hz or abs(between.total_seconds() - samples / facts.sample_rate_hz) > 1e-3:
            yield "core:datetime is not where its samples are"


def _against(of: Signal, facts: Signal) -> Iterator[str]:
    """The form against its recording: samples at a higher rate than is said would last longer than it."""
    if facts.channels > of.channels:
        yield "it has more channels than its recording"
    rate, own, slack = facts.sample_rate_hz, of.sample_rate_hz, 1 + 1e-9
    if rate is None or own is None:
        if rate != own or facts.samples > of.samples:
            yield "its sample rate is not told as of its recording, or it is longer"
    elif rate > own * slack:
        yield "core:sample_rate is higher than that of its recording"
    elif facts.samples * own > of.samples * rate * slack:
        yield "it lasts longer than its recording"


def _annotations(metadata: dict[str, Any], facts: Signal) -> Iterator[str]:
    annotations = metadata["annotations"]
    if len(annotations) != facts.annotations:
        yield "there are other annotations than the maker said"
    starts = [note["core:sample_start"] for note in annotations]
    most = facts.samples or math.inf
    ends = [note["core:sample_start"] + note.get("core:sample_count", 0) for note in annotations]
    if starts != sorted(starts) or any(start < 0 for start in starts) or any(end > most for end in ends):
        yield "annotations are not in order, or out of range"
    rate = metadata["global"].get("core:sample_rate")
    centres = {0, *(capture.get("core:frequency", 0) for capture in metadata["captures"])}
    for note in annotations:
        edges = [note[key] for key in ("core:freq_lower_edge", "core:freq_upper_edge") if key in note]
        if edges and (
            rate is None
            or len(edges) != 2
            or edges[0] > edges[1]
            or not any(abs(edge - centre) <= rate / 2 + 1 for centre in centres for edge in edges[:1])
            or not any(abs(edge - centre) <= rate / 2 + 1 for centre in centres for edge in edges[1:])
        ):
            yield "an annotation has a band outside of what the form holds"


def _dataset(
    path: Path,
    offset: int,
    size: int,
    heading: dict[str, Any],
    facts: Signal,
    progress: Callable[[float], None],
) -> Iterator[str]:
    """Its size is that of the samples, its hash the one stated, and its numbers are finite."""
    match = _DATATYPE.fullmatch(heading["core:datatype"])
    if match is None:
        return  # `_heading` says so
    row = heading["core:num_channels"] * (2 if match[1] == "c" else 1) * int(match[3]) // 8
    if size != facts.samples * row or size == 0:
        yield "the dataset is not as long as the maker said"
    number = (
        np.dtype(f"{'>' if match[4] == '_be' else '<'}f{int(match[3]) // 8}") if match[2] == "f" else None
    )
    digest, done, finite = hashlib.sha512(), 0, True
    with path.open("rb") as file:
        file.seek(offset)
        while done < size and (chunk := file.read(min(_CHUNK, size - done))):
            digest.update(chunk)
            done += len(chunk)
            if number is not None:
                finite = finite and bool(
                    np.isfinite(np.frombuffer(chunk, number, len(chunk) // number.itemsize)).all()
                )
            progress(done / size)
    if digest.hexdigest() != heading["core:sha512"]:
        yield "core:sha512 is not the hash of the dataset"
    if not finite:
        yield "the dataset holds numbers that are not finite"

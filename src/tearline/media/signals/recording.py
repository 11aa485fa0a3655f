"""A held recording: its archive, its metadata, and its samples as a stream."""

from __future__ import annotations

import hashlib
import io
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tearline.media import Inspected
from tearline.media.signals.archive import Member, members
from tearline.media.signals.datatype import Array, Datatype
from tearline.media.signals.metadata import LIMIT, Capture, Metadata, moment, position, read
from tearline.media.texts import texts_of
from tearline.terms import BadInput, Position, Signal

MEDIA_TYPE = "application/x-sigmf"
META, DATA = ".sigmf-meta", ".sigmf-data"
_CHUNK = 1 << 22

_MARKING_KEYS = {"classification", "marking", "security_marking", "classification_marking", "tlp"}
_MARKED = re.compile(
    r"\(?(?://|TLP:|(?:TOP SECRET|SECRET|CONFIDENTIAL|RESTRICTED|UNCLASSIFIED|OFFICIAL)\b\s*\)?(?://|$))",
    re.I,
)
_FIELD = re.compile(r"[a-z0-9_]{1,32}:[a-z0-9_]{1,48}", re.ASCII)
_CARRIES = 64
"""Names at most."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One recording in an archive. Sample indices count from 0 at the first sample of the dataset."""

    path: Path
    metadata: Metadata
    whole: dict[str, Any]
    """All that it says in words: its metadata as it stood; under `archive`, names and headers of the tar."""
    data: Member | None
    samples: int
    """Of each channel."""
    pieces: list[tuple[int, int]]
    """First sample and byte offset in the dataset of each stretch without header bytes in it."""

    @property
    def where(self) -> str:
        return self.path.name

    @property
    def format(self) -> Datatype:
        return self.metadata.format

    @property
    def channels(self) -> int:
        return self.metadata.global_.num_channels

    @property
    def captures(self) -> list[Capture]:
        """At least one: "captures: []" means one that begins with the dataset."""
        return self.metadata.captures or [Capture(sample_start=self.metadata.global_.offset)]

    def index(self, sample_start: int) -> int:
        """An index of the metadata, which counts from `core:offset`, counted from 0."""
        return sample_start - self.metadata.global_.offset

    def taken(self) -> datetime | None:
        text = self.captures[0].datetime
        return moment(text, self.where) if text is not None else None

    def position(self) -> Position | None:
        """Where it was received: of the first capture that says so, else of the recording."""
        points = [capture.geolocation for capture in self.captures] + [self.metadata.global_.geolocation]
        return next((position(point, self.where) for point in points if point is not None), None)

    def facts(self) -> Signal:
        return Signal(
            datatype=self.format.name,
            channels=self.channels,
            samples=self.samples,
            sample_rate_hz=self.metadata.global_.sample_rate,
            centre_hz=self.captures[0].frequency,
            position=self.position(),
            taken=self.taken(),
            annotations=len(self.metadata.annotations),
        )

    def stream(self, start: int, stop: int, at_most: int) -> Iterator[Array]:
        """Samples `[start, stop)`, up to `at_most` at a time: (samples, channels * numbers), as stored."""
        width = self.channels * self.format.numbers
        row = self.channels * self.format.size
        starts = [first for first, _ in self.pieces]
        assert self.data is not None  # noqa: S101 - whoever has samples has a dataset
        with self.path.open("rb", buffering=0) as file:
            while start < stop:
                number = bisect_right(starts, start) - 1
                first, offset = self.pieces[number]
                end = min(stop, *starts[number + 1 : number + 2], start + at_most)
                file.seek(self.data.offset + offset + (start - first) * row)
                yield (
                    _exactly(file, (end - start) * row, self.where).view(self.format.dtype).reshape(-1, width)
                )
                start = end


def opened(path: Path) -> Recording:
    """The recording in an archive, its metadata checked against its data; samples are not read.

    Raises:
        BadInput: no archive of exactly one recording, or one that contradicts itself.
    """
    where = path.name
    with path.open("rb") as file:
        found = members(file, where)
        metas = [member for member in found if member.name.endswith(META)]
        if len(metas) != 1 or len(found) > 2:
            raise BadInput(
                where, "", "is not an archive of exactly one recording", "send one for each recording"
            )
        meta = metas[0]
        if meta.size > LIMIT:
            raise BadInput(where, "metadata", "is longer than 8 MiB", "split the recording")
        file.seek(meta.offset)
        metadata, whole = read(file.read(meta.size), where)
    data = next((member for member in found if member is not meta), None)
    whole["archive"] = [[member.name, member.extras] for member in found]
    samples = _samples(metadata, meta, data, where)
    if data is not None:
        _in_range(metadata, samples, where)
    return Recording(
        path=path, metadata=metadata, whole=whole, data=data, samples=samples, pieces=_pieces(metadata)
    )


def inspect(path: Path, progress: Callable[[float], None]) -> Inspected:
    """What the recording is; the dataset is read only if a hash of it is stated.

    Raises:
        BadInput: as `opened`, or the hash is not that of the dataset.
    """
    recording = opened(path)
    stated = recording.metadata.global_.sha512
    if stated is not None and recording.data is not None:
        digest, done = hashlib.sha512(), 0
        with path.open("rb", buffering=0) as file:
            file.seek(recording.data.offset)
            while done < recording.data.size:
                chunk = _exactly(file, min(_CHUNK, recording.data.size - done), recording.where)
                digest.update(chunk.data)
                done += len(chunk)
                progress(done / recording.data.size)
        if digest.hexdigest() != stated.lower():
            raise BadInput(recording.where, "core:sha512", "is not the hash of the dataset", "send it again")
    marking, quarantine = _marking(recording)
    return Inspected(
        facts=recording.facts(),
        media_type=MEDIA_TYPE,
        marking=marking,
        quarantine=quarantine,
        texts=texts_of([recording.whole], recording.where),
        carries=_carries(recording),
    )


def _samples(metadata: Metadata, meta: Member, data: Member | None, where: str) -> int:
    facts = metadata.global_
    if data is None:
        if not facts.metadata_only:
            raise BadInput(where, "", "holds no dataset, and does not say that it is metadata alone")
        return 0
    expected = facts.dataset or Path(meta.name).name.removesuffix(META) + DATA
    if Path(data.name).name != expected or Path(data.name).parent != Path(meta.name).parent:
        raise BadInput(where, "", "holds a dataset of another name than its metadata says")
    row = facts.num_channels * metadata.format.size
    size = data.size - facts.trailing_bytes - sum(capture.header_bytes for capture in metadata.captures)
    if size < 0 or size % row:
        raise BadInput(
            where, "dataset", "its size is no whole number of samples of its datatype", "it may be truncated"
        )
    return size // row


def _pieces(metadata: Metadata) -> list[tuple[int, int]]:
    row, headers = metadata.global_.num_channels * metadata.format.size, 0
    pieces = {0: 0}
    for capture in metadata.captures:
        if capture.header_bytes:
            headers += capture.header_bytes
            first = capture.sample_start - metadata.global_.offset
            pieces[first] = headers + first * row
    return list(pieces.items())


def _in_range(metadata: Metadata, samples: int, where: str) -> None:
    offset = metadata.global_.offset
    if any(capture.sample_start - offset > samples for capture in metadata.captures):
        raise BadInput(where, "captures", "begin behind the last sample")
    if any(note.sample_start - offset + (note.sample_count or 0) > samples for note in metadata.annotations):
        raise BadInput(where, "annotations", "reach behind the last sample")


def _objects(recording: Recording) -> list[dict[str, Any]]:
    """Every object of the metadata: global, captures, annotations."""
    whole = recording.whole
    return [whole["global"], *whole["captures"], *whole["annotations"]]


def _marking(recording: Recording) -> tuple[str | None, str | None]:
    """A marking, where one is stated beyond doubt; or why what is stated cannot be read.

    SigMF has no field for one. Taken are a description that begins with one, and fields of any extension
    that are named so. Free text elsewhere is not searched: the node's own default decides then.
    """
    first = recording.metadata.global_.description.strip().partition("\n")[0].strip()
    stated = {first} if _MARKED.match(first) else set()
    for fields in _objects(recording):
        for key, value in fields.items():
            if key.rpartition(":")[2].lower() in _MARKING_KEYS:
                if not isinstance(value, str):
                    return None, "a marking in the metadata is no text"
                stated.add(value.strip())
    if len(stated) > 1:
        return None, "the metadata states more than one marking"
    return next(iter(stated), None), None


def _carries(recording: Recording) -> tuple[str, ...]:
    """The names of all fields, each once; a name that is not as SigMF writes them is not repeated."""
    names = {name for fields in _objects(recording) for name in fields} - {"core:datatype", "core:version"}
    odd = {name for name in names if not _FIELD.fullmatch(name)}
    extras = {f"tar {key}" for _, fields in recording.whole["archive"] for key in fields if key != "path"}
    told = sorted((names - odd) | extras)[:_CARRIES]
    return (*told, *(["fields with other names than SigMF's"] if odd else []))


def _exactly(file: io.FileIO, size: int, where: str) -> Array:
    """So many bytes, in one buffer."""
    buffer: Array = np.empty(size, np.uint8)
    view = buffer.data
    while view:
        count = file.readinto(view)
        if not count:
            raise BadInput(where, "", "became shorter while it was read", "give it again")
        view = view[count:]
    return buffer

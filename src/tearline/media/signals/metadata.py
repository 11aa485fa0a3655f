"""SigMF metadata: the `core` namespace of SigMF 1.2, read with limits and checked whole."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from tearline.media.signals.datatype import Datatype, datatype
from tearline.terms import BadInput, Position

LIMIT = 8 << 20
"""Bytes of metadata at most: a recording with more annotations than fit has to be split."""
VERSION = "1.2.6"
"""Of the SigMF specification that is written; 1.x is read."""

YEARS = range(1900, 9999)
"""A time outside of them is a mistake."""

# Extensions of the specification's own repository: they describe samples, none changes how they are stored.
_KNOWN_EXTENSIONS = {
    "adsb",
    "antenna",
    "capture_details",
    "multirecordings",
    "signal",
    "spatial",
    "traceability",
    "volatile",
}
_MAX = 2**63 - 1
_Index = Annotated[int, msgspec.Meta(ge=0, le=_MAX)]
_Hertz = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d\d)(?:\.(\d{1,24}))?Z", re.ASCII)


class Point(msgspec.Struct, frozen=True):
    """A GeoJSON point (RFC 7946): longitude, latitude, perhaps altitude."""

    type: Literal["Point"]
    coordinates: Annotated[list[float], msgspec.Meta(min_length=2, max_length=3)]


class Extension(msgspec.Struct, frozen=True):
    name: str
    version: str
    optional: bool


class Core(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"core:{name}"):
    """Fields of SigMF's own namespace; those of others are passed over."""


class Global(Core, frozen=True, kw_only=True):
    datatype: str
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    sample_rate: Annotated[float, msgspec.Meta(gt=0, le=1e12)] | None = None
    num_channels: Annotated[int, msgspec.Meta(ge=1, le=128)] = 1
    offset: _Index = 0
    sha512: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{128}$")] | None = None
    dataset: str | None = None
    metadata_only: bool = False
    trailing_bytes: _Index = 0
    geolocation: Point | None = None
    extensions: list[Extension] = []
    description: str = ""
    author: str = ""
    collection: str = ""
    data_doi: str = ""
    hw: str = ""
    license: str = ""
    meta_doi: str = ""
    recorder: str = ""


class Capture(Core, frozen=True, kw_only=True):
    sample_start: _Index
    datetime: str | None = None
    frequency: _Hertz | None = None
    global_index: _Index | None = None
    header_bytes: _Index = 0
    geolocation: Point | None = None


class Annotation(Core, frozen=True, kw_only=True):
    sample_start: _Index
    sample_count: _Index | None = None
    freq_lower_edge: _Hertz | None = None
    freq_upper_edge: _Hertz | None = None
    label: str = ""
    comment: str = ""
    generator: str = ""
    uuid: str = ""


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    global_: Global = msgspec.field(name="global")
    captures: Annotated[list[Capture], msgspec.Meta(max_length=10_000)]
    annotations: Annotated[list[Annotation], msgspec.Meta(max_length=100_000)]

    @property
    def format(self) -> Datatype:
        known = datatype(self.global_.datatype)
        if known is None:
            raise ValueError(self.global_.datatype)
        return known


def read(text: bytes, where: str) -> tuple[Metadata, dict[str, Any]]:
    """The metadata, and the whole of it as it stood.

    Raises:
        BadInput: too long, no JSON, a key twice, against the schema, or it contradicts itself.
    """
    if len(text) > LIMIT:
        raise BadInput(where, "metadata", "is longer than 8 MiB", "split the recording")
    try:
        whole = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        metadata = msgspec.convert(whole, Metadata)
    except UnicodeDecodeError:
        raise BadInput(where, "metadata", "is not UTF-8") from None
    except RecursionError:
        raise BadInput(where, "metadata", "is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise BadInput(where, "metadata", f"is against the schema of SigMF ({_place(error)})") from None
    except ValueError as error:
        reason = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise BadInput(where, "metadata", f"is not JSON as SigMF has it ({reason})") from None
    _consistent(metadata, where)
    return metadata, whole


def position(point: Point, where: str) -> Position:
    longitude, latitude = point.coordinates[:2]
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise BadInput(where, "core:geolocation", "is no place on the earth")
    return Position(latitude=latitude, longitude=longitude)


def moment(text: str, where: str) -> datetime:
    """A `core:datetime` (RFC 3339, in UTC with `Z`), to the microsecond; second 60 is that after 59.

    Raises:
        BadInput: it is no such time.
    """
    match = _TIME.fullmatch(text)
    try:
        if match is None or int(match[2]) > 60:
            raise ValueError  # noqa: TRY301 - one sentence for every way to be wrong
        minute = datetime.fromisoformat(f"{match[1]}00").replace(tzinfo=UTC)
        if minute.year not in YEARS:
            raise ValueError  # noqa: TRY301
        return minute + timedelta(
            seconds=int(match[2]), microseconds=int((match[3] or "0")[:6].ljust(6, "0"))
        )
    except (ValueError, OverflowError):
        raise BadInput(
            where, "core:datetime", "is no time in UTC", "write it as 2030-01-31T12:00:00Z"
        ) from None


def _consistent(metadata: Metadata, where: str) -> None:
    """What a schema cannot say (SigMF 1.2, "Captures Array", "Annotations Array", "SigMF Dataset")."""
    facts = metadata.global_
    if datatype(facts.datatype) is None:
        raise BadInput(where, "core:datatype", "is no dataset format of SigMF", "name one such as cf32_le")
    if not facts.version.startswith("1."):
        raise BadInput(where, "core:version", "is not 1.x of SigMF")
    for extension in facts.extensions:
        if not extension.optional and extension.name not in _KNOWN_EXTENSIONS:
            raise BadInput(where, "core:extensions", "needs an extension that is not known")
    if facts.dataset is None and (facts.trailing_bytes or any(c.header_bytes for c in metadata.captures)):
        raise BadInput(where, "metadata", "has header or trailing bytes, but names no dataset of its own")
    if facts.dataset is not None and facts.metadata_only:
        raise BadInput(where, "metadata", "names a dataset and says that there is none")
    for point in [facts.geolocation, *(capture.geolocation for capture in metadata.captures)]:
        if point is not None:
            position(point, where)
    _ordered(metadata, where)


def _ordered(metadata: Metadata, where: str) -> None:
    offset = metadata.global_.offset
    for name, items in (("captures", metadata.captures), ("annotations", metadata.annotations)):
        starts = [item.sample_start for item in items]
        if starts != sorted(starts):
            raise BadInput(where, name, "are not sorted by core:sample_start")
        if starts and starts[0] < offset:
            raise BadInput(where, name, "begin before the dataset does (core:offset)")
    for capture in metadata.captures:
        if capture.datetime is not None:
            moment(capture.datetime, where)
    for note in metadata.annotations:
        if (note.freq_lower_edge is None) != (note.freq_upper_edge is None):
            raise BadInput(where, "annotations", "have one edge of a band without the other")
        if (note.freq_lower_edge or 0) > (note.freq_upper_edge or 0):
            raise BadInput(where, "annotations", "have a band whose lower edge is above its upper one")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("a key stands twice in one object")
    if any(isinstance(value, float) and not math.isfinite(value) for value in whole.values()):
        raise ValueError("a number is too large")
    return whole


def _no_constant(_: str) -> float:
    raise ValueError("NaN and Infinity are no numbers there")


def _place(error: msgspec.ValidationError) -> str:
    """Where in the document, never what stands there."""
    _, _, place = str(error).rpartition(" - at ")
    return place.strip("`") or "at its top"

"""What a client adds: an envelope (TAXII 2.1, section 3.7), taken apart so that each object stands alone.

Nodes that push to one another tell in a custom property (section 3.2) which part of what they released it is:
all that was added after one date-added, up to another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
import orjson

from tearline.deliver.taxii.query import date_added, read_date_added, version_stamp
from tearline.terms import BadInput

MAX_OBJECTS = 100_000
SPEC_VERSIONS = ("2.0", "2.1")

_TYPE = re.compile(r"[a-z0-9][a-z0-9-]{1,248}[a-z0-9]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19
_NO_VERSION = "1970-01-01T00:00:00.000Z"
"""The version in a status where none could be read: the property is required (section 4.3.1)."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one request may hold: bytes of a body, bytes of an object, levels of nesting."""

    content_length: int = 100 * 1024 * 1024
    object_bytes: int = 8 * 1024 * 1024
    nesting: int = 100


class NotAnEnvelope(BadInput):
    """JSON, but nothing that could be an envelope of STIX objects."""


class Accepted(msgspec.Struct, frozen=True):
    """A STIX object that may be stored. `version` is `None` where STIX gives it none (section 3.4.1)."""

    id: str
    type: str
    version: str | None
    spec_version: str
    body: bytes


class Rejected(msgspec.Struct, frozen=True):
    """An object that may not, and why, in a sentence for its sender."""

    id: str
    version: str
    message: str


class Span(msgspec.Struct, frozen=True):
    """A part of what a node released to another: after one date-added, up to another (microseconds)."""

    after: int
    to: int


class _Dates(msgspec.Struct, forbid_unknown_fields=True):
    to: str
    after: str | None = None


class _Spanned(msgspec.Struct):
    x_tearline_span: _Dates | None = None


class _Envelope(msgspec.Struct):
    objects: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_OBJECTS)]


_decode = msgspec.json.Decoder(_Envelope).decode
_decode_span = msgspec.json.Decoder(_Spanned).decode


def write_envelope(objects: Sequence[bytes], span: Span) -> bytes:
    """An envelope of objects, which are JSON already, that are all there is in `span`."""
    dates = {"to": date_added(span.to)} | ({"after": date_added(span.after)} if span.after >= 0 else {})
    head = orjson.dumps({"x_tearline_span": dates})
    return b"".join((head[:-1], b',"objects":[', b",".join(objects), b"]}"))


def read_span(body: bytes | bytearray) -> Span | None:
    """Which part of what its sender released an envelope is; `None` where it does not say, or not so that we
    understand it."""
    try:
        dates = _decode_span(body).x_tearline_span
        if dates is None:
            return None
        after = -1 if dates.after is None else read_date_added(dates.after, "after")
        return Span(after, read_date_added(dates.to, "to"))
    except (BadInput, msgspec.DecodeError, RecursionError):
        return None


def read_envelope(body: bytes | bytearray, limits: Limits) -> list[Accepted | Rejected]:
    """Each object of an envelope, in its order. Other properties (of a bundle, say) are ignored.

    Raises `NotAnEnvelope` where there are no objects to speak of, else `BadInput` where it is not JSON.
    """
    try:
        envelope = _decode(body)
    except (msgspec.ValidationError, RecursionError):
        raise NotAnEnvelope(
            "body",
            "",
            "this is not an envelope with a list of objects",
            f"send at most {MAX_OBJECTS} objects",
        ) from None
    except msgspec.DecodeError:
        raise BadInput("body", "", "this is not JSON") from None
    return [_read(bytes(raw), limits) for raw in envelope.objects]


def _read(raw: bytes, limits: Limits) -> Accepted | Rejected:
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Rejected(
            "unknown", _NO_VERSION, "it is not UTF-8, is nested too deep or has a number that is too large"
        )
    if not isinstance(item, dict):
        return Rejected("unknown", _NO_VERSION, "it is not an object")
    version, fault = _version(item)
    fault = fault or next(_faults(item, raw, limits), None)
    if fault is not None:
        return Rejected(_shown_id(item.get("id")), version or _NO_VERSION, fault)
    # Written anew: no name stands twice in it, so every reader sees what was checked here.
    return Accepted(item["id"], item["type"], version, _spec_version(item), orjson.dumps(item))


def _faults(item: dict[str, Any], raw: bytes, limits: Limits) -> Iterator[str]:
    kind, name = item.get("type"), item.get("id")
    if not isinstance(kind, str) or _TYPE.fullmatch(kind) is None:
        yield "its type is not that of a STIX object"
    elif kind == "bundle":
        yield "a bundle is not an object; send what is in it"
    elif not isinstance(name, str) or not _is_id(name, kind):
        yield "its id is not its type, two hyphens and a UUID"
    if _spec_version(item) not in SPEC_VERSIONS:
        yield "its spec_version is neither 2.0 nor 2.1"
    if len(raw) > limits.object_bytes:
        yield f"it is larger than {limits.object_bytes} bytes"
    # Every level opens with a bracket, so few brackets prove few levels.
    if raw.count(b"{") + raw.count(b"[") > limits.nesting and _deeper(item, limits.nesting):
        yield f"it is nested deeper than {limits.nesting} levels"
    if _LONG_NUMBER in raw.translate(_DIGITS_TO_ZERO) and not _fits(raw):
        yield "a whole number in it does not fit 64 bits"


def _is_id(name: str, kind: str) -> bool:
    prefix, _, uuid = name.rpartition("--")
    return prefix == kind and _UUID.fullmatch(uuid) is not None


def _version(item: dict[str, Any]) -> tuple[str | None, str | None]:
    """(version, fault): `modified`, else `created`, else none."""
    for name in ("modified", "created"):
        if name in item:
            text = item[name]
            stamp = version_stamp(text) if isinstance(text, str) else None
            return stamp, None if stamp else f"its {name} is not a time in UTC"
    return None, None


def _spec_version(item: dict[str, Any]) -> Any:
    """As it says; else 2.0, but 2.1 for what only 2.1 has: objects without `created` (STIX 2.1, 3.2)."""
    return item.get("spec_version", "2.0" if "created" in item else "2.1")


def _deeper(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [
            child
            for parent in layer
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not layer:
            return False
    return True


def _fits(raw: bytes) -> bool:
    """Whether every whole number is one that the parser kept as it is."""
    outside: list[str] = []

    def note(text: str) -> int:
        if not -(2**63) <= int(text[:25]) < 2**64:
            outside.append(text)
        return 0

    json.loads(raw, parse_int=note)
    return not outside


def _shown_id(name: object) -> str:
    return name if isinstance(name, str) and len(name) <= 300 else "unknown"

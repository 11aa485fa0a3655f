"""How the file of a picture or recording is given: a report that names it, an artifact, and a door.

The report is the product, and is what is signed: it says digest and size of the file. The artifact (STIX 2.1,
section 6.1) stands beside it for clients that know nothing of ours; its id is the recipient's own, so that
neither it nor the URL links what two partners were given. Who takes the file asks the giver's door for the
name in the signed report; the artifact's URL is never followed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tearline.deliver.extension import EXTENSION, FILE, RECALL
from tearline.terms import Broken, Category, Grain, Imagery, Product, Refused, Signal

PATH = "/media/"
"""Where a door has files; the name follows."""
_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEDIA_TYPE = re.compile(r"[a-z0-9]+/[A-Za-z0-9.+-]+(?:; *[a-z]+=[A-Za-z0-9.+-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a release. `sha256` is hexadecimal, `size` in bytes."""

    name: str
    """A UUID, the recipient's own: the artifact's id and the path at the door end in it."""
    sha256: str
    size: int
    media_type: str

    @property
    def artifact(self) -> str:
        return f"artifact--{self.name}"

    @property
    def path(self) -> str:
        return PATH + self.name


class Content(msgspec.Struct, frozen=True):
    """The bytes that go as a file: SHA-256, hexadecimal, their number, and what they are (IANA)."""

    sha256: str
    size: int
    media_type: str
    facts: Imagery | Signal
    """What it shows: for the recipient's catalogue."""
    grain: Grain = Grain.EXACT
    """How exactly it tells its time."""


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the report says of its file."""

    sha256: str
    size: int
    media_type: str


def named(content: Content, number: bytes) -> File:
    """The file under the name that 32 opaque bytes make."""
    name = str(uuid.UUID(bytes=number[:16], version=4))
    return File(name=name, sha256=content.sha256, size=content.size, media_type=content.media_type)


def told_in(content: Content) -> dict[str, Any]:
    """What the report says of the file: our extension."""
    told = _Told(content.sha256, content.size, content.media_type)
    return {FILE: {"extension_type": "property-extension", **msgspec.structs.asdict(told)}}


def is_media(product: Product) -> bool:
    """Whether its content is a `Media`: a picture or recording, whose file lies in the blob store."""
    return product.category in {Category.IMAGERY, Category.INTERCEPT} and product.content.startswith(b"{")


def passed_on(came_as: Mapping[str, Any], content: Content, marks: Sequence[str]) -> dict[str, Any]:
    """The report that a partner gave, as its originator signed it, under other markings.

    Raises `Refused` where the file is not the one that it signed.
    """
    extensions = {name: its for name, its in came_as["extensions"].items() if name not in {EXTENSION, RECALL}}
    if extensions[FILE] != told_in(content)[FILE]:
        raise Refused("it goes on with the file that its originator signed, or not at all")
    kept = {name: value for name, value in came_as.items() if name != "granular_markings"}
    return kept | {"object_marking_refs": list(marks), "extensions": extensions}


def to_artifact(file: File, marks: Sequence[str], door: str) -> dict[str, Any]:
    """The STIX artifact. `door`: the giver's partner door, such as `https://host:port`."""
    return {
        "type": "artifact",
        "spec_version": "2.1",
        "id": file.artifact,
        "mime_type": file.media_type,
        "url": door + file.path,
        "hashes": {"SHA-256": file.sha256},
        "object_marking_refs": list(marks),
        "extensions": {FILE: {"extension_type": "property-extension", "size": file.size}},
    }


def is_file_report(item: Mapping[str, Any]) -> bool:
    """Whether an object claims to be a report that brings a file."""
    return item.get("type") == "report" and _extended(item)


def only_tells_where(item: Mapping[str, Any]) -> bool:
    """Whether it is the artifact beside such a report: the report tells all that counts."""
    return item.get("type") == "artifact" and _extended(item)


def file_in(item: Mapping[str, Any]) -> File:
    """The file that a report brings. Raises `Broken` where it does not say that whole."""
    try:
        said = dict(item["extensions"][FILE])
        said.pop("extension_type")
        content = msgspec.convert(said, _Told)
        (ref,) = item["object_refs"]
        kind, _, name = ref.partition("--")
    except (AttributeError, KeyError, TypeError, ValueError, msgspec.ValidationError):
        raise Broken("what a report says of its file cannot be read") from None
    holds = (
        kind == "artifact"
        and _NAME.fullmatch(name)
        and _SHA256.fullmatch(content.sha256)
        and content.size >= 0
        and _MEDIA_TYPE.fullmatch(content.media_type)
    )
    if not holds:
        raise Broken("what a report says of its file is not of the form that it must have")
    return File(name=name, sha256=content.sha256, size=content.size, media_type=content.media_type)


def _extended(item: Mapping[str, Any]) -> bool:
    extensions = item.get("extensions")
    return isinstance(extensions, Mapping) and FILE in extensions

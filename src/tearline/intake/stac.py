"""STAC items and collections (STAC 1.0 and 1.1): which files of a folder they describe, and as what.

Only what lies beside the item is read: a reference to elsewhere, a URL or a path that leaves the folder, is a
fault. Of an item's properties the title is taken, and the time where the file tells none; what else it
tells (platform, view geometry) is left where it is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec

from tearline.intake.context import shown
from tearline.terms import BadInput

MAX_BYTES = 8 << 20
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_READ = ("image/tiff", "image/nitf", "application/vnd.nitf", "image/jp2", "application/x-sigmf")


class _Asset(msgspec.Struct):
    href: str
    type: str = ""
    roles: list[str] = []


class _Properties(msgspec.Struct):
    datetime: str | None = None
    title: str = ""
    description: str = ""


class _Item(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    stac_version: Annotated[str, msgspec.Meta(pattern=r"^1\.[01]\.")]
    assets: dict[str, _Asset]
    properties: _Properties


class _Link(msgspec.Struct):
    rel: str
    href: str


class _Collection(msgspec.Struct):
    stac_version: Annotated[str, msgspec.Meta(pattern=r"^1\.[01]\.")]
    links: list[_Link]


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an item describes. `path` is relative to the item's folder and stays in it."""

    path: PurePosixPath
    title: str
    texts: tuple[str, ...]
    taken: datetime | None


def is_stac(head: bytes) -> bool:
    """Whether a file that begins so claims to be STAC."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"stac_version"' in head


def files(body: bytes, name: str) -> list[Described]:
    """The pictures and recordings of an item; `BadInput` where it is none, or names none that can be read."""
    item = _decoded(body, name, _Item)
    title = shown(item.properties.title)
    texts = tuple(filter(None, (item.properties.title, item.properties.description)))
    taken = _instant(item.properties.datetime, name)
    paths = [
        _local(asset.href, name, f"assets.{shown(key)}")
        for key, asset in item.assets.items()
        if _is_read(asset)
    ]
    if not paths:
        raise BadInput(name, "assets", "names no GeoTIFF, NITF, JPEG 2000 or SigMF file")
    return [Described(path=path, title=title, texts=texts, taken=taken) for path in paths]


def items(body: bytes, name: str) -> list[PurePosixPath]:
    """The items that a collection or catalogue names beside it."""
    links = [link.href for link in _decoded(body, name, _Collection).links if link.rel in {"item", "child"}]
    return [_local(href, name, "links") for href in links]


def is_item(body: bytes, name: str) -> bool:
    """Whether it is an item; else it is a collection or catalogue. Raises `BadInput` for what is no JSON."""
    return bool(_decoded(body, name, dict[str, Any]).get("type") == "Feature")


def _is_read(asset: _Asset) -> bool:
    return asset.type.lower().startswith(_READ) and not {"thumbnail", "overview"} & set(asset.roles)


def _local(href: str, name: str, place: str) -> PurePosixPath:
    path = PurePosixPath(href)
    if _SCHEME.match(href) or href.startswith("//"):
        raise BadInput(name, place, "refers to an address: nothing is fetched", "bring the file")
    if path.is_absolute() or ".." in path.parts or "\0" in href or not path.parts:
        raise BadInput(name, place, "refers to a file outside its folder", "put the file beside it")
    return path


def _instant(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(name, "properties.datetime", "is not a time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _decoded(body: bytes, name: str, what: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=what)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(name, "", f"is not STAC as it is read here ({shown(str(error))})") from None

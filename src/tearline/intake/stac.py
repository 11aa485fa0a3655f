"""STAC (specification 1.0 and 1.1, API 1.0): which pictures and recordings documents describe, and as what.

Bytes to words; nothing is opened or fetched here. Of an item's properties the title is taken, and the time
where the file tells none; what else it tells (platform, view geometry) is left where it is.
"""

from __future__ import annotations

import hashlib
import math
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from tearline.intake.context import shown
from tearline.terms import BadInput

MAX_BYTES = 8 << 20
"""Of one document."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_READ = (
    "image/tiff",
    "image/vnd.stac.geotiff",
    "image/nitf",
    "application/vnd.nitf",
    "image/jp2",
    "application/x-sigmf",
)
_SUFFIXES = frozenset({".tif", ".tiff", ".ntf", ".nitf", ".nsf", ".jp2", ".sigmf", ".sigmf-meta"})
_HASHES = {
    "1114": "sha1",
    "1220": "sha256",
    "1340": "sha512",
    "1440": "sha3_512",
    "1530": "sha3_384",
    "1620": "sha3_256",
    "171c": "sha3_224",
    "d50110": "md5",
}
"""Multihash: the code of a function and the length of its digest, by the table of multicodec."""


class _Asset(msgspec.Struct):
    href: str
    type: str = ""
    roles: list[str] = []
    checksum: str = msgspec.field(name="file:checksum", default="")
    multihash: str = msgspec.field(name="checksum:multihash", default="")
    size: Annotated[int, msgspec.Meta(ge=0)] | None = msgspec.field(name="file:size", default=None)


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
    method: str = "GET"


class _Catalogue(msgspec.Struct):
    stac_version: Annotated[str, msgspec.Meta(pattern=r"^1\.[01]\.")]
    links: list[_Link]


class _Page(msgspec.Struct):
    features: list[msgspec.Raw]
    links: list[_Link] = []


class Checksum(msgspec.Struct, frozen=True):
    """What a file's bytes should hash to. `name`: of the function, as hashlib has it."""

    name: str
    digest: bytes


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an item describes."""

    href: str
    """A path relative to the item, or an address."""
    place: str
    title: str
    texts: tuple[str, ...]
    taken: datetime | None
    size: int | None
    checksums: tuple[Checksum, ...]


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue or collection, and where what is in it is found."""

    search: str | None
    """Of an API: where all of its items can be asked for."""
    items: str | None
    """Of a collection of an API: where its items can be."""
    below: tuple[str, ...]
    """Items and catalogues, each by its link."""


class Page(msgspec.Struct, frozen=True):
    """Items as they came, and where the next ones are."""

    items: tuple[bytes, ...]
    next: str | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of an API are wanted."""

    collections: tuple[str, ...] = ()
    bbox: tuple[float, ...] = ()
    datetime: str = ""

    def __bool__(self) -> bool:
        return bool(self.collections or self.bbox or self.datetime)


def is_stac(head: bytes) -> bool:
    """Whether a file that begins so claims to be STAC."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"stac_version"' in head


def is_address(href: str) -> bool:
    """Whether it leads elsewhere by itself; else it is a path beside whatever names it."""
    return _SCHEME.match(href) is not None


def read(body: bytes, name: str) -> list[Described] | Catalogue | Page:
    """What a document is, by its `type`: an item's files, a catalogue, or a page of items.

    Raises `BadInput` for what is none of these, and for an item without a file that can be read.
    """
    match _decoded(body, name, dict[str, Any]).get("type"):
        case "Feature":
            return files(body, name)
        case "FeatureCollection":
            return _page(body, name)
        case _:
            return _catalogue(body, name)


def files(body: bytes, name: str) -> list[Described]:
    """The pictures and recordings of an item; `BadInput` where it is none, or names none that can be read."""
    item = _decoded(body, name, _Item)
    taken = _instant(item.properties.datetime, name, "properties.datetime")
    found = [
        Described(
            href=asset.href,
            place=(place := f"assets.{shown(key)}"),
            title=shown(item.properties.title),
            texts=tuple(filter(None, (item.properties.title, item.properties.description))),
            taken=taken,
            size=asset.size,
            checksums=tuple(
                _checksum(text, name, place) for text in (asset.checksum, asset.multihash) if text
            ),
        )
        for key, asset in item.assets.items()
        if _is_read(asset)
    ]
    if not found:
        raise BadInput(name, "assets", "names no GeoTIFF, NITF, JPEG 2000 or SigMF file")
    return found


def beside(href: str, name: str, place: str) -> PurePosixPath:
    """A path as it stands in a local document. Raises `BadInput` where it is an address or absolute."""
    path = PurePosixPath(href)
    if is_address(href):
        remedy = "take it in from there with `tearline intake stac URL`, or bring the file"
        raise BadInput(name, place, "refers to an address: from a local file nothing is fetched", remedy)
    if path.is_absolute() or "\0" in href or not path.parts:
        raise BadInput(name, place, "refers to a file outside its folder", "put the file beside it")
    return path


def asking(href: str, asked: Asked, limit: int, *, within: bool = False) -> str:
    """The address of a search (STAC API - Item Search), or, `within` a collection, of its items."""
    parts = urlsplit(href)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "limit"]
    if asked.collections and not within:
        query.append(("collections", ",".join(asked.collections)))
    if asked.bbox:
        query.append(("bbox", ",".join(f"{side:.10g}" for side in asked.bbox)))
    if asked.datetime:
        query.append(("datetime", asked.datetime))
    query.append(("limit", str(limit)))
    return urlunsplit((*parts[:3], urlencode(query, safe=",:/"), ""))


def read_bbox(text: str) -> tuple[float, ...]:
    """Raises `BadInput` for what is not `WEST,SOUTH,EAST,NORTH` in degrees."""
    try:
        west, south, east, north = sides = tuple(float(side) for side in text.split(","))
    except ValueError:
        west = south = east = north = math.nan
        sides = ()
    if abs(west) <= 180 >= abs(east) and -90 <= south <= north <= 90:
        return sides
    raise BadInput("--bbox", "", "is not WEST,SOUTH,EAST,NORTH in degrees")


def read_period(text: str) -> str:
    """An instant or an interval as RFC 3339 has them, `..` for an open end. Raises `BadInput`."""
    ends = text.split("/")
    if len(ends) > 2 or all(end in {"", ".."} for end in ends):
        raise BadInput("--datetime", "", "is not a time, nor two with / between them")
    full = [end if end in {"", ".."} else f"{end}T00:00:00Z" if len(end) == 10 else end for end in ends]
    for end in full:
        if end not in {"", ".."}:
            _instant(end, "--datetime", "")
    return "/".join(full)


def _page(body: bytes, name: str) -> Page:
    page = _decoded(body, name, _Page)
    onward = next((link for link in page.links if link.rel == "next"), None)
    if onward is not None and onward.method.upper() != "GET":
        raise BadInput(name, "links", "has a next page that cannot be asked for by GET")
    return Page(tuple(map(bytes, page.features)), onward.href if onward else None)


def _catalogue(body: bytes, name: str) -> Catalogue:
    links = _decoded(body, name, _Catalogue).links

    def first(rel: str) -> str | None:
        return next((each.href for each in links if each.rel == rel and each.method.upper() == "GET"), None)

    return Catalogue(
        search=first("search"),
        items=first("items"),
        below=tuple(link.href for link in links if link.rel in {"item", "child"}),
    )


def _is_read(asset: _Asset) -> bool:
    if {"thumbnail", "overview"} & set(asset.roles):
        return False
    if asset.type:
        return asset.type.lower().startswith(_READ)
    return PurePosixPath(urlsplit(asset.href).path).suffix.lower() in _SUFFIXES


def _checksum(text: str, name: str, place: str) -> Checksum:
    text = text.lower()
    for code, function in _HASHES.items():
        if text.startswith(code) and re.fullmatch("[0-9a-f]+", text):
            digest = bytes.fromhex(text[len(code) :]) if len(text) % 2 == 0 else b""
            if len(digest) == hashlib.new(function, usedforsecurity=False).digest_size:
                return Checksum(function, digest)
    raise BadInput(name, place, "states a checksum of a kind that is not known here")


def _instant(text: str | None, name: str, place: str) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(name, place, "is not a time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _decoded(body: bytes, name: str, what: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=what)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(name, "", f"is not STAC as it is read here ({shown(str(error))})") from None

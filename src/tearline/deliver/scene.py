"""A picture or recording in the recipient's catalogue: a STAC item (specification 1.1.0, item-spec).

It is made from what was released alone: the facts of the released file, never those of the original. Its
fields are listed here; nothing is carried over from anywhere. Links are the door's to add, for they name the
host that was asked.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tearline.terms import Box, Grain, Imagery, Signal

STAC_VERSION = "1.1.0"
FILE_EXTENSION = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
IMAGERY, SIGNALS = COLLECTIONS = ("imagery", "signals")
"""The same for everyone, so that their names tell nothing."""

THUMBNAIL, OVERVIEW = "thumbnail", "overview"
"""The keys and roles of the assets of previews."""

UNTOLD_SINCE = datetime(1900, 1, 1, tzinfo=UTC)
"""Where a time is not told the item says that it lies between this and the day of the release: STAC has every
item tell some time, and nobody photographed from the air much earlier."""

SHA2_256 = "1220"
"""Multihash: the code of SHA2-256 and the length of its digest, 32 bytes."""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """The released file."""

    path: str
    """On the partner door, from its root, such as `/files/...`; the door puts its own address before it."""
    media_type: str
    sha256: str
    """Hexadecimal."""
    size: int
    """In bytes."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue finds an item by, and the item. Survives JSON and back."""

    id: str
    collection: str
    """One of `COLLECTIONS`."""
    box: Box | None
    """`None`: found by no area."""
    start: datetime
    end: datetime
    """It was taken between these, both included; the same where the time is told exactly."""
    item: dict[str, Any]
    """A STAC item without `links`; the `href` of its asset is `Asset.path`."""


def compose_scene(
    object_id: str,
    facts: Imagery | Signal,
    *,
    title: str,
    grain: Grain,
    issued: datetime,
    asset: Asset | None,
) -> Scene:
    """The scene of a released object: `facts` are those of the released form, `grain` how exactly it tells
    its time, `title` the name that the object goes under; `asset` is `None` where no file goes with it.
    """
    box = footprint(facts)
    start, end = _span(facts.taken, grain, issued)
    collection = IMAGERY if isinstance(facts, Imagery) else SIGNALS
    gsd = facts.gsd_m if isinstance(facts, Imagery) else None
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [] if asset is None else [FILE_EXTENSION],
        "id": object_id,
        "collection": collection,
        "geometry": None if box is None else _geometry(box),
        "properties": _times(start, end)
        | ({"title": title} if title else {})
        | ({"gsd": gsd} if gsd is not None and gsd > 0 else {}),
        "assets": {} if asset is None else {"data": _asset(asset)},
    }
    if box is not None:
        item["bbox"] = [box.west, box.south, box.east, box.north]
    return Scene(id=object_id, collection=collection, box=box, start=start, end=end, item=item)


def preview_asset(role: str, path: str, sha256: str, size: int) -> dict[str, Any]:
    """The asset of a preview, a PNG: `role` is `THUMBNAIL` or `OVERVIEW`; the rest as in `Asset`."""
    asset = _asset(Asset(path=path, media_type="image/png", sha256=sha256, size=size))
    return asset | {"roles": [role]}


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC, microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def footprint(facts: Imagery | Signal) -> Box | None:
    """The area of a picture, or the point of a recording; `None` where that is not on the earth."""
    return _world(facts.box if isinstance(facts, Imagery) else _at(facts))


def _at(facts: Signal) -> Box | None:
    where = facts.position
    return None if where is None else Box(where.longitude, where.latitude, where.longitude, where.latitude)


def _world(box: Box | None) -> Box | None:
    """`box` if it lies on the earth: what cannot be so is no footprint."""
    if box is None or not all(map(math.isfinite, (box.west, box.south, box.east, box.north))):
        return None
    sound = -180 <= box.west <= box.east <= 180 and -90 <= box.south <= box.north <= 90
    return box if sound else None


def _geometry(box: Box) -> dict[str, Any]:
    """GeoJSON (RFC 7946): a box without width is a line, one without both a point."""
    low, high = [box.west, box.south], [box.east, box.north]
    if low == high:
        return {"type": "Point", "coordinates": low}
    if box.west == box.east or box.south == box.north:
        return {"type": "LineString", "coordinates": [low, high]}
    ring = [low, [box.east, box.south], high, [box.west, box.north], low]
    return {"type": "Polygon", "coordinates": [ring]}


def _span(taken: datetime | None, grain: Grain, issued: datetime) -> tuple[datetime, datetime]:
    """The first and last instant at which it may have been taken, for all that is told."""
    if taken is None or grain is Grain.NONE:
        day = issued.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return UNTOLD_SINCE, _before(day + timedelta(days=1))
    at = taken.astimezone(UTC)
    if grain is Grain.EXACT:
        return at, at
    start = at.replace(minute=0, second=0, microsecond=0)
    if grain is Grain.HOUR:
        return start, _before(start + timedelta(hours=1))
    start = start.replace(hour=0)
    if grain is Grain.DAY:
        return start, _before(start + timedelta(days=1))
    start = start.replace(day=1)
    return start, _before((start + timedelta(days=31)).replace(day=1))


def _before(at: datetime) -> datetime:
    return at - timedelta(microseconds=1)


def _times(start: datetime, end: datetime) -> dict[str, Any]:
    """The item's times: `datetime`, or, where it is told less exactly, an interval beside its null."""
    if start == end:
        return {"datetime": stamp(start)}
    return {"datetime": None, "start_datetime": stamp(start), "end_datetime": stamp(end)}


def _asset(asset: Asset) -> dict[str, Any]:
    return {
        "href": asset.path,
        "type": asset.media_type,
        "roles": ["data"],
        "file:size": asset.size,
        "file:checksum": SHA2_256 + asset.sha256,
    }

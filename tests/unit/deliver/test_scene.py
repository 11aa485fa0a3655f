"""The STAC item of a release: what it tells, and how exactly."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec
import pystac
import pytest

from tearline.deliver import Asset, Scene, compose_scene
from tearline.terms import Box, Grain, Imagery, Position
from tests.catalogue import NOON, picture, recording, scene

ISSUED = datetime(2026, 4, 13, 8, tzinfo=UTC)
BOX = Box(20.0, 40.0, 21.0, 41.5)


def test_a_picture_tells_only_what_is_listed() -> None:
    made = scene(7, picture(BOX))
    name = "report--00000000-0000-4000-8000-000000000007"
    assert made.item == {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": ["https://stac-extensions.github.io/file/v2.1.0/schema.json"],
        "id": name,
        "collection": "imagery",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[20.0, 40.0], [21.0, 40.0], [21.0, 41.5], [20.0, 41.5], [20.0, 40.0]]],
        },
        "bbox": [20.0, 40.0, 21.0, 41.5],
        "properties": {"datetime": "2026-03-14T12:30:15.250000Z", "title": "A harbour", "gsd": 10.0},
        "assets": {
            "data": {
                "href": f"/files/{name}",
                "type": "image/tiff; application=geotiff",
                "roles": ["data"],
                "file:size": 12_345,
                "file:checksum": "1220" + "ab" * 32,
            }
        },
    }
    assert (made.id, made.collection, made.box, made.start, made.end) == (name, "imagery", BOX, NOON, NOON)


@pytest.mark.parametrize(
    ("grain", "start", "end"),
    [
        (Grain.HOUR, "2026-03-14T12:00:00.000000Z", "2026-03-14T12:59:59.999999Z"),
        (Grain.DAY, "2026-03-14T00:00:00.000000Z", "2026-03-14T23:59:59.999999Z"),
        (Grain.MONTH, "2026-03-01T00:00:00.000000Z", "2026-03-31T23:59:59.999999Z"),
        (Grain.NONE, "1900-01-01T00:00:00.000000Z", "2026-04-13T23:59:59.999999Z"),
    ],
)
def test_a_coarse_time_is_an_interval(grain: Grain, start: str, end: str) -> None:
    made = scene(1, picture(BOX), grain=grain)
    told = made.item["properties"]
    assert (told["datetime"], told["start_datetime"], told["end_datetime"]) == (None, start, end)
    assert "12:30" not in msgspec.json.encode(made).decode()


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_ends_where_the_next_begins(month: int) -> None:
    taken = datetime(2028, month, 28, 23, tzinfo=UTC)
    made = compose_scene("x", picture(BOX, taken), title="", grain=Grain.MONTH, issued=ISSUED, asset=None)
    assert made.start == datetime(2028, month, 1, tzinfo=UTC)
    after = datetime(2028 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    assert (after - made.end).total_seconds() == 1e-6


def test_a_time_that_is_not_known_is_not_told_exactly() -> None:
    made = scene(1, picture(BOX, None), grain=Grain.EXACT)
    assert made.item["properties"]["datetime"] is None
    assert made.start == datetime(1900, 1, 1, tzinfo=UTC)


def test_a_time_in_another_zone_is_told_in_utc() -> None:
    taken = datetime.fromisoformat("2026-03-15T00:30:00+02:00")
    assert scene(1, picture(BOX, taken), grain=Grain.DAY).start == datetime(2026, 3, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (Box(1.0, 2.0, 1.0, 2.0), "Point"),
        (Box(1.0, 2.0, 1.0, 3.0), "LineString"),
        (Box(1.0, 2.0, 4.0, 2.0), "LineString"),
        (Box(-180.0, -90.0, 180.0, 90.0), "Polygon"),
    ],
)
def test_a_footprint_is_the_geometry_that_it_is(box: Box, kind: str) -> None:
    assert scene(1, picture(box)).item["geometry"]["type"] == kind


@pytest.mark.parametrize(
    "box",
    [
        None,
        Box(10.0, 0.0, 9.0, 1.0),
        Box(0.0, 0.0, 181.0, 1.0),
        Box(0.0, -91.0, 1.0, 1.0),
        Box(math.nan, 0.0, 1.0, 1.0),
        Box(-math.inf, 0.0, 1.0, 1.0),
    ],
)
def test_what_cannot_lie_on_the_earth_has_no_footprint(box: Box | None) -> None:
    made = scene(1, picture(box))
    assert made.item["geometry"] is None
    assert made.box is None
    assert "bbox" not in made.item


def test_a_recording_tells_the_position_that_its_file_tells() -> None:
    made = scene(1, recording(Position(latitude=54.5, longitude=18.5)), grain=Grain.DAY)
    assert made.collection == "signals"
    assert made.item["geometry"] == {"type": "Point", "coordinates": [18.5, 54.5]}
    assert "gsd" not in made.item["properties"]
    assert scene(1, recording(None)).item["geometry"] is None


def test_without_a_file_there_is_no_asset_and_no_extension() -> None:
    made = scene(1, recording(None), asset=False)
    assert (made.item["assets"], made.item["stac_extensions"]) == ({}, [])


def test_what_is_not_known_is_left_out() -> None:
    made = compose_scene(
        "x", picture(BOX, gsd_m=None), title="", grain=Grain.EXACT, issued=ISSUED, asset=None
    )
    assert made.item["properties"] == {"datetime": "2026-03-14T12:30:15.250000Z"}


def test_it_survives_json() -> None:
    made = scene(1, picture(BOX))
    assert msgspec.json.decode(msgspec.json.encode(made), type=Scene) == made


def test_it_is_an_item_to_pystac() -> None:
    facts: Imagery = picture(BOX)
    asset = Asset(path="/files/x", media_type="image/jp2", sha256="00" * 32, size=1)
    made = compose_scene("x", facts, title="", grain=Grain.DAY, issued=ISSUED, asset=asset)
    item = pystac.Item.from_dict(made.item | {"links": []})
    assert item.to_dict()["properties"]["start_datetime"].startswith("2026-03-14T00:00:00")
    assert item.assets["data"].media_type == "image/jp2"

"""The catalogue finds what a naive search finds, gives each item once, and tells nothing of anything else."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import hypothesis.strategies as st
import pytest
import shapely.geometry
from hypothesis import HealthCheck, assume, given, settings

from tearline.adapters.view import Place, Scenes, View, search
from tearline.adapters.view.catalogue import COLLECTIONS
from tearline.deliver import Scene
from tearline.deliver.stac import read_body, read_shape
from tearline.terms import Box, Grain, Position
from tests.catalogue import picture, put, recording, scene
from tests.door import Asker, open_view

LONG = bool(os.environ.get("TEARLINE_LONG"))
START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCENES, HOURS = 250, 24 * 70

moderately = settings(
    max_examples=3000 if LONG else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

# Few different numbers, so that borders meet; those at the ends of the world among them.
LONGITUDES = [-180.0, -179.5, -90.0, -1.0, 0.0, 0.1, 0.5, 1.0, 2.0, 90.25, 179.5, 180.0]
LATITUDES = [-90.0, -89.5, -45.0, -1.0, 0.0, 0.1, 0.5, 1.0, 2.0, 45.25, 89.5, 90.0]
longitudes, latitudes = st.sampled_from(LONGITUDES), st.sampled_from(LATITUDES)
points = st.tuples(longitudes, latitudes)


def scenes_of(seed: int, count: int = SCENES) -> list[Scene]:
    """Pictures and recordings of all kinds, where and when many others are."""
    draw = random.Random(seed)
    return [_scene(draw, number) for number in range(count)]


def _scene(draw: random.Random, number: int, days: int = 0) -> Scene:
    taken = START + timedelta(days=days, hours=draw.randrange(HOURS))
    grain = draw.choice([Grain.EXACT, *Grain])
    if draw.random() < 0.1:
        return scene(number, picture(None, taken), grain=grain)
    if draw.random() < 0.3:
        place = Position(latitude=draw.choice(LATITUDES), longitude=draw.choice(LONGITUDES))
        return scene(number, recording(place, taken), grain=grain)
    west, east = sorted(draw.choices(LONGITUDES, k=2))
    south, north = sorted(draw.choices(LATITUDES, k=2))
    return scene(number, picture(Box(west, south, east, north), taken), grain=grain)


@st.composite
def areas(draw: st.DrawFn) -> list[Any]:
    ring = draw(st.lists(points, min_size=3, max_size=7, unique=True))
    closed = [*ring, ring[0]]
    assume(shapely.geometry.Polygon(closed).is_valid)
    return [closed]


KINDS: Mapping[str, st.SearchStrategy[Any]] = {
    "Point": points,
    "LineString": st.lists(points, min_size=2, max_size=4, unique=True),
    "Polygon": areas(),
}


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    match draw(st.sampled_from(["one", "multi", "collection"])):
        case "one":
            return {"type": kind, "coordinates": draw(KINDS[kind])}
        case "multi":
            return {
                "type": f"Multi{kind}",
                "coordinates": draw(st.lists(KINDS[kind], min_size=1, max_size=3)),
            }
        case _:
            parts = [{"type": each, "coordinates": draw(KINDS[each])} for each in sorted(KINDS)]
            return {"type": "GeometryCollection", "geometries": parts}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A search as it is posted."""
    body: dict[str, Any] = {"limit": draw(st.integers(1, 60))}
    match draw(st.sampled_from(["", "bbox", "intersects"])):
        case "bbox":
            south, north = sorted((draw(latitudes), draw(latitudes)))
            body["bbox"] = [draw(longitudes), south, draw(longitudes), north]
        case "intersects":
            body["intersects"] = draw(shapes())
    if draw(st.booleans()):
        start, end = sorted((START + timedelta(hours=draw(st.integers(0, HOURS)))).isoformat() for _ in "ab")
        body["datetime"] = draw(st.sampled_from([f"{start}/{end}", f"../{end}", f"{start}/..", start]))
    if draw(st.booleans()):
        body["collections"] = draw(st.lists(st.sampled_from(["imagery", "signals", "x"]), min_size=1))
    if draw(st.integers(0, 4)) == 0:
        names = st.integers(0, SCENES + 3).map(lambda number: scene(number, picture(None)).id)
        body["ids"] = draw(st.lists(names, min_size=1, max_size=8))
    return body


# --- it finds what there is ----------------------------------------------------------------------


class Shop(NamedTuple):
    """A view in which all of the scenes are opened, and the date-added of each by its id."""

    view: View
    scenes: Sequence[Scene]
    added: Mapping[str, int]

    def __repr__(self) -> str:
        return f"Shop({len(self.scenes)})"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    scenes = scenes_of(7)
    view = open_view(tmp_path_factory.mktemp("shop"), "BBB")
    added = put(view, scenes)
    view.open_scenes()
    yield Shop(view, scenes, dict(zip([one.id for one in scenes], added, strict=True)))
    view.close()


def naive(shop: Shop, body: Mapping[str, Any]) -> list[str]:
    """The ids of what is wanted, in order: one scene after the other, geometry by shapely."""
    fits = [one for one in shop.scenes if _fits(one, body)]
    fits.sort(key=lambda one: (one.start, shop.added[one.id]), reverse=True)
    return [one.id for one in fits]


def _fits(one: Scene, body: Mapping[str, Any]) -> bool:
    place = None if one.box is None else shapely.geometry.shape(one.item["geometry"])
    if "bbox" in body:
        west, south, east, north = body["bbox"]
        spans = [(west, east)] if west <= east else [(west, 180), (-180, east)]
        boxes = [_line_or_box(w, south, e, north) for w, e in spans]
        if place is None or not any(box.intersects(place) for box in boxes):
            return False
    if "intersects" in body and (
        place is None or not shapely.geometry.shape(body["intersects"]).intersects(place)
    ):
        return False
    if "datetime" in body:
        start, _, end = body["datetime"].partition("/")
        end = end or start
        if start != ".." and one.end < datetime.fromisoformat(start):
            return False
        if end != ".." and one.start > datetime.fromisoformat(end):
            return False
    if one.collection not in body.get("collections", [one.collection]):
        return False
    return one.id in body.get("ids", [one.id])


def _line_or_box(west: float, south: float, east: float, north: float) -> Any:
    """The box, also where it has no width: shapely has such a polygon meet nothing."""
    return shapely.geometry.MultiPoint([(west, south), (east, north), (west, north), (east, south)]).envelope


@pytest.mark.parametrize("most", [search.MOST, 20], ids=["counted", "in order"])
@moderately
@given(body=bodies())
def test_it_finds_what_a_naive_search_finds(shop: Shop, most: int, body: dict[str, Any]) -> None:
    expected = naive(shop, body)
    wanted, _ = read_body(json.dumps(body).encode())
    seen: list[str] = []
    after: Place | None = None
    with pytest.MonkeyPatch.context() as patch, shop.view.scenes() as scenes:
        patch.setattr(search, "MOST", most)
        while True:
            found = scenes.search(wanted, after, wanted.limit)
            assert found.matched in (None, len(expected))
            assert found.matched is not None or len(shop.scenes) > most
            page = [json.loads(each)["id"] for each in found.items]
            assert 0 < len(page) <= wanted.limit or (not page and found.next is None)
            seen += page
            if found.next is None:
                break
            after = found.next
    assert seen == expected


@moderately
@given(shape=shapes(), boxes=st.lists(st.tuples(longitudes, latitudes, longitudes, latitudes), max_size=20))
def test_what_a_shape_touches(shape: dict[str, Any], boxes: list[tuple[float, ...]]) -> None:
    sound = [(min(w, e), min(s, n), max(w, e), max(s, n)) for w, s, e, n in boxes]
    expected = [bool(shapely.geometry.shape(shape).intersects(_line_or_box(*each))) for each in sound]
    assert read_shape(json.loads(json.dumps(shape)), "").touches(sound) == expected


def test_extents_are_those_of_what_is_held(shop: Shop) -> None:
    for name in COLLECTIONS:
        its = [one for one in shop.scenes if one.collection == name]
        boxes = [one.box for one in its if one.box is not None]
        with shop.view.scenes() as scenes:
            extent = scenes.extent(name)
        assert extent.box == Box(
            min(box.west for box in boxes),
            min(box.south for box in boxes),
            max(box.east for box in boxes),
            max(box.north for box in boxes),
        )
        times = min(one.start for one in its), max(one.end for one in its)
        assert extent.times == tuple((at - EPOCH) // timedelta(microseconds=1) for at in times)


# --- it tells nothing else (law 5) ---------------------------------------------------------------


class Pair(NamedTuple):
    """Two doors to the same partner: to it there is no difference between what is behind them."""

    quiet: Asker
    full: Asker


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Behind the one, forty scenes. Behind the other too; and scenes that were held back, taken out again or
    not put into the catalogue yet, between them and within their bounds and beyond, and those of another
    partner."""
    doors = []
    for noisy in (False, True):
        folder = tmp_path_factory.mktemp("noisy" if noisy else "quiet")
        _live(folder, noisy=noisy)
        doors.append(Asker(folder))
    yield Pair(*doors)
    for door in doors:
        door.close()


def _live(folder: Path, *, noisy: bool) -> None:
    view, draw = open_view(folder, "BBB"), random.Random(11)
    for number, one in enumerate(scenes_of(5, 40)):
        at = START + timedelta(hours=number)
        if noisy:
            count = draw.randrange(4)
            before = [_scene(draw, 1000 + 10 * number + each, 200 * (each - 1)) for each in range(count)]
            hidden = put(view, before, at - timedelta(minutes=30), "hidden ")
            with view.begin() as writer:
                writer.hold_back(hidden)
        put(view, [one], at, "given ")
        if number % 7 == 0:
            view.open_scenes()
    view.open_scenes()
    if noisy:
        gone = [_scene(draw, 5000 + number) for number in range(5)]
        put(view, gone, START + timedelta(days=90), "gone ")
        with view.begin() as writer:
            writer.remove_scenes([f"gone {one.id}" for one in gone])
        other = open_view(folder, "CCC")
        put(other, scenes_of(6, 60), START)
        other.open_scenes()
        other.close()
    view.close()


def _answers(asker: Asker, body: dict[str, Any]) -> list[tuple[int, dict[str, str], bytes]]:
    """All pages of a search, posted and in a query, and what the collections say."""
    got = [asker.get(path) for path in ("/stac/collections", "/stac/collections/imagery")]
    got += [asker.get(link["href"]) for link in got[1].json()["links"] if link["rel"] == "child"]
    page = asker.ask("POST", "/stac/search", json=body)
    for _ in range(50):
        got.append(page)
        (again,) = [link for link in page.json()["links"] if link["rel"] == "next"] or [None]
        if again is None:
            break
        page = asker.ask("POST", "/stac/search", json=again["body"])
    query = {name: _in_a_query(value) for name, value in body.items()}
    page = asker.get(f"/stac/search?{urlencode(query)}")
    got.append(page)
    for link in page.json()["links"]:
        if link["rel"] == "next":
            got.append(asker.get(urlsplit(link["href"])._replace(scheme="", netloc="").geturl()))
    return [(each.status_code, dict(each.headers), each.content) for each in got]


@settings(moderately, max_examples=1000 if LONG else 40)
@given(body=bodies())
def test_two_histories_that_agree_on_what_was_given_give_the_same_bytes(
    pair: Pair, body: dict[str, Any]
) -> None:
    assert _answers(pair.quiet, body) == _answers(pair.full, body)


def _in_a_query(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _counted(scenes: Scenes, *_: Any) -> int:
    return int(scenes._db.execute("SELECT count(*) FROM scene").fetchone()[0])


def _leak_in_the_count(patch: pytest.MonkeyPatch) -> None:
    real = Scenes.search
    patch.setattr(Scenes, "search", lambda self, *rest: real(self, *rest)._replace(matched=_counted(self)))


def _leak_in_the_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(search, "_COLUMNS", search._COLUMNS.replace("s.added", "s.seq"))


def _leak_in_the_extent(patch: pytest.MonkeyPatch) -> None:
    def whole(self: Scenes, collection: str) -> search.Extent:
        query = "SELECT min(west), min(south), max(east), max(north), min(start), max(stop) FROM scene"
        west, south, east, north, start, stop = self._db.execute(query).fetchone()
        return search.Extent(Box(west, south, east, north), (start, stop))

    patch.setattr(Scenes, "extent", whole)


def _leak_in_the_months(patch: pytest.MonkeyPatch) -> None:
    def any_start(self: Scenes, collection: str, before: int | None) -> int | None:
        query = "SELECT max(start) FROM scene WHERE start < ?"
        return self._db.execute(query, (2**62 if before is None else before,)).fetchone()[0]  # type: ignore[no-any-return]

    patch.setattr(Scenes, "next_start", any_start)


@pytest.mark.parametrize(
    "leak",
    [
        _leak_in_the_count,
        _leak_in_the_order,
        _leak_in_the_extent,
        _leak_in_the_months,
    ],
)
def test_a_leak_would_be_found(pair: Pair, leak: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"limit": 7, "collections": ["imagery"]}
    assert _answers(pair.quiet, body) == _answers(pair.full, body)
    leak(monkeypatch)
    assert _answers(pair.quiet, body) != _answers(pair.full, body)

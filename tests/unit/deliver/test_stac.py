"""What is asked of the catalogue: read exactly, or refused in one sentence."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import orjson
import pytest

from tearline.deliver import stac
from tearline.deliver.stac import documents
from tearline.terms import BadInput, Box

SECOND = 1_000_000
TRIANGLE = {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [0, 4], [0, 0]]]}


def posted(**given: Any) -> stac.Search:
    return stac.read_body(orjson.dumps(given))[0]


def asked(text: str) -> stac.Search:
    return stac.read_search(stac.read_query(text, stac.OF_SEARCH))


def test_what_is_not_given_filters_nothing() -> None:
    assert asked("") == posted() == stac.Search()


def test_get_and_post_ask_the_same() -> None:
    one = asked("limit=3&bbox=1,2,3.5,4&datetime=2026-01-01T00:00:00Z/..&ids=b,a&collections=imagery")
    other = posted(
        limit=3,
        bbox=[1, 2, 3.5, 4],
        datetime="2026-01-01T00:00:00Z/..",
        ids=["a", "b"],
        collections=["imagery"],
    )
    assert one == other
    assert one.boxes == (Box(1, 2, 3.5, 4),)
    assert one.ids == ("a", "b")
    assert (one.since, one.until) == (1_767_225_600 * SECOND, None)


def test_heights_mean_nothing_and_the_antimeridian_cuts_in_two() -> None:
    assert asked("bbox=1,2,-50,3,4,100").boxes == (Box(1, 2, 3, 4),)
    assert asked("bbox=170,-5,-170,5").boxes == (Box(170, -5, 180, 5), Box(-180, -5, -170, 5))


@pytest.mark.parametrize(
    "text",
    [
        "bbox=",
        "bbox=1,2,3",
        "bbox=1,2,3,4,5",
        "bbox=1,2,3,x",
        "bbox=1,2,3,nan",
        "bbox=1,2,3,inf",
        "bbox=1,2,3,1e400",
        "bbox=[1,2,3,4]",
        "bbox=1,%202,3,4",
        "bbox=1,4,3,2",
        "bbox=1,2,9,3,4,5",
        "bbox=1,2,181,4",
        "bbox=1,-91,2,4",
        "limit=0",
        "limit=-1",
        "limit=",
        "limit=1.5",
        "limit=99999999999999999999",
        "ids=",
        "ids=a,,b",
        "collections=,",
        "intersects=",
        "intersects=7",
        "intersects={}",
        "token=x&token=y",
        "limit=1&limit=1",
        "filter=x",
        "Bbox=1,2,3,4",
        "ids=%ff",
        'bbox=1,2,3,4&intersects={"type":"Point","coordinates":[0,0]}',
    ],
)
def test_what_is_odd_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked(text)
    assert refused.value.reason


@pytest.mark.parametrize(
    "given",
    [
        {"limit": "1"},
        {"limit": True},
        {"limit": 0},
        {"limit": None},
        {"bbox": "1,2,3,4"},
        {"bbox": [1, 2, 3, None]},
        {"bbox": [1, 2, 3, True]},
        {"ids": []},
        {"ids": "a"},
        {"ids": ["a", 1]},
        {"ids": ["x"] * 1001},
        {"collections": [""]},
        {"datetime": 5},
        {"token": 5},
        {"token": None},
        {"query": {}},
        {"sortby": []},
        {"bbox": [1, 2, 3, 4], "intersects": TRIANGLE},
    ],
)
def test_a_body_that_is_odd_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        posted(**given)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"bbox":[NaN,0,1,1]}', b"[" * 5000, b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        stac.read_body(body)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("1970-01-01T00:00:01Z", SECOND, SECOND),
        ("1970-01-01T01:00:01+01:00", SECOND, SECOND),
        ("1969-12-31T23:00:01-01:00", SECOND, SECOND),
        ("1970-01-01t00:00:00.5z/1970-01-01T00:00:02Z", SECOND // 2, 2 * SECOND),
        ("1970-01-01T00:00:00Z/..", 0, None),
        ("1970-01-01T00:00:00Z/", 0, None),
        ("../1970-01-01T00:00:00Z", None, 0),
        ("/1970-01-01T00:00:00Z", None, 0),
        ("1970-01-01T00:00:00.0000001Z", 1, 0),
        ("1970-01-01T23:59:60Z", 86_400 * SECOND, 86_400 * SECOND),
        ("0001-01-01T00:00:00+23:59", -62_135_596_800 * SECOND - 86_340 * SECOND, None),
    ],
)
def test_times_are_read_to_the_microsecond(text: str, since: int, until: int | None) -> None:
    found = posted(datetime=text)
    assert found.since == since
    assert until is None or found.until == until


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "..", "../..", "/..", "../", "//", "2026-01-01", "2026-01-01T00:00:00", "now"),
        *("2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:61Z"),
        *("2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00"),
        *("0000-01-01T00:00:00Z", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z"),
        "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z/2026-01-03T00:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        posted(datetime=text)


def test_a_token_is_of_use_with_what_it_was_made_for_alone() -> None:
    key = b"k" * 32
    search = asked("bbox=1,2,3,4&limit=5")
    token = stac.next_token(key, search, -7, 9)
    assert stac.next_place(key, search) is None
    assert stac.next_place(key, asked(f"bbox=1,2,3,4&limit=77&token={token}")) == (-7, 9)
    for other in (f"bbox=1,2,3,5&token={token}", f"token={token}", "bbox=1,2,3,4&token=AAAA", "token=%C3%A9"):
        with pytest.raises(BadInput, match="does not belong"):
            stac.next_place(key, asked(other))
    with pytest.raises(BadInput):
        stac.next_place(b"x" * 32, asked(f"bbox=1,2,3,4&token={token}"))


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "Point", "coordinates": [1]},
        {"type": "Point", "coordinates": [1, 2, 3, 4]},
        {"type": "Point", "coordinates": [181, 0]},
        {"type": "Point", "coordinates": [0, "1"]},
        {"type": "LineString", "coordinates": [[0, 0]]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
        {"type": "MultiPoint", "coordinates": []},
        {"type": "MultiPoint", "coordinates": 5},
        {"type": "Circle", "coordinates": [0, 0]},
        {"type": "Feature", "geometry": TRIANGLE},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection", "geometries": []}]},
        {"type": "GeometryCollection", "geometries": {}},
        {"type": ["Point"], "coordinates": [0, 0]},
        {"type": "MultiPoint", "coordinates": [[0, 0]] * 1001},
        [],
        None,
        "Point",
    ],
)
def test_what_is_no_geometry_is_refused(shape: Any) -> None:
    with pytest.raises(BadInput) as refused:
        stac.read_shape(shape, "intersects")
    assert refused.value.place == "intersects"


def test_a_hole_is_outside_and_its_border_is_not() -> None:
    ring = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
    hole = [[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]]
    shape = stac.read_shape({"type": "Polygon", "coordinates": [ring, hole]}, "")
    boxes = [(4, 4, 5, 5), (3, 3, 4, 4), (1, 1, 2, 2), (-1, -1, 10, 10), (10, 10, 11, 11), (9, 9, 10, 10)]
    assert shape.touches(boxes) == [False, True, True, True, False, True]
    assert shape.box == Box(0, 0, 9, 9)
    assert shape.touches([]) == []


def test_what_rounding_would_get_wrong_is_got_right() -> None:
    """A corner beside a line by less than floating point can tell: in fractions it lies to one side."""
    line = stac.read_shape({"type": "LineString", "coordinates": [[0.1, 0.1], [179.3, 59.8]]}, "")
    (p, q) = line.lines[0]
    for step in range(-3, 4):
        x = 90.7
        y = p[1] + (q[1] - p[1]) * (x - p[0]) / (q[0] - p[0]) + step * 2e-14
        below = [x, y, x + 0.0, y + 0.0]
        turn = (Fraction(q[0]) - Fraction(p[0])) * (Fraction(y) - Fraction(p[1])) - (
            Fraction(q[1]) - Fraction(p[1])
        ) * (Fraction(x) - Fraction(p[0]))
        assert line.touches([below]) == [turn == 0]
        left = [x - 1, y, x, y + 1]  # touched by the line only if its lower right corner is on it or below
        assert line.touches([left]) == [turn <= 0]


def test_months_have_names_and_ends() -> None:
    first, after = documents.month_span("2026-03") or (0, 0)
    assert documents.month_of(first) == documents.month_of(after - 1) == "2026-03"
    assert documents.month_of(after) == "2026-04"
    for text in ("2026-13", "2026-3", "2026-03-01", "", "x", "0000-01", "9999-12"):
        assert documents.month_span(text) is None

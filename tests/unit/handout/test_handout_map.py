"""The map of a catalogue: it shows what was given, runs nothing that is in it, and fetches nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import orjson
import pytest
import shapely.geometry
from click.testing import CliRunner

from tearline.cli import main
from tearline.handout.map import land, page
from tearline.node import Node
from tearline.terms import Box, Position
from tests.catalogue import picture, put, recording, scene
from tests.coalition import make_nodes


def items_in(text: str) -> list[dict[str, object]]:
    found = re.search(r'<script type="application/json" id="items">(.*?)</script>', text)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_it_shows_what_was_given_and_not_what_is_held_back(tmp_path: Path) -> None:
    home = make_nodes(tmp_path, "GBR", "USA")["GBR"]
    with Node.open(home) as node:
        given = [scene(1, picture(Box(18.0, 54.0, 19.0, 55.0))), scene(2, recording(Position(54.0, 18.0)))]
        put(node.view("USA"), given)
        added = put(node.view("USA"), [scene(3, picture(None))])
        with node.view("USA").begin() as writer:
            writer.hold_back(added)
    output = tmp_path / "map.html"
    done = CliRunner().invoke(main, ["--home", str(home), "catalogue", "map", "USA", "--output", str(output)])
    assert (done.exit_code, done.output) == (0, f"{output} shows 2 scenes.\n")
    assert {each["id"] for each in items_in(output.read_text())} == {one.id for one in given}


def test_who_is_no_partner_has_no_map(tmp_path: Path) -> None:
    home = make_nodes(tmp_path, "GBR", "USA")["GBR"]
    output = tmp_path / "map.html"
    done = CliRunner().invoke(main, ["--home", str(home), "catalogue", "map", "XXX", "--output", str(output)])
    assert done.exit_code == 1
    assert "XXX is no partner" in done.output
    assert not output.exists()


@pytest.mark.parametrize(
    "text", ["</script><script>alert(1)</script>", "<!--<script>", "{{items}}", "\\u003c"]
)
def test_a_title_stays_text(text: str) -> None:
    plain = page("x", [])
    made = page("x", [orjson.dumps(scene(1, picture(None), title=text).item)])
    assert made.count("<script") == plain.count("<script")
    assert made.count("</script") == plain.count("</script")
    (item,) = items_in(made)
    assert item["properties"]["title"] == text  # type: ignore[index]


def test_a_thumbnail_is_in_the_page_itself() -> None:
    one = scene(1, picture(Box(18.0, 54.0, 19.0, 55.0)))
    made = page("x", [orjson.dumps(one.item)], {one.id: b"\x89PNG"})
    found = re.search(r'<script type="application/json" id="pictures">(.*?)</script>', made)
    assert found
    assert json.loads(found[1]) == {one.id: "data:image/png;base64,iVBORw=="}


def test_it_fetches_nothing() -> None:
    made = page("x", [])
    assert "default-src 'none'" in made
    assert not re.search(r"<(?:link|img|iframe)\b|<script[^>]* src=|sourceMappingURL|@import", made)


def test_the_land_is_whole() -> None:
    shape = shapely.geometry.shape(land())
    assert shapely.geometry.Point(10.0, 50.0).intersects(shape.buffer(0))
    assert not shapely.geometry.Point(-30.0, 40.0).intersects(shape.buffer(0))
    for polygon in land()["coordinates"]:
        assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in polygon)

"""A map of scenes as one HTML page that fetches nothing."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterable, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import orjson

from tearline.handout import assets, shell

_NONE: Mapping[str, bytes] = MappingProxyType({})
_KEYS = '<span class="key imagery" id="imagery"></span><span class="key signals" id="signals"></span>'
_BODY = """<nav id="list" aria-label="Previews"></nav>
<div id="map" role="application" aria-label="Map of what was given"></div>"""


def page(title: str, items: Iterable[bytes], thumbnails: Mapping[str, bytes] = _NONE) -> str:
    """The page. `items` are STAC items as JSON; what they say is shown as text, never as markup.
    `thumbnails`: PNGs by the ids of their items."""
    leaflet = assets.read("leaflet.js").decode().replace("//# sourceMappingURL=leaflet.js.map", "")
    return shell.page(
        title,
        style=assets.read("leaflet.css").decode() + shell.read("map.css"),
        body=f'<header><h1>{html.escape(title)}</h1>{_KEYS}<span id="nowhere"></span></header>\n{_BODY}',
        scripts=[leaflet, shell.read("map.js")],
        data={
            "land": land(),
            "items": [orjson.loads(item) for item in items],
            "pictures": {
                name: "data:image/png;base64," + b64encode(png).decode() for name, png in thumbnails.items()
            },
        },
    )


def land() -> dict[str, Any]:
    """The land of the earth at 1:50 million, as GeoJSON: decoded from TopoJSON (specification 1.0).

    There an arc is quantised points, each but the first told by its difference from the one before; a ring is
    arcs laid end to end, and the number of an arc that runs backwards is its ones' complement.
    """
    atlas = orjson.loads(assets.read("land-50m.json"))
    scale, shift = atlas["transform"]["scale"], atlas["transform"]["translate"]

    def degrees(arc: list[list[int]]) -> list[list[float]]:
        xs, ys = (accumulate(each) for each in zip(*arc, strict=True))
        return [
            [round(x * scale[0] + shift[0], 3), round(y * scale[1] + shift[1], 3)]
            for x, y in zip(xs, ys, strict=True)
        ]

    arcs = [degrees(arc) for arc in atlas["arcs"]]

    def ring(numbers: list[int]) -> list[list[float]]:
        points: list[list[float]] = []
        for number in numbers:
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += arc[1:] if points else arc
        return points

    shapes = atlas["objects"]["land"]["geometries"]
    polygons = [[ring(each) for each in polygon] for shape in shapes for polygon in shape["arcs"]]
    return {"type": "MultiPolygon", "coordinates": polygons}

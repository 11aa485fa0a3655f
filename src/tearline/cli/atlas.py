"""A map of scenes as one HTML page that fetches nothing. Leaflet and the land of the earth lie beside this;
`map/manifest.json` says where they are from."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import accumulate
from types import MappingProxyType
from typing import Any

import orjson

_HERE = files(__package__).joinpath("map")
_NONE: Mapping[str, bytes] = MappingProxyType({})
_PLACE = re.compile(r"\{\{([a-z.]+)\}\}")


def page(title: str, items: Iterable[bytes], thumbnails: Mapping[str, bytes] = _NONE) -> str:
    """The page. `items` are STAC items as JSON; what they say is shown as text, never as markup.
    `thumbnails`: PNGs by the ids of their items."""
    parts = {
        "title": html.escape(title),
        "leaflet.css": _read("leaflet.css"),
        "leaflet.js": _read("leaflet.js").replace("//# sourceMappingURL=leaflet.js.map", ""),
        "land": _within_script(land()),
        "items": _within_script([orjson.loads(item) for item in items]),
        "pictures": _within_script(
            {name: "data:image/png;base64," + b64encode(png).decode() for name, png in thumbnails.items()}
        ),
    }
    return _PLACE.sub(lambda match: parts[match[1]], _read("page.html"))


def land() -> dict[str, Any]:
    """The land of the earth at 1:50 million, as GeoJSON: decoded from TopoJSON (specification 1.0).

    There an arc is quantised points, each but the first told by its difference from the one before; a ring is
    arcs laid end to end, and the number of an arc that runs backwards is its ones' complement.
    """
    atlas = orjson.loads(_read("land-50m.json"))
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


def _read(name: str) -> str:
    return _HERE.joinpath(name).read_text("utf-8")


def _within_script(value: Any) -> str:
    """JSON that ends no script element, whatever texts are in it."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")

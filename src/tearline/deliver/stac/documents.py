"""What the catalogue answers: STAC 1.1.0 catalogs, collections and items with their links, as JSON objects.

Every text in them is fixed, or of the item itself. Links begin with `base`, the address that was asked, such
as `https://node.example:8443`.

The two collections are always there, and one that is empty spans the world and all of time: so their list is
the same for everyone. A collection has a catalog for each month in which something of it begins, and these
have a link to every item: so all of it can be reached from link to link (conformance class Browseable).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from tearline.deliver.scene import IMAGERY, SIGNALS, STAC_VERSION, stamp
from tearline.terms import Box

ROOT = "/stac"
JSON, GEOJSON = "application/json", "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
CONFORMS_TO = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/browseable",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]

TITLES = {IMAGERY: "Imagery", SIGNALS: "Signals"}
_DESCRIPTIONS = {
    IMAGERY: "Pictures that this node has released to you.",
    SIGNALS: "Recordings of signals that this node has released to you.",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Document = dict[str, Any]


def landing(base: str, title: str) -> Document:
    """The root catalog (STAC API - Core)."""
    root = base + ROOT
    search = {"rel": "search", "type": GEOJSON, "href": f"{root}/search"}
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "tearline",
        "title": title,
        "description": "What this node has released to you, by place and time.",
        "conformsTo": CONFORMS_TO,
        "links": [
            _link("self", root),
            _link("root", root),
            _link("service-desc", f"{root}/api", OPENAPI),
            _link("conformance", f"{root}/conformance"),
            _link("data", f"{root}/collections"),
            search | {"method": "GET"},
            search | {"method": "POST"},
            *(_link("child", _shelf(base, name), title=each) for name, each in TITLES.items()),
        ],
    }


def collections(base: str, each: Iterable[Document]) -> Document:
    root = base + ROOT
    return {"collections": [*each], "links": [_link("self", f"{root}/collections"), _link("root", root)]}


def collection(
    base: str, name: str, box: Box | None, times: tuple[int, int] | None, months: Iterable[str]
) -> Document:
    """A collection that lies within a box and a time, with a child for each of the months."""
    shelf = _shelf(base, name)
    edges = [-180.0, -90.0, 180.0, 90.0] if box is None else [box.west, box.south, box.east, box.north]
    interval = [None, None] if times is None else [_stamp(at) for at in times]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": name,
        "title": TITLES[name],
        "description": _DESCRIPTIONS[name],
        "license": "other",
        "extent": {"spatial": {"bbox": [edges]}, "temporal": {"interval": [interval]}},
        "links": [
            _link("self", shelf),
            _link("root", base + ROOT),
            _link("parent", base + ROOT),
            _link("items", f"{shelf}/items", GEOJSON),
            *(_link("child", f"{shelf}/months/{month}", title=month) for month in months),
        ],
    }


def month(
    base: str, name: str, which: str, ids: Iterable[str], token: str | None, next_token: str | None
) -> Document:
    """The catalog of a month, with a link to every item; where there are more, the rest is a child of it."""
    shelf = _shelf(base, name)
    here = f"{shelf}/months/{which}"
    later = "" if token is None else "-" + token[:8]
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": f"{name}-{which}{later}",
        "description": f"What began in {which}.",
        "links": [
            _link("self", here + _query(token)),
            _link("root", base + ROOT),
            _link("parent", shelf),
            *(_link("item", f"{shelf}/items/{quote(each, safe='')}", GEOJSON) for each in ids),
            *([] if next_token is None else [_link("child", here + _query(next_token))]),
        ],
    }


def item(base: str, stored: bytes) -> Document:
    """A scene's item as it is kept, with its links."""
    document: Document = orjson.loads(stored)
    shelf = _shelf(base, document["collection"])
    for asset in document["assets"].values():
        asset["href"] = base + asset["href"]
    document["links"] = [
        _link("self", f"{shelf}/items/{quote(document['id'], safe='')}", GEOJSON),
        _link("root", base + ROOT),
        _link("parent", shelf),
        _link("collection", shelf),
    ]
    return document


def page(base: str, items: Sequence[bytes], matched: int | None, links: Sequence[Document]) -> Document:
    """A page of items; how many match in all is told where it is known."""
    return {
        "type": "FeatureCollection",
        "features": [item(base, each) for each in items],
        "numberReturned": len(items),
        **({} if matched is None else {"numberMatched": matched}),
        "links": [_link("root", base + ROOT), *links],
    }


def page_links(here: str, given: dict[str, str], next_token: str | None) -> list[Document]:
    """The links of a page that was asked for by GET."""
    links = [_link("self", here + _query(**given), GEOJSON)]
    if next_token is not None:
        links.append(_link("next", here + _query(**given | {"token": next_token}), GEOJSON))
    return links


def of_collection(base: str, name: str) -> list[Document]:
    """The links of the items of a collection to where they belong."""
    return [_link("parent", _shelf(base, name)), _link("collection", _shelf(base, name))]


def posted_links(here: str, given: Document, next_token: str | None) -> list[Document]:
    """The links of a page that was asked for by POST."""
    links = [_link("self", here, GEOJSON)]
    if next_token is not None:
        again = {"method": "POST", "body": given | {"token": next_token}, "merge": False}
        links.append(_link("next", here, GEOJSON) | again)
    return links


def month_of(at: int) -> str:
    """The month of an instant, such as `2026-03`."""
    return _stamp(at)[:7]


def month_span(text: str) -> tuple[int, int] | None:
    """The first instant of a month and that of the next; `None` where there is no such month."""
    try:
        start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
        end = (start + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return None
    first, after = (each - _EPOCH for each in (start, end))
    micro = timedelta(microseconds=1)
    return (first // micro, after // micro) if start.strftime("%Y-%m") == text else None


def _link(rel: str, href: str, kind: str = JSON, title: str = "") -> Document:
    return {"rel": rel, "type": kind, "href": href} | ({"title": title} if title else {})


def _shelf(base: str, name: str) -> str:
    return f"{base}{ROOT}/collections/{name}"


def _query(token: str | None = None, **given: str) -> str:
    asked = given | ({} if token is None else {"token": token})
    return f"?{urlencode(asked)}" if asked else ""


def _stamp(at: int) -> str:
    return stamp(_EPOCH + timedelta(microseconds=at))

"""STAC by URL: a partner's catalogue, an API, documents on the web; and what is not followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tearline.adapters import store
from tearline.adapters.view import View
from tearline.agreement.suspension import Inbound, Scope
from tearline.cli import main
from tearline.intake import Fault, stac
from tearline.node import AlreadyHeld, Node, TakenIn
from tearline.node.suspend import suspend
from tearline.node.take_in_file import About, take_in_file
from tearline.node.take_in_stac import partner_at, site_of, take_in_stac
from tearline.terms import BadInput, Label, Media, Refused, Topic
from tests.adoption import OFFICERS
from tests.door import Identity, serving
from tests.media_files import picture, recording
from tests.unit.node.world import entries, held, nodes, page, work
from tests.web_site import WebSite, send, web_site

GREEN = About(marking="TLP:GREEN", topics=frozenset({Topic.THREAT_TO_LIFE}))
GEOTIFF = "image/tiff; application=geotiff; profile=cloud-optimized"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path / "nodes", "GBR", "USA") as made:
        yield made


@pytest.fixture
def usa(world: list[Node]) -> Node:
    return world[1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[WebSite]:
    with web_site(tmp_path / "site") as running:
        yield running


@pytest.fixture
def pictures(tmp_path: Path) -> list[bytes]:
    return [picture(tmp_path / f"{seed}.tif", seed=seed).read_bytes() for seed in (1, 2)]


def item(name: str, href: str, **asset: Any) -> dict[str, Any]:
    properties = {"datetime": "2026-10-05T06:07:08Z", "title": f"Quay {name}"}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": name,
        "geometry": None,
        "links": [],
        "properties": properties,
        "assets": {"data": {"href": href, "type": GEOTIFF, "roles": ["data"]} | asset},
    }


def multihash(body: bytes) -> str:
    return "1220" + sha256(body).hexdigest()


def take(
    node: Node, site: WebSite, url: str, about: About = GREEN, limit: int = 100, **asked: Any
) -> list[Any]:
    there = site_of(node, url, None, site.server.pem)
    return list(take_in_stac(node, there, url, stac.Asked(**asked), limit, about, lambda *_: None))


def parts(node: Node) -> list[Path]:
    return list((node.home.folder / "fetching").glob("*.part"))


def nothing_kept(node: Node) -> bool:
    return not held(node) and not parts(node) and not list(node.home.blobs.glob("??/*"))


# --- A partner's catalogue -------------------------------------------------------------------------


def test_a_partners_catalogue_is_taken_in_and_stays_the_partners(world: list[Node], tmp_path: Path) -> None:
    gbr, usa = world
    list(take_in_file(gbr, recording(tmp_path), GREEN))
    list(take_in_file(gbr, picture(tmp_path / "a.tif"), GREEN))
    work(gbr)
    home = gbr.home

    def view(party: str) -> View:
        return View(
            home.view(party),
            node="GBR",
            party=party,
            key=home.signing_key,
            secret=home.view_secret(party),
            released=home.released_to(party),
        )

    asks = Identity(usa.home.certificate, usa.home.tls_key)
    own = Identity(home.certificate, home.tls_key)
    with serving(tmp_path, {"USA": asks}, view=view, server=own) as door:
        url = f"{door.url}/stac"
        about = msgspec.structs.replace(GREEN, giver="GBR")

        def run(**asked: Any) -> list[Any]:
            there = site_of(usa, url, "GBR", "")
            return list(take_in_stac(usa, there, url, stac.Asked(**asked), 9, about, lambda *_: None))

        (first,) = run(collections=("signals",))
        assert isinstance(first, TakenIn)
        assert first.quarantine is None
        assert run(bbox=(-10.0, -10.0, 0.0, 0.0)) == []
        answers = run()
        assert AlreadyHeld(first.product_id) in answers
        assert len(held(usa)) == 2
        as_stranger = site_of(usa, url, None, own.pem)
        (fault,) = take_in_stac(usa, as_stranger, url, stac.Asked(), 9, about, lambda *_: None)
        assert "cannot be fetched" in str(fault)
    for each in held(usa):
        product = each.product
        assert product.originator == "GBR"
        assert isinstance(product.label, Label)
        assert product.label.owners == {"GBR"}
        assert each.received_as == "catalogue of GBR"
    # It is not signed as a release: nobody gets it from here, its giver neither.
    work(usa)
    assert page(usa, gbr) == []


def test_nothing_is_taken_from_a_partner_that_is_refused(world: list[Node]) -> None:
    gbr, usa = world
    assert partner_at(usa, "https://127.0.0.1:1/stac") == "GBR"
    assert partner_at(usa, "https://127.0.0.1:2/stac") is None
    suspend(usa, "GBR", Scope(), officer=OFFICERS[0], reason="A fork.", inbound=Inbound.REFUSE)
    with pytest.raises(Refused, match="nothing is taken in from GBR"):
        site_of(usa, "https://127.0.0.1:1/stac", "GBR", "")
    with pytest.raises(Refused, match="not a partner"):
        site_of(usa, "https://127.0.0.1:1/stac", "FRA", "")
    assert gbr.party == "GBR"


# --- An API ----------------------------------------------------------------------------------------


def api(site: WebSite, pages: list[list[dict[str, Any]]], query: str = "limit=100") -> str:
    links = [{"rel": "search", "href": "search", "method": "POST"}, {"rel": "search", "href": "/api/search"}]
    for number, items in enumerate(pages):
        more = [{"rel": "next", "href": f"/api/search?page={number + 1}"}] if number + 1 < len(pages) else []
        path = f"/api/search?page={number}" if number else f"/api/search?{query}"
        site.put(path, {"type": "FeatureCollection", "features": items, "links": more})
    return site.put("/api", {"type": "Catalog", "stac_version": "1.0.0", "id": "api", "links": links})


def test_an_api_is_searched_and_paged_through(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    hrefs = [site.put(f"/files/{n}.tif", body) for n, body in enumerate(pictures)]
    items = [item(str(n), href) for n, href in enumerate(hrefs)]
    query = "collections=quays&bbox=18,54,20,55&datetime=2026-10-01T00:00:00Z/..&limit=100"
    url = api(site, [items[:1], items[1:]], query)
    asked: dict[str, Any] = {"collections": ("quays",), "bbox": (18.0, 54.0, 20.0, 55.0)}
    asked["datetime"] = stac.read_period("2026-10-01/..")
    answers = take(usa, site, url, **asked)
    assert [type(each) for each in answers] == [TakenIn] * 2
    titles = {each.product.title: each.product for each in held(usa)}
    assert set(titles) == {"Quay 0", "Quay 1"}
    assert {each.originator for each in titles.values()} == {"USA"}
    assert parts(usa) == []

    # Again: nothing is fetched a second time, for the server says that nothing has changed.
    before = len(site.asked)
    assert {type(each) for each in take(usa, site, url, **asked)} == {AlreadyHeld}
    again = [(path, headers) for path, headers in site.asked[before:] if path.startswith("/files")]
    assert len(again) == 2
    assert all("if-none-match" in headers for _, headers in again)
    assert not any("authorization" in headers or "cookie" in headers for _, headers in site.asked)


def test_no_more_items_than_are_asked_for(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    items = [item(str(n), site.put(f"/{n}.tif", body)) for n, body in enumerate(pictures)]
    first, more = take(usa, site, api(site, [items], "limit=2"), limit=1)
    assert isinstance(first, TakenIn)
    assert isinstance(more, Fault)
    assert (more.severity, more.remedy) == ("warning", "raise --limit")
    assert "/1.tif" not in site.paths()


def test_pages_that_lead_in_a_circle_end(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    body = item("a", site.put("/a.tif", pictures[0]))
    url = site.put(
        "/page", {"type": "FeatureCollection", "features": [body], "links": [{"rel": "next", "href": "page"}]}
    )
    taken, fault = take(usa, site, url)
    assert isinstance(taken, TakenIn)
    assert "leads on and on" in str(fault)


def test_a_checksum_of_before_needs_no_request(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    url = site.put("/item.json", item("a", "a.tif", **{"file:checksum": multihash(pictures[0])}))
    site.put("/a.tif", pictures[0])
    (first,) = take(usa, site, url)
    assert take(usa, site, url) == [AlreadyHeld(first.product_id)]
    assert site.paths().count("/a.tif") == 1


def test_a_marking_given_later_takes_it_out_of_quarantine(
    usa: Node, site: WebSite, pictures: list[bytes]
) -> None:
    url = site.put("/item.json", item("a", site.put("/a.tif", pictures[0])))
    (first,) = take(usa, site, url, About())
    assert first.quarantine
    assert take(usa, site, url) == [TakenIn(first.product_id, None)]
    assert site.asked[-1][1].get("if-none-match")


# --- Static catalogues on the web ------------------------------------------------------------------


def test_a_static_catalogue_is_walked(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    def catalogue(path: str, *links: str, kind: str = "Catalog") -> str:
        rels = [{"rel": "item" if "item" in each else "child", "href": each} for each in links]
        return site.put(path, {"type": kind, "stac_version": "1.0.0", "id": path, "links": rels})

    url = catalogue(
        "/top/catalog.json", "./sub/collection.json", "catalog.json", "https://elsewhere.example/c"
    )
    catalogue("/top/sub/collection.json", "item.json", "../catalog.json", "gone/item.json", kind="Collection")
    site.put("/top/sub/item.json", item("a", "../files/a.tif"))
    site.put("/top/files/a.tif", pictures[0])
    taken, *faults = take(usa, site, url)
    assert isinstance(taken, TakenIn)
    assert len(faults) == 2
    assert "404" in str(faults[0])
    assert "another host" in str(faults[1])
    (fault,) = take(usa, site, url, bbox=(0.0, 0.0, 1.0, 1.0))
    assert "no API" in str(fault)


# --- What is not taken -----------------------------------------------------------------------------


def _redirect(request: BaseHTTPRequestHandler) -> None:
    send(request, 302, location="https://elsewhere.example/")


def _packed(request: BaseHTTPRequestHandler) -> None:
    send(request, 200, b"\x1f\x8b", content_encoding="gzip")


@pytest.mark.parametrize(
    "href",
    [
        "https://elsewhere.example/a.tif",
        "http://127.0.0.1/a.tif",
        "file:///etc/passwd",
        "//elsewhere.example/a",
        "https://[/a.tif",
    ],
)
def test_no_other_host_is_asked(usa: Node, site: WebSite, href: str) -> None:
    (fault,) = take(usa, site, site.put("/item.json", item("a", href)))
    assert "another host" in str(fault)
    assert site.paths() == ["/item.json"]
    assert nothing_kept(usa)


@pytest.mark.parametrize(
    ("answer", "asset", "why"),
    [
        (_redirect, {}, "not followed"),
        (_packed, {}, "comes packed"),
        (b"II*\0" + b"\xff" * 100, {}, "damaged"),
        (b"no picture", {}, "its first bytes"),
        (b"x" * 50, {"file:size": 60}, "its item says 60"),
        (b"x" * 50, {"file:size": 1 << 50}, "max_file_mb"),
        (b"x" * 50, {"file:checksum": multihash(b"y" * 50)}, "does not have the sha256"),
        (b"x" * 50, {"checksum:multihash": "d50110" + "00" * 16}, "does not have the md5"),
        (b"x" * 50, {"file:checksum": "1220abcd"}, "checksum of a kind"),
    ],
)
def test_what_is_not_what_was_said_is_not_kept(
    usa: Node, site: WebSite, answer: Any, asset: dict[str, Any], why: str
) -> None:
    site.put("/a.tif", answer)
    (fault,) = take(usa, site, site.put("/item.json", item("a", "a.tif", **asset)))
    assert isinstance(fault, Fault)
    assert why in str(fault)
    assert nothing_kept(usa)


def test_a_file_longer_than_this_node_takes(usa: Node, site: WebSite) -> None:
    usa.home.config = msgspec.structs.replace(usa.home.config, max_file_mb=1)
    url = site.put("/item.json", item("a", "a.tif"))

    def untold(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.send_response(200)
        request.end_headers()
        with suppress(OSError):  # it hung up
            request.wfile.write(b"x" * (3 << 20))

    site.put("/a.tif", untold)
    (fault,) = take(usa, site, url)
    assert "longer than" in str(fault)
    assert nothing_kept(usa)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"type":"Feature"}', b" " * (9 << 20)])
def test_documents_that_are_none(usa: Node, site: WebSite, body: bytes) -> None:
    (fault,) = take(usa, site, site.put("/item.json", body))
    assert isinstance(fault, Fault)


@pytest.mark.parametrize("url", ["http://a.example/", "ftp://a.example/", "https://who@a.example/", "a.json"])
def test_only_https(usa: Node, url: str) -> None:
    with pytest.raises(BadInput, match="https://"):
        site_of(usa, url, None, "")


def test_a_file_that_broke_off_goes_on(usa: Node, site: WebSite, tmp_path: Path) -> None:
    body = picture(tmp_path / "big.tif", pixels=600).read_bytes()
    url = site.put("/item.json", item("a", "a.tif", **{"file:checksum": multihash(body)}))
    tag = f'"{sha256(body).hexdigest()[:16]}"'

    def breaks(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        send(request, 200, body[:100_000], content_length=str(len(body)), etag=tag)

    site.put("/a.tif", breaks)
    (fault,) = take(usa, site, url)
    assert "run the same again" in str(fault)
    assert held(usa) == []
    (part,) = parts(usa)
    assert part.stat().st_size == 100_000

    site.put("/a.tif", body)
    (taken,) = take(usa, site, url)
    assert isinstance(taken, TakenIn)
    assert site.asked[-1][1]["range"] == "bytes=100000-"
    (each,) = held(usa)
    assert msgspec.json.decode(each.product.content, type=Media).sha256 == sha256(body).hexdigest()
    assert parts(usa) == []


def test_a_file_that_became_another_is_begun_anew(usa: Node, site: WebSite, pictures: list[bytes]) -> None:
    url = site.put("/item.json", item("a", "a.tif"))

    def breaks(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        send(request, 200, b"x" * 1000, content_length="5000", etag='"old"')

    site.put("/a.tif", breaks)
    take(usa, site, url)
    assert len(parts(usa)) == 1
    site.put("/a.tif", pictures[0])
    (taken,) = take(usa, site, url)
    assert isinstance(taken, TakenIn)


# --- By command, and from local files ---------------------------------------------------------------


def test_the_command(usa: Node, site: WebSite, pictures: list[bytes], tmp_path: Path) -> None:
    url = site.put("/item.json", item("a", site.put("/a.tif", pictures[0])))
    home = ["--home", str(usa.home.folder)]
    authority = ["--ca", str(site.server.certificate)]
    done = CliRunner().invoke(main, [*home, "intake", "stac", url, *authority, "--marking", "TLP:GREEN"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("1 taken in")
    done = CliRunner().invoke(main, [*home, "intake", "stac", url])
    assert done.exit_code == 1
    assert "its certificate is not one that is trusted here" in done.output
    for options in (["--bbox", "1,2,3"], ["--datetime", "today"]):
        done = CliRunner().invoke(main, [*home, "intake", "stac", url, *options])
        assert (done.exit_code, options[0] in done.output) == (1, True)
    with usa.reading() as db:
        assert len(list(store.held(db))) == 1


def test_a_local_item_with_remote_files_names_the_remedy(usa: Node, tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item("a", "https://elsewhere.example/a.tif")))
    (fault,) = take_in_file(usa, path, GREEN)
    assert isinstance(fault, Fault)
    assert "tearline intake stac URL" in fault.remedy
    assert held(usa) == []


def test_a_local_catalogue_with_paths_up_and_down(usa: Node, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "items").mkdir(parents=True)
    (top / "files").mkdir()
    picture(top / "files" / "a.tif")
    picture(tmp_path / "outside.tif", seed=5)
    (top / "items" / "a.json").write_text(json.dumps(item("a", "../files/a.tif")))
    (top / "items" / "b.json").write_text(json.dumps(item("b", "../../outside.tif")))
    items = [{"rel": "item", "href": f"items/{name}.json"} for name in "ab"]
    children = [{"rel": "child", "href": href} for href in ("./c.json", "https://elsewhere.example/c.json")]
    links = [*items, *children]
    (top / "c.json").write_text(
        json.dumps({"type": "Catalog", "stac_version": "1.0.0", "id": "c", "links": links})
    )
    taken, outside, away = take_in_file(usa, top / "c.json", GREEN)
    assert isinstance(taken, TakenIn)
    assert "outside its folder" in str(outside)
    assert "tearline intake stac URL" in str(away)
    assert len(entries(usa)) > 0

"""The catalogue at the door, without sockets: what is told, in which form, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tearline.doors.partner import catalogue
from tearline.terms import Box, Grain, Position
from tests.catalogue import NOON, give, picture, recording, scene
from tests.door import Asker

JSON, GEOJSON = "application/json", "application/geo+json"


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    made = Asker(tmp_path)
    pictures = [picture(Box(n, 0, n + 1, 1), NOON + timedelta(days=20 * n)) for n in range(3)]
    scenes = [scene(n, each) for n, each in enumerate(pictures)]
    give(tmp_path, "BBB", [*scenes, scene(9, recording(Position(1.0, 1.0)), grain=Grain.DAY)])
    yield made
    made.close()


def links(answer: httpx.Response, rel: str) -> list[dict[str, Any]]:
    return [link for link in answer.json()["links"] if link["rel"] == rel]


def test_the_root_leads_to_everything(asker: Asker) -> None:
    root = asker.get("/stac")
    assert root.headers["content-type"] == JSON
    assert root.json()["conformsTo"] == asker.get("/stac/conformance").json()["conformsTo"]
    for rel in ("self", "root", "service-desc", "conformance", "data", "search", "child"):
        for link in links(root, rel):
            answer = asker.get(urlsplit(link["href"]).path)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == link["type"]
    assert [link.get("method") for link in links(root, "search")] == ["GET", "POST"]


def test_collections_span_what_they_hold(asker: Asker) -> None:
    imagery, signals = asker.get("/stac/collections").json()["collections"]
    assert imagery["extent"]["spatial"]["bbox"] == [[0.0, 0.0, 3.0, 1.0]]
    assert imagery["extent"]["temporal"]["interval"] == [
        ["2026-03-14T12:30:15.250000Z", "2026-04-23T12:30:15.250000Z"]
    ]
    assert signals == asker.get("/stac/collections/signals").json()


def test_an_empty_collection_spans_everything(asker: Asker) -> None:
    for each in asker.get("/stac/collections", party="CCC").json()["collections"]:
        assert each["extent"]["spatial"]["bbox"] == [[-180.0, -90.0, 180.0, 90.0]]
        assert each["extent"]["temporal"]["interval"] == [[None, None]]
        assert [link["rel"] for link in each["links"]] == ["self", "root", "parent", "items"]
    found = asker.get("/stac/search", party="CCC").json()
    assert (found["features"], found["numberMatched"], found["numberReturned"]) == ([], 0, 0)


def test_an_item_is_the_same_wherever_it_is_met(asker: Asker) -> None:
    (found,) = asker.get("/stac/collections/signals/items").json()["features"]
    (own,) = [link["href"] for link in found["links"] if link["rel"] == "self"]
    answer = asker.get(urlsplit(own).path)
    assert answer.headers["content-type"] == GEOJSON
    assert answer.json() == found
    assert found["assets"]["data"]["href"] == f"https://aaa.example:8443/files/{found['id']}"
    assert asker.get(urlsplit(own).path.replace("signals", "imagery")).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_go_on_by_their_next_link(asker: Asker, method: str) -> None:
    if method == "GET":
        answer = asker.get("/stac/search?limit=3&bbox=0,0,9,9")
    else:
        answer = asker.ask(method, "/stac/search", json={"limit": 3, "bbox": [0, 0, 9, 9]})
    assert (answer.json()["numberReturned"], answer.json()["numberMatched"]) == (3, 4)
    (next_link,) = links(answer, "next")
    path = urlsplit(next_link["href"])._replace(scheme="", netloc="").geturl()
    rest = asker.ask(method, path, json=next_link.get("body"))
    assert (rest.json()["numberReturned"], rest.json()["numberMatched"]) == (1, 4)
    assert links(rest, "next") == []
    ids = {each["id"] for page in (answer, rest) for each in page.json()["features"]}
    assert len(ids) == 4


def test_a_month_links_to_what_began_in_it(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    months = [link["title"] for link in links(asker.get("/stac/collections/imagery"), "child")]
    assert months == ["2026-04", "2026-03"]
    monkeypatch.setattr(catalogue, "ITEMS_OF_A_MONTH", 1)
    first = asker.get("/stac/collections/imagery/months/2026-04")
    assert len(links(first, "item")) == 1
    (more,) = links(first, "child")
    second = asker.get(urlsplit(more["href"])._replace(scheme="", netloc="").geturl())
    assert links(second, "item") != links(first, "item")
    assert len(links(second, "item")) == 1
    assert links(second, "child") == []
    assert second.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    "path",
    [
        "/stac/",
        "/stac/nothing",
        "/stac/collections/",
        "/stac/collections/nothing",
        "/stac/collections/nothing/items",
        "/stac/collections/imagery/items/nothing",
        "/stac/collections/imagery/items/report--00000000-0000-4000-8000-000000000009",
        "/stac/collections/imagery/months/2026-01",
        "/stac/collections/imagery/months/x",
        "/stac/collections/signals/months/2026-04",
    ],
)
def test_hidden_and_absent_are_the_same(asker: Asker, path: str) -> None:
    answer, absent = asker.get(path), asker.get("/stac/nowhere")
    assert (answer.status_code, answer.content, answer.headers) == (404, absent.content, absent.headers)
    assert answer.headers["content-type"] == JSON


@pytest.mark.parametrize("path", ["/stac", "/stac/conformance", "/stac/api", "/stac/collections"])
def test_what_takes_no_parameter_refuses_every_one(asker: Asker, path: str) -> None:
    answer = asker.get(f"{path}?x=1")
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "400",
        "description": "there is a parameter that is not known here; known are: none",
    }


def test_who_is_no_partner_is_told_nothing(asker: Asker) -> None:
    answer = asker.get("/stac", party=None)
    assert answer.status_code == 401
    assert asker.get("/stac/nothing", party=None).content == answer.content


def test_what_is_posted_is_json_and_short(asker: Asker) -> None:
    def post(content: bytes, **headers: str) -> int:
        every = {"content-type": JSON} | {name.replace("_", "-"): text for name, text in headers.items()}
        return asker.ask("POST", "/stac/search", content=content, headers=every).status_code

    assert post(b"{}") == 200
    assert post(b"{}", content_type="application/json; charset=utf-8") == 200
    assert post(b"{}", content_type="text/plain") == 415
    assert post(b"{}", content_encoding="gzip") == 415
    assert post(b"{") == 400
    assert post(b" " * (catalogue.MAX_BODY - 2) + b"{}") == 200
    assert post(b" " * (catalogue.MAX_BODY - 1) + b"{}") == 413


def test_other_methods_are_not_allowed(asker: Asker) -> None:
    answer = asker.ask("DELETE", "/stac/search")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_links_name_only_a_host(asker: Asker) -> None:
    answer = asker.get("/stac", headers={"host": 'evil"/path'})
    assert answer.status_code == 400


def test_nothing_tells_what_was_cached_or_when(asker: Asker) -> None:
    assert set(asker.get("/stac/search").headers) == {"content-type", "content-length"}


def test_a_search_waits_while_the_view_is_sorted(asker: Asker) -> None:
    """The body is read once, however often the view has to be asked."""
    view = asker.registry.inbox("BBB").view
    with view.begin() as writer:
        writer.set_closing(True)

    async def go() -> httpx.Response:
        asking = asyncio.create_task(asker.go("POST", "/stac/search", "BBB", json={"limit": 2}))
        await asyncio.sleep(0.05)
        assert not asking.done()
        with view.begin() as writer:
            writer.set_closing(False)
        return await asking

    assert asyncio.run(go()).json()["numberReturned"] == 2

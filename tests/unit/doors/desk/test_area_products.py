"""Products at the desk: found by words and marks, shown without sources; their fate is for officers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tearline.doors.desk import Role
from tearline.doors.desk.areas import products
from tearline.node.take_in_file import take_in_file
from tests.desk import as_person, made_desk
from tests.traced import TEXTS, report
from tests.unit.node.test_media_trace import ABOUT, ground
from tests.unit.node.world import REPORT, bundle, malware, nodes, take, work


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("desk-products")
    with nodes(folder, "GBR", "USA") as (node, _):
        take(node, REPORT.encode())
        take(node, report(TEXTS[:1], title="Lorries <b>at</b> Velna").encode())
        take(node, bundle(malware("Quiet Heron")))
        work(node)
        with made_desk(node.home.folder, (products.area,)) as desk:
            made = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
            yield made


@pytest.fixture(autouse=True)
def officer(client: TestClient) -> None:
    client.cookies.set("person", as_person("heron-1", Role.OFFICER))


def titles(client: TestClient, **asked: str) -> set[str]:
    found = client.get("/api/v1/products", params=asked).json()
    return {"".join(piece["text"] for piece in hit["title"]) for hit in found["hits"]}


def test_words_and_marks_find_products(client: TestClient) -> None:
    assert titles(client, words="barges") == {"Barges at Velna"}
    assert titles(client, words="lorr*") == {"Lorries <b>at</b> Velna"}
    assert titles(client, category="cyber") == {"Quiet Heron"}
    assert titles(client, topic="maritime", words="Velna") == {"Barges at Velna"}
    assert titles(client, words="velna", since="2030-01-01") == set()
    assert len(titles(client)) == 3
    assert client.get("/api/v1/products").json()["facets"]["category"]


@pytest.mark.parametrize(
    "words", ['"', "AND OR (", "*", "'; DROP TABLE", "a:b NEAR/3 c", "title:^x", "--", "\\"]
)
def test_odd_words_are_no_error(client: TestClient, words: str) -> None:
    assert client.get("/products", params={"words": words}).status_code == 200


def test_what_is_found_is_text_and_never_markup(client: TestClient) -> None:
    page = client.get("/products", params={"words": "lorries"}).text
    assert "&lt;b&gt;at&lt;/b&gt;" in page
    assert "<b>at" not in page
    assert "<mark>" in page


def test_a_product_is_shown_without_its_source_line(client: TestClient) -> None:
    (hit,) = client.get("/api/v1/products", params={"words": "barges"}).json()["hits"]
    place = f"/products/{hit['originator']}/{hit['product']}"
    page = client.get(place).text
    assert "Nine barges lay at Velna" in page
    assert "harbour pilot" not in page + client.get("/api/v1" + place).text
    assert titles(client, words="harbour pilot") == set()


def test_what_became_of_it_is_for_officers(client: TestClient) -> None:
    (hit,) = client.get("/api/v1/products", params={"category": "cyber"}).json()["hits"]
    place = f"/api/v1/products/{hit['originator']}/{hit['product']}"
    (version,) = client.get(place).json()["versions"]
    assert [(each["partner"], each["kind"] != "") for each in version["answers"]] == [("USA", True)]
    client.cookies.set("person", as_person("finch-1", Role.ANALYST))
    (version,) = client.get(place).json()["versions"]
    assert version["answers"] is None
    assert "What became of it" not in client.get(place.removeprefix("/api/v1")).text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_read_no_products(client: TestClient, role: Role) -> None:
    client.cookies.set("person", as_person("wren-1", role))
    for path in ("/products", "/products/map", "/products/GBR/report--x", "/api/v1/products"):
        assert client.get(path).status_code == 403


def test_what_is_not_held_is_said_so(client: TestClient) -> None:
    assert client.get("/products/GBR/report--none").status_code == 409


def test_pictures_are_on_the_map(tmp_path: Path) -> None:
    picture = ground(tmp_path / "a.tif")
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        list(take_in_file(node, picture, ABOUT))
        with made_desk(node.home.folder, (products.area,)) as desk:
            client = TestClient(desk.app, base_url="https://localhost")
            client.cookies.set("person", as_person("finch-1", Role.ANALYST))
            (place,) = client.get("/api/v1/products/map").json()["places"]
            assert place["box"]["west"] < place["box"]["east"]
            assert place["product"] in client.get("/products/map").text

"""The trace page: what leaked is given, whose copy it was is told, and only officers ask."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import trace
from tearline.ledger import Act
from tearline.node import Node, ledger_tail
from tearline.node.variants import variants
from tests.desk import as_person, made_desk
from tests.traced import body, reports
from tests.unit.node.test_trace import given
from tests.unit.node.world import held, nodes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Node], Desk]]:
    """A node whose marked reports went to three partners, and its desk."""
    folder: Path = tmp_path_factory.mktemp("desk-trace")
    with nodes(folder, "GBR", "USA", "CAN", "AUS") as made:
        given(*made)
        with made_desk(made[0].home.folder, (trace.area,)) as desk:
            yield made, desk


@pytest.fixture
def client(world: tuple[list[Node], Desk]) -> TestClient:
    made = TestClient(world[1].app, base_url="https://localhost", follow_redirects=False)
    made.cookies.set("person", as_person("heron-1", Role.OFFICER))
    return made


def headers(desk: Desk) -> dict[str, str]:
    return {"x-form": desk.form_token(hashlib.sha256(b"heron-1").hexdigest())}


def ended(client: TestClient, answer: Any) -> dict[str, Any]:
    """The job, once it has ended."""
    for _ in range(100_000):
        job: dict[str, Any] = client.get(f"/api/v1/jobs/{answer.json()['id']}").json()
        if job["state"] != "running":
            return job
    raise AssertionError("it does not end")


def test_a_pasted_leak_names_its_holder(client: TestClient, world: tuple[list[Node], Desk]) -> None:
    (gbr, usa, *_), desk = world
    leaked = "\n\n".join(body(each) for each in reports(gbr, usa))
    asked = {"text": leaked, "prior": "USA = 1\nCAN = 1\nAUS = 1"}
    job = ended(client, client.post("/api/v1/trace/ask", json=asked, headers=headers(desk)))
    assert job["state"] == "done", job["error"]
    found = client.get(f"/api/v1{job['then']}").json()
    assert found["named"] == ["USA"], found["says"]
    best = found["suspects"][0]
    assert (best["partner"], best["accused"], best["agree"] == best["slots"]) == ("USA", True, True)
    assert [each["title"] for each in found["pieces"]] == ["Lorries at Velna", "The old pier"]
    assert "Accused: USA" in client.get(job["then"]).text
    page = client.get(f"{job['then']}/evidence")
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert page.headers["content-disposition"].startswith("inline")
    assert "Whose copy was it?" in page.text
    (asked_by,) = {entry.body["officer"] for _, entry in ledger_tail(gbr, 50) if entry.act is Act.TRACED}
    assert asked_by == "heron-1"


def test_an_excerpt_in_a_file_is_not_enough(client: TestClient, world: tuple[list[Node], Desk]) -> None:
    (gbr, usa, *_), desk = world
    excerpt = body(reports(gbr, usa)[0]).split(". ")[0]
    data = {"form": headers(desk)["x-form"]}
    answer = client.post("/trace/ask", data=data, files={"files": ("../leak.txt", excerpt.encode())})
    assert answer.status_code == 303
    name = answer.headers["location"].rpartition("/")[2]
    while (job := client.get(f"/api/v1/jobs/{name}").json())["state"] == "running":
        pass
    found = client.get(f"/api/v1{job['then']}").json()
    assert found["named"] == []
    assert found["says"].startswith("Not enough evidence")
    assert "Nobody is accused" in client.get(job["then"]).text


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "nothing was given"),
        ({"text": "a b c", "prior": "= x ="}, "prior.toml"),
        ({"text": "a b c", "prior": "NLD = 1"}, "NLD"),
    ],
)
def test_what_cannot_be_asked_is_told(
    client: TestClient, world: tuple[list[Node], Desk], asked: dict[str, str], says: str
) -> None:
    job = ended(client, client.post("/api/v1/trace/ask", json=asked, headers=headers(world[1])))
    assert job["state"] == "failed"
    assert says in job["error"]


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR, Role.SOURCE_HANDLER])
def test_only_officers_trace(client: TestClient, world: tuple[list[Node], Desk], role: Role) -> None:
    client.cookies.set("person", as_person("heron-1", role))
    assert client.get("/trace").status_code == 403
    assert client.post("/api/v1/trace/ask", json={"text": "a"}, headers=headers(world[1])).status_code == 403


def test_an_entry_is_switched_off_and_on(client: TestClient, world: tuple[list[Node], Desk]) -> None:
    (gbr, *_), desk = world
    entry = variants(gbr, held(gbr)[0].product.id)[0].slots[0].entry
    for act, there in (("off", True), ("on", False)):
        asked = {"what": entry, "why": "Example."}
        assert client.post(f"/api/v1/trace/{act}", json=asked, headers=headers(desk)).status_code == 200
        assert (entry in client.get("/api/v1/trace").json()["entries"]) is there

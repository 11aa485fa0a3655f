"""The desk's frame: who may, what is forged, what is told when something goes wrong."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from tearline.doors.desk import EVERYBODY, N_, Area, At, Download, Nothing, Role, Upload
from tearline.doors.desk.app import CSP, Desk, local_path
from tearline.ledger import Act
from tearline.node import ledger_tail
from tearline.terms import BadInput, Broken, Refused
from tests.desk import as_person, made_desk
from tests.unit.node.world import nodes

OFFICERS = frozenset({Role.OFFICER})
SEEN: list[object] = []
area = Area("things", title=N_("Overview"), path="/things", order=1)


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    count: int = 0
    tags: tuple[str, ...] = ()
    file: Upload | None = None


@area.shows("/things", "frame.html", roles=EVERYBODY)
def things(at: At, asked: Nothing) -> Nothing:
    """All things."""
    return asked


@area.does("/things/{name}", roles=OFFICERS, then="/things?of={name}", says=N_("{name} has {count}."))
def change(at: At, asked: Thing) -> Thing:
    """Change a thing. Raises as it is told to."""
    errors: dict[str, Exception] = {
        "bad": BadInput("a thing", "line 1", "it is bad"),
        "refused": Refused("the rules do not let it"),
        "broken": Broken("the vault is shut"),
        "fault": RuntimeError("secret content"),
    }
    if asked.name in errors:
        raise errors[asked.name]
    SEEN.append(asked)
    if asked.name == "recorded":
        with at.node.writing():
            at.node.record(Act.PARTNER_KEY_CHANGED, {"partner": "USA"})
    return asked


@area.shows("/things/{name}/file", roles=OFFICERS)
def download(at: At, asked: Thing) -> Download:
    """A file."""
    return Download("a b.txt", "text/plain", asked.name.encode())


@area.does("/things/{name}/long", roles=OFFICERS, slow=True, then="/things?job={job}", says=N_("Long"))
def long(at: At, asked: Thing) -> Thing:
    """Takes long."""
    at.progress(1, 2)
    at.doing("half")
    if asked.name == "bad":
        raise BadInput("a thing", "", "it is bad")
    return asked


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with nodes(tmp_path, "GBR", "USA") as (node, _), made_desk(node.home.folder, (area,)) as made:
        yield made


@pytest.fixture
def client(desk: Desk) -> TestClient:
    made = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
    made.cookies.set("person", as_person("heron-1", Role.OFFICER))
    return made


def token(desk: Desk, name: str = "heron-1") -> str:
    return desk.form_token(hashlib.sha256(name.encode()).hexdigest())


def test_nobody_is_led_to_the_login_and_told_so_by_the_api(client: TestClient) -> None:
    client.cookies.clear()
    answer = client.get("/things")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fthings"
    answer = client.get("/api/v1/things")
    assert (answer.status_code, answer.json()["title"]) == (401, "Log in first.")


def test_a_role_that_may_not_is_turned_away(client: TestClient, desk: Desk) -> None:
    client.cookies.set("person", as_person("heron-1", Role.AUDITOR))
    assert client.get("/things").status_code == 200
    assert client.post("/things/a", data={"form": token(desk)}).status_code == 403
    assert client.post("/api/v1/things/a", json={}, headers={"x-form": token(desk)}).status_code == 403


@pytest.mark.parametrize("wrong", ["", "x", None, "another"])
def test_a_forged_form_does_nothing(client: TestClient, desk: Desk, wrong: str | None) -> None:
    value = token(desk, "heron-2") if wrong == "another" else wrong
    data = {} if value is None else {"form": value}
    assert client.post("/things/a", data=data).status_code == 403
    assert client.post("/api/v1/things/a", json={}, headers={"x-form": value or ""}).status_code == 403


def test_a_form_from_another_site_does_nothing(client: TestClient, desk: Desk) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    assert client.post("/things/a", data={"form": token(desk)}, headers=headers).status_code == 403


def test_an_act_leads_on_and_says_what_it_did_once(client: TestClient, desk: Desk) -> None:
    data = {"form": token(desk), "count": "3", "tags": ["a", "b"], "file": ""}
    answer = client.post("/things/a%20b", data=data)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/things?of=a%20b"
    assert re.search(r"HttpOnly.*Path=/.*SameSite=strict.*Secure", answer.headers["set-cookie"])
    by_htmx = client.post("/things/a", data=data, headers={"hx-request": "true"})
    assert (by_htmx.status_code, by_htmx.headers["hx-redirect"]) == (204, "/things?of=a")


def test_the_api_takes_and_gives_the_same_structs(client: TestClient, desk: Desk) -> None:
    body = {"count": 3, "tags": ["a"], "file": {"name": "f", "body": "aGk="}, "name": "not this"}
    answer = client.post("/api/v1/things/a", json=body, headers={"x-form": token(desk)})
    assert answer.json() == body | {"name": "a"}


def test_an_uploaded_file_comes_whole(client: TestClient, desk: Desk) -> None:
    client.post("/things/a", data={"form": token(desk)}, files={"file": ("f.bin", b"\x00\r\n")})
    assert SEEN[-1].file == Upload("f.bin", b"\x00\r\n")


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("bad", 400, "a thing, line 1: it is bad"),
        ("refused", 409, "the rules do not let it"),
        ("broken", 503, "the vault is shut"),
        ("fault", 500, "it is not your fault"),
    ],
)
def test_what_goes_wrong_is_told_in_one_sentence(desk: Desk, name: str, status: int, says: str) -> None:
    client = TestClient(desk.app, base_url="https://localhost", raise_server_exceptions=False)
    client.cookies.set("person", as_person("heron-1", Role.OFFICER))
    page = client.post(f"/things/{name}", data={"form": token(desk)})
    assert page.status_code == status
    assert says in page.text
    problem = client.post(f"/api/v1/things/{name}", json={}, headers={"x-form": token(desk)})
    assert problem.status_code == status
    assert says in problem.json()["detail"]
    assert "secret content" not in page.text + problem.text
    assert page.headers["content-security-policy"] == CSP


def test_a_field_that_cannot_be_read_is_named(client: TestClient, desk: Desk) -> None:
    answer = client.post(
        "/things/a", data={"form": token(desk), "count": "many"}, headers={"hx-request": "true"}
    )
    assert answer.status_code == 400
    assert "what was asked, count: Expected `int`" in answer.text.replace("&#39;", "'")


def test_what_is_recorded_tells_the_person(client: TestClient, desk: Desk) -> None:
    assert client.post("/things/recorded", data={"form": token(desk)}).status_code == 303
    with desk.nodes._make(desk.home) as node:
        (told,) = (entry for _, entry in ledger_tail(node, 5) if entry.act is Act.PARTNER_KEY_CHANGED)
    assert told.body["person"] == "heron-1"


def test_every_answer_has_the_headers_and_no_page_is_kept(client: TestClient) -> None:
    for path in ("/things", "/nowhere", "/api/v1/things"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "max-age" in headers["strict-transport-security"]
    assert "unsafe" not in CSP


def test_another_host_is_not_served(client: TestClient) -> None:
    assert client.get("/things", headers={"host": "evil.example"}).status_code == 400


def test_files_are_kept_for_ever_under_a_name_of_their_content(client: TestClient, desk: Desk) -> None:
    place = desk.pages.places["desk.css"]
    assert "immutable" in client.get(place).headers["cache-control"]
    assert client.get("/static/0000000000000000/desk.css").status_code == 404


def test_a_download_is_a_file(client: TestClient) -> None:
    answer = client.get("/things/abc/file")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b.txt"
    assert answer.text == "abc"


def until_ended(client: TestClient, job: str) -> Any:
    for _ in range(1000):
        if (found := client.get(f"/api/v1/jobs/{job}").json())["state"] != "running":
            return found
    raise AssertionError("it does not end")


def test_a_job_goes_on_beside_and_is_its_persons_alone(client: TestClient, desk: Desk) -> None:
    answer = client.post("/api/v1/things/a/long", json={}, headers={"x-form": token(desk)})
    assert answer.status_code == 202
    job = until_ended(client, answer.json()["id"])
    assert (job["state"], job["done"], job["of"], job["doing"]) == ("done", 1, 2, "half")
    page = client.get(f"/jobs/{job['id']}")
    assert page.headers["location"] == f"/things?job={job['id']}"
    client.cookies.set("person", as_person("heron-2", Role.OFFICER))
    assert client.get(f"/api/v1/jobs/{job['id']}").status_code == 409
    client.cookies.set("person", as_person("heron-1", Role.OFFICER))
    failed = client.post("/things/bad/long", data={"form": token(desk)})
    ended = until_ended(client, failed.headers["location"].rpartition("/")[2])
    assert (ended["state"], ended["error"]) == ("failed", "a thing: it is bad")


def test_the_description_names_every_endpoint_and_its_fields(client: TestClient) -> None:
    found = client.get("/api/v1/openapi.json").json()
    change = found["paths"]["/api/v1/things/{name}"]["post"]
    assert change["operationId"] == "things.change"
    assert [(each["name"], each["in"]) for each in change["parameters"]] == [("name", "path")]
    assert found["paths"]["/api/v1/things/{name}/long"]["post"]["responses"].keys() == {"202", "default"}


def test_metrics_tell_of_no_partner(client: TestClient) -> None:
    assert client.get("/metrics").status_code == 403
    client.cookies.set("person", as_person("wren-1", Role.AUDITOR))
    text = client.get("/metrics").text
    assert "tearline_partners 1.0" in text
    assert "USA" not in text


@pytest.mark.parametrize(
    ("given", "leads"),
    [
        ("/a?b=1", "/a?b=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_led_elsewhere(given: str, leads: str) -> None:
    assert local_path(given) == leads


def test_third_party_files_are_as_the_manifest_tells() -> None:
    folder = files("tearline.doors.desk").joinpath("static")
    for each in json.loads(folder.joinpath("third-party.json").read_text("utf-8")):
        for name, digest in each["files"].items():
            assert hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest() == digest, name

"""Reviews through the desk's API: the same figures as the command gives, with the command that gives them."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from tearline.cli import main
from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tests.desk import as_person, made_desk
from tests.unit.node import world
from tests.unit.node.test_replay import fill

REQUIREMENTS = '[[requirement]]\nid = "R-1"\nquestion = "Barges?"\nmarking = "TLP:RED"\ntopics = ["maritime"]'


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with world.nodes(tmp_path_factory.mktemp("desk"), "GBR", "USA") as (gbr, _):
        fill(gbr, 9, 6)
        with made_desk(gbr.home.folder) as made:
            yield made


@pytest.fixture
def client(desk: Desk) -> TestClient:
    made = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
    made.cookies.set("person", as_person("heron-1", Role.ANALYST))
    made.headers["x-form"] = desk.form_token(hashlib.sha256(b"heron-1").hexdigest())
    return made


def job_of(client: TestClient, **asked: object) -> dict[str, Any]:
    answer = client.post("/api/v1/reviews", json=asked)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    until = time.monotonic() + 60
    while job["state"] == "running":
        assert time.monotonic() < until
        time.sleep(0.05)
        job = client.get(f"/api/v1/jobs/{job['id']}").json()
    return job


def upload(name: str, text: str) -> dict[str, str]:
    return {"name": name, "body": base64.b64encode(text.encode()).decode()}


def test_the_figures_are_those_of_the_command_that_stands_beside_them(
    client: TestClient, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(client, about="suspend", partner="USA", requirements=upload("needs.toml", REQUIREMENTS))
    assert job["state"] == "done", job
    found = client.get(f"/api/v1{job['then']}").json()
    assert found["title"] == "USA is suspended"
    tables = {each["name"]: each for each in found["tables"]}
    assert {"changes", "clauses", "dependency", "coverage", "untying"} <= tables.keys()
    assert set(found["charts"]) <= tables.keys()
    monkeypatch.chdir(tmp_path)
    Path("needs.toml").write_text(REQUIREMENTS)
    command = shlex.split(tables["dependency"]["command"])
    assert command == shlex.split("tearline review --suspend USA --requirements needs.toml --only dependency")
    home = ["--home", str(desk.home.folder)]
    done = CliRunner().invoke(main, [*home, *command[1:], "--output", "again.json"])
    assert done.exit_code == 0, done.output
    (again,) = json.loads(Path("again.json").read_text())["tables"]
    columns = [each["name"] for each in tables["dependency"]["columns"]]
    assert [dict(zip(columns, row, strict=True)) for row in tables["dependency"]["rows"]] == again["rows"]
    for form in ("html", "json", "csv", "parquet"):
        file = client.get(f"/api/v1{job['then']}/file", params={"form": form})
        assert file.status_code == 200
        assert file.content
    alone = client.get(f"{job['then']}?only=cells")
    assert alone.status_code == 200
    assert 'id="cells"' in alone.text
    assert 'id="changes"' not in alone.text


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"about": "suspend", "partner": "FRA"}, "FRA is not a partner"),
        ({"about": "scenario"}, "no file is given"),
        ({"about": "scenario", "scenario": upload("s.toml", "title =")}, "not TOML"),
        ({"requirements": upload("r.csv", "\N{PILE OF POO}\n1")}, "r.csv"),
        ({"holdings": [upload("../../x.parquet", "none")]}, "this is not a Parquet file"),
        ({"about": "version", "version": "none"}, "none"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(
    client: TestClient, asked: dict[str, object], reason: str
) -> None:
    job = job_of(client, **asked)
    assert job["state"] == "failed"
    assert reason in job["error"]


def test_a_review_is_for_whoever_asked_it(client: TestClient, desk: Desk) -> None:
    job = job_of(client)
    assert client.get(job["then"]).status_code == 200
    assert client.get(job["then"], params={"only": "weather"}).status_code == 400
    client.cookies.set("person", as_person("wren-1", Role.ANALYST))
    assert client.get(job["then"]).status_code == 409
    client.cookies.set("person", as_person("heron-1", Role.AUDITOR))
    assert client.get(job["then"]).status_code == 403

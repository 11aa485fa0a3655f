"""The people page: what an administrator can do there, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tearline.doors.desk import Role
from tearline.ledger import Act
from tests.people import Office, office


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def chief(here: Office) -> TestClient:
    return here.person("heron-1", Role.ADMINISTRATOR)


def unlock(here: Office, browser: TestClient) -> None:
    here.clock.wait(seconds=30)
    answer = browser.post("/account/confirm/totp", data={"code": here.code("heron-1"), "next": "/people"})
    assert answer.headers["location"] == "/people"


def act(here: Office, browser: TestClient, path: str, **data: str | list[str]) -> Any:
    who = here.access._reception.sessions.person(browser.cookies["__Host-tearline"])
    assert who is not None
    return browser.post(f"/people/{path}", data={"form": here.desk.form_token(who.session), **data})


def test_an_account_is_added_changed_reset_and_removed(here: Office, chief: TestClient) -> None:
    unlock(here, chief)
    answer = act(here, chief, "add", name="heron-2", roles=["officer", "analyst"])
    link = re.search(r"/login/enrol/[\w-]{43}", answer.text)
    assert link is not None
    other = here.browser()
    assert here.set_up(other, link[0], "heron-2").status_code == 303
    assert "heron-2" in chief.get("/people").text
    assert act(here, chief, "heron-2/roles", roles=["auditor"]).headers["location"] == "/people"
    assert other.get("/account").status_code == 303
    assert "/login/enrol/" in act(here, chief, "heron-2/reset").text
    assert act(here, chief, "heron-2/remove").status_code == 303
    assert "heron-2" not in chief.get("/people").text.partition("There is no account")[2].partition("</p>")[2]
    told = [(each.act, each.body["person"]) for each in here.acts(4) if "person" in each.body]
    assert told[-1] == (Act.ACCOUNT_REMOVED, "heron-1")


def test_nothing_changes_without_a_second_unlock(here: Office, chief: TestClient) -> None:
    before = here.people.find("heron-1")
    for path, data in (("add", {"name": "heron-2"}), ("heron-1/roles", {}), ("heron-1/reset", {})):
        assert act(here, chief, path, roles=["officer"], **data).status_code == 409
    assert act(here, chief, "heron-1/remove").status_code == 409
    assert here.people.find("heron-1") == before
    assert "Set roles" not in chief.get("/people").text


def test_a_program_cannot_make_itself_more(here: Office, chief: TestClient) -> None:
    form = {"label": "x", "roles": "administrator", "days": "1"}
    token = re.search(r"tl_[\w-]{43}", chief.post("/account/tokens", data=form).text)
    assert token is not None
    unlock(here, chief)  # by its person, which does not count for the program
    bearer = {"authorization": f"Bearer {token[0]}"}
    program = here.browser()
    assert program.get("/api/v1/people", headers=bearer).json()["accounts"][0]["name"] == "heron-1"
    body = {"name": "heron-2", "roles": ["officer"]}
    assert program.post("/api/v1/people/add", json=body, headers=bearer).status_code == 409


def test_the_page_is_the_administrators(here: Office) -> None:
    for number, role in enumerate(set(Role) - {Role.ADMINISTRATOR}):
        assert here.person(f"other-{number}", role).get("/people").status_code == 403

"""The partners' pages: who may, what is shown, and a suspension that is looked at before it is ordered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tearline.adapters import store
from tearline.adapters.view import OUT
from tearline.agreement.suspension import Scope
from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import releases
from tearline.ledger import Act
from tearline.node import Node, consider, receive
from tearline.node.suspend import standing, suspend
from tests.desk import PASSPHRASE, as_person, made_desk
from tests.unit.node.world import (
    EVERYTHING,
    GREEN,
    RED,
    bundle,
    entries,
    held,
    malware,
    nodes,
    page,
    take,
    work,
)

OFFICER, AUDITOR, ADMINISTRATOR = Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR
API = "/api/v1"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Node]]:
    with nodes(tmp_path, "GBR", "USA", "CAN") as made:
        gbr, usa, _ = made
        take(usa, bundle(malware("from them", GREEN)))
        take(gbr, bundle(malware("one", GREEN), malware("two", GREEN), malware("kept", RED)))
        work(gbr), work(usa)
        receive(gbr, "USA", page(usa, gbr))
        gbr.view("USA").serve(OUT, EVERYTHING, after=-1, limit=100)
        take(gbr, bundle(malware("three", GREEN)))
        work(gbr)
        yield made


@pytest.fixture
def desk(pair: list[Node]) -> Iterator[Desk]:
    with made_desk(pair[0].home.folder) as made:
        made.nodes._make = _of(pair[0])
        yield made


def _of(node: Node) -> Any:
    """Nodes with the test's clock."""

    def make(home: Any) -> Node:
        made = Node(home)
        made.clock = node.clock
        return made

    return make


@pytest.fixture
def client(desk: Desk) -> TestClient:
    return as_role(TestClient(desk.app, base_url="https://localhost", follow_redirects=False), OFFICER)


def as_role(client: TestClient, *roles: Role, name: str = "heron-1") -> TestClient:
    client.cookies.set("person", as_person(name, *roles))
    return client


def do(client: TestClient, desk: Desk, path: str, body: Any = None, name: str = "heron-1") -> Any:
    token = desk.form_token(hashlib.sha256(name.encode()).hexdigest())
    return client.post(API + path, json=body or {}, headers={"x-form": token})


def looked(client: TestClient, desk: Desk, **wish: Any) -> str:
    """The job that looked at a suspension of the USA."""
    started = do(client, desk, "/partners/USA/suspend", {"reason": "Example."} | wish)
    assert started.status_code == 202, started.text
    for _ in range(10_000):
        job = client.get(f"{API}/jobs/{started.json()['id']}").json()
        if job["state"] != "running":
            assert job["state"] == "done", job
            return str(job["id"])
    raise AssertionError("it does not end")


def test_the_list_counts_what_went_and_came(client: TestClient) -> None:
    found = client.get(f"{API}/partners").json()
    usa = next(each for each in found["partners"] if each["party"] == "USA")
    assert (usa["given"], usa["taken"], usa["unreceipted"]) == (3, 1, 3)
    assert usa["troubles"] == ["unreceipted"]
    assert "USA" in client.get("/partners").text


def test_a_receipt_ends_the_wait_for_it(pair: list[Node], client: TestClient) -> None:
    gbr, usa, _ = pair
    receive(usa, "GBR", page(gbr, usa))
    work(usa)
    receive(gbr, "USA", page(usa, gbr))
    shown = client.get(f"{API}/partners/USA").json()
    assert (shown["partner"]["unreceipted"], shown["partner"]["troubles"]) == (0, [])


def test_one_partner_is_shown_with_flows_line_and_agreements(pair: list[Node], client: TestClient) -> None:
    shown = client.get(f"{API}/partners/USA").json()
    month = f"{pair[0].clock():%Y-%m}"
    assert shown["months"][-1] == {"month": month, "given": 3, "taken": 1}
    assert len(shown["months"]) == 12
    assert shown["categories"] == [{"category": "cyber", "given": 3, "taken": 1}]
    assert [each["id"] for each in shown["agreements"]] == ["five-eyes"]
    assert shown["link"]["to_push"]
    assert shown["link"]["unserved"] > 0
    assert shown["link"]["certificate_until"] is not None
    assert shown["terms"]["clearance"]["USA"] == "SECRET"
    assert client.get("/partners/USA").status_code == 200
    assert client.get(f"{API}/partners/FRA").status_code == 409


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SOURCE_HANDLER])
def test_who_has_no_business_here_is_turned_away(client: TestClient, role: Role) -> None:
    as_role(client, role)
    for path in ("/partners", "/partners/USA", "/partners/USA/suspend", "/partners/USA/releases"):
        assert client.get(path).status_code == 403
        assert client.get(API + path).status_code == 403


@pytest.mark.parametrize("role", [AUDITOR, ADMINISTRATOR])
def test_auditors_and_administrators_look_and_do_nothing(client: TestClient, desk: Desk, role: Role) -> None:
    as_role(client, role)
    assert client.get("/partners/USA").status_code == 200
    assert "/partners/USA/suspend" not in client.get("/partners/USA").text
    for path in ("suspend", "suspend/x", "suspensions/x/approve", "suspensions/x/resume", "settle-fork"):
        assert do(client, desk, f"/partners/USA/{path}", {"reason": "x"}).status_code == 403
    assert client.get("/partners/USA/suspend").status_code == 403


# --- Suspensions ----------------------------------------------------------------------------------


def test_looking_changes_nothing_and_counts_what_would_stop(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    gbr = pair[0]
    with gbr.reading() as db:
        before = gbr.log.size(db)
    effect = client.get(f"{API}/partners/USA/suspend/{looked(client, desk)}").json()["effect"]
    with gbr.reading() as db:
        assert gbr.log.size(db) == before
    assert not standing(gbr)
    served = 3 - sum(each["count"] for each in effect["held_back"])
    assert served == effect["served"] > 0
    assert effect["held_back"] == [{"category": "cyber", "count": 3 - served}]
    assert effect["stopped"] == []
    assert effect["categories"] == [{"category": "cyber", "count": 3}], "the one that is RED never went"
    assert sum(each["count"] for each in effect["months"]) == 3


def test_what_waits_is_counted_as_it_is_stopped_then(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    gbr = pair[0]
    take(gbr, bundle(malware("four", GREEN)))
    consider(gbr)
    job = looked(client, desk)
    shown = client.get(f"{API}/partners/USA/suspend/{job}").json()["effect"]
    assert shown["stopped"] == [{"category": "cyber", "count": 1}]
    page_of_it = client.get(f"/partners/USA/suspend/{job}")
    assert "Suspend USA now" in page_of_it.text
    done = do(client, desk, f"/partners/USA/suspend/{job}")
    expected = 1 + sum(each["count"] for each in shown["held_back"])
    assert done.json()["stopped"] == expected
    (found,) = standing(gbr)
    assert found.suspension.officer == "heron-1"
    assert client.get(f"{API}/partners/USA").json()["partner"]["troubles"][0] == "suspended"


def test_exactly_what_was_looked_at_is_ordered(pair: list[Node], client: TestClient, desk: Desk) -> None:
    wish = {
        "categories": ["report"],
        "until": "2027-06-30",
        "review": "2027-01-01",
        "inbound": "refuse",
        "reason": "They were told.",
    }
    job = looked(client, desk, **wish)
    assert client.get(f"{API}/partners/USA/suspend/{job}").json()["effect"]["categories"] == []
    assert do(client, desk, f"/partners/USA/suspend/{job}", {"scope": "all"}).status_code == 400
    assert not standing(pair[0])
    assert do(client, desk, f"/partners/USA/suspend/{job}").status_code == 200
    (found,) = standing(pair[0])
    told = found.suspension.told()
    assert (told["scope"], told["until"]) == ("category=report", "2027-06-30T00:00:00Z")
    assert (told["review"], told["inbound"], told["reason"]) == ("2027-01-01", "refuse", "They were told.")


def test_where_something_changed_it_must_be_looked_at_again(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    gbr, job = pair[0], looked(client, desk)
    suspend(gbr, "CAN", Scope(), officer="heron-2", reason="Example.")
    assert client.get(f"{API}/partners/USA/suspend/{job}").json()["holds"] is False
    assert "Look again" in client.get(f"/partners/USA/suspend/{job}").text
    assert "look again" in do(client, desk, f"/partners/USA/suspend/{job}").json()["detail"]
    assert [each.suspension.partner for each in standing(gbr)] == ["CAN"]


def test_what_was_looked_at_long_ago_is_not_ordered(pair: list[Node], client: TestClient, desk: Desk) -> None:
    job = looked(client, desk)
    pair[0].clock.now += timedelta(hours=1)  # type: ignore[attr-defined]
    assert do(client, desk, f"/partners/USA/suspend/{job}").status_code == 409
    assert not standing(pair[0])


def test_another_job_or_anothers_look_orders_nothing(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    job = looked(client, desk)
    assert do(client, desk, f"/partners/CAN/suspend/{job}").status_code == 409
    as_role(client, OFFICER, name="heron-2")
    assert do(client, desk, f"/partners/USA/suspend/{job}", name="heron-2").status_code == 409
    assert not standing(pair[0])


def test_who_is_no_officer_of_the_node_orders_nothing(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    as_role(client, OFFICER, name="wren-9")
    started = do(client, desk, "/partners/USA/suspend", {"reason": "Example."}, name="wren-9").json()
    while client.get(f"{API}/jobs/{started['id']}").json()["state"] == "running":
        pass
    answer = do(client, desk, f"/partners/USA/suspend/{started['id']}", name="wren-9")
    assert "not an officer" in answer.json()["detail"]
    assert not standing(pair[0])


@pytest.mark.parametrize(
    "wish",
    [
        {"categories": ["cyber"], "topics": ["air"]},
        {"until": "2020-01-01"},
        {"review": "2020-01-01"},
        {"reason": " "},
        {"requirements": {"name": "r.toml", "body": "eHg="}},
    ],
)
def test_what_could_not_be_ordered_is_said_when_looking(
    client: TestClient, desk: Desk, wish: dict[str, Any]
) -> None:
    started = do(client, desk, "/partners/USA/suspend", {"reason": "Example."} | wish).json()
    while (job := client.get(f"{API}/jobs/{started['id']}").json())["state"] == "running":
        pass
    assert job["state"] == "failed"
    assert job["error"]


def test_the_end_needs_the_quorum(pair: list[Node], client: TestClient, desk: Desk) -> None:
    gbr = pair[0]
    ident = suspend(gbr, "USA", Scope(), officer="heron-1", reason="Example.").id
    path = f"/partners/USA/suspensions/{ident}"
    why = {"why": "It was cleared up."}
    assert "0 of 2" in do(client, desk, f"{path}/resume", why).json()["detail"]
    wrong = do(client, desk, f"{path}/approve", why | {"passphrase": "not this"})
    assert wrong.status_code == 400
    yes = why | {"passphrase": PASSPHRASE}
    assert do(client, desk, f"{path}/approve", yes).json() == {"approvals": 1, "quorum": 2}
    assert do(client, desk, f"{path}/resume", why).status_code == 409
    as_role(client, OFFICER, name="heron-2")
    assert do(client, desk, f"{path}/approve", yes, name="heron-2").json()["approvals"] == 2
    shown = client.get(f"{API}/partners/USA").json()["suspensions"]
    assert (shown[0]["approved_by"], shown[0]["may_end"]) == (["heron-1", "heron-2"], True)
    assert do(client, desk, f"{path}/resume", why, name="heron-2").json() == {"scope": "all"}
    assert not standing(gbr)
    assert do(client, desk, f"{path}/approve", yes, name="heron-2").status_code == 409


# --- Forks ------------------------------------------------------------------------------------------


def test_a_fork_is_told_and_settled(pair: list[Node], client: TestClient, desk: Desk) -> None:
    gbr = pair[0]
    with gbr.writing() as db:
        gbr.record(Act.FORK_FOUND, {"giver": "USA", "rule": "size", "notes": []})
        store.add_fork(db, "USA", "size", b"", b"", store.stamp(gbr.clock()))
        store.relations.next_generation(db)
    shown = client.get(f"{API}/partners/USA").json()
    assert shown["partner"]["troubles"][0] == "forked"
    assert any("two histories" in each for each in shown["notices"])
    assert client.get(f"{API}/partners").json()["partners"][0]["party"] == "USA", "the worst first"
    assert do(client, desk, "/partners/USA/settle-fork", {"why": "Spoken with them."}).status_code == 200
    shown = client.get(f"{API}/partners/USA").json()
    assert shown["forks"][0]["officer"] == "heron-1"
    assert "forked" not in shown["partner"]["troubles"]


# --- Releases and recalls ---------------------------------------------------------------------------


def test_releases_are_listed_newest_first_in_pages(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "MOST", 2)
    first = client.get(f"{API}/partners/USA/releases").json()
    assert [each["title"] for each in first["rows"]] == ["three", "two"]
    assert [each["state"] for each in first["rows"]] == ["given", "given"]
    rest = client.get(f"{API}/partners/USA/releases?before={first['before']}").json()
    assert ([each["title"] for each in rest["rows"]], rest["before"]) == (["one"], None)
    assert "three" in client.get("/partners/USA/releases").text


def test_what_has_a_receipt_is_not_among_what_has_none(pair: list[Node], client: TestClient) -> None:
    gbr, usa, _ = pair
    receive(usa, "GBR", page(gbr, usa))
    work(usa)
    receive(gbr, "USA", page(usa, gbr))
    take(gbr, bundle(malware("four", GREEN)))
    work(gbr)
    found = client.get(f"{API}/partners/USA/releases?unreceipted=true").json()
    assert [each["title"] for each in found["rows"]] == ["four"]
    found = client.get(f"{API}/partners/USA/releases").json()
    assert [each["state"] for each in found["rows"]] == ["given", "held", "held", "held"]


def test_an_administrator_sees_no_content(client: TestClient) -> None:
    as_role(client, ADMINISTRATOR)
    assert client.get("/partners/USA/releases").status_code == 403
    assert client.get("/partners/USA/recall?product=x").status_code == 403
    assert client.get(f"{API}/partners/USA").json()["consents"] == []


def test_a_product_is_recalled_from_one_partner_alone(
    pair: list[Node], client: TestClient, desk: Desk
) -> None:
    gbr = pair[0]
    (product,) = (each.product.id for each in held(gbr) if each.product.title == "one")
    assert client.get(f"/partners/USA/recall?product={product}").status_code == 200
    wish = {"product": product, "reason": "factual-error", "actions": ["destroy"]}
    made = do(client, desk, "/partners/USA/recall", wish).json()
    assert made["told"] == 1
    (told,) = entries(gbr, Act.PRODUCT_RECALLED)
    assert (told.body["to"], told.body["officer"]) == (["USA"], "heron-1")
    odd = wish | {"reason": "marking-changed"}
    assert do(client, desk, "/partners/USA/recall", odd).status_code == 400

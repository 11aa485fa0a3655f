"""Agreements at the desk: who may, what is told, and that each step is the node's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from tearline.agreement.templates import TEMPLATES
from tearline.doors.desk import Role
from tearline.doors.desk.app import Desk
from tearline.doors.desk.areas import agreements
from tearline.ledger import Act
from tearline.node import Node, sign_approval
from tests.adoption import key_of
from tests.desk import PASSPHRASE, as_person, made_desk
from tests.unit.node.world import GREEN, bundle, entries, five_eyes, malware, nodes, take, work

API = "/api/v1/agreements"
NO_MALWARE = """
@id("no-cyber")
@reason("Example.")
@review("2027-06-30")
forbid (principal == Partner::"USA", action in Action::"share", resource)
when { resource.category == Category::"cyber" };
"""


class Person:
    """Somebody at the desk, by the API."""

    def __init__(self, desk: Desk, name: str, *roles: Role) -> None:
        self.client = TestClient(desk.app, base_url="https://localhost", follow_redirects=False)
        self.client.cookies.set("person", as_person(name, *roles))
        self.token = desk.form_token(hashlib.sha256(name.encode()).hexdigest())

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(API + path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def page(self, path: str) -> str:
        answer = self.client.get("/agreements" + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, status: int = 200, **asked: Any) -> Any:
        answer = self.client.post(API + path, json=asked, headers={"x-form": self.token})
        assert answer.status_code == status, answer.text
        return answer.json()

    def job(self, path: str, **asked: Any) -> Any:
        job = self.post(path, 202, **asked)["id"]
        for _ in range(10_000):
            found = self.client.get(f"/api/v1/jobs/{job}").json()
            if found["state"] != "running":
                return found
        raise AssertionError("it does not end")


class World(msgspec.Struct):
    node: Node
    desk: Desk
    heron_1: Person
    heron_2: Person


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with nodes(tmp_path, "GBR", "USA") as (node, _):
        take(node, bundle(malware("first", GREEN), malware("second", GREEN)))
        work(node)
        with made_desk(node.home.folder, (agreements.area,)) as desk:
            herons = (Person(desk, name, Role.OFFICER) for name in ("heron-1", "heron-2"))
            yield World(node, desk, *herons)


def proposed(world: World, edit: str = NO_MALWARE) -> str:
    text = five_eyes(edit)
    asked = {"manifest": text.manifest, "clauses": text.clauses, "why": "Example."}
    version: str = world.heron_1.post("/propose", **asked)["version"]
    return version


def signed(act: str, subject: str, name: str = "heron-2") -> dict[str, str]:
    """An approval that was signed on another machine, as a file."""
    now = datetime.now(UTC)
    made = sign_approval("GBR", name, key_of(name), act=act, subject=subject, at=now)
    return {"name": "approval.json", "body": msgspec.to_builtins(msgspec.json.encode(made))}


def needs(world: World, version: str) -> list[str]:
    found = world.heron_1.get(f"/versions/{version}")["needs"]
    return [each["need"] for each in found if each["lack"]]


def test_a_revision_from_proposal_to_force_and_out_again(world: World) -> None:
    one, two = world.heron_1, world.heron_2
    (old,) = one.get("")["current"]
    version = proposed(world)
    at = f"/versions/{version}"
    found = one.get("")["current"]
    assert [(each["version"], each["state"]) for each in found] == [
        (version, "proposed"),
        (old["version"], "adopted"),
    ]
    assert found[0]["lacks"] == needs(world, version) == ["officers", "review", "proof"]

    assert "no review" not in one.job(f"{at}/adopt", why="Too early.")["error"]  # the officers come first
    ended = one.job(f"{at}/review", why="Example.")
    assert (ended["state"], ended["doing"]) == ("done", "Replaying over all that is held")
    review = one.get(f"{at}/review")
    assert review["review"]["items"] == 2
    assert {
        "partner": "USA",
        "category": "cyber",
        "topic": "malware",
        "changes": {"newly withheld": 2},
    } in review["cells"]
    assert needs(world, version) == ["officers"]

    assert one.post(f"{at}/approve", why="Example.", passphrase=PASSPHRASE)["count"] == 1
    assert one.post(f"{at}/approve", why="Again.", passphrase=PASSPHRASE)["count"] == 1
    assert "passphrase" in one.post(f"{at}/approve", 400, why="Example.", passphrase="wrong")["detail"]
    assert two.post(f"{at}/approve", why="Example.", passphrase=PASSPHRASE)["count"] == 2
    assert needs(world, version) == []
    assert "nothing: it can be adopted" in one.page("")
    assert one.job(f"{at}/adopt", why="Agreed.")["state"] == "done"
    assert [(each["version"], each["state"]) for each in one.get("")["current"]] == [(version, "adopted")]
    assert one.get("")["ended"][0]["version"] == old["version"]
    adopted = entries(world.node, Act.AGREEMENT_ADOPTED)[-1].body
    assert (adopted["officer"], adopted["person"]) == ("heron-1", "heron-1")
    assert adopted["approved_by"] == ["heron-1", "heron-2"]

    two.post(f"{at}/suspend", why="Example.")
    assert one.get(at)["brief"]["state"] == "suspended"
    assert "0 of 2 officers" in one.job(f"{at}/resume", why="Example.")["error"]
    one.post(f"{at}/approve", act="resume-agreement", why="Example.", passphrase=PASSPHRASE)
    elsewhere = signed("resume-agreement", one.get(at)["undoing"])
    assert one.post(f"{at}/approval", approval=elsewhere, why="Brought.")["count"] == 2
    assert one.job(f"{at}/resume", why="Example.")["state"] == "done"

    assert "0 of 2 officers" in one.post(f"{at}/withdraw", 409, why="Example.")["detail"]
    for person in (one, two):
        person.post(f"{at}/approve", act="withdraw-agreement", why="Example.", passphrase=PASSPHRASE)
    one.post(f"{at}/withdraw", why="Example.")
    assert one.get("")["current"] == []
    steps = [each["step"] for each in one.get(at)["history"]]
    assert steps == ["withdraw", "resume", "suspend", "adopt", *["approve"] * 3, "review", "propose"]


def test_a_proof_tells_each_question_and_an_example(world: World) -> None:
    one = world.heron_1
    open_ = NO_MALWARE.replace('forbid (principal == Partner::"USA"', "permit (principal").replace(
        'resource.category == Category::"cyber"', "resource.level <= 4"
    )
    version = proposed(world, open_)
    assert not one.get(f"/versions/{version}/proof")["known"]
    job = one.job(f"/versions/{version}/prove")
    found = one.get(f"/versions/{version}/proof?job={job['id']}")
    assert found["keeps_charter"] is False
    case = next(each["case"] for each in found["answers"] if each["question"] == "charter" and each["case"])
    assert case["partner"]
    assert case["clauses"] == ["five-eyes/no-cyber"]
    assert "It breaks the charter" in one.page(f"/versions/{version}/proof?job={job['id']}")
    assert "proved something else" in one.get(f"/versions/five-eyes/proof?job={job['id']}", 409)["detail"]
    one.job(f"/versions/{version}/review", why="Example.")
    assert "proof" in needs(world, version)
    assert "breaks the charter" in one.page(f"/versions/{version}")


def test_a_text_is_checked_and_kept_nowhere(world: World) -> None:
    before = len(entries(world.node))
    text = five_eyes(NO_MALWARE.replace('cyber"', 'cyper"'))
    found = world.heron_1.post("/check", manifest=text.manifest, clauses=text.clauses)["checks"]
    (finding,) = [each for each in found["findings"] if each["error"]]
    assert text.clauses.splitlines()[finding["line"] - 1][finding["column"] - 1 :].startswith("Category")
    assert not found["sound"]
    text = five_eyes(NO_MALWARE.replace("when {", "when    {"))
    found = world.heron_1.post("/check", manifest=text.manifest, clauses=text.clauses)["checks"]
    assert (found["sound"], found["version"], found["against_in_force"]) == (True, text.version, True)
    assert [(each["clause"], each["kind"]) for each in found["changes"]["clauses"]] == [("no-cyber", "added")]
    assert "when    {" not in found["formatted"]
    usa = next(e for e in found["gets"] if e["category"] == "cyber" and "USA" in e["partners"])
    assert "no-cyber" in usa["red_lines"]
    assert len(entries(world.node)) == before
    for manifest, clauses in (("", "permit"), ("id = ", ""), ("[" * 2000, "(" * 2000), ("\x00", "\x00;")):
        assert not world.heron_1.post("/check", manifest=manifest, clauses=clauses)["checks"]["sound"]
    assert world.heron_1.post("/check", 400, manifest="a" * (2 << 20))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_text_begins_with_a_template(world: World, name: str) -> None:
    found = world.heron_1.get(f"/draft?template={name}&parties=gbr,USA&start=2026-12-01")
    assert found["checks"]["sound"], found["checks"]["findings"]
    assert "2026-12-01" in found["manifest"]
    assert "two codes" in world.heron_1.get(f"/draft?template={name}&parties=GBR", 400)["detail"]


def test_a_text_begins_with_a_version(world: World) -> None:
    found = world.heron_1.get("/draft?version=five-eyes")
    assert found["clauses"] == five_eyes().clauses
    assert found["checks"]["state"] == "adopted"
    assert world.heron_1.get("/draft")["checks"] is None


def test_versions_are_compared_in_words_and_side_by_side(world: World) -> None:
    version = proposed(world)
    found = world.heron_1.get(f"/versions/{version}/difference")
    assert found["old"]["state"] == "adopted"
    (clauses,) = found["files"]
    added = [line["new"] for line in clauses["lines"] if line["kind"] == "added"]
    assert added == NO_MALWARE.splitlines()
    assert found["changes"]["clauses"][0]["clause"] == "no-cyber"
    assert "no-cyber" in world.heron_1.page(f"/versions/{version}/difference?other=five-eyes")
    back = world.heron_1.get(f"/versions/five-eyes/difference?other={version}")
    assert [line["kind"] for line in back["files"][0]["lines"]].count("removed") == len(added)


def test_an_approval_signed_elsewhere_is_taken_in(world: World) -> None:
    version = proposed(world)
    at = f"/versions/{version}/approval"
    assert world.heron_1.post(at, approval=signed("adopt", version), why="Brought.")["count"] == 1
    (given,) = world.heron_1.get(f"/versions/{version}")["approvals"]
    assert (given["officer"], given["stands"], given["act"]) == ("heron-2", True, "adopt")
    assert (
        "something else" in world.heron_1.post(at, 400, approval=signed("adopt", "0" * 64), why="x")["detail"]
    )
    world.heron_1.post(at, 409, approval=signed("adopt", version, "wren-9"), why="x")
    nonsense = {"name": "a.json", "body": msgspec.to_builtins(b"{}")}
    assert "--sign-only" in world.heron_1.post(at, 400, approval=nonsense, why="x")["detail"]


def test_a_run_in_shadow_is_told(world: World) -> None:
    version = proposed(world)
    until = datetime.now(UTC).date() + timedelta(days=9)
    world.heron_1.post(f"/versions/{version}/shadow", until=str(until), why="Example.")
    found = world.heron_1.get(f"/versions/{version}")
    assert found["brief"]["state"] == "shadow"
    assert (found["shadow"]["running"], found["shadow"]["products"]) == (True, 0)
    passed = world.heron_1.post(f"/versions/{version}/shadow", 400, until="2020-01-01", why="Example.")
    assert "has passed" in passed["detail"]


def test_the_calendar_has_ends_and_review_days(world: World) -> None:
    text = five_eyes()
    found = world.heron_1.get(f"?month={text.valid_until:%Y-%m}")
    ends = [each["day"] for week in found["weeks"] for each in week if each["events"]]
    assert str(text.valid_until) in ends
    assert all(len(week) == 7 for week in found["weeks"])
    reviews = {each["clause"] for each in found["days"] if each["what"] == "review"}
    assert reviews
    assert reviews <= {clause.id for clause in text.parsed}
    assert (found["earlier"], found["later"]) == tuple(
        f"{date(text.valid_until.year, text.valid_until.month, 1) + timedelta(days=days):%Y-%m}"
        for days in (-1, 31)
    )
    for wrong in ("x", "2027-13", "0001-01", "9999-12"):
        world.heron_1.get(f"?month={wrong}", 400)


def test_who_may_read_and_who_may_act(world: World) -> None:
    version = proposed(world)
    reads = ("", "/draft", f"/versions/{version}", f"/versions/{version}/difference")
    reads += (f"/versions/{version}/proof", f"/versions/{version}/review")
    for role in Role:
        person = Person(world.desk, f"wren-{role}", role)
        may = role in {Role.ANALYST, Role.OFFICER, Role.AUDITOR}
        for path in reads:
            person.get(path, 200 if may else 403)
        if role is not Role.OFFICER:
            for step in ("review", "shadow", "approve", "approval", "adopt", "suspend", "resume", "withdraw"):
                person.post(f"/versions/{version}/{step}", 403, why="Example.")
            person.post("/propose", 403, why="Example.", manifest="", clauses="")
    auditor = Person(world.desk, "wren-1", Role.AUDITOR).page(f"/versions/{version}")
    assert "/approve" not in auditor
    assert 'name="why"' not in auditor


def test_what_cannot_be_is_refused_in_one_sentence(world: World) -> None:
    one, text = world.heron_1, five_eyes()
    again = one.post("/propose", 409, manifest=text.manifest, clauses=text.clauses, why="Example.")
    assert "cannot propose" in again["detail"]
    assert "no version" in one.get("/versions/abcdef", 409)["detail"]
    assert "--why" in one.post("/versions/five-eyes/suspend", 400, why=" ")["detail"]
    assert "no other version" in one.get("/versions/five-eyes/difference", 409)["detail"]
    version = proposed(world)
    one.post(f"/versions/{version}/withdraw", why="Example.")
    assert one.get(f"/versions/{version}")["can"] == ["propose"]
    page = one.page("?offset=50")
    assert "Superseded and withdrawn" in page
